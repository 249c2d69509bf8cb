"""The callbacks list of a training script, to be replayed; any doubt is an error.

`training_scripts` reads one for ``lint``, and goes on where something cannot be told.
"""

from __future__ import annotations

import ast
import os
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.arguments import checked
from cbreplay.errors import ExpressionError
from cbreplay.rules.base import format_callback
from cbreplay.rules.families import imported_version
from cbreplay.rules.registry import find_rule
from cbreplay.scripts.callbacks import Built, build_callback, find_watcher
from cbreplay.scripts.calls import ScriptCalls, Unread
from cbreplay.scripts.compiled_metrics import ModelCompiles
from cbreplay.scripts.double_stars import write_out_double_stars
from cbreplay.scripts.facts import find_fits, read_facts
from cbreplay.scripts.growing_lists import join_growing_lists
from cbreplay.scripts.keras_classes import keras_name
from cbreplay.scripts.lists import find_kept
from cbreplay.scripts.own_modules import write_in_modules
from cbreplay.scripts.packages import find_packages
from cbreplay.scripts.partials import write_out_partials
from cbreplay.scripts.possible_values import only_literal
from cbreplay.scripts.sources import TOO_TANGLED, WRITE_OUT, parse_source, read_source
from cbreplay.scripts.syntax import argument_named, whole_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.rules.checks import TrainingFacts
    from cbreplay.run import Mode
    from cbreplay.scripts.facts import FittingCall
    from cbreplay.scripts.scopes import Placed, Scope
    from cbreplay.scripts.sources import Source

__all__ = ["ScriptCallbacks", "read_script_callbacks"]

_SHOWN_PROBLEMS = 5


class ScriptCallbacks(NamedTuple):
    """The callbacks list that a training script gives to ``fit``.

    Parameters
    ----------
    source : str
        The script.
    callbacks : tuple of Callback
        The list, in order.
    lines : tuple of int
        The one-based line of its file in which each is built; of a notebook, counted
        through all its code cells.
    notes : tuple of str
        What was not read, and what was assumed.
    epochs, validation_freq : int or None
        As ``fit`` gets them; None if it does not, if they cannot be told, or if several
        fits get different ones.
    schedule : str or None
        The class of the LearningRateSchedule that the optimizer has in every fit.
    written : tuple of frozenset of str
        Which parameters the code of each callback gives.
    semantics : str or None
        The Keras version it trains with, if its imports tell: ``"tf_keras-2.21.0"``.
    later_fits : tuple of int
        The epochs, zero-based, with which its fits begin by their ``initial_epoch``.
    directions : mapping of str to {"min", "max"}
        Which way each metric improves that the ``compile`` before every fit names, as
        far as its class tells.
    """

    source: str
    callbacks: tuple[Callback, ...]
    lines: tuple[int, ...]
    notes: tuple[str, ...]
    epochs: int | None = None
    validation_freq: int | None = None
    schedule: str | None = None
    written: tuple[frozenset[str], ...] = ()
    semantics: str | None = None
    later_fits: tuple[int, ...] = ()
    directions: Mapping[str, Mode] = MappingProxyType({})


@checked
def read_script_callbacks(
    path: str | os.PathLike[str], *, defaults: Mapping[str, Any] | None = None
) -> ScriptCallbacks:
    """Find the callbacks list of a training script by its syntax tree.

    The script is not run. Callbacks are recognised by what they are imported from.
    Lists, callbacks and constants are followed through names that are assigned once, a
    list through ``append``, ``extend`` and ``+=`` in the same block, and a function of
    the script through the one value that it returns at its end.

    Parameters
    ----------
    path : str or path-like
        The script, or a notebook (``.ipynb``), whose code cells are read in order.
    defaults : mapping, optional
        Parameters for every callback that does not set them itself.

    Raises
    ------
    ExpressionError
        If it is no Python, if a callback or an argument cannot be told from its text
        (the lines are named), or if several ``fit`` calls get different callbacks.
    """
    source = read_source(os.fspath(path))
    tree = parse_source(source)
    try:
        source = write_in_modules(tree, source)
        write_out_partials(tree)
        join_growing_lists(tree)
        calls = ScriptCalls(tree, defaults or {}, source.place)
        write_out_double_stars(calls)
        read = _Script(source, calls).read()
    except (RecursionError, MemoryError):
        raise ExpressionError(TOO_TANGLED, text=source.path, hint=WRITE_OUT) from None
    return read._replace(semantics=imported_version(find_packages(tree)))


