"""One visit to each example site: every page, file, form and failure, the same for both."""

import json
import re
from http.client import HTTPConnection

import brotli
import pytest
from example_site import EXAMPLES, Page

SHARED = EXAMPLES / "shared" / "communiconnect"
PAGES = ["/", "/?topic=garden", "/posts/1", "/members/karim", "/about", "/upload"]
FAILING = {"/nobody-lives-here": 404, "/posts/999": 404, "/members/nobody": 404, "/boom": 500}


def nonces(response):
    return set(re.findall(r"'nonce-([^']+)'", response.headers["Content-Security-Policy"]))


def test_every_link_leads_somewhere_inside_the_site(visitor):
    waiting, seen = {"/"}, set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        response = visitor.get(path)
        assert response.status_code in (200, 302), path
        if response.mimetype == "text/html":
            found = {visitor.inside(address) for address in Page(response.text).addresses}
            waiting |= found - seen - set(FAILING) - {"/events"}
    assert {"/posts/24", "/members/hugo", "/api/posts", "/download", "/latest"} <= seen
    assert len([path for path in seen if path.startswith("/static/")]) >= 5


@pytest.mark.parametrize("path", [*PAGES, *FAILING])
def test_a_page_holds_nothing_that_the_strict_policy_refuses(visitor, path):
    response = visitor.get(path)
    page = Page(response.text)
    assert response.status_code == FAILING.get(path, 200)
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert page.forbidden == []
    assert sorted(tag for tag, _ in page.inline) == ["script", "style"]
    assert {nonce for _, nonce in page.inline} == nonces(response)
    assert not [address for address in page.addresses if "//" in address]


def test_the_nonce_is_new_each_time_and_in_the_policy_only_where_a_page_prints_it(visitor):
    assert nonces(visitor.get("/")) != nonces(visitor.get("/"))
    assert nonces(visitor.get("/api/posts")) == set()


@pytest.mark.parametrize("path", ["/", "/api/posts", "/boom"])
def test_security_headers_and_request_id(visitor, path):
    headers = visitor.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Request-ID"]


def test_the_front_page_is_a_real_page_and_travels_small(visitor):
    plain = visitor.get("/")
    assert plain.text.count('<article class="card">') == 24
    assert len(plain.data) >= 15_000
    small = visitor.get("/", headers={"Accept-Encoding": "br"})
    assert small.headers["Content-Encoding"] == "br"
    assert len(small.data) < len(plain.data) / 4
    assert brotli.decompress(small.data).count(b'<article class="card">') == 24


def test_the_time_spent_on_the_database_is_in_server_timing(visitor):
    # With a query that nobody had yet: a page from the cache asks no database.
    assert re.search(r"\bdb;dur=", visitor.get("/?made-for-this").headers["Server-Timing"])


def test_a_topic_shows_its_posts_only(visitor):
    text = visitor.get("/?topic=garden").text
    assert text.count('<article class="card">') == 3
    assert "Courgettes: the situation" in text


def test_json_api(visitor):
    posts = visitor.get("/api/posts").json["posts"]
    assert [post["id"] for post in posts] == list(range(24, 0, -1))
    one = visitor.get("/api/posts/16").json
    assert one["title"] == "Cherries, and how to get at them"
    assert one["author"] == "Jeanne Lefèvre"
    assert [comment["name"] for comment in one["comments"]] == ["Lucie", "Jeanne Lefèvre"]
    assert visitor.inside(one["url"]) == "/posts/16"


def test_json_api_without_the_post(visitor):
    response = visitor.get("/api/posts/999")
    assert response.status_code == 404
    assert response.json == {"error": "Not Found"}


def send_comment(visitor, **fields):
    form = visitor.page("/posts/7").fields
    return visitor.post("/posts/7", data=form | fields)


