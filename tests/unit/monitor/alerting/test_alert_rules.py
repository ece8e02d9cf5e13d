"""Rules as they are written: what is taken, what is refused and with which words."""

from __future__ import annotations

import json

import pytest

from wsgiperf.alert_rules import DEFAULT_RULES, METRICS, SEVERITIES, AlertRule, rules_of

BRIEF = {"response_time": 2.0, "memory": 80.0, "cpu": 80.0, "error_rate": 5.0, "hit_rate": 50.0}


@pytest.mark.parametrize(("metric", "threshold"), BRIEF.items(), ids=list(BRIEF))
def test_the_briefs_thresholds_warn(metric, threshold):
    """Each with its number."""
    (rule,) = [rule for rule in DEFAULT_RULES if (rule.metric, rule.severity) == (metric, "warning")]
    assert rule.threshold == threshold


def test_every_metric_warns_and_beyond_that_is_critical():
    """In the direction that is bad."""
    for name, metric in METRICS.items():
        by = {rule.severity: rule.threshold for rule in DEFAULT_RULES if rule.metric == name}
        assert set(by) == {"warning", "critical"}
        assert (by["critical"] > by["warning"]) is metric.above
    assert rules_of(DEFAULT_RULES) == DEFAULT_RULES


def test_rules_come_as_objects_dictionaries_and_json():
    """All alike."""
    rule = AlertRule("p95", 3, "critical", clear=2, for_seconds=10, minimum=5, name="slow pages")
    given = {
        "metric": "p95",
        "threshold": 3,
        "severity": "critical",
        "clear": 2,
        "for_seconds": 10,
        "minimum": 5,
        "name": "slow pages",
    }
    assert rules_of([rule]) == rules_of([given]) == rules_of(json.dumps([given])) == (rule,)
    assert rules_of("") == rules_of([]) == ()


LIMITS = {
    "above": (AlertRule("memory", 80), 72.0, [80, 95], [71.9], [79.9, 72.0]),
    "below": (AlertRule("hit_rate", 50), 55.0, [50, 0], [55.1], [50.1, 55.0]),
    "below, near all there is": (AlertRule("hit_rate", 96), 98.0, [96], [98.1, 100.0], [97, 98]),
    "its own": (AlertRule("memory", 80, clear=80), 80.0, [80], [79.9], []),
    "a service, at once": (AlertRule("health", 0), 0.0, [0, 5], [], []),
    "no hits at all": (AlertRule("hit_rate", 0), 0.0, [0], [0.1], []),
}


@pytest.mark.parametrize(
    ("rule", "clears", "bad", "good", "between"),
    LIMITS.values(),
    ids=[name.replace(" ", "_") for name in LIMITS],
)
def test_a_rule_fires_at_its_threshold_and_clears_beyond_another_value(rule, clears, bad, good, between):
    """Between the two it stays as it is."""
    assert rule.clears_beyond == pytest.approx(clears)
    for value in bad:
        assert rule.reached(value)
        assert not rule.left(value)
    for value in good:
        assert rule.left(value)
        assert not rule.reached(value)
    for value in between:
        assert not rule.reached(value)
        assert not rule.left(value)


WRONG = {
    "metric": ({"metric": "disk", "threshold": 1}, "metric: 'disk'; expected one of response_time"),
    "metric's type": ({"metric": ["cpu"], "threshold": 1}, "rule's metric"),
    "severity": ({"metric": "cpu", "threshold": 1, "severity": "fatal"}, "expected one of info, warning"),
    "severity's type": ({"metric": "cpu", "threshold": 1, "severity": []}, "rule's severity"),
    "more than all": ({"metric": "cpu", "threshold": 101}, "to 100 for cpu"),
    "always": ({"metric": "cpu", "threshold": 0}, "more than 0"),
    "every hit rate": ({"metric": "hit_rate", "threshold": 100}, "to 99.9"),
    "a boolean": ({"metric": "cpu", "threshold": True}, "rule's threshold"),
    "no number": ({"metric": "cpu", "threshold": float("nan")}, "rule's threshold"),
    "a huge one": ({"metric": "cpu", "threshold": 10**400}, "rule's threshold"),
    "text": ({"metric": "cpu", "threshold": "80"}, "rule's threshold"),
    "clear above": ({"metric": "cpu", "threshold": 80, "clear": 81}, "at most the threshold, 80"),
    "clear below": ({"metric": "hit_rate", "threshold": 50, "clear": 49}, "at least the threshold, 50"),
    "clear of health": ({"metric": "health", "threshold": 1, "clear": 0}, "not for health"),
    "for": ({"metric": "cpu", "threshold": 80, "for_seconds": -1}, "rule's for_seconds"),
    "minimum": ({"metric": "p95", "threshold": 2, "minimum": 0}, "whole number"),
    "half a minimum": ({"metric": "p95", "threshold": 2, "minimum": 2.5}, "whole number"),
    "minimum of a gauge": ({"metric": "cpu", "threshold": 80, "minimum": 5}, "not for cpu"),
    "name": ({"metric": "cpu", "threshold": 80, "name": "two\nlines"}, "rule's name"),
    "an unknown word": (
        {"metric": "cpu", "threshold": 80, "limit": 1},
        "a rule has no 'limit'; it has metric",
    ),
    "nothing said": ({"severity": "info"}, "say its metric and threshold"),
}


@pytest.mark.parametrize(("given", "said"), WRONG.values(), ids=[name.replace(" ", "_") for name in WRONG])
def test_a_wrong_rule_is_refused_with_what_would_be_right(given, said):
    """As a dictionary and, where it can be one, as an object."""
    with pytest.raises(ValueError, match=said):
        rules_of([given])
    if {"metric", "threshold"} <= given.keys() <= set(AlertRule.__dataclass_fields__):
        with pytest.raises(ValueError, match=said):
            AlertRule(**given)


LISTS = {
    "no list": {"metric": "cpu", "threshold": 80},
    "no rule": ["cpu"],
    "no JSON": "[",
    "twice": [AlertRule("cpu", 80), AlertRule("cpu", 70)],
    "too many": [{"metric": "cpu", "threshold": 80}] * 101,
}


@pytest.mark.parametrize("given", LISTS.values(), ids=[name.replace(" ", "_") for name in LISTS])
def test_a_wrong_list_is_refused(given):
    """Two rules of one metric and severity as well."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words are of several
        rules_of(given)


def test_severities_are_in_order():
    """Least severe first."""
    assert SEVERITIES == ("info", "warning", "critical")
