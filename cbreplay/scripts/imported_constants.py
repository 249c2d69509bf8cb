"""Write what a script imports from its own modules in its place, if it is a constant.

``from config import EPOCHS`` is ``EPOCHS = 50`` where ``config.py`` says so.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from cbreplay.errors import ExpressionError
from cbreplay.scripts.sources import Source, parse_source, read_text
from cbreplay.scripts.syntax import bound_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["write_in_constants"]

_LONGEST_MODULE, _MOST_PARENTS = 100_000, 4


def write_in_constants(tree: ast.Module, path: str) -> None:
    """Assign numbers and texts where a script imports them from a file beside it.

    So of a class that holds nothing else. What a module binds twice, or otherwise, is
    left as it is imported.
    """
    _Writer(Path(path).absolute().parent).visit(tree)


class _Writer(ast.NodeTransformer):
    """Adds assignments below the imports of a script in one directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read: dict[Path, Mapping[str, ast.stmt | None]] = {}
        # the names that a star gave a constant
        self.starred: set[str] = set()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        module, kept, written = self.module(node), [], []
        for alias in node.names:
            found = module.get(alias.name)
            if found is None:
                kept.append(alias)
            else:
                written.append(_named(found, alias.asname or alias.name, node))
        if [alias.name for alias in kept] == ["*"] and "__all__" not in module:
            public = {name: own for name, own in module.items() if name[0] != "_"}
            constants = {name: own for name, own in public.items() if own}
            written = [_named(own, name, node) for name, own in constants.items()]
            # what another module's star gave before is replaced by something else
            replaced = public.keys() & self.starred - constants.keys()
            kept += [ast.alias(name) for name in sorted(replaced)]
            self.starred |= constants.keys()
        node.names = kept
        return [node, *written] if kept else written

    def module(self, node: ast.ImportFrom) -> Mapping[str, ast.stmt | None]:
        """Return what a file beside the script binds; nothing if there is none."""
        parts = (node.module or "").split(".")
        above = self.folder.parents
        if node.level:
            places = [self.folder, *above][node.level - 1 : node.level]
        else:
            # a package's root may be above; a plain name is beside the script
            places = [self.folder, *(above[:_MOST_PARENTS] if len(parts) > 1 else ())]
        files = (place.joinpath(*parts).with_suffix(".py") for place in places)
        file = next((file for file in files if node.module and file.is_file()), None)
        if file is None:
            return {}
        if file not in self.read:
            self.read[file] = _read_constants(file)
        return self.read[file]


def _read_constants(file: Path) -> Mapping[str, ast.stmt | None]:
    """Return for each name in a module its one assignment of a constant, else None."""
    try:
        text = read_text(str(file), most=_LONGEST_MODULE)
        tree = parse_source(Source(str(file), text))
    except ExpressionError:
        return {}
    n_bound = Counter(name for node in ast.walk(tree) for name in _bound(node))
    constants = {_constant_name(statement): statement for statement in tree.body}
    return {
        name: constants.get(name) if times == 1 else None
        for name, times in n_bound.items()
    }


def _bound(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return [node.id]
    return node.names if isinstance(node, ast.Global) else bound_names(node)


def _constant_name(statement: ast.stmt) -> str:
    """Return which name a statement binds to a number, a text or a class of such."""
    if isinstance(statement, ast.ClassDef):
        parts = [part for part in statement.body if not isinstance(part, ast.Expr)]
        plain = not (statement.bases or statement.keywords or statement.decorator_list)
        return statement.name if plain and all(map(_constant_name, parts)) else ""
    if isinstance(statement, ast.AnnAssign):
        first: ast.expr = statement.target
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        first = statement.targets[0]
    else:
        return ""
    value = statement.value
    if isinstance(value, ast.UnaryOp):
        value = value.operand
    is_plain = isinstance(value, ast.Constant)
    return first.id if is_plain and isinstance(first, ast.Name) else ""


def _named(statement: ast.stmt, name: str, place: ast.stmt) -> ast.stmt:
    """Return a statement that binds another name, in the line of another statement."""
    written = copy.deepcopy(statement)
    if isinstance(written, ast.Assign):
        written.targets = [ast.Name(name, ast.Store())]
    elif isinstance(written, ast.AnnAssign):
        written.target = ast.Name(name, ast.Store())
    elif isinstance(written, ast.ClassDef):
        written.name = name
    for part in ast.walk(written):
        if isinstance(part, (ast.stmt, ast.expr)):
            ast.copy_location(part, place)
    return written
