"""Whether each row by which `explain_replay` explains a log is one of its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay import CbreplayError, explain_replay, replay_run
from cbreplay.replay.resume import resumed_as
from tests.oracles.logs_of_tools import WRITERS
from tests.oracles.true_claims import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay import Run
    from cbreplay.replay.resume import Resume
    from tests.oracles.true_cases import Case

__all__ = ["faults_of_rows"]

# of a log that has none; that of the trainings is drawn near it
_RATE = 0.01
# where the value stands in a row
_VALUE = 3
_CUT = "may be cut in its last number"


class _Rows(NamedTuple):
    """What is said of each epoch up to the end of the evidence, and that end."""

    said: list[tuple[Any, ...]]
    ends: int | None


def faults_of_rows(case: Case, runs: Sequence[Run]) -> Iterator[str]:
    """Yield a row of an explanation that is true of no training which a log shows.

    Of values that are rounded, or that there are several of, a note says how the rows
    are meant; a log that begins late tells of callbacks that were new there.
    """
    names, digits = WRITERS[case.writer].names, WRITERS[case.writer].digits
    begins = {truth.first_epoch for truth in case.truths}
    for run in runs:
        if run.first_epoch not in begins or any(_CUT in note for note in run.notes):
            continue
        if run.axis_unit != "epochs" and run.recorded_epochs == 1:
            # evaluations are numbered by their distances
            continue
        resumes: list[Resume] = ["fresh"]
        resumes += ["carried", "interrupted"] if run.seams else []
        for name in sorted({name for fit in case.fits for name in fit.names}):
            logged = names.get(name, name)
            if not run.holds(logged) or run.rounded_to or run.series[logged].others:
                continue
            truths = [truth for truth in case.truths if truth.holds(name)]
            for resume in resumes:
                yield from _faults(
                    resumed_as(run, resume),
                    logged,
                    [resumed_as(truth, resume) for truth in truths],
                    name,
                    digits,
                )


def _faults(
    run: Run, logged: str, truths: Sequence[Run], name: str, digits: int
) -> Iterator[str]:
    for mode in ("min", "max"):
        pairs = zip(settings_of(logged, mode), settings_of(name, mode), strict=True)
        for listed, of_truth in pairs:
            told = _rows_of(run, listed, digits)
            known = [_rows_of(truth, of_truth, digits) for truth in truths]
            tried = [rows for rows in known if rows is not None]
            if told is None or not tried:
                continue
            if not any(_is_told(told, rows, run.first_epoch) for rows in tried):
                yield f"{run.name} {listed}: {told}, true {tried}; {run.notes}"
                return


def _is_told(told: _Rows, true: _Rows, begins: int) -> bool:
    """Tell whether the rows said are those of a training, up to the last value."""
    last = max((row[0] for row in told.said if row[_VALUE] is not None), default=-1)
    ends = last + 1 if true.ends is None else min(true.ends, last + 1)
    said, known = (
        [row for row in rows if begins <= row[0] < ends]
        for rows in (told.said, true.said)
    )
    return said == known


def _rows_of(run: Run, listed: list[Any], digits: int) -> _Rows | None:
    """Return epoch, callback, value, decision, best and wait of each row."""
    rate = _RATE if run.learning_rate is None else None
    try:
        replay = replay_run(
            run, listed, semantics="keras-3.15", initial_learning_rate=rate
        )
    except CbreplayError:
        return None
    said = []
    for row in explain_replay(replay).rows:
        if row.hypothetical:
            continue
        after = replay.callbacks[row.callback].shown(row.after)
        held = [after.get(key) for key in ("best", "best_epoch", "wait")]
        numbers = [
            f"{number:.{digits}g}" if isinstance(number, float) else number
            for number in (row.value, *held)
        ]
        said.append((row.epoch, row.callback, row.decision, *numbers))
    return _Rows(said, replay.end_of_evidence)
