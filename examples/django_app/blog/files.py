"""A stored file, or the part of it that a browser asks for: that is how it finds its way in a video."""

import re

from django.http import FileResponse, HttpResponse
from django.utils.http import http_date

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Part:
    """So many bytes of an open file from where it stands, and then its end."""

    def __init__(self, file, length):
        self._file, self._left = file, length
        self.close = file.close

    def read(self, size=-1):
        block = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(block)
        return block


def send_file(request, path):
    """The whole file, or with 206 its one part. RFC 9110 section 14 allows to ignore anything else."""
    file = path.open("rb")
    status = path.stat()
    common = {"Accept-Ranges": "bytes", "Last-Modified": http_date(status.st_mtime)}
    wanted = None if "If-Range" in request.headers else RANGE.fullmatch(request.headers.get("Range", ""))
    if wanted is None or wanted.groups() == ("", ""):
        return FileResponse(file, filename=path.name, headers=common)
    first, last = wanted.groups()
    begin = int(first) if first else max(0, status.st_size - int(last))
    end = min(int(last), status.st_size - 1) if first and last else status.st_size - 1
    if begin > end:
        file.close()
        return HttpResponse(status=416, headers=common | {"Content-Range": f"bytes */{status.st_size}"})
    file.seek(begin)
    part = FileResponse(Part(file, end - begin + 1), filename=path.name, status=206, headers=common)
    part.headers["Content-Length"] = end - begin + 1
    part.headers["Content-Range"] = f"bytes {begin}-{end}/{status.st_size}"
    return part
