"""`purge`: stored responses of the site out of its caches, from any code of it."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.core.servers.basehttp import get_internal_wsgi_application

from wsgiperf import purging
from wsgiperf.django.host import Wrapped, inside, settings_with

__all__ = ["purge"]


def purge(kind: str, value: str = "", *, soft: bool = False) -> int:
    """Remove stored responses of this site, in every worker and store, or mark them stale.

    :param kind: ``"url"``, ``"prefix"``, ``"tag"`` or ``"all"``.
    :param value: a URL, or its path and query alone for any scheme and host; the beginning of one; or a tag.
    :param soft: mark as stale: who asks next is served the old response while a new one is made, where the
        response allows that.
    :returns: how many responses were met in the shared store, or else in this process.
    :raises PurgeError: for what can't be understood.
    :raises PurgeFailed: where a store or a worker may have been missed.
    :raises ImproperlyConfigured: where WSGI_APPLICATION, which says what the settings are, can't be loaded.
    """
    served = _served()
    settings = settings_with({}) if served is None else served.settings
    return purging.purge(settings, kind, value, soft=soft, stack=served)


def _served() -> Wrapped | None:
    """What WSGI_APPLICATION names, where that is wrapped here and not by the server."""
    if not django_settings.WSGI_APPLICATION:
        return None
    layers = inside(get_internal_wsgi_application())
    return next((layer for layer in layers if isinstance(layer, Wrapped)), None)
