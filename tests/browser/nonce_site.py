"""A page with inline code and an entity tag: whole, and in the ways in which such pages go wrong."""

ETAG = '"page-1"'
SQUARE = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9H0z"/></svg>'
PAGE = """<!doctype html>
<html lang="en">
<title>Inline code</title>
<link rel="icon" href="/static/square.3f9a1c2b.svg">
<style nonce="{nonce}">:root {{ --applied: yes }}</style>
<script nonce="{nonce}">document.documentElement.dataset.ran = "yes"</script>
<img src="/static/square.3f9a1c2b.svg" alt="kept for good, since its name has a content hash">
<img src="/square.svg" alt="asked for on every page">
<p>{text}</p>
"""


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/static/square.3f9a1c2b.svg":
        start_response("200 OK", [("Content-Type", "image/svg+xml")])
        return [SQUARE]
    headers = [("ETag", ETAG), ("Cache-Control", "no-cache")]
    if environ.get("HTTP_IF_NONE_MATCH") == ETAG:
        # Here nobody reads the nonce, for the page that has it is the browser's already.
        if path == "/policy-on-304":
            headers.append(("Content-Security-Policy", "script-src 'nonce-new'; style-src 'nonce-new'"))
        start_response("304 Not Modified", headers)
        return []
    kind, body = ("image/svg+xml", SQUARE) if path == "/square.svg" else ("text/html", page(environ))
    start_response("200 OK", [("Content-Type", kind), *headers])
    return [body]


def page(environ):
    nonce = str(environ["wsgiperf.csp_nonce"])  # from here on the policy has it
    match environ["PATH_INFO"]:
        case "/another-nonce":  # as in a page that somebody kept
            nonce = nonce[::-1]
        case "/no-nonce":
            nonce = ""
    return PAGE.format(nonce=nonce, text="Long enough to be worth encoding. " * 40).encode()
