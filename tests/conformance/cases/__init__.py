"""The tables, by topic."""

from __future__ import annotations

from . import (
    cache_status,
    conditional,
    directives,
    encodings,
    expires_and_age,
    head_and_post,
    heuristics,
    invalidation,
    keys,
    max_age,
    negative,
    ranges,
    ranges_partial,
    request_directives,
    rules,
    serving_stale,
    storing,
    storing_fields,
    targeted,
    validation,
    vary,
)

TOPICS = (
    storing,
    storing_fields,
    directives,
    max_age,
    expires_and_age,
    heuristics,
    request_directives,
    validation,
    conditional,
    vary,
    head_and_post,
    ranges,
    ranges_partial,
    invalidation,
    negative,
    serving_stale,
    cache_status,
    targeted,
    rules,
    keys,
    encodings,
)

CASES = [case for topic in TOPICS for case in topic.case.cases]
