"""A page with sliders: every answer that they can ask for, computed beforehand."""

from __future__ import annotations

from cbreplay.answers.moving.choosing import NamedSetting
from cbreplay.answers.moving.page_data import MovingQuestion, moving_members

__all__ = ["MovingQuestion", "NamedSetting", "moving_members"]