def test_a_comment_is_shown_as_it_was_written(visitor):
    sent = send_comment(visitor, name="Élodie", text="<b>Buckets</b> & \N{DROPLET}")
    assert sent.status_code == 303
    path = visitor.inside(sent.headers["Location"])
    assert re.fullmatch(r"/posts/7#comment-\d+", path)
    text = visitor.get(path.partition("#")[0]).text
    assert "Élodie" in text
    assert "&lt;b&gt;Buckets&lt;/b&gt; &amp; \N{DROPLET}" in text


@pytest.mark.parametrize("fields", [{"name": "", "text": "?"}, {"name": "A", "text": "x" * 601}])
def test_a_comment_that_does_not_fit_comes_back_with_the_reason(visitor, fields):
    response = send_comment(visitor, **fields)
    assert response.status_code == 422
    assert 'class="error"' in response.text
    assert Page(response.text).forbidden == []


@pytest.mark.parametrize("token", [{}, {"form_token": "no", "csrfmiddlewaretoken": "é"}])
def test_a_form_without_its_token_is_refused(visitor, token):
    visitor.get("/posts/7")
    response = visitor.post("/posts/7", data={"name": "Mallory", "text": "Hello"} | token)
    assert response.status_code == 403
    assert "This form has expired" in response.text
    assert Page(response.text).forbidden == []


def test_the_first_event_comes_at_once(visitor):
    # The stream is left after its first block: nothing here waits for the second.
    with visitor.open("/events") as response:
        assert response.mimetype == "text/event-stream"
        assert "Content-Encoding" not in response.headers
        first = next(iter(response.response)).decode()
    _, event, data = first.strip().splitlines()
    assert event == "event: figures"
    assert json.loads(data.removeprefix("data: "))["posts"] == 24


def test_the_calendar_comes_as_a_file(visitor):
    response = visitor.get("/download")
    assert response.data == (SHARED / "files" / "calendar.ics").read_bytes()
    assert response.mimetype == "text/calendar"
    assert "attachment" in response.headers["Content-Disposition"]


def test_the_redirect_stays_inside_the_site(visitor):
    response = visitor.get("/latest")
    assert response.status_code == 302
    assert visitor.inside(response.headers["Location"]) == "/posts/24"


@pytest.mark.parametrize("path", FAILING)
def test_an_error_page_names_the_request(visitor, path):
    response = visitor.get(path, headers={"X-Request-ID": "ask-for-this-one"})
    assert "<code>ask-for-this-one</code>" in response.text


def static_addresses(visitor):
    addresses = visitor.page("/").addresses | visitor.page("/about").addresses
    return [visitor.inside(address) for address in addresses if "/static/" in address]


def test_static_files_have_their_types(visitor):
    types = {visitor.get(path).mimetype for path in static_addresses(visitor)}
    assert {"text/css", "text/javascript", "image/svg+xml", "image/png"} <= types


def test_a_name_with_a_content_hash_is_kept_for_good(site, visitor):
    for path in static_addresses(visitor):
        hashed = re.search(r"\.[0-9a-f]{8,12}\.", path)
        assert hashed or site.kind == "flask"  # WhiteNoise gives every file such a name
        assert ("immutable" in visitor.get(path).headers["Cache-Control"]) == bool(hashed), path


@pytest.mark.parametrize("path", [*PAGES, *FAILING, "/api/posts", "/download", "/latest", "/static/site.css"])
def test_head_is_answered_like_get(visitor, path):
    get, head = visitor.get(path), visitor.get(path, method="HEAD")
    assert head.status_code == get.status_code
    assert head.mimetype == get.mimetype


def test_head_leaves_the_connection_clean(site):
    if site.port is None:
        pytest.skip("a connection takes a server")
    connection = HTTPConnection("127.0.0.1", site.port, timeout=30)
    try:
        for method in ("HEAD", "GET", "HEAD", "GET"):
            connection.request(method, site.mount + "/")
            response = connection.getresponse()
            assert response.status == 200
            assert bool(response.read()) == (method == "GET")
    finally:
        connection.close()
