"""The Django application, for INSTALLED_APPS."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["WSGIPerfConfig"]


class WSGIPerfConfig(AppConfig):
    """System checks and a management command; it has no models."""

    name = "wsgiperf.django"
    label = "wsgiperf"
    verbose_name = "wsgiperf"

    def ready(self) -> None:
        """Register the system checks."""
        from wsgiperf.django import checks

        checks.register_all()
