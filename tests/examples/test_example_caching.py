"""What the example sites keep, for whom, and when they make it anew; the same for both."""

import re
import subprocess
from itertools import islice

import brotli
import pytest
from example_site import DJANGO, FLASK, PYTHON, Page, environment

SHARED = ["/", "/?topic=garden", "/members/karim", "/about", "/api/posts", "/api/posts/1", "/api/figures"]
OWN = ["/posts/3", "/upload", "/profile"]
# Requests after which, most likely, each of two workers has answered some.
SOME = 24


def status(response):
    return response.headers["Cache-Status"]


def is_hit(response):
    return status(response).startswith("wsgiperf; hit")


def hits(visitor, path, count=2, **options):
    """As many answers from the cache: each worker has a memory of its own, so the first may come late."""
    seen = (visitor.get(path, **options) for _ in range(100))
    found = list(islice(filter(is_hit, seen), count))
    assert len(found) == count, status(visitor.get(path, **options))
    return found


def own_fields(response):
    """What a form on the page sends along: a token."""
    return Page(response.text).fields


def nonce_of(response):
    found = re.search(r"'nonce-([^']+)'", response.headers["Content-Security-Policy"])
    return found and found[1]


@pytest.mark.parametrize("path", SHARED)
def test_what_is_the_same_for_everybody_is_served_from_the_cache(site, path):
    hits(site.client(), path, SOME)
    hits(site.client(), path, SOME)


def somebody(site):
    """A visitor with the cookies of this site, and one of another on the same host."""
    visitor = site.client()
    visitor.get("/upload")
    visitor.add_cookie("elsewhere", "1")
    return visitor


@pytest.mark.parametrize("path", SHARED)
def test_also_for_somebody_with_cookies(site, path):
    hits(somebody(site), path)


@pytest.mark.parametrize("path", OWN)
def test_what_may_be_somebodys_own_is_not_served_to_who_sends_cookies_that_are_in_no_key(site, path):
    visitor = somebody(site)
    assert not any(is_hit(visitor.get(path)) for _ in range(SOME))


@pytest.mark.parametrize("path", ["/", "/posts/3", "/profile", "/about"])
@pytest.mark.parametrize("coding", ["identity", "br"])
def test_a_page_from_the_cache_has_a_nonce_of_its_own(site, path, coding):
    visitor = site.client()
    visitor.get("/upload")  # for the cookie
    headers = {"Accept-Encoding": coding}
    nonces, bodies = [], set()
    for page in hits(visitor, path, 5, headers=headers):
        assert page.headers["Cache-Control"] == "private"
        body = brotli.decompress(page.data) if coding == "br" else page.data
        nonces.append(nonce_of(page))
        assert body.count(nonces[-1].encode()) == 2
        bodies.add(body.replace(nonces[-1].encode(), b""))
    assert len(set(nonces)) == 5
    assert len(bodies) <= 2  # one a worker: tokens are masked anew


def test_parameters_that_only_count_visitors_make_no_other_page(site):
    visitor = site.client()
    hits(visitor, "/members/hugo")
    assert any(is_hit(visitor.get(f"/members/hugo?utm_source={letter}&fbclid=1")) for letter in range(SOME))
    assert not any(is_hit(visitor.get(f"/members/hugo?source={letter}")) for letter in range(SOME))


@pytest.mark.parametrize("path", ["/posts/3", "/upload"])
def test_a_form_comes_from_the_cache_with_the_token_of_who_asks(site, path):
    visitors = [site.client() for _ in range(3)]
    for visitor in visitors:
        assert visitor.get(path).headers.getlist("Set-Cookie")
    tokens = [{str(own_fields(page)) for page in hits(visitor, path, SOME)} for visitor in visitors]
    assert all(tokens)
    assert len(set.union(*tokens)) == sum(map(len, tokens))
    newcomer = site.client().get(path)
    assert not is_hit(newcomer)
    assert str(own_fields(newcomer)) not in set.union(*tokens)


def test_a_form_from_the_cache_is_taken(site):
    visitor = site.client()
    visitor.get("/posts/4")
    [page] = hits(visitor, "/posts/4", 1)
    sent = visitor.post("/posts/4", data=own_fields(page) | {"name": "Ines", "text": "Kept, and still good."})
    assert sent.status_code == 303


