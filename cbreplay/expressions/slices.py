"""What a subscript takes: ``callbacks[:1]``, ``callbacks[-1]``, ``by_name["stop"]``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from cbreplay.expressions.possible_values import only_literal, possible_values
from cbreplay.expressions.script_calls import Unread

if TYPE_CHECKING:
    from cbreplay.expressions.scopes import Placed, Scope
    from cbreplay.expressions.script_calls import ScriptCalls

__all__ = ["taken_entries"]


def taken_entries(
    calls: ScriptCalls, node: ast.expr, scope: Scope
) -> list[Placed] | None:
    """Return the entries that a subscript takes of a list or dict, with their scopes.

    None for any other expression, and where the text does not tell them.
    """
    if not isinstance(node, ast.Subscript):
        return None
    try:
        entry = calls.next_of(node, scope)
        if entry is not None:
            return [entry]
        entries = _entries_of(calls, node.value, scope)
    except Unread:
        return None
    return None if entries is None else _taken(calls, node.slice, scope, entries)


def _taken(
    calls: ScriptCalls, taking: ast.expr, scope: Scope, entries: list[Placed]
) -> list[Placed] | None:
    """Return what the part in the brackets takes; None where it cannot be told."""
    if isinstance(taking, ast.Slice):
        parts = (taking.lower, taking.upper, taking.step)
        bounds = [_bound(calls, part, scope) for part in parts]
        is_told = ... not in bounds and bounds[-1] != 0
        return entries[slice(*bounds)] if is_told else None
    place = _bound(calls, taking, scope)
    is_told = type(place) is int and -len(entries) <= place < len(entries)
    return [entries[place]] if is_told else None


def _bound(calls: ScriptCalls, node: ast.expr | None, scope: Scope) -> Any:  # noqa: ANN401 - ... is no type
    """Return a number in the brackets, None for none, and ... if it cannot be told."""
    if node is None or (isinstance(node, ast.Constant) and node.value is None):
        return None
    number = only_literal(calls, node, scope)
    return number if type(number) is int else ...


def _entries_of(
    calls: ScriptCalls, node: ast.expr, scope: Scope
) -> list[Placed] | None:
    """Return the entries of a list that is written out, in order; None if it is not.

    Raises
    ------
    Unread
        If the text does not tell which list it is.
    """
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return taken_entries(calls, node, scope)
    found = possible_values(calls, node, scope)
    if len(found) != 1 or calls.given_away(node, scope) is not None:
        return None
    whole, holder = found[0]
    if isinstance(whole, ast.BinOp) and isinstance(whole.op, ast.Add):
        parts = [_entries_of(calls, side, holder) for side in (whole.left, whole.right)]
    elif isinstance(whole, (ast.List, ast.Tuple)):
        parts = [
            _entries_of(calls, entry.value, holder)
            if isinstance(entry, ast.Starred)
            else [(entry, holder)]
            for entry in whole.elts
        ]
    else:
        return None
    told = [part for part in parts if part is not None]
    return [entry for part in told for entry in part] if told == parts else None
