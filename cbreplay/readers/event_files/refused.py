"""Event files that hold no epochs: what they hold, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.errors import LogError
from cbreplay.readers.base import ForeignLogError, NothingLoggedError
from cbreplay.readers.building.evaluations import (
    axis_hint,
    count_hint,
    rows_hint,
    seldom_logged,
    shown,
)
from cbreplay.readers.event_files.layouts import HUGGING_FACE_EPOCH, evaluated_within
from cbreplay.series_names import is_rate_name, is_validation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.readers.base import Damage
    from cbreplay.readers.event_files.files import LogFiles

__all__ = ["CROWDED", "check_hyperparameters", "no_epochs", "nothing_left"]

# why a series is left out that has more than two values at most of its steps
CROWDED = "several values at most steps, as of each batch"


def check_hyperparameters(log: LogFiles, path: str) -> None:
    """Refuse files of what ``add_hparams`` of PyTorch writes: no training.

    It opens a writer of its own, below that of the training, for the hyperparameters
    and one value of each result.
    """
    others = {tag for table in log.tables for tag in table.other_tags}
    n_values = {
        len(own.steps) for table in log.tables for own in table.scalars.values()
    }
    by_keras = any(tag.startswith("epoch_") for tag in log.tags)
    if _HPARAMS in others and n_values == {1} and not by_keras:
        raise ForeignLogError(_OF_HPARAMS, source=path, hint=_ABOVE)


_HPARAMS = "_hparams_/session_start_info"
_OF_HPARAMS = (
    "it holds the hyperparameters of a training and one value of each result, as "
    "add_hparams writes them, and no training"
)
_ABOVE = "Give the directory above it"


def no_epochs(path: str, log: LogFiles, damage: Damage) -> LogError:
    """Return the error of event files without epochs: the tags that there are."""
    tags = log.tags
    if not tags:
        return _no_scalars(path, log, damage)
    if HUGGING_FACE_EPOCH in tags:
        problem = (
            f"by its tag {HUGGING_FACE_EPOCH} the steps here are parts of epochs, and "
            "evaluations do not stand at the end of each"
        )
        return ForeignLogError(problem, source=path, hint=f"To {count_hint()}")
    several = evaluated_within(log.tables)
    if several:
        problem = f"by its tag epoch {shown(several)} has values within epochs"
        return ForeignLogError(problem, source=path, hint=f"To {count_hint(several)}")
    crowded = _crowded_tags(log)
    if crowded.keys() >= {tag for tag in tags if not is_rate_name(tag)}:
        at_one = set(crowded.values()) == {1}
        what = "all values stand at one step" if at_one else CROWDED
        problem = f"{shown(tags)}: {what}, so the steps are no epochs"
        return ForeignLogError(problem, source=path, hint=rows_hint([*crowded]))
    problem = (
        "there is no epoch scalar of Keras (epoch_loss), and nothing says that the "
        f"steps here are epochs; its tags are {shown(tags)}"
    )
    return ForeignLogError(problem, source=path, hint=_axis_hint(log, tags))


def _no_scalars(path: str, log: LogFiles, damage: Damage) -> LogError:
    """Return the error of files without a scalar: what is damaged, if anything is."""
    unfinished = [table.unfinished for table in log.tables if table.unfinished]
    for error in (*damage.errors, *unfinished):
        return error
    others = dict.fromkeys(tag for table in log.tables for tag in table.other_tags)
    kind = ForeignLogError if others else NothingLoggedError
    scalarless = f"its tags hold no scalar ({shown([*others])})"
    held = scalarless if others else "it holds no summary at all"
    problem = f"there is no epoch scalar of Keras (epoch_loss); {held}"
    hint = "Give the log_dir of Keras's TensorBoard callback"
    return kind(problem, source=path, hint=hint)


def _crowded_tags(log: LogFiles) -> dict[str, int]:
    """Return the tags with more than two values a step, and at how many they stand."""
    found: dict[str, int] = {}
    for table in log.tables:
        for tag, own in table.scalars.items():
            n_steps = len(set(own.steps.tolist()))
            if len(own.steps) > _TWO * n_steps:
                found[tag] = max(n_steps, found.get(tag, 0))
    return found


_TWO = 2


def _axis_hint(log: LogFiles, tags: Sequence[str]) -> str:
    """Say what the steps may be, and what of it to watch."""
    watched = [tag for tag in tags if not is_rate_name(tag)]
    judged = [tag for tag in watched if is_validation(tag)]
    if judged:
        return axis_hint(judged, "each step with a value of a validation")
    sizes = dict.fromkeys(watched, 0)
    for table in log.tables:
        for tag in table.scalars.keys() & sizes.keys():
            sizes[tag] += len(table.scalars[tag].steps)
    seldom = seldom_logged(sizes)
    return f"To {count_hint(seldom)}" if seldom else axis_hint(watched, "each step")


def nothing_left(
    path: str, log: LogFiles, left_out: Mapping[str, str], damage: Damage
) -> LogError:
    """Return the error of a log in which nothing is left of what may be epochs."""
    names = [name for name, why in left_out.items() if why == CROWDED]
    if names:
        problem = f"{shown(names)}: {CROWDED}"
        return ForeignLogError(problem, source=path, hint=rows_hint(names))
    for error in damage.errors:
        problem, hint = f"no epoch is left: {error.problem}", "Correct it"
        return LogError(problem, source=error.source, byte=error.byte, hint=hint)
    return no_epochs(path, log, damage)
