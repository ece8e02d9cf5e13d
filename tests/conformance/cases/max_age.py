"""RFC 9111, section 4.2.1: freshness by max-age and s-maxage, and the spellings of numbers."""

from __future__ import annotations

from conformance.case import Table, get, hit, origin, says

case = Table()


def lasts(name: str, *fields: str, seconds: int = 100) -> None:
    """Fresh for so long, and not a moment longer (the real clock may add a second or two)."""
    case(name, get(says(*fields)), get(expect=hit(), wait=seconds - 5), get(expect=origin(), wait=6))


lasts("9111-4.2.1-max-age", "Cache-Control: max-age=100")
lasts("9111-4.2.1-max-age-case", "Cache-Control: MaX-aGe=100")
lasts("9111-4.2.1-max-age-quoted", 'Cache-Control: max-age="100"')
lasts("9111-4.2.1-max-age-leading-zeros", "Cache-Control: max-age=00100")
lasts("9111-4.2.1-max-age-after-unknown", "Cache-Control: foobar, max-age=100")
lasts("9111-4.2.1-max-age-year", "Cache-Control: max-age=31536000", seconds=31_536_000)
lasts("9111-4.2.1-s-maxage", "Cache-Control: s-maxage=100")
lasts("9111-4.2.1-s-maxage-case", "Cache-Control: S-MaxAge=100")
lasts("9111-4.2.1-s-maxage-quoted", 'Cache-Control: s-maxage="100"')
lasts("9111-4.2.1-s-maxage-longer-than-max-age", "Cache-Control: max-age=10, s-maxage=100")
lasts("9111-4.2.1-s-maxage-shorter-than-max-age", "Cache-Control: max-age=1000, s-maxage=100")
lasts("9111-4.2.1-s-maxage-first", "Cache-Control: s-maxage=100, max-age=1000")
lasts("9111-4.2.1-s-maxage-line-of-its-own", "Cache-Control: max-age=1000", "Cache-Control: s-maxage=100")
lasts("9111-4.2.1-s-maxage-beats-past-expires", "Cache-Control: s-maxage=100, max-age=0", "Expires: {t-10}")
lasts("9111-4.2.1-s-maxage-beats-future-expires", "Cache-Control: s-maxage=100", "Expires: {t+1000}")
lasts("9111-4.2.1-max-age-beats-past-expires", "Cache-Control: max-age=100", "Expires: {t-10}")
lasts("9111-4.2.1-max-age-beats-future-expires", "Cache-Control: max-age=100", "Expires: {t+1000}")
lasts("9111-4.2.1-max-age-beats-invalid-expires", "Cache-Control: max-age=100", "Expires: 0")
lasts("9111-4.2.1-max-age-beats-heuristics", "Cache-Control: max-age=100", "Last-Modified: {t-9000000}")
lasts("9111-4.2.1-max-age-ignores-quoted", 'Cache-Control: ext="max-age=1000", max-age=100')
lasts("9111-4.2.1-max-age-ignores-quoted-after", 'Cache-Control: max-age=100, ext="max-age=1000"')
lasts("9111-4.2.1-max-age-same-twice", "Cache-Control: max-age=100, max-age=100")

# A duplicate: the first counts or the response is stale, never the longer second.
DUPLICATES = {
    "max-age-one-line": ("Cache-Control: max-age=10, max-age=1000",),
    "max-age-two-lines": ("Cache-Control: max-age=10", "Cache-Control: max-age=1000"),
    "s-maxage-one-line": ("Cache-Control: s-maxage=10, s-maxage=1000",),
    "quoted": ('Cache-Control: max-age="10", max-age=1000',),
}
for name, fields in DUPLICATES.items():
    case.not_reused(f"9111-4.2.1-duplicate-{name}", *fields, wait=20)

NEVER_FRESH = {
    "zero": "max-age=0",
    "zero-quoted": 'max-age="0"',
    "zeros": "max-age=000",
    "negative": "max-age=-100",
    "plus": "max-age=+100",
    "letters": "max-age=abc",
    "leading-letter": "max-age=a100",
    "trailing-letter": "max-age=100a",
    "decimal": "max-age=100.0",
    "exponent": "max-age=1e3",
    "hexadecimal": "max-age=0x64",
    "underscore": "max-age=1_000",
    "empty": "max-age=",
    "empty-quoted": 'max-age=""',
    "no-value": "max-age",
    "single-quoted": "max-age='100'",
    "unterminated": 'max-age="100',
    "other-digits": "max-age=\xb2\xb3",
    "semicolon": "max-age:100",
    "s-maxage-zero": "max-age=100, s-maxage=0",
    "s-maxage-negative": "s-maxage=-100",
    "s-maxage-letters": "s-maxage=abc",
    "other-name": "maxage=100",
}
for name, value in NEVER_FRESH.items():
    case.not_reused(f"9111-4.2.1-never-fresh-{name}", f"Cache-Control: {value}")
case.not_reused("9111-4.2.1-max-age-zero-beats-expires", "Cache-Control: max-age=0", "Expires: {t+100}")
case.not_reused("9111-4.2.1-invalid-max-age-is-stale", "Cache-Control: max-age=abc", "Expires: {t+100}")
case.not_reused("9111-4.2.1-invalid-s-maxage-is-stale", "Cache-Control: s-maxage=abc, max-age=100")

# 1.2.2: a number too large to hold means a very long time, never a short or a negative one.
for number in (2147483647, 2147483648, 2147483649, 4294967296, 99999999999, 2**63, 2**64, 10**40, 10**400):
    name = str(number) if number < 10**12 else f"{len(str(number))}-digits-{str(number)[:3]}"
    case.reused(f"9111-1.2.2-max-age-{name}", f"Cache-Control: max-age={number}", wait=100_000)
case.reused("9111-1.2.2-s-maxage-too-large", f"Cache-Control: s-maxage={10**30}", wait=100_000)
