"""The options of request IDs."""

from __future__ import annotations

from dataclasses import dataclass

from wsgiperf.options import choice, flag, text
from wsgiperf.settings.section import Section, field_name, trusted_proxies_option

__all__ = ["RequestIdSettings"]


@dataclass(frozen=True, kw_only=True)
class RequestIdSettings(Section):
    """Options of `RequestIdMiddleware`."""

    section = "request_id"

    header: str = text(
        "X-Request-ID",
        "The header that carries the ID, in the request and in the response.",
        expected="a header field name",
        accepts=field_name,
    )
    accept: str = choice(
        "always",
        "Whose well-formed inbound ID is kept: everybody's, only a trusted proxy's, or nobody's.",
        among=("always", "trusted", "never"),
    )
    trusted_proxies: tuple[str, ...] = trusted_proxies_option()
    trace_context: bool = flag(True, "Continue or start a W3C trace context, for outgoing requests.")
