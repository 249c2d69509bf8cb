"""Whether the model of a ``fit`` has one output, or several that its metrics name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from cbreplay.scripts.keras_paths import KERAS_PACKAGES
from cbreplay.scripts.possible_values import only_literal, values_if_told
from cbreplay.scripts.syntax import argument_named, has_star

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Placed, Scope

__all__ = ["Outputs", "find_model_class", "find_outputs", "name_outputs"]

_Told = TypeVar("_Told")

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


def name_outputs(
    calls: ScriptCalls, models: Iterable[tuple[ast.expr | None, Scope]]
) -> tuple[str, ...]:
    """Return the names of a model's outputs, which are those of their layers.

    Empty where the text does not tell them, and for a dict, whose keys name outputs in
    newer versions only.
    """
    found = {_agreed(_names_of_call, calls, *model) for model in models}
    return (found.pop() or ()) if len(found) == 1 else ()


def _agreed(
    ask: Callable[[ScriptCalls, ast.expr, Scope], _Told | None],
    calls: ScriptCalls,
    node: ast.expr | None,
    scope: Scope,
) -> _Told | None:
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
    return None if kind is None else _agreed(_number_of, calls, _given(made), scope)


def _names_of_call(
    calls: ScriptCalls, made: ast.expr, scope: Scope
) -> tuple[str, ...] | None:
    """Return the names of the outputs of a model that a call makes."""
    if find_model_class(calls, made, scope) in (None, "Sequential", _APPLICATIONS):
        return None
    return _agreed(_names_of, calls, _given(made), scope)


def _given(made: ast.expr) -> ast.expr | None:
    """Return what a call of a model's class gets as its outputs."""
    if not isinstance(made, ast.Call):
        return None
    return argument_named(made, "outputs") or next(iter(made.args[1:2]), None)


def _names_of(
    calls: ScriptCalls, outputs: ast.expr, scope: Scope
) -> tuple[str, ...] | None:
    """Return the names of the layers that give outputs, if no two have the same."""
    parts = outputs.elts if isinstance(outputs, (ast.List, ast.Tuple)) else []
    names = []
    for part in parts:
        output, place = calls.followed_if_told(part, scope) or (part, scope)
        layer, place = _layer_of(calls, output, place) or (None, place)
        named = None if layer is None else argument_named(layer, "name")
        name = None if named is None else only_literal(calls, named, place)
        if isinstance(name, str) and _gives_one(calls, output, scope):
            names.append(name)
    return tuple(names) if len(set(names)) == len(parts) else None


def _number_of(calls: ScriptCalls, outputs: ast.expr, scope: Scope) -> Outputs | None:
    """Return how many outputs the argument of a model is."""
    if isinstance(outputs, (ast.List, ast.Tuple, ast.Dict)):
        parts = outputs.values if isinstance(outputs, ast.Dict) else outputs.elts
        if has_star(parts):
            return None
        return "several" if len(parts) > 1 else "one"
    if isinstance(outputs, ast.BinOp):
        return "one"
    return "one" if _gives_one(calls, outputs, scope) else None


def _gives_one(calls: ScriptCalls, call: ast.expr, scope: Scope) -> bool:
    """Return whether a call gives one tensor: of a layer, or of a function of Keras."""
    if not isinstance(call, ast.Call):
        return False
    layer, scope = _layer_of(calls, call, scope) or (None, scope)
    paths = calls.paths(layer.func if layer else call.func, scope)
    parted = [path.split(".") for path in paths]
    words = [word.arg for word in layer.keywords] if layer else []
    return (
        bool(parted)
        and all(path[0] in KERAS_PACKAGES for path in parted)
        and not any(path[-1] in _SPLITTING for path in parted)
        and not {"return_state", None}.intersection(words)
    )


def _layer_of(
    calls: ScriptCalls, output: ast.expr, scope: Scope
) -> tuple[ast.Call, Scope] | None:
    """Return the call that makes the layer which gives an output; None for no layer."""
    if not isinstance(output, ast.Call):
        return None
    # Dense(1)(x): a layer that is made where it is called
    made: Placed | None = output.func, scope
    if isinstance(output.func, ast.Name):
        made = calls.followed_if_told(output.func, scope)
    layer, place = made or (None, scope)
    return (layer, place) if isinstance(layer, ast.Call) else None
