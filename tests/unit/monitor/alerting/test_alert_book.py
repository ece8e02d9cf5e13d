"""When alerts fire and clear. Time is whatever the test says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgiperf.alert_rules import AlertRule
from wsgiperf.monitor.alerting.book import AlertBook
from wsgiperf.monitor.alerting.figures import Figures, Service
from wsgiperf.monitor.alerting.records import Change

BUSY = Figures(requests=100, lookups=100, queries=100, services=())


def errors(percent: float | None, requests: int = 100) -> Figures:
    return BUSY._replace(error_rate=percent, requests=requests)


def failing(seconds: float | None, name: str = "db", error: str = "refused") -> Service:
    return Service(name, True, seconds, error) if seconds is not None else Service(name, False)


def told(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    return [(change.event, change.metric, change.severity) for change in changes]


def play(book: AlertBook, *turns: tuple[float, Figures]) -> list[tuple[float, str, str]]:
    """What changes when, over several turns."""
    return [
        (now, change.event, change.severity)
        for now, figures in turns
        for change in book.evaluate(now, figures)
    ]


WARNING = AlertRule("error_rate", 5.0)
CRITICAL = AlertRule("error_rate", 20.0, "critical")


def test_it_fires_at_the_threshold_and_clears_below_nine_tenths_of_it():
    """Between the two it goes on, and is told once."""
    values = [4.9, 5.0, 9.0, 4.6, 4.5, 4.4, 4.9]
    changes = play(AlertBook([WARNING]), *[(float(n), errors(value)) for n, value in enumerate(values)])
    assert changes == [(1.0, "fired", "warning"), (5.0, "cleared", "warning")]


def test_a_rate_that_is_bad_below_its_threshold():
    """The hit rate: it clears above eleven tenths."""
    values = [51, 50, 54, 55, 55.1]
    book = AlertBook([AlertRule("hit_rate", 50)])
    changes = play(book, *[(float(n), BUSY._replace(hit_rate=value)) for n, value in enumerate(values)])
    assert changes == [(1.0, "fired", "warning"), (4.0, "cleared", "warning")]


def test_too_few_requests_fire_nothing_but_may_clear():
    """An alert stays with them while they are as bad, and ends when they aren't or there are none."""
    book = AlertBook([WARNING], minimum=20)
    assert play(book, (0, errors(50.0, 19)), (1, errors(50.0, 20))) == [(1, "fired", "warning")]
    assert play(book, (2, errors(50.0, 1))) == []
    assert play(book, (3, errors(0.0, 1))) == [(3, "cleared", "warning")]
    assert play(book, (4, errors(50.0)), (5, errors(None, 0))) == [
        (4, "fired", "warning"),
        (5, "cleared", "warning"),
    ]


def test_a_rule_has_its_own_minimum_and_counts_its_own_kind():
    """Lookups for the hit rate, queries for the database."""
    book = AlertBook([AlertRule("hit_rate", 50, minimum=5), AlertRule("database_time", 0.1)], minimum=20)
    figures = BUSY._replace(hit_rate=0.0, database_time=1.0)
    assert play(book, (0, figures._replace(lookups=4, queries=19))) == []
    assert told(book.evaluate(1, figures._replace(lookups=5, queries=20))) == [
        ("fired", "hit_rate", "warning"),
        ("fired", "database_time", "warning"),
    ]


def test_it_has_to_last():
    """`for_seconds` from when it began, the count beginning anew where it was well or too few meanwhile."""
    book = AlertBook([AlertRule("error_rate", 5, for_seconds=3)])
    bad, few, good = errors(50.0), errors(50.0, 3), errors(0.0)
    turns = [bad, bad, good, bad, bad, few, bad, bad, bad, bad]
    assert play(book, *[(float(n), turn) for n, turn in enumerate(turns)]) == [(9.0, "fired", "warning")]


def test_after_it_cleared_it_has_to_last_again():
    """Also where it is bad again the moment after."""
    book = AlertBook([AlertRule("error_rate", 5, for_seconds=3)])
    values = [50.0, 50.0, 50.0, 50.0, 0.0, 50.0, 50.0, 50.0, 50.0]
    assert play(book, *[(float(n), errors(value)) for n, value in enumerate(values)]) == [
        (3.0, "fired", "warning"),
        (4.0, "cleared", "warning"),
        (8.0, "fired", "warning"),
    ]


