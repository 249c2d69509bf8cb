"""Which rate each epoch was trained at, from what a log and ``run.json`` say.

`read_rate` takes each row as its writer means it; `settle_rate` replays the recorded
list where two callbacks wrote the rate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.errors import CbreplayError
from cbreplay.run import Series
from cbreplay.wording.note import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.replay import HypotheticalReplay, Replay
    from cbreplay.run import Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["read_rate", "settle_rate"]

_LOGGER = "TensorBoard"
_ORDINARY = (
    "each row's learning rate is taken as the one its epoch was trained at "
    "(no run.json says whether a second callback rewrote it)"
)
_EITHER = (
    "the event files cannot tell whether a row holds the learning rate before or "
    "after that epoch's reduction: both readings are kept"
)
_AFTER = (
    "each row's learning rate is the one after that epoch's reduction, because "
    "TensorBoard stands behind the callback that reduces in the recorded list"
)
_FIRST = "the learning rate of the first epoch is taken from its own row"
_REPLAYED = (
    "two callbacks wrote the learning rate; replayed in the order of run.json, they "
    "write just what is recorded, and the rates are those of that replay"
)


class _ReadRate(NamedTuple):
    """A reading of the recorded rate, the other possible one, and what was assumed."""

    rate: Series
    other: Series | None = None
    notes: tuple[str, ...] = ()


def read_rate(run: Run) -> Run:
    """Return a run whose learning rate is the one that each epoch was trained at.

    What a row means depends on the callbacks of the training, and on their order.
    CSVLogger writes what the last callback left in ``logs``: the rate that the epoch
    was trained at, except in the row of a reduction if another callback after it writes
    the rate too. The TensorBoard callback of Keras 3 reads the optimizer at the end
    of the epoch: after a reduction, if it comes after the callback that reduces. A run
    whose rate was read already is returned as it is.
    """
    if run.replaced:
        replaced = tuple((seam, fit and read_rate(fit)) for seam, fit in run.replaced)
        run = replace(run, replaced=replaced)
    rate = run.learning_rate
    if rate is None:
        constant = _constant_rate(run.metadata, run.n_epochs)
        return run if constant is None else replace(run, learning_rate=constant)
    if not run.rate_source:
        return run
    if run.rate_source == "optimizer":
        reading = _read_optimizer(rate, run.metadata, run.first_epoch)
    else:
        reading = _read_logs(rate, run.metadata)
    return replace(
        run,
        learning_rate=reading.rate,
        other_learning_rate=reading.other,
        rate_source="",
        notes=(*run.notes, *(Note(note, "rate") for note in reading.notes)),
    )


def _read_logs(rate: Series, metadata: RunMetadata | None) -> _ReadRate:
    told = metadata is not None and metadata.rate_trained_at
    if told or not _changes(rate):
        return _ReadRate(rate)
    if metadata is None or not metadata.callbacks:
        return _ReadRate(rate, notes=(_ORDINARY,))
    return _ReadRate(rate, notes=_two_writers_notes(_class_lists(metadata)))


def _read_optimizer(
    rate: Series, metadata: RunMetadata | None, first_epoch: int
) -> _ReadRate:
    lists = _class_lists(metadata) if metadata is not None else []
    readings = {_row_holds(classes) for classes in lists} or {"either"}
    if readings == {"after"} and metadata is not None:
        return _shifted_by_metadata(rate, metadata, first_epoch)
    if readings == {"before"} or not _changes(rate):
        return _ReadRate(rate)
    if readings == {"both"}:
        return _ReadRate(rate, notes=_two_writers_notes(lists))
    return _ReadRate(rate, _shift(rate), (_EITHER,))


def _row_holds(classes: Sequence[str]) -> str:
    """Tell when TensorBoard read the rate: before or after a reduction, or either."""
    if _LOGGER not in classes:
        return "either"
    earlier = classes[: classes.index(_LOGGER)]
    if not all(_is_known(name) for name in earlier):
        return "either"
    if not any(_reduces(name) for name in earlier):
        return "before"
    scheduled = any(_writes_rate(name) and not _reduces(name) for name in classes)
    return "both" if scheduled else "after"


def _writes_rate(name: str) -> bool:
    """Tell whether a callback of this class changes the rate and writes it to logs."""
    from cbreplay.rules.registry import find_rule

    row = find_rule(name)
    changes: bool = row is not None and row.load().changes_learning_rate
    return changes


def _reduces(name: str) -> bool:
    """Tell whether it changes the rate at the end of an epoch, not at the beginning."""
    from cbreplay.rules.registry import rule_named

    return _writes_rate(name) and "begin" not in rule_named(name).load().acts_at


def _is_known(name: str) -> bool:
    """Tell whether it is a framework's own callback, whose effect is known."""
    from cbreplay.rules.families import stands_by
    from cbreplay.rules.registry import find_rule

    return find_rule(name) is not None or stands_by(name)


def _shifted_by_metadata(
    rate: Series, metadata: RunMetadata, first_epoch: int
) -> _ReadRate:
    """Move each rate to the epoch after it; the first comes from the optimizer."""
    initial = metadata.initial_learning_rate
    began = metadata.fit.initial_epoch - first_epoch
    shifted = _shift(rate)
    # run.json holds the rate at which its last fit began
    if initial is not None and 0 <= began < len(rate):
        shifted = _with_value(shifted, began, initial)
    known = initial is not None and began == 0
    return _ReadRate(shifted, notes=(_AFTER,) if known else (_AFTER, _FIRST))


