"""Runs the application under a server that has no command of its own to fit: cheroot and wsgiref.

    python -m servers.serve cheroot|wsgiref

Takes a free port and prints it.
"""

import signal
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from .application import application
from .payload import MOUNT


def serve_cheroot():
    from cheroot import wsgi

    server = wsgi.Server(("127.0.0.1", 0), wsgi.PathInfoDispatcher({MOUNT: application}), numthreads=4)
    server.prepare()
    announce(server.bind_addr[1])
    try:
        server.serve()
    finally:
        server.stop()


class MountedHandler(WSGIRequestHandler):
    def get_environ(self):
        environ = super().get_environ()
        return environ | {"PATH_INFO": environ["PATH_INFO"].removeprefix(MOUNT)}


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def setup_environ(self):
        super().setup_environ()
        self.base_environ["SCRIPT_NAME"] = MOUNT


def serve_wsgiref():
    with ThreadingServer(("127.0.0.1", 0), MountedHandler) as server:
        server.set_app(application)
        announce(server.server_port)
        server.serve_forever()


def announce(port):
    print(f"listening on 127.0.0.1:{port}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    {"cheroot": serve_cheroot, "wsgiref": serve_wsgiref}[sys.argv[1]]()
