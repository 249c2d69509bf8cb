"""One member of a script's list for `lint`: what is not told gets stand-ins."""

from __future__ import annotations

import ast
import itertools
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.rules.base import format_callback
from cbreplay.rules.checks import WrittenCallback
from cbreplay.rules.registry import rule_named
from cbreplay.scripts.call_arguments import (
    named_parameters,
    read_arguments,
    require_all,
    written_arguments,
)
from cbreplay.scripts.callbacks import (
    ScriptArguments,
    find_bystander,
    make_callback,
)
from cbreplay.scripts.calls import Unread
from cbreplay.scripts.epoch_schedules import find_tensor, goes_by_epoch_alone
from cbreplay.scripts.keras_classes import callback_name
from cbreplay.scripts.optimizer_rates import given_schedule
from cbreplay.scripts.possible_values import all_literals
from cbreplay.scripts.reassigned_names import without_marks
from cbreplay.scripts.refused_calls import (
    RefusedCall,
    find_refused_calls,
    find_refused_values,
)
from cbreplay.scripts.stand_ins import (
    MOST_STAND_INS,
    SETS_EVERY_RATE,
    STAND_INS,
    UNKNOWN,
    stand_ins,
)
from cbreplay.scripts.syntax import argument_at, called_name
from cbreplay.scripts.text_endings import find_ending

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cbreplay.errors import RefusedValueError
    from cbreplay.rules.base import Callback
    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Gain, Scope
    from cbreplay.scripts.written_logs import LateValue

__all__ = ["CallReader", "Member", "UnreadPart"]

_MOST_CODE = 200


class Member(NamedTuple):
    """A callback that a list may hold.

    Parameters
    ----------
    call : ast.Call
        The call that makes it.
    variants : tuple of Callback
        The callback; if an argument cannot be told, several, with different values for
        it (`STAND_INS`).
    code : str
        The call, for people.
    is_certain : bool
        Whether the list certainly holds it.
    refused : tuple of RefusedValueError
        Arguments that Keras does not take. In the variants they have stand-ins.
    miscalled : tuple of RefusedCall
        Why the call raises TypeError. In the variants missing arguments have stand-ins,
        and superfluous ones are left out.
    within : ast.Call or None
        The call of a function of the script that makes it, if one does: the outermost.
    is_told : bool
        Whether the variants have no stand-ins, but the values of a loop or a choice.
    makes_each : bool
        Whether it is told, and a comprehension or loop makes each of the variants.
    late : mapping of str to LateValue
        What is written into ``logs`` after it looks there, as `find_late_values`.
    gains : tuple of Gain
        By which its list, or one in it, gains it.
    told : WrittenCallback
        What the fits before and after this one mean for it.
    """

    call: ast.Call
    variants: tuple[Callback, ...]
    code: str
    is_certain: bool = True
    refused: tuple[RefusedValueError, ...] = ()
    miscalled: tuple[RefusedCall, ...] = ()
    within: ast.Call | None = None
    is_told: bool = False
    makes_each: bool = False
    late: Mapping[str, LateValue] = MappingProxyType({})
    gains: tuple[Gain, ...] = ()
    told: WrittenCallback = WrittenCallback()

    @property
    def made_at(self) -> ast.Call:
        """The call that makes it, in the block that makes its list."""
        return self.within or self.call


class UnreadPart(NamedTuple):
    """A part of a list that cannot be told from the text: its line, and why."""

    line: int
    problem: str


class CallReader:
    """Reads callbacks, and goes on if an argument cannot be told.

    Attributes
    ----------
    unread : list of UnreadPart
        Which arguments could not be told.
    schedules : list of UnreadPart
        Schedules that are code: they matter where another callback sets the rate too.
    """

    def __init__(self, calls: ScriptCalls) -> None:
        self.calls = calls
        self.unread: list[UnreadPart] = []
        self.schedules: list[UnreadPart] = []

    def read(self, call: ast.Call, scope: Scope) -> Member:
        """Return a callback, with stand-ins for the arguments that cannot be told."""
        beside = find_bystander(call, scope, self.calls)
        if beside is not None:
            return Member(call, (beside,), beside.code)
        name = callback_name(self.calls, call, scope)
        kind = rule_named(name).load()
        known = [parameter.name for parameter in fields(kind)]
        # a name that is no parameter is reported by `lint`, by version
        words = [word for word in call.keywords if word.arg in known]
        readable = ast.Call(call.func, call.args[: _first_star(call)], words)
        ast.copy_location(readable, call)
        untold = self._untold(call, name, known)
        miscalled: tuple[RefusedCall, ...] = ()
        if rule_named(name).family:
            miscalled = tuple(find_refused_calls(readable, known, kind, untold))
        if "schedule" in known:
            miscalled += tuple(self._tensors(readable, scope))
        if miscalled:
            _keep_readable(readable, known, kind, miscalled)
            untold = known
        reader = _Stopgaps(self.calls, call, scope)
        parameters = dict.fromkeys(untold, UNKNOWN)
        parameters |= read_arguments(readable, name, known, reader)
        require_all(parameters, kind, reader)
        refused = find_refused_values(name, parameters, call)
        parameters |= {error.parameter: UNKNOWN for error in refused}
        self.unread += reader.problems
        self.schedules += reader.schedules
        variants = tuple(
            make_callback(kind, given, call, self.calls)
            for given in reader.filled_in(parameters)
        )
        unknown = {key for key, value in parameters.items() if value is UNKNOWN}
        code = _shortened(call)
        if not unknown and not miscalled and len(words) == len(call.keywords):
            code = format_callback(variants[0], named_parameters(call, known))
        is_told = bool(unknown) and reader.told.keys() >= unknown
        return Member(
            call,
            variants,
            code,
            refused=refused,
            miscalled=miscalled,
            is_told=is_told,
            makes_each=is_told and _is_made_of_each(call, scope),
        )

    def _tensors(self, call: ast.Call, scope: Scope) -> Iterator[RefusedCall]:
        """Yield that a schedule returns a tensor, as an optimizer's does."""
        given = argument_at(call, "schedule", 0)
        if given is None:
            return
        # keras/src/callbacks/learning_rate_scheduler.py; Keras 2 took a tensor
        made = given_schedule(self.calls, given, scope)
        if made is not None:
            yield RefusedCall(
                f"raises ValueError in the first epoch: {made} returns a tensor",
                "schedule has to return a float; a LearningRateSchedule is for an "
                "optimizer",
                f"{made} as the learning rate of the optimizer",
                older_take=True,
                in_fit=True,
            )
        elif maker := find_tensor(given, scope, self.calls):
            yield RefusedCall(
                f"raises ValueError where schedule returns a tensor, of {maker}",
                "schedule has to return a float",
                "float(...) around what it returns",
                older_take=True,
                in_fit=True,
            )

    def _untold(self, call: ast.Call, name: str, known: list[str]) -> list[str]:
        """Return the parameters that ``*`` and ``**`` may give."""
        first = _first_star(call)
        starred = [part for part in call.args if isinstance(part, ast.Starred)]
        doubled = [word.value for word in call.keywords if word.arg is None]
        given = [("*", part.value) for part in starred]
        for star, value in [*given, *(("**", value) for value in doubled)]:
            what = f"{star}{self.calls.written(value)}"
            problem = f"{name}: what {what} gives cannot be told"
            self.unread.append(UnreadPart(value.lineno, problem))
        if doubled:
            return known
        return known[first:] if starred else []


