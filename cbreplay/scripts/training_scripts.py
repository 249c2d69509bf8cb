"""Every callback of a training script, for ``lint``; what cannot be told is listed.

`script` reads the one list of a script for a replay, and refuses any doubt.
"""

from __future__ import annotations

import ast
import os
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.errors import ExpressionError
from cbreplay.rules.checks import WrittenCallback
from cbreplay.rules.registry import find_rule
from cbreplay.scripts.calls import ScriptCalls
from cbreplay.scripts.compiled_metrics import ModelCompiles
from cbreplay.scripts.double_stars import write_out_double_stars
from cbreplay.scripts.facts import find_fits, read_facts
from cbreplay.scripts.growing_lists import join_growing_lists
from cbreplay.scripts.keras_classes import keras_name
from cbreplay.scripts.lasting_lists import find_staying
from cbreplay.scripts.lists import MemberReader
from cbreplay.scripts.members import UnreadPart
from cbreplay.scripts.own_modules import write_in_modules
from cbreplay.scripts.packages import find_packages
from cbreplay.scripts.partials import write_out_partials
from cbreplay.scripts.reassigned_names import split_reassigned_names, without_marks
from cbreplay.scripts.repeated_fits import RepeatedFits
from cbreplay.scripts.sources import TOO_TANGLED, parse_source, read_source
from cbreplay.scripts.written_files import WrittenFiles
from cbreplay.scripts.written_logs import find_late_values, find_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cbreplay.rules.checks import TrainingFacts
    from cbreplay.scripts.facts import FittingCall
    from cbreplay.scripts.members import Member
    from cbreplay.scripts.sources import Source

__all__ = ["ScriptFit", "TrainingScript", "read_training_script"]

_MOST_FITS = 200


class ScriptFit(NamedTuple):
    """What one ``fit`` of a script may get.

    Parameters
    ----------
    facts : TrainingFacts
        What is known of this training.
    members : tuple of Member
        The callbacks that its list may hold, in order.
    unread : tuple of UnreadPart
        What cannot be told about its list.
    """

    facts: TrainingFacts
    members: tuple[Member, ...]
    unread: tuple[UnreadPart, ...]


class TrainingScript(NamedTuple):
    """What can be told of a training script, without running it.

    Parameters
    ----------
    source : Source
        The script or notebook.
    fits : tuple of ScriptFit
        The calls of ``fit`` that get callbacks, in the order of the text.
    loose : tuple of Member
        The callbacks that go to no ``fit`` that was read.
    unread : tuple of UnreadPart
        What cannot be told, each once, in the order of the text.
    texts : Counter of str
        The strings in it, but those in the arguments of callbacks.
    packages : frozenset of str
        The packages that it imports, as `find_packages`.
    """

    source: Source
    fits: tuple[ScriptFit, ...]
    loose: tuple[Member, ...]
    unread: tuple[UnreadPart, ...]
    texts: Mapping[str, int] = MappingProxyType({})
    packages: frozenset[str] = frozenset()


def read_training_script(path: str | os.PathLike[str]) -> TrainingScript:
    """Read every callback of a script or notebook that can be read.

    It is not run. Lists are followed through names, attributes such as
    ``self.callbacks``, functions of the script, branches and loops; what certainly is
    in a list is told apart from what may be. What cannot be told is listed with its
    line.

    Raises
    ------
    ExpressionError
        If it cannot be read at all: it is no Python, or too deep.
    """
    source = read_source(os.fspath(path))
    # where it is too much with the modules that it imports, it may be read alone
    for complete in (write_in_modules, lambda _, alone: alone):
        tree = parse_source(source)
        try:
            return _read(tree, complete(tree, source))
        except (RecursionError, MemoryError):
            continue
    raise ExpressionError(TOO_TANGLED, text=source.path)


def _read(tree: ast.Module, source: Source) -> TrainingScript:
    split_reassigned_names(tree)
    write_out_partials(tree)
    join_growing_lists(tree)
    calls = ScriptCalls(tree, {}, source.place, verdict="checked")
    write_out_double_stars(calls)
    given = find_fits(calls)[0]
    if len(given) > _MOST_FITS:
        problem = f"it has {len(given)} fits, {_MOST_FITS} at most"
        raise ExpressionError(problem, text=source.path)
    repeated = RepeatedFits(calls)
    files = WrittenFiles(repeated)
    fits = [_read_fit(calls, fit, repeated, files) for fit in given]
    loose, unread = _read_loose(calls, fits)
    told = [part for fit, arguments in fits for part in (*fit.unread, *arguments)]
    told += [*unread, *_unread_elsewhere(calls)]
    members = [*loose, *(member for fit, _ in fits for member in fit.members)]
    made = {id(member.call): member.call for member in members}.values()
    return TrainingScript(
        source,
        tuple(fit for fit, _ in fits),
        loose,
        tuple(sorted(_as_written(told))),
        find_texts(calls.nodes, {id(part) for call in made for part in ast.walk(call)}),
        find_packages(tree),
    )


