"""Which callbacks stay in a list that is made once, and grows with each ``fit``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cbreplay.scripts.parameters import given_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.facts import FittingCall
    from cbreplay.scripts.members import Member
    from cbreplay.scripts.repeated_fits import RepeatedFits
    from cbreplay.scripts.scopes import Gain, Placed

__all__ = ["find_staying"]

_MOST_NAMES = 40


def find_staying(
    repeated: RepeatedFits, fit: FittingCall, members: Iterable[Member]
) -> dict[int, str]:
    """Return why later fits have the callbacks of this one too.

    That is the list, and what adds to it again, by the id of the call that makes the
    callback. A list that something else changes too is left out, and so is a callback
    that is made once.
    """
    return {
        id(member.call): why
        for member in members
        for gain in member.gains
        if (why := _why_it_stays(repeated, fit.call, gain, member.made_at))
    }


def _why_it_stays(
    repeated: RepeatedFits, fit: ast.Call, gain: Gain, callback: ast.Call
) -> str:
    """Say which list keeps what it gains for a ``fit``, and what runs both again."""
    made, place = _find_list(repeated.calls, gain), repeated.calls.place
    is_near = repeated.function_around(fit) is repeated.function_around(gain.target)
    if made is None or (is_near and gain.target.lineno > fit.lineno):
        return ""
    growing = repeated.find_rounds(gain.target)
    for loop in repeated.find_rounds(fit):
        if (
            loop in growing
            and repeated.is_outside(made, loop, 1)
            and not repeated.is_outside(callback, loop, 1)
        ):
            again = "call" if isinstance(loop, ast.Call) else "loop"
            return (
                f"the list of {place(made.lineno)} is made once, and the {again} in "
                f"{place(loop.lineno)} adds to it again"
            )
    return ""


def _find_list(calls: ScriptCalls, gain: Gain) -> ast.expr | None:
    """Return what makes the one list that a place adds to; None if that is unsure."""
    names, grown = calls.names, gain.scope.place_of(gain.target)
    # code that is not read may empty it
    if grown is None or grown in names.changed_otherwise or grown in names.given:
        return None
    calls.count_step(names.gains)
    lines = {other.target.lineno for other in names.gains}
    pending: list[Placed] = [(gain.target, gain.scope)]
    made: dict[int, ast.expr] = {}
    for node, scope in pending:
        calls.count_step(pending)
        named = scope.place_of(node)
        if named is None:
            made[id(node)] = node
            continue
        holder, name = named
        given = given_for(calls, name, holder)
        values = [
            binding.value
            for binding in holder.bindings[name]
            if binding.line not in lines
        ]
        if given.is_whole and values == [None]:
            pending += given.values
        elif len(values) == 1 and values[0] is not None:
            pending.append((values[0], holder))
        else:
            return None
        if len(pending) > _MOST_NAMES:
            return None
    return next(iter(made.values())) if len(made) == 1 else None
