"""An application that counts its requests in the shared file of its server, and tells of it."""

import json
import os
import tempfile
import time

from wsgiperf.monitor.shared import place
from wsgiperf.monitor.shared.segment import SegmentError, attach

place.SHARED_MEMORY = os.path.join(os.environ["PLACE"], "none")
tempfile.tempdir = os.environ["PLACE"]

mine = None


def segment():
    """This process's; nothing but its ID is looked at on the way of a request."""
    global mine
    if mine is None or mine.pid != os.getpid():
        mine = attach(os.environ.get("STATE", ""), slabs=16, slab_bytes=4096, layout=1, gauges=(8, 16))
    return mine


def application(environ, start_response):
    try:
        own = segment()
        own.words[0] += 1
        told = {
            "pid": os.getpid(),
            "slab": own.number,
            "path": own.path,
            "reason": own.reason,
            "total": sum(own.slab(number)[0] for number in range(own.slabs)),
            "holders": [pid for pid in own.holders() if pid],
            "leads": own.try_lead() if environ["PATH_INFO"] == "/lead" else None,
            "respawns": own.respawns,
        }
    except SegmentError as error:
        told = {"pid": os.getpid(), "error": str(error)}
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.05)  # so that its siblings get some, too
    body = json.dumps(told).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    from wsgiref.simple_server import make_server

    with make_server("127.0.0.1", 0, application) as server:
        print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