def test_turns_that_come_a_little_early_dont_cost_another_second():
    """Thirty seconds are over after 29.97."""
    book = AlertBook([AlertRule("cpu", 80, for_seconds=30)])
    hot = BUSY._replace(cpu=90.0)
    assert play(book, (0.03, hot), (30.0, hot)) == [(30.0, "fired", "warning")]


def test_a_clock_that_is_set_back_fires_nothing_early_and_hinders_nothing():
    """It counts from there."""
    book = AlertBook([AlertRule("cpu", 80, for_seconds=30)])
    hot = BUSY._replace(cpu=90.0)
    assert play(book, (1000, hot), (100, hot), (129, hot), (130, hot)) == [(130, "fired", "warning")]


def test_a_worse_one_is_told_under_the_same_id_and_a_better_one_only_shown():
    """One incident: fired, fired as critical, cleared as critical."""
    book = AlertBook([WARNING, CRITICAL])
    changes = []
    shown = []
    for now, value in enumerate([6.0, 30.0, 18.5, 10.0, 25.0, 10.0, 1.0]):
        changes += book.evaluate(now, errors(value))
        shown.append([alert["severity"] for alert in book.state()["active"]])
    assert [(change.at, change.event, change.severity) for change in changes] == [
        (0, "fired", "warning"),
        (1, "fired", "critical"),
        (4, "fired", "critical"),
        (6, "cleared", "critical"),
    ]
    assert shown == [["warning"], ["critical"], ["critical"], ["warning"], ["critical"], ["warning"], []]
    assert len({change.id for change in changes}) == 1
    assert len({change.delivery for change in changes}) == 4


def test_only_the_most_severe_that_holds_counts():
    """Both reached at once are one alert."""
    book = AlertBook([WARNING, CRITICAL, AlertRule("error_rate", 1, "info")])
    assert told(book.evaluate(0, errors(50.0))) == [("fired", "error_rate", "critical")]
    (active,) = book.state()["active"]
    assert (active["threshold"], active["value"], active["since"]) == (20.0, 50.0, 0)


def test_each_episode_has_an_id_of_its_own():
    """Also in the same millisecond, of another metric, or of another deployment."""
    ids = set()
    for origin in ("one", "two"):
        book = AlertBook([WARNING, AlertRule("p95", 2)], origin=origin)
        for now in (0.0, 0.0, 5.0):
            for value in (50.0, 0.0):
                figures = errors(value)._replace(p95=value)
                ids |= {change.id for change in book.evaluate(now, figures)}
    assert len(ids) == 12
    assert all(len(each) == 16 and each.isalnum() for each in ids)


def test_services_have_alerts_of_their_own():
    """One fires at once and becomes critical when it lasts; it clears when the service answers."""
    book = AlertBook([AlertRule("health", 0), AlertRule("health", 60, "critical")])
    first = book.evaluate(0, BUSY._replace(services=(failing(0.0), failing(None, "mail"))))
    assert [(change.subject, change.severity) for change in first] == [("db", "warning")]
    assert "db" in first[0].message
    assert "refused" in first[0].message
    second = book.evaluate(60, BUSY._replace(services=(failing(60.0), failing(5.0, "mail"))))
    assert {(change.subject, change.severity) for change in second} == {
        ("db", "critical"),
        ("mail", "warning"),
    }
    third = book.evaluate(61, BUSY._replace(services=(failing(None), failing(6.0, "mail"))))
    assert [(change.event, change.id) for change in third] == [("cleared", first[0].id)]
    assert third[0].value is None
    fourth = book.evaluate(62, BUSY)
    assert [(change.event, change.subject) for change in fourth] == [("cleared", "mail")]
    assert "no longer checked" in fourth[0].message


def test_a_service_that_fails_in_another_way_still_fails():
    """Where it hung at first and is refused now, that is so since a moment ago only."""
    book = AlertBook([AlertRule("health", 30)])
    seconds = [29.0, 30.0, 0.0, 1.0, None]
    turns = [(float(n), BUSY._replace(services=(failing(each),))) for n, each in enumerate(seconds)]
    assert play(book, *turns) == [(1.0, "fired", "warning"), (4.0, "cleared", "warning")]


