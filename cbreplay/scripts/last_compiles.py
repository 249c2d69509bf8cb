"""Which ``compile`` of a model is the last before a ``fit``, of several."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.scripts.scopes import Placed, Scope

__all__ = ["last_before"]


def last_before(
    compiles: list[tuple[ast.Call, Scope]],
    fitting: ast.Call,
    fitted: Placed,
    script: ast.Module,
    makers: Sequence[Scope],
) -> list[tuple[ast.Call, Scope]]:
    """Return those calls of ``compile`` that may be the last before a ``fit``.

    A ``compile`` replaces what came before it, where it is a statement of its own above
    the ``fit``: in the same block, or in one around that. `fitted` is what ``fit`` is
    called on. `makers` are the functions that return the model: a ``compile`` inside
    them is replaced by any later one.
    """
    model, scope = fitted
    here = {id(call) for call, home in compiles if home is scope}
    first = last = 0
    for above, holding in _blocks_around(script.body, fitting):
        for statement in above:
            if isinstance(statement, ast.Expr) and id(statement.value) in here:
                # a loop may come back to what stands below the fit in it
                first, last = statement.lineno, holding.end_lineno or 0
    place = scope.place(model.id) if isinstance(model, ast.Name) else None
    if not first or place is None:
        return compiles
    holder, name = place
    if any(first < bound.line < fitting.lineno for bound in holder.bindings[name]):
        return compiles
    return [
        (call, home)
        for call, home in compiles
        if home not in makers and (home is not scope or first <= call.lineno <= last)
    ]


def _blocks_around(
    body: Sequence[ast.stmt], call: ast.Call
) -> Iterator[tuple[Sequence[ast.stmt], ast.stmt]]:
    """Yield of each block around a call what is above it, and the statement with it."""
    for at, statement in enumerate(body):
        if not statement.lineno <= call.lineno <= (statement.end_lineno or 0):
            continue
        yield body[:at], statement
        for _, inner in ast.iter_fields(statement):
            if isinstance(inner, list):
                blocks = [part for part in inner if isinstance(part, ast.stmt)]
                yield from _blocks_around(blocks, call)