def count_on(text, number):
    """How many comments a front page, a member's or a topic's shows of a post."""
    found = re.search(rf'/posts/{number}#comments">.*?</svg> (\d+)', text, re.DOTALL)
    return int(found[1])


def test_a_comment_is_seen_at_once_wherever_its_post_is_shown(site):
    """In all workers: each has served these pages before, and keeps them for minutes."""
    reader, writer = site.client(), site.client()
    author = reader.inside(next(link for link in reader.page("/posts/5").addresses if "/members/" in link))
    lists = ["/", author, "/api/posts", "/api/posts/5"]
    for path in lists:
        hits(reader, path, SOME)
    before = count_on(reader.get("/").text, 5)
    fields = writer.page("/posts/5").fields | {"name": "Noor", "text": "Just now."}
    hits(reader, "/posts/5", SOME)
    assert writer.post("/posts/5", data=fields).status_code == 303
    for _ in range(SOME):
        assert count_on(reader.get("/").text, 5) == before + 1
        assert count_on(reader.get(author).text, 5) == before + 1
        assert reader.get("/api/posts").json["posts"][-5]["comments"] == before + 1
        assert reader.get("/api/posts/5").json["comments"][-1]["name"] == "Noor"
        assert "Just now." in reader.get("/posts/5").text
    hits(reader, "/")


COMMANDS = {
    "flask": ([*PYTHON, "-m", "flask", "--app", "app"], FLASK),
    "django": ([*PYTHON, "manage.py"], DJANGO),
}


def test_the_command_purges_in_all_workers(site, tmp_path):
    if site.port is None or site.mount:
        pytest.skip("a command takes workers that run in its directory")
    visitor = site.client()
    hits(visitor, "/", SOME)
    command, directory = COMMANDS[site.kind]
    done = subprocess.run(
        [*command, "wsgiperf", "purge", "--tag", "posts"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=directory,
        env=environment(tmp_path, site.data),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "purged in all workers of this machine\n"
    assert not is_hit(visitor.get("/"))
    assert sum(not is_hit(visitor.get("/")) for _ in range(SOME)) <= 1  # the other worker's first


def test_what_shows_other_posts_is_kept(site):
    if site.port is not None:
        pytest.skip("nobody knows which worker answers")
    reader, writer = site.client(), site.client()
    hits(reader, "/api/posts/9")
    fields = writer.page("/posts/8").fields | {"name": "Noor", "text": "Elsewhere."}
    assert writer.post("/posts/8", data=fields).status_code == 303
    assert is_hit(reader.get("/api/posts/9"))


def test_a_profile_is_kept_for_who_it_is_about(site):
    writer, other = site.client(), site.client()
    hits(other, "/profile")
    assert "Nothing yet" in writer.get("/profile").text
    fields = writer.page("/posts/6").fields | {"name": "Mine", "text": "Nobody else's business."}
    assert writer.post("/posts/6", data=fields).status_code == 303
    for page in [writer.get("/profile"), *hits(writer, "/profile", SOME)]:
        assert "Nobody else" in page.text
    for visitor in (other, site.client()):
        for _ in range(SOME):
            assert "Nothing yet" in visitor.get("/profile").text


def test_an_event_stream_is_never_kept(site):
    for _ in range(3):
        with site.client().open("/events") as response:
            assert not is_hit(response)
            assert "stored" not in status(response)
            assert b"event: figures" in next(iter(response.response))


@pytest.mark.parametrize("path", ["/nobody-lives-here", "/posts/999", "/members/nobody", "/boom"])
def test_an_error_page_names_its_own_request_so_it_is_not_kept(site, path):
    visitor = site.client()
    seen = [visitor.get(path) for _ in range(3)]
    assert not any("hit" in status(page) or "stored" in status(page) for page in seen)


def test_a_photo_and_a_style_sheet_come_from_the_cache_unchanged(site):
    visitor = site.client()
    [sheet] = [visitor.inside(address) for address in visitor.page("/").addresses if address.endswith(".css")]
    first = visitor.get(sheet)
    for coding in ("identity", "br", "gzip"):
        for page in hits(visitor, sheet, headers={"Accept-Encoding": coding}):
            assert page.headers.get("Content-Encoding", "identity") == coding
    assert {page.data for page in hits(visitor, sheet)} == {first.data}
