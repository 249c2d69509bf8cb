"""The outputs of the model of a ``fit``, which may name its metrics."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from cbreplay.scripts.keras_paths import KERAS_PACKAGES
from cbreplay.scripts.possible_values import only_literal, values_if_told
from cbreplay.scripts.syntax import argument_named, has_star

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Placed, Scope

__all__ = ["Outputs", "find_model_class", "find_outputs"]

# the name of each output, None where it is not told
Outputs: TypeAlias = tuple[str | None, ...]
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
) -> Outputs:
    """Return the outputs of the models of a name; none where it is not told how many.

    Each has its layer's name, which is also the output's, or None where that is not
    told. A model is None where the text does not tell what the name stands for.
    """
    found = [_agreed(_outputs_of_call, calls, *model) for model in models]
    if any(len(outputs) > 1 for outputs in found) and len({*found}) > 1:
        return (None, None)  # certainly several
    return found[0] if len({*found}) == 1 else ()


def _agreed(
    ask: Callable[[ScriptCalls, ast.expr, Scope], Outputs],
    calls: ScriptCalls,
    node: ast.expr | None,
    scope: Scope,
) -> Outputs:
    """Return what all possible values of an expression say; none if they differ."""
    found = {ask(calls, *value) for value in values_if_told(calls, node, scope)}
    return found.pop() if len(found) == 1 else ()


def _outputs_of_call(calls: ScriptCalls, made: ast.expr, scope: Scope) -> Outputs:
    """Return the outputs of a model that a call makes."""
    kind = find_model_class(calls, made, scope)
    if kind in ("Sequential", _APPLICATIONS):
        return (None,)
    if kind is None or not isinstance(made, ast.Call):
        return ()
    given = argument_named(made, "outputs") or next(iter(made.args[1:2]), None)
    return _agreed(_outputs_in, calls, given, scope)


def _outputs_in(calls: ScriptCalls, outputs: ast.expr, scope: Scope) -> Outputs:
    """Return the outputs that the argument of a model is."""
    if isinstance(outputs, (ast.List, ast.Tuple, ast.Dict)):
        parts = outputs.values if isinstance(outputs, ast.Dict) else outputs.elts
        if has_star(parts):
            return ()
        names = [_layer_name(calls, part, scope) for part in parts]
        # newer versions name the outputs of a dict by its keys; no name is there twice
        is_named = not isinstance(outputs, ast.Dict) and len({*names}) == len(names)
        return tuple(name if is_named else None for name in names) or (None,)
    is_one = isinstance(outputs, ast.BinOp) or _gives_one(calls, outputs, scope)
    return (None,) if is_one else ()


def _layer_name(calls: ScriptCalls, part: ast.expr, scope: Scope) -> str | None:
    """Return the name of the layer that gives an output, if the script names it."""
    output, place = calls.followed_if_told(part, scope) or (part, scope)
    layer, home = _layer_of(calls, output, place) or (None, place)
    named = None if layer is None else argument_named(layer, "name")
    name = None if named is None else only_literal(calls, named, home)
    return name if isinstance(name, str) and _gives_one(calls, output, place) else None


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
