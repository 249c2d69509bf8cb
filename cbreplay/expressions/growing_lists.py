"""Lists that a script fills below where it begins them, as the lists they become."""

from __future__ import annotations

import ast
import bisect
from typing import TYPE_CHECKING, TypeAlias

from cbreplay.expressions.flows import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["join_growing_lists"]

# the line and column at which a name first stands
_Firsts: TypeAlias = dict[str, tuple[int, int]]
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_BODIES = ("body", "orelse", "finalbody")


def join_growing_lists(tree: ast.Module) -> None:
    """Put what a list gains into the list: ``c = [a]; c.append(b)`` is ``c = [a, b]``.

    Only ``append``, ``extend`` and ``+=`` as statements of the same block as the list,
    below it and above whatever else names it: what the list holds there needs no run
    to be told. Everything else is left as it stands.
    """
    firsts: dict[int, _Firsts] = {}
    for scope in ast.walk(tree):
        if isinstance(scope, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = _first_mentions(scope, firsts)
            for block in _blocks(scope):
                _join_block(block, first)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of statements of one scope, without those of inner scopes."""
    for field in _BODIES:
        block = getattr(node, field, None)
        if isinstance(block, list):
            yield block
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _SCOPES):
            yield from _blocks(child)


def _join_block(block: list[ast.stmt], first: _Firsts) -> None:
    begun = {
        at: found
        for at, statement in enumerate(block)
        if (found := _begun(statement)) is not None
    }
    if not begun:
        return
    # where each name stands, of those that a list of this block is called
    called = {name for _, name, _ in begun.values()}
    places: dict[str, list[int]] = {}
    for at, statement in enumerate(block):
        for name in called.intersection(names_in(statement)):
            places.setdefault(name, []).append(at)
    taken: set[int] = set()
    for start, (assigned, name, value) in begun.items():
        if first[name] < (block[start].lineno, block[start].col_offset):
            continue
        gains = _gains_of(name, block, places[name], start)
        if gains:
            taken.update(at for at, _ in gains)
            # one list, however many there are: a sum of each would be nested
            gained = ast.List([entry for _, entry in gains], ast.Load())
            grown = ast.BinOp(value, ast.Add(), ast.copy_location(gained, value))
            assigned.value = ast.copy_location(grown, value)
    block[:] = [statement for at, statement in enumerate(block) if at not in taken]


def _gains_of(
    name: str, block: Sequence[ast.stmt], places: Sequence[int], start: int
) -> list[tuple[int, ast.expr]]:
    """Return the entries that a list gains, until something else names it.

    What another list gains from it is something else: that copies what it holds there.
    """
    gains = []
    for at in places[bisect.bisect_right(places, start) :]:
        gained = _gained(block[at], name)
        if gained is None or name in names_in(gained):
            break
        gains.append((at, gained))
    return gains


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
    """Return the entry, or with a star the entries, that a statement adds to a list."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        target = statement.target
        is_it = isinstance(target, ast.Name) and target.id == name
        return _starred(statement.value) if is_it else None
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
        return given
    return _starred(given) if called.attr == "extend" else None


def _starred(value: ast.expr) -> ast.Starred:
    return ast.copy_location(ast.Starred(value, ast.Load()), value)


def _first_mentions(scope: ast.AST, firsts: dict[int, _Firsts]) -> _Firsts:
    """Return where each name of a scope first stands, inner scopes included.

    An inner scope that takes or assigns the name, and does not share it, has its own.
    """
    if id(scope) in firsts:
        return firsts[id(scope)]
    found: _Firsts = {}
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        inner: _Firsts = {}
        if isinstance(node, ast.Name):
            inner = {node.id: (node.lineno, node.col_offset)}
        if isinstance(node, _SCOPES):
            own = _own_names(node)
            inside = _first_mentions(node, firsts)
            inner = {name: at for name, at in inside.items() if name not in own}
        else:
            pending += ast.iter_child_nodes(node)
        for name, at in inner.items():
            found[name] = min(at, found.get(name, at))
    firsts[id(scope)] = found
    return found


def _own_names(scope: ast.AST) -> set[str]:
    """Return the names that a scope takes or assigns, without those that it shares."""
    own: set[str] = set()
    shared: set[str] = set()
    for node in ast.walk(scope):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            shared.update(node.names)
        elif isinstance(node, ast.arg):
            own.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
    return own - shared
