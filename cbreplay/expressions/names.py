"""What each name of a script stands for: assigned once, imported, or not to be told."""

# ruff: noqa: N815 - ast.NodeVisitor names the methods

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.expressions.flows import (
    COPYING,
    Change,
    Changes,
    Flow,
    find_flows,
    names_in,
    root_of,
    spread_changes,
)
from cbreplay.expressions.scopes import Binding, Gain, Scope, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Names", "read_names"]

_CHANGING = {
    *("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"),
    *("popitem", "setdefault", "update"),
    *("__dict__", "__delitem__", "__iadd__", "__imul__", "__setattr__", "__setitem__"),
}
# all attributes at once
_WHOLE = {"__dict__", "__setattr__"}
_GROWING = {"append", "extend", "insert"}
_SETTING = {"delattr", "setattr"}
# of these, list.append(a, b) is a way to write a.append(b)
_TYPES = {"dict", "list"}
# what is given to these stays as it is
_HARMLESS = COPYING | {"all", "any", "bool", "format", "id", "isinstance", "len"}
_HARMLESS |= {"print", "repr", "str", "type"}
_METHODS = {"evaluate", "fit", "fit_generator", "predict"} | _CHANGING
_METHODS |= {"debug", "deepcopy", "dumps", "error", "info", "warning"}
_NAMESPACES, _RUNNING = {"globals", "locals", "vars"}, {"eval", "exec"}


class _Function(NamedTuple):
    """A function or method of the script, and what it takes.

    Parameters
    ----------
    inside : Scope
        Its scope.
    parameters : list of str
        The parameters that may be given by place.
    rest : list of str
        ``*args`` and ``**kwargs``, if it has them.
    """

    inside: Scope
    parameters: list[str]
    rest: list[str]

    @property
    def is_method(self) -> bool:
        """Whether it stands in a class."""
        return self.inside.parent is not None and self.inside.parent.of_class


class Names(NamedTuple):
    """The names and calls of a script.

    Parameters
    ----------
    calls : list of (ast.Call, Scope)
        Every call, and where it stands, in the order of the text.
    changed : mapping of (Scope, str) to int
        The line in which what a name holds is changed in place.
    changes : Changes
        More of the same.
    given : mapping of (Scope, str) to int
        The line in which what a name holds is given to something that is not read.
    given_attributes : list of (ast.Attribute, Scope)
        Such as ``self.callbacks``, that are given so.
    unread : mapping of str to int
        What may give any name another meaning, and the line in which it stands.
    gains : list of Gain
        Where lists grow.
    stores : list of Store
        Where attributes are set.
    stars : list of str
        The modules of which everything is imported.
    scopes : list of Scope
        Every scope.
    uses : list of (ast.Name, Scope)
        Where names are used, but for those of which only an attribute or an entry is.
    taken : frozenset of str
        The names and attributes that are used otherwise than to call them.
    """

    calls: list[tuple[ast.Call, Scope]]
    changed: dict[tuple[Scope, str], int]
    changes: Changes
    given: dict[tuple[Scope, str], int]
    given_attributes: list[tuple[ast.Attribute, Scope]]
    unread: dict[str, int]
    gains: list[Gain]
    stores: list[Store]
    stars: list[str]
    scopes: list[Scope]
    uses: list[tuple[ast.Name, Scope]]
    taken: frozenset[str]


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
        binding = [scope for scope in walk.scopes if name in scope.bindings]
        # one that is only read by the others has its one meaning
        for scope in binding if len(binding) > 1 else ():
            scope.bindings[name].append(Binding(0))
    calls = sorted(walk.calls, key=lambda place: (place[0].lineno, place[0].col_offset))
    given = [
        (part, scope)
        for call, scope in calls
        if not _is_seen(call, scope, walk)
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        for part in _handed(argument)
    ]
    handing = [
        Change(scope, name, part.lineno, is_deep=True)
        for part, scope in given
        if not isinstance(part, ast.Attribute)
        for _, name in find_flows(part)
        if not _is_defined(name, scope)
    ]
    flows = [*walk.flows, *_passed(walk)]
    changes = spread_changes(walk.changes, flows)
    return Names(
        calls,
        changes.first,
        changes,
        spread_changes(handing, flows).first,
        [(part, scope) for part, scope in given if isinstance(part, ast.Attribute)],
        walk.unread,
        walk.gains,
        walk.stores,
        walk.stars,
        walk.scopes,
        [(use, scope) for use, scope in walk.uses if id(use) not in walk.looked_into],
        walk.taken(),
    )


