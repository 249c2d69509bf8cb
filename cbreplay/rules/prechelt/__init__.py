"""Prechelt's stopping rules GL, PQ and UP (1998), which go with every framework."""

from __future__ import annotations

from cbreplay.rules.prechelt.gl import PrecheltGL
from cbreplay.rules.prechelt.pq import PrecheltPQ
from cbreplay.rules.prechelt.up import PrecheltUP

__all__ = ["PrecheltGL", "PrecheltPQ", "PrecheltUP"]
