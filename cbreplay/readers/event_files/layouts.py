"""What the tags and steps of event files mean, by the tool that wrote them.

Only where it is known that each step is one epoch, or which epoch a step belongs to,
do scalars become epochs; else the user says what the steps count.
"""

from __future__ import annotations

import os
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.readers.building.evaluations import OF_MACHINE, TRAINER_SPEED
from cbreplay.readers.building.rate_columns import KERAS_RATE_TAGS
from cbreplay.readers.columns.column_names import rate_names
from cbreplay.readers.event_files.scalar_table import Scalars, equal_rows
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.event_files.scalar_table import EventTable

__all__ = [
    "HUGGING_FACE_EPOCH",
    "Layout",
    "choose_layout",
    "drop_after_fit",
    "evaluated_within",
]

_PREFIX = "epoch_"
# where TensorFlow 2 writes, or any Keras with a validation: a script may have tags like
# Keras's, which count from 1
_OF_KERAS = r"\.v2\b|(\A|[/\\])(train|validation)[/\\][^/\\]*\Z"
# tags that Hugging Face writes at the end of a training: they are no series
_SUMMARIES = r"train/(train_.*|total_flos)"
_LIGHTNING_EPOCH, HUGGING_FACE_EPOCH = "epoch", "train/epoch"
_LIGHTNING_DUMMY = "hp_metric"
# what a metric of Ultralytics ends with: boxes, masks, points; or its classifier's
_ULTRALYTICS = r"metrics/(.*\([BMP]\)|accuracy_top[15])"
_ULTRALYTICS_RATES = ("lr/pg0", "x/lr0")
_SEVERAL, _WITHIN = "several values in an epoch", "values within epochs"
_EACH = "(--x-axis step or x_axis='step' makes a row of each evaluation)"


class Layout(NamedTuple):
    """How the tags and steps of one log are to be read.

    Parameters
    ----------
    tool : {"keras", "old keras", "Ultralytics", "Lightning", "Hugging Face", \
            "epochs", "steps"}
        Who lays them out so; else what the user says that each step is.
    notes : tuple of str
        What was assumed.
    by_epoch_tag : str
        The tag whose values are the epochs of the steps; '' where a step is one.
    first_step : int
        The step of the first epoch.
    silent : mapping of str to str
        Tags that are no series, each with the reason; '' for none worth a note.
    beside : tuple of str
        Tags of a script beside Keras's own that are series of the training.
    counts_from_zero : bool
        Whether the first epoch is known to have the number 0.
    """

    tool: str
    notes: tuple[str, ...] = ()
    by_epoch_tag: str = ""
    first_step: int = 0
    silent: Mapping[str, str] = MappingProxyType({})
    beside: tuple[str, ...] = ()
    counts_from_zero: bool = True

    @property
    def begins_at(self) -> int | None:
        """The epoch at which every training begins; None if at any, as Keras's may."""
        return None if self.tool in ("keras", "old keras", "steps") else 0

    def series_name(self, tag: str, writer: str) -> str | None:
        """Return the series name of a writer's tag; None if it is none of epochs."""
        if writer not in ("", "train", "validation"):
            # this writer logs one series only, which has its name
            return writer
        if self.tool == "keras":
            return self._keras_name(tag, writer)
        silent = (self.by_epoch_tag, _LIGHTNING_DUMMY, *self.silent)
        if tag in silent or re.fullmatch(_SUMMARIES, tag) or not tag:
            return None
        return f"val_{tag}" if writer == "validation" else tag

    def series_of(self, table: EventTable, writer: str) -> dict[str, Scalars]:
        """Return the series of epochs in a writer's file, at steps from 0 on."""
        from_zero = table.each(Scalars.from_zero)
        return {
            name: own
            for tag, own in from_zero.scalars.items()
            if (name := self.series_name(tag, writer)) is not None
        }

    def _keras_name(self, tag: str, writer: str) -> str | None:
        if tag in self.beside and writer != "validation":
            return tag
        if not tag.startswith(_PREFIX) or tag == _PREFIX:
            return None
        if writer == "validation":
            return f"val_{tag.removeprefix(_PREFIX)}"
        return tag if tag in KERAS_RATE_TAGS else tag.removeprefix(_PREFIX)

    def to_epochs(self, table: EventTable) -> tuple[EventTable, dict[str, str]]:
        """Replace steps by epochs; return the tags that are left out, with reasons."""
        if self.by_epoch_tag:
            return _by_epoch_tag(table, self.by_epoch_tag)
        first = self.first_step
        return table.each(lambda own: own._replace(steps=own.steps - first)), {}


