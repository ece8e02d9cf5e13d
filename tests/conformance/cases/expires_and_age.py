"""RFC 9111, sections 4.2.3, 5.1 and 5.3: Expires, Date and Age, well formed and not."""

from __future__ import annotations

from conformance.case import Table, get, hit, miss, origin, says, validated

case = Table()


def lasts(name: str, *fields: str, seconds: int = 100) -> None:
    case(name, get(says(*fields)), get(expect=hit(), wait=seconds - 6), get(expect=origin(), wait=8))


# -- Expires (5.3)

lasts("9111-5.3-expires", "Expires: {t+100}")
lasts("9111-5.3-expires-with-date", "Expires: {t+100}", "Date: {t}")
lasts("9111-5.3-expires-rfc850", "Expires: {t+100:850}")
lasts("9111-5.3-expires-asctime", "Expires: {t+100:asctime}")
lasts("9111-5.3-expires-and-an-older-date", "Expires: {t+100}", "Date: {t-60}")
lasts("9111-5.3-expires-and-an-invalid-date", "Expires: {t+100}", "Date: foo")
lasts("9111-5.3-expires-with-public", "Expires: {t+100}", "Cache-Control: public")
lasts("9111-5.3-expires-lower-case-name", "expires: {t+100}")

FAR = {
    "2050": "Thu, 18 Aug 2050 02:01:18 GMT",
    "after-32-bits": "Tue, 19 Jan 2038 14:14:08 GMT",
    "year-9999": "Fri, 31 Dec 9999 23:59:59 GMT",
    "upper-case-weekday": "THU, 18 Aug 2050 02:01:18 GMT",
    "upper-case-month": "Thu, 18 AUG 2050 02:01:18 GMT",
    "lower-case-zone": "Thu, 18 Aug 2050 02:01:18 gmt",
}
for name, date in FAR.items():
    case.reused(f"9111-4.2-expires-{name}", f"Expires: {date}", wait=1000)

NOT_FRESH = {
    "past": "{t-100}",
    "now": "{t}",
    "1970": "Thu, 01 Jan 1970 00:00:00 GMT",
    "before-1970": "Mon, 01 Jan 1900 00:00:00 GMT",
    "rfc850-past": "Sunday, 06-Nov-94 08:49:37 GMT",
    "asctime-past": "Sun Nov  6 08:49:37 1994",
    "zero": "0",
    "minus-one": "-1",
    "seconds": "100",
    "empty": "",
    "words": "never",
    "only-weekday": "Thu,",
    "zone-utc": "Thu, 18 Aug 2050 02:01:18 UTC",
    "zone-aest": "Thu, 18 Aug 2050 02:01:18 AEST",
    "zone-offset": "Thu, 18 Aug 2050 02:01:18 +0000",
    "no-zone": "Thu, 18 Aug 2050 02:01:18",
    "iso-8601": "2050-08-18T02:01:18Z",
    "month-13": "Thu, 18 Foo 2050 02:01:18 GMT",
    "day-32": "Thu, 32 Aug 2050 02:01:18 GMT",
    "february-30": "Wed, 30 Feb 2050 02:01:18 GMT",
    "hour-25": "Thu, 18 Aug 2050 25:01:18 GMT",
    "minute-60": "Thu, 18 Aug 2050 02:60:18 GMT",
    "long-year": "Thu, 18 Aug 99999999999999 02:01:18 GMT",
    "negative-year": "Thu, 18 Aug -050 02:01:18 GMT",
    "quoted": '"Thu, 18 Aug 2050 02:01:18 GMT"',
    "other-digits": "Thu, 18 Aug 205\xb2 02:01:18 GMT",
    "very-long": "x" * 2000,
}
for name, date in NOT_FRESH.items():
    case.not_reused(f"9111-5.3-expires-not-fresh-{name}", f"Expires: {date}")
case.not_reused("9111-5.3-expires-invalid-forbids-heuristics", "Expires: 0", "Last-Modified: {t-900000}")
case.not_reused("9111-5.3-expires-before-date", "Expires: {t+300}", "Date: {t+400}")
case.not_reused("9111-5.3-expires-first-of-two-in-the-past", "Expires: {t-100}", "Expires: {t+1000}")

# -- Date and the age it stands for (4.2.3)

case.not_reused("9111-4.2.3-date-older-than-max-age", "Date: {t-200}", "Cache-Control: max-age=100")
lasts("9111-4.2.3-date-counts-against-max-age", "Date: {t-40}", "Cache-Control: max-age=140")
lasts("9111-4.2.3-date-in-the-future-adds-nothing", "Date: {t+1000}", "Cache-Control: max-age=100")
lasts("9111-4.2.3-invalid-date-is-ignored", "Date: foo", "Cache-Control: max-age=100")
case(
    "9111-4.2.3-date-shows-as-age",
    get(says("Date: {t-40}", "Cache-Control: max-age=1000")),
    get(expect=hit(age=(60, 60)), wait=20),
)
case(
    "9111-4.2.3-greater-of-age-and-date",
    get(says("Date: {t-40}", "Age: 90", "Cache-Control: max-age=1000")),
    get(expect=hit(age=(90, 90))),
)
case(
    "9111-4.2.3-greater-of-date-and-age",
    get(says("Date: {t-90}", "Age: 40", "Cache-Control: max-age=1000")),
    get(expect=hit(age=(90, 90))),
)

