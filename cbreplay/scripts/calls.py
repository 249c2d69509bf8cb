"""`ScriptCalls`: what a name or an expression of a script stands for.

It follows names, imports, dicts that are written out and constants of classes, and
raises `Unread` where the text does not tell. `possible_values` follows several values.
"""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from cbreplay.scripts.linked_names import LinkedNames, linked_names
from cbreplay.scripts.names import Names
from cbreplay.scripts.reassigned_names import without_marks
from cbreplay.scripts.syntax import (
    as_subscript,
    called_name,
    entry_at,
    makes_list,
    method_name,
    named_attribute,
    root_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sized

    from cbreplay.scripts.scopes import Binding, Placed, Scope

__all__ = ["ScriptCalls", "Unread"]

_MOST_STEPS, _MOST_LOOKED_AT = 40_000, 1_000_000
_SHOWN_PIECE = 60
_GROWS = (
    "; append, extend and += are read where they certainly run: in one block with the "
    "list, below it and above what uses it"
)
_MAY = " that could change it"
_COPYING = ("cbreplay.record.recorded", "cbreplay.recorded", "copy.deepcopy")
# functions of Python that return a number or a text
_PLAIN = {"bool", "float", "int", "len", "round", "str"}


class Unread(Exception):  # noqa: N818 - caught where a script is read, never shown as it is
    """Something of the script cannot be told from its text: the line, and why."""

    def __init__(self, line: int, problem: str) -> None:
        self.line, self.problem = line, without_marks(problem)
        super().__init__(self.problem)


class ScriptCalls:
    """What the names and calls of one script stand for.

    Parameters
    ----------
    tree : ast.Module
        The script.
    defaults : mapping
        Parameters for every callback that does not set them itself.
    place : callable
        Says where a line is, for people.
    verdict : {"replayed", "checked"}
        What the script is read for, as errors say it: "is not replayed". When it is
        checked, nothing may be assumed of code that is not read.
    """

    def __init__(
        self,
        tree: ast.Module,
        defaults: Mapping[str, Any],
        place: Callable[[int], str],
        *,
        verdict: str = "replayed",
    ) -> None:
        self.names, self.defaults, self.place = Names(tree), defaults, place
        self.verdict = verdict
        self.steps = self.looked_at = 0
        self._written: dict[int, tuple[ast.expr, str]] = {}
        self.given: dict[str, int] = {}
        # the line of a change of each callback class, once that was asked
        self.patches: dict[str, int] | None = None
        # the variables of loops whose values are being found
        self.going_through: set[int] = set()
        # of each class of the script that was looked at, whether it only watches
        self.watching: dict[int, bool] = {}

    @cached_property
    def by_name(self) -> dict[str, list[tuple[ast.Call, Scope]]]:
        """The calls with their scopes, by the last part of the name that is called."""
        found: dict[str, list[tuple[ast.Call, Scope]]] = {}
        for call, scope in self.names.calls:
            found.setdefault(called_name(call), []).append((call, scope))
        return found

    @cached_property
    def compiles(self) -> list[tuple[ast.Call, Scope]]:
        """The calls of ``compile``, with their scopes."""
        named = self.by_name.get("compile", [])
        return [(call, scope) for call, scope in named if method_name(call)]

    @cached_property
    def linked(self) -> LinkedNames:
        """Which names are together in a statement."""
        return linked_names(self.names.tree)

    @cached_property
    def methods(self) -> frozenset[str]:
        """The names that are called, or bound in a scope that holds a call."""
        called = set(self.by_name)
        scopes = {id(scope): scope for _, scope in self.names.calls}
        bound = {name for scope in scopes.values() for name in scope.bindings}
        return frozenset(called | bound)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the script."""
        return list(ast.walk(self.names.tree))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every name, attribute and text in the script; of imports the renamed ones."""
        found: set[str] = set()
        for node in self.nodes:
            if isinstance(node, ast.Name):
                found.add(without_marks(node.id))
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.alias) and node.asname:
                found.update(node.name.split("."))
        return frozenset(found)

    @cached_property
    def own_methods(self) -> frozenset[str]:
        """The names in those classes of the script that hold a call."""
        scopes = {id(scope): scope for _, scope in self.names.calls}
        homes = [scope.enclosing_class() for scope in scopes.values()]
        return frozenset[str]().union(*(home.bindings for home in homes if home))

    @property
    def has_own_fit(self) -> bool:
        """Whether a class of the script has a ``fit`` of its own."""
        return "fit" in self.own_methods

    def paths(self, node: ast.expr, scope: Scope) -> list[str]:
        """Return what a dotted name means, through imports and plain assignments.

        So of ``getattr(module, "Name")``, and of an entry of a dict that is written.
        """
        self.count_step()
        if isinstance(node, ast.Attribute):
            return [f"{base}.{node.attr}" for base in self.paths(node.value, scope)]
        if isinstance(node, ast.Name):
            return self._paths_of_name(node, scope)
        if isinstance(node, ast.Call):
            whole, name = named_attribute(node)
            bases = [] if whole is None else self.paths(whole, scope)
            return [f"{base}.{name}" for base in bases]
        is_entry = isinstance(node, ast.Subscript)
        try:
            entry = self.next_of(node, scope) if is_entry else None
        except Unread:
            return []
        return [] if entry is None else self.paths(*entry)

    def _paths_of_name(self, node: ast.Name, scope: Scope) -> list[str]:
        holder = scope.holder(node.id)
        if holder is None:
            # not bound at all, as in a piece of a script or after `import *`
            return [node.id if "." in node.id else f"?.{node.id}"]
        bindings = holder.bindings[node.id]
        self.count_step(bindings)
        imported = [binding.path for binding in bindings if binding.path is not None]
        if len(imported) == len(bindings):
            return imported
        if len(bindings) == 1 and bindings[0].value is not None:
            return self.paths(bindings[0].value, holder)
        return []

    def followed(self, node: ast.expr, scope: Scope) -> Placed:
        """Return the expression that another one stands for in the end, with its scope.

        Raises
        ------
        Unread
            If the text does not tell it.
        """
        while True:
            self.count_step()
            found = self.next_of(node, scope)
            if found is None:
                return node, scope
            node, scope = found

    def followed_if_told(self, node: ast.expr, scope: Scope) -> Placed | None:
        """Return the same as `followed`; None where the text does not tell it."""
        try:
            return self.followed(node, scope)
        except Unread:
            return None

    def next_of(self, node: ast.expr, scope: Scope) -> Placed | None:
        """Follow a name, a dict's entry, a class's constant, or a copy, a step.

        ``cbreplay.recorded(callbacks, directory)`` returns the callbacks that it is
        given, and its own loggers, which decide nothing.
        """
        if isinstance(node, ast.Call) and node.args and self.copies(node, scope):
            return node.args[0], scope
        entry = as_subscript(node)
        if entry is not None and isinstance(entry.slice, ast.Constant):
            return self.entry_of(entry.value, entry.slice.value, scope)
        if isinstance(node, ast.Attribute):
            return self.constant_of(node, scope)
        if not isinstance(node, ast.Name):
            return None
        holder = scope.holder(node.id)
        if holder is None:
            self.unread(node, f"{node.id!r} is not assigned in the script")
        value = self.only_value(node, holder, holder.bindings[node.id])
        line = self.names.given.get((holder, node.id))
        built = (ast.List, ast.BinOp, ast.Call, ast.Dict)
        if line is not None and isinstance(value, built):
            self.given.setdefault(node.id, line)
        return value, holder

    def entry_of(
        self,
        node: ast.expr,
        key: Any,  # noqa: ANN401 - any constant
        scope: Scope,
    ) -> Placed | None:
        """Return an entry of a dict or list that is written out, and never changed."""
        found, holder = self.followed(node, scope)
        entry = entry_at(found, key)
        if entry is None:
            return None
        self.count_step()
        line = self.given_away(node, scope)
        # a replay only notes it; a finding must hold whatever that code does
        if line is not None and self.verdict == "checked":
            where = self.place(line)
            self.unread(node, f"{self.shown(node)} is given to code in {where}{_MAY}")
        return entry, holder

    def given_away(self, node: ast.expr, scope: Scope) -> int | None:
        """Return the line in which unread code gets an expression's object; or None."""
        root = root_of(node)
        place = None if root is None else scope.place(root)
        line = None if place is None else self.names.given.get(place)
        if line is not None or not isinstance(node, ast.Attribute):
            return line
        self.count_step(self.names.given_attributes)
        written = self.written(node)
        handed = (
            part.lineno
            for part, _ in self.names.given_attributes
            if self.written(part) == written
        )
        return next(handed, None)

    def constant_of(self, node: ast.Attribute, scope: Scope) -> Placed | None:
        """Return the value of ``Config.PATIENCE``, if only the class body sets it."""
        inner = scope.defined_as(node.value)
        kind = None if inner is None else inner.definition
        if inner is None or not isinstance(kind, ast.ClassDef):
            return None
        plain = not kind.bases and not kind.keywords and not kind.decorator_list
        value = self.set_in_class(inner, node.attr) if plain else None
        return None if value is None else (value, inner)

    def set_in_class(self, home: Scope, name: str) -> ast.expr | None:
        """Return what a class body sets an attribute to, if it does so once.

        None too if anything else in the script sets an attribute of that name.
        """
        self.count_step(self.names.stores)
        bindings = home.bindings.get(name, [])
        touched = any(store.name in (name, None) for store in self.names.stores)
        return bindings[0].value if len(bindings) == 1 and not touched else None

    def classes_with(self, name: str) -> list[Scope]:
        """Return the classes of the script whose bodies set an attribute."""
        self.count_step(self.names.scopes)
        return [
            scope
            for scope in self.names.scopes
            if scope.of_class and name in scope.bindings
        ]

    def only_value(
        self, node: ast.Name, holder: Scope, bindings: list[Binding]
    ) -> ast.expr:
        """Return the value of a name that is assigned once and never changed."""
        self.count_step(bindings)
        lines = sorted({binding.line for binding in bindings if binding.line})
        outer = holder.shadowed(node.id)
        if outer:
            where = self.place(outer[0].line)
            self.unread(node, f"{node.id!r} is assigned in the class and in {where}")
        if len(bindings) > 1:
            places = [self.place(line).removeprefix("line ") for line in lines]
            ends = {place.partition(" of ")[2] for place in places}
            if len(ends) == 1:  # all in one file, which is named once
                places = [
                    *(own.partition(" of ")[0] for own in places[:-1]),
                    places[-1],
                ]
            spoken = ", ".join(places)
            problem = f"{node.id!r} is assigned more than once ({spoken})"
            first = bindings[0].value
            grows = _GROWS if makes_list(first) else ""
            self.unread(node, problem + grows)
        if bindings[0].value is None:
            where = self.place(lines[0])
            problem = holder.says_origin(node.id, bindings[0])
            self.unread(node, f"{node.id!r} ({where}) {problem}")
        changed = self.names.changes.first.get((holder, node.id))
        if changed is not None and not self._is_fixed(bindings[0].value, holder):
            where = self.place(changed)
            grows = _GROWS if makes_list(bindings[0].value) else ""
            self.unread(node, f"{node.id!r} is changed in {where}{grows}")
        return bindings[0].value

    def _is_fixed(self, value: ast.expr, scope: Scope) -> bool:
        """Return whether a value is not changed in place, or is looked up in a whole.

        A number or a text is not; a change of an entry is one of the whole, which is
        asked for itself.
        """
        if as_subscript(value) is not None:
            return True
        found, holder = self.followed_if_told(value, scope) or (None, scope)
        if isinstance(found, ast.Call) and isinstance(found.func, ast.Name):
            return found.func.id in _PLAIN and holder.holder(found.func.id) is None
        return isinstance(found, (ast.Constant, ast.JoinedStr))

    def function_of(self, call: ast.Call, scope: Scope) -> Scope | None:
        """Return the scope of the script's function that is called, if it returns."""
        inner = scope.defined_as(call.func)
        home = scope.enclosing_class()
        if isinstance(call.func, ast.Attribute) and home is not None:
            bindings = home.bindings.get(call.func.attr, [])
            of_self = self.written(call.func.value) in ("self", "cls")
            inner = bindings[0].inner if of_self and len(bindings) == 1 else None
        return inner if inner is not None and inner.returned else None

    def module_of(self, node: ast.expr, scope: Scope) -> str:
        """Return the package by which a name is imported, "" where that is unsure."""
        paths = self.paths(node, scope)
        return paths[0].partition(".")[0] if len(paths) == 1 else ""

    def copies(self, call: ast.Call, scope: Scope) -> bool:
        """Return whether a call returns what it is given first, or a copy of it."""
        paths = self.paths(call.func, scope)
        return paths in [[path] for path in _COPYING]

    def count_step(self, *looked_through: Sized) -> None:
        """Count a step of reading, so that no script takes too long.

        `looked_through` is what the step loops over: each may be as long as the script.

        Raises
        ------
        RecursionError
            If there were too many steps.
        """
        self.steps += 1
        self.looked_at += sum(map(len, looked_through))
        if self.steps > _MOST_STEPS or self.looked_at > _MOST_LOOKED_AT:
            raise RecursionError

    def written(self, node: ast.expr) -> str:
        """Return the beginning of the code of a node."""
        # the node is kept, else a later one could get its id
        known = self._written.get(id(node))
        if known is None:
            known = self._written[id(node)] = node, _beginning(node)
        return known[1]

    def shown(self, node: ast.expr) -> str:
        """Return the beginning of the code of a node, in quotes."""
        return repr(without_marks(self.written(node)))

    def unread(self, node: ast.expr, problem: str) -> NoReturn:
        """Raise Unread, with the line of a node."""
        raise Unread(node.lineno, problem)


def _beginning(node: ast.expr) -> str:
    try:
        return ast.unparse(node)[:_SHOWN_PIECE]
    except (RecursionError, ValueError):
        return "this"
