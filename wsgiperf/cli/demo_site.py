"""The example sites, and both as one application."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["SITES", "TARGETS", "both", "pages"]


class Site(NamedTuple):
    """Where an example's code is, and at which path both together serve it."""

    folder: str
    target: str
    mount: str


SITES = {
    "flask": Site("flask_app", "app:app", ""),
    "django": Site("django_app", "mysite.wsgi:application", "/django"),
}

#: What gunicorn is told to serve, by the word that chooses it.
TARGETS = {"both": f"{__name__}:both()"} | {name: site.target for name, site in SITES.items()}


def both() -> WSGIApplication:
    """Flask at the root, Django below it: each wraps itself, with settings of its own."""
    from werkzeug.middleware.dispatcher import DispatcherMiddleware
    from werkzeug.utils import import_string

    mounted = {site.mount: import_string(site.target) for site in SITES.values()}
    return DispatcherMiddleware(mounted.pop(""), mounted)


def pages(target: str) -> dict[str, str]:
    """The front page of each site served, by name."""
    if target == TARGETS["both"]:
        return {name: f"{site.mount}/" for name, site in SITES.items()}
    return {name: "/" for name, site in SITES.items() if site.target == target}
