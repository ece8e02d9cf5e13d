"""Settings. What a deployment changes comes from the environment: see the README."""

import os
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[1]
sys.path.append(str(BASE_DIR.parent / "shared"))  # what both example sites share

from communiconnect import STATIC, photos, storage  # noqa: E402

from . import caching  # noqa: E402

DATA = storage.data_directory("django", BASE_DIR / "instance")
with storage.one_at_a_time(DATA / "start.lock"):
    SECRET_KEY = storage.secret_key(DATA / "secret-key")

DEBUG = os.environ.get("DEMO_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("DEMO_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"
INSTALLED_APPS = ["blog", "wsgiperf.django", "django.contrib.staticfiles"]
# No SecurityMiddleware, XFrameOptionsMiddleware or GZipMiddleware: wsgiperf does their work.
MIDDLEWARE = [
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "blog.middleware.refuse_large_bodies",
    "blog.middleware.send_csrf_cookie_once",
    "django.middleware.csrf.CsrfViewMiddleware",
]
WSGIPERF = {
    "security": {"preset": "strict"},
    "cache": {
        # A name of its own: a purge here is none of another application's business.
        "namespace": "communiconnect-django",
        "rules": caching.RULES,
        "ignored_query": ["utm_*", "fbclid", "gclid"],
    },
    # For who sits at this machine. Behind a proxy that would be everybody: there, set a token instead.
    "monitor": {"access": "loopback", "metrics_path": "/metrics"},
}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["wsgiperf.django.context_processors.csp_nonce", "blog.context.page"],
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "community.sqlite3",
        "OPTIONS": {"timeout": 30},
        "CONN_MAX_AGE": 600,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False

# The prefix under which the site is mounted does not belong here: a server may mount the site in
# several places, and Django would read a relative STATIC_URL once. `MountedStorage` adds it per page.
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [STATIC]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "blog.static.MountedStorage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False  # nobody else has to load our files
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA / "photos"
LARGEST_REQUEST = photos.LARGEST_REQUEST

CSRF_FAILURE_VIEW = "blog.views.csrf_failure"
CSRF_COOKIE_HTTPONLY = True

# With debugging off, too, /boom has to show in the server's log.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}
