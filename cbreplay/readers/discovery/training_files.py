"""Which files and links under a directory are tried as logs, which belong together."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.by_key import by_key
from cbreplay.errors import LogError
from cbreplay.readers.base import UnreadableError
from cbreplay.readers.columns.header import decode_beginning
from cbreplay.readers.discovery.event_places import (
    RUN_JSON,
    TENSORBOARD,
    FoundFiles,
    event_root,
    owner,
    roots_of_curves,
    run_json_above,
    run_json_beside,
    stand_in_table,
)
from cbreplay.readers.entries import (
    is_directory,
    is_event_file,
    is_hidden,
    list_entries,
)
from cbreplay.readers.files import check_content, read_beginning
from cbreplay.readers.formats import (
    LOGS_CSV,
    asked_format,
    format_of,
    named_like_a_log,
    named_like_a_pickle,
    tells_data_sets,
)
from cbreplay.readers.other_tools.mlflow_store import is_stored_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import Damage

__all__ = ["Seen", "TrainingFiles", "as_people_count", "find_trainings", "training_of"]


class TrainingFiles(NamedTuple):
    """The files of one training.

    Parameters
    ----------
    place : str
        The directory or file that names it.
    log : str or None
        The CSV or JSON.
    log_format : str
        Which of `FORMATS` it is of.
    events, run_json : str or None
        The TensorBoard directory or event file, and the metadata.
    """

    place: str
    log: str | None = None
    log_format: str = "csv"
    events: str | None = None
    run_json: str | None = None

    @property
    def is_main_log(self) -> bool:
        """Whether the log is by its name that of its directory, as logs.csv is."""
        return os.path.basename(self.log or "") in LOGS_CSV

    @property
    def place_of_events(self) -> str:
        """What names the event files where no log is joined with them.

        It is their own directory, whatever loose logs lie beside it, unless that of
        the training is certain without such a log.
        """
        events = self.events or self.place
        named = os.path.basename(events) == TENSORBOARD
        certain = named or self.is_main_log or self.run_json is not None
        return self.place if certain else events


def training_of(path: str) -> TrainingFiles:
    """Return the training of one file that was asked for by its name."""
    found = "events"
    _refuse_script(path)
    if not is_event_file(path):
        found = asked_format(read_beginning(path), path)
    if found == "events":
        return TrainingFiles(place=path, events=path, run_json=run_json_above(path))
    return TrainingFiles(
        place=path, log=path, log_format=found, run_json=run_json_beside(path)
    )


def _refuse_script(path: str) -> None:
    """Refuse a script or a notebook: it is no log."""
    kind = _SCRIPTS.get(os.path.splitext(path)[1].lower())
    if kind is not None and os.path.isfile(path):
        problem = f"this is a {kind}, and no log"
        hint = f"Its callbacks are read by -c @{path}, beside a log, and checked by "
        hint += f"cbreplay lint {path}"
        raise LogError(problem, source=path, hint=hint)


_SCRIPTS = {".py": "Python script", ".ipynb": "notebook"}


class Seen(NamedTuple):
    """A file or directory that was looked at, and what became of it.

    Parameters
    ----------
    path : str
        Where it is.
    fate : {"read", "joined", "passed by", "dropped", "not followed"}
        What became of it.
    detail : str
        What it is, or why it was not read.
    """

    path: str
    fate: str
    detail: str


def find_trainings(root: str, seen: list[Seen], damage: Damage) -> list[TrainingFiles]:
    """Look through a directory for trainings, in the order of their paths.

    Hidden directories are left out, and so are links to directories and links that
    lead out: what they lead to inside is found at its own place.

    What was passed by is added to `seen`, and why.

    Raises
    ------
    LogError
        If a directory cannot be listed, and that is an error.
    """
    root = root.rstrip(os.sep) or root
    found, event_directories = _find_files(root, seen, damage)
    for events in [own for own in event_directories if stand_in_table(own, root)]:
        del event_directories[events]
        again = "event files of what stands in CatBoost's table beside them"
        seen.append(Seen(events, "passed by", again))
    curves = roots_of_curves(event_directories, root)
    event_roots = [
        curves.get(directory) or event_root(directory, root, found)
        for directory in event_directories
        if curves.get(directory) not in event_directories
    ]
    for events in dict.fromkeys(event_roots):
        found[owner(events, root, found)].events.append(events)
    trainings = [
        training
        for at in sorted(found, key=as_people_count)
        for training in _trainings(at, found[at])
    ]
    if len(trainings) > 1:
        trainings = _paired([_named_by_file(training, root) for training in trainings])
    return [_with_run_json_above(training, root) for training in trainings]


def _what_is(path: str) -> str:
    """Say what a file is that is no known log."""
    beginning = read_beginning(path)
    try:
        if path.endswith(_RECORDS):
            check_content(beginning, path)
    except LogError as error:
        return f"{error.problem}. {error.hint}"
    if path.lower().endswith((".csv", ".tsv")):
        if re.match(_ONE_COLUMN, beginning):
            return f"a single column; {_BY_NAME}"
        if re.match(_NUMBERS_BELOW, beginning) and _tells_data_sets(beginning):
            return f"no column of epochs; {_BY_NAME}"
    return "no log that is known"


def _tells_data_sets(beginning: bytes) -> bool:
    # of bytes that are no text, there is no first line
    names = decode_beginning(beginning).partition("\n")[0]
    cells = re.split(r"[,;\t]", names)
    return tells_data_sets({name.strip(' "\r') for name in cells})


_BY_NAME = "given by its name, its rows are taken as epochs"


# a name, and numbers below it
_ONE_COLUMN = rb"\s*\"?[A-Za-z][\w/.-]*\"?\s*\n\s*[-+]?\.?[0-9][0-9.eE+-]*\s*(\n|$)"
# names, and rows of numbers below them
_NUMBERS_BELOW = rb"[^\n]*[A-Za-z][^\n]*\n[-+0-9.eE,;\t \r]+(\n|$)"


def as_people_count(path: str) -> list[str | float]:
    """Return a sort key for paths that puts seed2 before seed10.

    >>> sorted(["seed10", "seed2"], key=as_people_count)
    ['seed2', 'seed10']
    >>> sorted(["lr0.01/1", "lr0.0001/2", "lr0.1/0"], key=as_people_count)
    ['lr0.0001/2', 'lr0.01/1', 'lr0.1/0']
    """
    parts = re.split(_NUMBERS, path)
    return [_number(part) if at % 2 else part for at, part in enumerate(parts)]


# 0.05 comes before 0.1; in 1.10 and 1.9, perhaps versions, each part is a number
_NUMBERS = r"((?<![0-9.])0\.[0-9]+(?!\.?[0-9])|[0-9]+)"


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def _named_by_file(training: TrainingFiles, root: str) -> TrainingFiles:
    """Name a log directly in `root` by its file, unless it has other files too."""
    is_lone = (training.place, training.events, training.run_json) == (root, None, None)
    if not is_lone or training.log is None:
        return training
    return training._replace(place=training.log)


def _paired(trainings: list[TrainingFiles]) -> list[TrainingFiles]:
    """Join a lone CSV and lone event files of the same name to one training.

    As ``timers/run3.csv`` and ``boards/run3/``; whether they are one training, their
    values tell.
    """
    if not any(training.events for training in trainings):
        return trainings
    lone = [own for own in trainings if own.run_json is None]
    csvs, boards = by_key(lone, _stem_of_csv), by_key(lone, _name_of_board)
    pairs = {
        csvs[name][0]: boards[name][0]
        for name in csvs.keys() & boards.keys()
        if len(csvs[name]) == len(boards[name]) == 1
    }
    taken = set(pairs.values())
    return [
        training._replace(events=pairs[training].events)
        if training in pairs
        else training
        for training in trainings
        if training not in taken
    ]


def _stem_of_csv(training: TrainingFiles) -> str | None:
    if training.log is None or training.events or training.log_format != "csv":
        return None
    return os.path.basename(training.log).removesuffix(".gz").rpartition(".")[0]


def _name_of_board(training: TrainingFiles) -> str | None:
    alone = training.events is not None and training.log is None
    return os.path.basename(training.events or "") if alone else None


def _with_run_json_above(training: TrainingFiles, root: str) -> TrainingFiles:
    """Look into the directory above, if a TensorBoard directory was asked for."""
    if (training.events, training.log, training.run_json) != (root, None, None):
        return training
    return training._replace(run_json=run_json_above(root))


def _find_files(
    root: str, seen: list[Seen], damage: Damage
) -> tuple[dict[str, FoundFiles], dict[str, None]]:
    """Return what each directory holds, and the directories with event files."""
    from cbreplay.readers.other_tools.json_text import find_epoch_files

    found: dict[str, FoundFiles] = {}
    event_directories: dict[str, None] = {}
    for directory, names in _walk(root, seen, damage):
        here = found.setdefault(directory, FoundFiles())
        if is_stored_run(directory):
            here.logs[directory] = "mlflow"
        of_epochs = find_epoch_files(directory, names)
        if of_epochs:
            here.logs[directory] = "json"
        for name in [name for name in names if name not in of_epochs]:
            path = os.path.join(directory, name)
            if is_event_file(path):
                event_directories.setdefault(directory)
            elif name == RUN_JSON and format_of(path) != "mlflow":
                here.run_json = path
            elif (log_format := format_of(path)) is not None:
                here.logs[path] = log_format
            else:
                seen.append(Seen(path, "passed by", _what_is(path)))
    return found, event_directories


def _walk(
    root: str, seen: list[Seen], damage: Damage
) -> Iterator[tuple[str, list[str]]]:
    """Yield each directory with the names of its files, both in order."""
    own: list[str] = []
    linked: list[str] = []
    pending = [root]
    while pending:
        directory = pending.pop()
        try:
            entries = list_entries(directory)
        except UnreadableError as error:
            damage.remember(error)
            seen.append(Seen(directory, "dropped", error.problem))
            continue
        shown = [entry for entry in entries if not is_hidden(entry.name)]
        # many directories hold one log and nothing else
        if len(shown) > 1:
            shown.sort(key=lambda entry: as_people_count(entry.name))
        below = [entry for entry in shown if is_directory(entry)]
        others = [entry for entry in shown if not is_directory(entry)]
        logs = [entry for entry in others if _may_be_log(entry.name)]
        seen += [
            Seen(entry.path, "not followed", "a link to a directory")
            for entry in below
            if entry.is_symlink()
        ]
        linked += [entry.path for entry in logs if entry.is_symlink()]
        # a pipe would wait for its writer
        kept = [entry for entry in logs if not entry.is_symlink() and entry.is_file()]
        own += [entry.path for entry in kept]
        yield directory, [entry.name for entry in kept]
        pending += [entry.path for entry in reversed(below) if not entry.is_symlink()]
    if linked:
        inside = os.path.join(os.path.realpath(root), "")
        yield from _linked(linked, own, inside, seen)


def _linked(
    linked: Sequence[str], own: Sequence[str], inside: str, seen: list[Seen]
) -> Iterator[tuple[str, list[str]]]:
    """Yield linked files whose target lies inside and is not found there itself."""
    taken = {os.path.realpath(path) for path in own}
    for path in linked:
        target = os.path.realpath(path)
        if not target.startswith(inside):
            seen.append(Seen(path, "not followed", "a link that leads out"))
        elif target in taken:
            where = os.path.relpath(target, inside)
            seen.append(Seen(path, "passed by", f"a link to {where}, which is read"))
        elif os.path.isfile(target):
            taken.add(target)
            yield os.path.dirname(path), [os.path.basename(path)]
        elif not os.path.exists(target):
            seen.append(Seen(path, "passed by", "a link to what is not there"))


def _may_be_log(name: str) -> bool:
    # the records of trackers are no logs, but a directory without a log names them
    known = "tfevents" in name or name.endswith(_RECORDS)
    return known or named_like_a_log(name) or named_like_a_pickle(name)


_RECORDS = (".wandb", "mlflow.db")


def _trainings(place: str, found: FoundFiles) -> Iterator[TrainingFiles]:
    """Yield the training of a directory, and each further log as one of its own."""
    logs, events = dict(found.logs), list(found.events)
    names = {os.path.basename(path): path for path in logs}
    main = next((names[name] for name in LOGS_CSV if name in names), None)
    if main is None and len(logs) == 1:
        main = next(iter(logs))
    named = [path for path in events if os.path.basename(path) == TENSORBOARD]
    beside = (named or [path for path in events if path == place] or events)[:1]
    if main is not None or beside or found.run_json is not None:
        yield TrainingFiles(
            place=place,
            log=main,
            log_format=logs.get(main or "", "csv"),
            events=beside[0] if beside else None,
            run_json=found.run_json,
        )
    for path, log_format in logs.items():
        if path != main:
            yield TrainingFiles(place=path, log=path, log_format=log_format)
    yield from (
        TrainingFiles(place=path, events=path) for path in events if path not in beside
    )
