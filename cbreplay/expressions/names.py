"""What each name of a script stands for: assigned once, imported, or not to be told."""

# ruff: noqa: N815 - ast.NodeVisitor names the methods

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Binding", "Names", "Scope", "read_names"]

_CHANGING = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"}
_SETTING = {"delattr", "setattr"}


class Binding(NamedTuple):
    """One place where a name is given a meaning.

    Parameters
    ----------
    line : int
        Where.
    value : ast.expr or None
        What is assigned, by a plain assignment.
    path : str or None
        What is imported, with its module.
    """

    line: int
    value: ast.expr | None = None
    path: str | None = None


class Scope:
    """A module, class, function or comprehension, and the names bound in it."""

    def __init__(self, parent: Scope | None, *, of_class: bool = False) -> None:
        self.parent, self.of_class = parent, of_class
        self.bindings: dict[str, list[Binding]] = {}

    def holder(self, name: str) -> Scope | None:
        """Return the scope in which a name that is used here is bound."""
        scope: Scope | None = self
        while scope is not None:
            # a method does not see the names of its class
            if name in scope.bindings and (scope is self or not scope.of_class):
                return scope
            scope = scope.parent
        return None


class Names(NamedTuple):
    """The names and calls of a script.

    Parameters
    ----------
    calls : list of (ast.Call, Scope)
        Every call, and where it stands, in the order of the text.
    changed : mapping of (Scope, str) to int
        The line in which what a name holds is changed in place.
    """

    calls: list[tuple[ast.Call, Scope]]
    changed: dict[tuple[Scope, str], int]


def read_names(tree: ast.Module) -> Names:
    """Walk a script once.

    Raises
    ------
    RecursionError
        If it is nested more deeply than Python's own stack.
    """
    walk = _NameVisitor()
    walk.visit(tree)
    for name in walk.shared:
        for scope in walk.scopes:
            if name in scope.bindings:
                scope.bindings[name].append(Binding(0))
    calls = sorted(walk.calls, key=lambda place: (place[0].lineno, place[0].col_offset))
    return Names(calls, _find_changed(walk))


_Place: TypeAlias = tuple[Scope, str]


def _find_changed(walk: _NameVisitor) -> dict[_Place, int]:
    """Return what is changed in place, by whichever of its names."""
    changed: dict[_Place, int] = {}
    for scope, name, line in walk.changes:
        place = _place(scope, name)
        if place is not None:
            changed.setdefault(place, line)
    same = [*_aliases(walk), *_passed(walk)]
    found = True
    while found:
        found = False
        for first, other in same:
            for known, new in ((first, other), (other, first)):
                if known in changed and new not in changed:
                    changed[new], found = changed[known], True
    return changed


def _place(scope: Scope, name: str) -> _Place | None:
    holder = scope.holder(name)
    return None if holder is None else (holder, name)


def _aliases(walk: _NameVisitor) -> Iterator[tuple[_Place, _Place]]:
    """Yield pairs of names of one object, or of one in the other: ``d = c[0]``."""
    for scope in walk.scopes:
        for name, bindings in scope.bindings.items():
            for binding in bindings:
                held = None if binding.value is None else _root(binding.value)
                other = None if held is None else _place(scope, held)
                if other is not None:
                    yield (scope, name), other
    for scope, target, held in walk.looped:
        one, other = _place(scope, target), _place(scope, held)
        if one is not None and other is not None:
            yield one, other


