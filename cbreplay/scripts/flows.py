"""Which names of a script may share an object, so that a change of one reaches another.

`find_flows` tells how a value is related to the names in it, `spread_changes` follows
changes along these relations.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from cbreplay.scripts.syntax import is_text, names_in, root_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cbreplay.scripts.scopes import Scope

__all__ = [
    "COPYING",
    "Change",
    "Changes",
    "Flow",
    "FlowKind",
    "chosen_from",
    "find_flows",
    "spread_changes",
]

# functions whose result holds their arguments, and no other object of the script
COPYING = {
    *("dict", "enumerate", "filter", "iter", "list", "map", "next", "reversed", "set"),
    *("sorted", "tuple", "zip"),
}
# attributes of callbacks that are numbers: the callback cannot be changed through them
_NUMBERS = {"best", "best_epoch", "patience", "stopped_epoch", "wait"}
_COMPUTING = {"evaluate", "predict"}
FlowKind: TypeAlias = Literal["same", "holds", "part"]
_Place: TypeAlias = "tuple[Scope, str]"


class Change(NamedTuple):
    """A place where an object is changed.

    Parameters
    ----------
    scope, name : Scope, str
        The name through which it is changed.
    line : int
        The line.
    is_deep : bool
        Whether something inside the name's object is changed, not the object itself.
    is_gain : bool
        Whether it is an entry that a list gains, which `Gain` records too.
    """

    scope: Scope
    name: str
    line: int
    is_deep: bool
    is_gain: bool = False


class Flow(NamedTuple):
    """A relation of the objects of two names.

    Parameters
    ----------
    scope, name : Scope, str
        One name.
    kind : {"same", "holds", "part"}
        Its object may be the other's, hold it, or be a part of it.
    other_scope, other : Scope, str
        The other name.
    """

    scope: Scope
    name: str
    kind: FlowKind
    other_scope: Scope
    other: str


def find_flows(value: ast.expr) -> Iterator[tuple[FlowKind, str]]:
    """Yield how the object of an expression is related to each name in it."""
    if isinstance(value, ast.Name):
        yield "same", value.id
    elif isinstance(value, (ast.NamedExpr, ast.IfExp, ast.BoolOp)):
        for inner in chosen_from(value):
            yield from find_flows(inner)
    elif isinstance(value, ast.Attribute) and value.attr in _NUMBERS:
        return
    elif isinstance(value, (ast.Attribute, ast.Subscript)):
        root = root_of(value)
        for name in [root] if root is not None else names_in(value):
            yield "part", name
    elif isinstance(value, ast.Call):
        yield from _flows_of_call(value)
    elif not is_text(value) and not isinstance(value, ast.Constant):
        for name in names_in(value):
            yield "holds", name


def chosen_from(value: ast.NamedExpr | ast.IfExp | ast.BoolOp) -> list[ast.expr]:
    """Return the expressions of which one is the value."""
    if isinstance(value, ast.NamedExpr):
        return [value.target, value.value]
    if isinstance(value, ast.IfExp):
        return [value.body, value.orelse]
    return value.values


def _flows_of_call(call: ast.Call) -> Iterator[tuple[FlowKind, str]]:
    """Yield how the result of a call is related to the names in it.

    It may be a part of a method's object, and hold the arguments of a copying function.
    The name of a function of the script holds all names of its body (`flow_body`).
    """
    called = call.func
    if isinstance(called, ast.Attribute):
        # computed losses, metrics and predictions hold no object of the script
        root = None if called.attr in _COMPUTING else root_of(called)
        if root is not None:
            yield "part", root
        return
    if isinstance(called, ast.Name):
        yield "part", called.id
    if not isinstance(called, ast.Name) or called.id in COPYING:
        for name in names_in(call):
            yield "holds", name


def _is_imported(place: _Place) -> bool:
    """Return whether a name is only imported: it holds no object of the script."""
    scope, name = place
    return scope.kinds.get(name) == {"imported"}


class Changes(NamedTuple):
    """Which names of a script have an object that is changed, through any name.

    Parameters
    ----------
    first : mapping of (Scope, str) to int
        The line of the first change.
    deeply : set of (Scope, str)
        The names of objects inside of which something may be changed.
    unfollowed : mapping of (Scope, str) to int
        The line of the first change that is no entry gained through this very name.
    """

    first: dict[_Place, int]
    deeply: set[_Place]
    unfollowed: dict[_Place, int]


def spread_changes(changes: Iterable[Change], flows: Iterable[Flow]) -> Changes:
    """Return which names have an object that is changed through any name, and where."""
    graph = _Graph(flows)
    # the first of the changes of one name: generated code may have thousands
    firsts: dict[tuple[_Place, bool, bool], int] = {}
    for change in changes:
        place = change.scope.place(change.name)
        if place is not None:
            firsts.setdefault((place, change.is_deep, change.is_gain), change.line)
    seeds = [
        ((place, line, is_deep), is_gain)
        for (place, is_deep, is_gain), line in reversed(firsts.items())
    ]
    first, reached = graph.spread([seed for seed, _ in seeds])
    unfollowed, _ = graph.spread(
        [
            inner
            for seed, is_gain in seeds
            for inner in (graph.beside(*seed) if is_gain else [seed])
        ]
    )
    return Changes(first, {place for place, is_deep in reached if is_deep}, unfollowed)


_Reached: TypeAlias = "tuple[_Place, int, bool]"
_Edges: TypeAlias = "dict[_Place, dict[_Place, None]]"


class _Graph:
    """The relations of the names of a script, as a graph."""

    def __init__(self, flows: Iterable[Flow]) -> None:
        # dicts in place of sets, which keep the order
        self.same: _Edges = {}
        self.contents: _Edges = {}
        self.wholes: _Edges = {}
        for flow in flows:
            here, there = (
                flow.scope.place(flow.name),
                flow.other_scope.place(flow.other),
            )
            if here is None or there is None or _is_imported(there):
                continue
            if flow.kind == "same":
                self.same.setdefault(here, {})[there] = None
                self.same.setdefault(there, {})[here] = None
            elif flow.kind == "holds":
                self.contents.setdefault(here, {})[there] = None
            else:
                self.wholes.setdefault(here, {})[there] = None
                self.contents.setdefault(there, {})[here] = None

    def beside(self, place: _Place, line: int, is_deep: bool) -> list[_Reached]:  # noqa: FBT001 - as it is reached
        """Return the places that a change of one place reaches directly."""
        beside = [(other, line, is_deep) for other in self.same.get(place, ())]
        beside += [(whole, line, True) for whole in self.wholes.get(place, ())]
        if is_deep:
            beside += [(inner, line, True) for inner in self.contents.get(place, ())]
        return beside

    def spread(
        self, pending: list[_Reached]
    ) -> tuple[dict[_Place, int], set[tuple[_Place, bool]]]:
        """Return the line of the first change that reaches each place, and all reached.

        These are pairs of a place and whether something inside its object is changed.
        """
        changed: dict[_Place, int] = {}
        reached: set[tuple[_Place, bool]] = set()
        while pending:
            place, line, is_deep = pending.pop()
            if (place, is_deep) in reached or (place, True) in reached:
                continue
            reached.add((place, is_deep))
            changed.setdefault(place, line)
            pending += self.beside(place, line, is_deep)
        return changed, reached
