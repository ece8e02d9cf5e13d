"""What alerts say to people."""

from __future__ import annotations

from wsgiperf.alert_rules import METRICS, AlertRule

__all__ = ["cleared", "fired", "spelled"]


def spelled(value: float, unit: str) -> str:
    """A value with its unit: ``2.413 s``, ``5.2%``."""
    number = f"{value:.1f}" if unit == "%" or value >= 60 else f"{value:.3f}"
    number = number.rstrip("0").rstrip(".")
    return f"{number}%" if unit == "%" else f"{number} s"


def fired(
    rule: AlertRule, value: float, *, subject: str | None, error: str, sample: int | None, window: float
) -> str:
    """Of an alert that is active.

    :param error: what a service's check said.
    :param sample: how many requests, lookups or queries the value is of; None for a gauge.
    """
    if subject is not None:
        return f"{_capital(rule.words)} {subject}, for {spelled(value, 's')}: {error}"
    metric = METRICS[rule.metric]
    said = f"{_capital(rule.words)} is {spelled(value, metric.unit)}"
    limit = f"the limit is {spelled(rule.threshold, metric.unit)}"
    counted = "" if sample is None else f" ({sample} {metric.sample} in {spelled(window, 's')})"
    return f"{said}, {limit}{counted}"


def cleared(
    metric: str, words: str, value: float | None, *, subject: str | None, watched: bool, lasted: float
) -> str:
    """Of one that is over.

    :param watched: False where there is no such rule or service any more.
    """
    if subject is not None:
        said = f"Service {subject} {'answers again' if watched else 'is no longer checked'}"
    elif not watched:
        said = f"{_capital(words)} is no longer watched"
    elif value is None:
        said = f"{_capital(words)}: nothing to measure any more"
    else:
        said = f"{_capital(words)} is back to {spelled(value, METRICS[metric].unit)}"
    return f"{said}, after {spelled(max(0.0, round(lasted)), 's')}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
