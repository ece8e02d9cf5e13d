"""What a wrapper may change in an answer, and what it may not."""

from .client import Answer

# Set by servers, or following from how a body is framed.
OF_THE_SERVER = {"date", "server", "connection", "keep-alive", "transfer-encoding"}
# Following from the bytes of the body, which an encoding changes.
OF_THE_BYTES = {"content-length", "etag", "accept-ranges", "content-encoding", "vary"}
HOP_BY_HOP = (
    "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
    "TE", "Trailer", "Transfer-Encoding", "Upgrade",
)  # fmt: skip


def compare(bare: list[Answer], wrapped: list[Answer]) -> None:
    for was, now in zip(bare, wrapped, strict=True):
        assert (now.status, now.content, now.complete) == (was.status, was.content, was.complete)
        assert [hint.fields for hint in now.interim] == [hint.fields for hint in was.interim]
        encoded = now.get("Content-Encoding") is not None
        for name in {name.lower() for name, _ in was.fields} - OF_THE_SERVER:
            if not (encoded and name in OF_THE_BYTES):
                assert now.all(name) == was.all(name)
        if not encoded:  # else the server must often frame the body in another way
            for name in HOP_BY_HOP:
                assert set(now.all(name)) <= set(was.all(name))
