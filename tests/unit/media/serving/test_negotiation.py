"""Which type a client gets, by its Accept."""

import pytest

from wsgiperf.media.serving.negotiation import PLAIN, negotiate

from .site import CHROMIUM, OLD, WEBP_ONLY

AVIF, WEBP, JPEG, PNG = "image/avif", "image/webp", "image/jpeg", "image/png"
FIREFOX = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
SAFARI = (
    "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,"
    "image/svg+xml,image/*;q=0.8,*/*;q=0.5"
)
PAGE = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)

# What is stored, Accept, what it becomes.
CASES = {
    "Chromium": (JPEG, CHROMIUM, AVIF),
    "Firefox": (JPEG, FIREFOX, AVIF),
    "Safari": (JPEG, SAFARI, AVIF),
    "Chromium opening an image": (JPEG, PAGE, AVIF),
    "a browser that knows WebP": (PNG, WEBP_ONLY, WEBP),
    "an old browser": (JPEG, OLD, None),
    "no field": (JPEG, None, None),
    "an empty field": (JPEG, "", None),
    "anything": (JPEG, "*/*", None),
    "any image": (JPEG, "image/*", None),
    "any image and anything": (PNG, "image/*,*/*;q=0.8", None),
    "a page only": (JPEG, "text/html", None),
    "AVIF refused": (JPEG, "image/avif;q=0,image/webp", WEBP),
    "both refused": (JPEG, "image/avif;q=0,image/webp;q=0.000,*/*", None),
    "refused the second time": (JPEG, "image/avif,image/avif;q=0", None),
    "WebP preferred": (JPEG, "image/avif;q=0.5,image/webp;q=0.8", WEBP),
    "the stored type preferred": (JPEG, "image/avif;q=0.5,image/jpeg", None),
    "the stored type preferred by a range": (JPEG, "image/avif;q=0.5,image/*;q=0.9", None),
    "the stored type less so": (PNG, "image/avif;q=0.9,image/*;q=0.8", AVIF),
    "upper case, spaces": (JPEG, " IMAGE/AVIF ; Q=0.9 , text/html", AVIF),
    "no weight": (JPEG, "image/avif;q=much,image/webp", WEBP),
    "a weight over one": (JPEG, "image/avif;q=1.5,image/webp", WEBP),
    "not ASCII": (JPEG, "image/avif;q=0.\xb2,image/webp", WEBP),
    "a parameter before the weight": (JPEG, "image/avif;v=1;q=0,image/webp", WEBP),
    "AVIF for Chromium": (AVIF, CHROMIUM, None),
    "WebP for Chromium": (WEBP, CHROMIUM, None),
    "WebP for a browser that knows it": (WEBP, WEBP_ONLY, None),
    "AVIF for a browser that knows WebP": (AVIF, WEBP_ONLY, WEBP),
    "AVIF for an old browser": (AVIF, OLD, PLAIN),
    "WebP for an old browser": (WEBP, OLD, PLAIN),
    "AVIF for no field": (AVIF, None, None),
    "AVIF for anything": (AVIF, "*/*", None),
    "AVIF for any image": (AVIF, "image/*,*/*;q=0.8", None),
    "AVIF refused, stored so": (AVIF, "image/avif;q=0,*/*", PLAIN),
    "AVIF for one who names JPEG alone": (AVIF, "image/jpeg", PLAIN),
    "AVIF for a page": (AVIF, "text/html,*/*;q=0.8", None),
}


@pytest.mark.parametrize(("stored", "accept", "wanted"), CASES.values(), ids=CASES)
def test_what_a_picture_becomes(stored, accept, wanted):
    wish = negotiate(accept, (AVIF, WEBP))
    assert wish.target(stored) == wanted
    if wanted is not None:
        assert not wish.says_nothing


def test_the_order_of_the_formats_decides_between_equals():
    assert negotiate(CHROMIUM, (WEBP, AVIF)).target(JPEG) == WEBP


def test_what_is_not_offered_is_not_given():
    assert negotiate(CHROMIUM, (WEBP,)).target(JPEG) == WEBP
    assert negotiate(CHROMIUM, ()).target(JPEG) is None


@pytest.mark.parametrize("accept", [None, "", "*/*", "image/*", "text/html,*/*"])
def test_who_names_no_type_wishes_nothing(accept):
    assert negotiate(accept, (AVIF, WEBP)).says_nothing
