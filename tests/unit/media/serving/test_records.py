"""What is written down of a picture, and when it counts."""

import pytest

from wsgiperf.http.dates import format_date
from wsgiperf.media.serving.variants import LARGEST_RECORD, Record, Variant, variant_name

from .site import picture

NOW = 1_700_000_000.0
RECORD = Record(
    "ab" * 32, "image/jpeg", '"v1"', format_date(NOW - 100), 5000, NOW, (("Cache-Control", "public"),), ()
)


def test_a_record_survives_its_keeping():
    record = RECORD._replace(varying=(("HTTP_ORIGIN", "https://a.example"), ("HTTP_X", None)))
    assert Record.from_bytes(record.to_bytes()) == record


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[1,2,3,4,5,6,7,8]",
        b'["a","b",null,null,"5",0,[],[]]',
        b'["a","b",null,null,true,0,[],[]]',
        b'["a","b",null,null,5,0,[["X","split\\r\\nSet-Cookie: a"]],[]]',
        b'["a","b",null,null,5,0,[["a b","x"]],[]]',
        b'["a","b",null,null,5,0,[["X"]],[]]',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=range(12),
)
def test_anything_else_is_none(data):
    assert Record.from_bytes(data) is None


def test_a_long_record_is_not_kept():
    assert RECORD._replace(fields=(("X", "x" * LARGEST_RECORD),)).to_bytes() is None


@pytest.mark.parametrize(
    ("etag", "age", "trusted"),
    [
        ('"a"', None, True),
        ('W/"a"', 0, True),
        (None, None, False),
        (None, 0, False),
        (None, 59, False),
        (None, 60, True),
        (None, -100, False),
        ("", 5, False),
    ],
)
def test_a_date_counts_once_it_tells_versions_apart(etag, age, trusted):
    modified = None if age is None else format_date(NOW - age)
    assert RECORD._replace(etag=etag, last_modified=modified).is_trusted is trusted


DATED = RECORD._replace(etag=None)
SAME = {
    "the same tag": (RECORD, {"etag": '"v1"', "content-length": "5000"}, True),
    "the same tag without a length": (RECORD, {"etag": '"v1"'}, True),
    "another tag": (RECORD, {"etag": '"v2"', "last-modified": RECORD.last_modified}, False),
    "no tag any more": (RECORD, {"last-modified": RECORD.last_modified, "content-length": "5000"}, False),
    "the same tag, another length": (RECORD, {"etag": '"v1"', "content-length": "5001"}, False),
    "the same date": (DATED, {"last-modified": DATED.last_modified, "content-length": "5000"}, True),
    "the same date without a length": (DATED, {"last-modified": DATED.last_modified}, False),
    "another date": (DATED, {"last-modified": format_date(NOW), "content-length": "5000"}, False),
    "the same young date": (
        DATED._replace(read=NOW - 99),
        {"last-modified": DATED.last_modified, "content-length": "5000"},
        False,
    ),
    "nothing": (DATED._replace(last_modified=None), {"content-length": "5000"}, False),
}


@pytest.mark.parametrize(("record", "fields", "same"), SAME.values(), ids=SAME)
def test_whether_a_response_has_the_same_content(record, fields, same):
    assert record.is_of(fields) is same


def test_a_tag_belongs_to_the_bytes():
    one, again, other = Variant.of(picture()), Variant.of(picture()), Variant.of(picture(seed=1))
    assert one.etag == again.etag != other.etag
    assert Variant.of(b"no picture") is None


def test_a_name_belongs_to_source_and_options():
    names = {
        variant_name(*arguments)
        for arguments in [
            ("a", "image/avif", None, 85),
            ("b", "image/avif", None, 85),
            ("a", "image/webp", None, 85),
            ("a", "image/avif", 300, 85),
            ("a", "image/avif", None, 80),
        ]
    }
    assert len(names) == 5
