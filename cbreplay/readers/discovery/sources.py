"""What each source is (file, directory, pattern, URL, object), and its runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from cbreplay.errors import NO_LOG_IN_DIRECTORY, ConfigError, LogError
from cbreplay.readers.base import (
    Damage,
    ForeignLogError,
    NothingLoggedError,
    ReadOptions,
)
from cbreplay.readers.discovery.found_logs import (
    FoundLogs,
    RunsOfLog,
    files_of,
    name_runs,
    names_of,
    note_left_out,
    part_of,
)
from cbreplay.readers.discovery.reading import OneTraining, read_content
from cbreplay.readers.discovery.training_files import (
    Seen,
    TrainingFiles,
    find_trainings,
    training_of,
)
from cbreplay.readers.files import STDIN, n_unpacked, read_bytes, read_stdin
from cbreplay.readers.formats import format_of
from cbreplay.readers.other_tools.mlflow_store import stored_run_above
from cbreplay.readers.sizes import check_logs, check_unpacked
from cbreplay.run import Run
from cbreplay.series_names import is_rate_name, is_validation
from cbreplay.wording.near_names import nearest_path
from cbreplay.wording.note import Note
from cbreplay.wording.plain_text import is_url, without_secrets
from cbreplay.wording.words import list_first

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Source", "Survey", "survey_sources"]

# a path, a glob pattern, "-", a Run, or one of in_memory's objects
Source: TypeAlias = str | os.PathLike[str] | Run | Mapping[str, Any] | Any

_KINDS = (
    "a path, a glob pattern, a URL, '-', a History, a dict of lists, a DataFrame or a "
    "Run"
)


class Survey(NamedTuple):
    """The runs of some sources, and the files that were looked at."""

    runs: list[Run]
    seen: list[Seen]


def survey_sources(
    sources: Sequence[Source],
    options: ReadOptions,
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Read every run in the sources, and tell what became of each file.

    `progress` is told how many logs have been read and how many there are. Sources,
    options and errors are those of `cbreplay.load_runs`.
    """
    if not sources:
        sentence = f"there is nothing to read: give {_KINDS}"
        raise ConfigError(sentence)
    check_logs(len(sources), "", options.max_bytes)
    # progress counts the logs of a single source, else the sources
    reading = _SourceReader(options, progress if len(sources) == 1 else None)
    found = []
    for done, source in enumerate(sources, 1):
        found.append((source, reading.read_source(source)))
        reading.check_unpacked(str(source) if isinstance(source, str) else "")
        if progress is not None and len(sources) > 1:
            progress(done, len(sources))
    once = reading.read_once(found)
    # only now is it certain that a run is not left out, and its notes with it
    if reading.left_out:
        once[0].note(*reading.left_out)
    runs = name_runs(once)
    if len(sources) == len(runs) == 1 and isinstance(sources[0], (str, os.PathLike)):
        runs = [_with_other_half(runs[0], os.fsdecode(sources[0]))]
    return Survey(runs, reading.seen)


def _with_other_half(run: Run, path: str) -> Run:
    """Let a run of one data set say where the other one of its training is."""
    if len({is_validation(name) for name in run.series}) > 1:
        return run
    from cbreplay.readers.discovery.data_set_files import with_other_half

    return with_other_half(run, path)


