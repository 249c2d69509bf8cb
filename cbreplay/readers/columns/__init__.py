"""Text or rows in, named columns of numbers out: what every table is read with."""

from __future__ import annotations
