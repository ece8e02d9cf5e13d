"""`wsgiperf.flask` and static files: where they are, and whose Cache-Control they get."""

import pytest
from flask import Blueprint, Response
from flask_site import fetch, serve, site

from wsgiperf.flask import WSGIPerf


@pytest.fixture
def static(tmp_path):
    """A static folder."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "style.css").write_text("p { color: teal }")
    (folder / "app.3f9a1c7e.js").write_text("go()")
    (folder / "page.html").write_text("<!doctype html>")
    return folder


def cache_control(app, path, **keywords):
    response = fetch(app, path, **keywords)
    assert response.status_code in (200, 304)
    return response.headers.get("Cache-Control")


def test_static_files_are_kept(static):
    """The security part's Cache-Control takes the place of Flask's automatic no-cache."""
    app = site(static_folder=static, static_url_path="/assets")
    WSGIPerf(app)
    assert cache_control(app, "/assets/style.css") == "public, max-age=60"
    assert cache_control(app, "/assets/app.3f9a1c7e.js") == "public, max-age=31536000, immutable"


def test_a_304_says_the_same(static):
    """Revalidating a static file renews it under the same Cache-Control."""
    app = site(static_folder=static, static_url_path="/assets")
    WSGIPerf(app)
    etag = fetch(app, "/assets/style.css").headers["ETag"]
    response = fetch(app, "/assets/style.css", headers={"If-None-Match": etag})
    assert (response.status_code, response.headers["Cache-Control"]) == (304, "public, max-age=60")


def test_static_files_of_blueprints(static):
    """A blueprint's static folder counts, also one registered after the extension."""
    app = site()
    WSGIPerf(app)
    blueprint = Blueprint("shop", "shop", static_folder=static, url_prefix="/shop", static_url_path="/files")
    app.register_blueprint(blueprint)
    assert cache_control(app, "/shop/files/style.css") == "public, max-age=60"


def test_a_page_keeps_the_automatic_no_cache(static):
    """Where the security part says nothing, as of pages, Flask's no-cache stays."""
    app = site(static_folder=static)
    WSGIPerf(app)
    assert cache_control(app, "/files/page.html") == "no-cache"


def test_a_file_with_a_cookie_keeps_the_automatic_no_cache(static):
    """A static file that comes with a cookie is not for caches."""
    app = site(static_folder=static)
    WSGIPerf(app)

    @app.after_request
    def remember(response):
        response.set_cookie("seen", "1")
        return response

    assert cache_control(app, "/files/style.css") == "no-cache"


@pytest.mark.parametrize(
    ("configure", "expected"),
    [
        (lambda app: app.config.update(SEND_FILE_MAX_AGE_DEFAULT=7), "public, max-age=7"),
        (lambda app: app.config.update(SEND_FILE_MAX_AGE_DEFAULT=0), "no-cache, max-age=0"),
        (lambda app: app.after_request(lambda r: with_cache_control(r, "no-cache")), "no-cache"),
        (lambda app: app.after_request(lambda r: with_cache_control(r, "private")), "private"),
        (lambda app: app.config.update(WSGIPERF_SECURITY_STATIC_CACHING=False), "no-cache"),
        (lambda app: app.config.update(WSGIPERF_SECURITY=False), "no-cache"),
    ],
    ids=["max age", "no max age", "no-cache on purpose", "private", "static caching off", "security off"],
)
def test_the_applications_own_choice_wins(static, configure, expected):
    """What the application chose for its static files stays."""
    app = site(static_folder=static)
    configure(app)
    WSGIPerf(app)
    assert cache_control(app, "/files/style.css") == expected


def with_cache_control(response, value):
    response.headers["Cache-Control"] = value
    return response


def test_a_view_below_no_static_folder_is_left_alone(static):
    """Where Flask serves static files elsewhere, /static/ is a path like any other."""
    app = site(static_folder=static, static_url_path="/assets")
    serve(app, "/static/report", lambda: Response("a,b", content_type="text/csv"))
    WSGIPerf(app)
    assert cache_control(app, "/static/report") is None
