"""Rows that are evaluations and not epochs: how they are recognised, and the notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.by_key import by_key
from cbreplay.errors import WHAT_TO_WATCH
from cbreplay.series_names import is_validation, suggest_monitor
from cbreplay.wording.note import Note, reworded
from cbreplay.wording.words import list_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = [
    "OF_MACHINE",
    "TRAINER_SPEED",
    "axis_hint",
    "count_hint",
    "evaluation_note",
    "find_machine",
    "given_note",
    "left_out_notes",
    "rows_hint",
    "seldom_logged",
    "shown",
]

# what Hugging Face's Trainer adds to an evaluation
TRAINER_SPEED = (
    "runtime",
    "samples_per_second",
    "steps_per_second",
    "model_preparation_time",
)
# why a series is left out
OF_MACHINE = Note("a measure of the machine, not the model", "reading")
# how MLflow and ClearML call what they measure of it, in steps of their own
_MEASURED = ("system/", ":monitor:")
_SHOWN = 8
# a series with this many times the values of another is logged more often
_MANY = 2


def evaluation_note(judged: Sequence[str], n_between: int) -> str:
    """Say what the rows are, and what was left out between them."""
    of = f"a step with a value of {shown(judged)}" if judged else "a step"
    note = (
        f"each row is one evaluation, {of}: patience counts evaluations, and an epoch "
        "here is the number of one"
    )
    if n_between:
        note += f"; {n_between} values between them were left out"
    return note


def find_machine(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the names of what a tracker measured of the machine, and a note of them.

    >>> find_machine(["loss", "system/cpu"])
    (['system/cpu'], ['left out system/cpu: a measure of the machine, not the model'])
    """
    found = [name for name in names if name.startswith(_MEASURED)]
    return found, [f"left out {shown(found)}: {OF_MACHINE}"] if found else []


def given_note(
    which: str = "each step", numbered: tuple[int, int] | None = None
) -> str:
    """Say that steps are epochs because the user says so.

    Where they count something else, `numbered` is the first and the last of them.
    """
    note = f"{which} is one epoch, as given"
    if numbered is None:
        return note
    first, last = numbered
    return f"{note}; the steps from {first} to {last} were numbered in their order"


def shown(names: Sequence[str]) -> str:
    """Write some names shortly: the first few."""
    return list_first(names, _SHOWN)


def left_out_notes(left_out: Mapping[str, str]) -> Iterator[str]:
    """Say which series were left out, reason by reason.

    >>> [*left_out_notes({"words": "no numbers", "note": "no numbers", "loss": ""})]
    ['left out words, note: no numbers']
    """
    for why, names in by_key(left_out, lambda name: left_out[name] or None).items():
        yield reworded(why, f"left out {shown(names)}: {why}")


def axis_hint(names: Sequence[str], epochs: str = "each of these") -> str:
    """Say all options that are needed if steps are epochs, in one hint.

    `names` are those that may be watched, and `epochs` says what may be one epoch each.
    """
    options, arguments = suggest_monitor(names)
    taken = f"--x-axis epoch{options} or x_axis='epoch'{arguments}"
    left_open = "" if options else WHAT_TO_WATCH
    return f"If {epochs} is one epoch: {taken}; to {count_hint(names)}{left_open}"


def count_hint(names: Sequence[str] = ()) -> str:
    """Say the options that make a row of each evaluation of some series."""
    options, arguments = suggest_monitor(names)
    return f"count evaluations: --x-axis step{options} or x_axis='step'{arguments}"


def rows_hint(names: Sequence[str]) -> str:
    """Say the options that take each value of some series as an epoch."""
    judged = [name for name in names if is_validation(name)]
    options, arguments = suggest_monitor(judged or names)
    taken = f"--parts rows{options} or parts='rows'{arguments}"
    left_open = "" if options else WHAT_TO_WATCH
    return f"If each value is the next epoch's: {taken}{left_open}"


def seldom_logged(sizes: Mapping[str, int]) -> list[str]:
    """Return the series that have far fewer values than another.

    Each of their values is an evaluation, and those of the others lie between.
    """
    most = max(sizes.values(), default=0)
    return [name for name, size in sizes.items() if _MANY * size <= most]
