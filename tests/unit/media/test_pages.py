"""What a page needs: sets of sizes with their HTML, placeholders, probing; and how the package is used."""

import pickle
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import pytest

import wsgiperf.media as media
from tests.unit.media import files
from wsgiperf.errors import SettingsError
from wsgiperf.media.errors import REASONS

PHOTO = files.encoded(files.photo(800, 600), "JPEG", quality=92)


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_a_set_of_widths_with_its_attributes():
    made = media.srcset(PHOTO, "/media/{digest}-{width}.{format}", widths=(200, 400, 1600))
    assert [(one.width, one.height) for one in made.files.values()] == [(200, 150), (400, 300), (800, 600)]
    pairs = made.attributes
    assert (pairs["width"], pairs["height"], pairs["sizes"]) == ("800", "600", "100vw")
    listed = re.findall(r"(\S+) (\d+)w", pairs["srcset"])
    assert [url for url, _ in listed] == list(made.files)
    assert [int(width) for _, width in listed] == [200, 400, 800]
    assert pairs["src"] == listed[-1][0]
    for url, file in made.files.items():
        assert url.endswith(f"-{file.width}.jpg")
        assert files.decoded(file.data).size == (file.width, file.height)


def test_several_formats_make_a_picture_element():
    made = media.srcset(PHOTO, widths=(200, 400), formats=("avif", "webp", "auto"), sizes='(min-width:"9")')
    tags = Tags(made.html('a "quoted" <word>', loading="lazy")).found
    assert [tag for tag, _ in tags] == ["picture", "source", "source", "img"]
    assert [pairs["type"] for _, pairs in tags[1:3]] == ["image/avif", "image/webp"]
    image = tags[-1][1]
    assert (image["alt"], image["loading"], image["sizes"]) == (
        'a "quoted" <word>',
        "lazy",
        '(min-width:"9")',
    )
    urls = [part.split()[0] for _, pairs in tags[1:] for part in pairs["srcset"].split(", ")]
    assert sorted(urls) == sorted(made.files)


def test_urls_cannot_break_the_attribute():
    made = media.srcset(PHOTO, "/my files, all/{width}.{format}", widths=(100,))
    assert list(made.files) == ["/my%20files%2C%20all/100.jpg"]


def test_a_placeholder_is_tiny_and_keeps_place_and_colour():
    made = media.placeholder(files.encoded(files.quadrants(800, 600).convert("RGB"), "PNG"))
    assert (made.width, made.height) == (800, 600)
    assert len(made.uri) < 500
    image = files.decoded(made.data, "RGB")
    assert image.size == (24, 18)
    assert image.getpixel((3, 3))[0] > 180
    red, green, blue = (int(made.color[at : at + 2], 16) for at in (1, 3, 5))
    assert (red, green, blue) == pytest.approx((128, 128, 128), abs=8)
    assert made.uri in made.style


def test_probing_reads_the_header():
    found = media.probe(files.samples()["moving.gif"])
    assert (found.format, found.content_type, found.frames, found.width) == ("gif", "image/gif", 4, 60)
    assert media.probe(files.samples()["glass.png"]).alpha
    assert not media.probe(files.samples()["colours.png"]).alpha
    assert media.probe(files.samples()["progressive.jpg"]).progressive


def test_webp_and_avif(tmp_path):
    for convert, name in [(media.to_webp, "webp"), (media.to_avif, "avif")]:
        made = convert(PHOTO, tmp_path / name, quality=70, max_width=100)
        assert (made.format, made.width) == (name, 100)
        assert (tmp_path / name).read_bytes() == made.data
        assert files.decoded(made.data).format.lower() == name


WRONG = [
    ("optimize", {"quality": 0}), ("optimize", {"quality": 101}), ("optimize", {"quality": True}),
    ("optimize", {"max_width": 0}), ("optimize", {"format": "heic"}), ("optimize", {"format": 5}),
    ("optimize", {"target": "pretty"}), ("optimize", {"target": -5}), ("optimize", {"background": "none"}),
    ("optimize", {"keep": ("gps",)}), ("optimize", {"keep": "icc"}), ("optimize", {"animation": "last"}),
    ("optimize", {"formats": ("eps",)}), ("optimize", {"qualty": 85}), ("thumbnails", {"sizes": ()}),
    ("thumbnails", {"sizes": (0,)}), ("thumbnails", {"sizes": ("1",)}), ("thumbnails", {"fit": "stretch"}),
    ("thumbnails", {"sizes": ((1, 2, 3),)}), ("srcset", {"widths": ()}), ("srcset", {"widths": (-1,)}),
    ("placeholder", {"size": 1000}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "options"), WRONG, ids=str)
def test_a_wrong_option_is_the_callers_mistake_and_not_the_files(what, options):
    with pytest.raises(SettingsError):
        getattr(media, what)(PHOTO, **options)


def test_the_same_bytes_give_the_same_bytes_in_many_threads():
    sources = list(files.samples().values())
    alone = [media.optimize(data, max_width=50).data for data in sources]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(2):
            assert list(pool.map(lambda data: media.optimize(data, max_width=50).data, sources)) == alone


def test_many_come_in_their_order_with_their_errors(tmp_path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(PHOTO)
    sources = [path, b"no picture", *[PHOTO] * 5]
    found = list(media.optimize_many(iter(sources), workers=3, max_width=40))
    assert [source for source, _ in found] == sources
    assert found[1][1].reason == "not_an_image"
    assert [result.width for number, (_, result) in enumerate(found) if number != 1] == [40] * 6


def test_many_are_read_as_they_are_needed():
    asked = []

    def endless():
        while True:
            asked.append(1)
            yield PHOTO

    results = media.optimize_many(endless(), workers=2, max_width=20)
    next(results)
    results.close()
    assert len(asked) <= 5


@pytest.mark.parametrize("reason", REASONS)
def test_errors_come_through_between_processes(reason):
    error = pickle.loads(pickle.dumps(media.TooLargeMediaError(reason, "5")))
    assert (type(error), error.reason, error.detail) == (media.TooLargeMediaError, reason, "5")
    assert str(error) == f"{REASONS[reason]}: 5"


def test_the_package_imports_pillow_when_it_is_used():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import wsgiperf.media as media;"
        "print('PIL' in sys.modules); media.MediaError; print('PIL' in sys.modules);"
        "media.optimize; print('PIL' in sys.modules)"
    )
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run([sys.executable, "-c", program, root], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]


def test_every_name_is_there():
    for name in media.__all__:
        assert getattr(media, name).__doc__
    with pytest.raises(AttributeError):
        _ = media.nothing
