"""What a bare server cannot do, and why.

A wrapper cannot be asked for it there. Each entry is tested to fail on the bare application, and each
combination that is not listed to succeed, so the table can neither grow unnoticed nor go stale.
"""

WSGIREF = ("wsgiref", "validated")  # one server, without and with the validator
UWSGI = ("uwsgi", "uwsgi-router")
GUNICORN = ("gunicorn-sync", "gunicorn-gthread", "gunicorn-gevent")
THREADED = ("waitress", "cheroot", *UWSGI, *WSGIREF)

KEPT = (
    "keep_alive", "keep_alive_bodiless", "keep_alive_head", "keep_alive_head_lengthless",
    "keep_alive_streams", "http10_keep_alive",
)  # fmt: skip
PIPELINED = ("pipeline_two", "pipeline_three", "pipeline_head")
HEADS = (
    "head_listed", "head_single", "head_generator", "head_counted", "head_late", "head_late_empty",
    "head_written",
)  # fmt: skip

# Servers, checks, the reason.
LIMITS: list[tuple[tuple[str, ...], tuple[str, ...], str]] = [
    (("gunicorn-sync",), KEPT + PIPELINED, "the sync worker serves one request a connection"),
    (("uwsgi",), KEPT + PIPELINED, "the worker's own socket serves one request a connection"),
    (WSGIREF, KEPT + PIPELINED, "an HTTP/1.0 server: one request a connection"),
    (
        ("waitress",),
        ("keep_alive_bodiless", "keep_alive_streams"),
        "closes after every answer without a Content-Length",
    ),
    (("cheroot",), ("http10_keep_alive",), "closes after every HTTP/1.0 answer"),
    (
        ("uwsgi-router",),
        ("keep_alive_bodiless",),
        "sends the last chunk of a body after a 204 or 304",
    ),
    (("uwsgi-router",), ("http10_keep_alive",), "closes after every HTTP/1.0 answer"),
    (("uwsgi-router",), PIPELINED, "forgets the requests that came with the one before"),
    (
        ("waitress", "cheroot", *UWSGI, *WSGIREF),
        HEADS,
        "sends the body of an application that does not mind HEAD",
    ),
    (
        ("waitress",),
        ("head_empty", "head_lengthless"),
        "ends the answer to a HEAD without Content-Length by a last chunk",
    ),
    (
        ("waitress", "cheroot", "uwsgi-router"),
        ("keep_alive_head_lengthless",),
        "ends the answer to a HEAD without Content-Length by a last chunk",
    ),
    (
        ("gunicorn-gthread", "gunicorn-gevent"),
        ("connection_close",),
        "drops the application's hop-by-hop fields",
    ),
    (("waitress", *WSGIREF), ("connection_close",), "refuses hop-by-hop fields by an exception"),
    (("cheroot",), ("connection_close",), "sends the field and keeps the connection open"),
    (WSGIREF, ("expect_continue",), "an HTTP/1.0 server: knows no 100"),
    (("uwsgi",), ("expect_continue",), "the worker's own socket knows no Expect"),
    (WSGIREF, ("upload_chunked",), "an HTTP/1.0 server: knows no chunks"),
    (
        ("cheroot",),
        ("upload_counted",),
        "throws away what is unread of a counted body when it sends the head",
    ),
    (GUNICORN, ("restart",), "sends the fields of both heads"),
    (("cheroot",), ("restart",), "sends the fields of both heads"),
    (UWSGI, ("restart",), "raises SystemError at a second start_response"),
    (UWSGI, ("error_before_start",), "sends nothing at all instead of a 500"),
    (("cheroot",), ("error_first_block",), "sends the head that was started, without a body"),
    (UWSGI, ("error_first_block",), "sends the head that was started, without a body"),
    (UWSGI, ("error_mid_stream", "restart_too_late"), "ends a broken body as if it were whole"),
    (WSGIREF, ("error_mid_stream", "restart_too_late"), "ends a broken body as if it were whole"),
    (("uwsgi-router",), ("error_mid_counted",), "keeps a broken answer open for ever"),
    (("gunicorn-gevent",), ("sendfile",), "gevent's sockets read files in Python"),
    (("cheroot",), ("sendfile",), "offers no wsgi.file_wrapper"),
    (WSGIREF, ("sendfile",), "its file wrapper is read in Python"),
    (THREADED, ("early_hints",), "offers no wsgi.early_hints"),
    (THREADED, ("hijack",), "does not hand its socket to the application"),
    (
        ("gunicorn-sync", "gunicorn-gthread", *THREADED),
        ("already_handled",),
        "an agreement of gunicorn's gevent worker alone",
    ),
]

NOT_APPLICABLE = {
    (server, check): reason for servers, checks, reason in LIMITS for server in servers for check in checks
}

# What a wrapper that keeps to its contract does all the same: it starts the server's answer once,
# however often the application started it.
GAINED = {pair for pair in NOT_APPLICABLE if pair[1] == "restart"}

# Where the server ends a broken body as if it were whole, an encoding that was not finished is what
# still tells the client.
GAINED_BY_ENCODING = {
    (server, check) for server in (*UWSGI, *WSGIREF) for check in ("error_mid_stream", "restart_too_late")
}
