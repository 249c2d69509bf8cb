"""The literals of a script: followed through names, and worked out of others.

Numbers are worked out as in ``int(50 / 4)`` and ``np.sqrt(0.1)``, texts as in
``"val_" + METRIC`` and ``f"val_{METRIC}"``.
"""

from __future__ import annotations

import ast
import math
import operator
from typing import TYPE_CHECKING, Any

from cbreplay.scripts.calls import Unread
from cbreplay.scripts.keras_paths import KERAS_PACKAGES
from cbreplay.scripts.parameters import given_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Placed, Scope

__all__ = ["literal_of", "read_literal"]

_MOST_BITS, _LONGEST_TEXT = 64, 1000


def read_literal(calls: ScriptCalls, node: ast.expr, scope: Scope) -> Any:  # noqa: ANN401 - any literal
    """Return the value of a literal, or of a name that stands for one."""
    found, holder = calls.followed(node, scope)
    told = literal_of(calls, found, holder)
    if not told:
        calls.unread(node, f"{calls.shown(found)} is not a literal")
    return told[0]


def literal_of(calls: ScriptCalls, node: ast.expr, scope: Scope) -> list[Any]:
    """Return the value of a literal, in a list; an empty one if it is none."""
    try:
        return [ast.literal_eval(node)]
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    try:
        return [_work_out(calls, node, scope)]
    except (Unread, ArithmeticError, TypeError, ValueError, LookupError):
        return []


def _work_out(calls: ScriptCalls, node: ast.expr, scope: Scope) -> int | float | str:
    """Return the number that a piece of arithmetic comes to, or the text of a sum.

    Raises
    ------
    Unread, ArithmeticError, TypeError, ValueError, LookupError
        If it comes to none.
    """
    if isinstance(node, ast.Constant):
        return _bounded(node.value)
    if isinstance(node, ast.JoinedStr):
        pieces = [_piece(calls, part, scope) for part in node.values]
        return _bounded("".join(pieces))
    if isinstance(node, ast.UnaryOp):
        return _bounded(_UNARY[type(node.op)](_work_out(calls, node.operand, scope)))
    if isinstance(node, ast.BinOp):
        sides = [_work_out(calls, side, scope) for side in (node.left, node.right)]
        if str in map(type, sides) and not isinstance(node.op, ast.Add):
            raise TypeError  # "%99d" % 1 may be of any length
        return _bounded(_BINARY[type(node.op)](*sides))
    if isinstance(node, ast.Call) and not node.keywords:
        given = [_work_out(calls, part, scope) for part in node.args]
        return _bounded(_FUNCTIONS[_called(calls, node.func, scope)](*given))
    # each in its own scope: the same name may mean something else here
    values = {_work_out(calls, *placed) for placed in _stands_for(calls, node, scope)}
    (value,) = values
    return value


def _piece(calls: ScriptCalls, part: ast.expr, scope: Scope) -> str:
    """Return the text of one part of an f-string, where no format is asked for."""
    if not isinstance(part, ast.FormattedValue):
        return str(_work_out(calls, part, scope))
    if part.format_spec is not None or part.conversion != -1:
        raise LookupError
    return str(_work_out(calls, part.value, scope))


def _stands_for(calls: ScriptCalls, node: ast.expr, scope: Scope) -> list[Placed]:
    """Return what a name stands for: of a parameter, what all calls give for it."""
    place = scope.place_of(node)
    given = None if place is None else given_for(calls, place[1], place[0])
    if given is not None and given.is_whole:
        return given.values
    found = calls.followed(node, scope)
    if found[0] is node:
        raise LookupError
    return [found]


def _called(calls: ScriptCalls, function: ast.expr, scope: Scope) -> str:
    """Return the dotted name of a function, as ``numpy.sqrt``; "" if it is unsure."""
    paths = calls.paths(function, scope)
    # `from numpy import *` replaces max
    builtins = all(
        module.partition(".")[0] in KERAS_PACKAGES for module in calls.names.stars
    )
    if len(paths) != 1 or (paths[0][0] == "?" and not builtins):
        return ""
    return paths[0].removeprefix("?.")


def _power(base: float, exponent: float) -> object:
    """Return a power, without working out a huge one."""
    if abs(exponent) > _MOST_BITS:
        raise TypeError
    return base**exponent


# as Python has them
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
# numpy's square root is the correctly rounded one, as Python's is
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "float": float,
    "int": int,
    "max": max,
    "min": min,
    "math.ceil": math.ceil,
    "math.floor": math.floor,
    "math.sqrt": math.sqrt,
    "numpy.sqrt": math.sqrt,
}


def _bounded(value: object) -> int | float | str:
    """Return a number or text of a usual size; anything else is a TypeError."""
    if type(value) is str and len(value) <= _LONGEST_TEXT:
        return value
    if type(value) is int and value.bit_length() <= _MOST_BITS:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    raise TypeError
