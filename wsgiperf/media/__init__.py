"""Pictures and videos that people send: any bytes in, the smallest honest file or one `MediaError` out.

Pillow, of the extra `media`, is imported when the first of these names is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wsgiperf.media.errors import DamagedMediaError, MediaError, TooLargeMediaError, UnsupportedMediaError

if TYPE_CHECKING:
    from wsgiperf.media.limits import Limits
    from wsgiperf.media.pictures.batches import optimize_many
    from wsgiperf.media.pictures.optimising import optimize, to_avif, to_webp
    from wsgiperf.media.pictures.placeholders import Placeholder, placeholder
    from wsgiperf.media.pictures.probing import Probed, probe
    from wsgiperf.media.pictures.responsive import SrcSet, srcset
    from wsgiperf.media.pictures.results import Optimized
    from wsgiperf.media.pictures.thumbnailing import thumbnails
    from wsgiperf.media.uploads import Upload, UploadCheck, accept_upload, check_upload

__all__ = [
    "DamagedMediaError",
    "Limits",
    "MediaError",
    "Optimized",
    "Placeholder",
    "Probed",
    "SrcSet",
    "TooLargeMediaError",
    "UnsupportedMediaError",
    "Upload",
    "UploadCheck",
    "accept_upload",
    "check_upload",
    "optimize",
    "optimize_many",
    "placeholder",
    "probe",
    "srcset",
    "thumbnails",
    "to_avif",
    "to_webp",
]

_HOMES = {
    "Limits": "limits",
    "Optimized": "pictures.results",
    "Placeholder": "pictures.placeholders",
    "Probed": "pictures.probing",
    "SrcSet": "pictures.responsive",
    "Upload": "uploads",
    "UploadCheck": "uploads",
    "accept_upload": "uploads",
    "check_upload": "uploads",
    "optimize": "pictures.optimising",
    "optimize_many": "pictures.batches",
    "placeholder": "pictures.placeholders",
    "probe": "pictures.probing",
    "srcset": "pictures.responsive",
    "thumbnails": "pictures.thumbnailing",
    "to_avif": "pictures.optimising",
    "to_webp": "pictures.optimising",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
