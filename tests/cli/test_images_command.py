"""`wsgiperf images`: a folder's pictures made smaller, and none of them ever lost."""

import os
import random
import re
import signal
import subprocess
import time
from io import BytesIO

import pytest
from command_line import COMMAND, environment, hear_ctrl_c, run, said, without
from PIL import Image


def photo(width=400, height=300, seed=1):
    chance = random.Random(seed)
    small = Image.frombytes("RGB", (16, 12), chance.randbytes(576))
    grain = Image.frombytes("L", (width, height), chance.randbytes(width * height)).convert("RGB")
    return Image.blend(small.resize((width, height), Image.Resampling.BICUBIC), grain, 0.02)


def encoded(image, name, **options):
    sink = BytesIO()
    image.save(sink, name, **options)
    return sink.getvalue()


def decoded(data):
    image = Image.open(BytesIO(data))
    image.load()
    return image


LARGE = encoded(photo(), "JPEG", quality=98)


@pytest.fixture
def folder(tmp_path):
    """Each kind of file that there may be."""
    root = tmp_path / "pictures"
    (root / "deep" / "er").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (root / "a.jpg").write_bytes(LARGE)
    (root / "deep" / "er" / "B.PNG").write_bytes(encoded(photo().quantize(64), "PNG", compress_level=1))
    (root / "lean.jpg").write_bytes(encoded(photo(), "JPEG", quality=30, optimize=True, progressive=True))
    (root / "scan.bmp").write_bytes(encoded(photo(), "BMP"))
    (root / "notes.txt").write_text("no picture")
    (root / ".hidden" / "h.jpg").write_bytes(LARGE)
    (root / ".h.jpg").write_bytes(LARGE)
    return root


