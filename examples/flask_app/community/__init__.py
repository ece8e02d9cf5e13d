"""The site as an application factory."""

from pathlib import Path

from communiconnect import STATIC, photos, storage
from flask import Flask, request

from . import caching, errors, forms, models, views

INSTANCE = Path(__file__).resolve().parents[1] / "instance"

# Each worker keeps up to 20 connections open and may open 30 more; a request waits at most 30 s for one.
# These three work for an SQLite file as for any server. The fourth, a new connection after an hour, is
# for servers and firewalls that drop idle ones: with SQLite it merely opens the file again.
POOL = {"pool_size": 20, "max_overflow": 30, "pool_timeout": 30, "pool_recycle": 3600}


def create_app(**config):
    """Make the site; the keywords go over its configuration."""
    app = Flask(__name__, static_folder=STATIC, static_url_path="/static")
    data = storage.data_directory("flask", INSTANCE)
    app.config.update(
        DATABASE_POOL=POOL,
        PHOTOS=data / "photos",
        MAX_CONTENT_LENGTH=photos.LARGEST_REQUEST,
        SESSION_COOKIE_SAMESITE="Lax",
        WSGIPERF_SECURITY="strict",
        WSGIPERF_CACHE=caching.CACHE,
        # For who sits at this machine. Behind a proxy that would be everybody: there, set a token instead.
        WSGIPERF_MONITOR={"access": "loopback", "metrics_path": "/metrics"},
    )
    app.config.update(config)
    # Several workers start at once: the first makes the key and the tables, the others find them.
    with storage.one_at_a_time(data / "start.lock"):
        app.secret_key = storage.secret_key(data / "secret-key")
        models.init_app(app, data / "community.sqlite3")
    app.context_processor(page_context)
    forms.init_app(app)
    errors.init_app(app)
    app.register_blueprint(views.site)
    caching.perf.init_app(app)
    return app


def page_context():
    """What every template may print, besides `csp_nonce`, which WSGIPerf gives."""
    return {"request_id": request.environ.get("wsgiperf.request_id", "")}
