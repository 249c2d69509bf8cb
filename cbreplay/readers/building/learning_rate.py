"""Which rate each epoch was trained at, from what a log and ``run.json`` say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.readers.building.rate_columns import LoggedRate
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import FloatArray
    from cbreplay.run_metadata import RunMetadata

__all__ = [
    "EVENT_RATE_NOTES",
    "KERAS_RATE_TAGS",
    "RATE_CHANGING",
    "RateReading",
    "class_name",
    "constant_rate",
    "read_csv_rate",
    "read_event_rate",
]

# Keras 3 and Keras 2
KERAS_RATE_TAGS = ("epoch_learning_rate", "epoch_lr")
_REDUCER, _SCHEDULER = "ReduceLROnPlateau", "LearningRateScheduler"
# the callbacks of Keras that write the rate into logs
RATE_CHANGING = (_REDUCER, _SCHEDULER)
# Keras's own callbacks that leave the optimizer's rate alone
_INERT = frozenset(
    {
        "BackupAndRestore",
        "CSVLogger",
        "EarlyStopping",
        "History",
        "ModelCheckpoint",
        "ProgbarLogger",
        "RemoteMonitor",
        "TensorBoard",
        "TerminateOnNaN",
    }
)
_EITHER = (
    "the event files cannot tell whether a row holds the learning rate before or "
    "after that epoch's reduction: both readings are kept"
)
_AFTER = (
    "each row's learning rate is the one after that epoch's reduction, because "
    "TensorBoard stands behind ReduceLROnPlateau in the recorded callbacks"
)
_FIRST = "the learning rate of the first epoch is taken from its own row"
EVENT_RATE_NOTES = (_EITHER, _AFTER, _FIRST)


class RateReading(NamedTuple):
    """A recorded learning rate, and how sure its reading is.

    Parameters
    ----------
    learning_rate : Series
        The float32 rate that each epoch was trained at.
    other : Series or None
        The other reading, where the log alone cannot tell which is right.
    notes : tuple of str
        What was assumed.
    rounding : array of shape (n_epochs,) or None
        Half a unit of the last digit of each rate, where they were rounded.
    """

    learning_rate: Series
    other: Series | None = None
    notes: tuple[str, ...] = ()
    rounding: FloatArray | None = None


def read_csv_rate(logged: LoggedRate, metadata: RunMetadata | None) -> RateReading:
    """Read the rate column of a CSVLogger: the rate the epoch was trained at.

    The row of a reduction holds another one if a second callback wrote the key after
    the reduction (keras.src.callbacks, both ``on_epoch_end``).
    """
    rate, rounding, notes = logged
    if not _changes(rate):
        return RateReading(rate, notes=notes, rounding=rounding)
    if metadata is None or not metadata.callbacks:
        note = (
            "each row's learning rate is taken as the one its epoch was trained at "
            "(no run.json says whether a second callback rewrote it)"
        )
        notes = (*notes, note)
    else:
        notes = (*notes, *_two_writers_notes(_class_lists(metadata)))
    return RateReading(rate, notes=notes, rounding=rounding)


def read_event_rate(
    rate: Series, tag: str, metadata: RunMetadata | None, first_epoch: int
) -> RateReading:
    """Read the rate that the TensorBoard callback wrote.

    Keras 3 reads the optimizer when the epoch has ended: after a reduction, if
    TensorBoard stands behind ReduceLROnPlateau in the list. A LearningRateScheduler
    sets the rate when an epoch begins, so its row holds the rate trained at.

    Parameters
    ----------
    rate : Series
        The rate as logged.
    tag : str
        ``"epoch_learning_rate"``, or the ``"epoch_lr"`` of Keras 2, which is taken
        from `logs`, as CSVLogger's is.
    metadata : RunMetadata, optional
        What ``run.json`` says; its callbacks decide.
    first_epoch : int
        The epoch of the first value.
    """
    if tag == "epoch_lr":
        return read_csv_rate(LoggedRate(rate), metadata)
    lists = _class_lists(metadata) if metadata is not None else []
    readings = {_row_holds(classes) for classes in lists} or {"either"}
    if readings == {"after"} and metadata is not None:
        return _shifted_by_metadata(rate, metadata, first_epoch)
    if readings == {"before"} or not _changes(rate):
        return RateReading(rate)
    if readings == {"both"}:
        return RateReading(rate, notes=_two_writers_notes(lists))
    return RateReading(rate, _shift(rate), (_EITHER,))


def _row_holds(classes: Sequence[str]) -> str:
    """Tell when TensorBoard read the rate: before or after a reduction, or either."""
    if "TensorBoard" not in classes:
        return "either"
    earlier = classes[: classes.index("TensorBoard")]
    if any(name not in _INERT and name not in RATE_CHANGING for name in earlier):
        return "either"
    if _REDUCER not in earlier:
        return "before"
    return "both" if _SCHEDULER in classes else "after"


def _shifted_by_metadata(
    rate: Series, metadata: RunMetadata, first_epoch: int
) -> RateReading:
    """Move each rate to the epoch after it; the first comes from the optimizer."""
    initial = metadata.initial_learning_rate
    began = metadata.fit.initial_epoch - first_epoch
    shifted = _shift(rate)
    # run.json holds the rate at which its last fit began
    if initial is not None and 0 <= began < len(rate):
        shifted = _with_value(shifted, began, initial)
    known = initial is not None and began == 0
    return RateReading(shifted, notes=(_AFTER,) if known else (_AFTER, _FIRST))


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
    """Return the class names of each fit's callbacks; none where none are listed."""
    fits = [*(fit.callbacks for fit in metadata.earlier_fits), metadata.callbacks]
    return [[class_name(text) for text in texts] for texts in fits if texts]


def class_name(text: str) -> str:
    """Return the class of a callback's text.

    >>> class_name("keras.callbacks.EarlyStopping(patience=3)")
    'EarlyStopping'
    """
    return text.partition("(")[0].rpartition(".")[2].strip()


def _two_writers_notes(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    writers = [[name for name in names if name in RATE_CHANGING] for names in lists]
    if all(len(names) < _TWO for names in writers):
        return ()
    listed = " and ".join(next(names for names in writers if len(names) >= _TWO))
    note = (
        f"{listed} both wrote the learning rate: "
        "the row of a reduction may hold the rate after it"
    )
    return (note,)


_TWO = 2


def constant_rate(metadata: RunMetadata | None, n_epochs: int) -> Series | None:
    """Return the optimizer's initial rate for every epoch, if nothing changed it.

    None unless ``run.json`` records the rate, no schedule, and only callbacks of
    Keras that leave it alone, in every fit.
    """
    if metadata is None or metadata.initial_learning_rate is None:
        return None
    classes = [name for names in _class_lists(metadata) for name in names]
    if metadata.schedule is not None or not _INERT.issuperset(classes):
        return None
    if "callbacks" not in metadata.raw:
        return None
    values = np.full(n_epochs, metadata.initial_learning_rate, dtype=np.float32)
    return Series(values, np.ones(n_epochs, dtype=np.bool_))