class _Stopgaps(ScriptArguments):
    """Reads arguments; one that cannot be told is `UNKNOWN`."""

    def __init__(self, calls: ScriptCalls, call: ast.Call, scope: Scope) -> None:
        super().__init__(calls, call, scope)
        self.problems: list[UnreadPart] = []
        self.schedules: list[UnreadPart] = []
        # what an argument that is not read is like, by its name
        self.likened: dict[str, Any] = {}
        # the values of an argument that has several, by its name
        self.told: dict[str, list[Any]] = {}
        # of the file that a ModelCheckpoint writes
        self.ending = ""

    def value(self, node: ast.expr, place: str) -> Any:  # noqa: ANN401 - any literal
        """Return what an argument says, or that it is unknown."""
        try:
            told = super().value(node, place)
        except Unread as unread:
            name = place.rpartition(": ")[2]
            several = all_literals(self.calls, node, self.scope)
            if 1 < len(several) <= MOST_STAND_INS and name in STAND_INS:
                self.told[name] = several
                return UNKNOWN
            if name == "filepath":
                self.ending = find_ending(self.calls, node, self.scope)
            elif name == "schedule" and goes_by_epoch_alone(
                node, self.scope, self.calls
            ):
                self.likened[name] = SETS_EVERY_RATE
            elif name == "schedule":
                problem = f"{place} is code, which is not run"
                self.schedules.append(UnreadPart(unread.line, problem))
            elif name != "verbose":  # that decides nothing
                self.problems.append(UnreadPart(unread.line, unread.problem))
            return UNKNOWN
        if place.endswith(": save_freq") and isinstance(told, int):
            problem = f"{place} is {told}, a number of batches: no epoch tells when"
            self.problems.append(UnreadPart(node.lineno, f"{problem} it saves"))
            return UNKNOWN
        return told

    def filled_in(self, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the parameters with values to check for those that are `UNKNOWN`."""
        unknown = [key for key, value in parameters.items() if value is UNKNOWN]
        for turn in range(MOST_STAND_INS if unknown else 1):
            told = {name: each[turn % len(each)] for name, each in self.told.items()}
            instead = stand_ins(unknown, turn, self.call, self.ending)
            yield parameters | instead | told | self.likened


def _is_made_of_each(call: ast.Call, scope: Scope) -> bool:
    """Return whether a comprehension makes a callback of each entry, with no filter."""
    made = scope.definition
    return (
        isinstance(made, (ast.ListComp, ast.GeneratorExp))
        and made.elt is call
        and not any(part.ifs for part in made.generators)
    )


def _first_star(call: ast.Call) -> int:
    """Return how many positional arguments are before the first ``*``."""
    stars = (isinstance(given, ast.Starred) for given in call.args)
    return next(itertools.compress(itertools.count(), stars), len(call.args))


def _keep_readable(
    call: ast.Call, known: list[str], kind: type[Any], refused: tuple[RefusedCall, ...]
) -> None:
    """Remove from a refused call what some version would not take."""
    by_place = known[: len(call.args)]
    most = len(known)
    if any(each.older_take for each in refused):
        # in older versions another parameter is in the last place
        most -= kind.n_older_by_place
    call.args = call.args[:most]
    call.keywords = [word for word in call.keywords if word.arg not in by_place]


def _shortened(call: ast.Call) -> str:
    """Return the code of a call, without the module and at most so long."""
    written = f"{without_marks(called_name(call))}({written_arguments(call)})"
    return written if len(written) <= _MOST_CODE else f"{written[:_MOST_CODE]}...)"
