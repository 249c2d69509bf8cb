"""The learning rate of a script's optimizer: a number, a schedule, or not told."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.rules.families import reducing_rule
from cbreplay.rules.keras.framework import KERAS
from cbreplay.scripts.calls import Unread
from cbreplay.scripts.foreign_code import comes_from_outside
from cbreplay.scripts.keras_paths import KERAS_PACKAGES
from cbreplay.scripts.possible_values import only_literal, possible_values
from cbreplay.scripts.syntax import called_name, entry_at, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Placed, Scope

__all__ = ["OptimizerRate", "given_schedule", "read_rate"]

_OF_RATES = {"learning_rate", "lr"}
_MOST_WRAPPED = 20
# the default of learning_rate, the same in every version with rules here:
# keras/src/optimizers/adadelta.py and the like
_AT_A_THOUSANDTH = ("adadelta", "adagrad", "adam", "adamax", "adamw", "ftrl", "nadam")
_USUAL_RATES = {**dict.fromkeys(_AT_A_THOUSANDTH, 0.001), "rmsprop": 0.001, "sgd": 0.01}


_SCHEDULES = {
    *("CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay"),
    *("LearningRateSchedule", "LinearCosineDecay", "NoisyLinearCosineDecay"),
    *("PiecewiseConstantDecay", "PolynomialDecay"),
}
_DEEPEST = 10
# where the rate stands in what some functions make an optimizer of
_RATE_IN = {
    "deserialize": ("config", "learning_rate"),
    "from_config": ("learning_rate",),
    "get": ("config", "learning_rate"),
}


class OptimizerRate(NamedTuple):
    """What the text of a script tells about the learning rate of an optimizer.

    Parameters
    ----------
    schedule : str or None
        The class of the schedule that it certainly is; several are joined by "or".
    number : float or None
        The number that it certainly is from beginning to end.
    doubt : str
        Why it may be a schedule, and need not; empty if neither is so.
    """

    schedule: str | None = None
    number: float | None = None
    doubt: str = ""


def read_rate(
    calls: ScriptCalls, compiles: list[tuple[ast.Call, Scope]], *, is_followed: bool
) -> OptimizerRate:
    """Return what the script tells about the rate that the optimizers are built with.

    `compiles` are the calls of ``compile`` that may be of the model; they certainly are
    if `is_followed`.
    """
    if not compiles:
        return OptimizerRate(doubt="no compile of its model is in the script")
    reader = _RateReader(calls)
    rates = [reader.rate_of(call, scope) for call, scope in compiles]
    mixed = "it is {} in one compile, and not in another"
    joined = _joined(rates, mixed, reader.set_later())
    is_whole = is_followed and not _sets_rates(calls)
    return joined if is_whole else joined._replace(number=None)


def _joined(
    rates: list[OptimizerRate], mixed: str, doubts: Iterable[str] = ()
) -> OptimizerRate:
    """Return what holds of several rates; `mixed` is said where some are schedules."""
    schedules = [rate.schedule for rate in rates if rate.schedule]
    told = " or ".join(dict.fromkeys(schedules))
    if schedules and len(schedules) == len(rates):
        return OptimizerRate(schedule=told)
    doubts = [*(rate.doubt for rate in rates if rate.doubt), *doubts]
    if schedules and not doubts:
        doubts = [mixed.format(told)]
    numbers = {rate.number for rate in rates}
    number = numbers.pop() if len(numbers) == 1 else None
    return OptimizerRate(None, number, (*doubts, "")[0])


def _sets_rates(calls: ScriptCalls) -> bool:
    """Return whether a script may set a rate, as ``model.optimizer.lr = 0.1`` does.

    Any attribute of such a name counts, and any callback that schedules rates.
    """
    schedulers = {*KERAS.rate_changing} - {reducing_rule().__name__}
    names = {"optimizer", *_OF_RATES}
    return bool(calls.words & schedulers) or any(
        node.attr in names for node in calls.names.attributes
    )


class _RateReader:
    """Reads the rates that the optimizers of one script are built with."""

    def __init__(self, calls: ScriptCalls) -> None:
        self.calls = calls
        # if the script has no such name, only code outside of it can make a schedule
        self.names_schedules = bool(calls.words & {*_SCHEDULES, "schedules"})

    def rate_of(self, compiling: ast.Call, scope: Scope) -> OptimizerRate:
        """Return what is told about the rate of the optimizer of a ``compile``."""
        given = _argument(compiling, "optimizer")
        if given is None:
            starred = self.starred(compiling, scope, "compile")
            return starred or OptimizerRate()
        try:
            optimizers = [
                inner
                for value in possible_values(self.calls, given, scope)
                for inner in self.unwrapped(*value)
            ]
            parts = [part for made in optimizers for part in self.built_with(*made)]
        except Unread as unread:
            return OptimizerRate(doubt=self.doubt(given, scope, unread.problem))
        return _joined(parts, "it may be {}, or a number")

    def unwrapped(
        self, optimizer: ast.expr, scope: Scope, depth: int = 0
    ) -> Iterator[Placed]:
        """Yield the optimizers inside a LossScaleOptimizer; another one as it is.

        A LossScaleOptimizer has the rate of the one inside, and ``optimizers.get``
        returns what it gets, or makes it by its name.
        """
        made = optimizer if isinstance(optimizer, ast.Call) else None
        paths = [] if made is None else self.calls.paths(made.func, scope)
        held = None
        if made is not None and paths and all(map(_holds_another, paths)):
            held = _argument(made, "inner_optimizer", "optimizer", "identifier")
        if held is None:
            yield optimizer, scope
            return
        if depth > _MOST_WRAPPED:
            return
        for inner in possible_values(self.calls, held, scope):
            if isinstance(inner[0], ast.Dict):
                yield optimizer, scope  # a config, which is looked up as a whole
            # opt = LossScaleOptimizer(opt): the name also means what is looked at
            elif inner[0] is not optimizer:
                yield from self.unwrapped(*inner, depth + 1)

    def built_with(self, optimizer: ast.expr, scope: Scope) -> Iterator[OptimizerRate]:
        """Yield what an expression may give an optimizer as its rate."""
        if isinstance(optimizer, ast.Constant) and optimizer.value is None:
            return  # no optimizer yet: what else it may be is the one of a training
        if not isinstance(optimizer, ast.Call):
            usual = _usual_rate(optimizer)
            yield OptimizerRate(None, usual, self.doubt(optimizer, scope))
            return
        starred = self.starred(optimizer, scope)
        given = self.given_rate(optimizer, scope)
        if given is None:
            doubt = self.doubt(optimizer, scope)
            is_keras = self.is_optimizer(optimizer, scope)
            usual = self.usual_rate(optimizer, scope) if is_keras else None
            yield starred or OptimizerRate(None, usual, "" if is_keras else doubt)
            return
        for rate, place in possible_values(self.calls, *given):
            yield self.read(rate, place, optimizer, scope)

    def given_rate(self, optimizer: ast.Call, scope: Scope) -> Placed | None:
        """Return what an optimizer gets as its rate, also in a config; None if nothing.

        Of a config that is not written out, the whole of it.
        """
        given = _argument(optimizer, *_OF_RATES, "config", "identifier")
        if given is None:
            return None
        placed = given, scope
        for key in _RATE_IN.get(called_name(optimizer), ()):
            entry = self.calls.entry_of(placed[0], key, placed[1])
            if entry is None:
                return given, scope
            placed = entry
        return placed

    def usual_rate(self, optimizer: ast.Call, scope: Scope) -> float | None:
        """Return the rate of one of Keras's optimizers that is given none."""
        paths = self.calls.paths(optimizer.func, scope)
        names = {path.rpartition(".")[2].lower() for path in paths}
        return _USUAL_RATES.get(names.pop()) if len(names) == 1 else None

    def read(
        self, rate: ast.expr, place: Scope, optimizer: ast.Call, scope: Scope
    ) -> OptimizerRate:
        """Return what one expression tells as the rate of an optimizer."""
        schedule = _find_schedule(self.calls, rate, place)
        if schedule is not None:
            return OptimizerRate(schedule=schedule)
        is_keras = self.is_optimizer(optimizer, scope)
        number = only_literal(self.calls, rate, place)
        if is_keras and number is not None and not isinstance(number, dict):
            return OptimizerRate(number=_positive(number))
        if not is_keras:
            doubt = self.doubt(optimizer, scope)
            return OptimizerRate(doubt=doubt or self.doubt(rate, place))
        if self.is_function(rate, place):
            # Keras calls it in each step
            shown = self.calls.shown(rate)
            return OptimizerRate(doubt=f"{shown} is a function, which is not run")
        return OptimizerRate(doubt=self.doubt(rate, place))

    def starred(
        self, call: ast.Call, scope: Scope, what: str = "the optimizer"
    ) -> OptimizerRate | None:
        """Return the doubt about what ``*`` and ``**`` give to a call."""
        given = [part.value for part in call.args if isinstance(part, ast.Starred)]
        given += [word.value for word in call.keywords if word.arg is None]
        doubts = [self.doubt(part, scope) for part in given]
        if not any(doubts):
            return None
        shown = self.calls.shown(given[0])
        return OptimizerRate(doubt=f"what {shown} gives {what} cannot be told")

    def is_optimizer(self, made: ast.expr, scope: Scope) -> bool:
        """Return whether this makes one of Keras's optimizers.

        Only of these it is known that the first argument is the rate.
        """
        paths = self.calls.paths(made.func, scope) if isinstance(made, ast.Call) else []
        parted = [path.split(".") for path in paths]
        return bool(parted) and all(
            path[0] in KERAS_PACKAGES and "optimizers" in path[1:-1] for path in parted
        )

    def is_function(self, node: ast.expr, scope: Scope) -> bool:
        """Return whether an expression is a function of the script."""
        bindings = scope.bindings_of(node.id) if isinstance(node, ast.Name) else []
        return isinstance(node, ast.Lambda) or any(
            binding.inner is not None and not binding.inner.of_class
            for binding in bindings
        )

    def doubt(self, node: ast.expr, scope: Scope, problem: str = "") -> str:
        """Say why an expression that is not followed may bring a schedule; or "".

        A schedule is an object that code makes: of the script, then it names one, or
        code outside of it.
        """
        if isinstance(node, (ast.Constant, ast.BinOp, ast.UnaryOp)):
            return ""
        if self.names_schedules or comes_from_outside(self.calls, node, scope):
            return problem or f"{self.calls.shown(node)} is not followed"
        return ""

    def set_later(self) -> Iterator[str]:
        """Yield where a rate is set that may be a schedule, as ``opt.lr = rate``."""
        for store in self.calls.names.stores:
            of_self = self.calls.written(store.target) == "self"
            if store.name not in _OF_RATES or of_self or store.value is None:
                continue
            shown = f"{self.calls.written(store.target)}.{store.name}"
            where = self.calls.place(store.line)
            try:
                values = possible_values(self.calls, store.value, store.scope)
            except Unread:
                values = [(store.value, store.scope)]
            if any(
                _find_schedule(self.calls, *value) or self.doubt(*value)
                for value in values
            ):
                yield f"{shown!r} is set in {where}"


