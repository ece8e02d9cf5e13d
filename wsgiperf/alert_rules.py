"""A rule of the monitor's alerts as it is configured: checked here, applied by the monitor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import NamedTuple, NoReturn

__all__ = ["DEFAULT_RULES", "METRICS", "SEVERITIES", "AlertRule", "Metric", "rules_of", "with_defaults"]

#: Least severe first.
SEVERITIES = ("info", "warning", "critical")

#: Hysteresis where a rule doesn't say: an alert that fired at 80% clears below 72%.
CLEAR_ABOVE, CLEAR_BELOW = 0.9, 1.1
MOST_RULES = 100
LONGEST_FOR = 86_400.0  # seconds
LONGEST_NAME = 100


class Metric(NamedTuple):
    """What rules can be about.

    :param words: for messages.
    :param unit: ``s`` or ``%``.
    :param most: the greatest threshold.
    :param above: whether it is bad at the threshold and above, else at it and below.
    :param sample: what is counted for a rule's minimum; empty for a gauge, which needs no number of samples.
    """

    words: str
    unit: str
    most: float
    above: bool = True
    sample: str = ""


METRICS: Mapping[str, Metric] = {
    "response_time": Metric("mean response time", "s", 3600.0, sample="requests"),
    "p95": Metric("95th percentile of response times", "s", 100.0, sample="requests"),
    "memory": Metric("memory in use", "%", 100.0),
    "cpu": Metric("CPU in use", "%", 100.0),
    "error_rate": Metric("error rate", "%", 100.0, sample="requests"),
    "hit_rate": Metric("cache hit rate", "%", 99.9, above=False, sample="lookups"),
    "database_time": Metric("mean time of a database query", "s", 3600.0, sample="queries"),
    "health": Metric("failing service", "s", 86_400.0),
    "saturation": Metric("worker threads in use", "%", 100.0),
}


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When an alert fires, and when it clears.

    :param metric: one of `METRICS`. All are of the window (60 s by default), but these: ``memory``, ``cpu``
        and ``saturation`` are of the moment; ``health`` is how long a service has been failing.
    :param threshold: seconds or percent. It fires at the threshold and beyond: above it, but for ``hit_rate``
        below it. For ``health`` 0 is at once.
    :param severity: one of `SEVERITIES`. Of the rules of one metric the most severe that holds counts.
    :param clear: an alert that fired stays until the value is beyond this on the good side; by default 90% of
        the threshold, for ``hit_rate`` 110%. A service's alert clears when it answers.
    :param for_seconds: how long it has to be so before it fires.
    :param minimum: the least number of requests (for ``hit_rate`` of lookups in the cache, for
        ``database_time`` of queries) within the window to fire on; by default the monitor's.
    :param name: what messages call it, in place of the metric's own words.
    :raises ValueError: for a value that isn't one of these, in a sentence.
    """

    metric: str
    threshold: float
    severity: str = "warning"
    clear: float | None = None
    for_seconds: float = 0.0
    minimum: int | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        metric = METRICS.get(self.metric) if isinstance(self.metric, str) else None
        if metric is None:
            _refuse("metric", f"one of {', '.join(METRICS)}", self.metric)
        if self.severity not in SEVERITIES:
            _refuse("severity", f"one of {', '.join(SEVERITIES)}", self.severity)
        # 0 s of response time or 0% of memory are always reached; a hit rate of 0% isn't, and a service that
        # has been failing for 0 s fails.
        positive = metric.above and self.metric != "health"
        if not _number(self.threshold, metric.most) or (positive and not self.threshold):
            least = "more than 0" if positive else "0"
            _refuse("threshold", f"a number of {least} to {metric.most:g} for {self.metric}", self.threshold)
        self._check_clear(metric)
        if not _number(self.for_seconds, LONGEST_FOR):
            _refuse("for_seconds", f"a number of 0 to {LONGEST_FOR:g}", self.for_seconds)
        self._check_minimum(metric)
        if self.name is not None and not _name(self.name):
            _refuse("name", f"1 to {LONGEST_NAME} printable characters", self.name)

    def _check_clear(self, metric: Metric) -> None:
        if self.clear is None:
            return
        if self.metric == "health":
            raise ValueError("a rule's clear is not for health: its alerts clear when the service answers")
        if not _number(self.clear, metric.most) or (
            self.clear > self.threshold if metric.above else self.clear < self.threshold
        ):
            side = "at most" if metric.above else "at least"
            _refuse("clear", f"a number {side} the threshold, {self.threshold:g}", self.clear)

    def _check_minimum(self, metric: Metric) -> None:
        if self.minimum is None:
            return
        if not metric.sample:
            raise ValueError(f"a rule's minimum is not for {self.metric}, which counts nothing")
        if not isinstance(self.minimum, int) or not _number(self.minimum, 10**9) or self.minimum < 1:
            _refuse("minimum", "a whole number of at least 1", self.minimum)

    @property
    def words(self) -> str:
        """What messages call it."""
        return self.name or METRICS[self.metric].words

    @property
    def clears_beyond(self) -> float:
        """The value that is to be passed for its alert to clear."""
        if self.clear is not None:
            return self.clear
        metric = METRICS[self.metric]
        if metric.above:
            return self.threshold * CLEAR_ABOVE
        # Of 95% it would be more than there is, and never clear.
        return min(self.threshold * CLEAR_BELOW, (self.threshold + 100.0) / 2)

    def reached(self, value: float) -> bool:
        """Whether it fires at this value."""
        return value >= self.threshold if METRICS[self.metric].above else value <= self.threshold

    def left(self, value: float) -> bool:
        """Whether its alert clears at this value."""
        clear = self.clears_beyond
        return value < clear if METRICS[self.metric].above else value > clear


