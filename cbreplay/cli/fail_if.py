"""``--fail-if``: conditions under which a command fails, for a pipeline."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.errors import ConfigError
from cbreplay.wording.near_names import nearest_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.recommend import Recommendation

__all__ = ["Check", "failed_checks", "read_check"]

_NAMES = ("mean_regret", "worst_regret", "left_out_regret")
_NONE = "no-recommendation"
_FORM = r"\s*(\w+)\s*(>=|>|<=|<)\s*(\S+)\s*"


class Check(NamedTuple):
    """A condition under which a command fails.

    Parameters
    ----------
    text : str
        The condition as it was typed.
    name : str
        ``no-recommendation``, or the figure that is compared.
    operator, value : str, float
        The comparison, and the number that the figure is compared with.
    """

    text: str
    name: str
    operator: str = ""
    value: float = 0.0

    def holds(self, figure: float) -> bool:
        """Return whether a figure meets the condition."""
        return {
            ">": figure > self.value,
            ">=": figure >= self.value,
            "<": figure < self.value,
            "<=": figure <= self.value,
        }[self.operator]


def read_check(text: str) -> Check:
    """Read a condition such as ``left_out_regret>0.01``.

    Raises
    ------
    ConfigError
        If it is not a condition.
    """
    if text.strip() == _NONE:
        return Check(text, _NONE)
    form = re.fullmatch(_FORM, text)
    known = [*_NAMES, _NONE]
    if form is not None and form[1] in _NAMES:
        try:
            value = float(form[3])
        except ValueError:
            value = math.nan
        if not math.isnan(value):
            return Check(text.strip(), form[1], form[2], value)
        sentence = (
            f"--fail-if is {text!r}, where a number is expected after {form[2]} (as "
            f'"{form[1]}{form[2]}0.01"), and {form[3]!r} is none'
        )
        raise ConfigError(sentence)
    near = "" if form is None else nearest_name(form[1], known)
    sentence = (
        f"--fail-if is {text!r}, where {', '.join(_NAMES)} with >, >=, < or <= and a "
        f'number (as "left_out_regret>0.01"), or {_NONE}, is expected{near}'
    )
    raise ConfigError(sentence)


def failed_checks(checks: Sequence[Check], advice: Recommendation) -> list[str]:
    """Return a sentence for each check that fails."""
    sentences = []
    for check in checks:
        if check.name == _NONE:
            if advice.kind == "none":
                sentences.append("nothing is recommended")
            continue
        figure = advice.checked(check.name)
        if figure is None:
            why = "is only a bound: some logs end too early to tell it"
            if advice.kind == "none":
                why = "is unknown: nothing is recommended"
            sentences.append(f"{check.text}: {check.name} {why}")
        elif check.holds(figure):
            shown = f"{figure:.6g}"
            if not check.holds(float(shown)):
                # 0.0100000001 is above 0.01, and its first digits are not
                shown = repr(float(figure))
            sentences.append(f"{check.text}: {check.name} is {shown}")
    return sentences
