"""The Django site for the tests as WSGI applications."""

from django.core.wsgi import get_wsgi_application

from wsgiperf.django import wrap

bare = get_wsgi_application()
wrapped = wrap(get_wsgi_application(), timing=False)
