"""One training whose log has a file for each data set: ``train.log``, ``val.log``."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cbreplay.readers.discovery.continued import mark_joined
from cbreplay.readers.discovery.written_in_turn import has_rows
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.run import Run

__all__ = ["join_data_sets"]

_TRAINING = frozenset(("train", "training"))
_DATA_SET = "(?<![a-z])(train(?:ing)?|val(?:id|idation)?|eval(?:uation)?|test)(?![a-z])"


def join_data_sets(found: list[RunsOfLog], seen: list[Seen]) -> list[RunsOfLog]:
    """Join the log of a training with that of its validation beside it.

    Their names differ in the data set alone, both hold a metric of the same name, and
    they are of the same epochs.

    Parameters
    ----------
    found : list of RunsOfLog
        What was read from files.
    seen : list of Seen
        Is told which files were joined.
    """
    groups: dict[str, dict[str, RunsOfLog]] = {}
    for log in found:
        place, name = os.path.split(log.runs[0].source)
        words = re.findall(_DATA_SET, name.lower())
        if len(log.runs) == len(words) == 1 and has_rows(name):
            called = os.path.join(place, re.sub(_DATA_SET, "", name.lower()))
            groups.setdefault(called, {})[words[0]] = log
    gone: set[int] = set()
    for logs in groups.values():
        trained = next((logs[word] for word in logs if word in _TRAINING), None)
        for word, log in logs.items():
            if trained is None or word in _TRAINING:
                continue
            run, judged = trained.runs[0], log.runs[0]
            if _are_of_one_training(run, judged):
                trained.runs[0] = _join(run, judged, word)
                gone.add(id(log))
                mark_joined(seen, judged.source)
    return [log for log in found if id(log) not in gone]


def _are_of_one_training(run: Run, judged: Run) -> bool:
    """Tell whether both hold a metric at the same epochs, and no name a data set."""
    spans = {
        (own.first_epoch, own.counts_from, own.has_row.tobytes(), own.seams)
        for own in (run, judged)
    }
    counted = run.steps is None and judged.steps is None
    named = any(map(is_validation, (*run.series, *judged.series)))
    alike = run.series.keys() & judged.series.keys()
    return counted and not named and len(spans) == 1 and bool(alike)


def _join(run: Run, judged: Run, word: str) -> Run:
    prefix = "val_" if word.startswith("val") else f"{word}_"
    judged = judged.renamed({name: f"{prefix}{name}" for name in judged.series})
    files = " and ".join(os.path.basename(own.source) for own in (run, judged))
    return replace(
        run,
        series={**run.series, **judged.series},
        rounded_to={**run.rounded_to, **judged.rounded_to},
        not_logged=run.not_logged | judged.not_logged,
        empty_cells=run.empty_cells | judged.empty_cells,
        left_out={**judged.left_out, **run.left_out},
        notes=(*run.notes, *(own for own in judged.notes if own not in run.notes)),
    ).with_notes(
        f"{files} are of one training: the latter's series begin with {prefix}"
    )
