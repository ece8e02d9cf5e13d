"""Error pages: HTML for people, JSON under /api/."""

from communiconnect import photos
from flask import json, render_template, request
from werkzeug.exceptions import HTTPException

TEXTS = {
    404: ("Nobody lives here", "The page may have moved house, or the address has a slip in it."),
    413: ("Too large", photos.SENTENCES["too_many_bytes"]),
    500: ("Something broke", "It is our fault, it has been written down, and somebody will look at it."),
}


def init_app(app):
    # Also called, with an InternalServerError, for an exception that a view lets through.
    app.register_error_handler(HTTPException, error_page)


def error_page(error):
    response = error.get_response()  # with the fields that belong to it, such as Allow for a 405
    if request.path.startswith("/api/"):
        response.content_type = "application/json"
        response.data = json.dumps({"error": error.name})
    else:
        title, text = TEXTS.get(error.code, (error.name, error.description))
        response.data = render_template("error.html", code=error.code, title=title, text=text)
        response.cache_control.no_store = True  # it names this very request
    return response
