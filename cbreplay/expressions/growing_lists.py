"""Lists that a script fills below where it begins them, as the lists they become."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["join_growing_lists"]

_Scope: TypeAlias = (
    ast.Module
    | ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.Lambda
    | ast.ListComp
    | ast.SetComp
    | ast.DictComp
    | ast.GeneratorExp
    | ast.ClassDef
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_BODIES = ("body", "orelse", "finalbody")


def join_growing_lists(tree: ast.Module) -> None:
    """Put what a list gains into the list: ``c = [a]; c.append(b)`` is ``c = [a, b]``.

    Only ``append``, ``extend`` and ``+=`` as statements of the same block as the list,
    below it and above whatever else names it: what the list holds there needs no run
    to be told. Everything else is left as it stands.
    """
    for scope in ast.walk(tree):
        if isinstance(scope, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)):
            for block in _blocks(scope):
                _join_block(block, scope)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of statements of one scope, without those of inner scopes."""
    for field in _BODIES:
        block = getattr(node, field, None)
        if isinstance(block, list):
            yield block
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _SCOPES):
            yield from _blocks(child)


def _join_block(block: list[ast.stmt], scope: _Scope) -> None:
    for start in list(block):
        begun = _begun(start)
        if begun is None:
            continue
        assigned, name, value = begun
        gains: list[tuple[ast.stmt, ast.expr]] = []
        for statement in block[block.index(start) + 1 :]:
            gained = _gained(statement, name)
            if gained is not None and not _names(gained, name):
                gains.append((statement, gained))
            elif _names(statement, name):
                break
        if gains and not _is_named_before(scope, name, start):
            for _, gained in gains:
                value = ast.copy_location(ast.BinOp(value, ast.Add(), gained), gained)
            assigned.value = value
            taken = {id(statement) for statement, _ in gains}
            block[:] = [statement for statement in block if id(statement) not in taken]


def _begun(
    statement: ast.stmt,
) -> tuple[ast.Assign | ast.AnnAssign, str, ast.expr] | None:
    """Return where a list is assigned, its name and its value."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value = statement.target, statement.value
    else:
        return None
    if isinstance(value, ast.Call) and ast.unparse(value) == "list()":
        value = ast.copy_location(ast.List([], ast.Load()), value)
    plain = value.left if isinstance(value, ast.BinOp) else value
    if not isinstance(target, ast.Name) or not isinstance(plain, ast.List):
        return None
    return statement, target.id, value


def _gained(statement: ast.stmt, name: str) -> ast.expr | None:
    """Return the list that a statement adds to the list of this name."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        target = statement.target
        is_it = isinstance(target, ast.Name) and target.id == name
        return statement.value if is_it else None
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or call.keywords or len(call.args) != 1:
        return None
    called, (given,) = call.func, call.args
    if (
        not isinstance(called, ast.Attribute)
        or not isinstance(called.value, ast.Name)
        or called.value.id != name
    ):
        return None
    if called.attr == "append":
        return ast.copy_location(ast.List([given], ast.Load()), given)
    return given if called.attr == "extend" else None


def _names(node: ast.AST, name: str) -> bool:
    return any(
        isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node)
    )


def _is_named_before(scope: _Scope, name: str, start: ast.stmt) -> bool:
    """Return whether a scope names it above a statement, inner scopes included."""
    return any(
        (mention.lineno, mention.col_offset) < (start.lineno, start.col_offset)
        for mention in _mentions(scope, name)
    )


def _mentions(node: ast.AST, name: str) -> Iterator[ast.Name]:
    """Yield where a name of a scope stands; a function's own one is another."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and child.id == name:
            yield child
        if not (isinstance(child, _SCOPES) and _has_its_own(child, name)):
            yield from _mentions(child, name)


def _has_its_own(scope: ast.AST, name: str) -> bool:
    """Return whether a function takes or assigns the name, and does not share it."""
    inside = list(ast.walk(scope))
    if any(
        isinstance(node, (ast.Global, ast.Nonlocal)) and name in node.names
        for node in inside
    ):
        return False
    return any(
        (isinstance(node, ast.arg) and node.arg == name)
        or (
            isinstance(node, ast.Name)
            and node.id == name
            and isinstance(node.ctx, ast.Store)
        )
        for node in inside
    )
