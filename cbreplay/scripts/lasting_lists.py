"""Which callbacks stay in a list that is made once, and grows with each ``fit``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cbreplay.scripts.calls import Unread
from cbreplay.scripts.facts import find_fits
from cbreplay.scripts.lists import class_family, find_kept
from cbreplay.scripts.parameters import given_for
from cbreplay.scripts.syntax import FUNCTIONS, makes_list

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
    made, place = _find_list(repeated, gain), repeated.calls.place
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
            once = f"the list of {place(made.lineno)} is made once"
            if _is_default(repeated.calls, made):
                once += ", as the default of a parameter is"
            return f"{once}, and the {again} in {place(loop.lineno)} adds to it again"
    return ""


def _is_default(calls: ScriptCalls, made: ast.expr) -> bool:
    """Return whether an expression is the default of a function's parameter."""
    functions = [scope.definition for scope in calls.names.scopes]
    return any(
        made in (*function.args.defaults, *function.args.kw_defaults)
        for function in functions
        if isinstance(function, FUNCTIONS)
    )


def _kept_list(repeated: RepeatedFits, gain: Gain) -> ast.expr | None:
    """Return what makes the list in ``self.callbacks``, if only one object has it."""
    target, calls = gain.target, repeated.calls
    if not isinstance(target, ast.Attribute) or not _only_grows(calls, target):
        return None
    try:
        kept = find_kept(calls, target, gain.scope)
    except Unread:
        return None
    # each object of a class, and of those that extend it, has a list of its own
    if len(kept.values) != 1 or len(class_family(calls, gain.scope)) > 1:
        return None
    made = kept.values[0][0]
    function = repeated.function_around(made)
    is_one = function is None or len(repeated.callers(function)) == 1
    return made if is_one and makes_list(made) else None


def _only_grows(calls: ScriptCalls, held: ast.Attribute) -> bool:
    """Return whether a script only adds to a list of an object, and fits with it."""
    fits, _ = find_fits(calls)
    given = {id(part) for fit in fits for part in ast.walk(fit.given)}
    given.update(id(gain.target) for gain in calls.names.gains)
    return all(
        id(node) in given
        for node in calls.names.attributes
        if node.attr == held.attr and isinstance(node.ctx, ast.Load)
    )


def _find_list(repeated: RepeatedFits, gain: Gain) -> ast.expr | None:
    """Return what makes the one list that a place adds to; None if that is unsure."""
    calls = repeated.calls
    names, grown = calls.names, gain.scope.place_of(gain.target)
    if grown is None:
        return _kept_list(repeated, gain)
    # code that is not read may empty it
    if grown in names.changed_otherwise or grown in names.given:
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
        # a new list is kept by its own name alone
        if gain.is_new and (values == [None] or node is not gain.target):
            return None
        if given.is_whole and values == [None]:
            pending += given.values
        elif len(values) == 1 and values[0] is not None:
            pending.append((values[0], holder))
        else:
            return None
        if len(pending) > _MOST_NAMES:
            return None
    return next(iter(made.values())) if len(made) == 1 else None
