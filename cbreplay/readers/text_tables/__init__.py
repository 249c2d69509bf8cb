"""Readers of text with one row for each epoch, as Keras's CSVLogger writes it."""

from __future__ import annotations
