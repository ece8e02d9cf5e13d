"""The forms; Django adds its token to each and checks it."""

from communiconnect import photos
from django import forms

from wsgiperf.django.uploads import UploadValidator

from .models import Comment


class CommentForm(forms.ModelForm):
    class Meta:
        model = Comment
        fields = ("name", "text")
        labels = {"text": "Comment"}  # noqa: RUF012 - read once, by Django
        widgets = {"text": forms.Textarea({"rows": 4})}  # noqa: RUF012


class PhotoForm(forms.Form):
    # Its content is looked at, and nothing is stored yet.
    photo = forms.FileField(
        label="Your photo or video",
        error_messages={"required": photos.MISSING},
        validators=[UploadValidator(sentences=photos.SENTENCES, **photos.ACCEPTED)],
    )
