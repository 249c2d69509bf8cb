"""Tell apart what a name means before and after a script assigns it again."""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from cbreplay.scripts.syntax import (
    FUNCTIONS,
    SCOPES,
    bound_names,
    shared_names,
    stored_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    # the mentions of a name in a block, each with the index of its statement
    _Mentions: TypeAlias = list[tuple[int, ast.Name]]

__all__ = [
    "free_names",
    "marked_name",
    "own_nodes",
    "split_reassigned_names",
    "without_marks",
]

# signs of SignWriting: repr shows them as they are, and no name of Python holds one
_FIRST_MARK, _LAST_MARK, _MARKS = 0x1D800, 0x1D99F, "[\U0001d800-\U0001d9ff]"


def split_reassigned_names(tree: ast.Module) -> None:
    """Rename a name from each assignment on that replaces what it meant, in place.

    After ``n = 1; f(n); n = 2; f(n)`` the last two mentions are of another name: it
    ends with a mark, which `without_marks` takes away. An assignment replaces what was
    before if it is a statement of the function's own block, or if the name is used
    nowhere below that block. A name that an inner function or class uses stays as it
    is: when that runs is not known.
    """
    marked: Counter[str] = Counter()
    nodes = list(ast.walk(tree))
    shared = shared_names(nodes)
    for scope in nodes:
        if isinstance(scope, (ast.Module, *FUNCTIONS)):
            _Splitter(scope, shared, marked).split(scope.body)


def marked_name(name: str, module: int) -> str:
    """Return a name as no script has it, for what a module of its own calls so."""
    return without_marks(name) + chr(_LAST_MARK + 1 + module)


def without_marks(text: str) -> str:
    """Return a text with names as the script has them."""
    return re.sub(_MARKS, "", text)


class _Splitter:
    """Splits the names of one scope, a module or function.

    `shared` are the names that a ``global`` or ``nonlocal`` names, and `marked` counts
    the marks that each name has in the script.
    """

    def __init__(self, scope: ast.AST, shared: set[str], marked: Counter[str]) -> None:
        inside = list(own_nodes(scope))
        self.fixed = shared.union(*map(bound_names, inside))
        self.fixed.update(*(map(free_names, inside)))
        self.parameters = {node.arg for node in inside if isinstance(node, ast.arg)}
        # of each name, in the statement that is looked through and all below it
        self.n_mentions: Counter[str] = Counter()
        self.marked = marked

    def split(self, block: Sequence[ast.stmt]) -> None:
        """Split the names that the scope's own block assigns, then those inside it."""
        self.split_block(block, is_whole=True)
        self.n_mentions.clear()
        for statement in reversed(block):
            if not isinstance(statement, SCOPES):
                inside = own_nodes(statement)
                names = (node.id for node in inside if isinstance(node, ast.Name))
                self.n_mentions.update(names)
            for inner in _inner_blocks(statement):
                self.split_inner(inner)

    def split_inner(self, block: Sequence[ast.stmt]) -> None:
        """Split the names that an inner block assigns, then those of blocks in it."""
        self.split_block(block)
        for statement in block:
            for inner in _inner_blocks(statement):
                self.split_inner(inner)

    def split_block(self, block: Sequence[ast.stmt], *, is_whole: bool = False) -> None:
        """Split the names that a block assigns.

        If `is_whole`, these are all statements of the function.
        """
        mentions: dict[str, _Mentions] = {}
        begun: dict[str, list[int]] = {}
        for at, statement in enumerate(block):
            for node in own_nodes(statement):
                if isinstance(node, ast.Name) and not isinstance(statement, SCOPES):
                    mentions.setdefault(node.id, []).append((at, node))
            for name in {target.id for target in _assigned(statement)} - self.fixed:
                begun.setdefault(name, []).append(at)
        for name, starts in begun.items():
            found = mentions[name]
            targets = {id(target) for target in _assigned(block[starts[0]])}
            # in a loop the value may be that of the round before
            reads = [at for at, node in found if id(node) not in targets]
            is_read_before = min(reads, default=len(block)) <= starts[0]
            if not is_whole and (is_read_before or len(found) < self.n_mentions[name]):
                continue  # it may have its value from elsewhere, or be used there
            has_value = name in self.parameters or any(
                at < starts[0] and isinstance(node.ctx, ast.Store) for at, node in found
            )
            if is_whole and not has_value:
                del starts[0]
            self.rename(name, starts, block, found)

    def rename(
        self,
        name: str,
        starts: Sequence[int],
        block: Sequence[ast.stmt],
        mentions: _Mentions,
    ) -> None:
        """Rename a name from each of some statements on."""
        targets = {id(target) for at in starts for target in _assigned(block[at])}
        before = current = name
        begun, pending = -1, list(reversed(starts))
        for at, node in sorted(mentions, key=lambda mention: mention[0]):
            while pending and pending[-1] <= at:
                begun, before, current = pending.pop(), current, self.next_name(name)
            # the assigned value still has the earlier meaning
            is_before = at == begun and id(node) not in targets
            node.id = before if is_before else current
            self.n_mentions[name] -= 1
            self.n_mentions[node.id] += 1

    def next_name(self, name: str) -> str:
        """Return a name with a mark that it does not have yet; as it is after many."""
        plain = without_marks(name)
        mark = _FIRST_MARK + self.marked[plain]
        if mark > _LAST_MARK:
            return name
        self.marked[plain] += 1
        return plain + chr(mark)


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield what is in a scope; functions and classes in it without their inside."""
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, SCOPES):
            pending += ast.iter_child_nodes(node)


def free_names(node: ast.AST) -> set[str]:
    """Return the names that a function or class uses of those outside of it."""
    if not isinstance(node, SCOPES):
        return set()
    inside = list(own_nodes(node))
    names = [part for part in inside if isinstance(part, ast.Name)]
    own = {part.arg for part in inside if isinstance(part, ast.arg)}
    if not isinstance(node, ast.ClassDef):
        own |= stored_names(names)
    free = {part.id for part in names}.union(*map(free_names, inside)) - own
    # f(n=n): a default is evaluated outside
    defaults = [] if isinstance(node, ast.ClassDef) else _defaults(node.args)
    inner = (part for default in defaults for part in ast.walk(default))
    return free | {part.id for part in inner if isinstance(part, ast.Name)}


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [
        default for default in [*arguments.defaults, *arguments.kw_defaults] if default
    ]


def _assigned(statement: ast.stmt) -> Iterator[ast.Name]:
    """Yield the names to which a statement certainly assigns a new value."""
    pending: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        pending = list(statement.targets)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        pending = [statement.target]
    while pending:
        target = pending.pop()
        if isinstance(target, ast.Name):
            yield target
        elif isinstance(target, (ast.Tuple, ast.List)):
            pending += target.elts
        elif isinstance(target, ast.Starred):
            pending.append(target.value)


def _inner_blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of statements in one, unless it is a function or class."""
    if isinstance(statement, SCOPES):
        return
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield child.body
    for name, block in ast.iter_fields(statement):
        if name in ("body", "orelse", "finalbody"):
            yield block
