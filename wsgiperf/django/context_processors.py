"""For `TEMPLATES[...]["OPTIONS"]["context_processors"]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsgiperf.security.middleware import CSP_NONCE

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["csp_nonce"]


def csp_nonce(request: HttpRequest) -> dict[str, object]:
    """`{{ csp_nonce }}`: the nonce of this response, which makes it part of the policy; empty without one.

    :param request: the current request.
    :returns: the template variable. It is an object that becomes text where a template prints it.
    """
    return {"csp_nonce": request.META.get(CSP_NONCE, "")}
