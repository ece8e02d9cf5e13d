"""Files that people send: taken in bounded steps, judged by their content, stored under names of ours."""

from __future__ import annotations

from wsgiperf.media.uploads.accepting import accept_upload
from wsgiperf.media.uploads.checking import UploadCheck, check_upload
from wsgiperf.media.uploads.result import StoredFile, Upload
from wsgiperf.media.uploads.wording import SENTENCES, sentence

__all__ = ["SENTENCES", "StoredFile", "Upload", "UploadCheck", "accept_upload", "check_upload", "sentence"]
