"""Replace ``F(**d)`` after ``d = {"a": 1}`` by ``F(a=1)``, where that is certain."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from cbreplay.expressions.keras_classes import keras_name
from cbreplay.expressions.script_calls import Unread
from cbreplay.expressions.syntax import argument_named, called_name, names_in
from cbreplay.rules.registry import find_rule

if TYPE_CHECKING:
    from cbreplay.expressions.scopes import Scope
    from cbreplay.expressions.script_calls import ScriptCalls

__all__ = ["write_out_double_stars"]

_TRAINING = ("compile", "fit", "fit_generator", "search")
# far more than the parameters of any callback or fit
_MOST_ENTRIES = 100


def write_out_double_stars(calls: ScriptCalls) -> None:
    """Replace ``**d`` in a script by the entries of ``d``.

    That is in calls of callbacks, optimizers, ``compile`` and ``fit``. Only if ``d`` is
    a dict that is written out once and never changed, and if the names in it mean the
    same at the call. A call that would give a name twice stays as it is.
    """
    for call, scope in calls.names.calls:
        if argument_named(call, None) is None:
            continue
        name = called_name(call)
        is_callback = find_rule(keras_name(calls, call.func, scope) or "") is not None
        is_optimizer = any(
            "optimizers" in path.split(".") for path in calls.paths(call.func, scope)
        )
        if not is_callback and not is_optimizer and name not in _TRAINING:
            continue
        words: list[ast.keyword] = []
        for word in call.keywords:
            entries = None if word.arg else _entries(word.value, scope, calls)
            if entries is None:
                words.append(word)
            else:
                words += [
                    ast.copy_location(ast.keyword(key, value), value)
                    for key, value in entries.items()
                ]
        given = [word.arg for word in words if word.arg]
        if len(set(given)) == len(given):
            call.keywords = words


def _entries(
    node: ast.expr, scope: Scope, calls: ScriptCalls
) -> dict[str, ast.expr] | None:
    """Return the entries of a dict, by their names; None where they cannot be told."""
    try:
        found, holder = calls.followed(node, scope)
    except Unread:
        return None
    if calls.given_away(node, scope) is not None:
        return None
    pairs: list[tuple[Any, ast.expr]] = []
    if isinstance(found, ast.Dict):
        pairs = [
            (key.value if isinstance(key, ast.Constant) else None, value)
            for key, value in zip(found.keys, found.values, strict=True)
        ]
    elif (
        isinstance(found, ast.Call)
        and not found.args
        and calls.paths(found.func, holder) == ["?.dict"]
    ):
        pairs = [(word.arg, word.value) for word in found.keywords]
    means_same = all(
        scope.place(name) == holder.place(name)
        for _, value in pairs
        for name in names_in(value)
    )
    is_told = all(isinstance(key, str) for key, _ in pairs) and means_same
    return dict(pairs) if is_told and 0 < len(pairs) <= _MOST_ENTRIES else None
