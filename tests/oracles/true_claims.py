"""Whether what is said of a log is true of the training that it was written of."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay import (
    CbreplayError,
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    build_staircase,
    recommend_config,
    replay_run,
    sweep_runs,
)
from cbreplay.evidence.holes import find_gap
from cbreplay.loading import load_runs
from cbreplay.replay.resume import resumed_as
from cbreplay.sweep.table import EVIDENCE
from tests.oracles.logs_of_tools import WRITERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cbreplay import Replay, Run
    from cbreplay.replay.resume import Resume
    from tests.oracles.true_cases import Case

__all__ = ["Claim", "faults_of", "faults_of_flawless", "read_case", "settings_of"]

_SEMANTICS = "keras-3.15"
# a note that doubts the last digits of a number, and no decision
_DIGITS = "may be cut in its last number"
# an event file may hold the rate of a row before or after its reduction
_BOTH = "both readings are kept"
_ALL_DIGITS = 17
# words of notes on values that are in no run
_LEFT_OUT = ("left out", "dropped", "cut", "replaced", "not read")


class Claim(NamedTuple):
    """What a replay says of one list; of the best and the kept, perhaps nothing."""

    evidence: str
    stopped_epoch: int | None
    kept_epoch: int | None
    reductions: tuple[tuple[int, int], ...]
    saves: tuple[tuple[int, str, int], ...]
    files: tuple[tuple[str, int], ...]
    best_epoch: int | None
    best: str
    kept_value: str

    def is_told_by(self, true: Claim) -> bool:
        """Tell whether all that is said is true."""
        unsaid = (self.best_epoch, self.best) == (None, "")
        return (
            self[:6] == true[:6]
            and (unsaid or self[6:8] == true[6:8])
            and self.kept_value in ("", true.kept_value)
        )

    def since(self, epoch: int) -> Claim:
        """Return the claim without the files of epochs before one.

        A log that begins later, as with the row of every k-th epoch, tells of callbacks
        that were new there.
        """
        return self._replace(
            saves=tuple(save for save in self.saves if save[0] >= epoch),
            files=tuple(file for file in self.files if file[1] >= epoch),
        )

    def with_digits_of(self, true: Claim) -> Claim:
        """Return the claim with the numbers that a true one's begin with."""
        return self._replace(
            best=true.best if true.best.startswith(self.best) else self.best,
            kept_value=true.kept_value
            if true.kept_value.startswith(self.kept_value)
            else self.kept_value,
        )


def read_case(case: Case, root: Path) -> list[Run]:
    """Write the files of a case below a directory, and read that, or what they hold.

    Raises
    ------
    CbreplayError
        If it is refused.
    """
    for path, content in case.files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    writer = WRITERS[case.writer]
    if writer.hold is not None:
        return load_runs(*map(writer.hold, case.files.values()))
    return load_runs(root, x_axis=writer.x_axis)


def faults_of(case: Case, runs: Sequence[Run]) -> Iterator[str]:
    """Yield, in words, what is said of a log and is true of no training it shows."""
    yield from _counted_twice(case, runs)
    yield from _values_without_a_run(case, runs)
    for run in runs:
        yield from _values_of_no_training(case, run)
    resumes: list[Resume] = ["fresh"]
    if any(run.seams for run in runs):
        resumes += ["carried", "interrupted"]
    for name in sorted({name for fit in case.fits for name in fit.names}):
        for mode in ("min", "max"):
            for resume in resumes:
                truth = _Truth(case, name, mode, resume)
                for read in runs:
                    if read.holds(truth.logged):
                        yield from truth.all_false(resumed_as(read, resume))


def faults_of_flawless(case: Case, runs: Sequence[Run]) -> Iterator[str]:
    """Yield what is less than exact about a log to which nothing happened."""
    if len(runs) != 1:
        yield f"{len(runs)} runs: {[run.notes for run in runs]}"
        return
    (run,) = runs
    for name in case.fits[0].names:
        truth = _Truth(case, name, "min")
        for listed, true in zip(truth.lists, truth.claims, strict=True):
            said = _ask(run, listed, truth.digits)
            if run.rounded_to and said and _leaves_open(said, true):
                continue
            if said and said.evidence == "diverged" and _BOTH in " ".join(run.notes):
                continue
            if said not in true:
                yield f"{listed} on {run.notes}: said {said}, true {true}"
                return


def _leaves_open(said: Claim, true: Sequence[Claim | None]) -> bool:
    """Tell whether a log of rounded values leaves an answer open, or a part of it."""
    told = any(own is not None and said.is_told_by(own) for own in true)
    return told or said.evidence == "incomplete"


