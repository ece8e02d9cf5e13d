"""The error by which WTForms knows that a field was refused."""

from __future__ import annotations

from importlib import import_module

__all__ = ["refusal"]


def refusal(message: str) -> ValueError:
    """WTForms' own `ValidationError`, which is a ValueError; that alone where WTForms isn't installed."""
    try:
        validators = import_module("wtforms.validators")
    except ModuleNotFoundError:
        return ValueError(message)
    error: ValueError = validators.ValidationError(message)
    return error
