"""Whether the model of a ``fit`` is made with new weights, or may go on with others."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from cbreplay.scripts.keras_paths import KERAS_PACKAGES
from cbreplay.scripts.model_outputs import find_model_class
from cbreplay.scripts.possible_values import given_values
from cbreplay.scripts.syntax import called_name, receiver_of, root_of

if TYPE_CHECKING:
    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Scope

__all__ = ["find_new_models"]

# functions of Keras that make a model with new weights, beside its classes
_COPYING = {"clone_model", "from_config", "model_from_config", "model_from_json"}
# what gives a model the weights of another one
_LOADING = {"load_model", "load_weights", "set_weights"}
# how the name of a function begins that makes a model, where its code is not read
_MAKING = {"build", "construct", "create", "make", "new"}
_MOST_STEPS = 20


def find_new_models(
    calls: ScriptCalls, fitting: ast.Call, scope: Scope
) -> list[ast.Call]:
    """Return the calls of which one makes the model of a ``fit``, with new weights.

    Empty where the model may have the weights of an earlier one, as after
    ``load_model`` or ``load_weights``, and where the text does not tell it.
    """
    receiver = receiver_of(fitting)
    if receiver is None or _loads_weights(calls, fitting, scope):
        return []
    made = _values(calls, receiver, scope)
    if not all(_is_new(calls, value, place, 0) for value, place in made):
        return []
    return [value for value, _ in made if isinstance(value, ast.Call)]


def _values(
    calls: ScriptCalls, node: ast.expr | None, scope: Scope
) -> list[tuple[ast.expr | None, Scope]]:
    """Return what a model is assigned or given, through names assigned once."""
    values = [(node, scope)]
    for _ in range(_MOST_STEPS):
        found = given_values(calls, *values[0]) if len(values) == 1 else []
        if not found:
            break
        values = found
    return values


def _loads_weights(calls: ScriptCalls, fitting: ast.Call, scope: Scope) -> bool:
    """Return whether a model gets weights above its ``fit``."""
    root = root_of(fitting.func)
    model = None if root is None else scope.place(root)
    loading = [made for name in _LOADING for made in calls.by_name.get(name, ())]
    calls.count_step(loading)
    for call, place in loading:
        loaded = root_of(call.func) if call.lineno < fitting.lineno else None
        if loaded is not None and place.place(loaded) == model:
            return True
    return False


def _is_new(
    calls: ScriptCalls, made: ast.expr | None, scope: Scope, n_steps: int
) -> bool:
    """Return whether each call of an expression makes a model with new weights."""
    calls.count_step()
    if not isinstance(made, ast.Call) or n_steps > _MOST_STEPS:
        return False
    if find_model_class(calls, made, scope) is not None:
        return True
    function = calls.function_of(made, scope)
    if function is not None:
        return _returns_new(calls, function, n_steps)
    if scope.defined_as(made.func) is not None:
        return _is_model_class(calls, made.func, scope)
    path = (calls.paths(made.func, scope) or [""])[0].split(".")
    if path[0] in KERAS_PACKAGES:
        return path[-1] in _COPYING
    first = re.match("_*([a-z]*)", called_name(made))
    return first is not None and first[1] in _MAKING


def _returns_new(calls: ScriptCalls, function: Scope, n_steps: int) -> bool:
    """Return whether a function of the script makes what it returns."""
    definition = function.definition
    if definition is None or not function.returns_values:
        return False
    inside = list(ast.walk(definition))
    calls.count_step(inside)
    called = {called_name(node) for node in inside if isinstance(node, ast.Call)}
    if called & _LOADING:
        return False
    own = {id(node) for node in inside}
    made = [
        value
        for returned in function.returned
        for value in _values(calls, returned, function)
    ]
    return all(
        id(value) in own and _is_new(calls, value, place, n_steps + 1)
        for value, place in made
    )


def _is_model_class(calls: ScriptCalls, node: ast.expr, scope: Scope) -> bool:
    """Return whether a class of the script is one of Keras's models."""
    named = scope.class_named(node)
    if named is None:
        return False
    kind, holder = named
    paths = [path for base in kind.bases for path in calls.paths(base, holder)]
    return any(
        path.split(".")[0] in KERAS_PACKAGES
        and path.endswith((".Model", ".Sequential"))
        for path in paths
    )
