"""What every answer says about its runs: lead, plan, end, failures, limits of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.document import Code, Fact, phrase, say
from cbreplay.evidence.holes import find_cadence, find_gap, find_shared_cadence
from cbreplay.evidence.training_course import bad_end_epoch, find_bad_end, never_changes
from cbreplay.evidence.words import parting_words
from cbreplay.rules.base import read_series
from cbreplay.rules.families import default_family, spoken_version
from cbreplay.rules.parameters import parameters_of
from cbreplay.series_names import plain_direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.document import Part, Text
    from cbreplay.evidence.words import Parting
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Mode, Run

__all__ = [
    "beside_best",
    "by_keras_rules",
    "calls_worst_best",
    "counts_otherwise",
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
    "told_failures",
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


def by_keras_rules(
    headline: Text,
    runs: Iterable[Run],
    judged: Iterable[tuple[str | None, Mode | None]],
    callbacks: Sequence[Callback] = (),
) -> Text:
    """Add to a headline the limits under which the answer holds.

    These are: which trainings failed; that a mode takes the worst values for the best;
    that the framework which trained has other rules than Keras; and, where the log
    holds every tenth epoch, say, and nothing tells that the others were not validated,
    that the answer holds only for callbacks that act at these epochs. `judged` are the
    objectives by which the answer calls something the best; `callbacks` is the list, if
    it is about a single one.
    """
    listed, by_what = list(runs), list(judged)
    names = [name for name, _ in by_what if name is not None]
    headline = _with_its_end(headline, listed, names)
    for name, mode in by_what:
        if name is None or mode is None:
            continue
        better, end = _TURNED[mode]
        words = ""
        if _is_turned(name, mode, listed):
            words = f" {better} {{:code}} is better: best here is the {end}."
        elif mode == "min" and _is_guessed(name, listed, callbacks):
            # the name tells no direction, and Keras 2 then takes "min"
            words = f" mode='auto' takes the {end} {{:code}} for the best."
        headline = say(headline, phrase(words, name))
    others = _deciding_otherwise(listed)
    if others:
        headline = say(headline, f" By Keras's rules: {others} may decide otherwise.")
    cadences = sorted({find_shared_cadence(run) for run in listed} - {1})
    if not cadences:
        return headline
    epochs = "every {cadence:rank} epoch" if len(cadences) == 1 else "some epochs"
    alone = "" if len(listed) == 1 else " for some runs"
    return phrase(
        f"{{}} It holds for callbacks that act only at {epochs}, as the log has it"
        f"{alone}.",
        headline,
        cadence=cadences[0],
    )


def _with_its_end(headline: Text, runs: Sequence[Run], names: Sequence[str]) -> Text:
    """Say in a headline which trainings failed, and which series never changes.

    A failure comes before all else where there is one training.
    """
    told = {claim.predicate for claim in headline.claims}
    stuck = [name for name in names if any(never_changes(run, name) for run in runs)]
    if stuck and "never_changes" not in told:
        if len(runs) > 1:
            still = [run for run in runs if never_changes(run, stuck[0])]
            start = _share_of(still, runs)
            headline = say(headline, " On ", *start, " ", Code(stuck[0]))
        else:
            headline = say(headline, " ", Code(stuck[0]))
        headline = say(headline, " never changes: no patience is judged by it.")
    failed = told_failures(runs, names[0] if names else "loss")
    if failed is None:
        return headline
    whole = (failed, headline) if len(runs) == 1 else (headline, failed)
    return say(whole[0], " ", whole[1])


def told_failures(runs: Sequence[Run], objective: str = "loss") -> Text | None:
    """Say which trainings failed, for a headline; None where none did.

    The objective may end in NaN without a failure.
    """
    ended = {
        run: name for run in runs if (name := _bad_end(run, objective)) is not None
    }
    if not ended:
        return None
    if len(runs) > 1:
        verb = " failed." if "loss" in ended.values() else " ended in NaN or infinity."
        return say(*_share_of([*ended], runs, "All"), verb)
    ((run, name),) = ended.items()
    since = bad_end_epoch(run, name)
    values = run.series[name].values[since - run.first_epoch :]
    what = "NaN" if np.isnan(values).all() else "no finite number"
    if name != "loss" and not np.isfinite(run.series[name].values).any():
        # the answer itself says so
        return None
    words = f"{{name:code}} is {what} from epoch {{failed_epoch:epoch}} on."
    if name == "loss":
        where = "there" if since == run.horizon else "from there on"
        words = "This training failed at epoch {failed_epoch:epoch}: {name:code} is "
        words += f"{what} {where}."
    return phrase(words, name=name, failed_epoch=since)


def _bad_end(run: Run, objective: str) -> str | None:
    """Return which series ended badly, the loss before another."""
    return find_bad_end(run, "loss") or find_bad_end(run, objective)


def _share_of(
    some: Sequence[Run], runs: Sequence[Run], every: str = "all"
) -> tuple[Part, ...]:
    """Say how many of several runs, and if not all, which: two names at most."""
    if len(some) == len(runs):
        return (f"{every} ", Fact(len(runs), "count", "n_runs"), " runs")
    named = [part for run in some[:2] for part in (", ", Fact(run.name, "name", "run"))]
    n_more = len(some) - len(some[:2])
    more = f" and {n_more} more" if n_more else ""
    return (
        Fact(len(some), "count"),
        " of ",
        Fact(len(runs), "count", "n_runs"),
        " runs (",
        *named[1:],
        f"{more})",
    )


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
        f"{{}} {{n_cut_runs:count}} of {{n_runs:count}} runs {were} stopped by {their} "
        f"own {{}}: {their} best is only the best up to there.",
        headline,
        " or ".join(dict.fromkeys(cut)),
        n_cut_runs=len(cut),
        n_runs=len(runs),
    )


def calls_worst_best(
    judged: Iterable[tuple[str | None, Mode | None]], runs: Sequence[Run]
) -> bool:
    """Return whether a mode takes the worst values of a series for the best."""
    return any(
        name is not None and mode is not None and _is_turned(name, mode, runs)
        for name, mode in judged
    )


def _is_turned(name: str, mode: Mode, runs: Sequence[Run]) -> bool:
    return _known_direction(name, runs) not in (None, mode)


def _is_guessed(name: str, runs: Sequence[Run], callbacks: Sequence[Callback]) -> bool:
    """Return whether a callback's mode="auto" guesses the direction of a series."""
    return _known_direction(name, runs) is None and any(
        callback.watched == name and callback.mode == "auto" for callback in callbacks
    )