UNKNOWN = {
    "a gauge": (AlertRule("cpu", 80), BUSY._replace(cpu=99.0), BUSY),
    "a check": (
        AlertRule("health", 0),
        BUSY._replace(services=(failing(1.0),)),
        BUSY._replace(services=(Service("db", None),)),
    ),
    "all checks": (
        AlertRule("health", 0),
        BUSY._replace(services=(failing(1.0),)),
        BUSY._replace(services=None),
    ),
}


@pytest.mark.parametrize(
    ("rule", "bad", "unknown"), UNKNOWN.values(), ids=[name.replace(" ", "_") for name in UNKNOWN]
)
def test_what_isnt_known_just_now_changes_nothing_for_the_window(rule, bad, unknown):
    """Then it clears: nobody has seen it for so long."""
    book = AlertBook([rule], window=60.0)
    assert told(book.evaluate(0, bad)) == [("fired", rule.metric, "warning")]
    assert play(book, (1, unknown), (59, unknown), (59.5, bad), (100, unknown)) == []
    assert play(book, (119.5, unknown)) == [(119.5, "cleared", "warning")]


def test_the_journal_has_the_last_hundred_changes_newest_first():
    """And nothing of them grows."""
    book = AlertBook([WARNING])
    for now in range(300):
        book.evaluate(now, errors(50.0 if now % 2 else 0.0))
    journal = book.state()["journal"]
    assert [entry["at"] for entry in journal] == list(range(299, 199, -1))
    assert set(journal[0]) == {
        "id", "event", "at", "metric", "severity", "subject", "value", "threshold", "message",
    }  # fmt: skip


def test_active_alerts_come_most_severe_first_then_oldest():
    """With their value of now."""
    rules = [AlertRule("cpu", 80), AlertRule("memory", 80), AlertRule("error_rate", 5, "critical")]
    book = AlertBook(rules)
    book.evaluate(0, BUSY._replace(memory=90.0))
    book.evaluate(1, BUSY._replace(memory=91.0, cpu=85.0))
    book.evaluate(2, BUSY._replace(memory=92.0, cpu=86.0, error_rate=9.0))
    active = book.state()["active"]
    assert [(each["metric"], each["value"]) for each in active] == [
        ("error_rate", 9.0),
        ("memory", 92.0),
        ("cpu", 86.0),
    ]
    assert set(active[0]) == {
        "id", "metric", "severity", "subject", "value", "threshold", "message", "since",
    }  # fmt: skip


MESSAGES = {
    "a rate": (
        WARNING,
        errors(12.34, 240),
        "Error rate is 12.3%, the limit is 5% (240 requests in 60 s)",
    ),
    "a duration": (
        AlertRule("response_time", 2),
        BUSY._replace(response_time=2.4136),
        "Mean response time is 2.414 s, the limit is 2 s (100 requests in 60 s)",
    ),
    "a gauge": (AlertRule("cpu", 80), BUSY._replace(cpu=100.0), "CPU in use is 100%, the limit is 80%"),
    "a name": (
        AlertRule("cpu", 80, name="load of the shop"),
        BUSY._replace(cpu=80.0),
        "Load of the shop is 80%, the limit is 80%",
    ),
    "a service": (
        AlertRule("health", 0),
        BUSY._replace(services=(failing(12.0),)),
        "Failing service db, for 12 s: refused",
    ),
}


@pytest.mark.parametrize(
    ("rule", "figures", "said"), MESSAGES.values(), ids=[name.replace(" ", "_") for name in MESSAGES]
)
def test_messages_say_what_is_wrong_in_a_sentence(rule, figures, said):
    """With units."""
    (change,) = AlertBook([rule]).evaluate(0, figures)
    assert change.message == said


def test_messages_say_what_is_well_again():
    """And how long it wasn't."""
    book = AlertBook([WARNING])
    book.evaluate(0, errors(50.0))
    (change,) = book.evaluate(75, errors(1.2))
    assert change.message == "Error rate is back to 1.2%, after 75 s"
    book.evaluate(80, errors(50.0))
    (change,) = book.evaluate(90, errors(None, 0))
    assert change.message == "Error rate: nothing to measure any more, after 10 s"


