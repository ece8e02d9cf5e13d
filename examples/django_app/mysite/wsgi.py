"""The site as a WSGI application: `gunicorn --chdir examples/django_app mysite.wsgi:application`."""

import os

import django
from django.core.wsgi import get_wsgi_application

from wsgiperf.django import wrap

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")

# Before the handler is built: WhiteNoise then lists the collected files, once.
django.setup()
from blog.prepare import prepare  # noqa: E402

prepare()
application = wrap(get_wsgi_application())
