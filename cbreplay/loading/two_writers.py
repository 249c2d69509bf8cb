"""The rate that each epoch was trained at, if two callbacks wrote its column."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.errors import CbreplayError
from cbreplay.loading.recorded_rates import class_name, writes_rate
from cbreplay.note import Note
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.replay import HypotheticalReplay, Replay
    from cbreplay.run import Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["settle_rate"]

_NOTE = (
    "two callbacks wrote the learning rate; replayed in the order of run.json, they "
    "write just what is recorded, and the rates are those of that replay"
)


def settle_rate(run: Run) -> Run:
    """Return a run with the rates that its recorded callbacks trained at.

    If a second callback writes the rate after a reduction, the row of that epoch holds
    the reduced rate, and other rows the rate that was trained at. The recorded list is
    replayed; if it would have written all rows as they are, the rates of the replay are
    taken, else the run is returned as it is.

    Parameters
    ----------
    run : Run
        As read, with the rows of its log as its learning rate.
    """
    rate, metadata = run.learning_rate, run.metadata
    if rate is None or metadata is None or metadata.initial_learning_rate is None:
        return run
    if metadata.rate_trained_at:
        return run
    known = rate.values[rate.recorded]
    if _count_writers(metadata) < _TWO or bool((known == known[:1]).all()):
        return run
    told = _replay_recorded(run, metadata)
    if told is None or told.learning_rate is None:
        return run
    trained = told.learning_rate.values.tolist()
    for logger in ("CSVLogger", "TensorBoard"):
        rows = _rows_before(told, trained, metadata, logger)
        if len(rows) == len(rate) and _same_rows(rows, rate):
            settled = replace(
                run,
                learning_rate=Series.from_optional(trained, dtype=np.float32),
                other_learning_rate=None,
            )
            return settled.with_notes(Note(_NOTE, "rate"))
    return run


_TWO = 2


def _count_writers(metadata: RunMetadata) -> int:
    if metadata.earlier_fits:
        # each fit began with new callbacks
        return 0
    return sum(writes_rate(class_name(text)) for text in metadata.callbacks)


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
    metadata: RunMetadata,
    logger: str,
) -> list[float]:
    """Return the rate that a logger of the list would have written into each row.

    CSVLogger writes what the last writer before it left in ``logs``: the rate before
    that callback's own decision. TensorBoard of Keras 3 reads the optimizer.
    """
    classes = [class_name(text) for text in metadata.callbacks]
    if logger not in classes:
        return []
    last = classes.index(logger)
    if logger == "CSVLogger":
        last = max(
            (i for i, name in enumerate(classes[:last]) if writes_rate(name)),
            default=0,
        )
    rows = list(trained)
    # row 0 is the first epoch of the trace: every epoch has a row
    first = told.trace[0].epoch
    for reduction in told.reductions:
        if reduction.callback < last and reduction.new is not None:
            rows[reduction.epoch - first] = reduction.new
    return rows


def _same_rows(rows: Sequence[float], rate: Series) -> bool:
    pairs = zip(rows, rate.values.tolist(), rate.recorded.tolist(), strict=True)
    return all(ours == theirs for ours, theirs, recorded in pairs if recorded)
