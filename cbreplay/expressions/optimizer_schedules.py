"""The rate, or the schedule of rates, that a script builds its optimizer with."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cbreplay.expressions.possible_values import only_literal, possible_values
from cbreplay.expressions.script_calls import KERAS_PACKAGES, Unread
from cbreplay.rules.keras.framework import KERAS
from cbreplay.rules.registry import reducing_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.expressions.scopes import Scope
    from cbreplay.expressions.script_calls import ScriptCalls

__all__ = ["find_rate", "find_schedule"]


def find_schedule(
    calls: ScriptCalls, compiles: list[tuple[ast.Call, Scope]] | None = None
) -> str | None:
    """Return the schedule that every optimizer is built with, if there is one.

    Parameters
    ----------
    calls : ScriptCalls
        The script.
    compiles : list of (ast.Call, Scope), optional
        The calls of ``compile`` to look at; all of the script by default.
    """
    found = {
        _schedule_of(calls, call, scope) for call, scope in compiles or calls.compiles
    }
    return found.pop() if len(found) == 1 else None


def find_rate(
    calls: ScriptCalls, compiles: list[tuple[ast.Call, Scope]] | None
) -> float | None:
    """Return the learning rate that every optimizer is built with, if it is a number.

    None if one cannot be told, if they differ, or if the script may set a rate later.

    Parameters
    ----------
    calls : ScriptCalls
        The script.
    compiles : list of (ast.Call, Scope) or None
        The calls of ``compile`` to look at, if they are known.
    """
    if not compiles or _sets_rates(calls.names.tree):
        return None
    found = {_rate_of(calls, call, scope) for call, scope in compiles}
    return found.pop() if len(found) == 1 else None


def _sets_rates(tree: ast.Module) -> bool:
    """Return whether a script may set a rate, as ``model.optimizer.lr = 0.1`` does.

    Any attribute of such a name counts, and any callback that schedules rates.
    """
    schedulers = {*KERAS.rate_changing} - {reducing_rule().__name__}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in {*_OF_RATES, *schedulers})
        or (isinstance(node, ast.Name) and node.id in schedulers)
        for node in ast.walk(tree)
    )


_OF_RATES = {"optimizer", "learning_rate", "lr"}


def _rate_of(calls: ScriptCalls, compiling: ast.Call, scope: Scope) -> float | None:
    """Return the rate of the optimizer of a ``compile``; None if it is no number."""
    try:
        made = [
            inner
            for optimizer in _argument(calls, compiling, scope, "optimizer")
            for inner in _unwrapped(calls, *optimizer)
        ]
        rates = {
            only_literal(calls, *rate)
            for inner in made
            if _is_optimizer(calls, *inner)
            for rate in _argument(calls, *inner, "learning_rate", "lr")
        }
    except (LookupError, Unread, TypeError):
        return None
    rate = rates.pop() if len(rates) == 1 == len(made) else None
    if not isinstance(rate, (int, float)) or isinstance(rate, bool):
        return None
    return float(rate) if rate > 0 else None


def _is_optimizer(calls: ScriptCalls, made: ast.expr, scope: Scope) -> bool:
    """Return whether this makes one of Keras's optimizers.

    Only of these it is known that the first argument is the rate.
    """
    paths = calls.paths(made.func, scope) if isinstance(made, ast.Call) else []
    parted = [path.split(".") for path in paths]
    return bool(parted) and all(
        path[0] in KERAS_PACKAGES and "optimizers" in path[1:-1] for path in parted
    )


def _schedule_of(calls: ScriptCalls, compiling: ast.Call, scope: Scope) -> str | None:
    """Return the schedule of the optimizer of a ``compile``; None without one."""
    try:
        rates = [
            rate
            for optimizer in _argument(calls, compiling, scope, "optimizer")
            for inner in _unwrapped(calls, *optimizer)
            for rate in _argument(calls, *inner, "learning_rate", "lr")
        ]
        names = [_schedule(calls, *rate) for rate in rates]
    except (LookupError, Unread):
        return None
    return " or ".join(dict.fromkeys(names)) or None


def _unwrapped(
    calls: ScriptCalls, optimizer: ast.expr, scope: Scope
) -> list[tuple[ast.expr, Scope]]:
    """Return the optimizers inside a LossScaleOptimizer; another one as it is.

    A LossScaleOptimizer has the rate of the one inside.
    """
    made = optimizer.func if isinstance(optimizer, ast.Call) else None
    paths = [] if made is None else calls.paths(made, scope)
    if not paths or not all(map(_scales_losses, paths)):
        return [(optimizer, scope)]
    held = _argument(calls, optimizer, scope, "inner_optimizer", "optimizer")
    return [inner for part in held for inner in _unwrapped(calls, *part)]


def _scales_losses(path: str) -> bool:
    """Return whether a dotted path names Keras's optimizer that holds another."""
    root, _, name = path.removeprefix("?.").partition(".")
    return root in KERAS_PACKAGES and name.endswith(".LossScaleOptimizer")


def _argument(
    calls: ScriptCalls, call: ast.expr, scope: Scope, *names: str
) -> list[tuple[ast.expr, Scope]]:
    """Return all possible values of the argument of one of these names, or the first.

    Raises
    ------
    LookupError
        If it is not given, or this is no call.
    Unread
        If the text does not tell it.
    """
    if isinstance(call, ast.Call):
        named = [word.value for word in call.keywords if word.arg in names]
        return possible_values(calls, [*named, *call.args][0], scope)
    raise LookupError


def _schedule(calls: ScriptCalls, made: ast.expr, scope: Scope) -> str:
    """Return the class of the schedule that an expression makes.

    Raises
    ------
    LookupError
        If it is no schedule.
    """
    named = made.func if isinstance(made, ast.Call) else None
    paths = [] if named is None else calls.paths(named, scope)
    if paths and all(_is_schedule(path, calls.names.stars) for path in paths):
        return paths[0].rpartition(".")[2]
    own = None
    if not paths and isinstance(named, ast.Name):
        own = _own_schedule(calls, named, scope)
    if own is not None:
        return own
    raise LookupError


def _own_schedule(calls: ScriptCalls, name: ast.Name, scope: Scope) -> str | None:
    """Return the name of a class of the script that extends Keras's schedule."""
    holder = scope.holder(name.id)
    bindings = [] if holder is None else holder.bindings[name.id]
    inner = bindings[0].inner if len(bindings) == 1 else None
    kind = None if inner is None else inner.definition
    if holder is None or not isinstance(kind, ast.ClassDef):
        return None
    bases = [path for base in kind.bases for path in calls.paths(base, holder)]
    stars = calls.names.stars
    return kind.name if any(_is_schedule(path, stars) for path in bases) else None


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


_SCHEDULES = {
    *("CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay"),
    *("LearningRateSchedule", "PiecewiseConstantDecay", "PolynomialDecay"),
}
