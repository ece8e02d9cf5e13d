"""Rules for applications that say nothing about caching: how long responses live, and what is in their key.

A rule is safe by default: what it stores is shown to nobody who carries credentials or a cookie that matters,
because the application may have made the page for them alone. Such requests are served only where the rule
puts that header or cookie into the key, or says `shared=True`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from wsgiperf.cache.key import matcher
from wsgiperf.caching_rules import Rule
from wsgiperf.http.media_type import media_types
from wsgiperf.http.memo import memoised

__all__ = ["Rules", "counting_cookies", "ignoring"]


class Rules:
    """The first rule that matches by path decides on a request, the first that matches by all on a response.

    :param rules: in their order.

    `path` is a pattern such as ``/posts/*`` for the path below the mount, a star standing for any characters;
    `route` a template as the framework names it, known only when the response is made; `content_type` such as
    ``text/html`` or ``image/*``.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._paths = [(rule, matcher((rule.path,))) for rule in self._rules]
        self._types: dict[str, Callable[[str], bool]] = {
            rule.content_type: media_types((rule.content_type,)) for rule in self._rules if rule.content_type
        }
        self._by_path = memoised(self._match)

    def for_path(self, path: str) -> tuple[Rule, ...]:
        """The rules whose path matches, in their order: remembered."""
        return self._by_path(path)

    def for_response(
        self, rules: tuple[Rule, ...], route: str | None, content_type: str | None
    ) -> Rule | None:
        """Of these, the first that matches the response as well."""
        for rule in rules:
            if rule.route and rule.route != route:
                continue
            if rule.content_type and not (content_type and self._types[rule.content_type](content_type)):
                continue
            return rule
        return None

    def _match(self, path: str) -> tuple[Rule, ...]:
        return tuple(rule for rule, matches in self._paths if matches is not None and matches(path))


def ignoring(patterns: Iterable[str]) -> Callable[[str], str] | None:
    """A function that takes query parameters with such names out of a query string; None for no patterns."""
    matches = matcher(tuple(patterns))
    if matches is None:
        return None

    def without(query: str) -> str:
        # Some applications end a parameter at a semicolon, too: the rest may be one that counts.
        kept = [pair for pair in query.split("&") if ";" in pair or not matches(pair.partition("=")[0])]
        return "&".join(kept)

    return memoised(without)


def counting_cookies(patterns: Iterable[str], names: Collection[str] = ()) -> Callable[[str], bool]:
    """Whether a Cookie field has a cookie whose name is on no list of ignored ones: remembered.

    :param names: ignored as well, just as they are.
    """
    matches = matcher(tuple(patterns))

    def counts(field: str) -> bool:
        # Some servers join two Cookie lines by a comma (RFC 6265 section 5.4 allows but one).
        for pair in field.replace(",", ";").split(";"):
            name = pair.partition("=")[0].strip()
            if name and name not in names and (matches is None or not matches(name)):
                return True
        return False

    return memoised(counts)
