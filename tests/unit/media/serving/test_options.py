"""The options of the part, and requests that ask to be left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf import MediaMiddleware, SettingsError
from wsgiperf.media.serving.negotiation import PLAIN, negotiate
from wsgiperf.settings import MediaSettings

from .site import CHROMIUM, OLD, WEBP_ONLY, Site, get, kind_of, part, warm

BAD = {
    "a format that isn't offered": {"formats": ["jxl"]},
    "a width of nothing": {"widths": [0]},
    "a width wider than WebP can be": {"widths": [16_384]},
    "a width that is no whole number": {"widths": [1.5]},
    "a width that is true": {"widths": [True]},
    "too many widths": {"widths": range(1, 40)},
    "a number for a list": {"widths": 5},
    "bytes": {"widths": b"12"},
    "a quality above the scale": {"quality": 101},
    "no threads": {"threads": 0},
    "a path with a zero byte": {"directory": "a\0b"},
    "an unknown one": {"format": "avif"},
}


@pytest.mark.parametrize("options", BAD.values(), ids=BAD)
def test_a_bad_option_is_one_typed_error(options):
    with pytest.raises(SettingsError, match=r"media\."):
        MediaMiddleware(**options)


@pytest.mark.parametrize(
    ("given_widths", "kept"),
    [("320, 640,", (320, 640)), ([320], (320,)), (range(1, 3), (1, 2)), ("", ())],
    ids=["text", "a list", "a range", "none"],
)
def test_widths_are_numbers_or_text(given_widths, kept):
    assert MediaSettings(widths=given_widths).widths == kept


def test_a_text_of_anything_else_is_refused():
    with pytest.raises(SettingsError):
        MediaSettings(widths="wide")


@pytest.mark.parametrize(
    ("options", "accept", "name"),
    [
        ({"formats": ("webp", "avif")}, CHROMIUM, "WEBP"),
        ({"formats": ("avif",)}, WEBP_ONLY, "JPEG"),
        ({"auto_webp": False}, WEBP_ONLY, "JPEG"),
        ({"auto_webp": False}, CHROMIUM, "AVIF"),
        ({"formats": ()}, CHROMIUM, "JPEG"),
        ({"minimum_size": 10**6}, CHROMIUM, "JPEG"),
        ({"maximum_size": 2000}, CHROMIUM, "JPEG"),
        ({"maximum_pixels": 1000}, CHROMIUM, "JPEG"),
    ],
)
def test_what_is_offered(tmp_path, options, accept, name):
    assert kind_of(warm(part(Site(), tmp_path, **options), accept=accept).body)[0] == name


def test_a_lower_quality_is_a_smaller_file(tmp_path):
    sizes = [len(warm(part(Site(), tmp_path, quality=quality)).body) for quality in (30, 85)]
    assert sizes[0] < sizes[1] * 0.7


def test_a_client_can_ask_for_the_file_itself(tmp_path):
    """RFC 9111 section 5.2.1.6."""
    site = Site()
    app = part(site, tmp_path)
    warm(app)
    got = get(app, headers={"Cache-Control": "no-transform"})
    assert (got.body, got["ETag"], got["Vary"]) == (site.body, '"v1"', "Accept")


def test_without_pillow_pictures_go_out_as_they_are(tmp_path, monkeypatch, caplog):
    import importlib.util
    import sys

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "PIL", None)
    for name in [name for name in sys.modules if name.startswith("wsgiperf.media.pictures")]:
        monkeypatch.delitem(sys.modules, name)
    site = Site()
    app = part(site, tmp_path)
    assert "Pillow" in caplog.text
    assert warm(app).body == site.body


@given(accept=st.text(max_size=80) | st.from_regex(r"(image/(avif|webp|\*)(;q=[0-9.]{0,5})?[ ,;]*){0,6}"))
def test_any_accept_is_understood_somehow(accept):
    wish = negotiate(accept, ("image/avif", "image/webp"))
    for stored in ("image/jpeg", "image/avif", "image/webp"):
        assert wish.target(stored) in ("image/avif", "image/webp", PLAIN, None)
        if wish.target(stored) == stored:
            raise AssertionError("converted into itself")
    if "avif" not in accept.lower():
        assert wish.target("image/jpeg") != "image/avif"


def test_an_old_client_and_a_new_one_do_not_disturb_each_other(tmp_path):
    app = part(Site(), tmp_path)
    for _ in range(3):
        assert kind_of(warm(app).body)[0] == "AVIF"
        assert kind_of(get(app, accept=OLD).body)[0] == "JPEG"
