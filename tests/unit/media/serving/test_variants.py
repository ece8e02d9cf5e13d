"""Which picture goes out: the variant, or what is stored, and how it is marked."""

import threading
import time

import pytest

from unit.client import Exchanged, ask, environ_of, returning, streaming
from wsgiperf.media import middleware
from wsgiperf.media.serving.flights import Flight
from wsgiperf.media.serving.negotiation import PLAIN

from .site import CHROMIUM, OLD, WEBP_ONLY, Site, animation, get, kind_of, part, picture, warm

SVG = b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g/>" * 2000 + b"</svg>"


def test_the_first_answer_is_the_original_and_nobody_keeps_it(tmp_path):
    """Else a browser's cache or a CDN would have it for AVIF's answer."""
    site = Site(None, "image/jpeg", ("Cache-Control", "public, max-age=9"), ("Expires", "0"),
                ("CDN-Cache-Control", "max-age=60"), ("Surrogate-Control", "max-age=60"))  # fmt: skip
    got = get(part(site, tmp_path))
    assert (got.status, got["Content-Type"], got.body) == ("200 OK", "image/jpeg", site.body)
    assert (got["Cache-Control"], got["Vary"]) == ("no-store", "Accept")
    assert got["Expires"] is got["CDN-Cache-Control"] is got["Surrogate-Control"] is None


@pytest.mark.parametrize(
    ("accept", "kind", "name"), [(CHROMIUM, "image/avif", "AVIF"), (WEBP_ONLY, "image/webp", "WEBP")]
)
@pytest.mark.parametrize("source", ["jpeg", "png"])
def test_then_the_variant(tmp_path, source, accept, kind, name):
    site = Site(picture(source), f"image/{source}", ("Cache-Control", "public, max-age=9"), ("X-Own", "kept"))
    got = warm(part(site, tmp_path), accept=accept)
    assert (got.status, got["Content-Type"], got["Vary"]) == ("200 OK", kind, "Accept")
    assert (got["Cache-Control"], got["X-Own"]) == ("public, max-age=9", "kept")
    assert kind_of(got.body) == (name, (400, 300))
    assert int(got["Content-Length"]) == len(got.body) < len(site.body)
    assert got["ETag"] not in ('"v1"', None)
    assert not got["ETag"].startswith("W/")


def test_a_warm_variant_needs_no_body_of_the_application(tmp_path):
    site = Site()
    app = part(site, tmp_path)
    warm(app)
    reads = site.read
    assert get(app)["Content-Type"] == "image/avif"
    assert site.read == reads
    asked = site.seen[-1]
    assert (asked["REQUEST_METHOD"], asked["HTTP_IF_NONE_MATCH"]) == ("GET", '"v1"')


def test_a_new_process_finds_it_on_the_disk(tmp_path, monkeypatch):
    warm(part(Site(), tmp_path))
    monkeypatch.setattr(middleware, "encode", None)
    site = Site()
    assert get(part(site, tmp_path))["Content-Type"] == "image/avif"
    assert site.read == 0


@pytest.mark.parametrize("accept", [None, "*/*", "image/*,*/*;q=0.8", "text/html", OLD])
@pytest.mark.parametrize("known", [False, True])
def test_who_names_neither_gets_what_is_stored(tmp_path, accept, known):
    site = Site(None, "image/jpeg", ("Cache-Control", "max-age=9"))
    app = part(site, tmp_path)
    if known:
        warm(app)
    got = get(app, accept=accept)
    assert (got["Content-Type"], got["ETag"], got.body) == ("image/jpeg", '"v1"', site.body)
    assert (got["Vary"], got["Cache-Control"]) == ("Accept", "max-age=9")


UNTOUCHED = {
    "SVG": (SVG, "image/svg+xml", []),
    "an icon": (bytes(9000), "image/x-icon", []),
    "a page": (b"<p>" * 3000, "text/html", []),
    "a small picture": (picture(size=(16, 16)), "image/jpeg", []),
    "encoded": (picture(), "image/jpeg", [("Content-Encoding", "gzip")]),
    "not to be transformed": (picture(), "image/jpeg", [("Cache-Control", "public, no-transform")]),
    "a download": (picture(), "image/jpeg", [("Content-Disposition", "Attachment; filename=a.jpg")]),
}


