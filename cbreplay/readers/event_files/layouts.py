"""What the tags and steps of event files mean, by the tool that wrote them.

Only where it is known that each step is one epoch, or which epoch a step belongs to,
do scalars become epochs; else the user says what the steps count.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.readers.building.evaluations import (
    TRAINER_SPEED,
    VALIDATION,
    evaluation_note,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.event_files.points import Points
    from cbreplay.readers.event_files.scalar_table import EventTable

__all__ = [
    "HUGGING_FACE_EPOCH",
    "Layout",
    "choose_layout",
    "count_evaluations",
    "note_other_scalars",
    "number_samples",
]

_PREFIX = "epoch_"
# what Keras 3 and Keras 2 call the learning rate
KERAS_RATE_TAGS = ("epoch_learning_rate", "epoch_lr")
# what other tools call the learning rate of the (first group of) parameters
_RATE = re.compile(
    r"lr|learning_rate|(train/)?(lr|learning_rate)|lr-[^/]+(/pg1)?|lr/pg0|x/lr0"
)
# of Hugging Face, at the end of a training: no series
_SUMMARIES = re.compile(r"train/(train_.*|total_flos)")
_LIGHTNING_EPOCH, HUGGING_FACE_EPOCH = "epoch", "train/epoch"
_LIGHTNING_DUMMY = "hp_metric"


class Layout(NamedTuple):
    """How the tags and steps of one log are to be read.

    Parameters
    ----------
    tool : str
        Who lays them out so.
    rates : tuple of str
        The series that may be the learning rate, best first.
    notes : tuple of str
        What was assumed.
    by_epoch_tag : str
        The tag whose values are the epochs of the steps; '' where a step is one.
    first_step : int
        The step of the first epoch.
    silent : tuple of str
        Tags that are no series.
    """

    tool: str
    rates: tuple[str, ...] = KERAS_RATE_TAGS
    notes: tuple[str, ...] = ()
    by_epoch_tag: str = ""
    first_step: int = 0
    silent: tuple[str, ...] = ()

    def series_name(self, tag: str, writer: str) -> str | None:
        """Return the series that a writer's tag is; None for none of the epochs."""
        if self.tool != "keras":
            silent = (self.by_epoch_tag, _LIGHTNING_DUMMY, *self.silent)
            if tag in silent or _SUMMARIES.fullmatch(tag) or not tag:
                return None
            return f"val_{tag}" if writer == "validation" else tag
        if not tag.startswith(_PREFIX) or tag == _PREFIX:
            return None
        if writer == "validation":
            return f"val_{tag.removeprefix(_PREFIX)}"
        return tag if tag in KERAS_RATE_TAGS else tag.removeprefix(_PREFIX)

    def to_epochs(self, table: EventTable) -> tuple[EventTable, tuple[str, ...]]:
        """Replace steps by epochs, and say which tags were left out."""
        if self.by_epoch_tag:
            return _by_epoch_tag(table, self.by_epoch_tag)
        if self.first_step:
            return replace(table, steps=table.steps - self.first_step), ()
        return table, ()


def choose_layout(
    tables: Mapping[str, Sequence[EventTable]], options: ReadOptions
) -> Layout | None:
    """Tell which tool wrote the event files; None if their steps may be anything.

    Parameters
    ----------
    tables : mapping of str to sequence of EventTable
        The files of each writer.
    options : ReadOptions
        What the user says about the steps.
    """
    every = [table for one in tables.values() for table in one]
    tags = list(dict.fromkeys(tag for table in every for tag in table.tags))
    if any(tag.startswith(_PREFIX) and tag != _PREFIX for tag in tags):
        note = "its rows are epochs, by the tags of Keras: the x-axis need not be said"
        return Layout("keras", notes=(note,) if options.x_axis == "step" else ())
    rates = tuple(sorted((t for t in tags if _RATE.fullmatch(t)), key=tags.index))
    if not tags:
        return None
    of_trainer = HUGGING_FACE_EPOCH in tags
    if options.x_axis == "step":
        return _trainer_steps(tags) if of_trainer else Layout("steps", rates)
    # Trainer says itself what a step is, and that is seldom an epoch
    if options.x_axis == "epoch" and not of_trainer:
        return Layout("other", rates, ("each step is one epoch, as given",))
    return _known(tags, rates, every)


