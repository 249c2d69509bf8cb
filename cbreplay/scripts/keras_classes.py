"""Which class of Keras a name of a script stands for, and whether it is still that."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cbreplay.scripts.call_arguments import is_known, problem_with_name
from cbreplay.scripts.keras_paths import (
    KERAS_PACKAGES,
    OLD_COPY,
    callback_of,
    is_old_copy,
)
from cbreplay.scripts.syntax import dotted_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Scope

__all__ = ["callback_name", "find_patches", "keras_name", "metric_class"]

# names by which a class or a module is changed in place
_PATCHING = {"__setattr__", "mock", "monkeypatch", "patch"}


def callback_name(calls: ScriptCalls, call: ast.Call, scope: Scope) -> str:
    """Return the class of Keras that a call makes an object of."""
    name = keras_name(calls, call.func, scope)
    written = calls.written(call.func)
    if name is None and isinstance(call.func, (ast.Call, ast.Subscript)):
        calls.unread(call, f"what {calls.shown(call.func)} stands for is not read")
    if name is None:
        calls.unread(call, f"{written!r} is {_origin(calls, call.func, scope)}")
    problem = problem_with_name(name, written)
    if problem is not None:
        # the second sentence says what to give for a replay
        told = problem[0]
        if calls.verdict != "replayed":
            told = told.partition(". ")[0]
        calls.unread(call, told.replace("not replayed", f"not {calls.verdict}"))
    patches = find_patches(calls)
    line = patches.get(name, patches.get(""))
    if line is not None:
        where = calls.place(line)
        calls.unread(call, f"what {written!r} means is changed in {where}")
    return name


def keras_name(calls: ScriptCalls, node: ast.expr, scope: Scope) -> str | None:
    """Return the class in ``keras.callbacks`` that a node names; None if none."""
    paths = [path.split(".") for path in calls.paths(node, scope)]
    stars = [star.split(".") for star in calls.names.stars]
    if any(path[0] == "?" for path in paths) and any(map(is_old_copy, stars)):
        return None
    names = {callback_of(path) for path in paths}
    return names.pop() if len(names) == 1 else None


def find_patches(calls: ScriptCalls) -> dict[str, int]:
    """Return the line of the last change of each callback class; found once."""
    if calls.patches is None:
        calls.patches = dict(_look_for_patches(calls))
    return calls.patches


def _look_for_patches(calls: ScriptCalls) -> Iterator[tuple[str, int]]:
    """Yield each callback class that the script may change, and the line.

    The class is "" if it may be any.
    """
    for store in calls.names.stores:
        of_self = isinstance(store.target, ast.Name) and store.target.id == "self"
        if store.name is not None and is_known(store.name) and not of_self:
            yield store.name, store.line
        target = store.target
        while isinstance(target, ast.Attribute) and target.attr.startswith("__"):
            # the defaults of EarlyStopping.__init__ are those of the class
            target = target.value
        paths = calls.paths(target, store.scope)
        yield from ((name, store.line) for name in _patched(paths, store.name))
    for call, scope in calls.names.calls:
        if not _PATCHING.intersection(calls.written(call.func).split(".")):
            continue
        for given in call.args:
            paths = calls.paths(given, scope)
            if isinstance(given, ast.Constant):
                paths = [str(given.value)]
            yield from ((name, call.lineno) for name in _patched(paths, None))


def _origin(calls: ScriptCalls, node: ast.expr, scope: Scope) -> str:
    """Say what a name is that is no callback of Keras's, as far as that is known."""
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    ending = f", and is not {calls.verdict}"
    named = scope.place_of(root)
    if named is None:
        return f"not Keras's{ending}"
    holder, name = named
    first = holder.bindings[name][0]
    if first.path is not None:
        inner = (dotted_name(node) or "").partition(".")[2]
        path = f"{first.path}.{inner}".split(".")
        if is_old_copy(path):
            ending = f" ({OLD_COPY}){ending}"
            return f"not Keras's but TensorFlow's own copy of an old one{ending}"
        if path[0] in KERAS_PACKAGES:
            return f"no callback of Keras's{ending}"
        module = first.path.rpartition(".")[0] or first.path
        return f"not Keras's but imported from {module}{ending}"
    where = calls.place(first.line)
    if root is not node and first.inner is None and first.value is None:
        origin = holder.says_origin(name, first)
        return f"not {calls.verdict}: {name!r} ({where}) {origin}"
    return f"not Keras's but defined in {where}{ending}"


def _patched(paths: list[str], attribute: str | None) -> Iterator[str]:
    """Yield the callback classes that change if a path is changed; "" is every one."""
    for path in (path.split(".") for path in paths):
        changed = callback_of(path)
        if changed is not None:
            # a base class: all callbacks may change
            yield changed if is_known(changed) else ""
        elif path[0] in KERAS_PACKAGES and attribute in ("callbacks", None):
            yield ""


def metric_class(calls: ScriptCalls, call: ast.Call, scope: Scope) -> str:
    """Return which class in Keras's ``metrics`` a call is one of; "" if none."""
    paths = calls.paths(call.func, scope)
    kinds = {path.split(".")[-1] if _is_metric(path) else "" for path in paths}
    return kinds.pop() if len(kinds) == 1 else ""


def _is_metric(path: str) -> bool:
    """Return whether a dotted path names something in Keras's ``metrics``.

    Other packages have classes of the same names, without a direction.
    """
    parts = path.removeprefix("?.").split(".")
    return parts[0] in (*KERAS_PACKAGES, "metrics") and "metrics" in parts[:-1]
