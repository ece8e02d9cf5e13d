"""Files made to do harm, sent by form: taken or refused with a reason, and nothing left of those refused."""

from io import BytesIO

import pytest

from tests.unit.media import hostile
from wsgiperf.media import MediaError
from wsgiperf.media.errors import REASONS
from wsgiperf.media.uploads import UploadCheck, accept_upload

CASES = hostile.cases()


@pytest.mark.parametrize("name", CASES)
def test_it_is_taken_or_refused(store, stored, name):
    data, expected = CASES[name]
    # Of what is no picture it is told that it is no video either.
    expected = {"not_an_image": "format_refused"}.get(expected, expected)
    upload, reason = told(data, store)
    assert reason == (expected or reason)
    if upload is None:
        assert reason in REASONS
        assert stored() == []
    else:
        assert stored() == sorted({file.name for file in upload.files})


def told(data, store):
    try:
        return accept_upload(BytesIO(data), store), None
    except MediaError as error:
        return None, error.reason


@pytest.mark.parametrize("name", CASES)
def test_a_form_says_so_in_a_sentence(name):
    said = UploadCheck().error(BytesIO(CASES[name][0]))
    assert said is None or said.endswith(".")
