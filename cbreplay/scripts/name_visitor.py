"""One walk over a script: where each name is bound, changed and called."""

# ruff: noqa: D102, N815 - ast.NodeVisitor names the visits, and so says what they are

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cbreplay.scripts.flows import Change, Flow, FlowKind, find_flows
from cbreplay.scripts.reassigned_names import free_names
from cbreplay.scripts.scopes import Binding, Gain, Scope, Store
from cbreplay.scripts.syntax import (
    bound_names,
    called_name,
    has_star,
    imported_names,
    loop_variables,
    names_in,
    root_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CHANGING", "SETTING", "NameVisitor"]

CHANGING = {
    *("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"),
    *("popitem", "setdefault", "update"),
    *("__dict__", "__delitem__", "__iadd__", "__imul__", "__setattr__", "__setitem__"),
}
# attributes through which any other attribute may be set
_WHOLE = {"__dict__", "__setattr__"}
_GROWING = {"append", "extend", "insert"}
SETTING = {"delattr", "setattr"}
# types whose methods may be called so: list.append(a, b) for a.append(b)
_TYPES = {"dict", "list"}
_NAMESPACES, _RUNNING = {"globals", "locals", "vars"}, {"eval", "exec"}


def _parts(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Return the single assignments of one: ``a, b = 1, 2`` is two.

    It is not split if a target is also in the values, as in ``a, b = b, a``.
    """
    lists = (ast.Tuple, ast.List)
    if not isinstance(target, lists) or not isinstance(value, lists):
        return [(target, value)]
    starred = has_star([*target.elts, *value.elts])
    needed = {*names_in(target)} & {*names_in(value)}
    if starred or needed or len(target.elts) != len(value.elts):
        return [(target, value)]
    return [
        pair
        for part, own in zip(target.elts, value.elts, strict=True)
        for pair in _parts(part, own)
    ]


class NameVisitor(ast.NodeVisitor):
    """Collects bindings, calls and changes of names; `Names` is complete."""

    def __init__(self) -> None:
        self.scope = Scope(None)
        self.scopes = [self.scope]
        self.calls: list[tuple[ast.Call, Scope]] = []
        self.changed: list[Change] = []
        self.flows: list[Flow] = []
        self.shared: set[str] = set()
        self.functions: dict[str, list[Scope]] = {}
        self.unread: dict[str, int] = {}
        self.gains: list[Gain] = []
        self.stores: list[Store] = []
        self.stars: list[str] = []
        self.called: set[int] = set()
        # nodes of a dotted name that is called: they are not only looked into
        self.called_through: set[int] = set()
        self.uses: list[tuple[ast.Name, Scope]] = []
        self.looked_into: set[int] = set()
        self.lambdas: dict[int, Scope] = {}
        # what a loop goes over, and which part of each entry, by the node of a variable
        self.among: dict[int, tuple[ast.expr, tuple[int, ...]]] = {}
        self.attributes: list[ast.Attribute] = []
        # calls whose result only is looked into: `"x" in locals()`
        self.asked: set[int] = set()

    def find_taken(self) -> frozenset[str]:
        """Return the names and attributes that are used otherwise than to call them."""
        names = {use.id for use, _ in self.uses if id(use) not in self.called}
        attributes = {
            node.attr for node in self.attributes if id(node) not in self.called
        }
        return frozenset(names | attributes)

    def bind(self, name: str, binding: Binding) -> None:
        """Note what a name is bound to in the scope that is being walked."""
        self.scope.bind(name, binding)

    def inside(self, nodes: list[ast.AST], scope: Scope) -> None:
        """Walk nodes that are in an inner scope."""
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
        self.functions.setdefault(node.name, []).append(scope)
        self.flow_body(node, scope)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        scope = Scope(self.scope, definition=node)
        scope.returned.append(node.body)
        self.lambdas[id(node)] = scope
        self.enter_function(node.args, [node.body], scope)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.scope.returned.append(node.value)
        self.generic_visit(node)

    def enter_function(
        self, arguments: ast.arguments, body: list[ast.AST], scope: Scope
    ) -> None:
        """Walk a function: its defaults outside, its parameters and body inside."""
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.visit(default)
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        starred = [arguments.vararg, arguments.kwarg]
        for parameter in [*named, *(star for star in starred if star is not None)]:
            scope.bind(parameter.arg, Binding(parameter.lineno))
        self.inside(body, scope)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        scope = Scope(self.scope, definition=node)
        self.bind(node.name, Binding(node.lineno, inner=scope))
        for inner in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(inner)
        self.inside(list(node.body), scope)
        self.flow_body(node, scope)

    def visit_comprehension_like(self, node: ast.AST) -> None:
        """Walk a comprehension, which has a scope of its own."""
        inner = Scope(self.scope, definition=node)
        self.inside(list(ast.iter_child_nodes(node)), inner)

    visit_ListComp = visit_comprehension_like
    visit_SetComp = visit_comprehension_like
    visit_DictComp = visit_comprehension_like
    visit_GeneratorExp = visit_comprehension_like

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, path in imported_names(node):
            if name == "*":
                self.stars.append(path.removesuffix(".*"))
            else:
                self.bind(name, Binding(node.lineno, path=path))

    visit_ImportFrom = visit_Import

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            for part, value in _parts(target, node.value):
                self.assign(part, value)
        # a = b = []: one object
        named = [target for target in node.targets if isinstance(target, ast.Name)]
        for target in node.targets if len(node.targets) > 1 else ():
            for name in named[:1]:
                self.flow(target, name)

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        """Note the value that is assigned to a target; for a lambda also its scope."""
        self.flow(target, value)
        if isinstance(target, ast.Name):
            inner = self.lambdas.get(id(value))
            self.bind(target.id, Binding(target.lineno, value=value, inner=inner))
            if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
                left = value.left
                if isinstance(left, ast.Name) and left.id == target.id:
                    gain = Gain(target, value.right, self.scope, is_new=True)
                    self.gains.append(gain)
        else:
            self.note_store(target, value)
            self.visit(target)

    def note_store(self, target: ast.expr, value: ast.expr | None) -> None:
        """Note that an attribute is set; the value is None if it is not known."""
        if isinstance(target, ast.Attribute):
            store = Store(target.value, target.attr, value, self.scope, target.lineno)
            self.stores.append(store)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.assign(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        # `+=` changes a list for all of its names, and makes a new number
        if isinstance(node.op, ast.Add):
            self.gains.append(Gain(node.target, node.value, self.scope))
        adds = isinstance(node.op, ast.Add) and not isinstance(node.value, ast.Constant)
        if adds and isinstance(node.target, ast.Name):
            self.note_held_by(node.target, node.lineno, is_gain=True)
            self.relate(node.target.id, "holds", names_in(node.value))
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.uses.append((node, self.scope))
        elif isinstance(node.ctx, ast.Store):  # del gives no value
            among, part = self.among.get(id(node), (None, ()))
            self.bind(node.id, Binding(node.lineno, among=among, part=part))

    def visit_capture(
        self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar | ast.MatchMapping
    ) -> None:
        """Bind the name that an error or a part of a pattern is given."""
        for name in bound_names(node):
            self.bind(name, Binding(node.lineno))
        self.generic_visit(node)

    visit_ExceptHandler = visit_capture
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
        if node.attr in CHANGING and id(node) not in self.called:
            # add = callbacks.append may be called later, as add(...)
            self.note_held_by(node.value, node.lineno)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.note_change(node)
        if id(node) not in self.called_through:
            self.looked_into.add(id(node.value))
        self.generic_visit(node)

    def note_change(self, node: ast.Attribute | ast.Subscript) -> None:
        """Note that an attribute or an entry of something is set or deleted."""
        if not isinstance(node.ctx, ast.Load):
            self.note_held_by(node.value, node.lineno)

    def note_held_by(self, node: ast.expr, line: int, *, is_gain: bool = False) -> None:
        """Note that the object of an expression is changed in a line."""
        plain = isinstance(node, ast.Name)
        root = root_of(node)
        for name in [root] if root is not None else names_in(node):
            change = Change(self.scope, name, line, not plain, plain and is_gain)
            self.changed.append(change)
            if self.scope.of_class and self.scope.parent is not None:
                # above its own assignment, a class body still sees the outer name
                outer = change._replace(scope=self.scope.parent, is_gain=False)
                self.changed.append(outer)

    def flow(self, target: ast.expr, value: ast.expr) -> None:
        """Note how the objects of a target are related to the names of its value."""
        if isinstance(target, ast.Name):
            for kind, name in find_flows(value):
                self.relate(target.id, kind, [name])
        elif (root := root_of(target)) is not None:
            # an entry or attribute: its holder is no part of what is put there
            self.relate(root, "holds", [name for _, name in find_flows(value)])
        else:
            self.flow_parts(target, value)

    def relate(self, name: str, kind: FlowKind, others: Iterable[str]) -> None:
        """Note how the object of a name is related to those of others."""
        self.flows += [
            Flow(self.scope, name, kind, self.scope, other) for other in others
        ]

    def flow_parts(self, target: ast.expr | ast.pattern, value: ast.expr) -> None:
        """Note that the names of a target may be parts of what a value names."""
        # through one invented name: a thousand names on each side would make a million
        # pairs
        between = f"<{target.lineno}:{target.col_offset}>"
        self.scope.bindings.setdefault(between, [])
        captured = [name for part in ast.walk(target) for name in bound_names(part)]
        for name in [*names_in(target), *captured]:
            self.relate(name, "part", [between])
        self.relate(between, "part", names_in(value))

    def flow_body(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: Scope
    ) -> None:
        """Note that a function or class holds the objects of all outer names in it.

        A function also holds a parameter that it returns.
        """
        self.relate(node.name, "holds", sorted(free_names(node)))
        for value in scope.returned:
            name = value.id if isinstance(value, ast.Name) else ""
            if any(binding.value is None for binding in scope.bindings.get(name, ())):
                self.flows.append(Flow(self.scope, node.name, "holds", scope, name))

    def visit_For(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        if not isinstance(node.iter, ast.Call) or called_name(node.iter) != "range":
            self.flow_parts(node.target, node.iter)
        for name, among, part in loop_variables(node.target, node.iter):
            self.among[id(name)] = among, part
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
        self.visit(node.value)
        self.assign(node.target, node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        self.asked.update(map(id, node.comparators))
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
                self.relate(root, "holds", names_in(node.args[-1]))
        if isinstance(called, ast.Attribute) and called.attr in CHANGING:
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
        """Note what `setattr`, `vars`, `eval` and the like may change."""
        if name == "vars" and call.args:
            target = call.args[0]
            self.stores.append(Store(target, None, None, self.scope, call.lineno))
        if name in SETTING and call.args:
            self.note_held_by(call.args[0], call.lineno)
            target, *given = call.args
            known = text_of(given[0]) if given else None
            # setattr(target, name, value) is a plain assignment
            value = given[-1] if name == "setattr" and given[1:] else None
            self.stores.append(Store(target, known, value, self.scope, call.lineno))
        is_open = name in _NAMESPACES and not call.args and id(call) not in self.asked
        if name in _RUNNING or is_open:
            self.unread.setdefault(name, call.lineno)
