"""Replace calls of a ``functools.partial`` by calls of the function inside it."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from cbreplay.scripts.syntax import (
    SCOPES,
    bound_by,
    copied,
    dotted_name,
    imported_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["write_out_partials"]

# every call gets a copy of the arguments
_MOST_COPIED = 20_000
_DEEPEST = 5
_FITTING = {"fit", "fit_generator"}
_OWN_NAMES = (*SCOPES, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def write_out_partials(tree: ast.Module) -> None:
    """Replace calls of partials, in place.

    After ``make = partial(F, a=1)``, the call ``make(b=2)`` becomes ``F(a=1, b=2)``;
    after ``fit = model.fit`` the call ``fit(x)`` becomes ``model.fit(x)``.
    Only if each name in the partial has one meaning in the whole script.
    """
    placed = list(_placed(tree))
    bound = Counter(name for node, _ in placed for name in bound_by(node))
    wrapping = _names_of_partial(placed, bound)
    looked_into = {
        node.value.id
        for node, _ in placed
        if isinstance(node, (ast.Attribute, ast.Subscript))
        and isinstance(node.value, ast.Name)
    }
    made: dict[str, tuple[ast.Call, ast.AST | None]] = {}
    for node, owners in placed:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target, part = node.targets[0], _as_partial(node.value, wrapping)
        if (
            isinstance(target, ast.Name)
            and part is not None
            and _is_certain(part, bound)
            and bound[target.id] == 1
            and target.id not in looked_into
        ):
            made[target.id] = part, owners[-1] if owners else None
    n_copied = 0
    for node, owners in placed:
        for _ in range(_DEEPEST if isinstance(node, ast.Call) else 0):
            part = _partial_of(node, owners, made, wrapping)
            if part is None or not isinstance(node, ast.Call):
                break
            n_copied += sum(1 for _ in ast.walk(part))
            if n_copied > _MOST_COPIED:
                return
            _write_out(node, copied(part))


def _placed(tree: ast.Module) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    """Yield every node, and the functions and classes around it."""
    open_nodes: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(tree, ())]
    while open_nodes:
        node, owners = open_nodes.pop()
        yield node, owners
        inside = (*owners, node) if isinstance(node, _OWN_NAMES) else owners
        open_nodes += [(inner, inside) for inner in ast.iter_child_nodes(node)]


def _names_of_partial(
    placed: list[tuple[ast.AST, tuple[ast.AST, ...]]], bound: Counter[str]
) -> set[str]:
    """Return the names that a script has for ``functools.partial``."""
    written = {"functools": "{}.partial", "functools.partial": "{}"}
    return {
        written[path].format(name)
        for node, _ in placed
        for name, path in imported_names(node)
        if path in written and bound[name] == 1
    }


def _as_partial(value: ast.expr, wrapping: set[str]) -> ast.Call | None:
    """Return a call of ``partial``; ``model.fit`` alone is one without arguments."""
    if isinstance(value, ast.Attribute) and value.attr in _FITTING:
        return ast.copy_location(ast.Call(value, [value], []), value)
    is_part = isinstance(value, ast.Call) and dotted_name(value.func) in wrapping
    return value if is_part and isinstance(value, ast.Call) else None


def _is_certain(part: ast.Call, bound: Counter[str]) -> bool:
    """Return whether all names mean the same wherever the partial is called."""
    return _names_function(part) and all(
        bound[node.id] <= 1 for node in ast.walk(part) if isinstance(node, ast.Name)
    )


def _names_function(part: ast.Call) -> bool:
    """Return whether the function of a partial is certain: it is the first argument."""
    return len(part.args) > 0 and not isinstance(part.args[0], ast.Starred)


def _partial_of(
    node: ast.AST,
    owners: tuple[ast.AST, ...],
    made: dict[str, tuple[ast.Call, ast.AST | None]],
    wrapping: set[str],
) -> ast.Call | None:
    """Return the partial that a call calls; None if it is another call."""
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Call):
        # made and called at once
        is_part = dotted_name(called.func) in wrapping and _names_function(called)
        return called if is_part else None
    if not isinstance(called, ast.Name) or called.id not in made:
        return None
    part, owner = made[called.id]
    # a method does not see the names of its class
    is_seen = owner is None or (
        any(owner is scope for scope in owners) and not isinstance(owner, ast.ClassDef)
    )
    return part if is_seen else None


def _write_out(call: ast.Call, part: ast.Call) -> None:
    replaced = {word.arg for word in call.keywords if word.arg is not None}
    kept = [word for word in part.keywords if word.arg not in replaced]
    call.func = part.args[0]
    call.args = [*part.args[1:], *call.args]
    call.keywords = [*kept, *call.keywords]