def _shift(rate: Series) -> Series:
    """Read each row as the rate of the next epoch, and the first as its own too."""
    values = np.concatenate([rate.values[:1], rate.values[:-1]])
    recorded = np.concatenate([rate.recorded[:1], rate.recorded[:-1]])
    return Series(values, recorded)


def _with_value(rate: Series, position: int, value: float) -> Series:
    values, recorded = rate.values.copy(), rate.recorded.copy()
    values[position], recorded[position] = value, True
    return Series(values, recorded)


def _changes(rate: Series) -> bool:
    known = rate.values[rate.recorded]
    return len(known) > 1 and not bool((known == known[0]).all())


def _class_lists(metadata: RunMetadata) -> list[list[str]]:
    """Return the class names of each fit's callbacks, without fits that list none."""
    from cbreplay.rules.base import class_name

    lists = [fit.callbacks for fit in metadata.fits if fit.callbacks]
    return [[class_name(text) for text in texts] for texts in lists]


def _two_writers_notes(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    for names in lists:
        writers = [name for name in names if _writes_rate(name)]
        if len(writers) >= _TWO:
            note = (
                f"{' and '.join(writers)} both wrote the learning rate: "
                "the row of a reduction may hold the rate after it"
            )
            return (note,)
    return ()


_TWO = 2


def _constant_rate(metadata: RunMetadata | None, n_epochs: int) -> Series | None:
    """Return the optimizer's initial rate for every epoch, if nothing changed it.

    None unless ``run.json`` records the rate, no schedule, and only callbacks of
    Keras that leave it alone, in every fit.
    """
    if metadata is None or metadata.initial_learning_rate is None:
        return None
    classes = [name for names in _class_lists(metadata) for name in names]
    inert = all(_is_known(name) and not _writes_rate(name) for name in classes)
    if metadata.schedule is not None or not inert:
        return None
    if metadata.raw.get("callbacks") is None:
        return None
    values = np.full(n_epochs, metadata.initial_learning_rate, dtype=np.float32)
    return Series(values, np.ones(n_epochs, dtype=np.bool_))


def settle_rate(run: Run) -> Run:
    """Return a run with the rates that its recorded callbacks trained at.

    If a second callback writes the rate after a reduction, the row of that epoch holds
    the reduced rate, and other rows the rate that was trained at. The recorded list is
    replayed; if it would have written all rows as they are, the rates of the replay are
    taken, else the run is returned as it is.
    """
    rate, metadata = run.learning_rate, run.metadata
    if rate is None or metadata is None or metadata.initial_learning_rate is None:
        return run
    if metadata.rate_trained_at:
        return run
    # where a fit was resumed, each began with new callbacks
    lists = [] if metadata.earlier_fits else _class_lists(metadata)
    n_writers = sum(map(_writes_rate, lists[0])) if lists else 0
    if n_writers < _TWO or not _changes(rate):
        return run
    told = _replay_recorded(run, metadata)
    if told is None or told.learning_rate is None:
        return run
    trained = told.learning_rate.values.tolist()
    for logger in ("CSVLogger", "TensorBoard"):
        rows = _rows_before(told, trained, lists[0], logger)
        if len(rows) == len(rate) and all(
            told in (None, own) for own, told in zip(rows, rate, strict=True)
        ):
            settled = replace(
                run,
                learning_rate=Series.from_optional(trained, dtype=np.float32),
                other_learning_rate=None,
            )
            return settled.with_notes(Note(_REPLAYED, "rate"))
    return run


def _replay_recorded(
    run: Run, metadata: RunMetadata
) -> Replay | HypotheticalReplay | None:
    """Replay the list of ``run.json`` over the whole record, if it can be."""
    from cbreplay.expressions import parse_recorded
    from cbreplay.replay import replay_run

    bare = replace(run, learning_rate=None, other_learning_rate=None)
    try:
        callbacks: list[Any] = parse_recorded(metadata.callbacks)
        replay = replay_run(
            bare,
            callbacks,
            initial_learning_rate=metadata.initial_learning_rate,
            hypothetical=True,
        )
    except CbreplayError:
        # a schedule that is a function, a callback of the user's own
        return None
    return replay.hypothetical or replay


def _rows_before(
    told: Replay | HypotheticalReplay,
    trained: Sequence[float],
    classes: Sequence[str],
    logger: str,
) -> list[float]:
    """Return the rate that a logger of the list would have written into each row.

    CSVLogger writes what the last writer before it left in ``logs``: the rate before
    that callback's own decision. TensorBoard of Keras 3 reads the optimizer.
    """
    if logger not in classes:
        return []
    last = classes.index(logger)
    if logger == "CSVLogger":
        last = max(
            (i for i, name in enumerate(classes[:last]) if _writes_rate(name)),
            default=0,
        )
    rows = list(trained)
    # row 0 is the first epoch of the trace: every epoch has a row
    first = told.trace[0].epoch
    for reduction in told.reductions:
        if reduction.callback < last and reduction.new is not None:
            rows[reduction.epoch - first] = reduction.new
    return rows
