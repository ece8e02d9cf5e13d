"""All pictures that Pillow's own tests use, sound and broken: those of its source distribution.

`pip download --no-binary pillow --no-deps pillow` fetches it; PILLOW_SOURCE names its unpacked folder.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from wsgiperf.media.errors import REASONS

ROOT = Path(__file__).resolve().parents[3]
WEB = {"JPEG", "MPO", "PNG", "WEBP", "GIF", "AVIF"}

EACH = """
import json, sys, time, warnings
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
from io import BytesIO
from PIL import Image
from wsgiperf.media import MediaError, optimize

def peak(reset):
    if reset:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    with open("/proc/self/status") as lines:
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))

def all_frames(image):
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()

for path in sys.stdin.read().splitlines():
    told = {"path": path, "reason": None, "format": None}
    held, before = peak(reset=True), time.perf_counter()
    try:
        result = optimize(path)
        told["seconds"], told["peak"] = time.perf_counter() - before, peak(reset=False) - held
        image = Image.open(BytesIO(result.data))
        all_frames(image)
        told["size"] = [result.width, result.height]
        told["grown"] = result.reason if result.saved < 0 else None
    except MediaError as error:
        told["reason"], told["seconds"] = error.reason, time.perf_counter() - before
        told["peak"] = peak(reset=False) - held
    except BaseException as error:
        told.update(reason="foreign: " + repr(error), seconds=0, peak=0)
    try:
        with Image.open(path) as image:
            all_frames(image)
            told["format"] = image.format
    except BaseException:
        pass
    print(json.dumps(told), flush=True)
"""


@pytest.fixture(scope="module", name="told")
def _told():
    folder = os.environ.get("PILLOW_SOURCE")
    images = Path(folder) / "Tests" / "images" if folder else None
    if images is None or not images.is_dir():
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says("PILLOW_SOURCE names no folder of Pillow's source distribution")
    paths = sorted(str(path) for path in images.rglob("*") if path.is_file())
    done = subprocess.run(
        [sys.executable, "-c", EACH, str(ROOT)], input="\n".join(paths), capture_output=True, text=True,
        timeout=110, check=True,
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["path"] for one in told] == paths
    print(Counter(one["reason"] or "good" for one in told), "peak", max(one["peak"] for one in told), "kB")
    return told


def test_each_gives_a_sound_picture_or_one_error(told):
    wrong = [one for one in told if one["reason"] is not None and one["reason"] not in REASONS]
    assert wrong == []
    assert sum(one["reason"] is None for one in told) > 500


def test_each_takes_little_time_and_memory(told):
    assert [one for one in told if one["seconds"] > 5] == []
    assert [one for one in told if one["peak"] > 200_000] == []


def test_each_fits(told):
    sizes = [one["size"] for one in told if one["reason"] is None]
    assert all(1 <= width <= 1920 and 1 <= height <= 1080 for width, height in sizes)


def test_what_pillow_decodes_of_the_web_is_hardly_ever_refused(told):
    decodable = [one for one in told if one["format"] in WEB]
    refused = [(one["path"], one["reason"]) for one in decodable if one["reason"] is not None]
    assert len(decodable) > 400
    assert len(refused) <= len(decodable) / 100, refused


def test_what_grows_says_why(told):
    assert {one["grown"] for one in told if one["reason"] is None} <= {
        None, "private", "turned", "fitted", "coloured", "converted"
    }  # fmt: skip