def settings_of(name: str, mode: str) -> Iterator[list[Any]]:
    """Yield the lists that every log is asked about."""
    watched: dict[str, Any] = {"monitor": name, "mode": mode}
    for patience in (0, 1, 2, 4, 7):
        for restores in (False, True):
            own = watched | {"patience": patience, "restore_best_weights": restores}
            yield [EarlyStopping(**own)]
    yield [EarlyStopping(**watched, patience=2, min_delta=0.1)]
    yield [EarlyStopping(**watched, patience=2, baseline=0.45)]
    yield [EarlyStopping(**watched, patience=1, start_from_epoch=3)]
    plateau = ReduceLROnPlateau(**watched, patience=1, factor=0.5, min_delta=0)
    yield [EarlyStopping(**watched, patience=2, restore_best_weights=True), plateau]
    saver = ModelCheckpoint("best.keras", **watched, save_best_only=True)
    each = ModelCheckpoint("{epoch:02d}.keras", **watched)
    yield [EarlyStopping(**watched, patience=2), saver, each]
    slow = ReduceLROnPlateau(**watched, patience=3, factor=0.1, cooldown=1)
    yield [EarlyStopping(**watched, patience=4), slow]


class _Truth:
    """What is true of one metric of a case: for each list, of each training shown."""

    def __init__(
        self, case: Case, name: str, mode: str, resume: Resume = "fresh"
    ) -> None:
        writer = WRITERS[case.writer]
        self.logged = writer.names.get(name, name)
        self.digits, self.mode, self.name = writer.digits, mode, name
        self.resume = resume
        self.lists = [*settings_of(self.logged, mode)]
        self.held = [resumed_as(run, resume) for run in case.truths if run.holds(name)]
        asked = settings_of(name, mode)
        self.claims = [self._of_each(listed) for listed in asked]

    def _of_each(self, listed: list[Any]) -> list[Claim | None]:
        return [_ask(run, listed, self.digits) for run in self.held]

    def all_false(self, run: Run) -> Iterator[str]:
        """Yield what is called exact and is false, of each way to ask the first."""
        yield from self.false_replays(run)
        yield from self.false_cells(run)
        yield from self.false_steps(run)
        if self.resume == "fresh" and self.mode == "min":
            yield from self.false_advice(run)

    def false_replays(self, run: Run) -> Iterator[str]:
        """Yield the first exact replay that is false."""
        for listed, true in zip(self.lists, self.claims, strict=True):
            said = _ask(run, listed, self.digits)
            if said is None or said.evidence != "exact":
                continue
            known = [own.since(run.first_epoch) for own in true if own is not None]
            told = [said] * len(known)
            if any(_DIGITS in note for note in run.notes):
                told = [said.with_digits_of(own) for own in known]
            if not any(map(Claim.is_told_by, told, known)):
                yield f"{run.name} {listed}: {said}, true {true}; {run.notes}"
                return

    def false_cells(self, run: Run) -> Iterator[str]:
        """Yield the first exact cell of a sweep that is false."""
        try:
            sweep = sweep_runs([run], self.lists, semantics=_SEMANTICS)
        except CbreplayError:
            # a list that changes the rate asks for the first one
            return
        told = zip(
            sweep.evidence[0].tolist(),
            sweep.cells.stopped_epoch[0].tolist(),
            sweep.cells.kept_epoch[0].tolist(),
            strict=True,
        )
        for at, (evidence, *said) in enumerate(told):
            true = [own[1:3] for own in self.claims[at] if own is not None]
            if EVIDENCE[evidence] == "exact" and tuple(said) not in true:
                yield f"{run.name} {self.lists[at]}: {said}, true {true}; {run.notes}"
                return

    def false_steps(self, run: Run) -> Iterator[str]:
        """Yield the first exact step of the staircase that is false."""
        try:
            staircase = build_staircase(
                run, monitor=self.logged, mode=self.mode, semantics=_SEMANTICS
            )
        except CbreplayError:
            return
        for step in staircase.steps:
            if step.evidence != "exact" or step.first_stopped_epoch is None:
                continue
            rule = EarlyStopping(
                monitor=self.name,
                mode=self.mode,
                patience=step.first_patience,
                restore_best_weights=True,
            )
            true = self._of_each([rule])
            said = (step.first_stopped_epoch, step.kept_epoch)
            if said not in [one[1:3] for one in true if one is not None]:
                yield f"{run.name} {step}: true {true}; {run.notes}"
                return

    def false_advice(self, run: Run) -> Iterator[str]:
        """Yield a patience that is said to be enough, and from which on one is not."""
        tried = self._tried(self.logged)
        try:
            sweep = sweep_runs([run], [[rule] for rule in tried], semantics=_SEMANTICS)
            groups = recommend_config(sweep, tolerance=0.0).groups
        except CbreplayError:
            return
        for group in groups:
            enough = group.sufficient_patience
            if enough is None:
                continue
            lost = [self._lost_from(enough, true) for true in self.held]
            if all(lost):
                yield f"{run.name}: {enough} is enough; true {lost}; {run.notes}"

    def _tried(self, monitor: str) -> list[EarlyStopping]:
        return [
            EarlyStopping(
                monitor=monitor,
                mode=self.mode,
                patience=patience,
                restore_best_weights=True,
            )
            for patience in range(1, 9)
        ]

    def _lost_from(self, enough: int, true: Run) -> list[tuple[float, float]]:
        """Return what each patience from one on lost on a training, where any did."""
        lost = []
        for rule in self._tried(self.name):
            replay = replay_run(true, [rule], semantics=_SEMANTICS)
            regret = replay.outcome.regret
            if rule.patience >= enough and replay.evidence == "exact" and regret:
                lost.append((rule.patience, regret))
        return lost


