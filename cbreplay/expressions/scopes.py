"""The scopes of a script, and where each name in them gets its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast

__all__ = ["Binding", "Scope"]


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

    def place(self, name: str) -> tuple[Scope, str] | None:
        """Return where a name that is used here is bound, and the name."""
        holder = self.holder(name)
        return None if holder is None else (holder, name)
