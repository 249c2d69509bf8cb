"""How sure an advice is, and what would make it surer: its second and third line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.advice.reasons import broken_off, share_of
from cbreplay.document import Fact, counted, phrase, say
from cbreplay.generalization.promise import CONFIDENCES, shared_confidence
from cbreplay.recommend import Reason, count_needed
from cbreplay.setting_costs.pricing import NEAR_TIE
from cbreplay.setting_costs.swept_settings import USUAL
from cbreplay.shown_digits import scale_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.document import Text
    from cbreplay.generalization.promise import Promise
    from cbreplay.generalization.track_record import Odds
    from cbreplay.recommend import Recommendation
    from cbreplay.recommend.answer import Expected

__all__ = ["find_surer", "how_sure", "what_makes_surer"]

_USUAL_PROMISE, _FEW_PROMISE = CONFIDENCES


def how_sure(advice: Recommendation) -> Text | None:
    """Say how far the setting can be trusted; nothing where there is none."""
    if advice.kind == "none":
        return None
    if advice.kind == "guaranteed" and advice.promise is not None:
        return _promised(advice, advice.promise)
    for reason in advice.reasons:
        if reason.kind == "broke-off":
            return phrase(
                "How sure: hardly; {}, and no log shows what the rest of these "
                "trainings would have gained.",
                broken_off(reason.facts),
            )
    if advice.expected is not None and advice.basis == "score":
        return _beside_ten(advice, advice.expected)
    for reason in advice.reasons:
        if reason.kind == "cut":
            return _by_what_cut(reason.facts)
    return say("How sure: the logs had no part in the choice.")


def _by_what_cut(facts: Mapping[str, Any]) -> Text:
    """Say that logs that were cut prove nothing, and if the cut is only suspected."""
    how = "were cut by early stopping of their own"
    if facts["guessed"]:
        how = "end as if early stopping of their own had cut them"
    return phrase(
        "How sure: not at all by these logs; {} {}, and no log shows what that missed.",
        share_of(facts, "n_cut"),
        how,
    )


def _promised(advice: Recommendation, promise: Promise) -> Text:
    """Say on how many groups the setting keeps the tolerance."""
    return phrase(
        "How sure: on {} of {} it loses {}{}.",
        Fact(promise.n_kept, "count", "n_kept"),
        counted(promise.n_groups, advice.unit, "n_groups"),
        _tolerance(advice),
        _open_logs(advice, promise),
    )


def _open_logs(advice: Recommendation, promise: Promise) -> Text:
    """Say how many logs end before the setting stops, if a shorter one was enough."""
    enough = [group.sufficient_patience for group in advice.groups]
    patience = advice.patience or 0
    n_enough = sum(known is not None and known <= patience for known in enough)
    n_open = n_enough - promise.n_kept
    if not n_open:
        return say()
    logs = counted(n_open, "log", "n_open")
    if advice.unit == "group":
        logs = say("the logs of ", counted(n_open, "group", "n_open"))
    end = "ends" if n_open == 1 and advice.unit == "run" else "end"
    return say("; ", logs, f" {end} before it would stop")


def _tolerance(advice: Recommendation) -> Text:
    """Say that no more than the tolerance is lost, in the unit of the objective."""
    values = [value for group in advice.groups for value in group.tolerance]
    least, most = min(values), max(values)
    scale = scale_of([least, most], "cost")
    told = Fact(least, "difference", "tolerance", scale)
    end = Fact(most, "difference", "tolerance", scale)
    if most == 0:
        return say(f"no {advice.objective}")
    if told.text == end.text:
        return say("no more than the tolerance, ", told, f" {advice.objective}")
    return say(
        "no more than the tolerance, ", told, " to ", end, f" {advice.objective}"
    )


def _beside_ten(advice: Recommendation, expected: Expected) -> Text:
    """Say how the recommendation compares with a fixed patience of 10."""
    runs = counted(expected.n_groups, advice.unit, "n_groups")
    patience = Fact(advice.patience, "patience", "patience")
    if advice.patience == USUAL:
        return say("How sure: nothing else promises to be better from ", runs, ".")
    if expected.usual_score is None:
        return phrase(
            "How sure: by {}, {} is expected to cost least; what 10 costs, no log "
            "tells.",
            runs,
            patience,
        )
    if expected.usual_score - expected.score < NEAR_TIE:
        return say(
            "How sure: ",
            patience,
            " and 10 cannot be told apart with ",
            runs,
            _both_lost(advice),
            *_apart(advice),
        )
    if expected.odds is None:
        return say(
            "How sure: by ", runs, ", ", patience, " is expected to cost less than 10."
        )
    return _better_elsewhere(expected.odds)


def _better_elsewhere(odds: Odds) -> Text:
    """Say how often such advice was better than 10 on other data."""
    return phrase(
        "How sure: on other data, such advice from {} was better than 10 in {} of the "
        "cases, as good in {}, and worse in {}.",
        counted(odds.n_runs, "run", "n_runs"),
        Fact(odds.better, "share", "better"),
        Fact(odds.same, "share", "same"),
        Fact(odds.worse, "share", "worse"),
    )


def _apart(advice: Recommendation) -> tuple[Any, ...]:
    """Say which trains less, the recommended patience or 10."""
    settings = [advice.setting("recommended"), advice.setting(str(USUAL))]
    if all(scored is not None and scored.cost == 1 for scored in settings):
        return ("; neither stops before the plan's end.",)
    shorter, longer = sorted((advice.patience or 0, USUAL))
    return (
        "; ",
        Fact(shorter, "patience"),
        " trains less, ",
        Fact(longer, "patience"),
        " risks less.",
    )


def _both_lost(advice: Recommendation) -> str:
    """Say what both lost on these runs, where that is nothing."""
    settings = [advice.setting("recommended"), advice.setting(str(USUAL))]
    # the worst regret is over the groups whose logs tell: all of them must
    nothing = all(
        scored is not None
        and scored.worst_regret == 0
        and scored.n_groups == len(advice.groups)
        for scored in settings
    )
    return "; both lost nothing" if nothing else ""


# what to record next, and in which unit
_SURER = {
    "without-stop": "record one run in five without early stopping",
    "whole-plan": "{unit}s that train to the end of their plan",
    "unfailed": "{unit}s that do not fail",
    "more": "more {unit}s, for one set of so many may be an easy one",
    "plan": "say for how many epochs they were planned (--planned-epochs)",
}


def what_makes_surer(advice: Recommendation) -> Text:
    """Say what to record next."""
    unit, (kind, facts) = advice.unit, find_surer(advice)
    told: list[Any] = [_SURER[kind].format(unit=unit)] if kind in _SURER else []
    if "end" in facts:
        end = Fact(facts["end"], "count", "end")
        told = ["if ", end, " was the plan, say so (--planned-epochs); else ", *told]
    if "n_ends" in facts:
        n_ends = Fact(facts["n_ends"], "count", "n_ends")
        told = [
            "the logs of one plan alone, with --planned-epochs (these end at ",
            n_ends,
            " different epochs)",
        ]
    if "n_more" in facts:
        told += ["; then "] if told else []
        told += _more_groups(unit, facts)
    return say("Surer: ", *told, ".")


def _more_groups(unit: str, facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """Say how many groups more a promise needs, and how many a weaker one."""
    plural = "" if facts["n_more"] == 1 else "s"
    fewer: tuple[Any, ...] = ()
    if "n_more_for_less" in facts:
        fewer = (
            ", ",
            Fact(facts["n_more_for_less"], "count", "n_more_for_less"),
            " for ",
            Fact(facts["less"], "given_share", "less"),
        )
    return (
        Fact(facts["n_more"], "count", "n_more"),
        f" more {unit}{plural} for a promise of ",
        Fact(facts["confidence"], "given_share", "confidence"),
        *fewer,
        *_made_up_for(unit, facts),
    )


def _made_up_for(unit: str, facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """Say how many groups need others beside them before anything is promised."""
    if not facts.get("n_unknown"):
        return ()
    unknown = counted(facts["n_unknown"], unit, "n_unknown")
    return (", as for ", unknown, " none is known to be enough")


def find_surer(advice: Recommendation) -> Reason:
    """Return what would make the answer surer, and the numbers of that sentence."""
    kinds = {reason.kind: reason.facts for reason in advice.reasons}
    n_unknown, doubts = _count_unknown(advice), advice.doubts
    kind, facts = "more", _find_missing_usual(advice, n_unknown)
    failed_alone = _failed_alone(advice)
    stops = [doubt.facts for doubt in doubts if doubt.code.startswith("own-stop")]
    if any(stop["few_uncut"] for stop in stops):
        kind = "without-stop"
        ends = [stop["end"] for stop in stops if stop["end"] is not None]
        facts = {"end": ends[0]} if ends else {}
    elif failed_alone and n_unknown == len(advice.groups):
        kind = "unfailed"
    elif n_unknown and "thumb" in kinds and kinds["thumb"]["plan"] is None:
        # a run that reached its plan tells
        kind, facts = "plan", _find_missing(advice, 0)
        if kinds["thumb"]["n_ends"] > 1:
            facts |= {"n_ends": kinds["thumb"]["n_ends"]}
    elif "too-few-groups" in kinds and 2 * n_unknown <= len(advice.groups):
        kind, facts = "more-groups", _find_missing(advice, n_unknown)
    elif failed_alone:
        kind = "unfailed"
    # where most groups do not tell, more of the same kind would not tell either
    elif kinds.keys() & {"unknown-groups", "too-few-groups"} and not _all_whole(advice):
        kind = "whole-plan"
    elif n_unknown and any(doubt.code == "failed" for doubt in doubts):
        kind = "unfailed"
    elif facts:
        kind = "more-groups"
    told = {"plan", "more-groups", "without-stop"}
    return Reason(kind, facts if kind in told else {})


def _find_missing_usual(advice: Recommendation, n_unknown: int) -> dict[str, Any]:
    """Return what a promise for 90 % still takes, if there is one for 80 %."""
    n_more = _count_missing(advice, _USUAL_PROMISE, n_unknown)
    promised = None if advice.promise is None else advice.promise.confidence
    if promised != _FEW_PROMISE or n_more <= 0:
        return {}
    return {"n_more": n_more, "confidence": _USUAL_PROMISE}


def _find_missing(advice: Recommendation, n_unknown: int) -> dict[str, Any]:
    """Return how many groups the promise asked for still takes, and a weaker one."""
    confidence = advice.confidence
    missing = _count_missing(advice, confidence, n_unknown)
    facts = {"n_more": missing, "confidence": confidence} if missing > 0 else {}
    for_less = _count_missing(advice, _FEW_PROMISE, n_unknown)
    if confidence > _FEW_PROMISE and for_less > 0:
        facts |= {"n_more_for_less": for_less, "less": _FEW_PROMISE}
    return facts | {"n_unknown": n_unknown} if facts and n_unknown else facts


def _count_missing(advice: Recommendation, confidence: float, n_unknown: int) -> int:
    """Return how many more groups a promise needs, if each of them tells.

    0 or less where there are enough.
    """
    of_each = shared_confidence(confidence, max(len(advice.monitors), 1))
    return count_needed(of_each, n_unknown) - len(advice.groups)


def _count_unknown(advice: Recommendation) -> int:
    return sum(group.sufficient_patience is None for group in advice.groups)


def _failed_alone(advice: Recommendation) -> bool:
    """Return whether no group is unknown but by runs that failed, and some are."""
    failed = {
        name
        for doubt in advice.doubts
        if doubt.code == "failed" and doubt.facts["how"] in ("not-finite", "error")
        for name in doubt.runs
    }
    unknown = [group for group in advice.groups if group.sufficient_patience is None]
    return bool(unknown) and all(failed & {*group.runs} for group in unknown)


def _all_whole(advice: Recommendation) -> bool:
    """Return whether every run is known to have trained to the end of its plan."""
    n_runs = sum(len(group.runs) for group in advice.groups)
    return advice.plan is not None and advice.plan.n_runs == n_runs