def _trainer_steps(tags: Sequence[str]) -> Layout:
    """Read the evaluations of Hugging Face's Trainer as `HuggingFaceReader` does."""
    rates = [tag for tag in tags if _RATE.fullmatch(tag)]
    speed = [tag for tag in tags if tag.endswith(TRAINER_SPEED)]
    notes = [
        f"left out {shown(names)}: {why}"
        for names, why in (
            (rates, "Trainer's schedule changes it with every step, so no row has one"),
            (speed, "it tells of the machine, not of the model"),
        )
        if names
    ]
    return Layout(
        "steps", (), tuple(notes), silent=(HUGGING_FACE_EPOCH, *rates, *speed)
    )


def _known(
    tags: Sequence[str], rates: tuple[str, ...], tables: Sequence[EventTable]
) -> Layout | None:
    """Recognise a tool whose steps are epochs, or that logs the epoch itself."""
    held = set(tags)
    if any(tag.startswith("metrics/") for tag in tags) and held & {"lr/pg0", "x/lr0"}:
        first = 1 if "lr/pg0" in held and _least_step(tables) > 0 else 0
        note = "tags of Ultralytics YOLO: each step is one epoch"
        counted = f"{note}, counted from 1" if first else note
        return Layout("ultralytics", rates, (counted,), first_step=first)
    if _are_old_keras(tags, tables):
        note = "tags of Keras 1 and 2.0 to 2.2 (loss, val_loss): each step is one epoch"
        return Layout("old keras", ("lr",), (note,))
    for tag, tool in (
        (_LIGHTNING_EPOCH, "Lightning"),
        (HUGGING_FACE_EPOCH, "Hugging Face"),
    ):
        if tag in held:
            layout = Layout(tool, rates, by_epoch_tag=tag)
            if any(len(layout.to_epochs(table)[0].tag) for table in tables):
                note = (
                    f"tags of {tool}: the epoch of each step is that of the tag {tag}"
                )
                return layout._replace(notes=(note,))
    return None


def _least_step(tables: Sequence[EventTable]) -> int:
    return min((int(one.steps.min()) for one in tables if len(one.steps)), default=0)


def _are_old_keras(tags: Sequence[str], tables: Sequence[EventTable]) -> bool:
    """Tell whether each tag has a value at each of the steps 0, 1, 2, ...

    And whether one is the val_ of another: then those are Keras's logs by epoch.
    """
    held = set(tags)
    if not any(f"val_{tag}" in held for tag in tags) or any("/" in tag for tag in tags):
        return False
    for table in tables:
        for number in range(len(table.tags)):
            steps = table.steps[table.tag == number]
            onward = np.diff(steps)
            if steps[0] != 0 or (onward > 1).any():
                return False
    return True


def _by_epoch_tag(table: EventTable, tag: str) -> tuple[EventTable, tuple[str, ...]]:
    """Read the epoch of each step from a tag, and keep what is there once an epoch.

    Lightning counts epochs from 0; Hugging Face logs how many were done, which is a
    whole number only at the end of one.
    """
    empty = _only(table, np.zeros(len(table.tag), dtype=np.bool_))
    if tag not in table.tags:
        return empty, ()
    number = table.tags.index(tag)
    is_epoch = table.tag == number
    done = table.values[is_epoch] - (tag == HUGGING_FACE_EPOCH)
    whole = np.isfinite(done) & (done >= 0) & (done == np.round(done)) & (done < 2**53)
    known = dict(
        zip(
            table.steps[is_epoch][whole].tolist(),
            done[whole].astype(np.int64).tolist(),
            strict=True,
        )
    )
    epochs = np.array([known.get(s, -1) for s in table.steps.tolist()], dtype=np.int64)
    kept = (epochs >= 0) & ~is_epoch
    several, nowhere = [], []
    for other, name in enumerate(table.tags):
        mine = np.flatnonzero(kept & (table.tag == other))
        if other == number or _SUMMARIES.fullmatch(name) or name == _LIGHTNING_DUMMY:
            continue
        if len(set(epochs[mine].tolist())) < len(mine):
            several.append(name)
            kept[mine] = False
        elif not len(mine):
            nowhere.append(name)
    # an evaluation that is not at the end of an epoch: these are no epochs
    apart = (table.tag != number) & (epochs < 0)
    evaluations = [
        name
        for i, name in enumerate(table.tags)
        if VALIDATION.search(name) and apart[table.tag == i].any()
    ]
    if evaluations:
        return empty, ()
    notes = [
        f"left out, as {why}: {shown(names)}"
        for names, why in (
            (several, "they have several values in an epoch"),
            (nowhere, "they have no value at the end of an epoch"),
        )
        if names
    ]
    return _only(replace(table, steps=epochs), kept), tuple(notes)


