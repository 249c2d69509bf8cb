"""What advice rests on, in sentences: its promise, what each run needs, its doubts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.advice.headline import such_trainings
from cbreplay.answers.advice.reasons import reason_text
from cbreplay.answers.advice.run_doubts import (
    MOST_NAMES,
    doubt_with_runs,
    exclusion_text,
)
from cbreplay.document import Claim, Code, Fact, counted, phrase, plain_text, say
from cbreplay.series_names import is_validation
from cbreplay.setting_costs.swept_settings import USUAL
from cbreplay.shown_digits import scale_of
from cbreplay.words import list_names

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
    yield from _expected_score(advice)
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
    patience = Fact(promise.patience, "patience", "patience")
    longer = " and longer" if (advice.patience or 0) > promise.patience else ""
    plan = say("for trainings that run as long as these logs, ")
    if advice.plan is not None:
        epochs = counted(advice.plan.epochs, "epoch", "epochs")
        plan = say("for trainings planned for ", epochs, ", ")
    return say(
        "the promise: ",
        plan,
        "patience ",
        patience,
        f"{longer} loses no more {advice.objective} than the tolerance on at least ",
        Fact(promise.confidence, "given_share", "confidence"),
        f" of new {such_trainings(advice)}, averaged over many such sets of ",
        counted(promise.n_groups, advice.unit, "n_groups"),
        "; with one set in ten, on ",
        Fact(promise.unlucky_share, "share", "unlucky_share"),
        " of them or fewer (of what these ",
        Fact(promise.n_groups, "count", "n_groups"),
        f" {advice.unit}s need, ",
        patience,
        " is the ",
        *_ranked(promise),
        ")",
        claims=[Claim("promises", promise._asdict())],
    )


def _ranked(promise: Promise) -> tuple[Fact | str, ...]:
    """Say which of the sufficient patience values the promise is about."""
    if promise.rank == promise.n_groups:
        return ("largest",)
    return (Fact(promise.rank, "rank", "rank"), " smallest")


def _expected_score(advice: Recommendation) -> Iterator[Text]:
    """Say what is expected of the next training, and what that is made of."""
    expected = advice.expected
    if expected is None:
        return
    score = Fact(expected.score, "score", "score")
    beside: tuple[str | Fact, ...] = ()
    if expected.usual_score is not None:
        usual = Fact(expected.usual_score, "score", "usual_score")
        same = score.text == usual.text
        beside = (*((", as",) if same else (", and ", usual)), " with a fixed 10")
    least: tuple[str | Fact, ...] = ()
    if expected.unavoidable:
        lost = Fact(expected.unavoidable, "score", "unavoidable")
        least = (", beside the ", lost, f" that every patience on {advice.monitor}")
        least = (*least, f" loses on these {advice.unit}s")
    yield say(
        "expected score of the next training",
        *least,
        ": ",
        score,
        *beside,
        "; made of ",
        counted(expected.n_groups, advice.unit, "n_groups"),
        ", and of thousands of small trainings on other data, which count as ",
        Fact(expected.n_kinds, "count", "n_kinds"),
    )


def _plans(advice: Recommendation) -> Iterator[Text]:
    """Say how the plan is known, if inferred, and what holds for other plans."""
    plan = advice.plan
    if plan is not None and plan.inferred:
        yield phrase(
            "the plan is taken to be {}: {} end there, which one patience would "
            "hardly explain (--planned-epochs)",
            counted(plan.epochs, "epoch", "epochs"),
            counted(plan.n_runs, "log", "n_runs"),
        )
    for other in advice.plans:
        yield _other_plan(advice, other)


def _other_plan(advice: Recommendation, other: PlanAdvice) -> Text:
    doubt = ", if that was the plan" if other.plan.inferred else ""
    trainings = phrase(
        "trainings of {} epochs{} ({}): ",
        Fact(other.plan.epochs, "count", "epochs"),
        doubt,
        counted(other.n_groups, advice.unit, "n_groups"),
    )
    if other.patience is None:
        few = "too few" if other.n_groups == 1 else "too short"
        return say(trainings, f"{few} to recommend anything")
    told = say(trainings, "patience ", Fact(other.patience, "patience", "patience"))
    if other.promise is None:
        return told
    return phrase(
        "{}; {} is promised for {}",
        told,
        Fact(other.promise.patience, "patience", "patience"),
        Fact(other.promise.confidence, "given_share", "confidence"),
    )


def _tolerance(advice: Recommendation) -> Text:
    tolerance, series = advice.tolerance, Code(advice.objective)
    if tolerance is None:
        message = "a recommendation from several runs has a tolerance"
        raise AssertionError(message)
    value = Fact(tolerance.value, "given", "value")
    if tolerance.kind == "absolute":
        return say("tolerance: ", value, " ", series)
    share = _share(tolerance, value, series)
    more = say()
    if tolerance.n_steps:
        runs = counted(tolerance.n_steps, "run", "n_steps")
        more = say(", or the smallest change of ", series)
        more = say(more, " where that is more, as in ", runs)
    if tolerance.kind == "share":
        return say("tolerance: ", share, more, " (--tolerance)")
    spreads = _spreads(advice, tolerance.spreads)
    if advice.unit == "run":
        spread = say("the spread between seeds, ", spreads)
        return phrase(
            "tolerance: {}, where it is less than {}{} (--tolerance)",
            spread,
            share,
            more,
        )
    return phrase(
        "tolerance: the spread between the seeds of a group, of three or more ({}), "
        "where it is less than {}; else that{} (--tolerance)",
        spreads,
        share,
        more,
    )


def _share(tolerance: Tolerance, value: Fact, series: Code) -> Text:
    """Say what the share that a run may lose is a share of."""
    given = value._replace(kind="given_share")
    of, least = say(" of each run's best ", series), " whose best is near 0"
    if tolerance.n_errors:
        of = say(" of the error that each run's best ", series, " leaves")
        least = " with next to none"
    if not tolerance.n_near_zero:
        return say(given, of)
    near = counted(tolerance.n_near_zero, "run", "n_near_zero")
    return say(given, of, ", or of the way to that best for ", near, least)


def _spreads(advice: Recommendation, spreads: Sequence[float | None]) -> Text:
    """Say the range of the spreads between the seeds of a setting."""
    if advice.unit == "run":
        return say(*(_spread(spread) for spread in spreads if spread is not None))
    ordered = sorted(
        (spread, group.name)
        for group, spread in zip(advice.groups, spreads, strict=True)
        if spread is not None
    )
    (least, first), (most, last) = ordered[0], ordered[-1]
    told = say(_spread(least), f" in {first}")
    return (
        told if len(ordered) == 1 else say(told, " to ", _spread(most), f" in {last}")
    )


def _spread(value: float) -> Fact:
    return Fact(value, "difference", "spread", scale_of([value], "close_cost"))


def _kept_tolerance(advice: Recommendation) -> Iterator[Text]:
    """Say which of the two answers keeps the tolerance, and where one does not."""
    recommended, tuned = advice.setting("recommended"), advice.setting("tolerance")
    if recommended is None:
        return
    kept = _kept(recommended)
    sentence = say(
        "the recommended ", Fact(advice.patience, "patience", "patience"), " ", kept
    )
    if tuned is not None and tuned.callbacks != recommended.callbacks:
        patience = Fact(tuned.parameters["patience"], "patience", "patience")
        tuned_kept = _kept(tuned)
        if plain_text(tuned_kept) == plain_text(kept):
            sentence = say(sentence, ", as does ", patience)
        else:
            sentence = say(sentence, "; ", patience, " ", tuned_kept)
    yield sentence


def _kept(scored: Scored) -> Text:
    """Say on how many runs a setting keeps the tolerance."""
    of = {
        "callbacks": scored.callbacks,
        "told_runs": scored.told_runs,
        "breaking": scored.breaks_tolerance,
    }
    return say(_kept_words(scored), claims=[Claim("keeps_tolerance", of)])


def _kept_words(scored: Scored) -> Text:
    told = Fact(scored.told_runs, "count", "told_runs")
    if not scored.told_runs:
        return say("cannot be judged by any of these logs")
    if not scored.breaks_tolerance:
        if scored.told_runs == 1:
            return say("keeps the tolerance on the ", told, " run whose log tells")
        return say("keeps the tolerance on all ", told, " runs whose logs tell")
    return phrase(
        "breaks the tolerance on {} of {} whose logs tell ({})",
        Fact(len(scored.breaks_tolerance), "count", "n_breaks_tolerance"),
        counted(scored.told_runs, "run", "told_runs"),
        list_names(scored.breaks_tolerance, MOST_NAMES),
    )


def _sufficient(advice: Recommendation) -> Text:
    """Say which patience the groups need: those that need most, and those unknown."""
    known = [group for group in advice.groups if group.sufficient_patience is not None]
    known.sort(key=lambda group: (-(group.sufficient_patience or 0), group.name))
    by_patience: dict[int | None, list[str]] = {}
    for group in known:
        constant = f" (there {advice.monitor} never changes)"
        name = group.name + (constant if group.is_constant else "")
        by_patience.setdefault(group.sufficient_patience, []).append(name)
    told, n_told = [], 0
    for patience, names in by_patience.items():
        if n_told >= _MOST_GROUPS:
            rest = len(known) - n_told
            told.append(say(f"and {rest} more need{'s' if rest == 1 else ''} less"))
            break
        fact = Fact(patience, "patience", "sufficient_patience")
        told.append(say(fact, f" {list_names(names, _MOST_GROUPS - n_told)}"))
        n_told += len(names)
    told = [*_insufficient(advice), *told]
    joined = [part for text in told for part in ("; ", text)]
    needed = {group.name: group.sufficient_patience for group in advice.groups}
    claims = [Claim("sufficient", needed)]
    return say(*_sufficient_for(advice), ": ", *joined[1:], claims=claims)


def _sufficient_for(advice: Recommendation) -> Iterator[str | Fact]:
    """Say for how long a training a patience is enough: not only for what is logged."""
    yield "sufficient patience"
    if advice.plan is not None:
        yield " up to the planned epoch "
        yield Fact(advice.plan.epochs, "count", "epochs")


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
    forward, unit = advice.forward, advice.unit
    if forward is None:
        return
    newer = Fact(forward.n_newer, "count", "n_newer")
    enough = say(Fact(forward.n_enough, "count", "n_enough"), " of the ", newer)
    if forward.n_enough == forward.n_newer:
        enough = say("all ", newer)
    sentence = phrase(
        "forward in time: the {} oldest {}s choose patience {}, which is enough for "
        "{} that came after them",
        Fact(forward.n_older, "count", "n_older"),
        unit,
        Fact(forward.patience, "patience", "patience"),
        enough,
    )
    if forward.n_unknown:
        unknown = Fact(forward.n_unknown, "count", "n_unknown")
        sentence = say(sentence, " (", unknown, " of these do not tell)")
    compared = forward.score is not None and forward.usual_score is not None
    if compared and forward.patience != USUAL:
        sentence = phrase(
            "{}; there it scores {}, and {} {}",
            sentence,
            Fact(forward.score, "score", "score"),
            Fact(USUAL, "patience"),
            Fact(forward.usual_score, "score", "usual_score"),
        )
    yield sentence


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
    return phrase(
        "for {} the logs hold no patience that is known to be enough",
        counted(scored.unknown_groups, advice.unit, "unknown_groups"),
    )


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
