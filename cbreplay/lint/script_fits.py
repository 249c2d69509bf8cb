"""One fit of a script, checked with stand-ins for what its text does not tell.

A finding is kept if it holds for all of them. `scripts` joins the fits of a script.
"""

from __future__ import annotations

import ast
import itertools
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from cbreplay.lint.callback_lists import AFTER_A_STOP, find_about_each, find_about_list
from cbreplay.rules.checks import CheckedList, Finding, WrittenCallback
from cbreplay.rules.parameters import parameters_of
from cbreplay.rules.training import Training
from cbreplay.scripts.call_arguments import named_parameters
from cbreplay.scripts.syntax import argument_named, called_name
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.rules.family import ResolvedSemantics
    from cbreplay.scripts.members import Member
    from cbreplay.scripts.refused_calls import RefusedCall
    from cbreplay.scripts.training_scripts import ScriptFit, TrainingScript

    # of each callback that has several variants, the number of the one that is checked
    _Turn: TypeAlias = list[int]

__all__ = ["ExaminedFit", "PlacedFinding", "written_parameters"]

# findings about a pair: dropped unless both callbacks are certainly in the list
_ABOUT_TWO = ("shares-a-file",)
# findings about lost weights: dropped if code that is not read may keep them
_ABOUT_KEPT = ("keeps-later-weights",)
# findings about what is saved at the end of each epoch
_ABOUT_EPOCHS = (
    "overwrites-after-resume",
    "overwrites-one-file",
    "threshold-never-beaten",
)
_PRIMES = (2, 3, 5, 7, 11, 13)


class PlacedFinding(NamedTuple):
    """A finding about a script, and the callback that it is about.

    Parameters
    ----------
    finding : Finding
        The finding; its `callback` is the index in the list that was checked.
    member : Member
        The callback.
    """

    finding: Finding
    member: Member


