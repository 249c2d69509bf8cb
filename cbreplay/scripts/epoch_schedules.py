"""What a schedule of the script returns: by the epoch alone, or a tensor."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from cbreplay.scripts.possible_values import only_literal
from cbreplay.scripts.syntax import stored_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Scope

__all__ = ["find_tensor", "goes_by_epoch_alone"]

# none of these can find out the rate of an optimizer
_MODULES = {"math", "numpy", "tensorflow"}
_FUNCTIONS = {"abs", "bool", "float", "int", "len", "max", "min", "pow", "print"}
_FUNCTIONS |= {"range", "round", "str", "sum"}
_LEFT_OUT = (ast.Global, ast.Nonlocal, ast.FunctionDef, ast.Lambda, ast.ClassDef)


def goes_by_epoch_alone(schedule: ast.expr, scope: Scope, calls: ScriptCalls) -> bool:
    """Return whether a schedule is a function that cannot know the rate before.

    It is a function of the script that does not use its second argument, and nothing
    but arithmetic and literals: ``lambda epoch: 0.1 * 0.5**epoch``.
    """
    function = _function(schedule, scope, calls)
    if function is None:
        return False
    arguments = [argument.arg for argument in function.args.args]
    rest = function.args
    if not arguments or rest.posonlyargs or rest.vararg or rest.kwonlyargs:
        return False
    body = function.body if isinstance(function.body, list) else [function.body]
    nodes = [node for part in body for node in ast.walk(part)]
    known = {arguments[0]} | stored_names(nodes) - set(arguments)
    return all(_tells_no_rate(node, known, scope, calls) for node in nodes)


def find_tensor(schedule: ast.expr, scope: Scope, calls: ScriptCalls) -> str:
    """Return which function makes a schedule's result a tensor; "" if none does.

    ``lr * tf.exp(-0.1)`` is a tensor, and ``float(lr * tf.exp(-0.1))`` is none.
    """
    function = _function(schedule, scope, calls)
    if function is None:
        return ""
    results = (
        [function.body]
        if isinstance(function, ast.Lambda)
        else [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    )
    for part in [part for result in results for part in _operands(result)]:
        made_by = part.func if isinstance(part, ast.Call) else None
        paths = [] if made_by is None else calls.paths(made_by, scope)
        if made_by and paths and all(re.fullmatch(_OF_TENSORS, path) for path in paths):
            return calls.written(made_by)
    return ""


# what else tf.keras returns may be a number
_OF_TENSORS = (
    r"tensorflow\.(?!keras\.)[\w.]+"
    r"|(tensorflow\.)?keras\.ops\.(?!convert_to_numpy$|ndim$|shape$|size$)\w+"
)


def _operands(node: ast.expr | None) -> Iterator[ast.expr]:
    """Yield what a result is calculated of: a tensor among it makes it one."""
    if isinstance(node, ast.BinOp):
        yield from _operands(node.left)
        yield from _operands(node.right)
    elif isinstance(node, ast.IfExp):
        yield from _operands(node.body)
        yield from _operands(node.orelse)
    elif isinstance(node, ast.UnaryOp):
        yield from _operands(node.operand)
    elif node is not None:
        yield node


def _function(
    schedule: ast.expr, scope: Scope, calls: ScriptCalls
) -> ast.FunctionDef | ast.Lambda | None:
    """Return the one function that an expression certainly is, if it is one."""
    if isinstance(schedule, ast.Lambda):
        return schedule
    place = scope.place_of(schedule)
    if place is None or place in calls.names.changes.first:
        return None
    holder, name = place
    bindings = holder.bindings[name]
    if len(bindings) != 1:
        return None
    if bindings[0].value is not None:
        return _function(bindings[0].value, holder, calls)
    inner = bindings[0].inner
    definition = None if inner is None else inner.definition
    plain = isinstance(definition, ast.FunctionDef) and not definition.decorator_list
    return definition if plain and isinstance(definition, ast.FunctionDef) else None


def _tells_no_rate(
    node: ast.AST, known: set[str], scope: Scope, calls: ScriptCalls
) -> bool:
    """Return whether a part of a function cannot be the rate, nor change it."""
    if isinstance(node, _LEFT_OUT):
        return False
    if isinstance(node, ast.Attribute):
        # "{:.5f}".format(...); the name of a module is a part of its own
        of_module = calls.module_of(node, scope) in _MODULES
        return isinstance(node.value, ast.Constant) or of_module
    if not isinstance(node, ast.Name) or isinstance(node.ctx, ast.Store):
        return True
    if node.id in known:
        return True
    if scope.holder(node.id) is None:
        return node.id in _FUNCTIONS
    of_module = calls.module_of(node, scope) in _MODULES
    return of_module or only_literal(calls, node, scope) is not None
