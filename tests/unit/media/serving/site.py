"""Pictures, an application that serves them with validators, and requests as browsers make them."""

from __future__ import annotations

import time
from functools import lru_cache
from io import BytesIO

from PIL import Image

from unit.client import ask
from wsgiperf.http.dates import format_date
from wsgiperf.media.middleware import MediaMiddleware

CHROMIUM = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
WEBP_ONLY = "image/webp,image/apng,image/*,*/*;q=0.8"
OLD = "image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
PATIENCE = 20.0


@lru_cache
def picture(kind="jpeg", size=(400, 300), seed=0, alpha=False):
    """A file of smooth colours with some noise: large in old formats, small in new ones."""
    noise = Image.effect_noise((size[0] // 4, size[1] // 4), 60 + seed).resize(size)
    wave = Image.linear_gradient("L").resize(size).rotate(seed)
    channels = [noise, wave, Image.radial_gradient("L").resize(size)]
    if alpha:
        channels.append(wave.point(lambda value: 255 if value > 128 else 0))
    image = Image.merge("RGBA" if alpha else "RGB", channels)
    file = BytesIO()
    image.save(file, kind, **({"quality": 95} if kind != "png" else {}))
    return file.getvalue()


@lru_cache
def animation():
    """Three frames."""
    frames = [Image.effect_noise((200, 200), 50 + n).convert("P") for n in range(3)]
    file = BytesIO()
    frames[0].save(file, "gif", save_all=True, append_images=frames[1:])
    return file.getvalue()


class Site:
    """One picture under every path; what was asked of it, and what it gave, is written down.

    :param validates: whether it answers 304.
    """

    def __init__(self, body=None, kind="image/jpeg", *fields, etag='"v1"', modified=None, validates=True):
        self.body = picture() if body is None else body
        self.kind, self.fields, self.etag, self.validates = kind, list(fields), etag, validates
        self.modified = None if modified is None else format_date(modified)
        self.seen: list[dict] = []
        self.read = 0
        self.status = "200 OK"
        self.encoded: list[tuple[str, int | None]] = []

    def __call__(self, environ, start_response):
        self.seen.append(dict(environ))
        own = list(self.fields)
        if self.etag:
            own.append(("ETag", self.etag))
        if self.modified:
            own.append(("Last-Modified", self.modified))
        if self.status[:3] != "200":
            start_response(self.status, [("Content-Type", "text/plain"), *self.fields])
            return [b"no"]
        if self.validates and self._holds(environ):
            start_response("304 Not Modified", own)
            return []
        head = [("Content-Type", self.kind), ("Content-Length", str(len(self.body))), *own]
        if "HTTP_RANGE" in environ:
            first, last = map(int, environ["HTTP_RANGE"].removeprefix("bytes=").split("-"))
            head[1] = ("Content-Length", str(last + 1 - first))
            head.append(("Content-Range", f"bytes {first}-{last}/{len(self.body)}"))
            start_response("206 Partial Content", head)
            return [self.body[first : last + 1]]
        start_response("200 OK", head)
        self.read += 1
        return [self.body]

    def _holds(self, environ):
        tags = environ.get("HTTP_IF_NONE_MATCH")
        if tags is not None and self.etag:
            return self.etag in tags
        return self.modified is not None and environ.get("HTTP_IF_MODIFIED_SINCE") == self.modified


def part(app, directory, **options):
    """The middleware, with a directory of its own."""
    return MediaMiddleware(app, directory=str(directory), **{"minimum_size": 500, **options})


def get(app, path="/a.jpg", accept=CHROMIUM, method="GET", headers=None, **more):
    """Ask for a picture."""
    fields = dict(headers or {})
    if accept is not None:
        fields["Accept"] = accept
    return ask(app, path, method, fields, **more)


def warm(app, path="/a.jpg", accept=CHROMIUM, **more):
    """Ask until the variant is there; the answer."""
    until = time.monotonic() + PATIENCE
    while True:
        got = get(app, path, accept, **more)
        if got["Cache-Control"] != "no-store":
            return got
        assert time.monotonic() < until, "no variant came"
        time.sleep(0.01)


def kind_of(data):
    """The format of a picture, by Pillow, and its size."""
    with Image.open(BytesIO(data)) as image:
        image.load()
        return image.format, image.size
