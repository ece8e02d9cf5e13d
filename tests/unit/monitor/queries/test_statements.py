"""Statements as they are shown: nothing of the values in them, little of their length, whatever they are."""

import re
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.monitor.queries.statements import LONGEST, MOST_READ, normalised

LISTS = "SELECT * FROM t WHERE id IN (?)"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT a FROM t WHERE b = 'x''y' AND c = 5", "SELECT a FROM t WHERE b = ? AND c = ?"),
        (r"SELECT E'it\'s secret', N'x', X'1F', U&'d\0061'", "SELECT ?, ?, ?, ?"),
        ("SELECT 1.5e-5, .5, 0x1F, 1_000, 123abc", "SELECT ?, ?, ?, ?, ?"),
        ("SELECT col1, t2.x3 FROM log_2024", "SELECT col1, t2.x3 FROM log_2024"),
        ("SELECT $$it's secret$$, $a$ $$ 1 $a$, 2", "SELECT ?, ?, ?"),
        ("SELECT q'[it's secret]', q'!it's!', 2", "SELECT ?, ?, ?"),
        ("UPDATE t SET a = a - 1, b = -1 WHERE c BETWEEN -2 AND +3",
         "UPDATE t SET a = a - ?, b = ? WHERE c BETWEEN ? AND ?"),
        ("SELECT %s, %(name)s, $1, :name, ?, ?2, @p1", "SELECT ?, ?, ?, ?, ?, ?, ?"),
        ("SELECT 1::int, a::text, a[1:2], b @> c, d->>'k'", "SELECT ?::int, a::text, a[?:?], b @> c, d->>?"),
        ("SELECT\n\t a ,\r\n  b ;", "SELECT a , b"),
        ("SELECT a\0\x1b\u202e\ud800 FROM t", "SELECT a FROM t"),
    ],
    ids=["strings", "prefixed strings", "numbers", "names with digits", "dollar quotes", "Oracle's quotes",
         "signs", "parameters", "operators", "whitespace", "not printable"],
)  # fmt: skip
def test_values_are_left_out(statement, expected):
    assert normalised(statement) == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT * FROM t WHERE id IN (1, -2, 'x', NULL)", LISTS),
        ("SELECT * FROM t WHERE id IN (%s, %s)", LISTS),
        ("SELECT * FROM t WHERE id IN (:id_1, :id_2)", LISTS),
        ('SELECT * FROM t WHERE id IN ("a", "b")', LISTS),
        ("SELECT * FROM t WHERE id in(1,2)", "SELECT * FROM t WHERE id in (?)"),
        ("SELECT * FROM t WHERE id IN (1::int, '2'::text)", LISTS),
        ("SELECT * FROM t WHERE id IN (" + "?, " * 100_000 + "?)", LISTS),
        ("SELECT * FROM t WHERE id IN (SELECT 1)", "SELECT * FROM t WHERE id IN (SELECT ?)"),
        ("INSERT INTO t (a, b) VALUES (1, DEFAULT), (2, 'x'), (%s, %s) RETURNING id",
         "INSERT INTO t (a, b) VALUES (?) RETURNING id"),
        ("INSERT INTO t (a) VALUES (now()), (now())", "INSERT INTO t (a) VALUES (now()), (now())"),
    ],
    ids=["literals", "format", "named", "double quotes", "no spaces", "casts", "very long", "subquery",
         "rows", "functions"],
)  # fmt: skip
def test_lists_of_values_are_one(statement, expected):
    assert normalised(statement) == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT 1 -- secret\n, 2", "SELECT ? , ?"),
        ("SELECT 1 -- secret", "SELECT ?"),
        ("/* traceparent='00-abc' */ SELECT a", "SELECT a"),
        ("SELECT /* a /* b */ c */ d", "SELECT d"),
        ("SELECT /* a /* b */ c", "SELECT c"),
        ("SELECT a /* left open 'secret'", "SELECT a"),
    ],
    ids=["line", "last line", "block", "nested", "not nested", "left open"],
)
def test_comments_are_left_out(statement, expected):
    assert normalised(statement) == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('SELECT "u"."id" FROM "app_user" AS "u"', 'SELECT "u"."id" FROM "app_user" AS "u"'),
        ('SAVEPOINT "s1399_x12"', 'SAVEPOINT "s?_x?"'),
        ("SAVEPOINT `s1399_x12`", "SAVEPOINT `s?_x?`"),
        ('SELECT a FROM t WHERE a = "hunter2"', "SELECT a FROM t WHERE a = ?"),
        ('SELECT a FROM t WHERE a LIKE "hunter"', "SELECT a FROM t WHERE a LIKE ?"),
        ('WHERE "a"."x" = "b"."y"', 'WHERE "a"."x" = "b"."y"'),
        ('SELECT "it is a secret"', 'SELECT "?"'),
    ],
    ids=["names", "savepoint", "backticks", "compared", "alike", "columns compared", "sentence"],
)
def test_double_quoted_names_stay_where_they_cannot_be_values(statement, expected):
    assert normalised(statement) == expected