def _root(node: ast.expr) -> str | None:
    """Return the name at which a chain of attributes and subscripts begins."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _passed(walk: _NameVisitor) -> Iterator[tuple[_Place, _Place]]:
    """Yield a function's parameter, and what it is called with by name."""
    for call, scope in walk.calls:
        called = call.func.id if isinstance(call.func, ast.Name) else None
        function = None if called is None else walk.functions.get(called)
        if function is None:
            continue
        inside, parameters = function
        given = [*zip(parameters, call.args, strict=False)]
        given += [
            (keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg
        ]
        for parameter, value in given:
            if isinstance(value, ast.Name) and parameter in inside.bindings:
                place = _place(scope, value.id)
                if place is not None:
                    yield (inside, parameter), place


class _NameVisitor(ast.NodeVisitor):
    """Collects the bindings of every scope; the methods are named as `ast` asks."""

    def __init__(self) -> None:
        self.scope = Scope(None)
        self.scopes = [self.scope]
        self.calls: list[tuple[ast.Call, Scope]] = []
        self.changes: list[tuple[Scope, str, int]] = []
        self.shared: set[str] = set()
        self.functions: dict[str, tuple[Scope, list[str]]] = {}
        self.looped: list[tuple[Scope, str, str]] = []

    def bind(self, name: str, binding: Binding) -> None:
        self.scope.bindings.setdefault(name, []).append(binding)

    def inside(self, nodes: list[ast.AST], scope: Scope) -> None:
        outer, self.scope = self.scope, scope
        self.scopes.append(scope)
        for node in nodes:
            self.visit(node)
        self.scope = outer

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.bind(node.name, Binding(node.lineno))
        for decorator in node.decorator_list:
            self.visit(decorator)
        scope = self.enter_function(node.args, list(node.body))
        named = [*node.args.posonlyargs, *node.args.args]
        self.functions[node.name] = (scope, [parameter.arg for parameter in named])

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.enter_function(node.args, [node.body])

    def enter_function(self, arguments: ast.arguments, body: list[ast.AST]) -> Scope:
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.visit(default)
        scope = Scope(self.scope)
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        starred = [arguments.vararg, arguments.kwarg]
        for parameter in [*named, *(star for star in starred if star is not None)]:
            scope.bindings.setdefault(parameter.arg, []).append(
                Binding(parameter.lineno)
            )
        self.inside(body, scope)
        return scope

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bind(node.name, Binding(node.lineno))
        for inner in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(inner)
        self.inside(list(node.body), Scope(self.scope, of_class=True))

    def visit_comprehension_like(self, node: ast.AST) -> None:
        self.inside(list(ast.iter_child_nodes(node)), Scope(self.scope))

    visit_ListComp = visit_comprehension_like
    visit_SetComp = visit_comprehension_like
    visit_DictComp = visit_comprehension_like
    visit_GeneratorExp = visit_comprehension_like

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            # `import keras.callbacks` binds keras, `... as kc` the whole
            path = alias.name if alias.asname else alias.name.partition(".")[0]
            self.bind(alias.asname or path, Binding(node.lineno, path=path))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name != "*":
                path = f"{module}.{alias.name}"
                self.bind(alias.asname or alias.name, Binding(node.lineno, path=path))

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.bind(target.id, Binding(node.lineno, value=node.value))
            else:
                self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            return
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self.bind(node.target.id, Binding(node.lineno, value=node.value))
        else:
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        # `+=` changes a list for all of its names, and makes a new number
        adds = isinstance(node.op, ast.Add) and not isinstance(node.value, ast.Constant)
        if adds and isinstance(node.target, ast.Name):
            self.changes.append((self.scope, node.target.id, node.lineno))
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bind(node.id, Binding(node.lineno))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.visit_capture(node)

    def visit_capture(
        self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar | ast.MatchMapping
    ) -> None:
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name is not None:
            self.bind(name, Binding(node.lineno))
        self.generic_visit(node)

    visit_MatchAs = visit_capture
    visit_MatchStar = visit_capture
    visit_MatchMapping = visit_capture

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.shared.update(node.names)

    visit_Nonlocal = visit_Global

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.note_change(node)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.note_change(node)
        self.generic_visit(node)

    def note_change(self, node: ast.Attribute | ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.note_held_by(node.value, node.lineno)

    def note_held_by(self, node: ast.expr, line: int) -> None:
        """Note that what a name holds is changed there, or a part of it."""
        name = _root(node)
        if name is not None:
            self.changes.append((self.scope, name, line))

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        held = [one.id for one in ast.walk(node.iter) if isinstance(one, ast.Name)]
        targets = [one.id for one in ast.walk(node.target) if isinstance(one, ast.Name)]
        self.looped += [
            (self.scope, target, name) for target in targets for name in held
        ]
        self.generic_visit(node)

    visit_AsyncFor = visit_For

    def visit_Call(self, node: ast.Call) -> None:
        self.calls.append((node, self.scope))
        called = node.func
        if (
            isinstance(called, ast.Attribute)
            and isinstance(called.value, ast.Name)
            and called.attr in _CHANGING
        ):
            self.changes.append((self.scope, called.value.id, node.lineno))
        if isinstance(called, ast.Name) and called.id in _SETTING and node.args:
            self.note_held_by(node.args[0], node.lineno)
        self.generic_visit(node)