# -- another process goes on


def copied(book: AlertBook) -> Any:
    return json.loads(json.dumps(book.state()))


def test_another_process_goes_on_as_if_nothing_had_happened():
    """At whichever turn it takes over, the same changes with the same IDs come."""
    rules = [WARNING, CRITICAL, AlertRule("cpu", 80, for_seconds=3), AlertRule("health", 0)]
    turns = [
        BUSY._replace(error_rate=rate, cpu=cpu, services=(failing(down),))
        for rate, cpu, down in [
            (0.0, 90.0, None), (6.0, 90.0, 1.0), (30.0, 90.0, 2.0), (30.0, 90.0, 3.0),
            (10.0, 90.0, None), (30.0, 70.0, None), (0.0, 70.0, 1.0), (9.0, 90.0, None),
        ]
    ]  # fmt: skip
    alone = AlertBook(rules)
    expected = [change for now, turn in enumerate(turns) for change in alone.evaluate(now, turn)]
    assert len(expected) > 8
    for takeover in range(len(turns)):
        book, changes = AlertBook(rules), []
        for now, turn in enumerate(turns):
            if now == takeover:
                book = AlertBook.restored(copied(book), rules)
            changes += book.evaluate(now, turn)
        assert changes == expected
        assert copied(book) == copied(alone)


def test_a_condition_of_long_ago_counts_anew():
    """A named file outlives the server; nobody knows what was meanwhile."""
    rule = AlertRule("cpu", 80, for_seconds=30)
    hot = BUSY._replace(cpu=90.0)
    for age, fires in ((2.0, True), (3600.0, False)):
        book, other = AlertBook([rule]), AlertBook([rule])
        book.evaluate(0, hot)
        other.restore(copied(book), age=age)
        assert bool(other.evaluate(30 + age, hot)) is fires


def test_alerts_whose_rule_is_gone_are_cleared():
    """After a restart with other settings."""
    book = AlertBook([WARNING, CRITICAL])
    (fired,) = book.evaluate(0, errors(50.0))
    (cleared,) = AlertBook.restored(copied(book), [AlertRule("cpu", 80)]).evaluate(1, errors(50.0))
    assert (cleared.event, cleared.id) == ("cleared", fired.id)
    lowered = AlertBook.restored(copied(book), [WARNING])
    assert lowered.evaluate(1, errors(50.0)) == []
    assert [alert["severity"] for alert in lowered.state()["active"]] == ["warning"]


SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
KEYS = st.sampled_from(
    ["active", "journal", "memory", "opened", "alerts", "pending", "id", "metric", "severity", "since"]
)
ANYTHING = st.recursive(
    SCALARS | st.sampled_from(["cpu", "error_rate", "health", "warning", "critical"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING)
def test_whatever_the_board_says_a_book_goes_on(state):
    """It raises nothing, and still works."""
    book = AlertBook([WARNING, AlertRule("health", 0)])
    book.restore(state)
    book.evaluate(1000.0, errors(0.0))
    assert told(book.evaluate(1001.0, errors(50.0))) == [("fired", "error_rate", "warning")]
    json.dumps(book.state(), allow_nan=False)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_garbled_state_is_read_as_far_as_it_goes(data):
    """One value of a true state is replaced by anything."""
    rules = [WARNING, CRITICAL, AlertRule("cpu", 80, for_seconds=30), AlertRule("health", 0)]
    book = AlertBook(rules)
    book.evaluate(0, BUSY._replace(error_rate=50.0, cpu=90.0, services=(failing(1.0),)))
    state = copied(book)
    place = state
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if not place[key] or not isinstance(place[key], (dict, list)) or data.draw(st.booleans()):
            place[key] = data.draw(ANYTHING)
            break
        place = place[key]
    other = AlertBook.restored(state, rules)
    for now in (1.0, 2.0, 100.0):
        other.evaluate(now, BUSY)
    other.evaluate(200.0, errors(50.0))
    assert "error_rate" in {alert["metric"] for alert in other.state()["active"]}
    json.dumps(other.state(), allow_nan=False)
