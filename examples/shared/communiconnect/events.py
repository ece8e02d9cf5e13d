"""The event stream behind the "live" figures of the front page."""

import json
import time

# A browser that keeps an event stream open keeps a server thread busy. So a stream is short: the
# figures at once, again while they are fresh, an end that the page understands, and a long pause
# before a page may ask again.
ROUNDS = 3
PAUSE = 1.0
HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would collect the events otherwise
}


def stream(figures):
    """Blocks of text/event-stream; `figures()` is asked anew for each and returns a dict."""
    yield "retry: 60000\n" + event("figures", figures())
    for _ in range(ROUNDS - 1):
        time.sleep(PAUSE)
        yield event("figures", figures())
    yield event("end", {})


def event(name, data):
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
