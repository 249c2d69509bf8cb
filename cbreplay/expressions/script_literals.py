"""The literals of a script: followed through names, and worked out of numbers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NoReturn

from cbreplay.expressions.keras_paths import KERAS_PACKAGES
from cbreplay.expressions.script_arithmetic import work_out
from cbreplay.expressions.script_calls import Unread

if TYPE_CHECKING:
    from cbreplay.expressions.scopes import Scope
    from cbreplay.expressions.script_calls import ScriptCalls

__all__ = ["ScriptArguments", "read_literal"]


def read_literal(calls: ScriptCalls, node: ast.expr, scope: Scope) -> Any:  # noqa: ANN401 - any literal
    """Return the value of a literal, or of a name that stands for one."""
    found, holder = calls.followed(node, scope)
    told = _value_of(calls, found, holder)
    if not told:
        calls.unread(node, f"{calls.shown(found)} is not a literal")
    return told[0]


def _value_of(calls: ScriptCalls, node: ast.expr, scope: Scope) -> list[Any]:
    """Return the value of a literal, in a list; an empty one if it is none."""
    try:
        return [ast.literal_eval(node)]
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        number = _number(calls, node, scope)
    return [] if number is None else [number]


def _number(calls: ScriptCalls, node: ast.expr, scope: Scope) -> int | float | None:
    """Return the number that is worked out from literals; None if it is none."""

    def known(piece: ast.expr) -> ast.expr | None:
        try:
            found, holder = calls.followed(piece, scope)
        except Unread:
            return None
        if found is piece:
            return None
        # in its own scope: the same name may mean something else here
        number = _number(calls, found, holder)
        return None if number is None else ast.Constant(number)

    # `from numpy import *` replaces max
    builtins = all(
        module.partition(".")[0] in KERAS_PACKAGES for module in calls.names.stars
    )

    def called(function: ast.expr) -> str:
        paths = calls.paths(function, scope)
        if len(paths) != 1 or (paths[0][0] == "?" and not builtins):
            return ""
        return paths[0].removeprefix("?.")

    return work_out(node, known, called)


class ScriptArguments:
    """Reads the arguments of one call; constants are followed through names."""

    def __init__(self, calls: ScriptCalls, call: ast.Call, scope: Scope) -> None:
        self.calls, self.call, self.scope = calls, call, scope

    def value(self, node: ast.expr, place: str) -> Any:  # noqa: ANN401 - any literal
        """Return what an argument says."""
        try:
            found, holder = self.calls.followed(node, self.scope)
        except Unread as unread:
            raise Unread(node.lineno, f"{place}: {unread.problem}") from None
        told = _value_of(self.calls, found, holder)
        if not told:
            problem = f"{place} is {self.calls.shown(found)}, which is not a literal"
            raise Unread(node.lineno, problem)
        return told[0]

    def fail(self, problem: str, hint: str = "") -> NoReturn:  # noqa: ARG002 - one hint for all
        """Raise Unread, with the line of the call."""
        raise Unread(self.call.lineno, problem)
