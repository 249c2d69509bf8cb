"""What advice rests on, in sentences: its promise, what each run needs, its doubts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.advice.headline import such_trainings
from cbreplay.answers.advice.reasons import asked_of, ranked, reason_text
from cbreplay.answers.advice.run_doubts import (
    MOST_NAMES,
    doubt_with_runs,
    exclusion_text,
)
from cbreplay.document import Claim, Code, Fact, joined, phrase, plain_text, say
from cbreplay.series_names import is_validation
from cbreplay.setting_costs.swept_settings import USUAL
from cbreplay.wording.shown_digits import scale_of
from cbreplay.wording.words import list_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.recommend import (
        MonitorScore,
        PlanAdvice,
        Promise,
        Recommendation,
        Scored,
        Tolerance,
    )

__all__ = [
    "doubt_sentences",
    "evidence_sentences",
    "only_retraining",
    "restoring_sentence",
    "unknown_groups",
    "which_monitor",
]

_MOST_GROUPS = 8


def evidence_sentences(advice: Recommendation) -> Iterator[Text]:
    """Yield what is promised, why this setting or none, and what each run needs."""
    if advice.promise is not None:
        yield _promise(advice, advice.promise)
    # the first reason for no setting is in the headline
    for reason in advice.reasons[advice.kind == "none" :]:
        yield reason_text(advice, reason)
    yield from _plans(advice)
    yield _tolerance(advice)
    yield from _kept_tolerance(advice)
    yield _sufficient(advice)
    yield from _forward(advice)
    if is_validation(advice.objective):
        yield say(
            "a kept value is the best of many looks at one validation set, and so "
            "optimistic: on test data such values were 2 to 4 % worse, and 13 to 20 % "
            "for a data set of 569 rows"
        )


def _promise(advice: Recommendation, promise: Promise) -> Text:
    facts = promise._asdict()
    plan = say("for trainings that run as long as these logs")
    if advice.plan is not None:
        words = "for trainings planned for {epochs:count epoch}"
        plan = phrase(words, epochs=advice.plan.epochs)
    which = phrase(
        ". Of what these {n_groups:count} {unit}s need, {patience:patience} is the {}",
        ranked(facts),
        **asked_of(advice) | facts,
    )
    if any(reason.kind == "promise" for reason in advice.reasons):
        # the reason says so
        which = say()
    return phrase(
        "the promise: {plan}, patience {patience:patience}{longer} loses no more "
        "{objective} than the tolerance on at least {confidence:given_share} of new "
        "{trainings}. That is the average of many such sets of "
        "{n_groups:count {unit}}; one set in ten is unlucky, and keeps it on "
        "{unlucky_share:share} of them or fewer{which}",
        plan=plan,
        longer=" and longer" if (advice.patience or 0) > promise.patience else "",
        trainings=such_trainings(advice),
        which=which,
        claims=[Claim("promises", facts)],
        **asked_of(advice) | facts,
    )


def _plans(advice: Recommendation) -> Iterator[Text]:
    """Say how the plan is known, if inferred, and what holds for other plans."""
    plan = advice.plan
    if plan is not None and plan.inferred:
        yield phrase(
            "the plan is taken to be {epochs:count epoch}: {n_runs:count log} end "
            "there, which one patience would hardly explain (--planned-epochs)",
            **plan._asdict(),
        )
    for other in advice.plans:
        yield _other_plan(other)


def _other_plan(other: PlanAdvice) -> Text:
    told = "patience {patience:patience}"
    promised = {} if other.promise is None else other.promise._asdict()
    if other.patience is None:
        few = "too few" if other.n_groups == 1 else "too short"
        told = f"{few} to recommend anything"
    elif promised:
        told += "; {promised:patience} is promised for {confidence:given_share}"
    return phrase(
        "trainings of {epochs:count epoch}{doubt} ({n_groups:count {unit}}): " + told,
        epochs=other.plan.epochs,
        doubt=", if that was the plan" if other.plan.inferred else "",
        unit=other.unit,
        promised=promised.get("patience"),
        confidence=promised.get("confidence"),
        n_groups=other.n_groups,
        patience=other.patience,
    )


def _tolerance(advice: Recommendation) -> Text:
    tolerance, series = advice.tolerance, Code(advice.objective)
    if tolerance is None:
        message = "a recommendation from several runs has a tolerance"
        raise AssertionError(message)
    if tolerance.kind == "absolute":
        words = "tolerance: {value:given} {series}"
        return phrase(words, value=tolerance.value, series=series)
    share, more = _share(tolerance, series), ""
    if tolerance.n_steps:
        more = ", or the smallest change of {series} where that is more, as in "
        more += "{n_steps:count run}"
    if tolerance.kind == "share":
        words = "{share}"
    elif advice.unit == "run":
        words = "the spread between seeds, {spreads}, where it is less than {share}"
    else:
        words = (
            "the spread between the seeds of a {setting}, of three or more "
            "({spreads}), where it is less than {share}; else that"
        )
    return phrase(
        f"tolerance: {words}{more} (--tolerance)",
        share=share,
        setting="setting" if _joins_settings(advice) else "group",
        spreads=_spreads(advice, tolerance.spreads),
        series=series,
        n_steps=tolerance.n_steps,
    )


def _share(tolerance: Tolerance, series: Code) -> Text:
    """Say what the share that a run may lose is a share of."""
    words, least = (
        "{value:given_share} of each run's best {series}",
        "whose best is near 0",
    )
    if tolerance.n_errors:
        words = "{value:given_share} of the error that each run's best {series} leaves"
        least = "with next to none"
    if tolerance.n_near_zero:
        words += f", or of the way to that best for {{n_near_zero:count run}} {least}"
    return phrase(words, series=series, **tolerance._asdict())


def _spreads(advice: Recommendation, spreads: Sequence[float | None]) -> Text:
    """Say the range of the spreads between the seeds of a setting."""
    if advice.unit == "run":
        return say(*(_spread(spread) for spread in spreads if spread is not None))
    names = [f" in {group.name}" for group in advice.groups]
    if _joins_settings(advice):
        names = [""] * len(spreads)
    ordered = sorted(
        (spread, name)
        for name, spread in zip(names, spreads, strict=True)
        if spread is not None
    )
    ends = ordered if len(ordered) <= 1 else (ordered[0], ordered[-1])
    return joined((say(_spread(spread), name) for spread, name in ends), " to ")


def _joins_settings(advice: Recommendation) -> bool:
    """Return whether groups are no settings, but hold what shares a training."""
    return any(doubt.code == "branch" for doubt in advice.doubts)


def _spread(value: float) -> Fact:
    return Fact(value, "difference", "spread", scale_of([value], "close_cost"))


def _kept_tolerance(advice: Recommendation) -> Iterator[Text]:
    """Say which of the two answers keeps the tolerance, and where one does not."""
    recommended, tuned = advice.setting("recommended"), advice.setting("tolerance")
    if recommended is None:
        return
    kept, tuned_kept, words = _kept(recommended), say(), ""
    other = tuned.parameters["patience"] if tuned is not None else None
    if tuned is not None and tuned.callbacks != recommended.callbacks:
        tuned_kept = _kept(tuned)
        same = plain_text(tuned_kept) == plain_text(kept)
        words = ", as does {other}" if same else "; {other} {tuned_kept}"
    yield phrase(
        "the recommended {patience:patience} {kept}" + words,
        patience=advice.patience,
        kept=kept,
        other=Fact(other, "patience", "patience"),
        tuned_kept=tuned_kept,
    )


def _kept(scored: Scored) -> Text:
    """Say on how many runs a setting keeps the tolerance."""
    breaking = scored.breaks_tolerance
    if not scored.told_runs:
        words = "cannot be judged by any of these logs"
    elif breaking:
        words = "breaks the tolerance on {n_breaks_tolerance:count} of "
        words += "{told_runs:count run} whose logs tell ({names})"
    else:
        tell = "log tells" if scored.told_runs == 1 else "logs tell"
        words = f"keeps the tolerance on {{told_runs:of told_runs run}} whose {tell}"
    told = {"told_runs": scored.told_runs}
    of = {"callbacks": scored.callbacks, **told, "breaking": breaking}
    return phrase(
        words,
        n_breaks_tolerance=len(breaking),
        names=list_names(breaking, MOST_NAMES),
        claims=[Claim("keeps_tolerance", of)],
        **told,
    )


def _sufficient(advice: Recommendation) -> Text:
    """Say which patience the groups need: those that need most, and those unknown."""
    by_patience: dict[int, list[str]] = {}
    for group in sorted(advice.groups, key=lambda group: group.name):
        if group.sufficient_patience is not None:
            constant = f" (there {advice.monitor} never changes)"
            name = group.name + (constant if group.is_constant else "")
            by_patience.setdefault(group.sufficient_patience, []).append(name)
    told, n_rest = [*_insufficient(advice)], sum(map(len, by_patience.values()))
    room = _MOST_GROUPS
    for patience, names in sorted(by_patience.items(), reverse=True):
        if room <= 0:
            told.append(say(f"and {n_rest} more need{'s' if n_rest == 1 else ''} less"))
            break
        fact = Fact(patience, "patience", "sufficient_patience")
        told.append(say(fact, f" for {list_names(names, room)}"))
        room, n_rest = room - len(names), n_rest - len(names)
    needed = {group.name: group.sufficient_patience for group in advice.groups}
    # it is enough for so long a training, not only for what is logged
    until = "" if advice.plan is None else " up to the planned epoch {epochs:count}"
    epochs = None if advice.plan is None else advice.plan.epochs
    return say(
        phrase(f"sufficient patience{until}: ", epochs=epochs),
        joined(told, "; "),
        claims=[Claim("sufficient", needed)],
    )


def _insufficient(advice: Recommendation) -> Iterator[Text]:
    """Say for which groups no patience is known to be enough, and why."""
    for none, why, is_constant in (
        ("not in the log", "", False),
        ("none", f", where {advice.monitor} never changes", True),
    ):
        names = [
            group.name
            for group in advice.groups
            if group.sufficient_patience is None and group.is_constant == is_constant
        ]
        if names:
            yield say(f"{none} for {list_names(names, MOST_NAMES)}{why}")


def _forward(advice: Recommendation) -> Iterator[Text]:
    """Say how a choice made by the oldest groups does on the newest."""
    forward = advice.forward
    if forward is None:
        return
    all_of_them = forward.n_enough == forward.n_newer
    words = (
        "forward in time: the {n_older:count} oldest {unit}s choose patience "
        "{patience:patience}, which is enough for "
        + ("" if all_of_them else "{n_enough:count} of ")
        + "the {n_newer:count} that came after them"
    )
    if forward.n_unknown:
        words += " ({n_unknown:count} not told)"
    compared = forward.score is not None and forward.usual_score is not None
    if compared and forward.patience != USUAL:
        words += "; there it scores {score:score}, and {} {usual_score:score}"
    usual = Fact(USUAL, "patience")
    yield phrase(words, usual, **asked_of(advice) | forward._asdict())


def which_monitor(advice: Recommendation) -> Text:
    """Say which of several monitors to stop on."""
    monitor = Code(advice.monitor)
    if advice.told_apart:
        return say("Stop on ", monitor, ": it is clearly better on what was left out.")
    itself = ""
    if advice.objective in {scored.monitor for scored in advice.monitors}:
        itself = (
            f" {advice.objective} is judged by itself, which proves nothing for it: on "
            "three of three sets such a winner lost on test data."
        )
    return phrase(
        "Which monitor to stop on cannot be told from these logs; {} was named "
        "first.{}",
        monitor,
        itself,
    )


def unknown_groups(advice: Recommendation, scored: MonitorScore) -> Text:
    """Say for how many groups no patience is enough on a monitor."""
    told = "the logs hold no patience that is known to be enough"
    facts = asked_of(advice) | scored._asdict()
    return phrase(f"for {{unknown_groups:count {{unit}}}} {told}", **facts)


def doubt_sentences(advice: Recommendation) -> Iterator[Text]:
    """Yield what to know before trusting the advice, with the names of the runs."""
    for doubt in advice.doubts:
        yield doubt_with_runs(doubt, advice.unit)
    yield from excluded_sentences(advice)


def excluded_sentences(advice: Recommendation) -> Iterator[Text]:
    """Yield which runs are not counted, each with the reason."""
    if advice.excluded:
        told = [
            f"{excluded.run} ({plain_text(exclusion_text(excluded))})"
            for excluded in advice.excluded
        ]
        yield say(f"not counted: {list_names(told, MOST_NAMES)}")


def restoring_sentence(advice: Recommendation) -> Text:
    """Say that a setting restores the best weights, or what compares one that does."""
    if advice.keep == "last":
        return phrase(
            "restore_best_weights is False, Keras's default, in all that was "
            "compared, so a stop ends with the weights of its last epoch; {} (--keep "
            "best) compares what keeps the best.",
            Code("restore_best_weights=True"),
        )
    return say(
        Code("restore_best_weights=True"),
        " is part of it; Keras's default is False (--keep last).",
    )


def only_retraining() -> Text:
    """Say what no log can tell."""
    return say(
        "How a learning rate is reduced (factor, cooldown, least rate) cannot be "
        "chosen from logs: only training again tells."
    )
