"""Every option of every part, declared once. `configuration.py` finds out their values.

To add a part's options: declare its section in a file of its own here, and add it to `SECTIONS`.
"""

from __future__ import annotations

from wsgiperf.settings.cache import CacheSettings
from wsgiperf.settings.compression import CompressionSettings
from wsgiperf.settings.media import MediaSettings
from wsgiperf.settings.monitor import MonitorSettings
from wsgiperf.settings.request_id import RequestIdSettings
from wsgiperf.settings.section import YEAR, Section, nearest
from wsgiperf.settings.security import SecuritySettings
from wsgiperf.settings.timing import TimingSettings

__all__ = [
    "SECTIONS",
    "YEAR",
    "CacheSettings",
    "CompressionSettings",
    "MediaSettings",
    "MonitorSettings",
    "RequestIdSettings",
    "Section",
    "SecuritySettings",
    "TimingSettings",
    "nearest",
]

#: Every section of `wrap`, outermost part first.
SECTIONS: dict[str, type[Section]] = {
    "monitor": MonitorSettings,
    "request_id": RequestIdSettings,
    "timing": TimingSettings,
    "security": SecuritySettings,
    "compression": CompressionSettings,
    "cache": CacheSettings,
    "media": MediaSettings,
}
