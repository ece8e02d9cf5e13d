"""Forms: a token in each, checked before any view sees what was sent."""

import hmac
import secrets

from flask import abort, request, session

LONGEST_NAME = 40
LONGEST_COMMENT = 600


def init_app(app):
    app.before_request(check_token)
    app.jinja_env.globals["form_token"] = form_token


def form_token():
    """The visitor's token; printed into each form, kept in the signed session cookie."""
    return session.setdefault("form_token", secrets.token_urlsafe(32))


def check_token():
    """Refuse a form that no page of ours handed out to this visitor."""
    if request.method != "POST":
        return
    kept = session.get("form_token", "")
    sent = request.form.get("form_token", "")
    # As bytes: comparing text raises for anything but ASCII, and `sent` may be anything.
    if not kept or not hmac.compare_digest(kept.encode(), sent.encode()):
        abort(403, "This form has expired. Please go back, reload the page and try again.")


def comment_errors(name, text):
    """What is wrong with a comment, by field."""
    errors = {}
    if not 1 <= len(name) <= LONGEST_NAME:
        errors["name"] = f"Please give a name of at most {LONGEST_NAME} letters."
    if not 1 <= len(text) <= LONGEST_COMMENT:
        errors["text"] = f"Please write between 1 and {LONGEST_COMMENT} letters."
    return errors
