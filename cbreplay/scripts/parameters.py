"""Which values the calls in a script give for a parameter of its function."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.scripts.syntax import (
    FUNCTIONS,
    argument_at,
    called_name,
    is_open,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Placed, Scope

__all__ = ["Given", "calls_of", "given_for"]


class Given(NamedTuple):
    """The values that the calls of a function give for one of its parameters.

    Parameters
    ----------
    values : list of (ast.expr, Scope)
        The values with their scopes; the default for a call that gives none.
    is_whole : bool
        Whether these are certainly all: the function runs by these calls only.
    """

    values: list[Placed]
    is_whole: bool


def given_for(calls: ScriptCalls, name: str, holder: Scope | None) -> Given:
    """Return the values that a script's calls of a function give for a parameter."""
    function = None if holder is None else holder.definition
    if holder is None or holder.parent is None:
        return _NOTHING
    if not isinstance(function, FUNCTIONS):
        return _NOTHING
    place = _place_of(name, function, is_method=holder.parent.of_class)
    if place is None:
        return _NOTHING
    called, home = _called_as(function, holder.parent)
    once = len(home.bindings[called]) == 1
    is_whole = once and not function.decorator_list
    is_whole = is_whole and called not in calls.names.taken
    values, is_called = [], False
    for call, scope, runs in calls_of(calls, holder):
        is_called = is_called or runs
        given = argument_at(call, name, place)
        if given is not None:
            values.append((given, scope))
            continue
        default = _default_of(name, function.args)
        is_whole = is_whole and default is not None and not is_open(call)
        if default is not None:
            values.append((default, holder.parent))
    return Given(values, is_whole=is_whole and is_called)


_NOTHING = Given([], is_whole=False)


def calls_of(
    calls: ScriptCalls, function: Scope
) -> Iterator[tuple[ast.Call, Scope, bool]]:
    """Yield the calls of a function of a script, and whether each certainly is one.

    Those of ``__init__`` are the calls of its class.
    """
    definition, parent = function.definition, function.parent
    if parent is None or not isinstance(definition, FUNCTIONS):
        return
    called, home = _called_as(definition, parent)
    named = calls.by_name.get(called, [])
    calls.count_step(named)
    for call, scope in named:
        runs = _runs(call, scope, home, calls)
        if runs is not False:
            yield call, scope, runs is True


def _called_as(
    function: ast.FunctionDef | ast.AsyncFunctionDef, home: Scope
) -> tuple[str, Scope]:
    """Return the name that calls of a function use, and its scope.

    That of ``__init__`` is the name of its class.
    """
    kind = home.definition
    makes = isinstance(kind, ast.ClassDef) and function.name == "__init__"
    if isinstance(kind, ast.ClassDef) and makes and home.parent is not None:
        return kind.name, home.parent
    return function.name, home


def _runs(call: ast.Call, scope: Scope, home: Scope, calls: ScriptCalls) -> bool | None:
    """Return whether a call runs the function of a scope; None if it may."""
    name = called_name(call)
    if isinstance(call.func, ast.Name):
        return scope.place(name) == (home, name)
    if not isinstance(call.func, ast.Attribute) or not home.of_class:
        return False
    owner, mine = call.func.value, scope.enclosing_class()
    if calls.written(owner) not in ("self", "cls"):
        return True if _is_object_of(owner, scope, home) else None
    if mine is home:
        return True
    return False if mine is not None and name in mine.bindings else None


def _is_object_of(node: ast.expr, scope: Scope, kind: Scope) -> bool:
    """Return whether an expression is an object of a class of the script."""
    value: ast.expr | None = node
    named = scope.place_of(node)
    if named is not None:
        scope, name = named
        bindings = scope.bindings[name]
        value = bindings[0].value if len(bindings) == 1 else None
    return isinstance(value, ast.Call) and scope.defined_as(value.func) is kind


def _place_of(
    name: str, function: ast.FunctionDef | ast.AsyncFunctionDef, *, is_method: bool
) -> int | None:
    """Return the position of a parameter, -1 if keyword-only; None if it is none."""
    arguments = function.args
    by_place = [given.arg for given in [*arguments.posonlyargs, *arguments.args]]
    if is_method:
        by_place = by_place[1:]
    if name in by_place:
        return by_place.index(name)
    return -1 if name in [word.arg for word in arguments.kwonlyargs] else None


def _default_of(name: str, arguments: ast.arguments) -> ast.expr | None:
    """Return the default of a parameter; None if it has none."""
    by_place = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(by_place) - len(arguments.defaults)) + arguments.defaults
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    pairs = [*zip(by_place, defaults, strict=True), *named]
    return next((value for word, value in pairs if word.arg == name), None)
