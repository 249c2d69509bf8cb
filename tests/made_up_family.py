"""A family of rules as other frameworks really have them, and nothing like Keras.

Its stop reads the weighted sum of two series, counts evaluations and not epochs, moves
its best on every improvement, resets its counter only beyond a relative threshold, and
asks for the stop when the counter exceeds the patience. Its plateau rule counts its
cooldown after the check. Its trainer lets no training end before some epochs, and
remembers that it was asked.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from cbreplay.errors import SemanticsError
from cbreplay.monitor import round_float32
from cbreplay.rules.base import Callback
from cbreplay.rules.checks import Finding, RuleChecks
from cbreplay.rules.decisions import BestSeen, Decision
from cbreplay.rules.families import register_family, unregister_family
from cbreplay.rules.family import Family, ResolvedSemantics
from cbreplay.rules.registry import RuleRow
from cbreplay.rules.words import RuleWords

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cbreplay.rules.checks import CheckedList, ListCheck
    from cbreplay.rules.decisions import Observation
    from cbreplay.rules.training import Training
    from cbreplay.rules.words import Course, Moment
    from cbreplay.run import Mode
    from cbreplay.run_metadata import RunMetadata


class Waiting(NamedTuple):
    """What the stop carries from epoch to epoch."""

    best: float | None = None
    best_epoch: int | None = None
    bad: int = 0
    evaluations: int = 0


@dataclass(frozen=True, slots=True)
class WeightedStop(Callback):
    """Stop when the weighted sum of two series stands still for too long."""

    patience: int = 1
    monitor: str = "val_box"
    other: str = "val_mask"
    weight: float = 0.5
    threshold: float = 0.1

    stops_early: ClassVar[bool] = True
    sets_objective: ClassVar[bool] = True

    @property
    def reads(self) -> Mapping[str, str]:
        return {self.monitor: "monitor", self.other: "other"}

    def resolve_mode(self, training: Training) -> Mode:  # noqa: ARG002
        return "min"

    def begin(self, training: Training) -> Waiting:  # noqa: ARG002
        return Waiting()

    def step(self, state: Waiting, seen: Observation) -> tuple[Waiting, Decision]:
        values = seen.logs.get(self.monitor), seen.logs.get(self.other)
        if values[0] is None or values[1] is None:
            # no evaluation in this epoch
            return state, Decision()
        value = self.weight * values[0] + (1 - self.weight) * values[1]
        best, best_epoch, bad, evaluations = state
        improved = best is None or value < best
        beyond = best is None or value < best * (1 - self.threshold)
        if improved:
            best, best_epoch = value, seen.epoch
        bad = 0 if beyond else bad + 1
        after = Waiting(best, best_epoch, bad, evaluations + 1)
        return after, Decision(improved=improved, stop=bad > self.patience)

    def best_of(self, state: Waiting) -> BestSeen:
        return BestSeen(state.best_epoch, state.best)

    def shown(self, state: Waiting) -> Mapping[str, Any]:
        return {"best": state.best, "bad": state.bad}


class Cooling(NamedTuple):
    """What the plateau rule carries from epoch to epoch."""

    best: float | None = None
    bad: int = 0
    cooldown: int = 0


@dataclass(frozen=True, slots=True)
class CoolPlateau(Callback):
    """Reduce the rate on a plateau; its cooldown counts down after the check."""

    monitor: str = "val_box"
    factor: float = 0.5
    patience: int = 1
    cooldown: int = 1

    changes_learning_rate: ClassVar[bool] = True

    @property
    def reduction(self) -> float:
        return self.factor

    def resolve_mode(self, training: Training) -> Mode:  # noqa: ARG002
        return "min"

    def begin(self, training: Training) -> Cooling:  # noqa: ARG002
        return Cooling()

    def step(self, state: Cooling, seen: Observation) -> tuple[Cooling, Decision]:
        value = seen.logs.get(self.monitor)
        if value is None:
            return state, Decision()
        best, bad, cooldown = state
        improved = best is None or value < best
        bad = 0 if improved else bad + 1
        if cooldown > 0:
            bad, cooldown = 0, cooldown - 1
        best = value if improved else best
        if bad <= self.patience:
            return Cooling(best, bad, cooldown), Decision(improved=improved)
        rate = seen.learning_rate
        new = None if rate is None else round_float32(rate * self.factor)
        reduced = Decision(improved=improved, reduced=True, learning_rate=new)
        return Cooling(best, 0, self.cooldown), reduced

    def shown(self, state: Cooling) -> Mapping[str, Any]:
        return state._asdict()


def tell_evaluation(moment: Moment) -> str:
    if moment.decision.improved is None:
        return "no evaluation"
    done, bad = moment.after.evaluations, moment.after.bad
    told = f"evaluation {done}: {bad} bad of {moment.callback.patience}"
    return f"{told}, asks for the stop" if moment.decision.stop else told


def tell_unstopped(course: Course) -> str:
    bad = course.rows[-1].after.bad
    return f"{course.name} ended with {bad} bad evaluations"


WORDS = RuleWords(tell_evaluation, tell_unstopped)


def find_no_weight(known: CheckedList, callback: WeightedStop) -> Iterator[Finding]:
    if callback.weight == 1:
        message = f"{callback.other} has no weight"
        yield known.finding("no-weight", message, "1 - weight is 0", "weight=0.5")


CHECKS = RuleChecks((find_no_weight,))


def find_two_stops(known: CheckedList) -> Iterator[Finding]:
    stops = [i for i, rule in enumerate(known.callbacks) if rule.stops_early]
    if len(stops) > 1:
        yield Finding("two-stops", stops[1], "two stops", "the first wins", "one stop")


class Version(NamedTuple):
    name: str
    row: str = "madeup-2"
    learning_rate_key: str = "lr-group0"


class MadeUpFamily(Family):
    """Its trainer trains ``trainer.min_epochs`` of ``run.json`` at least."""

    name = "madeup"
    title = "MadeUp"
    prefixes = ("madeup.callbacks",)
    bystanders = ("Printer",)

    @property
    def list_checks(self) -> tuple[ListCheck, ...]:
        return (find_two_stops,)

    def owns_version(self, name: str) -> bool:
        return name.startswith("madeup-")

    def recorded_version(self, metadata: RunMetadata) -> str | None:
        named = metadata.raw.get("madeup")
        return None if named is None else f"madeup-{named}"

    def spoken_version(self, name: str) -> str:
        return name.replace("madeup-", "MadeUp ")

    def resolve(
        self, name: str | None, *, metadata: RunMetadata | None = None
    ) -> ResolvedSemantics:
        recorded = None if metadata is None else self.recorded_version(metadata)
        version = name or recorded or "madeup-2"
        if not self.owns_version(version):
            sentence = f"{version!r} is no MadeUp version"
            raise SemanticsError(sentence)
        return ResolvedSemantics(Version(version), (), self)

    def begin_trainer(self, training: Training) -> tuple[int, tuple[int, ...]]:
        raw = {} if training.metadata is None else training.metadata.raw
        return raw.get("trainer", {}).get("min_epochs", 0), ()

    def end_epoch(
        self, trainer: tuple[int, tuple[int, ...]], epoch: int, asked: tuple[int, ...]
    ) -> tuple[Any, tuple[int, ...], str]:
        least, before = trainer
        wanted = before or asked
        if epoch + 1 >= least:
            return (least, wanted), wanted, ""
        return (least, wanted), (), f"the trainer goes on to {least} epochs"

    def write_code(
        self,
        callbacks: Iterable[Callback],
        version: str,  # noqa: ARG002
    ) -> str:
        calls = ", ".join(f"madeup.callbacks.{rule.code}" for rule in callbacks)
        return f"trainer = madeup.Trainer(callbacks=[{calls}])\n"


ROWS = (
    RuleRow(
        "WeightedStop",
        __name__,
        "madeup",
        words=f"{__name__}:WORDS",
        checks=f"{__name__}:CHECKS",
    ),
    RuleRow("CoolPlateau", __name__, "madeup"),
)


@contextlib.contextmanager
def made_up_family() -> Iterator[MadeUpFamily]:
    """Make the family known, for as long as a test needs it."""
    family = MadeUpFamily()
    register_family(family, ROWS)
    try:
        yield family
    finally:
        unregister_family(family.name)
