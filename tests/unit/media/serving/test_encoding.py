"""What is made of a picture, and when it isn't worth it."""

from io import BytesIO

import pytest
from PIL import Image

from wsgiperf.media.serving.encoding import encode
from wsgiperf.media.serving.negotiation import PLAIN


def flat(name, **options):
    """A picture so small already that no other format saves anything."""
    sink = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(sink, name, **options)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("stored", "target"),
    [("AVIF", "image/webp"), ("WEBP", "image/avif"), ("AVIF", PLAIN), ("WEBP", PLAIN)],
)
def test_who_cannot_show_the_original_gets_another_at_any_price(stored, target):
    made = encode(flat(stored), target, None, 85, most_pixels=10**6, seconds=10)
    assert made is not None
    wanted = "JPEG" if target == PLAIN else target.removeprefix("image/").upper()
    assert Image.open(BytesIO(made)).format == wanted


def test_others_keep_what_is_small_already():
    assert encode(flat("PNG"), "image/avif", None, 85, most_pixels=10**6, seconds=10) is None


def test_the_same_format_is_left_alone():
    assert encode(flat("AVIF"), "image/avif", None, 85, most_pixels=10**6, seconds=10) is None