def _number(value: object, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= most


def _name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _refuse(name: str, expected: str, value: object) -> NoReturn:
    raise ValueError(f"not a value for a rule's {name}: {value!r:.200}; expected {expected}")


#: The brief's five thresholds and four more, each a warning, and a critical level where waiting does harm.
#:
#: - response_time: 2 s; visitors leave at 5 s.
#: - p95: 4 s and 10 s. Of durations spread exponentially it is three times the mean, so it warns before the
#:   mean does, at a mean of 1.3 s. At 2 s a few heavy pages would keep it on.
#: - memory: 80%; above 95% the kernel may start to kill. cpu: 80% and 95%, for half a minute: a second at
#:   100% is work being done.
#: - error_rate: 5%; at 20% the site is down for many.
#: - hit_rate: 50%; at 10% the cache as good as doesn't work. There it is no emergency before it lasts: each
#:   restart begins with an empty one.
#: - database_time: 0.1 s and 0.5 s for the mean query; indexed ones take some milliseconds.
#: - health: at once, critical after a minute.
#: - saturation: 80% of the worker threads, and 95%, where requests begin to queue; for ten seconds, as a
#:   burst is over sooner.
DEFAULT_RULES: tuple[AlertRule, ...] = (
    AlertRule("response_time", 2.0),
    AlertRule("response_time", 5.0, "critical"),
    AlertRule("p95", 4.0),
    AlertRule("p95", 10.0, "critical"),
    AlertRule("memory", 80.0),
    AlertRule("memory", 95.0, "critical"),
    AlertRule("cpu", 80.0, for_seconds=30.0),
    AlertRule("cpu", 95.0, "critical", for_seconds=30.0),
    AlertRule("error_rate", 5.0),
    AlertRule("error_rate", 20.0, "critical"),
    AlertRule("hit_rate", 50.0),
    AlertRule("hit_rate", 10.0, "critical", for_seconds=300.0),
    AlertRule("database_time", 0.1),
    AlertRule("database_time", 0.5, "critical"),
    AlertRule("health", 0.0),
    AlertRule("health", 60.0, "critical"),
    AlertRule("saturation", 80.0, for_seconds=10.0),
    AlertRule("saturation", 95.0, "critical", for_seconds=10.0),
)


def rules_of(value: object) -> tuple[AlertRule, ...]:
    """Rules from a list of rules or dictionaries, or from such a list as JSON.

    :raises ValueError: for anything else, for two rules of one metric and severity, and for more than 100.
    """
    if isinstance(value, str):
        import json

        value = json.loads(value) if value.strip() else ()
    if not isinstance(value, (list, tuple)):
        raise ValueError(value)
    if len(value) > MOST_RULES:
        raise ValueError(f"more than {MOST_RULES} rules")
    rules = tuple(each if isinstance(each, AlertRule) else _rule(each) for each in value)
    seen: set[tuple[str, str]] = set()
    for rule in rules:
        if (rule.metric, rule.severity) in seen:
            raise ValueError(f"two rules for {rule.metric} of severity {rule.severity}")
        seen.add((rule.metric, rule.severity))
    return rules


def with_defaults(rules: tuple[AlertRule, ...]) -> tuple[AlertRule, ...]:
    """The rules, and the default ones of the metrics that they don't name."""
    named = {rule.metric for rule in rules}
    return rules + tuple(rule for rule in DEFAULT_RULES if rule.metric not in named)


def _rule(given: object) -> AlertRule:
    if not isinstance(given, Mapping):
        raise ValueError(given)
    known = {field.name: field.default is MISSING for field in fields(AlertRule)}
    for name in given:
        if name not in known:
            raise ValueError(f"a rule has no {name!r:.200}; it has {', '.join(known)}")
    if missing := [name for name, required in known.items() if required and name not in given]:
        raise ValueError(f"a rule has to say its {' and '.join(missing)}")
    return AlertRule(**given)