def _read_fit(
    calls: ScriptCalls, fit: FittingCall, repeated: RepeatedFits, files: WrittenFiles
) -> tuple[ScriptFit, list[UnreadPart]]:
    """Return what a fit may get, and which arguments cannot be told."""
    calls.steps = 0
    reader = MemberReader(calls)
    members = _each_once(reader.members(fit.given, fit.scope))
    loops = repeated.find_loops(fit)
    compiled = ModelCompiles(calls, fit.call, fit.scope)
    facts = read_facts(calls, fit, compiled)
    renumbered = repeated.find_renumbered(fit, loops, compiled)
    kept = repeated.find_kept(loops, fit, members)
    late = find_late_values(calls, fit)
    overwritten = files.find_overwritten(fit, members)
    staying = find_staying(repeated, fit, members)
    in_fit = tuple(
        member._replace(
            makes_each=member.makes_each or repeated.makes_each(member),
            late=late.get(id(member.call), {}),
            told=WrittenCallback(
                kept_in=kept.get(id(member.call), ""),
                written_in=overwritten.get(id(member.call), ""),
                stays_in=staying.get(id(member.call), ""),
                was_fitted=repeated.was_used(fit, member),
            ),
        )
        for member in members
    )
    unread = tuple(_as_written(reader.unread))
    read = ScriptFit(facts._replace(renumbered=renumbered), in_fit, unread)
    setting = [own for own in members if own.variants[0].changes_learning_rate]
    schedules = reader.callbacks.schedules if len(setting) > 1 else []
    return read, [*reader.arguments, *schedules]


def _as_written(parts: Iterable[UnreadPart]) -> dict[UnreadPart, None]:
    """Return what is unread, each once, with names as the script has them."""
    return {part._replace(problem=without_marks(part.problem)): None for part in parts}


def _each_once(members: Iterable[Member]) -> tuple[Member, ...]:
    """Return the members without those that are reached twice."""
    found: dict[int, Member] = {}
    for member in members:
        found.setdefault(id(member.call), member)
    return tuple(found.values())


def _read_loose(
    calls: ScriptCalls, fits: Iterable[tuple[ScriptFit, object]]
) -> tuple[tuple[Member, ...], list[UnreadPart]]:
    """Return the callbacks that go to no fit that was read."""
    used = {id(member.call) for fit, _ in fits for member in fit.members}
    calls.steps = 0
    reader = MemberReader(calls)
    held = _held_changed(calls)
    members = [
        member
        for call, scope in calls.names.calls
        # what a module makes for others is read with that module
        if call.lineno > 0
        and id(call) not in used
        and find_rule(keras_name(calls, call.func, scope) or "") is not None
        for member in reader.members(held.get(id(call), call), scope, is_certain=False)
    ]
    # what a fit that gets the callback was told already
    told = {part.problem for fit, _ in fits for part in fit.unread}
    unread = [part for part in reader.unread if part.problem not in told]
    return _each_once(members), [*unread, *reader.arguments]


def _held_changed(calls: ScriptCalls) -> dict[int, ast.expr]:
    """Return what holds each object that is changed, by the id of what makes it."""
    names = calls.names
    set_on = {calls.written(store.target) for store in names.stores}
    held: dict[int, ast.expr] = {
        id(store.value): ast.Attribute(
            store.target, store.name, ast.Load(), lineno=store.line
        )
        for store in names.stores
        if store.name and f"{calls.written(store.target)}.{store.name}" in set_on
    }
    for scope, name in names.changes.first:
        for binding in scope.bindings.get(name, ()):
            held[id(binding.value)] = ast.Name(name, ast.Load(), lineno=binding.line)
    return held


def _unread_elsewhere(calls: ScriptCalls) -> Iterator[UnreadPart]:
    """Yield what is not read, and may give a fit callbacks or change some."""
    for line in find_fits(calls)[1]:
        if line > 0:  # else it is told where that module is read
            yield UnreadPart(line, "fit(**...) is not read")
    for name, line in calls.names.unread.items():
        problem = f"{name}() may change what a name means, and is not read"
        yield UnreadPart(line, problem)