class _Script:
    """One script under reading."""

    def __init__(self, source: Source, calls: ScriptCalls) -> None:
        self.source, self.calls = source, calls
        self.used: set[int] = set()

    def read(self) -> ScriptCallbacks:
        fits, unread_fits = find_fits(self.calls)
        place = self.source.place
        notes = [f"{place(line)}: fit(**...) is not read" for line in unread_fits]
        if not fits:
            notes.append(
                "no fit(callbacks=...) stands in it: the callbacks that it builds are "
                "taken in the order of their lines"
            )
        built = self.built(fits)
        notes += [*self.source.notes, *self.unused(), *self.loggers(), *self.doubts()]
        calls = self.calls
        facts = [
            read_facts(calls, fit, ModelCompiles(calls, fit.call, fit.scope))
            for fit in fits
        ]
        notes += self.untold_begins(fits, facts)
        plans = {(fact.epochs, fact.validation_freq) for fact in facts}
        epochs, validation_freq = plans.pop() if len(plans) == 1 else (None, None)
        schedules = {fact.schedule for fact in facts}
        return ScriptCallbacks(
            self.source.path,
            tuple(entry.callback for entry in built),
            tuple(
                entry.line if entry.line > 0 else self.source.origin(entry.line).line
                for entry in built
            ),
            tuple(notes),
            epochs=epochs,
            validation_freq=validation_freq,
            schedule=schedules.pop() if len(schedules) == 1 else None,
            written=tuple(entry.written for entry in built),
            later_fits=tuple(sorted({fact.first_epoch for fact in facts} - {0})),
            directions=_directions_of_all(facts),
        )

    def built(self, fits: Sequence[FittingCall]) -> list[Built]:
        """Return the callbacks that all fits get; without a fit, every one there is."""
        problems: list[Unread] = []
        read = [
            (fit.call.lineno, list(self.entries(fit.given, fit.scope, problems)))
            for fit in fits
        ] or [(0, list(self.every_call(problems)))]
        self.refuse(problems)
        built = self.agreed(read)
        if not built:
            problem = "it builds no callback that a fit gets"
            raise ExpressionError(problem, text=self.source.path, hint=WRITE_OUT)
        return built

    def refuse(self, problems: list[Unread]) -> None:
        if not problems:
            return
        # what several fits share is one problem
        told = list(
            dict.fromkeys(
                f"{self.source.place(problem.line)}: {problem.problem}"
                for problem in problems
            )
        )
        n_more = len(told) - _SHOWN_PROBLEMS
        shown = told[:_SHOWN_PROBLEMS] + ([f"and {n_more} more"] if n_more > 0 else [])
        raise ExpressionError("; ".join(shown), text=self.source.path, hint=WRITE_OUT)

    def agreed(self, read: list[tuple[int, list[Built]]]) -> list[Built]:
        """Return the one list that all fits get, whatever each of them logs."""
        written = {
            line: ", ".join(
                format_callback(entry.callback)
                for entry in built
                if entry.callback.acts_at
            )
            for line, built in read
        }
        if len(set(written.values())) > 1:
            shown = "; ".join(
                f"{self.source.place(line)}: [{callbacks}]"
                for line, callbacks in written.items()
            )
            problem = f"its fits get different callbacks: {shown}"
            hint = "Write the ones you mean with -c or callbacks="
            raise ExpressionError(problem, text=self.source.path, hint=hint)
        return read[0][1]

    def untold_begins(
        self, fits: Sequence[FittingCall], facts: Sequence[TrainingFacts]
    ) -> Iterator[str]:
        """Say which fits may go on in the log of another, and not from where on."""
        for fit, fact in zip(fits, facts, strict=True):
            given = argument_named(fit.call, "initial_epoch")
            if given is None or fact.first_epoch:
                continue
            if only_literal(self.calls, given, fit.scope) is None:
                yield (
                    f"{fact.place}: initial_epoch is {self.calls.shown(given)}, which "
                    "is not a literal; --seam says where this fit went on in a log"
                )

    def unused(self) -> Iterator[str]:
        for call, scope in self.calls.names.calls:
            name = keras_name(self.calls, call.func, scope)
            is_left = id(call) not in self.used and call.lineno > 0
            if is_left and find_rule(name or "") is not None:
                yield (
                    f"{self.source.place(call.lineno)}: this {name} goes to no fit "
                    "that was read, and is left out"
                )

    def loggers(self) -> Iterator[str]:
        for call, scope in self.calls.names.calls:
            name = find_watcher(call, scope, self.calls)
            if id(call) in self.used and name is not None:
                yield (
                    f"{self.source.place(call.lineno)}: {name} is not Keras's, and is "
                    "taken for one that only watches and decides nothing"
                )

    def doubts(self) -> Iterator[str]:
        """Say what could change the callbacks, and is not read."""
        for name, line in self.calls.names.unread.items():
            where = self.source.place(line)
            yield f"{where}: {name}() may change what a name means, and is not read"
        for name, line in self.calls.given.items():
            yield (
                f"{self.source.place(line)}: {name} is given to something that is not "
                "read, and could change it"
            )

    def every_call(self, problems: list[Unread]) -> Iterator[Built]:
        for call, scope in self.calls.names.calls:
            name = keras_name(self.calls, call.func, scope)
            is_own = call.lineno > 0 and name not in ("Callback", "CallbackList")
            if name is not None and is_own:
                yield from self.entries(call, scope, problems)

    def entries(
        self, node: ast.expr, scope: Scope, problems: list[Unread]
    ) -> Iterator[Built]:
        """Yield the callbacks of a list; what cannot be read goes to the problems."""
        try:
            node, scope = self.calls.followed(node, scope)
            parts = whole_parts(node)
            if parts is not None:
                # Keras flattens lists in lists, so a star changes nothing
                for part in parts:
                    yield from self.entries(part, scope, problems)
            elif isinstance(node, ast.Call):
                yield from self.called(node, scope, problems)
            elif isinstance(node, ast.Attribute):
                yield from self.entries(*self.kept(node, scope), problems)
            elif not (isinstance(node, ast.Constant) and node.value is None):
                shown = self.calls.shown(node)
                self.calls.unread(node, f"{shown} is no callback and no list")
        except Unread as problem:
            problems.append(problem)

    def kept(self, node: ast.Attribute, scope: Scope) -> Placed:
        """Return the one value that ``self.callbacks`` and the like is set to."""
        kept = find_kept(self.calls, node, scope)
        if kept.doubts:
            self.calls.unread(node, kept.doubts[0].problem)
        if not kept.is_whole:
            shown = self.calls.shown(node)
            grows = f"{shown} is set more than once, or gains entries"
            self.calls.unread(node, f"{grows}: that is not followed")
        self.calls.count_step()
        return kept.values[0]

    def called(
        self, call: ast.Call, scope: Scope, problems: list[Unread]
    ) -> Iterator[Built]:
        """Yield the callback that a call makes, or those that a function returns."""
        function = self.calls.function_of(call, scope)
        # a method may be another one in a class that extends this one
        if isinstance(call.func, ast.Name) and function and function.returns_once:
            self.calls.count_step()
            yield from self.entries(function.returned[0], function, problems)
            return
        built = build_callback(call, scope, self.calls)
        self.used.add(id(call))
        yield built


def _directions_of_all(facts: Sequence[TrainingFacts]) -> Mapping[str, Mode]:
    """Return the directions of compiled metrics in which all fits agree."""
    compiled = [fact.compiled for fact in facts]
    of_fits = [{*own.directions.items()} if own else set() for own in compiled]
    alike = set.intersection(*of_fits) if of_fits else set()
    return {name: way for name, way in alike if way is not None}