def choose_layout(tables: Sequence[EventTable], options: ReadOptions) -> Layout | None:
    """Tell which tool wrote the event files; None if their steps may be anything."""
    tags = list(dict.fromkeys(tag for table in tables for tag in table.scalars))
    if any(tag.startswith(_PREFIX) and tag != _PREFIX for tag in tags):
        note = "its rows are epochs, by the tags of Keras: the x-axis need not be said"
        notes = (note,) if options.x_axis == "step" else ()
        by_keras = any(re.search(_OF_KERAS, table.path) for table in tables)
        return Layout("keras", notes, counts_from_zero=by_keras)
    if not tags:
        return None
    of_trainer = HUGGING_FACE_EPOCH in tags
    if options.x_axis == "step":
        return Layout("steps", silent=_trainer_silent(tags) if of_trainer else {})
    known = _known(tags, tables)
    # Trainer logs what a step is, and that is seldom an epoch
    said = options.x_axis == "epoch" or options.parts == "rows"
    if known is None and said and not of_trainer:
        return Layout("epochs", counts_from_zero=False)
    return known


def _trainer_silent(tags: Sequence[str]) -> dict[str, str]:
    """Leave out of Hugging Face's Trainer what `HuggingFaceReader` leaves out."""
    changes = "Trainer's schedule changes it with every step, so no row has one"
    speed = [tag for tag in tags if tag.endswith(TRAINER_SPEED)]
    return {
        HUGGING_FACE_EPOCH: "",
        **dict.fromkeys(rate_names(tags), changes),
        **dict.fromkeys(speed, OF_MACHINE),
    }


def _known(tags: Sequence[str], tables: Sequence[EventTable]) -> Layout | None:
    """Recognise a tool whose steps are epochs, or that logs the epoch itself."""
    held = set(tags)
    if _are_of_ultralytics(tags):
        steps = (own.steps for table in tables for own in table.scalars.values())
        first = int("x/lr0" not in held and all((own > 0).all() for own in steps))
        note = "tags of Ultralytics YOLO: each step is one epoch"
        counted = f"{note}, counted from 1" if first else note
        return Layout("Ultralytics", (counted,), first_step=first)
    if _are_old_keras(tags, tables):
        note = "tags of Keras 1 and 2.0 to 2.2 (loss, val_loss): each step is one epoch"
        return Layout("old keras", (note,))
    for tag, tool in (
        (_LIGHTNING_EPOCH, "Lightning"),
        (HUGGING_FACE_EPOCH, "Hugging Face"),
    ):
        if tag in held:
            note = f"tags of {tool}: the epoch of each step is that of the tag {tag}"
            layout = Layout(tool, (note,), by_epoch_tag=tag)
            if any(layout.to_epochs(table)[0].scalars for table in tables):
                return layout
    return None


def _are_of_ultralytics(tags: Sequence[str]) -> bool:
    """Tell whether there are metrics beside the rates or losses of Ultralytics."""
    if not any(tag.startswith("metrics/") for tag in tags):
        return False
    of_losses = {tag.partition("/")[0] for tag in tags} >= {"train", "val"}
    named = of_losses and any(re.fullmatch(_ULTRALYTICS, tag) for tag in tags)
    return named or any(tag in _ULTRALYTICS_RATES for tag in tags)


def _are_old_keras(tags: Sequence[str], tables: Sequence[EventTable]) -> bool:
    """Tell whether each tag has a value at each of the steps 0, 1, 2, ...

    And whether one is the val_ of another: then those are Keras's logs by epoch. A file
    begins anew, or goes on with the one before.
    """
    held = set(tags)
    if not any(f"val_{tag}" in held for tag in tags) or any("/" in tag for tag in tags):
        return False
    for tag in tags:
        own = [table.scalars[tag].steps for table in tables if tag in table.scalars]
        if own[0][0] != 0 or (np.diff(np.concatenate(own)) > 1).any():
            return False
    return True