def _only(table: EventTable, kept: NDArray[np.bool_]) -> EventTable:
    return replace(
        table,
        tag=table.tag[kept],
        steps=table.steps[kept],
        wall_times=table.wall_times[kept],
        values=table.values[kept],
        offsets=table.offsets[kept],
    )


def note_other_scalars(tags: Iterable[str]) -> list[str]:
    """Say which scalars stand beside those of Keras's epochs; nothing of its own.

    The TensorBoard callback also writes what it sees of each batch, and of each call
    of ``evaluate``, by the iteration.
    """
    own = re.compile(r"epoch_.*|batch_.*|evaluation_.*_vs_iterations")
    others = [tag for tag in dict.fromkeys(tags) if not own.fullmatch(tag)]
    if not others:
        return []
    return [f"left out, as Keras did not write them by epoch: {shown(others)}"]


def number_samples(pieces: list[Points], tags: set[str]) -> tuple[list[Points], str]:
    """Count the epochs of a TensorFlow 1 log whose steps count samples.

    tf.keras 1.13 to 1.15 wrote the epoch's scalars at the number of samples seen so
    far if `update_freq` was not ``"epoch"``, and then batch_ tags beside them
    (tensorflow/python/keras/callbacks_v1.py).
    """
    if not any(tag.startswith("batch_") for tag in tags):
        return pieces, ""
    for piece in pieces:
        each = int(piece.steps[0])
        counted = np.arange(1, len(piece.steps) + 1) * each
        if each <= 1 or not np.array_equal(piece.steps, counted):
            return pieces, ""
    note = "the steps count samples, by the tags of TensorFlow 1: epochs were counted"
    numbered = [replace(one, steps=np.arange(len(one.steps))) for one in pieces]
    return numbered, note


def count_evaluations(pieces: list[Points]) -> tuple[list[Points], list[Points], str]:
    """Give the steps at which something was evaluated numbers, training by training.

    Evaluations are the steps with a value of a validation series; without such a
    series, every step.

    Returns
    -------
    numbered : list of Points
        The evaluations, with their numbers as steps.
    evaluations : list of Points
        The same with their steps.
    note : str
        What the rows are, and what was left out between them.
    """
    names = dict.fromkeys(name for piece in pieces for name in piece.columns)
    judged = [name for name in names if VALIDATION.search(name)]
    evaluations = []
    n_between = 0
    for piece in pieces:
        at = np.zeros(len(piece.steps), dtype=np.bool_)
        for name in judged or names:
            if name in piece.columns:
                at |= piece.columns[name].recorded
        n_between += sum(int(one.recorded[~at].sum()) for one in piece.columns.values())
        if at.any():
            evaluations.append(piece.at(at))
    numbered: list[Points] = []
    last = None
    count = 0
    for piece in evaluations:
        if last is None or piece.steps[0] <= last:
            count = 0
        last = int(piece.steps[-1])
        numbers = np.arange(count, count + len(piece.steps))
        numbered.append(replace(piece, steps=numbers))
        count += len(piece.steps)
    return numbered, evaluations, evaluation_note(judged, n_between)
