"""What every answer says about its runs: lead, plan, end, what a patience counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import phrase, say
from cbreplay.evidence.holes import find_cadence, find_gap
from cbreplay.evidence.words import parting_words
from cbreplay.rules.base import read_series
from cbreplay.rules.families import spoken_version
from cbreplay.rules.parameters import parameters_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.evidence.words import Parting
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Mode, Run

__all__ = [
    "beside_best",
    "counts_values",
    "end_of_evidence",
    "epochs_per_value",
    "judged_by",
    "lead_of_run",
    "own_end",
    "saved_of_recorded",
    "spoken_end",
    "spoken_plan",
    "stopped_itself",
    "what_it_saves",
    "with_cut_runs",
]


def saved_of_recorded(runs: Sequence[Run]) -> Iterator[tuple[str, Text]]:
    """Yield as a footnote that epochs are saved of those on record, and not of a plan.

    Nothing for several runs, whose tables say of how many.
    """
    for run in runs if len(runs) == 1 else ():
        if run.planned_epochs is not None and run.planned_epochs > run.horizon + 1:
            told = phrase(
                "saved: of the {n_epochs:count} recorded epochs, not of the "
                "{planned_epochs:count} planned",
                n_epochs=run.n_epochs,
                planned_epochs=run.planned_epochs,
            )
            yield "saved", told


def lead_of_run(replay: Replay) -> Text:
    """Say what was asked of which run, and by whose rules."""
    run = replay.run
    judged, plan = "By", "; how many were planned is not recorded"
    if replay.objective is not None:
        better = "smaller" if replay.objective_mode == "min" else "larger"
        judged = f"Judged by {{objective:code}}, {better} is better, by"
    if run.planned_epochs is not None:
        plan = " of {planned_epochs:count} planned"
    return phrase(
        f"{{run:code}}: {{recorded_epochs:count epoch}}{plan}. {judged} the rules of "
        f"{spoken_version(replay.semantics.name)}. Epochs count from 1.{{}}",
        counts_values([run], replay.callbacks),
        run=run.name,
        recorded_epochs=run.recorded_epochs,
        planned_epochs=run.planned_epochs,
        objective=replay.objective,
    )


def what_it_saves(epochs: int | None, seconds: float | None) -> Text:
    """Say what a setting saves, in brackets, where it saves something."""
    time = ", {seconds_saved:seconds}" if seconds else ""
    words = f" ({{epochs_saved:count epoch}}{time} saved)" if epochs else ""
    return phrase(words, epochs_saved=epochs, seconds_saved=seconds)


def counts_values(runs: Iterable[Run], callbacks: Iterable[Callback]) -> Text:
    """Say what a patience counts where not every epoch has a value; else nothing.

    Keras's callbacks skip an epoch without a value, so five epochs may count as one.
    Without this sentence the patience and the stop in a table would not add up.
    """
    waiting = [rule for rule in callbacks if "patience" in parameters_of(rule)]
    asked = list(runs)
    told: dict[str, set[int]] = {}
    sparse: set[int] = set()
    whole: set[int] = set()
    for name in read_series(waiting):
        for at, run in enumerate(asked):
            every = epochs_per_value(run, name)
            if every == 1:
                whole.add(at)
            elif every is not None:
                told.setdefault(name, set()).add(every)
                sparse.add(at)
    if not told:
        return say()
    (name, (every, *more)), *others = told.items()
    which, where = "{name:code}, one in {every:count} epochs", " Patience"
    if others:
        which = "the monitor, which not every epoch has"
    elif more or not every:
        which = "{name:code}, which not every epoch has"
    if whole - sparse:
        where = " In {n_sparse:count} of {n_runs:count} runs patience"
    return phrase(
        f"{where} counts the values of {which}.",
        name=name,
        every=every,
        n_sparse=len(sparse),
        n_runs=len(asked),
    )


def epochs_per_value(run: Run, name: str) -> int | None:
    """Return in every how many epochs a series has a value; 0 where that changes.

    None where its rows are no epochs, or where it has a hole.
    """
    series = run.series.get(name)
    if run.steps is not None or series is None:
        return None
    if series.recorded.all():
        return 1
    if find_gap(run, name) is not None:
        return None
    every = find_cadence(run, name)
    return every if every is not None and every > 1 else 0


def spoken_plan(run: Run) -> str:
    """Say for how many epochs the training was meant to go on."""
    planned = run.planned_epochs
    return "not recorded" if planned is None else f"{planned} planned"


def spoken_end(run: Run) -> str:
    """Say how the training ended, as far as ``run.json`` tells."""
    ended = run.ended
    if ended is None or not ended.by:
        return "end of the plan" if run.reached_plan else "not recorded"
    words = {
        "plan": "end of the plan",
        "interrupt": "an interrupt",
        "error": "an error",
        "unknown": "broken off",
    }
    return words.get(ended.by, f"its own {ended.by}")


def judged_by(replays: Iterable[Replay]) -> list[tuple[str | None, Mode | None]]:
    """Return the objectives of replays, each series and direction once."""
    judged = ((replay.objective, replay.objective_mode) for replay in replays)
    return list(dict.fromkeys(judged))


def own_end(run: Run) -> str | None:
    """Return the class of the training's own callback that ended it; None if none."""
    ended = run.ended
    return ended.by if ended is not None and ended.by_callback else None


def stopped_itself(run: Run) -> Text:
    """Say that the training was stopped by its own callback; nothing if it was not."""
    callback = own_end(run)
    if callback is None:
        return say()
    planned = "" if run.planned_epochs is None else f" of {run.planned_epochs}"
    return phrase(
        "Its own {} stopped this training at epoch {horizon:epoch}{}: what longer "
        "training would have brought is not in this log. ",
        callback,
        planned,
        horizon=run.horizon,
    )


def with_cut_runs(headline: Text, runs: Sequence[Run]) -> Text:
    """Add to a headline how many of several runs were ended by their own callback."""
    cut = [callback for callback in map(own_end, runs) if callback is not None]
    if not cut or len(runs) == 1:
        return headline
    were, their = ("was", "its") if len(cut) == 1 else ("were", "their")
    return phrase(
        f"{{}} {{n_cut_runs:Of n_runs run}} {were} stopped by {their} own {{}}: "
        f"{their} best is only the best up to there.",
        headline,
        " or ".join(dict.fromkeys(cut)),
        n_cut_runs=len(cut),
        n_runs=len(runs),
    )


def beside_best(modes: Iterable[Mode | None]) -> str:
    """Name the regret: "above best" for a series to minimise, else "below best"."""
    distinct = {mode for mode in modes if mode is not None}
    if len(distinct) != 1:
        return "off best"
    return {"min": "above best", "max": "below best"}[distinct.pop()]


def end_of_evidence(divergence_epoch: int, parted_by: Parting) -> Text:
    """Say in a sentence of its own from where on a log is no evidence."""
    before, epoch, after = parting_words(divergence_epoch, parted_by)
    words = f"{before[0].upper()}{before[1:]}{{last_evident_epoch:epoch}}{after}."
    return phrase(words, last_evident_epoch=epoch)