def contents(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def row(done, name):
    """Files, before, after and saved of a line of the report."""
    found = re.search(
        rf"^{name}  +(\d+)(?:  +(\S+ \w+)  +(\S+ \w+)(?:  +(\S+)%)?)?$", done.stdout, re.MULTILINE
    )
    assert found, done.stdout + done.stderr
    return found.groups()


def changed(before, after):
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_pictures_become_smaller_in_their_places_and_all_else_stays(folder):
    before = contents(folder)
    os.chmod(folder / "a.jpg", 0o640)
    done = run("images", str(folder))
    assert done.returncode == 0, done.stderr
    after = contents(folder)
    assert changed(before, after) == {"a.jpg", "deep/er/B.PNG"}
    for name in changed(before, after):
        assert len(after[name]) < len(before[name])
        old, new = decoded(before[name]), decoded(after[name])
        assert (new.format, new.size) == (old.format, old.size)
    assert (folder / "a.jpg").stat().st_mode & 0o777 == 0o640
    assert row(done, "made smaller")[0] == "2"
    assert int(row(done, "made smaller")[3]) > 30
    assert row(done, "kept")[0] == "1"
    assert row(done, "not done")[0] == "0"


def test_a_second_run_finds_nothing_more_to_do(folder):
    run("images", str(folder), "--webp")
    before = contents(folder)
    done = run("images", str(folder), "--webp")
    assert contents(folder) == before
    assert row(done, "made smaller")[0] == "0"


def test_a_dry_run_tells_the_same_and_writes_nothing(folder, tmp_path):
    before = contents(folder)
    arguments = ["--webp", "--backup", str(tmp_path / "backup")]
    dry = run("images", str(folder), "--dry-run", *arguments)
    assert dry.returncode == 0
    assert contents(folder) == before
    assert not (tmp_path / "backup").exists()
    real = run("images", str(folder), *arguments)
    assert row(dry, "would be smaller") == row(real, "made smaller")
    assert row(dry, "webp beside") == row(real, "webp beside")


def test_the_originals_are_kept_where_they_are_asked_for_and_are_never_replaced(folder):
    before = contents(folder)
    backup = folder / "originals"  # inside: it is not worked on
    for quality in ("85", "40"):
        assert run("images", str(folder), "--backup", str(backup), "--quality", quality).returncode == 0
    kept = contents(backup)
    assert {"a.jpg", "deep/er/B.PNG"} <= kept.keys()
    for name, data in kept.items():
        assert data == before[name], name


def test_siblings_are_written_where_they_are_smaller_and_are_no_pictures_themselves(folder):
    done = run("images", str(folder), "--webp", "--avif", "--max-size", "200x200")
    assert done.returncode == 0, done.stderr
    names = set(contents(folder))
    for name in ("a.jpg", "scan.bmp"):
        for form in ("webp", "avif"):
            assert f"{name}.{form}" in names
            image = decoded((folder / f"{name}.{form}").read_bytes())
            assert (image.format, image.size) == (form.upper(), (200, 150))
    assert contents(folder)["scan.bmp"] == encoded(photo(), "BMP")
    assert not [name for name in names if name.endswith((".webp.avif", ".avif.webp", ".webp.webp"))]


def test_a_sibling_of_an_older_picture_is_made_anew(folder):
    run("images", str(folder), "--webp")
    (folder / "a.jpg").write_bytes(encoded(photo(seed=2), "JPEG", quality=98))
    old = (folder / "a.jpg.webp").read_bytes()
    os.utime(folder / "a.jpg.webp", (1, 1))
    run("images", str(folder), "--webp")
    assert (folder / "a.jpg.webp").read_bytes() != old
    assert (folder / "a.jpg.webp").stat().st_mtime >= (folder / "a.jpg").stat().st_mtime


def test_links_are_not_followed(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "o.jpg").write_bytes(LARGE)
    (folder / "link.jpg").symlink_to(outside / "o.jpg")
    (folder / "linked").symlink_to(outside)
    assert run("images", str(folder)).returncode == 0
    assert (outside / "o.jpg").read_bytes() == LARGE
    assert (folder / "link.jpg").is_symlink()


DAMAGED = {
    "cut": LARGE[: len(LARGE) // 2],
    "text": b"no picture at all",
    "empty": b"",
    "junk": b"\x89PNG\r\n\x1a\n" + bytes(100),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_told_and_stays_and_the_others_are_done(folder, name):
    (folder / "bad\x1b[31m.png").write_bytes(DAMAGED[name])
    done = run("images", str(folder))
    assert done.returncode == 1
    assert "bad?[31m.png: the file" in done.stderr
    assert "\x1b[31m" not in done.stderr
    assert "Traceback" not in done.stderr
    assert (folder / "bad\x1b[31m.png").read_bytes() == DAMAGED[name]
    assert row(done, "made smaller")[0] == "2"
    assert row(done, "not done")[0] == "1"


def test_a_name_that_is_no_text_is_no_trouble(folder):
    path = os.fsencode(folder) + b"/\xff\xfe.jpg"
    with open(path, "wb") as file:
        file.write(b"damaged")
    done = run("images", str(folder))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_folder_without_pictures(tmp_path):
    done = run("images", str(tmp_path))
    assert done.returncode == 0
    assert row(done, "made smaller")[0] == "0"


@pytest.mark.parametrize("size", ["0x10", "10", "70000x10", "ten"])
def test_a_wrong_size_is_said(tmp_path, size):
    done = run("images", str(tmp_path), "--max-size", size)
    assert done.returncode == 2
    assert "isn't a size such as 1920x1080" in done.stderr


def test_the_folder_itself_is_no_place_for_its_originals(folder):
    assert "choose another" in said(run("images", str(folder), "--backup", str(folder)))


def test_without_pillow_the_command_says_what_it_needs(tmp_path):
    done = run("images", str(tmp_path), command=without("PIL"))
    assert 'pip install "wsgiperf[media]"' in said(done)


def test_ctrl_c_leaves_every_picture_old_or_new(tmp_path):
    names = [f"{number:03}.jpg" for number in range(150)]
    for name in names:
        (tmp_path / name).write_bytes(LARGE)
    command = subprocess.Popen(
        [*COMMAND, "images", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment({}), start_new_session=True, preexec_fn=hear_ctrl_c,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while (tmp_path / names[3]).stat().st_size == len(LARGE):
        assert time.monotonic() < deadline
        assert command.poll() is None
        time.sleep(0.005)
    os.killpg(command.pid, signal.SIGINT)
    out, errors = command.communicate(timeout=60)
    assert command.returncode == 130, errors
    assert "Traceback" not in errors
    sizes = {name: (tmp_path / name).stat().st_size for name in names}
    new = [name for name in names if sizes[name] != len(LARGE)]
    assert 3 < len(new) < len(names)
    assert f"made smaller  {len(new):>5}" in out
    assert re.search(rf"^not reached  +{len(names) - len(new)}$", out, re.MULTILINE)
    for name in names:
        decoded((tmp_path / name).read_bytes())
    assert sorted(os.listdir(tmp_path)) == names
