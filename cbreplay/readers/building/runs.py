"""From the rows of one training to its `Run`: series, plan, times, and notes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.arguments import shown_value
from cbreplay.by_key import by_key
from cbreplay.errors import ConfigError, LogError
from cbreplay.evidence.cadence import stand_further_apart
from cbreplay.readers.base import MOST_PLANNED
from cbreplay.readers.building.rate_columns import take_rate
from cbreplay.readers.building.telling_columns import leave_out_settings
from cbreplay.run import Run, Series
from cbreplay.wording.note import Note
from cbreplay.wording.plain_text import well_formed
from cbreplay.wording.words import count, list_first, spoken_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from cbreplay.readers.base import LogFacts, ReadOptions
    from cbreplay.readers.building.rate_columns import LoggedRate
    from cbreplay.readers.building.training_rows import TrainingRows
    from cbreplay.run import EpochArray, FloatArray
    from cbreplay.run_metadata import RunMetadata

__all__ = ["build_run", "note_lost_rows", "with_plan", "with_possible_seams"]


def build_run(
    record: TrainingRows,
    facts: LogFacts,
    options: ReadOptions,
    metadata: RunMetadata | None = None,
    *,
    take_rate: Callable[[TrainingRows], LoggedRate] = take_rate,
) -> Run:
    """Make a run of a record whose columns are metrics only.

    It is called by its source until it gets a better name. `take_rate` removes the
    learning rate from the columns of a training, and returns it.

    Raises
    ------
    LogError
        If it holds no metric.
    """
    settings, rate = leave_out_settings(record), take_rate(record)
    series = _joined_series(record, facts.source)
    if facts.written_again:
        for position in sorted({at for own in series.values() for at in own.others}):
            record.may_begin_at(record.first_epoch + position)
    planned, plan_notes = _plan(record, options, metadata, facts.planned_epochs)
    seconds = _epoch_seconds(record)
    return Run(
        **_told_by_rows(record, facts, series, rate, metadata),
        epoch_seconds=seconds,
        wall_seconds=_wall_seconds(seconds, metadata),
        started=_started(record, metadata),
        planned_epochs=planned,
        replaced=_replaced(record, facts, metadata, take_rate),
        # of a fit that steps back, the epochs before it are those of the one before
        begins_at=None if record.resumes else facts.begins_at,
        empty_cells=frozenset(facts.empty_cells & series.keys()),
        written_again=facts.written_again,
        n_dropped=facts.n_dropped,
        left_out=facts.left_out | settings,
        counts_from=facts.counts_from,
        resumes=record.resumes,
        framework=facts.framework,
        notes=(
            *facts.notes,
            *_notes_of(record, series, metadata),
            *plan_notes,
            *_late_notes(record, facts, metadata),
            *rate.notes,
        ),
    )


def _replaced(
    record: TrainingRows,
    facts: LogFacts,
    metadata: RunMetadata | None,
    take_rate: Callable[[TrainingRows], LoggedRate],
) -> tuple[tuple[int, Run | None], ...]:
    """Return the fits whose last rows a resumed fit wrote again, as `Run` has them."""

    def earlier(fit: TrainingRows) -> Run:
        rate = take_rate(fit)
        series = _series_of(fit, facts.source)
        told = _told_by_rows(fit, facts, series, rate, metadata)
        return Run(**told, notes=rate.notes)

    return tuple((seam, earlier(own) if own else None) for seam, own in record.replaced)


def _told_by_rows(
    fit: TrainingRows,
    facts: LogFacts,
    series: dict[str, Series],
    rate: LoggedRate,
    metadata: RunMetadata | None,
) -> dict[str, Any]:
    """Return what rows tell of their run: a training's, or an earlier fit's in one."""
    return {
        "name": facts.source,
        "source": facts.source,
        "metadata": metadata,
        "first_epoch": fit.first_epoch,
        "series": series,
        "learning_rate": rate.rate,
        "learning_rate_rounding": rate.rounding,
        "rate_source": rate.source,
        "seams": tuple(sorted(fit.seams)),
        "possible_seams": frozenset(fit.possible),
        "axis_unit": facts.axis_unit,
        "not_logged": frozenset(facts.not_logged & series.keys()),
    }


def _joined_series(record: TrainingRows, source: str) -> dict[str, Series]:
    """Return the series, those of one metric joined, which the record notes."""
    series = _series_of(record, source)
    if not any(name[-1:].isdigit() for name in series):
        return series
    from cbreplay.readers.columns.numbered_names import join_numbered

    series, begins, renamed = join_numbered(series)
    for position in begins:
        record.confirm_seam(record.first_epoch + position)
    record.notes[:0] = renamed
    return series


def _series_of(record: TrainingRows, source: str) -> dict[str, Series]:
    if not record.rows.columns:
        problem = "it holds no metric, only a learning rate"
        raise LogError(problem, source=source, hint="Log at least the loss")
    columns = record.rows.columns.items()
    return {well_formed(name): record.series(column) for name, column in columns}


def _notes_of(
    record: TrainingRows, series: Mapping[str, Series], metadata: RunMetadata | None
) -> list[str]:
    """Say what is odd about the rows of one training."""
    seams = [note for _, note in sorted(record.seams.items())]
    notes = [*record.notes, *_missing_notes(record, series), *seams]
    notes += _carried_notes(series, metadata)
    return [*notes, *(metadata.notes if metadata is not None else ())]


def _carried_notes(
    series: Mapping[str, Series], metadata: RunMetadata | None
) -> list[str]:
    """Note series that change only every few epochs, at a regular distance.

    Some loops evaluate every few epochs and repeat the last value in between. Keras
    never does so with its own metrics, which a run.json names.
    """
    keras_own = metadata.metrics if metadata is not None else {}
    found: dict[int, list[str]] = {}
    moving = False
    for name, own in series.items():
        changes = own.values[1:] != own.values[:-1]
        n_changes = int(np.count_nonzero(changes))
        # a value that changes so often is not repeated in between
        often = 2 * n_changes > own.values.size
        if n_changes < _FEW_CHANGES or (often and moving) or not own.recorded.all():
            continue
        if often:
            moving = True
            continue
        if name.removeprefix("val_") in keras_own or name in _NUMBERS:
            continue
        changed = np.flatnonzero(changes) + 1
        distances = np.diff(changed)
        every = int(distances[0])
        if every > 1 and (distances == every).all() and changed[0] <= every:
            found.setdefault(every, []).append(name)
    if not moving:
        return []
    return [
        f"{', '.join(names)}: a new value only every {every} epochs, as if the last "
        "one were written again in between; a callback that saw the new ones alone "
        "counts differently"
        for every, names in found.items()
    ]


_FEW_CHANGES = 3
# what Lightning and Hugging Face log the epoch as, where evaluations are counted
_NUMBERS = ("epoch", "train/epoch")


def _late_notes(
    record: TrainingRows, facts: LogFacts, metadata: RunMetadata | None
) -> list[str]:
    """Say how the epochs of a log that begins late were counted."""
    first = record.first_epoch
    if facts.counts_from:
        return []
    if metadata is not None:
        return _notes_of_begin(first, metadata)
    if first == 0:
        return []
    note = f"its first epoch in the log is {first}, taken as counted from 0"
    note += f": {count(first, 'epoch')} came before it, and answers hold for callbacks "
    return [Note(f"{note}that were new there", "epochs")]


def _notes_of_begin(first: int, metadata: RunMetadata) -> list[str]:
    """Say that a recorded fit went on from a model that was trained before."""
    if metadata.earlier_fits:
        return []
    more = "what was trained before it is not in this log"
    if first and metadata.fit.initial_epoch == first:
        return [f"its fit began at epoch {first + 1} (counted from 1): {more}"]
    if metadata.steps_taken:
        steps = count(metadata.steps_taken, "step")
        return [f"its model had been trained for {steps} when its fit began: {more}"]
    return []


def _missing_notes(record: TrainingRows, series: Mapping[str, Series]) -> list[str]:
    epochs = record.rows.epochs
    notes = note_lost_rows(epochs)
    n_values = {name: np.count_nonzero(own.recorded) for name, own in series.items()}
    for n_missing, names in by_key(
        series, lambda name: int(len(epochs) - n_values[name]) or None
    ).items():
        said = f"{', '.join(names)}: no value in {n_missing} of {len(epochs)} rows"
        notes.append(Note(said, "missing"))
    for stands, sentence in (
        (True, "several values in {}; the last of each stands"),
        (False, "a row of {} has a value and another has none: neither is taken"),
    ):
        several = {
            name: tuple(at for at in sorted(own.others) if own.recorded[at] == stands)
            for name, own in series.items()
            if own.others
        }
        for positions, names in by_key(several, several.get).items():
            if positions:
                said = sentence.format(_epochs_at(record, positions))
                notes.append(Note(f"{', '.join(names)}: {said}", "values"))
    return [*notes, *_notes_of_nan(record, series)]


def note_lost_rows(epochs: EpochArray) -> list[str]:
    """Note which epochs have no row, of those from the first to the last."""
    span = int(epochs[-1] - epochs[0]) + 1
    n_absent = span - len(epochs)
    if not n_absent:
        return []
    absent = f"no row for {n_absent} of {span} epochs: {_gaps(epochs)} (counted from 1)"
    growing = _GROWING if stand_further_apart(epochs) else ""
    return [Note(f"{absent}{growing}", "lost rows")]


def _notes_of_nan(record: TrainingRows, series: Mapping[str, Series]) -> Iterator[str]:
    """Note rows in which everything is NaN, with numbers after them.

    Weights that a NaN has reached stay NaN: rows that were lost may be filled so.
    """
    if len(series) <= 1:
        return
    held = [*series.values()]
    if not all(np.isnan(own.values).any() for own in held):
        return
    nan = np.logical_and.reduce([own.recorded & np.isnan(own.values) for own in held])
    if not nan.any():
        return
    finite = np.flatnonzero(
        np.logical_or.reduce([np.isfinite(own.values) for own in held])
    )
    between = [at for at in np.flatnonzero(nan).tolist() if at < finite.max(initial=-1)]
    if between:
        yield (
            f"all series are NaN in {_epochs_at(record, between)}, and numbers "
            "follow: a fit hardly comes back from NaN, so these rows may have been lost"
        )


_GROWING = (
    "; they stand further and further apart, as rows that were logged so: if none is "
    "lost, --parts rows or parts='rows' counts the rows, and patience counts them"
)


def _epochs_at(record: TrainingRows, positions: Sequence[int]) -> str:
    listed = list_first(
        [str(record.first_epoch + at + 1) for at in positions[:_MORE]], _SHOWN
    )
    return f"{count(len(positions), 'epoch')}, {listed} (counted from 1)"


def _gaps(epochs: EpochArray) -> str:
    """Write the epochs between those that there are, from 1, shortly: ``3-5, 9``."""
    before = np.flatnonzero(np.diff(epochs) > 1)
    gaps = [
        spoken_range(int(epochs[i]) + 2, int(epochs[i + 1])) for i in before[:_MORE]
    ]
    return list_first(gaps, _SHOWN)


# so many are listed; one more shows that there are others
_SHOWN, _MORE = 5, 6


def _plan(
    record: TrainingRows,
    options: ReadOptions,
    metadata: RunMetadata | None,
    logged: int | None,
) -> tuple[int | None, list[str]]:
    """Choose the planned epochs: what the user says, else what the log says."""
    if logged is None and metadata is not None:
        logged = metadata.fit.epochs
    given = options.planned_epochs
    notes = []
    if given is not None and given > MOST_PLANNED:
        sentence = f"planned_epochs is {shown_value(given)}, which no training has"
        raise ConfigError(sentence)
    planned = logged if given is None else given
    if given is not None and logged not in (None, given):
        notes.append(f"planned epochs: {given} as given, not {logged} as recorded")
    if planned is not None and record.horizon >= planned:
        reached = record.horizon + 1
        if given is not None:
            sentence = (
                f"the log holds {reached} epochs, more than the {given} planned. "
                "Correct --planned-epochs or planned_epochs=."
            )
            raise ConfigError(sentence)
        notes.append(f"the log holds {reached} epochs, more than the {planned} planned")
    return planned, notes


def with_plan(run: Run, epochs: int) -> Run:
    """Return a run with a plan from elsewhere, if its log has none and is no longer."""
    fits = run.planned_epochs is None and run.horizon < epochs <= MOST_PLANNED
    return replace(run, planned_epochs=epochs) if fits else run


def with_possible_seams(run: Run, begun: Iterable[int]) -> Run:
    """Return a run whose fits may have begun so, if its log tells nothing of fits."""
    seams = [epoch for epoch in begun if run.first_epoch < epoch <= run.horizon]
    if run.metadata is not None or run.seams or not seams:
        return run
    return replace(run, seams=tuple(seams), possible_seams=frozenset(seams))


def _epoch_seconds(record: TrainingRows) -> Series | None:
    """Return the time between the ends of neighbouring epochs of one fit."""
    epochs, times = record.rows.epochs, record.rows.wall_times
    if not len(times):
        return None
    # a pause between two fits, or a clock set back, is no epoch's time
    with np.errstate(over="ignore", invalid="ignore"):
        took = times[1:] - times[:-1]
    counts = (epochs[1:] - epochs[:-1] == 1) & (took >= 0)
    for seam in record.seams:
        counts &= epochs[1:] != seam
    values, recorded = np.full(len(times), np.nan), np.zeros(len(times), dtype=np.bool_)
    np.copyto(values[1:], took, where=counts)
    recorded[1:] = counts
    return record.series(Series(values, recorded))


def _wall_seconds(seconds: Series | None, metadata: RunMetadata | None) -> float | None:
    """Return the total of ``run.json``, else that of the epochs with a known time."""
    if metadata is not None and metadata.wall_seconds is not None:
        return metadata.wall_seconds
    if seconds is None or not seconds.recorded.any():
        return None
    known: FloatArray = seconds.values[seconds.recorded]
    return float(known.sum())


def _started(record: TrainingRows, metadata: RunMetadata | None) -> float | None:
    """Return when ``run.json`` says it began, else when its first row was written."""
    stated = metadata.started if metadata is not None else None
    if stated is not None or not len(record.rows.wall_times):
        return stated
    first = float(record.rows.wall_times[0])
    return first if math.isfinite(first) else None
