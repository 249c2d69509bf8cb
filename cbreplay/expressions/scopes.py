"""The scopes of a script, and where each name in them gets its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast
    from typing import Literal, TypeAlias

    _Kind: TypeAlias = Literal["imported", "defined", "given"]

__all__ = ["Binding", "Gain", "Scope", "Store"]


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
    inner : Scope or None
        The scope of the function or class that is defined.
    """

    line: int
    value: ast.expr | None = None
    path: str | None = None
    inner: Scope | None = None

    @property
    def kind(self) -> _Kind:
        """How the name gets its meaning."""
        if self.path is not None:
            return "imported"
        return "given" if self.inner is None else "defined"


class Gain(NamedTuple):
    """A place where a list gains entries: ``append``, ``insert``, ``extend``, ``+=``.

    Parameters
    ----------
    target : ast.expr
        What stands for the list.
    value : ast.expr
        The entry, or the list of them.
    scope : Scope
        Where it stands.
    """

    target: ast.expr
    value: ast.expr
    scope: Scope


class Store(NamedTuple):
    """A place where an attribute is set, by ``=``, ``del`` or ``setattr``.

    Parameters
    ----------
    target : ast.expr
        Whose attribute.
    name : str or None
        Which one; None where it cannot be told.
    value : ast.expr or None
        What it is set to, by a plain assignment.
    scope : Scope
        Where it stands.
    line : int
        And the line.
    """

    target: ast.expr
    name: str | None
    value: ast.expr | None
    scope: Scope
    line: int


class Scope:
    """A module, class, function or comprehension, and the names bound in it.

    Attributes
    ----------
    definition : ast.AST or None
        The function or class that it is the scope of.
    bindings : dict of str to list of Binding
        Where each name gets its meaning.
    kinds : dict of str to set of str
        The kinds of these bindings: a name may be bound thousands of times.
    returned : list of ast.expr
        What a function may return.
    """

    def __init__(
        self,
        parent: Scope | None,
        *,
        of_class: bool = False,
        definition: ast.AST | None = None,
    ) -> None:
        self.parent, self.of_class, self.definition = parent, of_class, definition
        self.bindings: dict[str, list[Binding]] = {}
        self.kinds: dict[str, set[_Kind]] = {}
        self.returned: list[ast.expr] = []

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

    def shadowed(self, name: str) -> list[Binding]:
        """Return the bindings that a class has a name from before it binds it."""
        if not self.of_class or self.parent is None:
            return []
        holder = self.parent.holder(name)
        return [] if holder is None else holder.bindings[name]

    def enclosing_class(self) -> Scope | None:
        """Return the scope of the class that a method stands in; None if it is none."""
        scope: Scope | None = self
        while scope is not None and not scope.of_class:
            scope = scope.parent
        return scope
