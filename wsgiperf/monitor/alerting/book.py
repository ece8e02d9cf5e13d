"""Which alerts are active: rules on figures, with hysteresis, a duration, a least sample, and a journal.

An alert is an episode of one metric (of one service, for health). It has one ID, and the severity of the most
severe rule that holds. Where that rises, ``fired`` is told again under the same ID: who keeps incidents by ID
raises the one that is open and doesn't open another. Where it falls from critical to warning, that shows on
the board but isn't told: nobody wants to be called for what got better. ``cleared`` ends it, once, with the
most severe it was, so that whoever was told of it hears the end.

Too few requests fire nothing. They may clear an alert, and so does a window without any: its reason has
passed. A gauge or a health check that isn't known just now (another worker took over and hasn't measured yet)
changes nothing for as long as the window, and clears its alert then.

Nothing here reads a clock or draws a random number; what `state` tells is all that another process needs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from wsgiperf.alert_rules import DEFAULT_RULES, METRICS, SEVERITIES, AlertRule, rules_of
from wsgiperf.monitor.alerting import wording
from wsgiperf.monitor.alerting.figures import MOST_SERVICES, Figures
from wsgiperf.monitor.alerting.records import Alert, Change, change_of, each_of, number

__all__ = ["AlertBook"]

JOURNAL = 100
#: Seconds by which a duration may be missed: turns come a few milliseconds early or late.
SLACK = 0.05
#: Seconds after which nobody knows whether what was so still was so meanwhile.
STALE = 10.0

_RANKS = {severity: rank for rank, severity in enumerate(SEVERITIES)}
_Place = tuple[str, str | None]  # the metric, the service
_Pending = tuple[str, str | None, str]  # and the severity


class _Reading(NamedTuple):
    """What rules see of one metric."""

    value: float | None
    sample: int | None = None
    known: bool = True
    error: str = ""


class AlertBook:
    """The alerts of one deployment. Not for two threads at once.

    :param rules: as `rules_of` takes them.
    :param window: seconds, as `figures_at` was given them.
    :param minimum: requests, lookups or queries within the window below which a rule that doesn't say
        otherwise fires nothing.
    :param origin: part of the IDs; a name of the machine or the deployment keeps those of two apart.
    :raises ValueError: for rules that contradict each other.
    """

    def __init__(
        self,
        rules: Iterable[AlertRule] = DEFAULT_RULES,
        *,
        window: float = 60.0,
        minimum: int = 20,
        origin: str = "",
    ) -> None:
        self.window = window
        self._minimum, self._origin = minimum, origin
        self._rules: dict[str, list[AlertRule]] = {}
        for rule in sorted(rules_of(list(rules)), key=lambda rule: -_RANKS[rule.severity]):
            self._rules.setdefault(rule.metric, []).append(rule)
        self._forget()

    def _forget(self) -> None:
        self._active: dict[_Place, Alert] = {}
        self._pending: dict[_Pending, float] = {}
        self._seen: dict[_Place, float] = {}
        self._journal: deque[dict[str, Any]] = deque(maxlen=JOURNAL)
        self._opened = 0

    def evaluate(self, now: float, figures: Figures) -> list[Change]:
        """What changes at this moment, in the rules' order.

        :param now: seconds since the epoch.
        """
        readings = self._readings(figures)
        changes = []
        for place, reading in readings.items():
            change = self._judge(place, reading, now)
            if change is not None:
                changes.append(change)
        changes += [
            self._clear(place, None, now, False) for place in list(self._active) if place not in readings
        ]
        self._pending = {key: since for key, since in self._pending.items() if key[:2] in readings}
        self._seen = {place: seen for place, seen in self._seen.items() if place in readings}
        self._journal.extendleft(change.record() for change in changes)
        return changes

    def _readings(self, figures: Figures) -> dict[_Place, _Reading]:
        readings: dict[_Place, _Reading] = {}
        for name in self._rules:
            if name == "health":
                readings.update(self._services(figures))
                continue
            value, sample = getattr(figures, name), METRICS[name].sample
            if sample:
                readings[name, None] = _Reading(value, getattr(figures, sample))
            else:
                readings[name, None] = _Reading(value, known=value is not None)
        return readings

    def _services(self, figures: Figures) -> dict[_Place, _Reading]:
        if figures.services is None:
            watched = [*self._active, *(key[:2] for key in self._pending)]
            return {place: _Reading(None, known=False) for place in watched if place[0] == "health"}
        return {
            ("health", service.subject): _Reading(
                service.seconds if service.failing else None,
                known=service.failing is not None,
                error=service.error,
            )
            for service in figures.services
        }

    def _judge(self, place: _Place, reading: _Reading, now: float) -> Change | None:
        if not reading.known:
            # A clock that was set back puts what was seen into the future.
            seen = self._seen[place] = min(self._seen.get(place, now), now)
            if now - seen < self.window:
                return None
        else:
            self._seen[place] = now
        alert = self._active.get(place)
        held = [rule for rule in self._rules[place[0]] if self._holds(rule, place, reading, alert, now)]
        if not held or reading.value is None:
            return None if alert is None else self._clear(place, reading.value, now, True)
        return self._set(place, alert, held[0], reading.value, reading, now)

    def _holds(
        self, rule: AlertRule, place: _Place, reading: _Reading, alert: Alert | None, now: float
    ) -> bool:
        key = (*place, rule.severity)
        value = reading.value
        if alert is not None and _RANKS[rule.severity] <= _RANKS[alert.severity]:
            self._pending.pop(key, None)
            # A service that fails is failing, however short a time ago a rule wants it to have begun.
            return value is not None and (rule.metric == "health" or not rule.left(value))
        least = self._minimum if rule.minimum is None else rule.minimum
        enough = reading.sample is None or reading.sample >= least
        if value is None or not enough or not rule.reached(value):
            self._pending.pop(key, None)
            return False
        since = self._pending[key] = min(self._pending.get(key, now), now)
        return now - since >= rule.for_seconds - SLACK

    def _set(
        self,
        place: _Place,
        alert: Alert | None,
        rule: AlertRule,
        value: float,
        reading: _Reading,
        now: float,
    ) -> Change | None:
        told = alert is not None and _RANKS[rule.severity] <= _RANKS[alert.severity]
        if alert is None:
            severity = rule.severity
            alert = self._active[place] = Alert(
                self._new_id(place, now), *_head(place, severity), value, rule.threshold, "", now, severity
            )
        alert.severity, alert.value, alert.threshold = rule.severity, value, rule.threshold
        alert.worst = max(alert.worst, alert.severity, key=_RANKS.__getitem__)
        alert.message = wording.fired(
            rule,
            value,
            subject=place[1],
            error=reading.error,
            sample=reading.sample,
            window=self.window,
        )
        return None if told else _change(alert, "fired", now)

    def _clear(self, place: _Place, value: float | None, now: float, watched: bool) -> Change:
        alert = self._active.pop(place)
        rules = self._rules.get(place[0])
        alert.severity, alert.value = alert.worst, value
        alert.message = wording.cleared(
            place[0],
            rules[0].words if rules else METRICS[place[0]].words,
            value,
            subject=place[1],
            watched=watched,
            lasted=now - alert.since,
        )
        return _change(alert, "cleared", now)

    def _new_id(self, place: _Place, now: float) -> str:
        from hashlib import blake2b

        # Of this one alone, also after a restart that lost the count; and the same in whichever process.
        self._opened += 1
        said = f"{self._origin}\n{place[0]}\n{place[1]}\n{self._opened}\n{now!r}"
        return blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest()

    def state(self) -> dict[str, Any]:
        """All of it, for the board: ``active`` (most severe first, then oldest), ``journal`` (newest first),
        and ``memory``, which is for `restore` alone."""
        alerts = sorted(self._active.values(), key=lambda alert: (-_RANKS[alert.severity], alert.since))
        return {
            "active": [alert.record() for alert in alerts],
            "journal": list(self._journal),
            "memory": {
                "opened": self._opened,
                "alerts": {alert.id: [alert.worst, alert.told] for alert in alerts},
                "pending": [[*key, since] for key, since in self._pending.items()],
            },
        }

    def restore(self, state: object, *, age: float = 0.0) -> None:
        """Go on from what a book told, be it of another process, with other rules, or garbled.

        What can't be read is left out; nothing is raised.

        :param age: seconds since it was told. Nobody knows whether a condition that hasn't lasted long enough
            yet to fire was there meanwhile; where that is more than ten seconds, it begins anew.
        """
        self._forget()
        if not isinstance(state, Mapping):
            return
        memory = state.get("memory")
        memory = memory if isinstance(memory, Mapping) else {}
        alerts = memory.get("alerts")
        more = alerts if isinstance(alerts, Mapping) else {}
        most = len(METRICS) + MOST_SERVICES
        for alert in each_of(state.get("active"), lambda each: Alert.of(each, more.get(each["id"])), most):
            self._active.setdefault((alert.metric, alert.subject), alert)
        self._journal.extend(change.record() for change in each_of(state.get("journal"), change_of, JOURNAL))
        opened = memory.get("opened")
        self._opened = opened if isinstance(opened, int) and 0 <= opened < 2**53 else 0
        if 0 <= age <= STALE:
            self._pending.update(each_of(memory.get("pending"), _pending, most * len(SEVERITIES)))

    @classmethod
    def restored(cls, state: object, rules: Iterable[AlertRule] = DEFAULT_RULES, **options: Any) -> AlertBook:
        """A book that goes on from `state`; see `restore`. The rest is as for the book itself."""
        book = cls(rules, **options)
        book.restore(state)
        return book


def _head(place: _Place, severity: str) -> tuple[str, str, str | None]:
    return place[0], severity, place[1]


def _change(alert: Alert, event: str, now: float) -> Change:
    alert.told += 1
    return Change(
        alert.id,
        event,
        now,
        alert.metric,
        alert.severity,
        alert.subject,
        alert.value,
        alert.threshold,
        alert.message,
        alert.told,
    )


def _pending(given: Any) -> tuple[_Pending, float]:
    metric, subject, severity, since = given
    if not isinstance(metric, str) or not isinstance(subject, (str, type(None))) or severity not in _RANKS:
        raise ValueError(given)
    return (metric, subject, severity), number(since)
