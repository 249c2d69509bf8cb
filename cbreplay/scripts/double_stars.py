"""Replace ``F(**d)`` after ``d = {"a": 1}`` by ``F(a=1)``, where that is certain."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cbreplay.rules.registry import find_rule
from cbreplay.scripts.keras_classes import keras_name
from cbreplay.scripts.possible_values import values_if_told
from cbreplay.scripts.syntax import argument_named, called_name, names_in, text_of

if TYPE_CHECKING:
    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Placed, Scope

__all__ = ["write_out_double_stars"]

_TRAINING = ("compile", "fit", "fit_generator", "search")
_DEEPEST = 10
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
    node: ast.expr, scope: Scope, calls: ScriptCalls, depth: int = 0
) -> dict[str, ast.expr] | None:
    """Return the entries of a dict, by their names; None where they cannot be told."""
    told = calls.followed_if_told(node, scope)
    if told is None:
        return None
    found, holder = told
    if isinstance(found, ast.Attribute):
        found, holder = _stored(found, holder, calls)
    if depth > _DEEPEST or calls.given_away(node, scope) is not None:
        return None
    pairs = _pairs_of(found, holder, calls)
    entries: dict[str, ast.expr] = {}
    if pairs is None:
        return None
    for key, value in pairs:
        if key is None:
            inner = _entries(value, holder, calls, depth + 1)
            if inner is None:
                return None
            entries |= inner
            calls.count_step(inner)
        else:
            entries[key] = value
    means_same = all(
        scope.place(name) == holder.place(name)
        for value in entries.values()
        for name in names_in(value)
    )
    return entries if means_same else None


def _stored(node: ast.Attribute, scope: Scope, calls: ScriptCalls) -> Placed:
    """Return the dict that ``self.d`` is set to, if it is used only as ``**self.d``.

    Anything else is returned as it is, and so is everything if the script is read for a
    replay: a class in another file may extend this one, and set the dict again.
    """
    name = node.attr
    if calls.verdict != "checked" or calls.written(node.value) != "self":
        return node, scope
    calls.count_step(calls.names.attributes, calls.names.calls)
    given = {
        id(word.value)
        for call, _ in calls.names.calls
        for word in call.keywords
        if word.arg is None
    }
    others = [
        attribute
        for attribute in calls.names.attributes
        if attribute.attr == name and id(attribute) not in given
    ]
    # set to this very expression, not to a name
    set_to = {(id(store.value), store.scope) for store in calls.names.stores}
    written = [
        placed
        for placed in values_if_told(calls, node, scope)
        if (id(placed[0]), placed[1]) in set_to
    ]
    # the one other mention of the attribute is the statement that sets it
    return written[0] if len(written) == len(others) == 1 else (node, scope)


def _pairs_of(
    node: ast.expr, scope: Scope, calls: ScriptCalls
) -> list[tuple[str | None, ast.expr]] | None:
    """Return the keys and values of a dict that is written out; None for anything else.

    The key of a ``**`` in it is None.
    """
    if isinstance(node, ast.Call):
        is_dict = calls.paths(node.func, scope) == ["?.dict"]
        keys = [word.arg for word in node.keywords]
        # dict(a=1, **d) is an error if d has a
        doubled = None in keys and len(keys) > 1
        too_many = len(node.args) > 1 or len(keys) > _MOST_ENTRIES
        if not is_dict or too_many or doubled:
            return None
        # dict(d, a=1): the keywords replace entries of d
        begun = [(None, given) for given in node.args]
        return [*begun, *((word.arg, word.value) for word in node.keywords)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [(None, node.left), (None, node.right)]
    if not isinstance(node, ast.Dict) or len(node.keys) > _MOST_ENTRIES:
        return None
    if any(key is not None and text_of(key) is None for key in node.keys):
        return None
    return [*zip(map(text_of, node.keys), node.values, strict=True)]
