"""Validators of forms: what WTForms and Django are told, and that they agree with `accept_upload`."""

from io import BytesIO
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.migrations.writer import MigrationWriter
from werkzeug.datastructures import FileStorage

from tests.unit.media.uploads.test_accepting import PICTURES, REFUSED
from wsgiperf.django.uploads import UploadValidator
from wsgiperf.errors import SettingsError
from wsgiperf.media import MediaError
from wsgiperf.media.uploads import SENTENCES, UploadCheck, check_upload


def field(data, name="photo.jpg"):
    return SimpleNamespace(data=FileStorage(BytesIO(data), name))


@pytest.mark.parametrize("name", PICTURES)
def test_a_good_picture_passes_and_stands_where_it_stood(name):
    data = PICTURES[name][0]
    sent = field(data)
    sent.data.stream.seek(3)
    UploadCheck()(None, sent)
    assert sent.data.stream.tell() == 3
    UploadValidator()(SimpleUploadedFile("photo.exe", data, "text/html"))
    assert check_upload(BytesIO(data)) == "image"


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_refused_is_refused(name):
    data, options, reason = REFUSED[name]
    with pytest.raises(MediaError) as caught:
        check_upload(BytesIO(data), **options)
    assert caught.value.reason == reason
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$") as said:
        UploadCheck(**options)(None, field(data))
    assert str(said.value) == SENTENCES[reason]
    if data:
        with pytest.raises(ValidationError) as invalid:
            UploadValidator(**options)(SimpleUploadedFile("photo.jpg", data))
        assert invalid.value.messages == [SENTENCES[reason]]
        assert invalid.value.code == reason


def test_videos(video):
    with video("vp9.webm").open("rb") as file:
        assert check_upload(file, max_seconds=7) == "video"
        assert UploadCheck(max_seconds=5).error(file) == SENTENCES["too_long"]
        assert UploadCheck(max_seconds=5, sentences={"too_long": "5 s!"}).error(file) == "5 s!"


class Sent(dict):
    """What a form is made of."""

    def getlist(self, name):
        return [self[name]]


@pytest.mark.parametrize(
    ("data", "said"),
    [(PICTURES["jpeg"][0], []), (b"nothing", [SENTENCES["not_an_image"]]), (b"", [SENTENCES["empty"]])],
    ids=["good", "text", "empty"],
)
def test_a_form_of_wtforms_shows_the_sentence(data, said):
    wtforms = pytest.importorskip("wtforms")

    class Form(wtforms.Form):
        photo = wtforms.FileField(validators=[UploadCheck(kinds=("image",))])

    form = Form(Sent(photo=FileStorage(BytesIO(data), "photo.jpg")))
    assert form.validate() == (not said)
    assert list(form.photo.errors) == said


@pytest.mark.parametrize("none", [None, "", FileStorage(BytesIO(b""), "")])
def test_no_file_at_all(none):
    assert UploadCheck().error(none) == "Please choose a file."
    assert UploadCheck(missing="Nothing?").error(none) == "Nothing?"
    assert UploadCheck(required=False).error(none) is None


def test_wrong_options_are_said_at_once():
    for validator in (UploadCheck, UploadValidator):
        with pytest.raises(SettingsError):
            validator(kinds=("audio",))


def test_a_validator_goes_into_a_migration():
    validator = UploadValidator(kinds=["image"], max_bytes=5_000_000, sentences={"empty": "?"})
    written, imports = MigrationWriter.serialize(validator)
    names = {}
    exec("\n".join(imports), names)  # as the migration would
    assert eval(written, names) == validator
    assert validator != UploadValidator()
