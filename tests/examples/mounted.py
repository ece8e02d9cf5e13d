"""Both example sites in one process, as a demo serves them and under a prefix each."""

from app import app
from mysite.wsgi import application
from werkzeug.middleware.dispatcher import DispatcherMiddleware

mounted = DispatcherMiddleware(app, {"/flask": app, "/django": application})
