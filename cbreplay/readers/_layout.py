"""Which files under a directory belong to one training."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.readers.base import cannot_open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "RUN_JSON",
    "Training",
    "event_files",
    "find_trainings",
    "run_json_above",
    "run_json_beside",
]

RUN_JSON, _LOGS_CSV, _TENSORBOARD = "run.json", "logs.csv", "tensorboard"
_WRITERS = ("train", "validation")


class Training(NamedTuple):
    """The files of one training.

    Parameters
    ----------
    place : str
        The directory or file that names it.
    csv, events, run_json : str or None
        The CSV, the TensorBoard directory or event file, and the metadata.
    """

    place: str
    csv: str | None = None
    events: str | None = None
    run_json: str | None = None


@dataclass(slots=True, eq=False, repr=False)
class _Directory:
    """What was found for one directory."""

    csvs: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    run_json: str | None = None


def find_trainings(root: str, accepts_csv: Callable[[str], bool]) -> list[Training]:
    """Look through a directory for trainings, in the order of their paths.

    Hidden directories are left out, and links that lead out of the directory.

    Parameters
    ----------
    root : str
        The directory.
    accepts_csv : callable
        Whether a file is a CSV log.

    Raises
    ------
    LogError
        If a directory cannot be listed.
    """
    root = root.rstrip(os.sep) or root
    found: dict[str, _Directory] = {}
    event_roots: dict[str, None] = {}
    for directory, names in _walk(root):
        here = found.setdefault(directory, _Directory())
        for name in names:
            path = os.path.join(directory, name)
            if "tfevents" in name:
                event_roots.setdefault(_event_root(directory, root))
            elif name == RUN_JSON:
                here.run_json = path
            elif accepts_csv(path):
                here.csvs.append(path)
    for events in event_roots:
        found[_owner(events, root, found)].events.append(events)
    trainings = [one for at in sorted(found) for one in _trainings(at, found[at])]
    if len(trainings) > 1:
        trainings = [_named_by_file(one, root) for one in trainings]
    return [_with_run_json_above(one, root) for one in trainings]


def _named_by_file(training: Training, root: str) -> Training:
    """Let a lone CSV beside other logs name itself: the directory holds them all."""
    is_lone = (training.place, training.events, training.run_json) == (root, None, None)
    if not is_lone or training.csv is None:
        return training
    return training._replace(place=training.csv)


def _with_run_json_above(training: Training, root: str) -> Training:
    """Look one directory up, if the directory asked for is a TensorBoard directory."""
    if (training.events, training.csv, training.run_json) != (root, None, None):
        return training
    return training._replace(run_json=run_json_above(root))


def _walk(root: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each directory with the names of its files, both in order."""

    def refuse(error: OSError) -> None:
        raise cannot_open(str(error.filename), error)

    for directory, subdirectories, names in os.walk(root, onerror=refuse):
        subdirectories[:] = sorted(n for n in subdirectories if not n.startswith("."))
        yield (
            directory,
            [name for name in sorted(names) if _is_ours(name, directory, root)],
        )


def _is_ours(name: str, directory: str, root: str) -> bool:
    """Tell whether a name is that of a file which lies under the root."""
    path = os.path.join(directory, name)
    # a pipe would wait for its writer
    if name.startswith(".") or not os.path.isfile(path):
        return False
    return not os.path.islink(path) or _is_inside(path, root)


def _is_inside(path: str, root: str) -> bool:
    return os.path.realpath(path).startswith(os.path.join(os.path.realpath(root), ""))


def event_files(directory: str, root: str) -> list[str]:
    """Return the names of the event files in a directory under the root.

    Links that lead out of the root are left alone.

    Raises
    ------
    LogError
        If the directory cannot be listed.
    """
    if directory != root and not (
        os.path.isdir(directory) and _is_inside(directory, root)
    ):
        return []
    try:
        names = os.listdir(directory)
    except OSError as error:
        raise cannot_open(directory, error) from None
    return [
        name for name in names if "tfevents" in name and _is_ours(name, directory, root)
    ]


def _event_root(directory: str, root: str) -> str:
    """Return the log_dir of the callback: it writes into train/ and validation/."""
    nested = os.path.basename(directory) in _WRITERS and directory != root
    return os.path.dirname(directory) if nested else directory


def _owner(events: str, root: str, found: dict[str, _Directory]) -> str:
    """Return the directory whose training the event files belong to."""
    above = events
    while True:
        if found[above].run_json is not None:
            return above
        if above == root:
            break
        above = os.path.dirname(above)
    if events == root or found[events].csvs:
        return events
    parent = os.path.dirname(events)
    named = os.path.basename(events) == _TENSORBOARD
    return parent if named or found[parent].csvs else events


def _trainings(place: str, found: _Directory) -> Iterator[Training]:
    """Yield the training of a directory, and each further log as one of its own."""
    csvs, events = list(found.csvs), list(found.events)
    main = next((one for one in csvs if os.path.basename(one) == _LOGS_CSV), None)
    if main is None and len(csvs) == 1:
        main = csvs[0]
    named = [one for one in events if os.path.basename(one) == _TENSORBOARD]
    beside = (named or [one for one in events if one == place] or events)[:1]
    if main is not None or beside or found.run_json is not None:
        yield Training(
            place=place,
            csv=main,
            events=beside[0] if beside else None,
            run_json=found.run_json,
        )
    yield from (Training(place=one, csv=one) for one in csvs if one != main)
    yield from (Training(place=one, events=one) for one in events if one not in beside)


def run_json_beside(csv: str) -> str | None:
    """Return the ``run.json`` that describes a CSV given by its path."""
    directory, name = os.path.split(csv)
    other = os.path.join(directory, _LOGS_CSV)
    if name != _LOGS_CSV and os.path.exists(other):
        return None
    return _existing(directory)


def run_json_above(events: str) -> str | None:
    """Return the ``run.json`` of a TensorBoard directory: in it, or just above it."""
    directory = os.path.abspath(events)
    if not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    if os.path.basename(directory) in _WRITERS:
        directory = os.path.dirname(directory)
    return _existing(directory) or _existing(os.path.dirname(directory))


def _existing(directory: str) -> str | None:
    path = os.path.join(directory, RUN_JSON)
    return path if os.path.isfile(path) else None
