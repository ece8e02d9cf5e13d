"""The Django host: `wrap` for wsgi.py, `options` for views.

`"wsgiperf.django"` in INSTALLED_APPS adds system checks and `manage.py wsgiperf settings`.
"""

from wsgiperf.django.decorators import options
from wsgiperf.django.host import wrap

__all__ = ["options", "wrap"]
