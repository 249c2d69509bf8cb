"""Which training event files and a ``run.json`` belong to, by where they lie."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from cbreplay.readers.columns.column_names import CATBOOST
from cbreplay.readers.formats import LOGS_CSV

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = [
    "RUN_JSON",
    "TENSORBOARD",
    "FoundFiles",
    "event_root",
    "owner",
    "roots_of_curves",
    "run_json_above",
    "run_json_beside",
    "stand_in_table",
]

RUN_JSON, TENSORBOARD = "run.json", "tensorboard"
_WRITERS = ("train", "validation")


class FoundFiles:
    """What was found for one directory."""

    __slots__ = ("events", "logs", "run_json")

    def __init__(self) -> None:
        self.logs: dict[str, str] = {}
        self.events: list[str] = []
        self.run_json: str | None = None


def roots_of_curves(directories: Collection[str], root: str) -> dict[str, str]:
    """Return the directories that hold a curve each, with that of the training."""
    if len(directories) == 1:
        return {}
    from cbreplay.readers.event_files.files import curve_roots

    return curve_roots([*directories], root)


def event_root(directory: str, root: str, found: Mapping[str, FoundFiles]) -> str:
    """Return the log_dir of the callback: it writes into train/ and validation/.

    Ultralytics too calls a directory train/, with its log and its settings inside.
    """
    if os.path.basename(directory) not in _WRITERS or directory == root:
        return directory
    settings = os.path.join(directory, "args.yaml")
    own = found[directory].logs or os.path.isfile(settings)
    return directory if own else os.path.dirname(directory)


def owner(events: str, root: str, found: Mapping[str, FoundFiles]) -> str:
    """Return the directory whose training the event files belong to."""
    above = events
    while True:
        # MLflow's autologger copies the event files below the run that it stores
        if found[above].run_json is not None or above in found[above].logs:
            return above
        if above == root:
            break
        above = os.path.dirname(above)
    if events == root or found[events].logs:
        return events
    parent = os.path.dirname(events)
    named = os.path.basename(events) == TENSORBOARD
    return parent if named or found[parent].logs else events


def stand_in_table(events: str, root: str) -> bool:
    """Tell whether a table of CatBoost, found too, holds what these event files do."""
    table = f"{events}_error.tsv"
    named = re.fullmatch(CATBOOST, os.path.basename(table)) is not None
    return events != root and named and os.path.isfile(table)


def run_json_beside(csv: str) -> str | None:
    """Return the ``run.json`` that describes a CSV given by its path."""
    directory, name = os.path.split(csv)
    others = [os.path.join(directory, log) for log in LOGS_CSV]
    if name not in LOGS_CSV and any(map(os.path.exists, others)):
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