# -- Age of the response that came (5.1)

case.not_reused("9111-5.1-age-beyond-max-age", "Cache-Control: max-age=100", "Age: 200")
case.not_reused("9111-5.1-age-equal-to-max-age", "Cache-Control: max-age=100", "Age: 100")
case.not_reused("9111-5.1-age-beyond-expires", "Expires: {t+100}", "Date: {t}", "Age: 200")
case.not_reused("9111-5.1-age-beyond-s-maxage", "Cache-Control: s-maxage=100, max-age=1000", "Age: 200")
case.not_reused("9111-5.1-age-too-large-to-hold", "Cache-Control: max-age=100", f"Age: {10**30}")
case.not_reused("9111-5.1-age-slow-date", "Date: {t-10}", "Expires: {t+10}", "Age: 25")
case.not_reused("9111-5.1-age-fast-date", "Date: {t+10}", "Expires: {t+20}", "Age: 15")
case.not_reused("9111-5.1-age-list-first-counts", "Cache-Control: max-age=100", "Age: 200, 0")
case.not_reused("9111-5.1-age-lines-first-counts", "Cache-Control: max-age=100", "Age: 200", "Age: 0")
lasts("9111-5.1-age-counts", "Cache-Control: max-age=140", "Age: 40")
INVALID_AGES = {
    "letters": "abc", "negative": "-200", "decimal": "200.0", "parameter": "200;foo=bar", "empty": "",
    "quoted": '"200"', "plus": "+200", "other-digits": "\xb2\xb2\xb2",
}  # fmt: skip
for name, age in INVALID_AGES.items():
    case(
        f"9111-5.1-age-invalid-{name}-is-ignored",
        get(says("Cache-Control: max-age=100", f"Age: {age}")),
        get(expect=hit(age=(20, 20)), wait=20),
    )
case(
    "9111-5.1-age-list-first-counts-when-small",
    get(says("Cache-Control: max-age=100", "Age: 0, 200")),
    get(expect=hit(age=(20, 20)), wait=20),
)
case(
    "9111-5.1-age-lines-first-counts-when-small",
    get(says("Cache-Control: max-age=100", "Age: 0", "Age: 200")),
    get(expect=hit(age=(20, 20)), wait=20),
)

# -- Age of the response that goes out (5.1)

FRESH = "Cache-Control: max-age=1000"
case("9111-5.1-age-sent-at-once", get(says(FRESH)), get(expect=hit(age=(0, 0))))
case(
    "9111-5.1-age-sent-grows",
    get(says(FRESH)),
    get(expect=hit(age=(30, 30)), wait=30),
    get(expect=hit(age=(70, 70)), wait=40),
)
case(
    "9111-5.1-age-sent-adds-to-what-came", get(says(FRESH, "Age: 30")), get(expect=hit(age=(50, 50)), wait=20)
)
case("9111-5.1-age-sent-with-expires", get(says("Expires: {t+1000}")), get(expect=hit(age=(30, 30)), wait=30))
case(
    "9111-5.1-age-sent-with-a-304",
    get(says(FRESH, 'ETag: "a"')),
    get(sends=('If-None-Match: "a"',), expect=hit(status=304, age=(30, 30)), wait=30),
)
case("9111-5.1-age-sent-with-head", get(says(FRESH)), get(expect=hit(age=(30, 30)), wait=30))
case(
    "9111-4.3.4-age-starts-anew-after-validation",
    get(says("Cache-Control: max-age=100", 'ETag: "a"')),
    get(
        says("Cache-Control: max-age=100", 'ETag: "a"', status=304),
        expect=validated('If-None-Match: "a"'),
        wait=150,
    ),
    get(expect=hit(age=(20, 20)), wait=20),
)
case(
    "9111-4.3.4-age-of-the-304-counts",
    get(says("Cache-Control: max-age=100", 'ETag: "a"')),
    get(says("Age: 60", 'ETag: "a"', status=304), expect=validated('If-None-Match: "a"'), wait=150),
    get(expect=hit(age=(80, 80)), wait=20),
)
case(
    "9111-5.1-age-of-a-response-that-was-never-stored-is-passed-on",
    get(says("Cache-Control: no-store", "Age: 30"), expect=miss(has="Age: 30")),
    get(says("Cache-Control: no-store", "Age: 31"), expect=miss(has="Age: 31")),
)