@pytest.mark.parametrize(("body", "kind", "fields"), UNTOUCHED.values(), ids=UNTOUCHED)
def test_what_is_not_negotiated_is_left_alone(tmp_path, body, kind, fields):
    site = Site(body, kind, *fields)
    app = part(site, tmp_path, minimum_size=1000)
    bare = ask(Site(body, kind, *fields), "/a.jpg")
    for accept in (CHROMIUM, OLD, CHROMIUM):
        got = get(app, accept=accept)
        assert (got.fields, got.body) == (bare.fields, bare.body)


def useless(app, path="/a.jpg"):
    """Ask until it is known that there is no variant."""
    return warm(app, path)


def test_an_animation_stays_and_may_be_kept(tmp_path):
    site = Site(animation(), "image/gif", ("Cache-Control", "max-age=9"))
    got = useless(part(site, tmp_path))
    assert (got["Content-Type"], got.body) == ("image/gif", site.body)
    assert (got["Cache-Control"], got["Vary"]) == ("max-age=9", "Accept")


def test_a_picture_that_would_not_get_smaller_stays(tmp_path, monkeypatch):
    encodes = []
    monkeypatch.setattr(middleware, "encode", lambda *args, **options: encodes.append(args))
    site = Site()
    app = part(site, tmp_path)
    assert useless(app).body == site.body
    for _ in range(3):
        assert get(app)["ETag"] == '"v1"'
    assert len(encodes) == 1


@pytest.mark.parametrize("body", [b"\xff\xd8\xff" + b"junk" * 2000, b"text " * 2000], ids=["cut", "text"])
def test_what_cannot_be_decoded_goes_out_and_is_left_alone_for_a_while(tmp_path, body):
    site = Site(body)
    app = part(site, tmp_path)
    assert useless(app).body == body
    assert get(app)["Cache-Control"] is None


def test_an_encoder_that_fails_is_asked_again_after_a_while(tmp_path, monkeypatch):
    now, encodes = [1_000_000.0], []

    def failing(*args, **options):
        encodes.append(args)
        raise RuntimeError("no")

    monkeypatch.setattr(middleware, "encode", failing)
    site = Site()
    app = part(site, tmp_path, retry_seconds=60)
    app._library._clock = lambda: now[0]
    for seconds, made in ((0, 1), (59, 1), (61, 2)):
        now[0] = 1_000_000.0 + seconds
        assert useless(app).body == site.body
        assert len(encodes) == made


def test_avif_for_who_cannot_show_it(tmp_path):
    site = Site(picture("avif"), "image/avif")
    app = part(site, tmp_path)
    got = get(app, accept=OLD)  # waited for: the original is of no use
    assert (got["Content-Type"], kind_of(got.body)) == ("image/jpeg", ("JPEG", (400, 300)))
    assert got["Vary"] == "Accept"
    assert get(app, accept=WEBP_ONLY)["Content-Type"] in ("image/webp", "image/avif")
    for accept in (None, "*/*", CHROMIUM, "image/*"):
        assert get(app, accept=accept).body == site.body


def test_transparency_survives(tmp_path):
    app = part(Site(picture("webp", alpha=True), "image/webp"), tmp_path)
    got = get(app, accept=OLD)
    assert (got["Content-Type"], kind_of(got.body)[0]) == ("image/png", "PNG")


class TestWidths:
    @pytest.mark.parametrize(
        ("query", "size"),
        [
            ("w=200", (200, 150)),
            ("v=1&w=200", (200, 150)),
            ("w=200&w=100", (200, 150)),
            ("w=100", (100, 75)),
            ("w=201", (400, 300)),
            ("w=", (400, 300)),
            ("w=-200", (400, 300)),
            ("w=0200", (200, 150)),
            ("w=99999999999999999999", (400, 300)),
            ("w=2%300", (400, 300)),
            ("W=200", (400, 300)),
            ("", (400, 300)),
        ],
    )
    def test_an_allowed_one_is_made_while_the_request_waits(self, tmp_path, query, size):
        app = part(Site(), tmp_path, widths=(100, 200))
        got = get(app, accept=None, QUERY_STRING=query)
        assert kind_of(got.body) == ("JPEG", size)
        assert (got["ETag"] == '"v1"') is (size == (400, 300))

    def test_narrower_and_in_another_format(self, tmp_path):
        app = part(Site(), tmp_path, widths=(200,))
        got = warm(app, QUERY_STRING="w=200")
        assert kind_of(got.body) == ("AVIF", (200, 150))

    def test_never_wider(self, tmp_path):
        site = Site()
        got = get(part(site, tmp_path, widths=(800,)), accept=None, QUERY_STRING="w=800")
        assert got.body == site.body

    def test_it_is_not_waited_for_long(self, tmp_path, monkeypatch):
        """By what it asks for: how long a busy machine makes of that is not the library's doing."""
        waits, answered, wait = [], threading.Event(), Flight.wait
        monkeypatch.setattr(middleware, "encode", lambda *args, **options: answered.wait(60) and None)
        monkeypatch.setattr(
            Flight, "wait", lambda self, seconds: waits.append(seconds) or wait(self, seconds)
        )
        site = Site()
        started = time.monotonic()
        got = get(part(site, tmp_path, widths=(200,), wait_seconds=0.05), accept=None, QUERY_STRING="w=200")
        waited = time.monotonic() - started
        answered.set()
        assert waited < 60, "until it was there"
        assert waits[0] == 0.05
        assert sum(waits) < 0.4
        assert (got.body, got["Cache-Control"]) == (site.body, "no-store")