_TURNED = {"min": ("Larger", "lowest"), "max": ("Smaller", "highest")}


def _known_direction(name: str, runs: Sequence[Run]) -> Mode | None:
    """Return which way a series improves, by what is recorded of it or by its name."""
    metadata = runs[0].metadata if runs else None
    recorded = {} if metadata is None else metadata.metrics
    known = default_family().find_direction(name, recorded)
    return known or plain_direction(name)


def counts_otherwise(runs: Iterable[Run]) -> Iterator[Text]:
    """Yield which frameworks decide as Keras or otherwise, and where that is told."""
    listed = list(runs)
    others = _deciding_otherwise(listed)
    alike = {run.framework for run in listed if _is_decided_alike(run)} - {""}
    for framework in sorted(alike):
        yield phrase(
            "{} stops at the same epochs on such a log, and keeps the weights that "
            "its own checkpoint callback keeps ({}).",
            framework,
            Code("docs/patience-in-every-framework.md"),
        )
    if others:
        yield phrase(
            "Where {} may decide otherwise: {}.",
            others,
            Code("docs/patience-in-every-framework.md"),
        )


def _deciding_otherwise(runs: Iterable[Run]) -> str:
    """Name the frameworks with rules of their own; '' without any."""
    others = sorted({run.framework for run in runs if not _is_decided_alike(run)})
    return " and ".join(others)


def _is_decided_alike(run: Run) -> bool:
    """Return whether the framework of this log is Keras, or decides as it on this log.

    Lightning decides otherwise at a NaN or an infinity, and where it validates several
    times an epoch.
    """
    if run.framework != _AS_KERAS_WHILE_FINITE:
        return not run.framework
    return run.steps is None and all(
        not series.others and np.isfinite(series.values[series.recorded]).all()
        for series in run.series.values()
    )


_AS_KERAS_WHILE_FINITE = "Lightning"


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