def test_mysql_has_strings_in_double_quotes_and_comments_behind_a_hash():
    statement = 'SELECT "secret", `col` FROM t # secret\nWHERE a = 1'
    assert normalised(statement, mysql=True) == "SELECT ?, `col` FROM t WHERE a = ?"
    assert normalised("SELECT a # 1") == "SELECT a # ?"


@pytest.mark.parametrize("mysql", [False, True])
def test_behind_a_quote_that_may_be_escaped_nothing_is_shown(mysql):
    """With backslash escapes the rest is a string, without them it is not."""
    assert normalised(r"SELECT 'it\'s secret' FROM t WHERE a = 'secret'", mysql=mysql) == "SELECT ?"


@pytest.mark.parametrize("opening", ["'", "E'", '"', "$$", "$a$", "q'[", "U&'"])
def test_what_is_left_open_is_hidden_to_the_end(opening):
    shown = normalised(f"SELECT a, {opening}secret 42 ")
    assert "secret" not in shown
    assert "42" not in shown


@pytest.mark.parametrize("statement", [b"SELECT 'secret'", None, 5, ["secret"]])
def test_of_what_is_not_text_the_type_is_told(statement):
    assert normalised(statement) == f"({type(statement).__name__})"


def test_a_long_statement_is_cut():
    shown = normalised("SELECT " + ", ".join(f"column_{number}" for number in range(500)))
    assert len(shown) == LONGEST
    assert shown.endswith("…")


PIECES = [
    "'",
    "''",
    '"',
    '""',
    "\\",
    "\\'",
    "$$",
    "$a$",
    "$",
    "/*",
    "*/",
    "--",
    "\n",
    "#",
    "`",
    "(",
    ")",
    ",",
    ".",
]
PIECES += [
    "E'",
    "q'[",
    "]'",
    "IN (",
    "VALUES (",
    " ",
    "1",
    "1e-",
    ":a",
    "%s",
    "%(",
    "@",
    "-",
    "\0",
    "a",
    "٣",
    "é",
]


@pytest.mark.parametrize("piece", PIECES)
def test_a_megabyte_of_anything_takes_milliseconds(piece):
    statement = piece * (1_000_000 // len(piece))
    started = thread_time()  # not that of whatever else this machine does
    assert len(normalised(statement)) <= LONGEST
    assert thread_time() - started < 0.5


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join), st.booleans())
def test_any_text_becomes_a_short_printable_line(statement, mysql):
    shown = normalised(statement, mysql=mysql)
    assert len(shown) <= LONGEST
    assert shown.isprintable()
    assert shown == shown.strip()
    assert "'" not in shown
    assert not re.search(r'"[^"]*\d[^"]*"', shown)


VALUES = st.text(st.characters(exclude_characters="\\'"), min_size=1, max_size=40)


@given(VALUES, VALUES, st.integers(), st.floats(allow_nan=False, allow_infinity=False))
def test_no_value_survives(first, second, whole, real):
    quoted = "'" + first.replace("'", "''") + "'"
    dollars = "$v$" + second.replace("$", "") + "$v$"
    statement = f"SELECT a FROM t WHERE b = {quoted} AND c IN ({whole}, {dollars}) AND d = {real!r}"
    expected = "SELECT a FROM t WHERE b = ? AND c IN (?) AND d = ?"
    if len(statement) < MOST_READ:
        assert normalised(statement) == expected


def test_what_differs_in_values_alone_is_one_statement():
    assert len({normalised(f"SELECT a FROM t WHERE b = {n} AND c = 'x{n}'") for n in range(2000)}) == 1
