"""The report on several runs: what fixed settings would have cost on each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.outcomes import best_recorded_epoch
from cbreplay.report.advised import Advised, advise
from cbreplay.report.asked import ReportQuestion, setting_code, setting_name
from cbreplay.report.document import (
    Block,
    Code,
    CodeBlock,
    Column,
    Document,
    Gallery,
    Paragraph,
    Section,
    Table,
    Text,
)
from cbreplay.report.doubts import doubts_of_many
from cbreplay.report.origins import spoken_end
from cbreplay.report.pictures import small_figure
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.words import (
    count,
    decimals_for,
    spoken_counting,
    spoken_epoch,
    spoken_evidence,
    spoken_number,
    spoken_semantics,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["MOST_DRAWN", "report_on_many"]

MOST_DRAWN = 24
_BASELINES = (0, 5, 10, 20, 50)
_REFERENCE = 10


class _Row(NamedTuple):
    """One setting on every run that can be replayed."""

    name: str
    replays: list[Replay]

    def exact(self) -> list[Replay]:
        """Return the replays that may be averaged: exact, with a number."""
        return [
            one
            for one in self.replays
            if one.evidence == "exact" and one.outcome.regret is not None
        ]


def report_on_many(
    runs: Sequence[Run], question: ReportQuestion, closing: Section
) -> Document:
    """Build the report on several runs.

    Parameters
    ----------
    runs : sequence of Run
        The records; one that cannot be replayed is listed with the reason.
    asked : ReportQuestion
        The question; without callbacks, fixed patience values.
    closing : Section
        How it was computed.

    Raises
    ------
    CbreplayError
        If none of them can be replayed.
    """
    advised = advise(runs, question)
    given = question.callbacks
    callbacks = given or _recommended(advised) or (question.early_stopping(_REFERENCE),)
    answers = [(run, question.replay_or_reason(run, callbacks)) for run in runs]
    replays = [one for _, one in answers if not isinstance(one, str)]
    left_out = [(run, one) for run, one in answers if isinstance(one, str)]
    if not replays:
        question.replay(runs[0], callbacks)
    drawn = _Row(_drawn_name(given, callbacks), replays)
    fixed = []
    if isinstance(advised, str) or given is not None:
        rows = list(_baselines(question, [one.run for one in replays]))
        rows += [drawn] if given is not None else []
        fixed = [_baseline_section(rows, replays[0], restores=question.keep == "best")]
    return Document(
        _title(drawn) if given is not None else _headline(drawn, advised),
        _lead(replays, left_out, advised if given is None else None),
        (
            *_given(given),
            *_advised_first(advised, given),
            doubts_of_many(
                replays,
                left_out,
                setting=drawn.name,
                advised=advised,
                given=given is not None,
            ),
            *fixed,
            *_compared(advised),
            _gallery(drawn),
            _per_run(drawn),
            *_unreplayed(left_out),
            closing,
        ),
    )


def _recommended(advised: Advised | str) -> tuple[Callback, ...]:
    return () if isinstance(advised, str) else advised.advice.callbacks


def _drawn_name(
    given: tuple[Callback, ...] | None, callbacks: tuple[Callback, ...]
) -> str:
    """Name the setting of the small pictures and of the last table."""
    if given is not None:
        return setting_name(given)
    patience = next(one.patience for one in callbacks if isinstance(one, EarlyStopping))
    return f"patience {patience:g}"


def _headline(drawn: _Row, advised: Advised | str) -> str:
    return _title(drawn) if isinstance(advised, str) else advised.headline


def _advised_first(
    advised: Advised | str, given: tuple[Callback, ...] | None
) -> Iterator[Section]:
    """Yield the recommendation; beside a setting that was named, as a second answer."""
    if isinstance(advised, str):
        return
    if given is not None:
        text = f"{advised.headline} From {advised.heading}."
        yield Section("What these runs recommend", (Paragraph((text,)),))
    yield from advised.answer_sections()


def _compared(advised: Advised | str) -> Iterator[Section]:
    if not isinstance(advised, str):
        yield from advised.comparison_sections()
        yield advised.group_section()


def _baselines(question: ReportQuestion, runs: Sequence[Run]) -> Iterator[_Row]:
    for patience in _BASELINES:
        setting = question.early_stopping(patience)
        default = " (Keras's default patience)" if patience == 0 else ""
        replays = [question.replay_or_reason(run, setting) for run in runs]
        yield _Row(
            f"patience {patience}{default}",
            [one for one in replays if not isinstance(one, str)],
        )


def _title(drawn: _Row) -> str:
    n_runs, exact = len(drawn.replays), drawn.exact()
    name = drawn.name[:1].upper() + drawn.name[1:]
    if not exact:
        return f"None of {count(n_runs, 'run')} can say what {drawn.name} would cost"
    objective = exact[0].objective
    regrets = [one.outcome.regret or 0.0 for one in exact]
    mean = math.fsum(regrets) / len(regrets)
    decimals = decimals_for([one.outcome.kept_value for one in exact])
    cost = f"{spoken_number(mean, decimals)} {objective} on average"
    if mean == 0:
        cost = f"no {objective}"
    which = f"the {len(exact)} of {n_runs} runs that can tell"
    if len(exact) == n_runs:
        which = f"these {count(n_runs, 'run')}"
    return f"{name} would have cost {cost} on {which}"


def _lead(
    replays: Sequence[Replay],
    left_out: Sequence[tuple[Run, str]],
    advised: Advised | str | None,
) -> Text:
    epochs = count(sum(one.run.recorded_epochs for one in replays), "recorded epoch")
    out = f" {count(len(left_out), 'run')} could not be replayed." if left_out else ""
    if isinstance(advised, Advised):
        counting = spoken_counting(one.run for one in replays)
        return (f"{advised.heading}. {epochs}; {counting}.{out}",)
    better = "smaller" if replays[0].objective_mode == "min" else "larger"
    rules = ", ".join(
        dict.fromkeys(spoken_semantics(one.semantics.name) for one in replays)
    )
    return (
        f"{count(len(replays), 'run')}, {epochs}.{out} Judged by ",
        Code(replays[0].objective),
        (
            f", {better} is better. Replayed by the rules of {rules}. Epochs count "
            "from 1. What was measured, not what to use next."
        ),
    )


def _given(callbacks: tuple[Callback, ...] | None) -> Iterator[Section]:
    if callbacks is not None:
        yield Section("The setting", (CodeBlock(setting_code(callbacks), "python"),))


def _baseline_section(
    rows: Sequence[_Row], first: Replay, *, restores: bool
) -> Section:
    """Return the fixed settings side by side, each over its own exact runs."""
    side = "above best" if first.objective_mode == "min" else "below best"
    diverges = any(one.evidence == "diverged" for row in rows for one in row.replays)
    columns = (
        Column("Setting", "left"),
        Column("Exact"),
        Column("Not in the log"),
        *([Column("After a rate change")] if diverges else []),
        Column(f"Mean {side}"),
        Column(f"Worst {side}"),
        Column("Epochs saved"),
        Column("Worst run", "left"),
    )
    kept = [one.outcome.kept_value for row in rows for one in row.exact()]
    decimals = decimals_for(kept)
    table = Table(
        columns,
        tuple(_baseline_row(row, decimals, diverges=diverges) for row in rows),
        "Fixed settings, each over the runs that answer it exactly",
    )
    remark = (
        f"The patience rows are with restore_best_weights={restores}. "
        "Means and the worst are over the exact runs of a row; the others are counted "
        "and left out. Rows over different runs do not compare: a long patience is "
        "exact only where the log goes on long enough."
    )
    return Section("Fixed settings", (table, Paragraph((remark,), small=True)))


def _baseline_row(row: _Row, decimals: int, *, diverges: bool) -> tuple[str, ...]:
    exact = row.exact()
    evidences = ["exact", "censored", *(["diverged"] if diverges else [])]
    counts = [
        str(sum(one.evidence == evidence for one in row.replays))
        for evidence in evidences
    ]
    if not exact:
        return (row.name, *counts, "no run answers this exactly")
    worst = max(exact, key=lambda one: one.outcome.regret or 0.0)
    regrets = [one.outcome.regret or 0.0 for one in exact]
    saved = sum(one.outcome.epochs_saved for one in exact)
    recorded = sum(one.run.n_epochs for one in exact)
    return (
        row.name,
        *counts,
        spoken_number(math.fsum(regrets) / len(regrets), decimals),
        spoken_number(worst.outcome.regret, decimals),
        f"{saved} of {recorded}",
        worst.run.name if worst.outcome.regret else "-",
    )


def _gallery(drawn: _Row) -> Section:
    """Return small pictures of the runs, or of those that lose most."""
    shown, hidden = drawn.replays, len(drawn.replays) - MOST_DRAWN
    if hidden > 0:
        shown = sorted(shown, key=_lost, reverse=True)[:MOST_DRAWN]
    legend = (
        f"At {drawn.name}. Square: stop. Ring: weights kept. Triangle: best recorded, "
        "if it is another epoch. Grey: recorded after the stop. Shaded: the log says "
        "nothing."
    )
    blocks: list[Block] = [
        Paragraph((legend,), small=True),
        Gallery(tuple(small_figure(one) for one in shown)),
    ]
    if hidden > 0:
        more = count(hidden, "more run")
        text = (f"The {MOST_DRAWN} that lose most; {more} in the table below.",)
        blocks.append(Paragraph(text, small=True))
    return Section("Where each run would stop", tuple(blocks))


def _lost(replay: Replay) -> float:
    """Return the share that a run loses of what it keeps; below 0 if unknown."""
    outcome = replay.outcome
    if replay.evidence != "exact" or outcome.regret is None:
        return -1.0
    return outcome.regret / (abs(outcome.kept_value or 0.0) or 1.0)


def _per_run(drawn: _Row) -> Section:
    """Return every run with the drawn setting."""
    first = drawn.replays[0]
    side = "Above best" if first.objective_mode == "min" else "Below best"
    columns = (
        Column("Run", "left"),
        Column("Recorded"),
        Column("Ended by", "left"),
        Column("Best epoch"),
        Column("Stops at"),
        Column("Keeps"),
        Column(first.objective),
        Column(side),
        Column("Saved"),
        Column("Evidence", "left"),
    )
    decimals = decimals_for(one.outcome.kept_value for one in drawn.exact())
    rows = tuple(_run_row(one, decimals) for one in drawn.replays)
    table = Table(columns, rows, f"Every run at {drawn.name}")
    return Section(f"Every run, at {drawn.name}", (table,))


def _run_row(replay: Replay, decimals: int) -> tuple[str, ...]:
    """Return one run; figures that are only provisional are not shown at all."""
    run, outcome = replay.run, replay.outcome
    best = best_recorded_epoch(run, replay.objective, replay.objective_mode)
    cells = ("-", "-", "-", "-", "-")
    if replay.evidence == "exact":
        cells = (
            spoken_epoch(replay.stopped_epoch),
            spoken_epoch(replay.kept_epoch),
            spoken_number(outcome.kept_value, decimals),
            spoken_number(outcome.regret, decimals),
            str(outcome.epochs_saved),
        )
    return (
        run.name,
        str(run.recorded_epochs),
        spoken_end(run),
        spoken_epoch(best),
        *cells,
        spoken_evidence(replay),
    )


def _unreplayed(left_out: Sequence[tuple[Run, str]]) -> Iterator[Section]:
    if left_out:
        rows = tuple((run.name, reason) for run, reason in left_out)
        columns = (Column("Run", "left"), Column("Why", "left"))
        table = Table(columns, rows, "Runs that could not be replayed")
        yield Section("Runs that could not be replayed", (table,))
