"""Numbers that a script works out from numbers: ``int(50 / 4)``, ``np.sqrt(0.1)``."""

from __future__ import annotations

import ast
import math
import operator
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["work_out"]

_Number: TypeAlias = int | float
_MOST_BITS = 64


def _power(base: _Number, exponent: _Number) -> object:
    """Return a power, without working out a huge one.

    Raises
    ------
    TypeError
        If the exponent is large.
    """
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


def work_out(
    node: ast.expr,
    known: Callable[[ast.expr], ast.expr | None],
    called: Callable[[ast.expr], str],
) -> _Number | None:
    """Return the number that a piece of arithmetic comes to; None if it is none.

    `known` returns the value of a name, as a node, and None if that cannot be told;
    `called` returns the dotted name of a function, as ``numpy.sqrt``.

    Examples
    --------
    >>> piece = ast.parse("int(50 / 4) + 2", mode="eval").body
    >>> work_out(piece, lambda node: None, ast.unparse)
    14
    """
    try:
        return _bounded(_value(node, known, called))
    except (ArithmeticError, TypeError, ValueError, LookupError):
        return None


def _value(
    node: ast.expr,
    known: Callable[[ast.expr], ast.expr | None],
    called: Callable[[ast.expr], str],
) -> Any:  # noqa: ANN401 - checked by the caller
    if isinstance(node, ast.Constant):
        return _bounded(node.value)
    if isinstance(node, ast.UnaryOp):
        return _bounded(_UNARY[type(node.op)](_value(node.operand, known, called)))
    if isinstance(node, ast.BinOp):
        sides = [_value(side, known, called) for side in (node.left, node.right)]
        return _bounded(_BINARY[type(node.op)](*sides))
    if isinstance(node, ast.Call) and not node.keywords:
        given = [_value(part, known, called) for part in node.args]
        return _bounded(_FUNCTIONS[called(node.func)](*given))
    found = known(node)
    if found is None or found is node:
        raise LookupError
    return _value(found, known, called)


def _bounded(value: object) -> _Number:
    """Return a number of a usual size.

    Raises
    ------
    TypeError
        If it is no number, or a large one.
    """
    if type(value) is int and value.bit_length() <= _MOST_BITS:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    raise TypeError
