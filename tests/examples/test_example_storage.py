"""What the example sites share beneath their frameworks: where data goes, what a stored photo is called."""

import hashlib
import io
import os
import re
import tempfile

import pytest
from example_site import EXAMPLES
from PIL import Image

SHARED = EXAMPLES / "shared"


@pytest.fixture
def storage(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(SHARED)
    monkeypatch.delenv("DEMO_DATA_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    from communiconnect import storage

    return storage


@pytest.fixture
def unwritable(tmp_path):
    """A directory that cannot be made, not even by root: a file is in the way."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "instance"


def test_data_goes_where_the_environment_says(storage, monkeypatch, tmp_path):
    monkeypatch.setenv("DEMO_DATA_DIR", str(tmp_path / "demo"))
    assert storage.data_directory("flask", tmp_path / "other") == tmp_path / "demo" / "flask"


def test_data_goes_beside_the_code_by_default(storage, tmp_path):
    assert storage.data_directory("flask", tmp_path / "instance") == tmp_path / "instance"


def test_code_that_may_only_be_read_gets_a_private_directory(storage, tmp_path, unwritable):
    directory = storage.data_directory("flask", unwritable)
    assert directory == storage.data_directory("flask", unwritable)
    assert directory.parent == tmp_path
    assert directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("trap", ["open to all", "a link"])
def test_a_private_directory_that_others_made_is_refused(storage, tmp_path, unwritable, trap):
    directory = tmp_path / f"communiconnect-flask-{os.getuid()}"
    if trap == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        directory.symlink_to("elsewhere")
    else:
        directory.mkdir()
        directory.chmod(0o777)
    with pytest.raises(SystemExit, match="set DEMO_DATA_DIR"):
        storage.data_directory("flask", unwritable)


def test_the_store_keeps_the_newest_only_and_no_file_of_the_others(storage, tmp_path):
    from communiconnect import photos

    def picture(number):
        sink = io.BytesIO()
        Image.new("RGB", (40, 30), (number, 0, 0)).save(sink, "PNG")
        return sink

    directory = tmp_path / "photos"
    stored = []
    for number in range(photos.KEPT + 5):
        stored.append(photos.keep(directory, picture(number)))
        os.utime(directory / photos.RECORDS / f"{stored[-1].digest}.json", (number, number))
    photos.keep(directory, picture(number))
    kept = photos.newest(directory)
    assert kept == list(reversed(stored[-photos.KEPT :]))
    files = {path.relative_to(directory).as_posix() for path in directory.glob("??/*")}
    assert files == {file.name for upload in kept for file in upload.files}


def test_the_hash_in_a_static_file_s_name_is_that_of_its_content():
    named = re.compile(r"\.([0-9a-f]{8})\.")
    files = [path for path in (SHARED / "communiconnect" / "static").iterdir() if named.search(path.name)]
    assert len(files) == 1
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest()[:8] == named.search(path.name)[1]
