"""The whole stack against the packages that Flask and Django sites use for the same.

A page below every minimum is asked for, so that nothing is compressed (`compression` compares that): what is
left is what each request pays. No package tells the time taken; the peers do without.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import frameworks as made
from benchmarks.measure import measure, options, print_table, requests
from benchmarks.site import ENVIRON
from wsgiperf import wrap

REQUEST = ENVIRON | {"PATH_INFO": "/posts/199"}  # bytes: below Django's minimum of 200, too

#: name -> (modules it needs, what makes it); the first of each framework is bare.
FLASK: dict[str, tuple[tuple[str, ...], Callable[[], Any]]] = {
    "Flask": (("flask",), made.flask),
    "wrap(Flask)": (("flask",), lambda: wrap(made.flask())),
    "Flask-Compress": (("flask", "flask_compress"), lambda: made.flask(made.flask_compress)),
    "Flask-Talisman": (("flask", "flask_talisman"), lambda: made.flask(made.flask_talisman)),
    "flask-request-id-header": (
        ("flask", "flask_request_id_header"),
        lambda: made.flask(made.flask_request_id),
    ),
    "these three": (
        ("flask", "flask_compress", "flask_talisman", "flask_request_id_header"),
        lambda: made.flask(made.flask_compress, made.flask_talisman, made.flask_request_id),
    ),
}
DJANGO: dict[str, tuple[tuple[str, ...], Callable[[], Any]]] = {
    "Django": (("django",), made.django),
    "wrap(Django)": (("django",), lambda: wrap(made.django())),
    "GZipMiddleware": (("django",), lambda: made.django(made.DJANGO_GZIP)),
    "SecurityMiddleware, XFrameOptionsMiddleware": (("django",), lambda: made.django(*made.DJANGO_SECURITY)),
    "django-guid": (("django", "django_guid"), lambda: made.django(made.DJANGO_GUID)),
    "these four": (
        ("django", "django_guid"),
        lambda: made.django(made.DJANGO_GUID, *made.DJANGO_SECURITY, made.DJANGO_GZIP),
    ),
}


def compare(rounds: int) -> None:
    """Print what each adds to its framework."""
    apps, absent = {}, {}
    for name, (modules, make) in (FLASK | DJANGO).items():
        absent[name] = made.missing(*modules)
        if not absent[name]:
            apps[name] = make()
    measured = measure({name: requests(app, REQUEST) for name, app in apps.items()}, rounds)
    for framework in (FLASK, DJANGO):
        bare, ours, *_ = framework
        rows: list[Sequence[object]] = [(f"microseconds over bare {bare}", "added", "times ours")]
        for name in framework:
            if absent[name]:
                rows.append((name, "", "not installed: " + ", ".join(absent[name])))
            elif name == bare:
                rows.append((f"{name} itself", measured[name].least, ""))
            else:
                added = measured[name].least - measured[bare].least
                rows.append((name, added, added / (measured[ours].least - measured[bare].least)))
        print_table(rows)
        print()


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = options(__doc__, arguments)
    compare(150 if chosen.quick else 1500)
    return 0


if __name__ == "__main__":
    sys.exit(main())
