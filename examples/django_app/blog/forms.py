"""The comment form; Django adds its token and checks it."""

from django import forms

from .models import Comment


class CommentForm(forms.ModelForm):
    class Meta:
        model = Comment
        fields = ("name", "text")
        labels = {"text": "Comment"}  # noqa: RUF012 - read once, by Django
        widgets = {"text": forms.Textarea({"rows": 4})}  # noqa: RUF012
