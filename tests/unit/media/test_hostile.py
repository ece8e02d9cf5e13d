"""Files made to do harm: a sound picture or one error, soon, and in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.media import files, hostile
from wsgiperf.media import Limits, MediaError, optimize, placeholder, probe, srcset, thumbnails
from wsgiperf.media.errors import REASONS

CASES = hostile.cases()
ROOT = Path(__file__).resolve().parents[3]


def told(what, *arguments):
    """What is returned, and the reason of the error where there is one."""
    try:
        return what(*arguments), None
    except MediaError as error:
        return None, error.reason


@pytest.mark.parametrize("name", CASES)
def test_it_ends_in_a_sound_picture_or_in_one_error(name):
    data, expected = CASES[name]
    result, reason = told(optimize, data)
    assert reason == (expected or reason)
    if result is None:
        assert reason in REASONS
        return
    image = files.decoded(result.data)
    for number in range(result.frames):
        image.seek(number)
        image.load()
    assert result.width <= 1920
    assert result.height <= 1080


@pytest.mark.parametrize("what", [thumbnails, probe, placeholder, srcset], ids=lambda what: what.__name__)
def test_so_does_all_else(what):
    for name, (data, expected) in CASES.items():
        if "damaged" in name and what is not thumbnails:
            continue
        _, reason = told(what, data)
        if reason is not None:
            assert expected in (None, reason), name
        elif expected is not None:
            # A header alone is no work, and a first frame is little.
            assert what is probe or "frames" in name, name


# Each file in a process that has done nothing before, whose address space may grow by 200 MB.
ALONE = """
import json, os, resource, sys, time
sys.path.insert(0, sys.argv[1])
sys.stderr = open(os.devnull, "w")
from tests.unit.media import files, hostile
from wsgiperf.media import MediaError, optimize

def status(field):
    with open("/proc/self/status") as lines:
        return int(next(line.split()[1] for line in lines if line.startswith(field + ":")))

cases = hostile.cases()
cases["boxes that lie"] = hostile.small_avif_header_over_large_pixels(), "damaged"
for name in ("still.avif", "lossy.webp"):
    optimize(files.samples()[name])  # the codecs' own threads and tables
for name, (data, _) in cases.items():
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        continue
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak is counted from here
    # Of the processors' time, which others on the machine don't add to.
    held, before = status("VmHWM"), time.process_time()
    try:
        optimize(data)
        told = "good"
    except MediaError as error:
        told = error.reason
    except BaseException as error:
        told = repr(error)
    seconds, peak = time.process_time() - before, (status("VmHWM") - held) // 1024
    sys.stdout.write(json.dumps([name, told, seconds, peak]) + "\\n")
    sys.stdout.flush()
    os._exit(0)
"""


def test_each_takes_no_more_than_a_second_and_200_megabytes():
    if not os.path.exists("/proc/self/clear_refs"):
        pytest.skip("this system doesn't count a process's peak of memory from a moment on")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(ROOT)], capture_output=True, text=True, timeout=110, check=True
    )
    told = {
        name: (reason, seconds, peak)
        for name, reason, seconds, peak in map(json.loads, done.stdout.splitlines())
    }
    assert told.keys() == {*CASES, "boxes that lie"}  # no process has died
    assert {name: one for name, one in told.items() if one[0] not in {"good", *REASONS}} == {}
    assert {name: one for name, one in told.items() if one[1] > 1 or one[2] > 200} == {}
    assert told["boxes that lie"][0] == "damaged"


LARGEST = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from tests.unit.media import files
from wsgiperf.media import MediaError, optimize, thumbnails

with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]), used + int(sys.argv[2])))
for what in (optimize, thumbnails):
    try:
        print(what.__name__, type(what(sys.argv[3])).__name__)
    except MediaError as error:
        print(what.__name__, error.reason)
"""


def test_what_there_is_no_memory_for_is_an_error_and_not_the_end(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(files.png(5_000, 5_000, 8, 2))
    done = subprocess.run(
        [sys.executable, "-c", LARGEST, str(ROOT), "40000000", str(path)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["optimize", "too_many_pixels", "thumbnails", "too_many_pixels"]


def test_a_photo_of_12_megapixels_takes_a_fraction_of_its_pixels(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(files.encoded(files.photo(4_000, 3_000), "JPEG", quality=90))
    done = subprocess.run(
        [sys.executable, "-c", LARGEST, str(ROOT), "60000000", str(path)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["optimize", "Optimized", "thumbnails", "dict"]


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_bytes=1_000), "too_many_bytes"),
        (Limits(max_pixels=160 * 120 - 1), "too_many_pixels"),
        (Limits(max_memory=10_000), "too_many_pixels"),
        (Limits(max_seconds=1e-9), "too_slow"),
    ],
    ids=["bytes", "pixels", "memory", "seconds"],
)
@pytest.mark.parametrize("name", files.samples())
def test_limits_of_ones_own(name, limits, reason):
    data = files.samples()[name]
    data += bytes(1_001 - len(data)) if len(data) <= 1_000 else b""
    if reason == "too_many_pixels" and "moving" in name:
        limits = Limits(max_pixels=60 * 40 * 4 - 1)
    with pytest.raises(MediaError) as caught:
        optimize(data, limits=limits)
    assert caught.value.reason == reason


def test_only_some_formats_are_taken():
    data = files.samples()["still.gif"]
    with pytest.raises(MediaError) as caught:
        optimize(data, formats={"jpeg", "png"})
    assert caught.value.reason == "format_refused"
    assert optimize(data, formats={"gif"}).format == "gif"


def test_a_name_is_not_believed(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(files.samples()["baseline.jpg"])
    assert optimize(path).format == "jpeg"