class ExaminedFit:
    """One fit, checked in several turns, each with other variants of its callbacks."""

    def __init__(
        self, fit: ScriptFit, script: TrainingScript, resolved: ResolvedSemantics
    ) -> None:
        compiled = fit.facts.compiled
        if compiled is not None:
            named = resolved.family.name_metrics(compiled, resolved.semantics)
            fit = fit._replace(facts=fit.facts._replace(compiled=named))
        self.fit, self.script, self.resolved = fit, script, resolved
        unsure = [member for member in fit.members if len(member.variants) > 1]
        self.places = {id(member.call): at for at, member in enumerate(unsure)}
        self.n_variants = max((len(member.variants) for member in unsure), default=1)

    def findings(self) -> Iterator[PlacedFinding]:
        """Yield the findings of every turn."""
        every = self.fit.members
        alone = [[at] * len(self.places) for at in range(self.n_variants)]
        by_itself = list(self.common([self.about_each(every, turn) for turn in alone]))
        by_itself += self.about_variants(by_itself, alone)
        yield from by_itself
        if self.fit.unread:
            return  # what is not read may take back a stop, or set the rate
        certain = [member for member in every if member.is_certain]
        about_list = self.common(
            [
                self.about_list(members, turn)
                for turn in self.turns_of_pairs()
                for members in (every, certain)
            ]
        )
        absent = {
            id(placed.member.call)
            for placed in by_itself
            if placed.finding.code == "absent-monitor"
        }
        for placed in about_list:
            # a callback that never acts comes neither before nor after another
            is_late = placed.finding.code in AFTER_A_STOP
            if not (is_late and id(placed.member.call) in absent):
                yield placed

    def turns_of_pairs(self) -> list[_Turn]:
        """Return turns in which any two callbacks have all pairs of their variants.

        Modulo a prime, ``first + step * place`` takes every pair of values at any two
        places. For more such callbacks than the largest prime there are no turns, and
        so no findings.
        """
        if not self.places:
            return [[]]
        needed = max(self.n_variants, len(self.places))
        prime = next((prime for prime in _PRIMES if prime >= needed), 0)
        return [
            [(first + step * place) % prime for place in range(len(self.places))]
            for first, step in itertools.product(range(prime), repeat=2)
        ]

    def variant(self, member: Member, turn: _Turn) -> Callback:
        """Return the variant of a callback in a turn; the one, if it has no others."""
        place = self.places.get(id(member.call))
        chosen = 0 if place is None else turn[place]
        return member.variants[chosen % len(member.variants)]

    def common(self, turns: list[list[PlacedFinding]]) -> Iterator[PlacedFinding]:
        """Yield the findings that all turns have."""
        rest = [{_key(placed) for placed in turn} for turn in turns[1:]]
        for placed in turns[0] if turns else ():
            if all(_key(placed) in keys for keys in rest):
                yield placed

    def about_each(self, members: Sequence[Member], turn: _Turn) -> list[PlacedFinding]:
        """Return the findings about single callbacks in a turn."""
        refused = (
            finding
            for index, member in enumerate(members)
            for finding in self.refused(index, member)
        )
        about_each = (
            finding
            for finding in find_about_each(self.checked(members, turn))
            # if no callback is made, its settings do not matter
            if finding.code == "unknown-parameter"
            or not self.fails_at_once(members[finding.callback])
        )
        found = [*refused, *about_each]
        in_batches = (
            finding
            for index, member in enumerate(members)
            for finding in self.saves_in_batches(index, member)
        )
        return [
            placed
            for placed in self.placed(found, members)
            if self.is_told(placed, members)
            and not (
                placed.finding.code in _ABOUT_EPOCHS
                and _may_count_batches(placed.member)
            )
        ] + self.placed(in_batches, members)

    def about_variants(
        self, found: list[PlacedFinding], turns: list[_Turn]
    ) -> Iterator[PlacedFinding]:
        """Yield what holds for one of several callbacks that one call makes.

        That is of a comprehension; what holds for all of them is `found` already.
        """
        known = {(id(placed.member.call), placed.finding.code) for placed in found}
        several = [member for member in self.fit.members if member.makes_each]
        for member in several:
            for variant in member.variants:
                alone = member._replace(variants=(variant,), is_told=False)
                members = [alone if own is member else own for own in self.fit.members]
                turned = [self.about_each(members, turn) for turn in turns]
                for placed in self.common(turned):
                    code = id(member.call), placed.finding.code
                    if placed.member is alone and code not in known:
                        yield placed

    def miscalled(self, member: Member) -> list[RefusedCall]:
        """Return why Python does not take the call, in this Keras."""
        callback, semantics = member.variants[0], self.resolved.semantics
        is_older = callback.takes_older_names(semantics)
        return [
            refused
            for refused in member.miscalled
            if not (refused.older_take and is_older)
        ]

    def fails_at_once(self, member: Member) -> bool:
        """Return whether the call certainly makes no callback."""
        return any(not refused.in_fit for refused in self.miscalled(member)) or any(
            error.fails_at_once for error in member.refused
        )

    def refused(self, index: int, member: Member) -> Iterator[Finding]:
        """Yield why a call is refused; only what fails first, if it fails at once."""
        name, miscalled = member.variants[0].class_name, self.miscalled(member)
        for call in miscalled:
            told = f"{name} {call.problem}"
            yield Finding("refused-call", index, told, call.reason, call.instead)
        at_once = [error for error in member.refused if error.fails_at_once]
        for error in () if miscalled else at_once or member.refused:
            yield Finding(
                "refused-value",
                index,
                f"{error.callback} {error.outcome} {error.parameter}={error.shown}",
                f"{error.parameter} has to be {error.wanted}",
                error.instead,
            )

    def saves_in_batches(self, index: int, member: Member) -> Iterator[Finding]:
        """Yield that a batch's end has no value of the validation to compare."""
        callback: Any = member.variants[0]
        watched = [rule.watched or "" for rule in member.variants]
        if not (_counts_batches(member) and all(map(is_validation, watched))):
            return
        acts = callback.acts_without_value(self.resolved.semantics)
        name = self.resolved.family.spoken_version(self.resolved.semantics.name)
        yield Finding(
            "absent-monitor",
            index,
            "save_freq counts batches, and at the end of a batch there is no "
            f"{callback.monitor!r}",
            f"fit validates when an epoch is over; {name} saves "
            + ("each time then, whatever the value" if acts else "nothing then"),
            "save_freq='epoch', or a monitor of the training data",
        )

    def is_told(self, placed: PlacedFinding, members: Sequence[Member]) -> bool:
        """Return whether a finding holds whatever the code does that is not read."""
        if placed.finding.code in _ABOUT_TWO:
            return not self.fit.unread and all(member.is_certain for member in members)
        if placed.finding.code in _ABOUT_KEPT:
            return not self.fit.unread and not any(map(_may_keep, members))
        if placed.finding.code == "overwrites-after-resume":
            # a callback that an earlier fit used may still hold that fit's best
            return not self.is_shared(placed.member)
        names = {placed.member.variants[0].monitor, *_fields(placed.member)}
        is_late = bool(names & self.late_writers(placed.member).keys())
        if placed.finding.code == "absent-field":
            # code that is not read may log it, and ** may give a save_freq
            words = placed.member.call.keywords
            is_whole = not self.fit.unread and all(word.arg for word in words)
            is_named = _fields(placed.member) & self.script.texts.keys()
            return is_late or (is_whole and not is_named)
        if placed.finding.code == "floor-above-rate":
            # a callback that is not read, or of the user's own, may raise the rate
            return not self.fit.unread and not any(
                member.variants[0].holds_own_code for member in members
            )
        is_absent = placed.finding.code == "absent-monitor"
        return not is_absent or is_late or self.is_unlogged(placed.member)

    def late_writers(self, member: Member) -> dict[str, str]:
        """Say which own callback, behind another, alone logs a value, by its name."""
        compiled = self.fit.facts.compiled
        return {
            name: f"{late.writer} ({late.place})"
            for name, late in member.late.items()
            if compiled is not None
            and not compiled.may_log(name.removeprefix("val_"))
            and late.alone_writes(name, self.script.texts)
        }

    def is_unlogged(self, member: Member) -> bool:
        """Return whether no code that is not read logs a callback's monitor.

        Code that logs it would have its name as a text in the script.
        """
        compiled = self.fit.facts.compiled
        monitor = member.variants[0].monitor or ""
        metric = monitor.removeprefix("val_")
        unsure = compiled and not compiled.is_whole and not compiled.may_log(metric)
        # the name may be put together: f"val_{name}"
        named = {monitor, metric} & self.script.texts.keys()
        return not named or not (unsure or self.fit.unread)

    def is_shared(self, member: Member) -> bool:
        """Return whether several fits get a callback."""
        fits = [
            fit
            for fit in self.script.fits
            if any(other.call is member.call for other in fit.members)
        ]
        return len(fits) > 1

    def about_list(self, members: Sequence[Member], turn: _Turn) -> list[PlacedFinding]:
        """Return the findings about several callbacks in a turn."""
        found = find_about_list(self.checked(members, turn), self.resolved.family)
        return [
            placed
            for placed in self.placed(found, members)
            if placed.member.is_certain and not self.fails_at_once(placed.member)
        ]

    def placed(
        self, found: Iterable[Finding], members: Sequence[Member]
    ) -> list[PlacedFinding]:
        """Return findings with the callbacks that they are about."""
        return [PlacedFinding(finding, members[finding.callback]) for finding in found]

    def checked(self, members: Sequence[Member], turn: _Turn) -> CheckedList:
        """Return the list of a turn, and all that is known of its training."""
        facts = self.fit.facts
        compiled = facts.compiled
        if self.fit.unread:
            # what is not read may log more: then only a misspelt monitor is reported
            doubted = compiled and compiled._replace(is_whole=False)
            facts = facts._replace(validated=None, compiled=doubted)
        directions = {} if compiled is None else compiled.directions
        return CheckedList(
            tuple(self.variant(member, turn) for member in members),
            Training(
                self.resolved.semantics,
                {name: way for name, way in directions.items() if way is not None},
                self.resolved.family,
                schedule=facts.schedule,
            ),
            facts.epochs,
            facts.validation_freq or 1,
            None,
            facts,
            tuple(map(self.told_by_code, members)),
        )

    def told_by_code(self, member: Member) -> WrittenCallback:
        """Return what the script tells of a callback."""
        return member.told._replace(
            place=self.script.source.place(member.call.lineno),
            parameters=written_parameters(member),
            logged_later=self.late_writers(member),
            is_told=len(member.variants) == 1 and not member.makes_each,
        )


