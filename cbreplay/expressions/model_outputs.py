"""Whether the model of a ``fit`` has one output, or several that its metrics name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal, TypeAlias

from cbreplay.expressions.keras_paths import KERAS_PACKAGES
from cbreplay.expressions.possible_values import possible_values
from cbreplay.expressions.script_calls import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cbreplay.expressions.scopes import Scope
    from cbreplay.expressions.script_calls import ScriptCalls

__all__ = ["Outputs", "find_model_class", "find_outputs"]

Outputs: TypeAlias = Literal["one", "several"]
_KERAS_MODELS = {"Functional", "Model", "Sequential"}
_APPLICATIONS = "applications"


def find_model_class(
    calls: ScriptCalls, made: ast.expr | None, scope: Scope
) -> str | None:
    """Return the class of Keras's models that a call makes; None if it makes another.

    Parameters
    ----------
    calls : ScriptCalls
        The script.
    made, scope : ast.expr or None, Scope
        The call, and its scope.
    """
    if not isinstance(made, ast.Call):
        return None
    path = (calls.paths(made.func, scope) or [""])[0].split(".")
    if path == ["?", "Sequential"]:
        return path[-1]
    if path[0] not in KERAS_PACKAGES:
        return None
    if path[-1] in _KERAS_MODELS:
        return path[-1]
    return _APPLICATIONS if _APPLICATIONS in path[:-1] else None


def find_outputs(
    calls: ScriptCalls, models: Iterable[tuple[ast.expr | None, Scope]]
) -> Outputs | None:
    """Return how many outputs the models of a name have; None if that is not told.

    Parameters
    ----------
    calls : ScriptCalls
        The script.
    models : iterable of (ast.expr or None, Scope)
        The values of the model's name; a value is None where it cannot be told.
    """
    found = {_outputs_of(calls, *model) for model in models}
    if "several" in found:
        return "several"
    return "one" if found == {"one"} else None


def _outputs_of(
    calls: ScriptCalls, model: ast.expr | None, scope: Scope
) -> Outputs | None:
    if model is None:
        return None
    try:
        made = possible_values(calls, model, scope)
    except Unread:
        return None
    found = {_outputs_of_call(calls, *call) for call in made}
    return found.pop() if len(found) == 1 else None


def _outputs_of_call(
    calls: ScriptCalls, made: ast.expr, scope: Scope
) -> Outputs | None:
    """Return how many outputs a model has that a call makes."""
    kind = find_model_class(calls, made, scope)
    if kind in ("Sequential", _APPLICATIONS):
        return "one"
    if kind is None or not isinstance(made, ast.Call):
        return None
    given = [word.value for word in made.keywords if word.arg == "outputs"]
    given += made.args[1:2]
    try:
        tensors = possible_values(calls, given[0], scope) if given else []
    except Unread:
        return None
    found = {_number_of(tensor) for tensor, _ in tensors}
    return found.pop() if len(found) == 1 else None


def _number_of(outputs: ast.expr) -> Outputs | None:
    """Return how many outputs the argument of a model is."""
    if isinstance(outputs, (ast.List, ast.Tuple, ast.Dict)):
        parts = outputs.values if isinstance(outputs, ast.Dict) else outputs.elts
        if any(isinstance(part, ast.Starred) for part in parts):
            return None
        return "several" if len(parts) > 1 else "one"
    # Dense(1)(x): a layer that is made where it is called
    is_layer = isinstance(outputs, ast.Call) and isinstance(outputs.func, ast.Call)
    return "one" if is_layer else None