def _is_seen(call: ast.Call, scope: Scope, walk: _NameVisitor) -> bool:
    """Return whether it is known, or read, what a call does with what it gets."""
    called = call.func
    if isinstance(called, ast.Attribute) and called.attr in _METHODS:
        return True
    known = isinstance(called, ast.Name) and called.id in _HARMLESS | _SETTING
    return known or bool(_called_functions(call, scope, walk))


def _handed(given: ast.expr) -> Iterator[ast.expr]:
    """Yield the pieces of an argument that may be lists, callbacks or hold some."""
    if isinstance(given, ast.Starred):
        yield from _handed(given.value)
    elif isinstance(given, (ast.List, ast.Tuple)):
        for part in given.elts:
            yield from _handed(part)
    elif isinstance(given, ast.Subscript):
        # an entry of a table of settings is no list and no callback
        key = given.slice
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            yield given
    elif isinstance(given, _HANDING):
        yield given


_HANDING = (ast.Name, ast.Attribute, ast.Dict, ast.IfExp, ast.BoolOp)


def _is_defined(name: str, scope: Scope) -> bool:
    """Return whether a name is of a function or class of the script.

    Code that calls it has no hold of what its body names.
    """
    holder = scope.holder(name)
    bindings = [] if holder is None else holder.bindings[name]
    return any(binding.inner is not None for binding in bindings)


def _called_functions(
    call: ast.Call, scope: Scope, walk: _NameVisitor
) -> list[_Function]:
    """Return the functions of the script that a call may run; none for others' code."""
    called = call.func
    if isinstance(called, ast.Name):
        return walk.functions.get(called.id, [])
    if not isinstance(called, ast.Attribute):
        return []
    root = root_of(called)
    holder = None if root is None else scope.holder(root)
    if holder is not None and root is not None:
        bindings = holder.bindings[root]
        if any(binding.path is not None for binding in bindings):
            return []  # a module's
    methods = walk.functions.get(called.attr, [])
    return [function for function in methods if function.is_method]


def _passed(walk: _NameVisitor) -> Iterator[Flow]:
    """Yield a function's parameters, and what they are called with."""
    for call, scope in walk.calls:
        for function in _called_functions(call, scope, walk):
            yield from _passed_to(function, call, scope)


def _passed_to(function: _Function, call: ast.Call, scope: Scope) -> Iterator[Flow]:
    inside, parameters, rest = function
    of_object = function.is_method and isinstance(call.func, ast.Attribute)
    given = [*zip(parameters[of_object:], call.args, strict=False)]
    given += [
        (keyword.arg, keyword.value)
        for keyword in call.keywords
        if keyword.arg is not None and keyword.arg in inside.bindings
    ]
    for parameter, value in given:
        for kind, name in find_flows(value):
            yield Flow(inside, parameter, kind, scope, name)
    # *args and **kwargs
    others = [*call.args, *(keyword.value for keyword in call.keywords)]
    for parameter in rest:
        for value in others:
            for name in names_in(value):
                yield Flow(inside, parameter, "holds", scope, name)


def _captured(node: ast.AST) -> list[str]:
    """Return the names that a pattern binds."""
    names = [
        one.rest if isinstance(one, ast.MatchMapping) else one.name
        for one in ast.walk(node)
        if isinstance(one, (ast.MatchAs, ast.MatchStar, ast.MatchMapping))
    ]
    return [name for name in names if name is not None]


