"""Names that Keras numbered: its second model calls ``auc_1`` what was ``auc``."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.by_key import by_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cbreplay.run import Run, Series

__all__ = [
    "are_numbered_anew",
    "join_numbered",
    "name_metrics_alike",
    "renamed_note",
    "without_number",
]

# Keras never numbers its loss; TensorFlow 1's Estimator has a loss_1 in every training
_NUMBERED = r"(?!(val_)?loss_\d)(?P<base>[A-Za-z]\w*?)_(?P<number>[0-9]+)"


def without_number(name: str) -> str:
    """Return a name without the number that Keras may have appended.

    >>> without_number("val_auc_1"), without_number("val_auc"), without_number("loss_1")
    ('val_auc', 'val_auc', 'loss_1')
    """
    found = re.fullmatch(_NUMBERED, name)
    return found["base"] if found else name


def _are_same_metrics(blocks: Iterable[tuple[str, ...]], base: str) -> bool:
    """Tell whether the metrics of several models differ in Keras's number alone.

    Each model has as many with this base, and their numbers follow each other. One
    model has the name without a number or, where each has a single metric, the models'
    numbers follow each other: ``hits_5`` and ``hits_10`` are two metrics.

    >>> _are_same_metrics([("auc",), ("auc_2",)], "auc")
    True
    >>> _are_same_metrics([("auc", "auc_1"), ("auc_2", "auc_3")], "auc")
    True
    >>> _are_same_metrics([("hits_5",), ("hits_10",)], "hits")
    False
    """
    numbers = sorted([_number_of(name, base) for name in block] for block in blocks)
    size = len(numbers[0])
    if any(len(own) != size or own[-1] - own[0] != size - 1 for own in numbers):
        return False
    firsts = [own[0] for own in numbers]
    if any(later - first < size for first, later in itertools.pairwise(firsts)):
        return False
    return firsts[0] == 0 or (size == 1 and firsts[-1] - firsts[0] < len(firsts))


def join_numbered(
    series: Mapping[str, Series],
) -> tuple[dict[str, Series], list[int], tuple[str, ...]]:
    """Join the series of one metric that several fits of a training numbered.

    A model that is compiled once more, or made anew in another worker, logs as auc_1
    what was auc before. They are joined only if each epoch with a value of any series
    has one under exactly one of the names.

    Return them by the first of their names; the positions at which a later name begins
    for good, because another fit began there; and which names were read as which.
    """
    numbered: dict[str, list[str]] = {}
    begins: set[int] = set()
    known = np.any([own.recorded for own in series.values()], axis=0)
    told = [name for name, own in series.items() if own.recorded.any()]
    for base, names in by_key(told, without_number).items():
        alike = by_key(names, lambda name: series[name].recorded.tobytes())
        there = [np.flatnonzero(series[own[0]].recorded) for own in alike.values()]
        n_values = np.bincount(np.concatenate(there), minlength=len(known))
        in_turn = len(alike) > 1 and bool((n_values == known).all())
        if in_turn and _are_same_metrics([tuple(own) for own in alike.values()], base):
            for first, *others in zip(*alike.values(), strict=True):
                numbered[first] = others
            follow = all(own[-1] < later[0] for own, later in itertools.pairwise(there))
            begins.update(int(own[0]) for own in there[1:] if follow)
    later = {name for names in numbered.values() for name in names}
    joined = {
        name: reduce(
            lambda merged, other: series[other].filled_by(merged),
            numbered.get(name, ()),
            own,
        )
        for name, own in series.items()
        if name not in later
    }
    notes = (renamed_note(numbered),) if numbered else ()
    return joined, sorted(begins), notes


def are_numbered_anew(names: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether other names are the same ones, as Keras numbers a later model's.

    The first model's have no number, or the numbers go up by one.

    >>> are_numbered_anew(["loss", "auc"], ["loss", "auc_2"])
    True
    >>> are_numbered_anew(["auc_1"], ["auc_2"]), are_numbered_anew(["auc"], ["acc_1"])
    (True, False)
    """
    bases = [without_number(name) for name in names]
    if bases != [without_number(name) for name in others]:
        return False
    return len(set(bases)) == len(bases) and all(map(_goes_on, names, others, bases))


def _goes_on(name: str, other: str, base: str) -> bool:
    if name in (base, other):
        return True
    return other != base and _number_of(other, base) == _number_of(name, base) + 1


def _number_of(name: str, base: str) -> int:
    """Return the number that stands behind a name's base; 0 for the base itself."""
    return 0 if name == base else int(name.removeprefix(f"{base}_"))


def renamed_note(numbered: Mapping[str, Sequence[str]]) -> str:
    """Say which names were read as which, the key."""
    listed = ", ".join(
        f"{_enumerated(others)} as {name}" for name, others in numbered.items()
    )
    return (
        f"read {listed}: Keras numbers the metrics of a second model, and a callback "
        "that watches the first one's name sees no value there"
    )


def _enumerated(names: Sequence[str]) -> str:
    *most, last = dict.fromkeys(names)
    if len(most) > _SHOWN:
        return f"{', '.join(most[:_SHOWN])}, ... and {last}"
    return f"{', '.join(most)} and {last}" if most else last


_SHOWN = 5


def name_metrics_alike(logs: Sequence[list[Run]]) -> None:
    """Give a metric one name in all runs, if only Keras's appended number differs.

    ``keras.metrics.AUC()`` is called auc in the first model of a process, auc_1 in the
    second: folds of one script differ in it. Two of them in each model are auc and
    auc_1, then auc_2 and auc_3. A column without a value in a run is none of its
    metrics: a table of several folds has those of all. What another framework numbers
    is left as it is.

    `logs` are the runs of each log, which are replaced there.
    """
    runs = [run for log in logs for run in log if _may_be_of_keras(run)]
    if not any(name[-1:].isdigit() for run in runs for name in run.series):
        return
    variants: dict[str, set[tuple[str, ...]]] = {}
    for run in runs:
        for base, names in _by_base(run).items():
            variants.setdefault(base, set()).add(names)
    numbered = {
        base
        for base, blocks in variants.items()
        if len(blocks) > 1 and _are_same_metrics(blocks, base)
    }
    for log in logs:
        log[:] = [
            _renamed(run, numbered) if _may_be_of_keras(run) else run for run in log
        ]


def _may_be_of_keras(run: Run) -> bool:
    # a graph of TensorFlow 1 numbers its names, and so an Estimator its summaries
    return not run.framework and _OF_ESTIMATOR not in run.series


_OF_ESTIMATOR = "global_step/sec"


def _by_base(run: Run) -> dict[str, tuple[str, ...]]:
    """Return the series that have values by their names without number, in order."""
    names = [name for name, own in run.series.items() if own.recorded.any()]
    return {
        base: tuple(sorted(own, key=lambda name: _number_of(name, base)))
        for base, own in by_key(names, without_number).items()
    }


def _renamed(run: Run, numbered: set[str]) -> Run:
    changes = {
        name: f"{base}_{rank}" if rank else base
        for base, names in _by_base(run).items()
        if base in numbered
        for rank, name in enumerate(names)
    }
    changes = {name: new for name, new in changes.items() if name != new}
    # the other folds' columns of one table
    series = {
        name: own
        for name, own in run.series.items()
        if own.recorded.any() or without_number(name) not in numbered
    }
    if not changes and len(series) == len(run.series):
        return run
    notes = [renamed_note({new: [name] for name, new in changes.items()})]
    alike = replace(run, series=series).renamed(changes)
    return alike.with_notes(*notes[: len(changes)])
