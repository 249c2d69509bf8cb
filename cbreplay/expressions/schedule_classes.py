"""Which expressions of a script make a LearningRateSchedule."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cbreplay.expressions.keras_paths import KERAS_PACKAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.expressions.scopes import Scope
    from cbreplay.expressions.script_calls import ScriptCalls

__all__ = ["find_schedule", "names_schedules"]

_SCHEDULES = {
    *("CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay"),
    *("LearningRateSchedule", "LinearCosineDecay", "NoisyLinearCosineDecay"),
    *("PiecewiseConstantDecay", "PolynomialDecay"),
}


def find_schedule(calls: ScriptCalls, made: ast.expr, scope: Scope) -> str | None:
    """Return the class of the schedule that an expression makes; None if none."""
    named = made.func if isinstance(made, ast.Call) else None
    paths = [] if named is None else calls.paths(named, scope)
    if paths and all(_is_schedule(path, calls.names.stars) for path in paths):
        return paths[0].rpartition(".")[2]
    if not paths and isinstance(named, ast.Name):
        return _own_schedule(calls, named, scope)
    return None


def names_schedules(calls: ScriptCalls) -> bool:
    """Return whether a script uses the name of a schedule of Keras, or of their module.

    If not, only code outside of the script can make one.
    """
    return bool(calls.words & _SCHEDULES) or "schedules" in calls.words


def _own_schedule(
    calls: ScriptCalls, name: ast.Name, scope: Scope, depth: int = 0
) -> str | None:
    """Return the name of a class of the script that extends Keras's schedule."""
    inner = scope.defined_as(name)
    holder, kind = (inner.parent, inner.definition) if inner else (None, None)
    if holder is None or not isinstance(kind, ast.ClassDef) or depth > _DEEPEST:
        return None
    for base in kind.bases:
        paths = calls.paths(base, holder)
        if any(_is_schedule(path, calls.names.stars) for path in paths):
            return kind.name
        if isinstance(base, ast.Name) and _own_schedule(calls, base, holder, depth + 1):
            return kind.name
    return None


_DEEPEST = 10


def _is_schedule(path: str, stars: Sequence[str]) -> bool:
    """Return whether a dotted path names a schedule of Keras.

    >>> _is_schedule("keras.optimizers.schedules.CosineDecay", [])
    True
    >>> _is_schedule("?.CosineDecay", ["tensorflow.keras.optimizers.schedules"])
    True
    """
    if path.startswith("?."):
        name = path.removeprefix("?.")
        return name in _SCHEDULES and any(_holds_schedules(star) for star in stars)
    experimental = "keras.experimental." in path and "Decay" in path
    return ".schedules." in path or experimental


def _holds_schedules(module: str) -> bool:
    is_keras = module.partition(".")[0] in KERAS_PACKAGES
    return is_keras and module.endswith(".schedules")
