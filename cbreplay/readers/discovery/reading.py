"""The files of one training, read and joined: its log, its event files, run.json."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from cbreplay.errors import LogError
from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.discovery.found_logs import placed
from cbreplay.readers.discovery.training_files import Seen, training_of
from cbreplay.readers.files import check_size, read_bytes
from cbreplay.readers.formats import FORMATS, asked_format, reader_for

if TYPE_CHECKING:
    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.discovery.training_files import TrainingFiles
    from cbreplay.run import Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["OneTraining", "read_content"]


def read_content(
    content: bytes, source: str, options: ReadOptions, *, has_lines: bool = True
) -> list[Run]:
    """Read a log of any format that is no file, or the table of what is in Python."""
    from cbreplay.readers.csv_logger import CsvLoggerReader

    if asked_format(content[:_BEGINNING], source) == "csv":
        reader = CsvLoggerReader(options)
        return list(reader.read_content(content, source, has_lines=has_lines))
    from cbreplay.readers.discovery.remote import copied

    with copied(content, source) as local:
        files = OneTraining(training_of(local), options, [], alone=True)
        (runs,) = files.read().values()
    return [placed(run, source) for run in runs]


_BEGINNING = 65_536


class OneTraining:
    """The log and the event files of one training, which are read and joined.

    If `alone`, the file was asked for by its name. In a directory, a file that cannot
    be read does not hide the ones that can.
    """

    def __init__(
        self,
        training: TrainingFiles,
        options: ReadOptions,
        seen: list[Seen],
        *,
        alone: bool,
    ) -> None:
        self.training, self.options, self.seen = training, options, seen
        self.alone = alone
        self.failed: list[LogError] = []
        self.by_place: dict[str, list[Run]] = {}

    def read(self) -> dict[str, list[Run]]:
        """Return the trainings, by the place that names them.

        It is one, unless the files hold several.

        Raises
        ------
        LogError
            If none of the files can be read.
        """
        training = self.training
        metadata = self._metadata()
        if training.log is not None:
            self._read_log(training.log, metadata)
        if training.events is not None:
            self._read_events(training.events, metadata)
        if not self.by_place:
            raise self._nothing()
        notes = [f"left out beside it: {error.sentence}" for error in self.failed]
        if metadata is not None and metadata.without_end:
            self._name_missing_end(metadata)
        return {
            place: [run.with_notes(*notes) if notes else run for run in runs]
            for place, runs in self.by_place.items()
        }

    def _metadata(self) -> RunMetadata | None:
        """Return what run.json says; in a directory, None if it cannot be read."""
        path = self.training.run_json
        if path is None:
            return None
        from cbreplay.readers.discovery.run_json import parse_run_metadata

        try:
            content = read_bytes(path, self.options.max_bytes, _RUN_JSON_SHARE)
            text = content.decode("utf-8-sig", "replace")
            return parse_run_metadata(text, source=path)
        except LogError as error:
            self._failed(error, path)
            return None

    def _failed(self, error: LogError, path: str) -> None:
        """Record a file that cannot be read; raise if it was asked for by its name."""
        if self.alone:
            raise error
        self.failed.append(error)
        fate = "passed by" if isinstance(error, ForeignLogError) else "dropped"
        # of a directory of event files one is damaged
        damaged = error.source if os.path.isdir(path) else path
        self.seen.append(Seen(damaged or path, fate, error.problem))

    def _read_log(self, log: str, metadata: RunMetadata | None) -> None:
        log_format = self.training.log_format
        reader = reader_for(log_format, self.options, metadata)
        try:
            check_size(log, self.options.max_bytes)
            runs = list(reader.read(log))
        except LogError as error:
            self._failed(error, log)
            return
        self.by_place[self.training.place] = runs
        self.seen.append(Seen(log, "read", FORMATS[log_format].spoken))

    def _read_events(self, events: str, metadata: RunMetadata | None) -> None:
        """Read the event files too; beside a log, foreign ones are skipped."""
        place = self.training.place
        logged = self.by_place.get(place, [])
        reader = reader_for("events", self.options, metadata)
        try:
            event_runs = list(reader.read(events))
        except ForeignLogError as error:
            if not logged:
                self._failed(error, events)
                return
            self.seen.append(Seen(events, "passed by", error.problem))
            note = f"the event files were left out: {error.problem}"
            self.by_place[place] = [run.with_notes(note) for run in logged]
            return
        except LogError as error:
            self._failed(error, events)
            return
        if logged:
            self._join_events(events, logged, event_runs, metadata)
            return
        self.seen.append(Seen(events, "read", FORMATS["events"].spoken))
        self.by_place[self.training.place_of_events] = event_runs

    def _join_events(
        self,
        events: str,
        logged: list[Run],
        event_runs: list[Run],
        metadata: RunMetadata | None,
    ) -> None:
        """Join event files with the log beside them, where both hold one training."""
        from cbreplay.readers.discovery.same_training import are_one, join_logs

        place, spoken = self.training.place, FORMATS["events"].spoken
        if len(logged) == 1 < len(event_runs) and self.options.parts == "split":
            # CSVLogger goes on in its file, where each fit has an event file of its own
            as_one = replace(self.options, parts="join")
            resumed = list(reader_for("events", as_one, metadata).read(events))
            if len(resumed) == 1 and are_one(logged[0], resumed[0]):
                # a fit that begins where the first one did was resumed from nothing:
                # two trainings wrote one file at the same time
                is_resumed = resumed[0].first_epoch not in resumed[0].seams
                event_runs = resumed if is_resumed else event_runs
        runs, left = join_logs(logged, event_runs, place)
        joined = len(left) < len(event_runs)
        self.seen.append(Seen(events, "joined" if joined else "read", spoken))
        self.by_place[place] = runs
        if left:
            # where they are not joined these are two logs, each named by its file
            csv_place = place if joined else self.training.log or place
            event_place = self.training.place_of_events
            taken = event_place == csv_place or self.training.is_main_log
            self.by_place = {
                csv_place: runs,
                events if taken else event_place: left,
            }

    def _name_missing_end(self, metadata: RunMetadata) -> None:
        """Note in the last run of a training that its end is not recorded."""
        runs = self.by_place.get(self.training.place, [])
        if not runs:
            return
        from cbreplay.system.run_lock import spoken_missing_end

        directory = os.path.dirname(self.training.run_json or "") or os.curdir
        last, planned = runs[-1].horizon + 1, metadata.fit.epochs
        runs[-1] = runs[-1].with_notes(spoken_missing_end(directory, last, planned))

    def _nothing(self) -> LogError:
        if self.failed:
            return self.failed[0]
        problem = "there is no log beside this run.json"
        hint = "Put logs.csv or tensorboard/ there, or remove the file"
        source = self.training.run_json or self.training.place
        self.seen.append(Seen(source, "dropped", problem))
        return LogError(problem, source=source, hint=hint)


# a log may hold this many times as much as a run.json
_RUN_JSON_SHARE = 64
