"""Prechelt's stopping rules GL, PQ and UP (1998), which go with every framework."""

from __future__ import annotations
