"""Names of the settings that a recommendation compares, in tables and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.rules.base import format_callback
from cbreplay.rules.families import family_named
from cbreplay.rules.parameters import changed_parameters, parameters_of
from cbreplay.rules.registry import row_of

if TYPE_CHECKING:
    from cbreplay.recommend import Scored

__all__ = ["patience_in_use", "setting_label", "setting_text"]

_NO_STOP = "no early stopping"
# settings whose name never depends on the choice
_FIXED = {
    "none": _NO_STOP,
    "hindsight": "best epoch in hindsight",
    # no patience in its name: it is the longest plan's, and plans differ by run
    "all": "train all, keep the best",
}
# the setting in use is called "now" if it sets only these: its patience is named beside
# it, and restoring makes no difference to what is scored
_USUAL = {"patience", "restore_best_weights"}


def setting_label(scored: Scored) -> str:
    """Name a setting in a few words."""
    if scored.label in _FIXED:
        return _FIXED[scored.label]
    if scored.label == "current":
        in_use = patience_in_use(scored)
        return "now" if in_use is None else f"now: {in_use:g}"
    if not scored.of_other_rule and "patience" in scored.parameters:
        return _label_of_patience(scored, scored.parameters["patience"])
    # another rule: every parameter that was tried; the monitor is the same for all
    tried = [f"{name}={value}" for name, value in scored.parameters.items()]
    return f"{scored.label}({', '.join(tried)})"


def _label_of_patience(scored: Scored, patience: float) -> str:
    # where a promise lets a share of groups break the tolerance, it is not "kept"
    kept = "for the tolerance" if scored.breaks_tolerance else "keeps the tolerance"
    titles = {
        "recommended": "recommended",
        "tolerance": kept,
        "cheapest": "cheapest",
        "default": _default_of(scored),
    }
    if scored.label in titles:
        return f"{titles[scored.label]}: {patience}"
    words = f"patience {patience}"
    if scored.label == "start":
        words += f" from epoch {scored.parameters['start_from_epoch'] + 1}"
    if scored.label == "min_delta":
        words += f", min_delta {scored.parameters['min_delta']:g}"
    return words


def setting_text(scored: Scored) -> str:
    """Write a setting as code: the chosen parameters, or the list of another rule."""
    if scored.callbacks is None:
        return "the best epoch in hindsight"
    if not scored.of_other_rule and "patience" in scored.parameters:
        values = scored.parameters.items()
        return ", ".join(f"{name}={value:g}" for name, value in values)
    rules = scored.callbacks if scored.rule is None else (scored.rule,)
    return ", ".join(map(format_callback, rules)) or _NO_STOP


def _default_of(scored: Scored) -> str:
    """Say whose default a setting is: that of its framework."""
    row = None if scored.rule is None else row_of(type(scored.rule))
    if row is None or not row.family:
        return "default"
    return f"{family_named(row.family).title}'s default"


def patience_in_use(scored: Scored | None) -> float | None:
    """Return the patience of the setting in use, where the rest of it is as usual.

    None where another parameter than `restore_best_weights` is not the default, or
    where it is not one stopping rule alone.
    """
    if scored is None or scored.callbacks is None or len(scored.callbacks) != 1:
        return None
    rule: Any = scored.callbacks[0]
    if row_of(type(rule)) is None or not rule.stops_early:
        return None
    has_patience = "patience" in parameters_of(rule)
    usual = has_patience and changed_parameters(rule).keys() <= _USUAL
    return float(rule.patience) if usual else None
