"""Replace ``c = [a]; c.append(b)`` by ``c = [a, b]``, where that is certain."""

from __future__ import annotations

import ast
import bisect
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cbreplay.scripts.syntax import (
    FUNCTIONS,
    SCOPES,
    called_name,
    method_name,
    names_in,
    receiver_of,
    shared_names,
    stored_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["join_growing_lists"]

_Position: TypeAlias = tuple[int, int]
# the line and column of the first and last mention of each name
_Mentions: TypeAlias = dict[str, tuple[_Position, _Position]]
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_BODIES = ("body", "orelse", "finalbody")
# context managers that swallow no exception
_LETTING_THROUGH = {
    *("Graph", "as_default", "custom_object_scope", "device", "name_scope", "open"),
    *("scope", "start_run"),
}


class _Suite(NamedTuple):
    """A block of statements; an exception may end it, and the script go on below."""

    statements: list[ast.stmt]
    may_break_off: bool


def join_growing_lists(tree: ast.Module) -> None:
    """Move the entries that a list gains into its display, in place.

    Only ``append``, ``extend`` and ``+=`` as statements in the block of the list, below
    it and above any other mention of it: these certainly run before it is used. If the
    list is also used below the block, they must not be behind a ``break``, a
    ``continue``, or in a block that an exception may end. Everything else stays as it
    is.
    """
    known: dict[int, _Mentions] = {}
    for scope in ast.walk(tree):
        if isinstance(scope, (ast.Module, *FUNCTIONS)):
            for block in _blocks(scope):
                _join_block(block, scope, known)


def _blocks(node: ast.AST, *, may_break_off: bool = False) -> Iterator[_Suite]:
    """Yield the blocks of statements of one scope, without those of inner scopes."""
    may_break_off = may_break_off or _may_swallow(node)
    for field, block in ast.iter_fields(node):
        if field in _BODIES and isinstance(block, list):
            yield _Suite(block, may_break_off)
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*SCOPES, ast.expr)):
            yield from _blocks(child, may_break_off=may_break_off)


def _may_swallow(node: ast.AST) -> bool:
    """Return whether a statement may keep an exception from ending what is below it."""
    if isinstance(node, (ast.With, ast.AsyncWith)):
        entered = [item.context_expr for item in node.items]
        return not all(
            isinstance(manager, ast.Call) and called_name(manager) in _LETTING_THROUGH
            for manager in entered
        )
    return isinstance(node, (ast.Try, ast.TryStar))


def _join_block(block: _Suite, scope: ast.AST, known: dict[int, _Mentions]) -> None:
    statements = block.statements
    begun = {
        at: found
        for at, statement in enumerate(statements)
        if (found := _begun(statement)) is not None
    }
    if not begun:
        return
    mentions = _find_mentions(scope, known)
    # which statements mention each list that this block begins
    called = {name for _, name, _ in begun.values()}
    places: dict[str, list[int]] = {}
    for at, statement in enumerate(statements):
        for name in called.intersection(names_in(statement)):
            places.setdefault(name, []).append(at)
    leaving = [at for at, statement in enumerate(statements) if _may_leave(statement)]
    end = (statements[-1].end_lineno or 0, statements[-1].end_col_offset or 0)
    taken: set[int] = set()
    for start, (assigned, name, value) in begun.items():
        first, last = mentions[name]
        if first < (assigned.lineno, assigned.col_offset):
            continue
        stop = len(statements)
        if last > end:
            # code below the block may see the list without its later gains
            later = leaving[bisect.bisect_right(leaving, start) :]
            stop = start if block.may_break_off else min([*later, stop])
        below = bisect.bisect_right(places[name], start)
        within = places[name][below : bisect.bisect_left(places[name], stop)]
        gains = _gains_of(name, statements, within)
        if gains:
            taken.update(at for at, _ in gains)
            # one display for all gains: a sum for each would nest too deeply
            gained = ast.List([entry for _, entry in gains], ast.Load())
            grown = ast.BinOp(value, ast.Add(), ast.copy_location(gained, value))
            assigned.value = ast.copy_location(grown, value)
    statements[:] = [
        statement for at, statement in enumerate(statements) if at not in taken
    ]


def _may_leave(node: ast.AST) -> bool:
    """Return whether a node holds a ``break`` or ``continue`` of an outer loop."""
    if isinstance(node, (ast.Break, ast.Continue)):
        return True
    if isinstance(node, (*SCOPES, ast.expr)):
        return False
    # a break in a loop's body leaves that loop, in its `else` an outer one
    inner = node.orelse if isinstance(node, _LOOPS) else ast.iter_child_nodes(node)
    return any(map(_may_leave, inner))


def _gains_of(
    name: str, block: Sequence[ast.stmt], places: Sequence[int]
) -> list[tuple[int, ast.expr]]:
    """Return the entries that a list gains, up to the first other mention of it.

    That other lists gain it is such a mention: they copy what it holds at that point.
    """
    gains = []
    for at in places:
        gained = _gained(block[at], name)
        if gained is None or name in names_in(gained):
            break
        gains.append((at, gained))
    return gains


def _begun(
    statement: ast.stmt,
) -> tuple[ast.Assign | ast.AnnAssign, str, ast.expr] | None:
    """Return the statement that assigns a list, its name and its value; else None."""
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
    """Return the entry that a statement adds to a list, starred if it adds several."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        target = statement.target
        is_it = isinstance(target, ast.Name) and target.id == name
        return _starred(statement.value) if is_it else None
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or call.keywords or len(call.args) != 1:
        return None
    grown, (given,) = receiver_of(call), call.args
    if not isinstance(grown, ast.Name) or grown.id != name:
        return None
    if method_name(call) == "append":
        return given
    return _starred(given) if method_name(call) == "extend" else None


def _starred(value: ast.expr) -> ast.Starred:
    return ast.copy_location(ast.Starred(value, ast.Load()), value)


def _find_mentions(scope: ast.AST, known: dict[int, _Mentions]) -> _Mentions:
    """Return the first and last mention of each name of a scope, in inner scopes too.

    Names that are local to an inner scope do not count: they mean something else there.
    """
    if id(scope) in known:
        return known[id(scope)]
    found: _Mentions = {}
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        inner: _Mentions = {}
        if isinstance(node, ast.Name):
            at = (node.lineno, node.col_offset)
            inner = {node.id: (at, at)}
        if isinstance(node, SCOPES):
            own = _own_names(node)
            inside = _find_mentions(node, known)
            inner = {name: span for name, span in inside.items() if name not in own}
        else:
            pending += ast.iter_child_nodes(node)
        for name, (first, last) in inner.items():
            span = found.get(name, (first, last))
            found[name] = min(first, span[0]), max(last, span[1])
    known[id(scope)] = found
    return found


def _own_names(scope: ast.AST) -> set[str]:
    """Return the names that are local to a scope: not ``global`` or ``nonlocal``."""
    nodes = list(ast.walk(scope))
    parameters = {node.arg for node in nodes if isinstance(node, ast.arg)}
    return parameters | stored_names(nodes) - shared_names(nodes)
