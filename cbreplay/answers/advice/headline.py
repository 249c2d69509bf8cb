"""The headline and the lead of advice, and the sentence on its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.advice.reasons import reason_text
from cbreplay.answers.advice.surety import how_sure, what_makes_surer
from cbreplay.document import Code, Fact, counted, say
from cbreplay.groups import find_groups
from cbreplay.recorded_ends import usual_cadence
from cbreplay.rules.registry import spoken_version
from cbreplay.words import spoken_counting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Part, Text
    from cbreplay.recommend import Recommendation
    from cbreplay.run import Run
    from cbreplay.sweep import Sweep

__all__ = ["advice_headline", "advice_lead", "runs_sentence", "such_trainings"]


def advice_headline(advice: Recommendation) -> Text:
    """Give the answer in one sentence, and another where that alone would mislead."""
    against = ""
    if any(reason.kind == "no-stop-better" for reason in advice.reasons):
        against = " On these runs no early stopping at all scores better."
    return say(_setting_sentence(advice), against, *_rival_monitor(advice))


def _rival_monitor(advice: Recommendation) -> Iterator[Part | Text]:
    """Yield that the choice of the monitor is a guess, and which one scores less."""
    if not advice.monitors or advice.told_apart:
        return
    yield " Which monitor to stop on, these logs do not tell"
    scored = [
        (monitor.left_out.score, monitor)
        for monitor in advice.monitors
        if monitor.left_out is not None and monitor.left_out.score is not None
    ]
    own = next((score for score, each in scored if each.monitor == advice.monitor), 0)
    best, rival = min(scored, key=lambda pair: pair[0], default=(own, None))
    if rival is not None and best < own:
        yield ": "
        yield Fact(rival.patience, "patience", "rival_patience")
        yield " on "
        yield Code(rival.monitor)
        if rival.monitor == advice.objective:
            yield ", which is judged by itself,"
        yield " scores "
        yield Fact(best, "score", "rival_score")
        yield " on runs left out of the choice, and this "
        yield Fact(own, "score", "own_score")
    yield "."


def _setting_sentence(advice: Recommendation) -> Text:
    if advice.kind == "none":
        why = reason_text(advice, advice.reasons[0])
        if advice.excluded and advice.reasons[0].kind == "one-run":
            n_given = Fact(len(advice.excluded) + 1, "count", "n_given")
            why = say("of ", n_given, " runs one counts, and ", why)
        return say("No setting is recommended: ", why, ".")
    setting = say("Patience ", Fact(advice.patience, "patience", "patience"))
    if advice.monitors:
        first = "" if advice.told_apart else " (named first)"
        setting = say(setting, " on ", Code(advice.monitor), first)
    setting = say(setting, _saves_nothing(advice))
    promise = advice.promise
    if advice.kind == "guaranteed" and promise is not None:
        share = Fact(promise.confidence, "given_share", "confidence")
        alike = such_trainings(advice)
        promised = say(", with a promise for ", share, f" of new {alike}")
        length = _for_plan(advice) if advice.plan else ", for as long as these ran"
        return say(setting, promised, length, ".")
    if any(reason.kind == "broke-off" for reason in advice.reasons):
        basis = "as a rule of thumb" if advice.basis == "thumb" else "a guess"
        return say(setting, f", {basis}: most of these logs broke off.")
    if advice.basis == "score":
        return say(setting, ", by the least expected cost", _for_plan(advice), ".")
    for reason in advice.reasons:
        if reason.kind == "cut" and reason.facts["under"] == advice.patience:
            some = (
                "" if reason.facts["n_under"] == reason.facts["n_runs"] else "some of "
            )
            seem = "seem to have been" if reason.facts["guessed"] else "were"
            return say(setting, f", under which {some}these logs {seem} cut.")
    return say(setting, ", as a rule of thumb", _for_plan(advice), ".")


def _saves_nothing(advice: Recommendation) -> Text:
    """Say so if the setting stops no run, for whoever reads only the headline."""
    recommended = advice.setting("recommended")
    if recommended is None or not advice.saves_nothing:
        return say()
    which = say("these ", Fact(recommended.n_groups, "count", "n_groups"))
    which = say(which, f" {advice.unit}s")
    if recommended.n_groups < len(advice.groups):
        told = counted(recommended.n_groups, advice.unit, "n_groups")
        which = say("the ", told, " whose logs tell")
    return say(", which saves no epoch of ", which)


def _for_plan(advice: Recommendation) -> Text:
    """Say for which plan the answer holds, if that was inferred from the logs."""
    if advice.plan is None or not advice.plan.inferred:
        return say()
    return say(", if ", Fact(advice.plan.epochs, "count", "epochs"), " was the plan")


def advice_lead(advice: Recommendation, sweep: Sweep, asked: Sequence[Run]) -> Text:
    """Say how sure the answer is, and what would make it surer; else what was asked."""
    sure = how_sure(advice)
    if sure is None:
        return runs_sentence(advice, sweep, asked)
    return say(sure, " ", what_makes_surer(advice))


def runs_sentence(advice: Recommendation, sweep: Sweep, asked: Sequence[Run]) -> Text:
    """Say which runs and rules the answer is made of, and what patience counts."""
    n_runs = sum(len(group.runs) for group in advice.groups)
    runs = counted(n_runs, "run", "n_runs")
    if advice.unit == "group":
        groups = counted(len(advice.groups), "group", "n_groups")
        once = ""
        if advice.grouped_by == "setting":
            once = ", seeds of one setting count once (--group-by)"
        runs = say(runs, " in ", groups, once)
    elif advice.grouped_by == "seed":
        runs = say(runs, " of one setting")
    if _part_settings(advice, sweep):
        runs = say(runs, ", of which those of one setting count apart (--group-by)")
    elif advice.grouped_by == "run" and n_runs > 1:
        alone = ", each taken for a setting of its own, for nothing shows them to be "
        runs = say(runs, alone, "seeds of one (--group-by)")
    rules = dict.fromkeys(spoken_version(run.semantics) for run in sweep.runs)
    counting = ""
    if any(run.steps is not None for run in asked):
        said = spoken_counting(asked)
        counting = f" {said[:1].upper()}{said[1:]}."
    elif advice.groups:
        (name, *_) = advice.groups[0].runs
        run = next(run for run in sweep.records if run.name == name)
        every = usual_cadence(run, advice.monitor)
        if every > 1:
            counted_in = f"the values of {advice.monitor}, one in {every} epochs"
            counting = f" Patience counts {counted_in}."
    judged_by = "" if advice.objective == advice.monitor else "judged by "
    return say(
        runs,
        f"; {judged_by}",
        Code(advice.objective),
        f" ({advice.objective_mode}); rules of {', '.join(rules)}.{counting}",
    )


def _part_settings(advice: Recommendation, sweep: Sweep) -> bool:
    """Return whether runs of one setting count apart, because the user asked for it."""
    if advice.grouped_by not in ("run", "asked"):
        return False
    place = {name: at for at, group in enumerate(advice.groups) for name in group.runs}
    runs = [run for run in sweep.records if run.name in place]
    settings = find_groups(runs, None).settings
    return any(len({place[runs[row].name] for row in rows}) > 1 for rows in settings)


def such_trainings(advice: Recommendation) -> str:
    """Name what the promise is about."""
    if advice.grouped_by == "seed":
        return "trainings of this setting"
    return f"{advice.unit}s like these"
