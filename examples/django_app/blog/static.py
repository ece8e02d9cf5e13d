from django.urls import get_script_prefix
from whitenoise.storage import CompressedManifestStaticFilesStorage


class MountedStorage(CompressedManifestStaticFilesStorage):
    """Hashed names, and addresses under the prefix by which the current request came in."""

    def url(self, name, force=False):
        return get_script_prefix().rstrip("/") + super().url(name, force)
