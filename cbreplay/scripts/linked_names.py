"""Which names of a script are linked: they are in one statement, or a chain of such."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.scripts.syntax import FUNCTIONS, bound_names, has_star, method_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

__all__ = ["LinkedNames", "linked_names"]

# the methods whose arguments are data: they take no part in a model
_FED = {"adapt", "evaluate", "fit", "fit_generator", "predict"}
_FITTING = {"fit", "fit_generator"}
# x, y, batch_size: a later positional argument may be callbacks
_MOST_DATA = 3
_NO_DATA = {None, "callbacks"}
# attributes that are numbers or such, whatever object they are of
_SIZES = {"dtype", "ndim", "shape", "size"}
# arguments of compile that bring no metrics
_UNLOGGED = {"loss", "loss_weights", "optimizer"}


class LinkedNames(NamedTuple):
    """The names that are together in each statement of a script.

    Parameters
    ----------
    together : list of frozenset of str
        The names of each statement; of a function: its name, its parameters, and the
        names in what it returns.
    uses : list of list of ast.Name
        The nodes of these names.
    by_name : dict of str to list of int
        The positions in `together` of the statements with each name.
    """

    together: list[frozenset[str]]
    uses: list[list[ast.Name]]
    by_name: dict[str, list[int]]

    def reached(
        self, names: Collection[str], *, apart: Collection[str] = ()
    ) -> Iterator[ast.Name]:
        """Yield the name nodes of all statements that are linked with some names.

        Names in `apart` link nothing.
        """
        seen, waiting, done = set(names), list(names), set[int]()
        while waiting:
            for index in self.by_name.get(waiting.pop(), ()):
                if index in done:
                    continue
                done.add(index)
                yield from self.uses[index]
                new = self.together[index] - seen - set(apart)
                seen |= new
                waiting += new


def linked_names(tree: ast.Module) -> LinkedNames:
    """Find the names that are together in each statement.

    Names are not told apart by scope: this may link too much, never too little. Data
    that a ``fit`` gets links nothing, nor does a shape, an optimizer or a loss.
    """
    linked = LinkedNames([], [], {})
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            returned = [
                inner.value
                for inner in ast.walk(node)
                if isinstance(inner, (ast.Return, ast.Yield, ast.YieldFrom))
            ]
            _add(linked, [node.args, *node.decorator_list, *returned], node.name)
        elif isinstance(node, ast.ClassDef):
            bound = [inner.name for inner in node.body if isinstance(inner, FUNCTIONS)]
            fields = [
                target
                for inner in node.body
                if isinstance(inner, (ast.Assign, ast.AnnAssign))
                for target in ast.iter_child_nodes(inner)
            ]
            heads = [*fields, *node.bases, *node.keywords, *node.decorator_list]
            _add(linked, heads, node.name, *bound)
        elif isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            caught = bound_names(node) if isinstance(node, ast.ExceptHandler) else ()
            _add(linked, list(_heads(node)), *caught)
    return linked


def _heads(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a statement that are no statements themselves."""
    parted = (ast.stmt, ast.ExceptHandler, ast.match_case)
    made = node.value if isinstance(node, ast.Assign) else None
    if isinstance(made, ast.Call) and method_name(made) in _FITTING:
        # the History that fit returns does not link its name with the model
        yield made
        return
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.match_case):
            yield part.pattern  # it names the subject, or parts of it
        elif not isinstance(part, parted):
            yield part


def _add(linked: LinkedNames, parts: Sequence[ast.AST | None], *named: str) -> None:
    nodes = [node for part in parts if part is not None for node in _taking_part(part)]
    uses = [node for node in nodes if isinstance(node, ast.Name)]
    names = {node.id for node in uses} | set(named)
    names |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    names.update(*map(bound_names, nodes))
    for name in names:
        linked.by_name.setdefault(name, []).append(len(linked.together))
    linked.together.append(frozenset(names))
    linked.uses.append(uses)


def _taking_part(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of an expression that link names: no data, no sizes."""
    waiting = [node]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, ast.Attribute) and inner.attr in _SIZES:
            continue
        yield inner
        if isinstance(inner, ast.Call):
            waiting += _parts_of_call(inner)
        else:
            waiting += ast.iter_child_nodes(inner)


def _parts_of_call(call: ast.Call) -> list[ast.AST]:
    called = call.func
    if isinstance(called, ast.Name) and called.id == "len":
        return []
    method = method_name(call)
    if method in _FED:
        words = [word for word in call.keywords if word.arg in _NO_DATA]
        n_data = _MOST_DATA
    elif method == "compile":
        words = [word for word in call.keywords if word.arg not in _UNLOGGED]
        n_data = len(("optimizer", "loss"))
    else:
        return list(ast.iter_child_nodes(call))
    return [called, *(call.args if has_star(call.args) else call.args[n_data:]), *words]