def _by_epoch_tag(table: EventTable, tag: str) -> tuple[EventTable, dict[str, str]]:
    """Read the epoch of each step from a tag, and keep what is logged once an epoch."""
    known = _epochs_of_steps(table, tag)
    ends = {known[step]: step for step in sorted(known)}
    kept: dict[str, Scalars] = {}
    left_out: dict[str, str] = {}
    for name, own in table.scalars.items():
        if name == tag:
            continue
        epochs = np.array([known.get(step, -1) for step in own.steps.tolist()])
        there, judges = epochs >= 0, is_validation(name)
        if judges and not there.all():
            # an evaluation within an epoch: these are not read as epochs
            return table._replace(scalars={}), {}
        n_values = [len(rows) for _, rows in equal_rows(epochs[there])]
        inside = [step < ends[known[step]] for step in own.steps.tolist() if judges]
        if name != _LIGHTNING_DUMMY and not re.fullmatch(_SUMMARIES, name):
            if not n_values:
                left_out[name] = "no value at the end of an epoch"
            elif 2 * sum(n > 1 for n in n_values) > len(n_values):
                left_out[name] = f"{_SEVERAL} {_EACH}" if judges else _SEVERAL
            elif _FEW * sum(inside) > len(own.steps):
                left_out[name] = f"{_WITHIN} {_EACH}"
        if n_values and name not in left_out:
            kept[name] = own.take(there)._replace(steps=epochs[there])
    return table._replace(scalars=kept), left_out


# one may be of a training that was broken off
_FEW = 4


def evaluated_within(tables: Sequence[EventTable]) -> list[str]:
    """Return the validations with values within epochs, as Lightning may have them.

    Its ``val_check_interval`` of 0.25 makes four in an epoch, and one of 150 batches
    one in every other epoch of 100 that is not at its end.
    """
    left_out = {n for own in tables for n in _by_epoch_tag(own, _LIGHTNING_EPOCH)[1]}
    return sorted(filter(is_validation, left_out))


def _epochs_of_steps(table: EventTable, tag: str) -> dict[int, int]:
    """Return the epoch of each step that is known by the values of a tag.

    Lightning counts epochs from 0; Hugging Face logs how many were done, which is a
    whole number only at the end of one.
    """
    if tag not in table.scalars:
        return {}
    logged = table.scalars[tag]
    done = logged.values - (tag == HUGGING_FACE_EPOCH)
    # NaN is no number of epochs either
    whole = (done >= 0) & (done == np.round(done)) & (done < 2**53)
    epochs = done[whole].astype(np.int64).tolist()
    return dict(zip(logged.steps[whole].tolist(), epochs, strict=True))


def drop_after_fit(parts: list[EventTable]) -> tuple[list[EventTable], list[str]]:
    """Leave out the files that Lightning's ``validate`` and ``test`` wrote, after fit.

    Its logger closes a file when one of them ends, and the next opens another: one step
    of it, behind those of the training, holds no value of the training itself.
    """
    kept = list(parts)
    while len(kept) > 1 and _is_after_fit(kept[-1], kept[:-1]):
        del kept[-1]
    notes = [
        f"left out file {os.path.basename(part.path)}: it holds one step of a test, or "
        "of a validation outside the training"
        for part in parts[len(kept) :]
    ]
    return kept, notes


def _is_after_fit(table: EventTable, before: Sequence[EventTable]) -> bool:
    """Tell whether a file of Lightning's holds one validation or test, and no more."""
    if _LIGHTNING_EPOCH not in table.scalars or not any(map(_trains, before)):
        return False
    steps = {step for own in table.scalars.values() for step in own.steps.tolist()}
    held = (own.steps for part in before for own in part.scalars.values())
    last = max(int(own.max()) for own in held)
    judged = any(map(is_validation, table.scalars))
    return judged and not _trains(table) and len(steps) == 1 and min(steps) >= last


def _trains(table: EventTable) -> bool:
    """Tell whether a file holds a series of the training itself."""
    own = {_LIGHTNING_EPOCH, _LIGHTNING_DUMMY, *rate_names(table.scalars)}
    return any(tag not in own and not is_validation(tag) for tag in table.scalars)
