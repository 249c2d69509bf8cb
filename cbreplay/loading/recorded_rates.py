"""Which rate each epoch was trained at, from what a log and ``run.json`` say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.note import Note
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["class_name", "read_rate", "writes_rate"]

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
    of the epoch: after a reduction, if it comes after the callback that reduces.

    Parameters
    ----------
    run : Run
        As read. One whose rate was read already is returned as it is.
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
    scheduled = any(writes_rate(name) and not _reduces(name) for name in classes)
    return "both" if scheduled else "after"


def writes_rate(name: str) -> bool:
    """Tell whether a callback of this class changes the rate and writes it to logs."""
    from cbreplay.rules.registry import find_rule

    row = find_rule(name)
    changes: bool = row is not None and row.load().changes_learning_rate
    return changes


def _reduces(name: str) -> bool:
    """Tell whether it changes the rate at the end of an epoch, not at the beginning."""
    from cbreplay.rules.registry import rule_named

    return writes_rate(name) and "begin" not in rule_named(name).load().acts_at


def _is_known(name: str) -> bool:
    """Tell whether it is a framework's own callback, whose effect is known."""
    from cbreplay.rules.registry import find_rule, stands_by

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
    fits = [*(fit.callbacks for fit in metadata.earlier_fits), metadata.callbacks]
    return [[class_name(text) for text in texts] for texts in fits if texts]


def class_name(text: str) -> str:
    """Return the class of a callback's text.

    >>> class_name("keras.callbacks.EarlyStopping(patience=3)")
    'EarlyStopping'
    """
    return text.partition("(")[0].rpartition(".")[2].strip()


def _two_writers_notes(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    writers = [[name for name in names if writes_rate(name)] for names in lists]
    if all(len(names) < _TWO for names in writers):
        return ()
    listed = " and ".join(next(names for names in writers if len(names) >= _TWO))
    note = (
        f"{listed} both wrote the learning rate: "
        "the row of a reduction may hold the rate after it"
    )
    return (note,)


_TWO = 2


def _constant_rate(metadata: RunMetadata | None, n_epochs: int) -> Series | None:
    """Return the optimizer's initial rate for every epoch, if nothing changed it.

    None unless ``run.json`` records the rate, no schedule, and only callbacks of
    Keras that leave it alone, in every fit.
    """
    if metadata is None or metadata.initial_learning_rate is None:
        return None
    classes = [name for names in _class_lists(metadata) for name in names]
    inert = all(_is_known(name) and not writes_rate(name) for name in classes)
    if metadata.schedule is not None or not inert:
        return None
    if metadata.raw.get("callbacks") is None:
        return None
    values = np.full(n_epochs, metadata.initial_learning_rate, dtype=np.float32)
    return Series(values, np.ones(n_epochs, dtype=np.bool_))