def _argument(call: ast.Call, *names: str) -> ast.expr | None:
    """Return the argument of one of these names, or the first; None if not given."""
    named = [word.value for word in call.keywords if word.arg in names]
    first = [part for part in call.args[:1] if not isinstance(part, ast.Starred)]
    return next(iter([*named, *first]), None)


def _holds_another(path: str) -> bool:
    """Return whether what a dotted path of Keras names has the rate of another."""
    root, _, name = path.removeprefix("?.").partition(".")
    ends = (".LossScaleOptimizer", "optimizers.get")
    return root in KERAS_PACKAGES and name.endswith(ends)


def _positive(number: object) -> float | None:
    """Return a rate as a float; None if it is no number above 0."""
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return None
    return float(number) if number > 0 else None


def _usual_rate(name: ast.expr) -> float | None:
    """Return the rate of an optimizer that ``compile`` gets by its name."""
    return _USUAL_RATES.get((text_of(name) or "").lower())


def given_schedule(calls: ScriptCalls, given: ast.expr, scope: Scope) -> str | None:
    """Return the class of the schedule that an argument is, if its text tells that."""
    told = calls.followed_if_told(given, scope)
    return None if told is None else _find_schedule(calls, *told)


def _find_schedule(calls: ScriptCalls, made: ast.expr, scope: Scope) -> str | None:
    """Return the class of the schedule that an expression makes; None if none."""
    if isinstance(made, ast.Dict):
        # as Keras writes it; without a module it finds no such class
        parts = [text_of(entry_at(made, key)) for key in ("module", "class_name")]
        path = ".".join(filter(None, parts))
        return parts[-1] if all(parts) and _is_schedule(path, []) else None
    named = made.func if isinstance(made, ast.Call) else None
    paths = [] if named is None else calls.paths(named, scope)
    if paths and all(_is_schedule(path, calls.names.stars) for path in paths):
        name = paths[0].removesuffix(".from_config").rpartition(".")[2]
        return "LearningRateSchedule" if name == "deserialize" else name
    if not paths and isinstance(named, ast.Name):
        return _own_schedule(calls, named, scope)
    return None


