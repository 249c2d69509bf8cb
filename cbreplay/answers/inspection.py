"""What lies under a path: the runs, their series, and what was odd in reading them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from cbreplay.answers.headline_limits import told_failures
from cbreplay.answers.next_commands import next_of_inspection
from cbreplay.answers.reading_notes import alike, spoken_note
from cbreplay.document import (
    Document,
    Fact,
    Notice,
    Points,
    Row,
    Section,
    Span,
    Table,
    TableColumn,
    joined,
    phrase,
    say,
)
from cbreplay.wording.note import topic_of
from cbreplay.wording.words import spoken_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.run import Run

__all__ = ["inspection_document"]

# where there are more series than the first number, only the second number is named
_MOST_SERIES, _FIRST_SERIES = 10, 6
# the fates of a file that is part of a run
_IN_A_RUN = ("read", "joined")


def inspection_document(
    runs: Sequence[Run],
    seen: Sequence[Seen] = (),
    *,
    verbose: bool = False,
    typed: str | None = None,
) -> Document:
    """Say which runs and series there are, and what was odd.

    `seen` is what became of every file that was looked at. If `verbose`, every series
    is named, and each of these files. `typed` are the logs and the options as they were
    typed.
    """
    noted = Notice(tuple(_noted(runs, verbose=verbose)))
    files = Points(tuple(_files(seen, verbose=verbose)))
    sections = (
        Section("Runs", (_table(runs, verbose=verbose),), untitled=True),
        Section("Noted in reading", (noted,), untitled=True),
        Section("Files", (files,), untitled=True),
    )
    return Document(
        "inspect",
        _headline(runs),
        say(),
        sections,
        next_of_inspection(runs[0], typed),
        lambda: _members(runs, seen, verbose=verbose),
    )


def _members(
    runs: Sequence[Run], seen: Sequence[Seen], *, verbose: bool
) -> dict[str, Any]:
    from cbreplay.answers.json_fields import describe_run

    return {
        "runs": [describe_run(run) | _counted(run) for run in runs],
        "notes": [_spoken_file(file) for file in seen if verbose],
    }


def _headline(runs: Sequence[Run]) -> Text:
    """Say how many runs there are, and how long."""
    lengths = sorted(run.recorded_epochs for run in runs)
    fewest = "" if lengths[0] == lengths[-1] else "{fewest_epochs:count} to "
    noun = "epoch"
    if all(run.steps is not None for run in runs):
        noun = spoken_rows(noun, runs[0])
    failed = told_failures(runs)
    return phrase(
        f"{{n_runs:count run}} of {fewest}{{most_epochs:count {noun}}}.{{}}",
        say() if failed is None else say(" ", failed),
        n_runs=len(runs),
        fewest_epochs=lengths[0],
        most_epochs=lengths[-1],
    )


def _table(runs: Sequence[Run], *, verbose: bool) -> Table:
    columns = (
        TableColumn("run", "run", "name"),
        TableColumn("epochs", "epochs", "epoch", shown="people"),
        TableColumn("first_epoch", "first epoch", "epoch", shown="programs"),
        TableColumn("horizon", "last epoch", "epoch", shown="programs"),
        TableColumn("missing", "missing", "count"),
        TableColumn("planned", "planned", "count"),
        TableColumn("learning_rate", "learning rate", "rate"),
        TableColumn("series", "series", "sentence", shown="people"),
        TableColumn("series", "series", "text", shown="programs"),
    )
    rows = tuple(_row(run, verbose=verbose) for run in runs)
    return Table(columns, rows, "The runs and their series", is_answer=True)


def _row(run: Run, *, verbose: bool) -> Row:
    return Row(
        (
            run.name,
            _epochs(run),
            run.first_epoch,
            run.horizon,
            run.n_epochs - run.recorded_epochs,
            run.planned_epochs,
            _rates(run),
            _series(run, verbose=verbose),
            " ".join(run.series),
        )
    )


def _epochs(run: Run) -> Span | Text:
    span = Span(run.first_epoch, run.horizon)
    if run.steps is None:
        return span
    first, last = (Fact(epoch, "epoch") for epoch in span)
    return say(first, "-", last, " (evaluations)")


def _rates(run: Run) -> Text | None:
    """Return the least and the greatest recorded learning rate."""
    rate = run.learning_rate
    known = [] if rate is None else rate.values[rate.recorded].tolist()
    if not known:
        return None
    least, greatest = Fact(min(known), "rate"), Fact(max(known), "rate")
    if least.value == greatest.value:
        return say(least)
    return say(least, " to ", greatest)


def _series(run: Run, *, verbose: bool) -> Text:
    """Name the series, or the first of many, and how many values each has."""
    names = list(run.series)
    n_named = len(names)
    if not verbose and n_named > _MOST_SERIES:
        n_named = _FIRST_SERIES
    named = joined(_named(run, name) for name in names[:n_named])
    more = " and {unnamed_series:count} more (-v)" if n_named < len(names) else ""
    return say(named, phrase(more, unnamed_series=len(names) - n_named))


def _counted(run: Run) -> dict[str, Any]:
    """Return in how many rows each series has a value, as JSON has it."""
    counts = {name: int(series.recorded.sum()) for name, series in run.series.items()}
    return {"values": counts}


def _named(run: Run, name: str) -> Text:
    """Name a series, and say in how many rows it has a value, if not in all."""
    n_values, n_rows = int(run.series[name].recorded.sum()), run.recorded_epochs
    some = " ({values:count} of {rows:count})" if n_values < n_rows else ""
    return phrase("{}" + some, Fact(name, "name"), values=n_values, rows=n_rows)


def _noted(runs: Sequence[Run], *, verbose: bool) -> Iterator[Text]:
    """Yield what was noted in reading, with like notes merged.

    With `verbose` every note is yielded, also that two files agree.
    """
    noted = [(run, note) for run in runs for note in run.notes]
    if verbose:
        yield from (spoken_note(run, note) for run, note in noted)
        return
    yield from alike(each for each in noted if topic_of(each[1]) != "files")


def _files(seen: Sequence[Seen], *, verbose: bool) -> Iterator[Text]:
    """Name every file, or say how many are in no run."""
    if verbose:
        for file in seen:
            yield say(_spoken_file(file))
        return
    fates = Counter(file.fate for file in seen if file.fate not in _IN_A_RUN)
    if not fates:
        return
    yield phrase(
        "{n_left:count file} in no run: {} (-v names {})",
        joined(
            say(Fact(fates[fate], "count", fate), f" {fate}") for fate in sorted(fates)
        ),
        "it" if fates.total() == 1 else "them",
        n_left=fates.total(),
    )


def _spoken_file(file: Seen) -> str:
    return f"{file.fate}: {file.path} ({file.detail})"
