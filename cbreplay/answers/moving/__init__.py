"""A page that moves: every answer of its controls, worked out when it is made."""

from __future__ import annotations

from cbreplay.answers.moving.choosing import NamedSetting
from cbreplay.answers.moving.program import MovingQuestion, moving_members

__all__ = ["MovingQuestion", "NamedSetting", "moving_members"]
