"""A Flask site for the tests."""

from flask import Flask

LONG = "long enough to be compressed " * 100
BROTLI = {"Accept-Encoding": "br"}


def site(**keywords):
    """An application that is not wrapped yet."""
    app = Flask("site", **{"static_folder": None, **keywords})
    app.secret_key = "for tests"
    serve(app, "/", lambda: LONG)
    return app


def serve(app, rule, view):
    app.add_url_rule(rule, endpoint=rule.strip("/") or "index", view_func=view)


def fetch(app, path="/", **keywords):
    """The response, read and closed."""
    with app.test_client().get(path, **keywords) as response:
        response.get_data()
    return response
