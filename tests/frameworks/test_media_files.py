"""Files as frameworks and servers serve them, through the middleware, under both sides of a validator."""

import io
import os
import time
from functools import lru_cache
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from django_site import configure
from PIL import Image

from wsgiperf.media.middleware import MediaMiddleware

CHROMIUM = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
WEBP_ONLY = "image/webp,image/apng,image/*,*/*;q=0.8"
OLD = "image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
LONG_AGO = time.time() - 100_000
PATIENCE = 20.0


@lru_cache
def picture(noise=60):
    image = Image.effect_noise((100, 75), noise).resize((400, 300))
    file = io.BytesIO()
    image.save(file, "jpeg", quality=95)
    return file.getvalue()


def kind_of(data):
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.format, image.size


def environ_of(path, method, headers, **more):
    environ = {"SCRIPT_NAME": "", "PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.multithread": True}
    setup_testing_defaults(environ)
    fields = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return (
        environ | fields | {"HTTP_HOST": "localhost", "QUERY_STRING": "", "wsgi.input": io.BytesIO()} | more
    )


@pytest.fixture
def folder(tmp_path):
    """A folder with a picture in it."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(picture())
    os.utime(folder / "a.jpg", (LONG_AGO, LONG_AGO))
    (folder / "a.svg").write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g/>" * 900 + b"</svg>")
    return folder


def flask_static(folder):
    from flask import Flask

    return Flask("site", static_folder=str(folder), static_url_path="").wsgi_app


def django_files(folder):
    configure()
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings
    from django.urls import re_path
    from django.views.static import serve

    class Urls:
        urlpatterns = (re_path("^(?P<path>.*)$", serve, {"document_root": str(folder)}),)

    with override_settings(MIDDLEWARE=[]):
        handler = WSGIHandler()

    def app(environ, start_response):
        with override_settings(ROOT_URLCONF=Urls, ALLOWED_HOSTS=["*"]):
            return handler(environ, start_response)

    return app


def whitenoise(folder):
    from whitenoise import WhiteNoise

    return WhiteNoise(lambda environ, start_response: None, root=str(folder), max_age=60, autorefresh=True)


def bare(folder):
    def app(environ, start_response):
        path = folder / environ["PATH_INFO"][1:]
        kind = "image/jpeg" if path.suffix == ".jpg" else "image/svg+xml"
        tag = f'"{path.stat().st_mtime_ns}"'
        if tag in environ.get("HTTP_IF_NONE_MATCH", ""):
            start_response("304 Not Modified", [("ETag", tag)])
            return []
        size = str(path.stat().st_size)
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", size), ("ETag", tag)])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    return app


SERVING = {"Flask": flask_static, "Django": django_files, "WhiteNoise": whitenoise, "bare": bare}


class Wrapper(FileWrapper):
    """A server's own, that says how often it was read."""

    reads = 0

    def __next__(self):
        type(self).reads += 1
        return super().__next__()


@pytest.fixture(params=SERVING.values(), ids=SERVING)
def served(request, folder, tmp_path):
    app = MediaMiddleware(request.param(folder), directory=tmp_path / "variants")
    Wrapper.reads = 0

    def get(path="/a.jpg", accept=CHROMIUM, method="GET", **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if accept is not None:
            fields["Accept"] = accept
        environ = environ_of(path, method, fields, **{"wsgi.file_wrapper": Wrapper})
        heads = []

        def start_response(status, fields, exc_info=None):
            heads.append((status, dict(fields)))
            return lambda data: None

        body = app(environ, start_response)
        try:
            data = b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()
        return *heads[-1], data

    return get


def warm(get, **request):
    until = time.monotonic() + PATIENCE
    while True:
        status, fields, data = get(**request)
        if fields.get("Cache-Control") != "no-store":
            return status, fields, data
        assert time.monotonic() < until, "no variant came"
        time.sleep(0.01)


def test_a_file_is_negotiated(served):
    status, fields, data = served()
    assert (status, data, fields["Cache-Control"]) == ("200 OK", picture(), "no-store")
    for accept, name in ((CHROMIUM, "AVIF"), (WEBP_ONLY, "WEBP")):
        status, fields, data = warm(served, accept=accept)
        assert (status, kind_of(data)) == ("200 OK", (name, (400, 300)))
        assert int(fields["Content-Length"]) == len(data)
        assert "Accept" in fields["Vary"]
    for accept in (OLD, "*/*", None):
        status, fields, data = served(accept=accept)
        assert (status, data, fields["Content-Type"]) == ("200 OK", picture(), "image/jpeg")


def test_a_file_is_read_only_for_the_encoder(served):
    """Or for who gets it: a warm variant costs the application a 304."""
    warm(served)
    reads = Wrapper.reads
    status, fields, _ = served()
    assert (status, fields["Content-Type"], Wrapper.reads) == ("200 OK", "image/avif", reads)
    assert served(method="HEAD")[1]["Content-Length"] == fields["Content-Length"]


def test_a_client_that_has_it_is_told_so(served):
    _, fields, data = warm(served)
    assert served(If_None_Match=fields["ETag"])[0] == "304 Not Modified"
    status, part_of, piece = served(Range="bytes=10-19", If_Range=fields["ETag"])
    assert (status, piece) == ("206 Partial Content", data[10:20])
    assert part_of["Content-Range"] == f"bytes 10-19/{len(data)}"


def test_a_changed_file_is_another_picture(served, folder):
    one = warm(served)[2]
    (folder / "a.jpg").write_bytes(picture(90))
    os.utime(folder / "a.jpg", (LONG_AGO + 10, LONG_AGO + 10))
    assert kind_of(warm(served)[2]) == ("AVIF", (400, 300))
    assert warm(served)[2] != one


def test_svg_and_what_is_not_there_pass(served):
    status, fields, data = served("/a.svg")
    assert (status, data[:4], fields.get("Vary")) == ("200 OK", b"<svg", None)


@pytest.mark.parametrize("serving", [flask_static, bare], ids=["Flask", "bare"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_both_sides_keep_pep_3333(folder, tmp_path, serving, method):
    """`wsgiref.validate` is the application's server, and the server's application."""
    app = validator(MediaMiddleware(validator(serving(folder)), directory=tmp_path / "variants"))

    def kind(method, **headers):
        environ = environ_of("/a.jpg", method, {"Accept": CHROMIUM, **headers})
        environ |= {"wsgi.file_wrapper": FileWrapper, "wsgi.errors": io.StringIO()}
        heads = []
        body = app(environ, lambda status, fields, info=None: heads.append(dict(fields)) or print)
        b"".join(body)
        body.close()
        return heads[-1].get("Content-Type")

    ends = time.monotonic() + PATIENCE
    while kind("GET") != "image/avif":
        assert time.monotonic() < ends, "no variant came"
        kind("GET", Range="bytes=0-9")
        kind(method)
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=0-1,5-9"}, {"If-None-Match": "*"}):
        kind(method, **headers)
    assert kind(method) == "image/avif"