def _ask(run: Run, listed: list[Any], digits: int) -> Claim | None:
    """Return what is said of a list; None where that is refused."""
    try:
        replay = replay_run(run, listed, semantics=_SEMANTICS)
    except CbreplayError:
        return None
    return _claim_of(replay, digits)


def _claim_of(replay: Replay, digits: int) -> Claim:
    return Claim(
        replay.evidence,
        replay.stopped_epoch,
        replay.kept_epoch,
        tuple((own.epoch, own.callback) for own in replay.reductions),
        replay.saves,
        tuple(replay.files.items()),
        replay.best_epoch,
        _text(replay.best, digits),
        _text(replay.outcome.kept_value, digits),
    )


def _text(value: float | None, digits: int) -> str:
    if value is None:
        return ""
    return repr(value) if digits == _ALL_DIGITS else f"{value:.{digits}g}"


def _counted_twice(case: Case, runs: Sequence[Run]) -> Iterator[str]:
    """Yield every metric of which there are more trainings than the log shows."""
    names = WRITERS[case.writer].names
    for name in {name for fit in case.fits for name in fit.names}:
        n_held = sum(run.holds(names.get(name, name)) for run in runs)
        if n_held > case.most_runs:
            yield f"{n_held} runs hold {name}: {[run.notes for run in runs]}"


def _values_of_no_training(case: Case, run: Run) -> Iterator[str]:
    """Yield a value before the first hole that no training had in that epoch.

    Sentences, tables and pictures say in which epoch a value was.
    """
    if run.axis_unit != "epochs" and run.recorded_epochs == 1:
        # evaluations are numbered by their distances
        return
    faults = [_false_value(case, run, truth) for truth in case.truths]
    if all(faults):
        yield f"{run.name}: {faults}; {run.notes}"


def _false_value(case: Case, run: Run, truth: Run) -> str:
    """Return the first value that a run has and a training had not; "" if none is."""
    writer = WRITERS[case.writer]
    may_be_cut = any(_DIGITS in note for note in run.notes)
    for name in truth.series:
        logged = writer.names.get(name, name)
        if not run.holds(logged):
            continue
        gap = find_gap(run, logged)
        own, true = run.series[logged], truth.series[name]
        for at, value in enumerate(own.values.tolist()):
            epoch = run.first_epoch + at
            if gap is not None and epoch >= gap:
                break
            if not own.recorded[at]:
                continue
            place = epoch - truth.first_epoch
            inside = 0 <= place < len(true) and true.recorded[place]
            known = [value, *own.others.get(at, ())]
            if may_be_cut and epoch == run.horizon:
                continue
            expected = _text(float(true.values[place]), writer.digits) if inside else ""
            if expected not in [_text(each, writer.digits) for each in known]:
                return f"{name} is {value} in epoch {epoch}, true {expected}"
    return ""


def _values_without_a_run(case: Case, runs: Sequence[Run]) -> Iterator[str]:
    """Yield the logged values that no run holds, where no note leaves any out."""
    writer = WRITERS[case.writer]
    held: set[tuple[str, str]] = set()
    for run in runs:
        for own in (run, *(fit for _, fit in run.replaced if fit is not None)):
            for name, series in own.series.items():
                values = [*series.values.tolist(), *chain(*series.others.values())]
                held |= {(name, _text(value, writer.digits)) for value in values}
    logged = {
        (writer.names.get(name, name), _text(value, writer.digits))
        for row in case.rows
        for name, value in row.values.items()
        if math.isfinite(value)
    }
    told = " ".join(note for run in runs for note in run.notes)
    if logged - held and not any(word in told for word in _LEFT_OUT):
        yield f"{sorted(logged - held)[:3]} in no run; {told}"
