"""The photo store: pictures only, of bounded size and number, under names made from their content."""

import hashlib
import os
import secrets
from dataclasses import dataclass

LARGEST_PHOTO = 2 * 1024 * 1024
# A visitor with too large a photo shall read so, and for that the server has to take the photo in: many
# close the connection on a body that nobody reads. What is beyond any photo is refused all the same.
LARGEST_REQUEST = 16 * 1024 * 1024
KEPT = 24

# What a file starts with says more than the name or the type that a client sends along.
KINDS = {
    "png": ("image/png", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    "jpg": ("image/jpeg", lambda head: head.startswith(b"\xff\xd8\xff")),
    "gif": ("image/gif", lambda head: head.startswith((b"GIF87a", b"GIF89a"))),
    "webp": ("image/webp", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
}


class RefusedPhotoError(ValueError):
    """Not a picture, or too large; the text is for the visitor."""


@dataclass(frozen=True)
class Photo:
    name: str
    size: int

    @property
    def kind(self):
        return KINDS[self.name.rpartition(".")[2]][0]

    @property
    def kilobytes(self):
        return f"{self.size / 1024:.1f}"


def keep(directory, file):
    """Store the picture that `file` holds and return it; raise RefusedPhotoError for anything else."""
    content = file.read(LARGEST_PHOTO + 1)
    if not content:
        raise RefusedPhotoError("Please choose a photo first.")
    if len(content) > LARGEST_PHOTO:
        raise RefusedPhotoError("This photo is larger than 2 MB.")
    suffix = next((name for name, (_, fits) in KINDS.items() if fits(content[:16])), None)
    if suffix is None:
        raise RefusedPhotoError("This is not a PNG, JPEG, GIF or WebP picture.")
    photo = Photo(f"photo-{hashlib.sha256(content).hexdigest()[:16]}.{suffix}", len(content))
    _write(directory, photo.name, content)
    _forget_the_oldest(directory)
    return photo


def _write(directory, name, content):
    # Readers see the whole picture or none: it gets its name when it is complete.
    directory.mkdir(exist_ok=True)
    partial = directory / f".{secrets.token_hex(8)}"
    partial.write_bytes(content)
    os.replace(partial, directory / name)


def _forget_the_oldest(directory):
    for photo in newest(directory)[KEPT:]:
        (directory / photo.name).unlink(missing_ok=True)


def newest(directory):
    """All photos, the last one stored first."""
    found = []
    for path in directory.glob("photo-*"):
        try:
            status = path.stat()
        except FileNotFoundError:  # another worker has just made room
            continue
        found.append((status.st_mtime_ns, path.name, status.st_size))
    return [Photo(name, size) for _, name, size in sorted(found, reverse=True)]


def find(directory, name):
    """The stored photo of that name, or None. Only names that are in the store are ever opened."""
    return next((photo for photo in newest(directory) if photo.name == name), None)
