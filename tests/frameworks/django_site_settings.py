"""Settings of the Django site for the tests."""

SECRET_KEY = "for tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "django_site"
WSGI_APPLICATION = "django_site_wsgi.wrapped"
INSTALLED_APPS = ["wsgiperf.django"]
MIDDLEWARE = ["django.middleware.clickjacking.XFrameOptionsMiddleware"]
STATIC_URL = "assets/"
MEDIA_URL = "/uploads/"
USE_TZ = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": ["wsgiperf.django.context_processors.csp_nonce"],
            "loaders": [
                (
                    "django.template.loaders.locmem.Loader",
                    {"page.html": '<script nonce="{{ csp_nonce }}"></script>'},
                )
            ],
        },
    }
]
LOGGING_CONFIG = None
