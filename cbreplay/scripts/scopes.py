"""The scopes of a script, and where each name in them gets its meaning."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.scripts.syntax import FUNCTIONS

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    _Kind: TypeAlias = Literal["imported", "defined", "given"]
    # an expression, and the scope in which its names have their meaning
    Placed: TypeAlias = "tuple[ast.expr, Scope]"

__all__ = ["Binding", "Gain", "Placed", "Scope", "Store"]


class Binding(NamedTuple):
    """One place where a name is given a meaning.

    Parameters
    ----------
    line : int
        The line; 0 for a ``global`` name that another scope assigns too.
    value : ast.expr or None
        What a plain assignment gives it; None for anything else.
    path : str or None
        The dotted path that is imported, if it is.
    inner : Scope or None
        The scope of the function, lambda or class that it names, if it does.
    among : ast.expr or None
        What a loop goes over that gives it one entry after the other.
    part : tuple of int
        Which part of each entry it is given: in ``for a, (b, c) in pairs``, b is the
        part (1, 0).
    """

    line: int
    value: ast.expr | None = None
    path: str | None = None
    inner: Scope | None = None
    among: ast.expr | None = None
    part: tuple[int, ...] = ()

    @property
    def kind(self) -> _Kind:
        """How the name gets its meaning."""
        if self.path is not None:
            return "imported"
        return "given" if self.inner is None else "defined"


class Gain(NamedTuple):
    """A place where a list gains entries: ``append``, ``insert``, ``extend``, ``+=``.

    `value` is the entry, or the list of them. With ``c = c + [a]`` the name gets
    another list (`is_new`).
    """

    target: ast.expr
    value: ast.expr
    scope: Scope
    is_new: bool = False


class Store(NamedTuple):
    """A place where an attribute is set, by ``=``, ``del`` or ``setattr``.

    Parameters
    ----------
    target : ast.expr
        The object that has the attribute.
    name : str or None
        The attribute; None if it cannot be told.
    value : ast.expr or None
        What a plain assignment sets it to; None for anything else.
    scope : Scope
        The scope of the statement.
    line : int
        The line of it.
    """

    target: ast.expr
    name: str | None
    value: ast.expr | None
    scope: Scope
    line: int

    @property
    def is_of_self(self) -> bool:
        """Whether a method sets an attribute of its own object, as ``self.verbose``."""
        named = isinstance(self.target, ast.Name) and self.target.id == "self"
        return named and self.scope.enclosing_class() is not None


class Scope:
    """A module, class, function or comprehension, and the names bound in it.

    Attributes
    ----------
    definition : ast.AST or None
        The function, class or comprehension that it is the scope of.
    bindings : dict of str to list of Binding
        Where each name gets its meaning.
    kinds : dict of str to set of str
        The kinds of these bindings, each once: a name may be bound thousands of times.
    returned : list of ast.expr
        The values of the ``return`` statements of a function.
    """

    def __init__(
        self, parent: Scope | None, *, definition: ast.AST | None = None
    ) -> None:
        self.parent, self.definition = parent, definition
        self.of_class = isinstance(definition, ast.ClassDef)
        self.bindings: dict[str, list[Binding]] = {}
        self.kinds: dict[str, set[_Kind]] = {}
        self.returned: list[ast.expr] = []

    @property
    def is_method(self) -> bool:
        """Whether it is that of a function in a class."""
        return self.parent is not None and self.parent.of_class

    @property
    def returns_values(self) -> bool:
        """Whether a call of this function gives one of the values that it returns.

        A decorator may give something else, and a generator runs nothing yet.
        """
        definition = self.definition
        if not isinstance(definition, (ast.Lambda, ast.FunctionDef)):
            return False
        if isinstance(definition, ast.FunctionDef) and definition.decorator_list:
            return False
        kinds = (ast.Yield, ast.YieldFrom)
        return not any(isinstance(node, kinds) for node in ast.walk(definition))

    @property
    def returns_once(self) -> bool:
        """Whether this function returns in one place only, its last statement."""
        if not self.returns_values:
            return False
        if not isinstance(self.definition, ast.FunctionDef):
            # a lambda
            return True
        last = self.definition.body[-1]
        return isinstance(last, ast.Return) and self.returned == [last.value]

    def bind(self, name: str, binding: Binding) -> None:
        """Note one more meaning of a name."""
        self.bindings.setdefault(name, []).append(binding)
        self.kinds.setdefault(name, set()).add(binding.kind)

    def holder(self, name: str) -> Scope | None:
        """Return the scope in which a name that is used here is bound."""
        scope: Scope | None = self
        while scope is not None:
            # a method does not see the names of its class
            if name in scope.bindings and (scope is self or not scope.of_class):
                return scope
            scope = scope.parent
        return None

    def place(self, name: str) -> tuple[Scope, str] | None:
        """Return where a name that is used here is bound, and the name."""
        holder = self.holder(name)
        return None if holder is None else (holder, name)

    def place_of(self, node: ast.AST | None) -> tuple[Scope, str] | None:
        """Return where an expression is bound, if it is a name; else None."""
        return self.place(node.id) if isinstance(node, ast.Name) else None

    def bindings_of(self, name: str) -> list[Binding]:
        """Return how a name that is used here gets its meaning; [] if it has none."""
        holder = self.holder(name)
        return [] if holder is None else holder.bindings[name]

    def defined_as(self, node: ast.expr) -> Scope | None:
        """Return the scope of the one function or class that a name here stands for."""
        bindings = self.bindings_of(node.id) if isinstance(node, ast.Name) else []
        return bindings[0].inner if len(bindings) == 1 else None

    def class_named(self, node: ast.expr) -> tuple[ast.ClassDef, Scope] | None:
        """Return the one class of the script that a name here stands for, if it does.

        With it comes the scope in which it is defined, where its bases have a meaning.
        """
        inner = self.defined_as(node)
        kind = None if inner is None else inner.definition
        if inner is None or inner.parent is None or not isinstance(kind, ast.ClassDef):
            return None
        return kind, inner.parent

    def says_origin(self, name: str, binding: Binding) -> str:
        """Say how a name bound here gets a value that the text does not tell."""
        if binding.path is not None:
            return f"is imported from {binding.path.rpartition('.')[0] or binding.path}"
        if binding.inner is not None:
            return "is code of the script, which is not run"
        if not self.has_parameter(name):
            return "is not assigned a plain value"
        if isinstance(self.definition, FUNCTIONS):
            return f"is a parameter of {self.definition.name!r}"
        return "is a parameter of a lambda"

    def has_parameter(self, name: str) -> bool:
        """Return whether it is a function with such a parameter."""
        if not isinstance(self.definition, (*FUNCTIONS, ast.Lambda)):
            return False
        nodes = ast.walk(self.definition.args)
        return any(isinstance(node, ast.arg) and node.arg == name for node in nodes)

    def shadowed(self, name: str) -> list[Binding]:
        """Return the outer bindings that a class body sees until it binds the name."""
        if not self.of_class or self.parent is None:
            return []
        return self.parent.bindings_of(name)

    def enclosing_class(self) -> Scope | None:
        """Return the scope of the nearest class around this one; None without one."""
        scope: Scope | None = self
        while scope is not None and not scope.of_class:
            scope = scope.parent
        return scope
