"""What is asked for: small applications, requests, and bodies of a given size."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

PAGE = (b"<!doctype html><title>Neighbours</title>" + b"<p>A plain and short page.</p>" * 20)[:500]

ENVIRON: dict[str, Any] = {
    "wsgi.errors": None,
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.file_wrapper": type("FileWrapper", (), {}),
    "wsgi.input_terminated": True,
    "wsgi.input": BytesIO(),
    "wsgi.url_scheme": "http",
    "SERVER_SOFTWARE": "gunicorn",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "REQUEST_METHOD": "GET",
    "QUERY_STRING": "",
    "RAW_URI": "/posts/17",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/posts/17",
    "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_PORT": "51234",
    "HTTP_HOST": "localhost:8000",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "HTTP_ACCEPT_LANGUAGE": "en-US,en;q=0.5",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_CONNECTION": "keep-alive",
    "HTTP_COOKIE": "session=eyJ1c2VyIjoxN30",
}
NO_CODING = {name: value for name, value in ENVIRON.items() if name != "HTTP_ACCEPT_ENCODING"}


def page(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "500")])
    return [PAGE]


def no_length(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [PAGE]


def seven_headers(environ, start_response):
    start_response(
        "200 OK",
        [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", "500"),
            ("Cache-Control", "private, max-age=0"),
            ("Vary", "Cookie"),
            ("ETag", '"5f2b-61a"'),
            ("Last-Modified", "Mon, 02 Jun 2025 08:00:00 GMT"),
            ("Set-Cookie", "session=eyJ1c2VyIjoxN30; HttpOnly; Path=/; SameSite=Lax"),
        ],
    )
    return [PAGE]


def stream(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    yield PAGE[:250]
    yield PAGE[250:]


def encoded(environ, start_response):
    start_response(
        "200 OK",
        [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Encoding", "gzip"),
            ("Content-Length", "500"),
        ],
    )
    return [PAGE]


def image(environ, start_response):
    start_response("200 OK", [("Content-Type", "image/png"), ("Content-Length", "500")])
    return [PAGE]


#: name -> (application, environ)
SCENARIOS: dict[str, tuple[Any, dict[str, Any]]] = {
    "page": (page, ENVIRON),
    "no length": (no_length, ENVIRON),
    "no coding": (page, NO_CODING),
    "seven headers": (seven_headers, ENVIRON),
    "stream": (stream, ENVIRON),
    "encoded": (encoded, ENVIRON),
    "image": (image, ENVIRON),
}


def application_of(body: bytes) -> Any:
    """An application that answers with this page."""
    fields = (("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body))))

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [*fields])
        return [body]

    return application


def encoding(body: bytes, encode: Callable[[bytes], bytes]) -> Any:
    """An application that encodes its page itself, without a question."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        encoded = encode(body)
        start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(encoded)))])
        return [encoded]

    return application


@cache
def noticeboard(size: int) -> bytes:
    """So many bytes of a page of posts, the same at each run.

    The markup is like that of the example sites' front page. The words are those of their posts, drawn at
    random as often as they stand there: no sentence comes back, so that a long page compresses no better than
    a real one.
    """
    seed = json.loads((Path(__file__).parents[1] / "examples/shared/communiconnect/seed.json").read_text())
    words = " ".join(paragraph for post in seed["posts"] for paragraph in post["body"]).split()
    random = Random(size)
    text = _HEAD
    number = 0
    while len(text) < size:
        number += 1
        author, topic = random.choice(seed["members"]), random.choice([*seed["topics"].items()])
        title, excerpt = (" ".join(random.choices(words, k=count)) for count in (6, 24))
        day, month = random.randint(1, 28), random.choice(("April", "May", "June"))
        text += _CARD.format(
            topic=topic[0],
            label=topic[1],
            day=day,
            month=month,
            number=number,
            title=title,
            excerpt=excerpt,
            slug=author["slug"],
            tone=author["tone"],
            name=author["name"],
            comments=random.randint(0, 9),
        )
    return text.encode()[:size]


_HEAD = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>The noticeboard of the Lime Tree Quarter</title>
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="icon" href="/static/favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/static/site.css">
  <script src="/static/site.js" defer></script>
</head>
<body>
  <main id="content">
  <ul class="cards">
"""
_CARD = """    <li>
      <article class="card">
        <p class="meta"><a class="topic topic-{topic}" href="/?topic={topic}">{label}</a>
          <time>{day} {month}</time></p>
        <h2><a href="/posts/{number}">{title}</a></h2>
        <p>{excerpt}</p>
        <p class="foot"><a href="/members/{slug}">
          <span class="avatar tone-{tone}" aria-hidden="true"></span>{name}</a>
          <a href="/posts/{number}#comments">
            <svg class="icon" aria-hidden="true"><use href="#bubble"/></svg> {comments}</a></p>
      </article>
    </li>
"""
