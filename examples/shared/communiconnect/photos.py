"""The gallery: photos and short videos, of bounded size and number, under names made from their content."""

import json
import os
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache

from wsgiperf.media.uploads import Upload, accept_upload

from .storage import one_at_a_time

LARGEST_PHOTO = 12 * 1024 * 1024
LARGEST_VIDEO = 30 * 1024 * 1024
LONGEST_VIDEO = 60  # seconds
# A visitor with too large a file shall read so, and for that the server has to take it in: many close the
# connection on a body that nobody reads. What is beyond any of ours is refused all the same.
LARGEST_REQUEST = 40 * 1024 * 1024
KEPT = 24

#: What is taken: the options of `accept_upload`, and of the validators that look before it does.
ACCEPTED = {
    "max_image_bytes": LARGEST_PHOTO,
    "max_bytes": LARGEST_VIDEO,
    "formats": ("png", "jpeg", "gif", "webp", "avif"),
    "containers": ("mp4", "mov", "webm"),
    "max_seconds": LONGEST_VIDEO,
}
#: What to say of a file that isn't.
SENTENCES = {
    "format_refused": "This is neither a PNG, JPEG, GIF, WebP or AVIF picture nor an MP4, MOV or WebM video.",
    "too_many_bytes": "A photo may have up to 12 MB, a video up to 30 MB.",
    "too_long": "A video may last up to 60 seconds.",
}
MISSING = "Please choose a photo or a video first."

RECORDS = "records"
STORED = re.compile(r"[0-9a-f]{2}/[0-9a-f]{40}\.(png|jpg|gif|webp|avif|mp4|mov|webm)", re.ASCII)
# As wide as the page shows them: never wider than they are. In the gallery, four or two beside each other, a
# square is cut out of them, which takes a wide one at more than the square's width.
ALONE = "min({width}px, 46rem, 100vw - 2.5rem)"
BESIDE = "(min-width: 48rem) calc(11rem * {ratio}), calc((50vw - 1.65rem) * {ratio})"


@dataclass(frozen=True)
class Shown:
    """An upload as the templates need it: its files by their addresses."""

    upload: Upload
    attributes: dict
    sizes: str

    @property
    def name(self):
        return self.upload.digest

    @property
    def file(self):
        return self.upload.file

    @property
    def video(self):
        return self.upload.kind == "video"

    @property
    def kilobytes(self):
        return f"{self.file.size / 1024:.1f}"

    @property
    def received_kilobytes(self):
        return f"{self.upload.received / 1024:.1f}"

    @property
    def seconds(self):
        return f"{self.upload.duration:.1f}"


def shown(upload, address, sizes=BESIDE):
    """An upload for a page; `address` makes the name of a stored file into its URL."""
    width, height = upload.file.width, upload.file.height
    sizes = sizes.format(width=width, ratio=round(max(1, width / height), 2))
    return Shown(upload, upload.attributes(address, sizes), sizes)


def keep(directory, stream):
    """Store the photo or the video; raise MediaError for anything else."""
    directory.mkdir(parents=True, exist_ok=True)
    # One at a time: nobody's files are cleared away before they are on record, and memory is that of one.
    with one_at_a_time(directory / "store.lock"):
        upload = accept_upload(stream, directory, **ACCEPTED)
        _write(directory / RECORDS, f"{upload.digest}.json", json.dumps(upload.to_dict()))
        _forget_the_oldest(directory)
    return upload


def _write(directory, name, text):
    # Readers see the whole record or none: it gets its name when it is complete.
    directory.mkdir(exist_ok=True)
    partial = directory / f".{secrets.token_hex(8)}"
    partial.write_text(text)
    os.replace(partial, directory / name)


def _forget_the_oldest(directory):
    uploads = newest(directory)
    # Two uploads that look the same when they are small share those files.
    used = {file.name for upload in uploads[:KEPT] for file in upload.files}
    for upload in uploads[KEPT:]:
        (directory / RECORDS / f"{upload.digest}.json").unlink(missing_ok=True)
        for file in upload.files:
            if file.name not in used:
                (directory / file.name).unlink(missing_ok=True)


def newest(directory):
    """All uploads, the last one stored first."""
    found = []
    for path in (directory / RECORDS).glob("*.json"):
        try:
            changed = path.stat().st_mtime_ns
            found.append((changed, path.name, _record(path, changed)))
        except FileNotFoundError:  # another worker has just made room
            continue
    return [upload for _, _, upload in sorted(found, key=lambda one: one[:2], reverse=True)]


@lru_cache(maxsize=4 * KEPT)
def _record(path, changed):
    return Upload.from_dict(json.loads(path.read_text()))


def find(directory, name):
    """The upload of that name, or None."""
    return next((upload for upload in newest(directory) if upload.digest == name), None)


def stored(directory, name):
    """The stored file of that name, or None. Only names that the store gives are ever opened."""
    path = directory / name
    return path if STORED.fullmatch(name) and path.is_file() else None
