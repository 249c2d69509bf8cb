"""Write what a script imports from its own modules in its place, as one program.

``from config import EPOCHS`` is ``EPOCHS = 50`` where ``config.py`` says so, and
``from tools import get_callbacks`` is the function, with all that it needs there.
"""

# ruff: noqa: N815 - ast.NodeTransformer names the visits, and so says what they do

from __future__ import annotations

import ast
import builtins
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.errors import ExpressionError
from cbreplay.rules.registry import find_rule
from cbreplay.scripts.keras_paths import KERAS_PACKAGES
from cbreplay.scripts.reassigned_names import free_names, marked_name, own_nodes
from cbreplay.scripts.sources import ModuleText, Source, parse_source, read_text
from cbreplay.scripts.syntax import (
    FUNCTIONS,
    SCOPES,
    bound_by,
    called_name,
    copied,
    imported_names,
    names_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["write_in_modules"]

_LONGEST_MODULE, _MOST_CODE, _MOST_MODULES = 100_000, 300_000, 50
_MOST_WRITTEN = 2_000
_MOST_PARENTS = 4
# of such an expression is a value that nothing can change
_FIXED: tuple[type[ast.AST], ...] = (ast.BinOp, ast.Constant, ast.Tuple, ast.UnaryOp)
_FIXED += (ast.expr_context, ast.operator, ast.unaryop)
_BUILTINS = frozenset(dir(builtins))


def write_in_modules(tree: ast.Module, source: Source) -> Source:
    """Write the statements that a script imports from files beside it in their place.

    With them come those that bind what they use, and those that use an object which
    they make, as ``callbacks.append(...)``. A name that the script has too gets a mark,
    as in `split_reassigned_names`.

    Returns
    -------
    Source
        The same, which also knows the lines of these files.
    """
    program = _OwnModules(source.path)
    writer = _Writer(tree, program.folder, program)
    # what a script imports and does not use takes no part; a module passes it on
    writer.wanted = writer.used
    writer.visit(tree)
    is_split = bool(program.texts) and any(
        isinstance(node, ast.Call)
        and node.lineno < 0
        and find_rule(called_name(node)) is not None
        for node in ast.walk(tree)
    )
    return source._replace(modules=tuple(program.texts), is_split=is_split)


class _Statement(NamedTuple):
    """A statement of a module, the names that it binds there, and all that it uses."""

    node: ast.stmt
    binds: frozenset[str]
    uses: frozenset[str]

    @property
    def makes_object(self) -> bool:
        """Whether it assigns what may be changed in place."""
        if isinstance(self.node, (*SCOPES, ast.Import, ast.ImportFrom)):
            return False
        value = getattr(self.node, "value", None) or self.node
        return not all(isinstance(part, _FIXED) for part in ast.walk(value))


class _Module:
    """The statements of a module that run when it is imported."""

    def __init__(self, tree: ast.Module, number: int) -> None:
        self.number = number
        self.statements = [
            _as_statement(part)
            for node in tree.body
            for part in ([] if _is_main(node) else _single_imports(node))
        ]
        self.binding: dict[str, list[int]] = {}
        self.using: dict[str, list[int]] = {}
        for at, statement in enumerate(self.statements):
            for name in statement.binds:
                self.binding.setdefault(name, []).append(at)
            for name in statement.uses:
                self.using.setdefault(name, []).append(at)

    @property
    def is_open(self) -> bool:
        """Whether its statements do not tell which names a star imports."""
        return not self.binding or bool(self.binding.keys() & {"*", "__all__"})

    @property
    def public(self) -> set[str]:
        """The names that a star imports; none if ``__all__`` tells them."""
        if "__all__" in self.binding:
            return set()
        return {name for name in self.binding if name[0] not in "_*"}

    def needed(self, names: Iterable[str]) -> list[_Statement]:
        """Return the statements that some names need, in order."""
        pending, seen, chosen = list(names), set[str](), set[int]()
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            # what is bound nowhere may come with a star
            star = [] if name in _BUILTINS else self.binding.get("*", [])
            found = self.binding.get(name, star)
            if any(self.statements[at].makes_object for at in found):
                found = [*found, *self.using.get(name, ())]
            for at in set(found) - chosen:
                chosen.add(at)
                pending += self.statements[at].uses
        return [self.statements[at] for at in sorted(chosen)]


class _OwnModules:
    """The modules of one script: each is read once, and its lines come before it."""

    def __init__(self, path: str) -> None:
        self.shown = Path(path).parent
        self.folder = self.shown.absolute()
        # a script that its own modules import is not read again
        script = self.folder / Path(path).name
        self.modules = {script: _Module(ast.Module([], []), 0)}
        # modules that may be changed from outside
        self.changed: set[Path] = set()
        self.texts: list[ModuleText] = []
        self.n_characters = self.n_written = 0

    def module(self, file: Path) -> _Module:
        """Return a module; without statements if what they say need not be all."""
        if file not in self.modules:
            number = len(self.modules)
            # a module that imports itself, through others, finds nothing in it
            self.modules[file] = _Module(ast.Module([], []), number)
            tree = self._parsed(file) if number < _MOST_MODULES else None
            if tree is not None:
                _Writer(tree, file.parent, self).visit(tree)
                self.modules[file] = _Module(tree, number)
        if file in self.changed or self.n_written > _MOST_WRITTEN:
            return _Module(ast.Module([], []), 0)
        return self.modules[file]

    def _parsed(self, file: Path) -> ast.Module | None:
        try:
            text = read_text(str(file), most=_LONGEST_MODULE)
            tree = parse_source(Source(str(file), text))
        except ExpressionError:
            return None
        self.n_characters += len(text)
        if self.n_characters > _MOST_CODE:
            return None
        before = self.texts[-1].first if self.texts else 0
        first = before - len(text.splitlines()) - 1
        name = os.path.relpath(file, self.folder)
        path = os.path.normpath(self.shown / name)
        self.texts.append(ModuleText(path, name, text, first))
        ast.increment_lineno(tree, first - 1)
        return tree


class _Writer(ast.NodeTransformer):
    """Writes statements in place of the imports of a script in one directory."""

    def __init__(self, tree: ast.Module, folder: Path, program: _OwnModules) -> None:
        self.folder, self.program = folder, program
        nodes = list(ast.walk(tree))
        bound = Counter(name for node in nodes for name in bound_by(node))
        used = Counter(node.id for node in nodes if isinstance(node, ast.Name))
        self.used = frozenset(used)
        self.wanted = self.taken = frozenset([*bound, *used])
        self.imported = {
            pair for node in own_nodes(tree) for pair in imported_names(node)
        }
        # the attributes of each name of which none is set
        self.attributes: dict[str, list[str]] = {}
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                name, is_read = node.value.id, isinstance(node.ctx, ast.Load)
                self.attributes.setdefault(name, []).extend([node.attr] * is_read)
        # a module that is not only looked into may be changed
        imported = [own for node in nodes for own in self.modules_of(node)]
        looked_into = {
            name
            for name, _ in imported
            if len(self.attributes.get(name, ())) == used[name]
        }
        program.changed |= {file for name, file in imported if name not in looked_into}
        self.modules = {
            name: program.module(file)
            for name, file in imported
            if name in looked_into and bound[name] == 1
        }
        self.scopes: list[set[tuple[int, str]]] = [set()]

    def visit_scope(self, node: ast.AST) -> ast.AST:
        """Write what a function imports into the function."""
        self.scopes.append(set())
        self.generic_visit(node)
        self.scopes.pop()
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_scope

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        """Keep an import, and write what is used of its modules below it."""
        written: list[ast.stmt] = []
        for name, _ in self.modules_of(node):
            if (module := self.modules.get(name)) is not None:
                found = module.binding.keys() & set(self.attributes.get(name, ()))
                wanted = {inner: marked_name(inner, module.number) for inner in found}
                written += self.write(module, wanted)
        return [node, *written]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        file = self.file_of(node.level, node.module or "")
        if file is None:
            return self.visit_Import(node)
        module = self.program.module(file)
        names = {alias.name: alias.asname or alias.name for alias in node.names}
        if "*" in names:
            wanted = {name: name for name in sorted(module.public & self.taken)}
            # all that it may bring is known
            names = names if module.is_open else wanted
        else:
            wanted = {
                name: own
                for name, own in names.items()
                if name in module.binding and own in self.wanted
            }
        node.names = [
            alias
            for alias in node.names
            if alias.name in names and alias.name not in wanted
        ]
        # a function may hold nothing else
        kept: ast.stmt = node if node.names else ast.copy_location(ast.Pass(), node)
        return [kept, *self.write(module, wanted)]

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        root = node.value.id if isinstance(node.value, ast.Name) else ""
        module = self.modules.get(root)
        if module is None or node.attr not in module.binding:
            return node
        name = marked_name(node.attr, module.number)
        return ast.copy_location(ast.Name(name, node.ctx), node)

    def write(self, module: _Module, wanted: Mapping[str, str]) -> list[ast.stmt]:
        """Return the statements that names of a module need, by the script's names."""
        needed = [
            statement
            for statement in module.needed(wanted)
            if not self.has_import(statement.node)
        ]
        self.program.n_written += len(needed)
        bound = {name for statement in needed for name in statement.binds - {"*"}}
        renamed = {
            name: marked_name(name, module.number) for name in bound & self.taken
        }
        renamer = _Renamer(renamed | dict(wanted))
        written = []
        for statement in needed:
            names = {
                (statement.node.lineno, renamer.names.get(name, name))
                for name in statement.binds
            }
            if not names or not any(names <= known for known in self.scopes):
                node = copied(statement.node)
                renamer.visit(node)
                written.append(node)
            self.scopes[-1] |= names
        return written

    def has_import(self, node: ast.stmt) -> bool:
        """Return whether the script has the same import."""
        pairs = imported_names(node)
        return bool(pairs) and self.imported.issuperset(pairs)

    def modules_of(self, node: ast.AST) -> Iterator[tuple[str, Path]]:
        """Yield the names that an import binds to modules beside the script."""
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            return
        level, package = 0, ""
        if isinstance(node, ast.ImportFrom):
            level, package = node.level, f"{node.module}." if node.module else ""
        for alias in node.names:
            file = self.file_of(level, package + alias.name)
            if file is not None:
                yield alias.asname or alias.name, file

    def file_of(self, level: int, dotted: str) -> Path | None:
        """Return the file of a module beside the script, or None."""
        parts = dotted.split(".")
        if not dotted or (not level and parts[0] in KERAS_PACKAGES):
            return None
        above = self.folder.parents
        if level:
            places = [self.folder, *above][level - 1 : level]
        else:
            # a package's root may be above; a plain name is beside the script
            places = [self.folder, *(above[:_MOST_PARENTS] if len(parts) > 1 else ())]
        files = (place.joinpath(*parts).with_suffix(".py") for place in places)
        return next((file for file in files if file.is_file()), None)


class _Renamer(ast.NodeTransformer):
    """Renames names of a module where they mean those of the module."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = {name: new for name, new in names.items() if name != new}

    def visit(self, node: ast.AST) -> ast.AST:
        if not self.names:
            return node
        self.rename(node)
        inner = self
        if isinstance(node, SCOPES):
            outer = free_names(node) | _shared_names(node)
            inner = _Renamer(
                {name: self.names[name] for name in self.names.keys() & outer}
            )
        return inner.generic_visit(node)

    def rename(self, node: ast.AST) -> None:
        """Rename what a node names itself."""
        if isinstance(node, ast.Name):
            node.id = self.names.get(node.id, node.id)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            node.name = self.names.get(node.name, node.name)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            node.names = [self.names.get(name, name) for name in node.names]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias, (name, _) in zip(node.names, imported_names(node), strict=True):
                if name not in self.names:
                    continue
                if isinstance(node, ast.Import) and not alias.asname:
                    alias.name = name  # `import keras.callbacks` binds keras
                alias.asname = self.names[name]


def _as_statement(node: ast.stmt) -> _Statement:
    inside = [node] if isinstance(node, SCOPES) else [node, *own_nodes(node)]
    binds = _shared_names(node).union(*map(bound_by, inside))
    names = (part.id for part in inside if isinstance(part, ast.Name))
    return _Statement(node, binds, frozenset(names).union(*map(free_names, inside)))


def _shared_names(node: ast.AST) -> frozenset[str]:
    """Return the names that functions inside a node set as ``global``."""
    inner = (part.names for part in ast.walk(node) if isinstance(part, ast.Global))
    return frozenset(name for names in inner for name in names)


def _is_main(node: ast.stmt) -> bool:
    """Return whether a statement runs only where its module is the script."""
    return isinstance(node, ast.If) and "__name__" in names_in(node.test)


def _single_imports(node: ast.stmt) -> list[ast.stmt]:
    """Return an import of several names as several, each of one."""
    if isinstance(node, ast.Import):
        return [ast.copy_location(ast.Import([alias]), node) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        parts = [
            ast.ImportFrom(node.module, [alias], node.level) for alias in node.names
        ]
        return [ast.copy_location(part, node) for part in parts]
    return [node]