def _fields(member: Member) -> set[str]:
    """Return the names in the braces of the file that a callback writes."""
    written: str = getattr(member.variants[0], "filepath", "")
    names = set(re.findall(r"\{(\w+)", written)) - {"epoch", "batch"}
    return names | {name.removeprefix("val_") for name in names}


def written_parameters(member: Member) -> frozenset[str]:
    """Return which parameters the code of a callback gives."""
    callback = member.variants[0]
    if not callback.acts_at:
        # the arguments of a callback that decides nothing are not read
        return frozenset()
    return named_parameters(member.call, list(parameters_of(callback)))


def _may_count_batches(member: Member) -> bool:
    """Return whether a ModelCheckpoint need not save when an epoch is over."""
    given = argument_named(member.call, "save_freq")
    return given is not None and not (
        isinstance(given, ast.Constant) and given.value == "epoch"
    )


def _counts_batches(member: Member) -> bool:
    """Return whether `save_freq` is certainly a number: one, or worked out of some."""
    given = argument_named(member.call, "save_freq")
    if isinstance(given, ast.BinOp):
        return isinstance(given.op, (ast.Mult, ast.FloorDiv))
    if isinstance(given, ast.Call):
        return called_name(given) in ("ceil", "int", "len", "round")
    return isinstance(given, ast.Constant) and isinstance(given.value, int)


def _key(placed: PlacedFinding) -> tuple[object, ...]:
    finding, member = placed
    if member.is_told:
        return id(member.call), finding.code  # the sentence has one of the values
    said = finding.code, finding.message, finding.reason, finding.fix
    return id(member.call), *said


def _may_keep(member: Member) -> bool:
    """Return whether another package's logger may keep the best weights."""
    name = member.variants[0].class_name
    return name == "WandbCallback" or (
        name.endswith("Checkpoint") and not member.variants[0].acts_at
    )
