"""Which callbacks of a ``fit`` are made once, for models that a loop makes anew."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from cbreplay.expressions.new_models import find_new_models
from cbreplay.expressions.syntax import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.expressions.script_calls import ScriptCalls
    from cbreplay.expressions.script_facts import FittingCall
    from cbreplay.expressions.script_members import Member

    # the blocks around a piece of a script, the outermost first
    _Around: TypeAlias = "tuple[ast.AST, ...]"

__all__ = ["RepeatedFits"]

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_FUNCTIONS = (*FUNCTIONS, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_BLOCKS = (*_LOOPS, *_FUNCTIONS, *_COMPREHENSIONS, ast.If)
# what ends a loop in its first round, where it stands in the loop's own block
_LEAVING = (ast.Break, ast.Raise, ast.Return)
_MOST_CALLERS = 20


class RepeatedFits:
    """The loops of a script, and which callbacks stay the same in their rounds."""

    def __init__(self, calls: ScriptCalls) -> None:
        self.calls = calls
        self.around: dict[int, _Around] = {}
        _note_around(calls.names.tree, (), self.around)

    def find_kept(self, fit: FittingCall, members: Iterable[Member]) -> dict[int, str]:
        """Return the loops in which a callback meets a new model in each round.

        Returns
        -------
        dict of int to str
            The place of the loop, by the id of the call that makes the callback. Left
            out are callbacks that the loop may make anew too, and all of them where
            the model may go on with what it has learnt.
        """
        made = find_new_models(self.calls, fit.call, fit.scope)
        loops = list(self.loops(fit.call, made, _MOST_CALLERS)) if made else []
        kept: dict[int, str] = {}
        for member in members:
            if not member.is_certain and _chooses(fit.given):
                continue  # each round may take another one
            for loop in loops:
                if self.is_outside(member.made_at, loop):
                    place = self.calls.place(loop.lineno)
                    kept.setdefault(id(member.call), place)
        return kept

    def loops(
        self, node: ast.Call, made: Sequence[ast.Call], most: int
    ) -> Iterator[ast.stmt]:
        """Yield the loops around a call that make its model anew in each round.

        They are followed from the function that holds the call to its callers.
        """
        around = self.around[id(node)]
        function = next(
            (at for at in reversed(around) if isinstance(at, _FUNCTIONS)), None
        )
        start = 0 if function is None else around.index(function) + 1
        for block in around[start:]:
            if isinstance(block, _LOOPS) and self.renews(block, node, made):
                yield block
        if function is None or not most:
            return
        for call in self.callers(function):
            # a model that the function makes is new with each call of it
            renewed = self.renews(function, node, made)
            inside = [value for value in made if function in self.around[id(value)]]
            if renewed or not inside:
                yield from self.loops(call, [call] if renewed else made, most - 1)

    def renews(self, block: ast.AST, node: ast.Call, made: Sequence[ast.Call]) -> bool:
        """Return whether each round of a block certainly makes the model of a call."""
        if isinstance(block, _LOOPS) and any(
            isinstance(statement, _LEAVING) for statement in block.body
        ):
            return False
        within = [self.around[id(value)] for value in made]
        if not all(block in around for around in within):
            return False
        of_call = self.around[id(node)]
        # of several models, one is chosen in each round
        return len(made) > 1 or all(
            not isinstance(inner, ast.If) or inner in of_call
            for inner in within[0][within[0].index(block) :]
        )

    def callers(self, function: ast.AST) -> list[ast.Call]:
        """Return the calls of a function of the script."""
        if not isinstance(function, FUNCTIONS):
            return []
        named = self.calls.by_name.get(function.name, [])
        self.calls.count_step(named)
        found = []
        for call, scope in named:
            called = scope.defined_as(call.func)
            if called is None and isinstance(call.func, ast.Attribute):
                called = self.calls.function_of(call, scope)
            if called is not None and called.definition is function:
                found.append(call)
        return found[:_MOST_CALLERS]

    def is_outside(self, node: ast.AST, loop: ast.stmt) -> bool:
        """Return whether what is made here is made once, before a loop begins."""
        outer = [at for at in self.around[id(loop)] if not isinstance(at, ast.If)]
        around = [at for at in self.around[id(node)] if not isinstance(at, ast.If)]
        return outer[: len(around)] == around


def _note_around(node: ast.AST, around: _Around, found: dict[int, _Around]) -> None:
    """Note of each call and loop the loops, functions and branches around it."""
    if isinstance(node, (ast.Call, *_LOOPS)):
        found[id(node)] = around
    inside = (*around, node) if isinstance(node, _BLOCKS) else around
    # what a loop goes over, and the defaults of a function, run once
    run_inside = {"body", "elt", "key", "test", "value"}
    run_inside |= {"orelse"} if isinstance(node, ast.If) else set()
    for name, field in ast.iter_fields(node):
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST):
                _note_around(child, inside if name in run_inside else around, found)


def _chooses(given: ast.expr) -> bool:
    """Return whether an expression takes entries of something."""
    return any(
        isinstance(node, ast.Subscript)
        or (isinstance(node, ast.Attribute) and node.attr in ("get", "pop"))
        for node in ast.walk(given)
    )
