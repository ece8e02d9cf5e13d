"""The Django host: `wrap` for wsgi.py, `options`, `cached` and `cache_tags` for views, `purge` for any code.

`"wsgiperf.django"` in INSTALLED_APPS adds system checks, `manage.py wsgiperf settings` and
`manage.py wsgiperf purge`.
"""

from wsgiperf.caching_options import cache_tags
from wsgiperf.django.decorators import cached, options
from wsgiperf.django.host import wrap
from wsgiperf.django.purging import purge

__all__ = ["cache_tags", "cached", "options", "purge", "wrap"]
