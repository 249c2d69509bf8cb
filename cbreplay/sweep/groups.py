"""Which runs have one setting and differ only by seed, so that they count as one."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

from cbreplay.arguments import checked
from cbreplay.by_key import by_key
from cbreplay.errors import ConfigError
from cbreplay.rules.base import class_name
from cbreplay.rules.families import stands_by
from cbreplay.rules.registry import find_rule
from cbreplay.sweep.seeds_in_names import (
    across_seeds,
    folder_of,
    last_part,
    name_groups,
    without_seed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from cbreplay.run import Series
    from cbreplay.run_metadata import RunMetadata

__all__ = [
    "Described",
    "Grouping",
    "count_trainings_once",
    "find_groups",
    "join_labels",
    "label_seeds",
]

_WAYS = ("auto", "none", "directory", "learning-rate", "run.json")
# keys of run.json that differ between seeds of one setting, or affect no training
_APART = frozenset(
    [
        "schema",
        "written_by",
        "seed",
        "started",
        "wall_seconds",
        "ended",
        "keras",
        "earlier_fits",
        "fit",
        "callbacks",
        "learning_rate_column",
        "without",
    ]
)
_PLAN = ("epochs", "validation_freq")


class Described(Protocol):
    """What is needed of a run to tell its setting: a Run, or what a sweep keeps."""

    @property
    def name(self) -> str:
        """How it is called, and where it lies."""
        ...

    @property
    def metadata(self) -> RunMetadata | None:
        """What ``run.json`` says."""
        ...

    @property
    def learning_rate(self) -> Series | None:
        """The recorded rates."""
        ...


class Grouping(NamedTuple):
    """Which runs belong together.

    Parameters
    ----------
    rows : tuple of tuple of int
        The runs of each group.
    names : tuple of str
        What each group is called.
    settings : tuple of tuple of int
        The runs of each setting, by which the spread between seeds is measured; the
        groups, unless these are single runs.
    by : {"run", "seed", "setting", "training", "asked"}
        ``"run"``: every run is a group of its own. ``"seed"``: so, because all are of
        one setting. ``"setting"``: groups were found. ``"training"``: the runs of one
        training are a group. ``"asked"``: the user named them.
    joined : tuple of int
        The runs that would count apart if they were not of one training.
    apart : tuple of tuple of int
        The groups as they were before these were joined; empty where none were.
    """

    rows: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    settings: tuple[tuple[int, ...], ...]
    by: Literal["run", "seed", "setting", "training", "asked"]
    joined: tuple[int, ...] = ()
    apart: tuple[tuple[int, ...], ...] = ()


@checked
def find_groups(
    runs: Sequence[Described], group_by: str | Sequence[Any] | None
) -> Grouping:
    """Find the runs that differ only by seed.

    By what ``run.json`` says of the setting; without it by the directory and the
    recorded learning rate. Where all runs are of one setting, each stands for itself:
    the question is then about another training of this setting.

    Parameters
    ----------
    runs : sequence of Run, or of what else is described so
        The runs.
    group_by : str or sequence, optional
        ``"none"``, ``"directory"``, ``"learning-rate"``, ``"run.json"``, a key of
        ``run.json`` such as ``"optimizer.class"``, or one label a run.

    Raises
    ------
    ConfigError
        If no run has what is asked for.
    """
    by: Literal["run", "seed", "setting", "asked"] = "asked"
    if group_by is None or group_by == "auto":
        settings = found = _collect(_label_settings(runs))
        by = "run" if len(found) == len(runs) else "setting"
        if len(found) == 1 and len(runs) > 1:
            found, by = _collect(range(len(runs))), "seed"
        names = name_groups(_names(runs), found)
    else:
        labels = _label_as_asked(runs, group_by)
        settings = found = _collect(labels)
        asked = [_spoken_label(group_by, labels[rows[0]]) for rows in found]
        names = name_groups(_names(runs), found, asked)
        if group_by == "none":
            settings, by = (), "run"
    return Grouping(found, names, settings, by)


def count_trainings_once(
    grouping: Grouping, runs: Sequence[Described], trainings: Sequence[int]
) -> Grouping:
    """Return a grouping in which no two groups hold runs of one training.

    Groups that share a training are one group, as they are no independent trials.
    Where that leaves one group of all that were found, as every setting was trained
    from the same seeds, each training is a group: the question is then about another
    training of these settings.

    `trainings` has a number for each run, the same for those of one training.
    """
    group = np.empty(len(runs), np.int64)
    for place, rows in enumerate(grouping.rows):
        group[list(rows)] = place
    parted = [rows for rows in _collect(trainings) if len({*group[list(rows)]}) > 1]
    if not parted:
        return grouping
    found, by = _collect(join_labels(trainings, group.tolist())), grouping.by
    if by in ("run", "seed") or (len(found) == 1 and by == "setting"):
        found, by = _collect(trainings), "training"
    return Grouping(
        found,
        name_groups(_names(runs), found),
        grouping.settings,
        by,
        tuple(sorted(row for rows in parted for row in rows)),
        grouping.rows,
    )


def _names(runs: Sequence[Described]) -> list[str]:
    return [run.name for run in runs]


def label_seeds(runs: Sequence[Described]) -> list[Hashable]:
    """Label each run by its setting and seed, or alone where no run.json has both."""
    settings = [_setting(run) for run in runs]
    seeds = [
        None if run.metadata is None else run.metadata.raw.get("seed") for run in runs
    ]
    return [
        row if setting is None or seed is None else (setting, repr(seed))
        for row, (setting, seed) in enumerate(zip(settings, seeds, strict=True))
    ]


def join_labels(*labelings: Sequence[Hashable]) -> list[int]:
    """Return, for each place, the first one that shares a label with it.

    Two places are joined too if each of them shares a label with a third one.

    >>> join_labels(["a", "b", "b", "c"], [1, 2, 1, 3])
    [0, 0, 0, 3]
    """
    above = list(range(len(labelings[0])))

    def first_of(place: int) -> int:
        while above[place] != place:
            above[place] = above[above[place]]
            place = above[place]
        return place

    for labels in labelings:
        holder: dict[Hashable, int] = {}
        for place, label in enumerate(labels):
            ends = first_of(holder.setdefault(label, place)), first_of(place)
            above[max(ends)] = min(ends)
    return [first_of(place) for place in above]


def _collect(labels: Iterable[Hashable]) -> tuple[tuple[int, ...], ...]:
    """Return the places of each label; None is a label like any other."""
    held = [(label,) for label in labels]
    return tuple(map(tuple, by_key(range(len(held)), held.__getitem__).values()))


def _label_settings(runs: Sequence[Described]) -> list[Hashable]:
    """Label each run by ``run.json``, or as the runs that lie beside it are labelled.

    A run without ``run.json`` that lies where the runs of one setting lie is taken to
    be of this setting.
    """
    described = [_setting(run) for run in runs]
    places = _label_places(runs)
    settings: dict[Hashable, set[str]] = {}
    for place, setting in zip(places, described, strict=True):
        settings.setdefault(place, set()).update([] if setting is None else [setting])
    return [
        setting or (min(settings[place]) if len(settings[place]) == 1 else place)
        for place, setting in zip(places, described, strict=True)
    ]


def _setting(run: Described) -> str | None:
    """Return what ``run.json`` says of a setting, as text; None without one."""
    if run.metadata is None or not run.metadata.raw:
        return None
    raw = run.metadata.raw
    setting = {key: value for key, value in raw.items() if key not in _APART}
    fit = raw.get("fit") or {}
    setting["fit"] = {key: value for key, value in fit.items() if key not in _PLAN}
    # a fit that went on from another model is no seed of the one before it; where the
    # earlier fits are part of the run, it begins where these do
    if raw.get("earlier_fits") or not setting["fit"].get("initial_epoch"):
        setting["fit"].pop("initial_epoch", None)
    optimizer = raw.get("optimizer")
    if isinstance(optimizer, dict) and "steps_taken" in optimizer:
        # how many depends on where the fit before it was stopped
        setting["optimizer"] = {**optimizer, "steps_taken": None}
    setting["callbacks"] = [
        text for text in run.metadata.callbacks if not _decides_no_training(text)
    ]
    return json.dumps(setting, sort_keys=True, default=str)


def _decides_no_training(text: str) -> bool:
    name = class_name(text)
    row = find_rule(name)
    if row is None:
        return stands_by(name)
    # a rule changes a training before its end only through the rate
    changes_rate: bool = row.load().changes_learning_rate
    return not changes_rate


def _label_places(runs: Sequence[Described]) -> list[Hashable]:
    """Label each run by its directory, its name without seed, and its rates."""
    folders = [folder_of(run.name) for run in runs]
    differ = len(set(folders)) > 1
    labels: list[Hashable] = []
    for run, folder in zip(runs, folders, strict=True):
        stem, seeded = without_seed(last_part(run.name))
        # a directory for each setting tells which runs are alike; else their names do
        own = "" if (differ and folder) or seeded else run.name
        labels.append((folder, stem if seeded else "", own))
    # where every seed has a directory, each of these may hold a log of each setting
    across = [across_seeds(run.name) for run in runs]
    often = Counter(across)
    labels = [
        label if alike is None or often[alike] == 1 else alike
        for label, alike in zip(labels, across, strict=True)
    ]
    return _by_rate(runs, labels)


def _by_rate(runs: Sequence[Described], labels: Sequence[Hashable]) -> list[Hashable]:
    """Add to each label the values that the run's rate took, whatever the epochs.

    Reductions on a plateau come at other epochs in every seed, and a run that ended
    earlier has fewer: it gets the longest sequence under its label that begins so.
    """
    values = [_rate_values(run) for run in runs]
    taken: dict[Hashable, set[tuple[float, ...]]] = {}
    for label, own in zip(labels, values, strict=True):
        taken.setdefault(label, set()).add(own)
    longest = {label: _find_longest(held) for label, held in taken.items()}
    return [
        (label, longest[label][own]) for label, own in zip(labels, values, strict=True)
    ]


def _find_longest(
    taken: Iterable[tuple[float, ...]],
) -> dict[tuple[float, ...], tuple[float, ...]]:
    """Return, for each sequence, the longest one that begins with it."""
    longest: dict[tuple[float, ...], tuple[float, ...]] = {}
    after: tuple[float, ...] = ()
    # sorted backwards, a sequence comes right after those that begin with it
    for own in sorted(taken, reverse=True):
        goes_on = bool(own) and after[: len(own)] == own
        longest[own] = longest[after] if goes_on else own
        after = own
    known = {*longest.values()} - {()}
    # a rate that was not recorded is no other rate
    return longest | {(): known.pop()} if len(known) == 1 else longest


def _rate_values(run: Described) -> tuple[float, ...]:
    """Return the values that the recorded rate takes, one after the other."""
    if run.learning_rate is None:
        return ()
    held = run.learning_rate.values[run.learning_rate.recorded]
    changed = np.flatnonzero(np.concatenate([held[:1] == held[:1], np.diff(held) != 0]))
    return tuple(float(f"{value:.5g}") for value in held[changed].tolist())


def _label_as_asked(
    runs: Sequence[Described], group_by: str | Sequence[Any]
) -> Sequence[Hashable]:
    if not isinstance(group_by, str):
        if len(group_by) != len(runs):
            sentence = (
                f"group_by has {len(group_by)} labels for {len(runs)} runs. "
                "Give one a run, or one of " + ", ".join(map(repr, _WAYS))
            )
            raise ConfigError(sentence)
        return list(group_by)
    ways: dict[str, Callable[[], Sequence[Hashable]]] = {
        "none": lambda: list(range(len(runs))),
        "directory": lambda: [folder_of(run.name) for run in runs],
        "learning-rate": lambda: _by_rate(
            runs, [run.learning_rate is None for run in runs]
        ),
        "run.json": lambda: [_setting(run) for run in runs],
    }
    if group_by in ways:
        return ways[group_by]()
    labels = [_key(run, group_by) for run in runs]
    if all(label is None for label in labels):
        sentence = (
            f"group_by is {group_by!r}, and no run.json has such a key. Give one of "
            f"{', '.join(_WAYS)}, or a key such as optimizer.class, with --group-by "
            "or group_by="
        )
        raise ConfigError(sentence)
    return labels


def _key(run: Described, path: str) -> str | None:
    held: Any = {} if run.metadata is None else run.metadata.raw
    for part in path.split("."):
        held = held.get(part) if isinstance(held, dict) else None
    return None if held is None else json.dumps(held, sort_keys=True, default=str)


def _spoken_label(group_by: str | Sequence[Any], label: Hashable) -> str:
    """Say what the runs of a group that was asked for share; "" if their names do."""
    if isinstance(label, tuple) and group_by == "learning-rate":
        rates = label[1]
        ends = [f"{rate:g}" for rate in dict.fromkeys((*rates[:1], *rates[-1:]))]
        return f"learning rate {' to '.join(ends)}" if ends else "no learning rate"
    if group_by in _WAYS:
        return ""
    told = "unknown" if label is None else str(label)
    return f"{group_by} {told}" if isinstance(group_by, str) else str(label)
