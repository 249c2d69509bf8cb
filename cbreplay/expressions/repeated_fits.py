"""What a loop that makes a model anew for each ``fit`` keeps, and what it does not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from cbreplay.expressions.compiled_metrics import find_alike
from cbreplay.expressions.new_models import find_new_models
from cbreplay.expressions.syntax import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.expressions.compiled_metrics import ModelCompiles
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

    def find_loops(self, fit: FittingCall) -> list[ast.stmt]:
        """Return the loops that make the model of a ``fit`` anew in each round.

        None where the model may go on with what it has learnt.
        """
        made = find_new_models(self.calls, fit.call, fit.scope)
        return list(self.loops(fit.call, made, _MOST_CALLERS)) if made else []

    def find_renumbered(
        self, fit: FittingCall, loops: Sequence[ast.stmt], compiles: ModelCompiles
    ) -> dict[str, str]:
        """Return the metrics that Keras calls otherwise than the first of their class.

        It numbers what has no name of the script's: auc, auc_1. By the name that the
        first one has, which ``fit`` logs it and what makes another one. None where the
        script clears Keras's names.
        """
        if not compiles.is_followed or self.calls.by_name.get("clear_session"):
            return {}
        found: dict[str, str] = {}
        before = [call for call, _ in compiles.found if call.lineno < fit.call.lineno]
        for name, made in compiles.nameless.items():
            metric, call = made[0]
            if loops and self.is_remade(metric, call, loops[0]):
                loop = self.calls.place(loops[0].lineno)
                found[name] = f"the loop in {loop} makes one in each round"
            metric, call = made[-1]
            earlier = self.find_earlier(fit.call, metric)
            if earlier is not None and before[-1:] == [call]:
                first = self.calls.place(earlier.lineno)
                found[name] = f"{first} makes one before this"
        return found

    def find_earlier(self, fit: ast.Call, metric: ast.Call) -> ast.Call | None:
        """Return a metric of the same class that certainly is made before this one."""
        around = self.around[id(metric)]
        if around != self.around[id(fit)]:
            return None
        return next(
            (
                call
                for call in find_alike(self.calls, metric)
                if call.lineno < metric.lineno
                and self.around[id(call)] == around[: len(self.around[id(call)])]
            ),
            None,
        )

    def is_remade(self, metric: ast.Call, call: ast.Call, loop: ast.stmt) -> bool:
        """Return whether each round makes the metric that a ``compile`` gets."""
        if loop in self.around[id(metric)]:
            return True
        # each call of a function that compiles the model makes what stands in it
        function = self.function_around(call)
        return (
            function is not None
            and function is self.function_around(metric)
            and function not in self.around[id(loop)]
        )

    def function_around(self, node: ast.AST) -> ast.AST | None:
        """Return the innermost function that holds a call; None at the top."""
        around = reversed(self.around[id(node)])
        return next((at for at in around if isinstance(at, _FUNCTIONS)), None)

    def find_kept(
        self,
        loops: Sequence[ast.stmt],
        fit: FittingCall,
        members: Iterable[Member],
    ) -> dict[int, str]:
        """Return the loops in which a callback meets a new model in each round.

        Returns
        -------
        dict of int to str
            The place of the loop, by the id of the call that makes the callback. Left
            out are callbacks that the loop may make anew too.
        """
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
        function = self.function_around(node)
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
