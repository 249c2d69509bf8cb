"""Several logs side by side: the best epoch of each, and the patience that keeps it."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from cbreplay.answers.headline_limits import by_keras_rules, counts_otherwise
from cbreplay.answers.json_fields import describe_staircase, staircase_members
from cbreplay.answers.next_commands import next_of_overview
from cbreplay.answers.reading_notes import about_reading
from cbreplay.answers.spoken_runs import (
    beside_best,
    counts_values,
    judged_by,
    with_cut_runs,
)
from cbreplay.document import (
    Cell,
    Document,
    Fact,
    Points,
    Row,
    Section,
    Table,
    TableColumn,
    phrase,
    say,
)
from cbreplay.evidence.training_course import find_bad_end, was_still_improving
from cbreplay.evidence.words import AT_LEAST
from cbreplay.rules.families import spoken_version
from cbreplay.wording.words import list_names, spoken_counting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.staircase import Staircase

__all__ = ["overview_document"]

_MOST_NAMES = 3


def overview_document(
    staircases: Sequence[Staircase], *, typed: str | None = None, verbose: bool = False
) -> Document:
    """Say what several logs tell, one line each.

    If `verbose`, every run is named. `typed` are the logs and the options as they were
    typed, for the next command.
    """
    replays = [staircase.replay for staircase in staircases]
    rules = dict.fromkeys(spoken_version(replay.semantics.name) for replay in replays)
    runs = [replay.run for replay in replays]
    lead = say(
        f"Rules of {', '.join(rules)}; {spoken_counting(runs)}.",
        counts_values(runs, replays[0].callbacks),
    )
    title = "Every run, and the smallest patience that comes nearest to its best"
    return Document(
        "simulate",
        by_keras_rules(
            with_cut_runs(_headline(staircases), runs),
            runs,
            judged_by(replays),
            replays[0].callbacks,
        ),
        lead,
        (
            Section(title, (_table(staircases),), untitled=True),
            Section(
                "How to read it",
                (Points(tuple(_remarks(staircases, verbose=verbose))),),
                untitled=True,
            ),
        ),
        next_of_overview(runs[0], typed),
        lambda: _members(staircases),
    )


def _headline(staircases: Sequence[Staircase]) -> Text:
    """Say which patience was enough on how many runs, from the least to the most."""
    told = [staircase for staircase in staircases if staircase.sufficient_step()]
    enough = [(patience, name) for patience, name in map(_enough, told) if patience]
    least, most = (
        end(enough, key=operator.itemgetter(0), default=None) for end in (min, max)
    )
    if least is None or most is None:
        words = "On {n_told:of n_runs run} some patience stops inside the log"
        if not told:
            words = "No patience stops inside one of these {n_runs:count} logs"
        words += "; each row is about one run."
        return phrase(words, n_told=len(told), n_runs=len(staircases))
    spread = "{} ({least:name})"
    if most[0] > least[0]:
        spread = "{} ({least:name}) to {} ({most:name})"
    elif len(enough) > 1:
        spread = "{} on each"
    return phrase(
        "On {n_enough:of n_runs run} some patience was enough to keep the best, "
        f"{spread}; each row is about one run.",
        *(Fact(patience, "patience") for patience, _ in (least, most)),
        n_enough=len(enough),
        n_runs=len(staircases),
        least=least[1],
        most=most[1],
    )


def _enough(staircase: Staircase) -> tuple[int | None, str]:
    """Return the patience that was enough on a run, if one was, and its name."""
    step = staircase.sufficient_step()
    run = staircase.replay.run
    keeps_best = step is not None and step.regret == 0 and not staircase.lacks_values
    # what a failed training would have needed is not known
    if not keeps_best or find_bad_end(run, staircase.objective) is not None:
        return None, run.name
    return staircase.sufficient_patience(), run.name


def _members(staircases: Sequence[Staircase]) -> dict[str, Any]:
    each = [describe_staircase(staircase) for staircase in staircases]
    return {**staircase_members(staircases), "staircase": each}


def _table(staircases: Sequence[Staircase]) -> Table:
    objective = staircases[0].objective
    columns = (
        TableColumn("run", "run", "name"),
        TableColumn("recorded_epochs", "epochs", "count", fold=2),
        TableColumn("best_value", f"best {objective}", "number", fold=1),
        TableColumn("best_epoch", "at", "epoch", fold=1),
        TableColumn("patience", "patience", "patience"),
        TableColumn("stopped_epoch", "stops at", "epoch"),
        TableColumn("epochs_saved", "saved", "count", fold=3),
        TableColumn(
            "regret",
            beside_best(staircase.objective_mode for staircase in staircases),
            "number",
        ),
    )
    rows = tuple(_row(staircase) for staircase in staircases)
    return Table(columns, rows, "The runs side by side", is_answer=True)


def _row(staircase: Staircase) -> Row:
    run, step = staircase.replay.run, staircase.sufficient_step()
    told: tuple[Cell | float | None, ...] = (None, None, None, None)
    if step is not None:
        told = (
            staircase.sufficient_patience(),
            step.first_stopped_epoch,
            step.most_epochs_saved,
            Cell(step.regret, "lower" if staircase.lacks_values else None),
        )
    best = staircase.best_value, staircase.best_epoch
    return Row((run.name, run.recorded_epochs, *best, *told))


def _remarks(staircases: Sequence[Staircase], *, verbose: bool) -> Iterator[Text]:
    yield say(
        "patience: the smallest that comes nearest to the best on record and stops "
        "inside the log"
    )
    yield from counts_otherwise(staircase.replay.run for staircase in staircases)
    lacking = [staircase for staircase in staircases if staircase.lacks_values]
    told = {
        "still improving at the end of the log": [
            staircase
            for staircase in staircases
            if was_still_improving(
                staircase.replay.run, staircase.objective, staircase.objective_mode
            )
        ],
        "ended in NaN or infinity": [
            staircase
            for staircase in staircases
            if find_bad_end(staircase.replay.run, staircase.objective) is not None
        ],
        "values are missing, a better one perhaps, and from the first of them on "
        "nothing is known": lacking,
    }
    for words, some in told.items():
        if some:
            names = [staircase.replay.run.name for staircase in some]
            yield say(f"{words}: {_listed(names, verbose=verbose)}")
    if any(staircase.sufficient_step() is not None for staircase in lacking):
        yield say(AT_LEAST)
    yield from about_reading(staircase.replay.run for staircase in staircases)


def _listed(names: Sequence[str], *, verbose: bool) -> str:
    most = len(names) if verbose else _MOST_NAMES
    hint = " (-v names them)" if len(names) > most else ""
    return f"{list_names(names, most)}{hint}"
