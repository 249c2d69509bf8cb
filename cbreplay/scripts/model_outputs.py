"""Whether the model of a ``fit`` has one output, or several that its metrics name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal, TypeAlias

from cbreplay.scripts.keras_paths import KERAS_PACKAGES
from cbreplay.scripts.possible_values import values_if_told
from cbreplay.scripts.syntax import argument_named, has_star

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Scope

__all__ = ["Outputs", "find_model_class", "find_outputs"]

Outputs: TypeAlias = Literal["one", "several"]
_KERAS_MODELS = {"Functional", "Model", "Sequential"}
_APPLICATIONS = "applications"
# functions that return several tensors
_SPLITTING = {"meshgrid", "split", "unstack"}


def find_model_class(
    calls: ScriptCalls, made: ast.expr | None, scope: Scope
) -> str | None:
    """Return the class of Keras's models that a call makes; None for anything else."""
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

    A model is None where the text does not tell what the name stands for.
    """
    found = {_agreed(_outputs_of_call, calls, *model) for model in models}
    if "several" in found:
        return "several"
    return "one" if found == {"one"} else None


def _agreed(
    ask: Callable[[ScriptCalls, ast.expr, Scope], Outputs | None],
    calls: ScriptCalls,
    node: ast.expr | None,
    scope: Scope,
) -> Outputs | None:
    """Return what all possible values of an expression say; None if they differ."""
    values = [] if node is None else values_if_told(calls, node, scope)
    found = {ask(calls, *value) for value in values}
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
    given = argument_named(made, "outputs") or next(iter(made.args[1:2]), None)
    return _agreed(_number_of, calls, given, scope)


def _number_of(calls: ScriptCalls, outputs: ast.expr, scope: Scope) -> Outputs | None:
    """Return how many outputs the argument of a model is."""
    if isinstance(outputs, (ast.List, ast.Tuple, ast.Dict)):
        parts = outputs.values if isinstance(outputs, ast.Dict) else outputs.elts
        if has_star(parts):
            return None
        return "several" if len(parts) > 1 else "one"
    if isinstance(outputs, ast.BinOp):
        return "one"
    is_tensor = isinstance(outputs, ast.Call) and _gives_one(calls, outputs, scope)
    return "one" if is_tensor else None


def _gives_one(calls: ScriptCalls, call: ast.Call, scope: Scope) -> bool:
    """Return whether a call gives one tensor: of a layer, or of a function of Keras."""
    made = call.func  # Dense(1)(x): a layer that is made where it is called
    if isinstance(made, ast.Name):
        told = calls.followed_if_told(made, scope)
        if told is None:
            return False
        made, scope = told
    layer = made if isinstance(made, ast.Call) else None
    paths = calls.paths(layer.func if layer else made, scope)
    parted = [path.split(".") for path in paths]
    words = [word.arg for word in layer.keywords] if layer else []
    return (
        bool(parted)
        and all(path[0] in KERAS_PACKAGES for path in parted)
        and not any(path[-1] in _SPLITTING for path in parted)
        and not {"return_state", None}.intersection(words)
    )
