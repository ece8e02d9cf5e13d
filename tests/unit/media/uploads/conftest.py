"""Uploads into a store of the test's own."""

import pytest

from tests.unit.media.video.conftest import video  # noqa: F401 - the same videos


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def stored(store):
    """The names of all files in the store, whatever they are."""

    def names():
        return sorted(path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file())

    return names