class _NameVisitor(ast.NodeVisitor):
    """Collects the bindings of every scope; the methods are named as `ast` asks."""

    def __init__(self) -> None:
        self.scope = Scope(None)
        self.scopes = [self.scope]
        self.calls: list[tuple[ast.Call, Scope]] = []
        self.changes: list[Change] = []
        self.flows: list[Flow] = []
        self.shared: set[str] = set()
        self.functions: dict[str, list[_Function]] = {}
        self.unread: dict[str, int] = {}
        self.gains: list[Gain] = []
        self.stores: list[Store] = []
        self.stars: list[str] = []
        self.called: set[int] = set()
        # what is called, and what it is an attribute of
        self.called_through: set[int] = set()
        self.uses: list[tuple[ast.Name, Scope]] = []
        self.looked_into: set[int] = set()
        self.attributes: list[ast.Attribute] = []

    def taken(self) -> frozenset[str]:
        names = {use.id for use, _ in self.uses if id(use) not in self.called}
        attributes = {
            node.attr for node in self.attributes if id(node) not in self.called
        }
        return frozenset(names | attributes)

    def bind(self, name: str, binding: Binding) -> None:
        self.scope.bindings.setdefault(name, []).append(binding)

    def inside(self, nodes: list[ast.AST], scope: Scope) -> None:
        outer, self.scope = self.scope, scope
        self.scopes.append(scope)
        for node in nodes:
            self.visit(node)
        self.scope = outer

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        scope = Scope(self.scope, definition=node)
        self.bind(node.name, Binding(node.lineno, inner=scope))
        for decorator in node.decorator_list:
            self.visit(decorator)
        self.enter_function(node.args, list(node.body), scope)
        named = [*node.args.posonlyargs, *node.args.args]
        starred = [one.arg for one in (node.args.vararg, node.args.kwarg) if one]
        function = _Function(scope, [one.arg for one in named], starred)
        self.functions.setdefault(node.name, []).append(function)
        self.flow_body(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        scope = Scope(self.scope)
        self.enter_function(node.args, [node.body], scope)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.scope.returned.append(node.value)
        self.generic_visit(node)

    def enter_function(
        self, arguments: ast.arguments, body: list[ast.AST], scope: Scope
    ) -> None:
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.visit(default)
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        starred = [arguments.vararg, arguments.kwarg]
        for parameter in [*named, *(star for star in starred if star is not None)]:
            scope.bindings.setdefault(parameter.arg, []).append(
                Binding(parameter.lineno)
            )
        self.inside(body, scope)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        scope = Scope(self.scope, of_class=True, definition=node)
        self.bind(node.name, Binding(node.lineno, inner=scope))
        for inner in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(inner)
        self.inside(list(node.body), scope)
        self.flow_body(node)

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
            if alias.name == "*":
                self.stars.append(module)
            else:
                path = f"{module}.{alias.name}"
                self.bind(alias.asname or alias.name, Binding(node.lineno, path=path))

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.flow(target, node.value)
            if isinstance(target, ast.Name):
                self.bind(target.id, Binding(node.lineno, value=node.value))
            else:
                self.note_store(target, node.value)
                self.visit(target)

    def note_store(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Attribute):
            store = Store(target.value, target.attr, value, self.scope, target.lineno)
            self.stores.append(store)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            return
        self.visit(node.value)
        self.flow(node.target, node.value)
        if isinstance(node.target, ast.Name):
            self.bind(node.target.id, Binding(node.lineno, value=node.value))
        else:
            self.note_store(node.target, node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        # `+=` changes a list for all of its names, and makes a new number
        if isinstance(node.op, ast.Add):
            self.gains.append(Gain(node.target, node.value, self.scope))
        adds = isinstance(node.op, ast.Add) and not isinstance(node.value, ast.Constant)
        if adds and isinstance(node.target, ast.Name):
            self.note_held_by(node.target, node.lineno, is_gain=True)
            self.flow(node.target, node.value)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.uses.append((node, self.scope))
        else:
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
        self.attributes.append(node)
        if id(node) not in self.called_through:
            self.looked_into.add(id(node.value))
        if not isinstance(node.ctx, ast.Load):
            self.note_store(node, None)
        elif node.attr in _WHOLE:
            self.stores.append(Store(node.value, None, None, self.scope, node.lineno))
        if node.attr in _CHANGING and id(node) not in self.called:
            # add = callbacks.append, to be called under its own name
            self.note_held_by(node.value, node.lineno)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.note_change(node)
        if id(node) not in self.called_through:
            self.looked_into.add(id(node.value))
        self.generic_visit(node)

    def note_change(self, node: ast.Attribute | ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.note_held_by(node.value, node.lineno)

    def note_held_by(self, node: ast.expr, line: int, *, is_gain: bool = False) -> None:
        """Note that what an expression stands for is changed there."""
        plain = isinstance(node, ast.Name)
        root = root_of(node)
        for name in [root] if root is not None else names_in(node):
            change = Change(self.scope, name, line, not plain, plain and is_gain)
            self.changes.append(change)
            if self.scope.of_class and self.scope.parent is not None:
                # what a class binds itself may still be another's above that
                outer = change._replace(scope=self.scope.parent, is_gain=False)
                self.changes.append(outer)

    def flow(self, target: ast.expr, value: ast.expr) -> None:
        """Note what the objects of a target may be, or have in them."""
        if isinstance(target, ast.Name):
            for kind, name in find_flows(value):
                self.flows.append(Flow(self.scope, target.id, kind, self.scope, name))
        else:
            self.flow_parts(target, value)

    def flow_parts(self, target: ast.expr | ast.pattern, value: ast.expr) -> None:
        """Note that the names of a target may be parts of what a value names."""
        # through one between them, for there may be thousands on both sides
        between = f"<{target.lineno}:{target.col_offset}>"
        self.scope.bindings.setdefault(between, [])
        for name in [*names_in(target), *_captured(target)]:
            self.flows.append(Flow(self.scope, name, "part", self.scope, between))
        for name in names_in(value):
            self.flows.append(Flow(self.scope, between, "part", self.scope, name))

    def flow_body(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ) -> None:
        """Note what a function may return, and a class may have in it."""
        self.flows += [
            Flow(self.scope, node.name, "holds", self.scope, name)
            for statement in node.body
            for name in names_in(statement)
        ]

    def visit_For(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        self.flow_parts(node.target, node.iter)
        self.generic_visit(node)

    visit_AsyncFor = visit_For
    visit_comprehension = visit_For

    def visit_withitem(self, node: ast.withitem) -> None:
        if node.optional_vars is not None:
            self.flow_parts(node.optional_vars, node.context_expr)
        self.generic_visit(node)

    def visit_Match(self, node: ast.Match) -> None:
        for case in node.cases:
            self.flow_parts(case.pattern, node.subject)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.flow(node.target, node.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.calls.append((node, self.scope))
        called = node.func
        self.called.add(id(called))
        through = called
        while isinstance(through, (ast.Attribute, ast.Subscript)):
            self.called_through.add(id(through))
            through = through.value
        if isinstance(called, ast.Attribute) and called.attr in _GROWING and node.args:
            self.gains.append(Gain(called.value, node.args[-1], self.scope))
            root = root_of(called.value)
            if root is not None:
                for name in names_in(node.args[-1]):
                    self.flows.append(Flow(self.scope, root, "holds", self.scope, name))
        if isinstance(called, ast.Attribute) and called.attr in _CHANGING:
            of_type = isinstance(called.value, ast.Name) and called.value.id in _TYPES
            gains = called.attr in _GROWING and not of_type
            for held in node.args[:1] if of_type else [called.value]:
                self.note_held_by(held, node.lineno, is_gain=gains)
        elif isinstance(called, ast.Lambda):
            for held in node.args:
                self.note_held_by(held, node.lineno)
        elif isinstance(called, ast.Name):
            self.note_builtin(called.id, node)
        self.generic_visit(node)

    def note_builtin(self, name: str, call: ast.Call) -> None:
        if name == "vars" and call.args:
            target = call.args[0]
            self.stores.append(Store(target, None, None, self.scope, call.lineno))
        if name in _SETTING and call.args:
            self.note_held_by(call.args[0], call.lineno)
            named = call.args[1] if len(call.args) > 1 else None
            which = named.value if isinstance(named, ast.Constant) else None
            known = which if isinstance(which, str) else None
            target = call.args[0]
            self.stores.append(Store(target, known, None, self.scope, call.lineno))
        if name in _RUNNING or (name in _NAMESPACES and not call.args):
            self.unread.setdefault(name, call.lineno)
