"""A page with a picture in a plain `img`, in front of files as Flask serves them."""

import os
from io import BytesIO
from pathlib import Path

from flask import Flask
from PIL import Image

PAGE = """<!doctype html>
<html lang="en">
<title>A picture</title>
<link rel="icon" href="data:,">
<img src="/files/photo.jpg" alt="some noise" width="800" height="600">
"""


def write_pictures(folder: Path) -> None:
    """A photo, and the same as AVIF."""
    image = Image.effect_noise((200, 150), 60).resize((800, 600)).convert("RGB")
    for name, options in (("photo.jpg", {"quality": 95}), ("photo.avif", {"quality": 60, "speed": 10})):
        file = BytesIO()
        image.save(file, name.rpartition(".")[2].replace("jpg", "jpeg"), **options)
        (folder / name).write_bytes(file.getvalue())


application = Flask(__name__, static_folder=os.environ.get("PICTURES", "files"), static_url_path="/files")


@application.get("/")
def page() -> str:
    return PAGE
