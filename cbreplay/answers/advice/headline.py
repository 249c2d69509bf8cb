"""The headline and the lead of advice, and the sentence on its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.advice.reasons import asked_of, reason_text
from cbreplay.answers.advice.surety import how_sure, what_makes_surer
from cbreplay.document import Code, Fact, phrase, say
from cbreplay.rules.families import spoken_version
from cbreplay.setting_costs.recorded_ends import usual_cadence
from cbreplay.sweep.groups import find_groups
from cbreplay.wording.words import as_sentence, spoken_counting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Text
    from cbreplay.recommend import Recommendation
    from cbreplay.run import Run
    from cbreplay.sweep import Sweep

__all__ = ["advice_headline", "advice_lead", "runs_sentence", "such_trainings"]


def advice_headline(advice: Recommendation) -> Text:
    """Give the answer in one sentence, and another where that alone would mislead."""
    against = ""
    if any(reason.kind == "no-stop-better" for reason in advice.reasons):
        against = " On these runs no early stopping at all scores better."
    return say(_setting_sentence(advice), against, _rival_monitor(advice))


def _rival_monitor(advice: Recommendation) -> Text:
    """Say that the choice of the monitor is a guess, and which one scores less."""
    if not advice.monitors or advice.told_apart:
        return say()
    words = " Which monitor to stop on, these logs do not tell"
    scored = [
        (monitor.left_out.score, monitor)
        for monitor in advice.monitors
        if monitor.left_out is not None and monitor.left_out.score is not None
    ]
    own = next((score for score, each in scored if each.monitor == advice.monitor), 0)
    best, rival = min(scored, key=lambda pair: pair[0], default=(own, None))
    if rival is None or best >= own:
        return say(f"{words}.")
    itself = rival.monitor == advice.objective
    return phrase(
        words
        + ": {rival_patience:patience} on {}{} scores {rival_score:score} on runs left "
        "out of the choice, and this {own_score:score}.",
        Code(rival.monitor),
        ", which is judged by itself," if itself else "",
        rival_patience=rival.patience,
        rival_score=best,
        own_score=own,
    )


def _setting_sentence(advice: Recommendation) -> Text:
    if advice.kind == "none":
        why, given = reason_text(advice, advice.reasons[0]), ""
        if advice.excluded and advice.reasons[0].kind == "one-run":
            given = "of {n_given:count} runs one counts, and "
        words = f"No setting is recommended: {given}{{why}}."
        return phrase(words, why=why, n_given=len(advice.excluded) + 1)
    first = "" if advice.told_apart else " (named first)"
    return phrase(
        "Patience {patience:patience}"
        + (" on {monitor:code}" + first if advice.monitors else "")
        + "{}, {}.",
        _saves_nothing(advice),
        _why(advice),
        **asked_of(advice),
    )


def _why(advice: Recommendation) -> Text:
    """Say in a few words what the setting rests on."""
    promise, for_plan = advice.promise, _for_plan(advice)
    if advice.kind == "guaranteed" and promise is not None:
        share = Fact(promise.confidence, "given_share", "confidence")
        length = for_plan if advice.plan else ", planned for as long as these ran"
        alike = f" of new {such_trainings(advice)}"
        return say("with a promise for ", share, alike, length)
    if any(reason.kind == "broke-off" for reason in advice.reasons):
        basis = "as a rule of thumb" if advice.basis == "thumb" else "a guess"
        return say(f"{basis}: most of these logs end before their plan")
    if advice.basis == "score":
        return say("by the least expected cost", for_plan)
    for reason in advice.reasons:
        facts = reason.facts
        if reason.kind == "cut" and facts["under"] == advice.patience:
            some = "" if facts["n_under"] == facts["n_runs"] else "some of "
            seem = "seem to have been" if facts["guessed"] else "were"
            return say(f"under which {some}these logs {seem} cut")
    return say("as a rule of thumb", for_plan)


def _saves_nothing(advice: Recommendation) -> Text:
    """Say so if the setting stops no run, for whoever reads only the headline."""
    recommended = advice.setting("recommended")
    if recommended is None or not advice.saves_nothing:
        return say()
    words = ", which saves no epoch of these {n_groups:count} {unit}s"
    if recommended.n_groups < advice.compared.n_groups:
        alone = recommended.n_groups == 1 and advice.compared.unit == "run"
        tell = "log tells" if alone else "logs tell"
        words = (
            f", which saves no epoch of the {{n_groups:count {{unit}}}} whose {tell}"
        )
    unit = advice.compared.unit
    return phrase(words, n_groups=recommended.n_groups, unit=unit)


def _for_plan(advice: Recommendation) -> Text:
    """Say for which plan the answer holds, if that was inferred from the logs."""
    if advice.plan is None or not advice.plan.inferred:
        return say()
    return phrase(", if {epochs:count} was the plan", epochs=advice.plan.epochs)


def advice_lead(advice: Recommendation, sweep: Sweep, asked: Sequence[Run]) -> Text:
    """Say how sure the answer is, and what would make it surer; else what was asked."""
    sure = how_sure(advice)
    if sure is None:
        return runs_sentence(advice, sweep, asked)
    return say(sure, " ", what_makes_surer(advice))


def runs_sentence(advice: Recommendation, sweep: Sweep, asked: Sequence[Run]) -> Text:
    """Say which runs and rules the answer is made of, and what patience counts."""
    n_runs = sum(len(group.runs) for group in advice.groups)
    words = "{n_runs:count run}"
    if advice.unit != "run":
        words += " in {n_groups:count {unit}}"
        if advice.unit == "training":
            words += ", branches of one count once"
        elif advice.grouped_by == "setting":
            words += ", seeds of one setting count once (--group-by)"
    elif advice.grouped_by == "seed":
        words += " of one setting"
    if _part_settings(advice, sweep):
        words += ", of which those of one setting count apart (--group-by)"
    elif advice.grouped_by == "run" and n_runs > 1:
        words += (
            ", each taken for a setting of its own, for nothing shows them to be seeds "
            "of one (--group-by)"
        )
    rules = dict.fromkeys(spoken_version(run.semantics) for run in sweep.runs)
    counting = ""
    if any(run.steps is not None for run in asked):
        counting = f" {as_sentence(spoken_counting(asked))}"
    elif advice.groups:
        (name, *_) = advice.groups[0].runs
        run = next(run for run in sweep.records if run.name == name)
        every = usual_cadence(run, advice.monitor)
        if every > 1:
            counted_in = f"the values of {advice.monitor}, one in {every} epochs"
            counting = f" Patience counts {counted_in}."
    judged_by = "" if advice.objective == advice.monitor else "judged by "
    return phrase(
        words + f"; {judged_by}{{objective:code}} ({{}}); rules of {{}}.{{}}",
        advice.objective_mode,
        ", ".join(rules),
        counting,
        n_runs=n_runs,
        n_groups=len(advice.groups),
        **asked_of(advice),
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
