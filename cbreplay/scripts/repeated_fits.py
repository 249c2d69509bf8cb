"""What a loop that makes a model anew for each ``fit`` keeps, and what it does not."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING, TypeAlias

from cbreplay.rules.keras.metric_names import is_numbered
from cbreplay.scripts.keras_classes import metric_class
from cbreplay.scripts.new_models import find_new_models
from cbreplay.scripts.parameters import calls_of
from cbreplay.scripts.possible_values import only_literal
from cbreplay.scripts.reassigned_names import own_nodes
from cbreplay.scripts.syntax import (
    FUNCTIONS,
    argument_named,
    called_name,
    names_in,
    whole_parts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.compiled_metrics import ModelCompiles
    from cbreplay.scripts.facts import FittingCall
    from cbreplay.scripts.members import Member

    # the blocks around a piece of a script, the outermost first
    _Around: TypeAlias = "tuple[ast.AST, ...]"
    # a loop, or a call that runs a function several times
    _Loop: TypeAlias = "ast.stmt | ast.Call"
    # a fit, the calls that make its models, and its callbacks
    _Examined: TypeAlias = "tuple[FittingCall, list[ast.Call], list[Member]]"

__all__ = ["RepeatedFits"]

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_FUNCTIONS = (*FUNCTIONS, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# blocks that may be passed by, or left in their midst
_PASSED_BY = (ast.If, ast.Try, ast.TryStar, ast.ExceptHandler, ast.match_case)
_BLOCKS = (*_LOOPS, *_FUNCTIONS, *_COMPREHENSIONS, *_PASSED_BY)
# what ends a loop in its first round, where it stands in the loop's own block
_LEAVING = (ast.Break, ast.Raise, ast.Return)
_MOST_CALLERS = 20
# methods that call the function which they get for each trial: study.optimize
_TRYING = {"fmin", "gp_minimize", "optimize"}


class RepeatedFits:
    """The fits of a script, and which callbacks stay the same from one to the next."""

    def __init__(self, calls: ScriptCalls) -> None:
        self.calls = calls
        self.around: dict[int, _Around] = {}
        _note_around(calls.names.tree, (), self.around)
        self.scopes = {id(scope.definition): scope for scope in calls.names.scopes}
        # the fits that were asked about: the models of each, and its callbacks
        self.earlier: list[_Examined] = []

    def find_loops(self, fit: FittingCall) -> list[_Loop]:
        """Return the loops that make the model of a ``fit`` anew in each round.

        Empty where the model may go on with what it has learnt.
        """
        made = find_new_models(self.calls, fit.call, fit.scope)
        return list(self.loops(fit.call, made, _MOST_CALLERS)) if made else []

    def find_rounds(self, node: ast.expr) -> list[_Loop]:
        """Return the loops that certainly run a node in each of several rounds.

        The inner ones first, then those around the calls of the function that holds it.
        A call of it that comes after another one is such a round too.
        """
        found: list[_Loop] = []
        pending, seen = [node], set[int]()
        for run in pending:
            for block in reversed(self.around[id(run)]):
                if isinstance(block, ast.For):
                    found += [block] if self.has_rounds(block) else []
                    continue
                if isinstance(block, _FUNCTIONS) and not _may_return(block, run):
                    called = [] if id(block) in seen else self.callers(block)
                    pending += called
                    found += self.trials(block)
                    found += [
                        second
                        for first, second in itertools.combinations(called, 2)
                        if self.is_followed_by(first, second)
                    ]
                    seen.add(id(block))
                break
        return found

    def has_rounds(self, loop: ast.For) -> bool:
        """Return whether a loop goes through whole rounds, and through several."""
        leaving = (ast.Break, ast.Continue, ast.Return)
        if any(isinstance(node, ast.Raise) for node in loop.body) or any(
            isinstance(node, leaving) for node in own_nodes(loop)
        ):
            return False
        over, function = loop.iter, self.function_around(loop)
        if isinstance(over, ast.Call) and called_name(over) == "range" and over.args:
            over = over.args[-1]
        scope = self.scopes.get(id(function))
        known = None if scope is None else only_literal(self.calls, over, scope)
        n_rounds = len(known) if isinstance(known, (list, tuple)) else known
        return n_rounds not in (0, 1)

    def makes_each(self, member: Member) -> bool:
        """Return whether a loop adds a callback to the list for each of its values."""
        call = member.call
        loop = next(iter(self.around[id(call)][-1:]), None)
        adding = [
            gain.target
            for gain in member.gains
            if call in (gain.value, *(whole_parts(gain.value) or ()))
        ]
        if not (member.is_told and adding and isinstance(loop, ast.For)):
            return False
        scope = self.scopes[id(self.function_around(call))]
        given = {
            name for part in (*call.args, *call.keywords) for name in names_in(part)
        }
        # of the values that a choice gives, some may not be there
        others = given - {*names_in(loop.target)}
        are_fixed = all(
            only_literal(self.calls, ast.Name(name, ast.Load()), scope) is not None
            for name in others
        )
        return (
            are_fixed
            and given != others
            and self.around[id(adding[0])][-1:] == (loop,)
            and self.has_rounds(loop)
        )

    def find_renumbered(
        self, fit: FittingCall, loops: Sequence[_Loop], compiles: ModelCompiles
    ) -> dict[str, str]:
        """Return the metrics that Keras calls otherwise than the first of their class.

        It numbers what has no name of the script's: auc, auc_1. By the name that the
        first one has, which ``fit`` logs it and what makes another one. Empty where the
        script clears Keras's names.
        """
        if not compiles.is_followed or self.calls.by_name.get("clear_session"):
            return {}
        found: dict[str, str] = {}
        before = [call for call, _ in compiles.found if call.lineno < fit.call.lineno]
        for name, made in compiles.nameless.items():
            metric, call = made[0]
            if loops and self.is_remade(metric, call, loops[0]):
                found[name] = f"{self.said(loops[0])}, and this metric anew"
            metric, call = made[-1]
            earlier = self.find_earlier(fit.call, metric)
            if earlier is not None and before[-1:] == [call]:
                first = self.calls.place(earlier.lineno)
                found[name] = f"{first} makes one before this"
        return found

    def find_earlier(self, fit: ast.Call, metric: ast.Call) -> ast.Call | None:
        """Return a metric of the same class that certainly is made before this one."""
        if self.around[id(metric)] != self.around[id(fit)]:
            return None
        before = (
            call
            for call in _find_alike(self.calls, metric)
            if call.lineno < metric.lineno and self.is_followed_by(call, metric)
        )
        return next(before, None)

    def is_remade(self, metric: ast.Call, call: ast.Call, loop: _Loop) -> bool:
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
        self, loops: Sequence[_Loop], fit: FittingCall, members: Sequence[Member]
    ) -> dict[int, str]:
        """Return why a callback meets another model than in a fit before.

        That is the loop, or the earlier fit, by the id of the call that makes the
        callback. Callbacks that may be made anew too are left out. The fits of a script
        are to be asked about in their order.
        """
        kept: dict[int, str] = {}
        for loop in loops:
            for member in members:
                # of several, each round may take another one
                is_one = member.is_certain or not _chooses(fit.given)
                most = _MOST_CALLERS if member.is_certain else 0
                if is_one and self.is_outside(member.made_at, loop, most):
                    kept.setdefault(id(member.call), self.said(loop))
        made = find_new_models(self.calls, fit.call, fit.scope)
        for earlier, models, used in self.before(fit) if made else ():
            if not models or any(model is other for model in models for other in made):
                continue
            before = {id(member.made_at) for member in used if member.is_certain}
            for member in members:
                if member.is_certain and id(member.made_at) in before:
                    place = self.calls.place(earlier.call.lineno)
                    kept.setdefault(
                        id(member.call), f"the fit in {place} trains another model"
                    )
        self.earlier.append((fit, made, list(members)))
        return kept

    def before(self, fit: FittingCall) -> list[_Examined]:
        """Return the fits that were asked about and certainly ran before one."""
        return [
            earlier
            for earlier in self.earlier
            if earlier[0] is not fit and self.is_followed_by(earlier[0].call, fit.call)
        ]

    def was_used(self, fit: FittingCall, member: Member) -> bool:
        """Return whether a fit before certainly had a callback."""
        made_by = member.call, member.made_at
        return any(
            other.is_certain and (other.call, other.made_at) == made_by
            for earlier in self.before(fit)
            for other in earlier[2]
        )

    def said(self, loop: _Loop) -> str:
        """Say that a loop, or a search over trials, makes models."""
        place = self.calls.place(loop.lineno)
        if isinstance(loop, ast.Call):
            return f"{called_name(loop)} in {place} has a model for each trial"
        return f"the loop in {place} makes a model in each round"

    def is_followed_by(self, first: ast.Call, second: ast.Call) -> bool:
        """Return whether a call certainly ran when a later one does."""
        outer = self.around[id(first)]
        return self.around[id(second)][: len(outer)] == outer

    def loops(
        self, node: ast.Call, made: Sequence[ast.Call], most: int
    ) -> Iterator[_Loop]:
        """Yield the loops around a call that make its model anew in each round.

        They are followed from the function that holds the call to its callers, and to
        a call that tries the function several times.
        """
        around = self.around[id(node)]
        function = self.function_around(node)
        start = 0 if function is None else around.index(function) + 1
        for block in around[start:]:
            if isinstance(block, _LOOPS) and self.renews(block, node, made):
                yield block
        if function is None or not most:
            return
        if self.renews(function, node, made):
            yield from self.trials(function)
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
            not isinstance(inner, _PASSED_BY) or inner in of_call
            for inner in within[0][within[0].index(block) :]
        )

    def callers(self, function: ast.AST) -> list[ast.Call]:
        """Return the calls of a function of the script."""
        inside = self.scopes.get(id(function))
        if not isinstance(function, FUNCTIONS) or inside is None or not inside.parent:
            return []
        if len(inside.parent.bindings[function.name]) > 1:
            return []
        found = calls_of(self.calls, inside)
        certain = [call for call, _, is_certain in found if is_certain]
        return certain[:_MOST_CALLERS]

    def trials(self, function: ast.AST) -> Iterator[ast.Call]:
        """Yield the calls that get a function and call it for each trial."""
        for name in _TRYING:
            for call, scope in self.calls.by_name.get(name, ()):
                for given in call.args[:1]:
                    named = scope.defined_as(given)
                    if given is function or (named and named.definition is function):
                        yield call

    def is_outside(self, node: ast.AST, loop: _Loop, most: int) -> bool:
        """Return whether what is made here is made once, before a loop begins.

        An ``__init__`` is followed to where its objects are made, at most so often.
        """
        outer, around = (
            [at for at in self.around[id(part)] if not isinstance(at, _PASSED_BY)]
            for part in (loop, node)
        )
        if outer[: len(around)] == around:
            return True
        last = around[-1]
        if not isinstance(last, FUNCTIONS) or last.name != "__init__" or not most:
            return False
        made = self.callers(last)
        return bool(made) and all(self.is_outside(at, loop, most - 1) for at in made)


def _note_around(node: ast.AST, around: _Around, found: dict[int, _Around]) -> None:
    """Note of what runs and each loop the loops, functions and branches around it."""
    if isinstance(node, (ast.expr, *_LOOPS)):
        found[id(node)] = around
    inside = (*around, node) if isinstance(node, _BLOCKS) else around
    # what a loop goes over, and the defaults of a function, run once
    blocks = dict.fromkeys(("body", "elt", "key", "test", "value"), inside)
    if isinstance(node, ast.If):
        # an `else` is a block of its own: of the two, one runs
        blocks["orelse"] = (*around, ast.If(node.test, node.orelse, []))
    for name, field in ast.iter_fields(node):
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST):
                _note_around(child, blocks.get(name, around), found)


def _may_return(function: ast.AST, node: ast.expr) -> bool:
    """Return whether a function may end above a node in it."""
    inside = own_nodes(function)
    return any(isinstance(at, ast.Return) and at.lineno < node.lineno for at in inside)


def _chooses(given: ast.expr) -> bool:
    """Return whether an expression takes entries of something."""
    return any(
        isinstance(node, ast.Subscript)
        or (isinstance(node, ast.Attribute) and node.attr in ("get", "pop"))
        for node in ast.walk(given)
    )


def _find_alike(calls: ScriptCalls, metric: ast.Call) -> list[ast.Call]:
    """Return the calls that make a metric of the same class, without a name."""
    same = calls.by_name.get(called_name(metric), [])
    calls.count_step(same)
    return [
        call
        for call, scope in same
        if is_numbered(metric_class(calls, call, scope))
        and argument_named(call, "name") is None
        and argument_named(call, None) is None
    ]
