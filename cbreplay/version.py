"""Which cbreplay this is; what is read from `cbreplay` itself would be a circle."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
