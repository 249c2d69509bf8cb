"""What the settings beside a recommendation are called, in a table and in a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.rules.base import changed_parameters, format_callback

if TYPE_CHECKING:
    from cbreplay.recommend import Scored

__all__ = ["patience_in_use", "setting_label", "setting_text"]

# what has one name whatever was chosen
_FIXED = {
    "default": "Keras's default: 0",
    "none": "no EarlyStopping",
    "hindsight": "best epoch in hindsight",
}
_CHOSEN = ("recommended", "cheapest")


def setting_label(scored: Scored) -> str:
    """Name a setting in a few words."""
    if scored.label in _FIXED:
        return _FIXED[scored.label]
    if scored.label == "current":
        in_use = patience_in_use(scored)
        return "now" if in_use is None else f"now: {in_use:g}"
    patience = scored.parameters.get("patience")
    if patience is None:
        # of a rule without a patience what was tried; its monitor is that of the others
        tried = [f"{name}={value}" for name, value in scored.parameters.items()]
        return f"{scored.label}({', '.join(tried)})"
    if scored.label == "tolerance":
        # the promise allows it on one group in ten
        kept = "for the tolerance" if scored.breaks_tolerance else "keeps the tolerance"
        return f"{kept}: {patience}"
    if scored.label in _CHOSEN:
        return f"{scored.label}: {patience}"
    words = f"patience {patience}"
    if scored.label == "start":
        words += f" from epoch {scored.parameters['start_from_epoch'] + 1}"
    if scored.label == "min_delta":
        words += f", min_delta {scored.parameters['min_delta']:g}"
    return words


def setting_text(scored: Scored) -> str:
    """Write a setting as a program or a log has it.

    The parameters of the patience that were chosen; the code of any other list.
    """
    if scored.callbacks is None:
        return "the best epoch in hindsight"
    if "patience" in scored.parameters:
        values = scored.parameters.items()
        return ", ".join(f"{name}={value:g}" for name, value in values)
    rules = scored.callbacks if scored.rule is None else (scored.rule,)
    return ", ".join(map(format_callback, rules)) or "no EarlyStopping"


def patience_in_use(scored: Scored | None) -> float | None:
    """Return the patience of the setting in use, where the rest of it is as usual.

    None where another parameter than `restore_best_weights` is not the default, or
    where it is not one rule alone that stops by a patience.
    """
    if scored is None or scored.callbacks is None or len(scored.callbacks) != 1:
        return None
    rule: Any = scored.callbacks[0]
    if not rule.sets_objective:
        return None
    usual = {*changed_parameters(rule)} <= {"patience", "restore_best_weights"}
    patience: float | None = rule.patience if usual else None
    return patience