class _SourceReader:
    """Reads sources into runs, and notes what became of each file."""

    def __init__(
        self,
        options: ReadOptions,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.options = options
        self.progress = progress
        self.seen: list[Seen] = []
        self.left_out: list[Note] = []
        self.damage = Damage(options)
        self.n_before = n_unpacked()

    def check_unpacked(self, source: str) -> None:
        """Refuse gzip files that together hold too much."""
        n_bytes = n_unpacked() - self.n_before
        check_unpacked(n_bytes, source, self.options.max_bytes)

    def read_once(self, found: list[tuple[Source, list[RunsOfLog]]]) -> list[RunsOfLog]:
        """Join, among the logs read from files, those of one training.

        A metric has one name in all logs, also in those that are objects.

        Raises
        ------
        LogError
            If there is nothing but learning rates, or as `join_trainings`.
        """
        of_files = [
            log
            for source, own in found
            for log in own
            if isinstance(source, (str, os.PathLike))
        ]
        files = FoundLogs(of_files, self.seen, self.options)
        runs = [run for log in of_files for run in log.runs]
        if len(runs) > 1 or any(all(map(is_rate_name, run.series)) for run in runs):
            # most often there is one run, which needs none of it
            from cbreplay.readers.discovery.joined_logs import join_trainings

            join_trainings(files)
        self.left_out += files.notes
        gone = {*of_files} - {*files.logs}
        whole = [log for _, own in found for log in own if log not in gone]
        if sum(len(log.runs) for log in whole) > 1:
            from cbreplay.readers.columns.numbered_names import name_metrics_alike

            name_metrics_alike([log.runs for log in whole])
        return whole

    def read_source(self, source: Source) -> list[RunsOfLog]:
        if isinstance(source, Run):
            return [
                RunsOfLog(source.name, source.name, [_with_plan(source, self.options)])
            ]
        if isinstance(source, (str, os.PathLike)):
            return self.read_path(os.fsdecode(source))
        from cbreplay.readers.in_memory import InMemoryReader, as_csv

        table = as_csv(source)
        if table is not None:
            kind = "dict" if isinstance(source, Mapping) else "DataFrame"
            runs = read_content(table, kind, self.options, has_lines=False)
            return [RunsOfLog(kind, kind, runs)]
        reader = InMemoryReader(self.options)
        if not reader.accepts(source):
            sentence = f"{type(source).__name__} is no source of runs: give {_KINDS}"
            if isinstance(source, (list, tuple)):
                sentence += ", each as an argument of its own: load_runs(*paths)"
            elif type(source).__name__ == "Series":
                sentence += ". Of a Series, give series.to_frame('val_loss')"
            raise ConfigError(sentence)
        runs = list(reader.read(source))
        return [RunsOfLog(runs[0].source, runs[0].source, runs)]

    def read_path(self, path: str) -> list[RunsOfLog]:
        if path == "-":
            content = read_stdin(self.options.max_bytes)
            runs = read_content(content, STDIN, self.options)
            return [RunsOfLog("stdin", "stdin", runs)]
        if is_url(path):
            return self._read_url(path)
        _check_path(path)
        path = stored_run_above(path) or path
        if os.path.isdir(path):
            return self._read_directory(path)
        if os.path.isfile(path):
            return self._read_training(path, training_of(path), alone=True)
        if os.path.exists(path):
            if "tfevents" in os.path.basename(path):
                problem = "this is not a regular file"
                raise LogError(problem, source=path, hint="Give an event file")
            # a pipe, as of <(zcat logs.csv.gz), can be read only once
            content = read_bytes(path, self.options.max_bytes)
            return [RunsOfLog(path, path, read_content(content, path, self.options))]
        return self._read_absent(path)

    def _read_absent(self, path: str) -> list[RunsOfLog]:
        """Read a path that does not exist: a pattern, or ``log#part``."""
        if any(letter in path for letter in "*?["):
            return self._read_pattern(path)
        base, mark, part = path.rpartition("#")
        if mark and os.path.exists(base):
            return [part_of(self.read_path(base), part, base)]
        problem = "there is no such file or directory"
        if without_secrets(path) == path:
            problem += nearest_path(path)
        hint = (
            "Give a CSV of CSVLogger, a run directory, a glob pattern, or - for stdin"
        )
        # pathlib makes one slash of the two of a URL
        raise LogError(problem, source=without_secrets(path), hint=hint)

    def _read_url(self, url: str) -> list[RunsOfLog]:
        """Read the logs at a URL as if they were here, under their own names."""
        from cbreplay.readers.discovery.remote import fetched

        base, mark, part = url.rpartition("#")
        with fetched(base if mark else url, self.options, self.seen) as local:
            found = [
                RunsOfLog(
                    log.name,
                    local.renamed(log.long_name),
                    [local.named(run) for run in log.runs],
                    [local.renamed(path) for path in log.files],
                )
                for log in self.read_path(local.path)
            ]
        return [part_of(found, part, local.url)] if mark else found

    def _read_pattern(self, pattern: str) -> list[RunsOfLog]:
        from cbreplay.readers.discovery.patterns import expand_pattern

        wanted = []
        for path in expand_pattern(pattern, self.damage):
            if os.path.isdir(path):
                inside = find_trainings(path, self.seen, self.damage)
                wanted += [(path, training) for training in inside]
            elif format_of(path) is not None:
                wanted.append((path, training_of(path)))
        if not wanted:
            problem = "no log matches this pattern"
            hint = "Quote it, and check the path"
            nothing = LogError(problem, source=without_secrets(pattern), hint=hint)
            raise next(iter(self.damage.errors), nothing)
        return self._read_all(_once(wanted))

    def _read_directory(self, root: str) -> list[RunsOfLog]:
        root = root.rstrip(os.sep) or root
        n_before = len(self.seen)
        trainings = find_trainings(root, self.seen, self.damage)
        if not trainings:
            hint = "Give a directory with a CSV of CSVLogger (with an epoch column) or "
            hint += "event files of the TensorBoard callback in it or below it"
            # the runs of other sources are not among these
            if self.seen[n_before:]:
                looked_at = self.seen[n_before:]
                told = [f"{own.path} {own.fate} ({own.detail})" for own in looked_at]
                hint += f"; {list_first(told, _SHOWN)}"
            nothing = LogError(NO_LOG_IN_DIRECTORY, source=root, hint=hint)
            raise next(iter(self.damage.errors), nothing)
        return self._read_all([(root, training) for training in trainings])

    def _read_all(self, wanted: list[tuple[str, TrainingFiles]]) -> list[RunsOfLog]:
        """Read the trainings that were found, and skip what is none."""
        source, most = wanted[0][0], self.options.max_bytes
        check_logs(len(wanted), source, most)
        n_runs = 0
        found: list[RunsOfLog] = []
        unlisted, self.damage.errors = self.damage.errors, []
        self.left_out += [
            Note(f"left out a directory: {error.sentence}", "other logs")
            for error in unlisted
        ]
        first: LogError | None = None
        for done, (root, training) in enumerate(wanted):
            if self.progress is not None:
                self.progress(done, len(wanted))
            try:
                read = self._read_training(root, training, alone=False)
            except LogError as error:
                foreign = isinstance(error, ForeignLogError)
                if first is None or isinstance(first, NothingLoggedError):
                    first = error
                if not foreign or training.log_format not in _OFTEN_FOREIGN:
                    self.left_out.append(
                        note_left_out(error, strict=self.damage.strict)
                    )
                continue
            self.check_unpacked(source)
            found += read
            n_runs += sum(len(log.runs) for log in read)
            check_logs(n_runs, source, most)
        if not found:
            raise first or LogError("there is no run", source=wanted[0][0])
        return found

    def _read_training(
        self, root: str, training: TrainingFiles, *, alone: bool
    ) -> list[RunsOfLog]:
        n_before = len(self.seen)
        files = OneTraining(training, self.options, self.seen, alone=alone)
        by_place = files.read()
        used = [own.path for own in self.seen[n_before:] if own.fate in _USED]
        return [
            RunsOfLog(*names_of(root, place), runs, files_of(runs, used))
            for place, runs in by_place.items()
        ]


_USED = ("read", "joined")
# in these formats, files that are no logs but look like one are common
_OFTEN_FOREIGN = ("json", "pickle", "mlflow", "wandb")


def _check_path(path: str) -> None:
    """Refuse text that the system does not take as a path."""
    if not path:
        problem = "'' is no path, as of a variable of the shell that is not set"
        raise LogError(problem, hint="Give the path of a log or of a directory")
    if "\0" in path:
        problem = "there is no such file or directory"
        raise LogError(problem, source=path, hint="Leave out the zero byte")


def _with_plan(run: Run, options: ReadOptions) -> Run:
    planned = options.planned_epochs
    if planned is None or planned == run.planned_epochs:
        return run
    if run.planned_epochs is not None:
        note = f"planned epochs: {planned} as given, not {run.planned_epochs}"
        run = run.with_notes(note)
    return replace(run, planned_epochs=planned)


_SHOWN = 5


def _once(
    wanted: list[tuple[str, TrainingFiles]],
) -> list[tuple[str, TrainingFiles]]:
    """Leave out what a pattern matches twice: a directory, and a log in it."""
    taken: set[str] = set()
    kept = []
    for root, training in wanted:
        files = {
            os.path.realpath(path) for path in (training.log, training.events) if path
        }
        if files and files <= taken:
            continue
        taken |= files
        kept.append((root, training))
    return kept
