"""What both example sites share and no framework has a say in: content, look, photos, events."""

import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
CALENDAR = HERE / "files" / "calendar.ics"


def seed():
    """The first content: topics, members, posts and comments, always the same."""
    return json.loads((HERE / "seed.json").read_text(encoding="utf-8"))


TOPICS = seed()["topics"]
