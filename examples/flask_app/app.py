"""The Flask site.

Here: `flask --app app run`. From the root: `gunicorn --chdir examples/flask_app app:app`.
"""

import sys
from pathlib import Path

# Found wherever the process was started: this site's package, and next door what both sites share.
HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "shared")]

from community import create_app  # noqa: E402

app = create_app()