class TestServersWithoutThreads:
    def test_it_is_made_after_the_last_byte(self, tmp_path, monkeypatch):
        done = []
        real = middleware.encode
        monkeypatch.setattr(
            middleware, "encode", lambda *args, **options: done.append(1) or real(*args, **options)
        )
        app = part(Site(), tmp_path)
        exchanged = Exchanged(app, environ_of("/a.jpg", headers={"Accept": CHROMIUM}, **ONE_THREAD))
        while exchanged.read() is not None:
            pass
        assert done == []
        exchanged.close()
        assert done == [1]
        assert get(app, **ONE_THREAD)["Content-Type"] == "image/avif"

    def test_what_is_waited_for_is_made_at_once(self, tmp_path):
        app = part(Site(), tmp_path, widths=(200,))
        got = get(app, accept=None, QUERY_STRING="w=200", **ONE_THREAD)
        assert kind_of(got.body) == ("JPEG", (200, 150))


ONE_THREAD = {"wsgi.multithread": False}


def test_a_full_queue_makes_nobody_wait(tmp_path, monkeypatch):
    started, hold = [], time.monotonic() + 0.5

    def slow(*args, **options):
        started.append(1)
        time.sleep(max(0.0, hold - time.monotonic()))

    monkeypatch.setattr(middleware, "encode", slow)
    sites = [Site(picture(seed=n)) for n in range(4)]
    app = part(lambda e, s: sites[int(e["PATH_INFO"][1:])](e, s), tmp_path, queue_size=0)
    for number in range(4):
        got = get(app, f"/{number}")
        assert (got.body, got["Cache-Control"]) == (sites[number].body, "no-store")
    assert len(app._library._pool._tasks) <= 1


class TestBodies:
    """Whatever the application returns, the client gets each byte of it."""

    FIELDS = (("Content-Type", "image/jpeg"), ("ETag", '"v1"'))
    LENGTH = ("Content-Length", str(len(picture())))

    def pieces(self):
        data = picture()
        return [data[start : start + 7000] for start in range(0, len(data), 7000)]

    def test_a_stream_with_its_length_is_read(self, tmp_path):
        app = part(streaming(*self.FIELDS, self.LENGTH, blocks=self.pieces()), tmp_path)
        assert get(app).body == picture()
        assert warm(app)["Content-Type"] == "image/avif"

    def test_a_stream_without_one_is_not(self, tmp_path):
        app = part(streaming(*self.FIELDS, blocks=self.pieces()), tmp_path)
        for _ in range(3):
            got = get(app)
            assert (got.body, got["Cache-Control"]) == (picture(), None)

    def test_one_that_is_shorter_than_it_says(self, tmp_path):
        app = part(streaming(*self.FIELDS, self.LENGTH, blocks=self.pieces()[:-1]), tmp_path)
        for _ in range(2):
            assert get(app).body == b"".join(self.pieces()[:-1])

    def test_one_that_is_longer_than_allowed(self, tmp_path):
        app = part(returning(self.pieces(), *self.FIELDS), tmp_path, maximum_size=20_000)
        assert get(app).body == picture()

    def test_one_that_fails_fails_where_it_did(self, tmp_path):
        def failing():
            yield from self.pieces()[:3]
            raise OSError("the disk")

        sent = []
        app = part(streaming(*self.FIELDS, self.LENGTH, blocks=failing()), tmp_path)
        body = app(environ_of("/a.jpg", headers={"Accept": CHROMIUM}), lambda *head: sent.append)
        with pytest.raises(OSError, match="the disk"):
            sent += body
        body.close()
        assert b"".join(sent) == b"".join(self.pieces()[:3])


def test_the_plain_target_is_no_media_type():
    assert "/" not in PLAIN