def _own_schedule(
    calls: ScriptCalls, name: ast.Name, scope: Scope, depth: int = 0
) -> str | None:
    """Return the name of a class of the script that extends Keras's schedule."""
    named = scope.class_named(name)
    if named is None or depth > _DEEPEST:
        return None
    kind, holder = named
    for base in kind.bases:
        paths = calls.paths(base, holder)
        if any(_is_schedule(path, calls.names.stars) for path in paths):
            return kind.name
        if isinstance(base, ast.Name) and _own_schedule(calls, base, holder, depth + 1):
            return kind.name
    return None


def _is_schedule(path: str, stars: Sequence[str]) -> bool:
    """Return whether a dotted path names a schedule of Keras.

    >>> _is_schedule("keras.optimizers.schedules.CosineDecay", [])
    True
    >>> _is_schedule("?.CosineDecay", ["tensorflow.keras.optimizers.schedules"])
    True
    """
    if path.startswith("?."):
        name = path.removeprefix("?.")
        return name in _SCHEDULES and any(_holds_schedules(star) for star in stars)
    experimental = "keras.experimental." in path and "Decay" in path
    of_keras = path.partition(".")[0] in KERAS_PACKAGES and ".schedules." in path
    return of_keras or experimental


def _holds_schedules(module: str) -> bool:
    is_keras = module.partition(".")[0] in KERAS_PACKAGES
    return is_keras and module.endswith(".schedules")
