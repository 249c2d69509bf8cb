"""One training whose log has a file for each series: those files as one run.

TensorBoard's page offers a CSV of one series at a time, Neptune's users save one for
each, called by it, and DVCLive and CatBoost write TSVs: files of one run in one
directory are no trainings of their own.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cbreplay.readers.discovery.continued import mark_joined
from cbreplay.readers.discovery.run_names import RunsOfLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.discovery.training_files import Seen

__all__ = ["join_series_files"]

_PAGE = r"(?i)(?:run[-_])?(?P<run>.*?)-tag-.+\.(?:csv|json)(?:\.gz)?"
# what Keras's callback calls its two writers, at the end of a run's name
_WRITER = r"(?i)(?:^|[_./\\-])(?:train|validation)$"
_CATBOOST = r"(learn|test)_error\.tsv"
_DVCLIVE = r"(?P<place>.*)[/\\]plots[/\\]metrics[/\\](?P<name>.+)\.tsv"


def join_series_files(found: list[RunsOfLog], seen: list[Seen]) -> list[RunsOfLog]:
    """Join the files of one training that hold one series each.

    Parameters
    ----------
    found : list of RunsOfLog
        What was read from files.
    seen : list of Seen
        Is told which files were joined.
    """
    groups: dict[tuple[str, str], list[RunsOfLog]] = {}
    for log in found:
        key = _training_of(log)
        if key is not None:
            groups.setdefault(key, []).append(log)
    joined: dict[int, RunsOfLog] = {}
    gone: set[int] = set()
    for (place, training), logs in groups.items():
        named = [name for log in logs for name in log.runs[0].series]
        if len(logs) > 1 and len(set(named)) == len(named) and _are_alike(logs):
            joined[id(logs[0])] = _join(place, logs)
            label = training.removeprefix("page ").strip()
            beside = [other for other in groups if other[0] == place]
            if training.startswith("page ") and label and len(beside) > 1:
                # TensorBoard's page saves files of several runs here, named by the run
                _name_within(joined[id(logs[0])], logs[0], label)
            gone |= {id(log) for log in logs[1:]}
            for log in logs[1:]:
                mark_joined(seen, log.runs[0].source)
    return [joined.get(id(log), log) for log in found if id(log) not in gone]


def _training_of(log: RunsOfLog) -> tuple[str, str] | None:
    """Return the directory and name of the training that a log is one series of.

    None for any other log. Series of CatBoost and DVCLive get their full names, in
    `log` itself.
    """
    run = log.runs[0]
    trees = re.fullmatch(_CATBOOST, os.path.basename(run.source))
    if trees is not None and len(log.runs) == 1:
        log.runs[0] = run.renamed({name: f"{trees[1]}/{name}" for name in run.series})
        return os.path.dirname(run.source), "catboost"
    live = re.fullmatch(_DVCLIVE, run.source)
    timed = len(log.runs) == 1 and len(run.series) > 1 and _TIMES in run.series
    if live is not None and timed:
        # older versions of DVCLive write the time as a number
        others = {name: own for name, own in run.series.items() if name != _TIMES}
        run = log.runs[0] = replace(run, series=others)
    if len(log.runs) > 1 or len(run.series) > 1 or run.seams:
        return None
    place, file = os.path.split(run.source)
    page = re.fullmatch(_PAGE, file)
    if page is not None:
        return place, f"page {re.sub(_WRITER, '', page['run'])}"
    if live is None:
        is_called_so = [file.partition(".")[0]] == [*run.series]
        return (place, "called by its series") if is_called_so else None
    name = live["name"].replace(os.sep, "/")
    log.runs[0] = run.renamed(dict.fromkeys(run.series, name))
    return live["place"], "dvclive"


def _are_alike(logs: Sequence[RunsOfLog]) -> bool:
    """Tell whether series count the same epochs, from the first one to the last."""
    runs = [log.runs[0] for log in logs]
    spans = {(run.first_epoch, run.horizon, run.counts_from) for run in runs}
    return len(spans) == 1


def _join(place: str, logs: Sequence[RunsOfLog]) -> RunsOfLog:
    runs = [log.runs[0] for log in logs]
    paths = [run.source for run in runs]
    names = list(map(os.path.basename, paths))
    if len(set(names)) < len(names):
        above = os.path.commonpath(paths)
        names = [os.path.relpath(path, above) for path in paths]
    files = ", ".join(names[:_SHOWN])
    more = ", ..." if len(runs) > _SHOWN else ""
    note = f"{files}{more} hold a series each, and were read as one training"
    joined = replace(
        runs[0],
        series={name: own for run in runs for name, own in run.series.items()},
        notes=(note, *dict.fromkeys(text for run in runs for text in run.notes)),
    )
    return RunsOfLog(
        os.path.dirname(logs[0].name) or os.path.basename(os.path.abspath(place)),
        os.path.dirname(logs[0].long_name) or logs[0].long_name,
        [joined],
    )


def _name_within(joined: RunsOfLog, log: RunsOfLog, label: str) -> None:
    joined.name = os.path.join(os.path.dirname(log.name), label)
    joined.long_name = os.path.join(os.path.dirname(log.long_name), label)


_SHOWN, _TIMES = 5, "timestamp"
