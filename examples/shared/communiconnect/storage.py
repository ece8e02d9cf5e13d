"""Where a site keeps its data, and how several workers prepare it together."""

import os
import secrets
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path


def data_directory(site, default):
    """`DEMO_DATA_DIR/site` if that variable is set, else `default`, else a place of this user's own."""
    named = os.environ.get("DEMO_DATA_DIR")
    if named:
        return _made(Path(named) / site)
    try:
        directory = _made(default)
        with tempfile.TemporaryFile(dir=directory):
            return directory
    except OSError:  # the code lies in a place that may be read and not written
        return _own_temporary(site)


def _made(directory):
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _own_temporary(site):
    # Every worker has to find the same directory, so its name is known; anybody could have made it
    # first, so it is used only when it is ours and closed to others.
    directory = Path(tempfile.gettempdir()) / f"communiconnect-{site}-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or directory.is_symlink():
        raise SystemExit(f"{directory} is not ours alone: set DEMO_DATA_DIR")
    return directory


@contextmanager
def one_at_a_time(path):
    """Hold others back until the block is done.

    A locked SQLite file is a lock that works on every platform and ends with the process that holds it.
    """
    lock = sqlite3.connect(path, timeout=60, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        lock.close()


def secret_key(path):
    """`SECRET_KEY` from the environment, else one made at the first start and kept for all workers.

    Call it inside `one_at_a_time`: two workers must not make two keys.
    """
    named = os.environ.get("SECRET_KEY")
    if named:
        return named
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(secrets.token_urlsafe(50))
        partial.replace(path)
    return path.read_text()
