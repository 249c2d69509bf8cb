"""The version of cbreplay, in a module of its own to avoid circular imports."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
