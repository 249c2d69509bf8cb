"""How sure an advice is, and what would make it surer: its second and third line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.answers.advice.reasons import asked_of, broken_off, share_of
from cbreplay.document import Fact, phrase, say
from cbreplay.generalization.promise import CONFIDENCES, shared_confidence
from cbreplay.recommend import Reason, count_needed
from cbreplay.recommend.scores import NEAR_TIE
from cbreplay.setting_costs.swept_settings import USUAL
from cbreplay.wording.shown_digits import scale_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.document import Text
    from cbreplay.generalization.promise import Promise
    from cbreplay.recommend import Recommendation, Scored
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
    return say("How sure: it is a rule of thumb, not chosen by these logs.")


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
    """Say on how many groups the setting, or a shorter patience, keeps the tolerance.

    A log that ends before the setting stops may show that a shorter one was enough.
    """
    enough = [group.sufficient_patience for group in advice.groups]
    patience = advice.patience or 0
    n_enough = sum(known is not None and known <= patience for known in enough)
    n_open = max(n_enough - promise.n_kept, 0)
    words = "on {n_kept:of n_groups {unit}} it loses {no_more}."
    if n_open:
        logs = "the logs of {n_open:count {unit}} end"
        if advice.unit == "run":
            logs = (
                "{n_open:count log} ends" if n_open == 1 else "{n_open:count log} end"
            )
        words = (
            "on {n_enough:of n_groups {unit}} a patience of "
            "{patience:patience} or less loses {no_more}; "
            f"{logs} before {{patience:patience}} would stop."
        )
    return phrase(
        f"How sure: {words}",
        no_more=_tolerance(advice),
        n_enough=promise.n_kept + n_open,
        n_open=n_open,
        **asked_of(advice) | promise._asdict() | {"patience": patience},
    )


def _tolerance(advice: Recommendation) -> Text:
    """Say that no more than the tolerance is lost, in the unit of the objective."""
    values = [value for group in advice.groups for value in group.tolerance]
    ends = min(values), max(values)
    scale = scale_of(ends, "cost")
    least, most = (Fact(end, "difference", "tolerance", scale) for end in ends)
    words = "no more than the tolerance, {least} to {most} {objective}"
    if most.value == 0:
        words = "no {objective}"
    elif least.text == most.text:
        words = "no more than the tolerance, {least} {objective}"
    return phrase(words, least=least, most=most, **asked_of(advice))


def _beside_ten(advice: Recommendation, expected: Expected) -> Text:
    """Say how the recommendation compares with a fixed patience of 10."""
    if expected.score == math.inf:
        words = (
            "hardly; with patience {patience:patience} the weights that are kept on "
            "some of these {unit}s lose everything."
        )
    elif advice.patience == USUAL:
        words = (
            "by {n_groups:count {unit}} and other data, nothing else is expected to "
            "be better."
        )
    elif expected.usual_score is None:
        words = (
            "by {n_groups:count {unit}} and other data, {patience:patience} is "
            "expected to cost least; what 10 costs, no log tells."
        )
    elif expected.usual_score - expected.score < NEAR_TIE:
        words = (
            "{patience:patience} and 10 cannot be told apart with "
            "{n_groups:count {unit}}{both_lost}; {apart}."
        )
    elif expected.odds is None:
        words = (
            "by {n_groups:count {unit}} and other data, {patience:patience} is "
            "expected to cost less than 10."
        )
    else:
        return phrase(
            "How sure: on other data, such advice from {n_runs:count run} was better "
            "than 10 in {better:share} of the cases, as good in {same:share}, and "
            "worse in {worse:share}.",
            **expected.odds._asdict(),
        )
    return phrase(
        f"How sure: {words}",
        n_groups=expected.n_groups,
        **asked_of(advice),
        both_lost="; both lost nothing" if _both_lost_nothing(advice) else "",
        apart=_apart(advice),
    )


def _apart(advice: Recommendation) -> Text:
    """Say which trains less, the recommended patience or 10."""
    if all(scored is not None and scored.cost == 1 for scored in _both(advice)):
        return say("neither stops before the plan's end")
    shorter, longer = sorted((advice.patience or 0, USUAL))
    return phrase(
        "{} trains less, {} risks less",
        Fact(shorter, "patience"),
        Fact(longer, "patience"),
    )


def _both(advice: Recommendation) -> list[Scored | None]:
    return [advice.setting("recommended"), advice.setting(str(USUAL))]


def _both_lost_nothing(advice: Recommendation) -> bool:
    # the worst regret is over the groups whose logs tell: all of them must
    return all(
        scored is not None
        and scored.worst_regret == 0
        and scored.n_groups == advice.compared.n_groups
        for scored in _both(advice)
    )


# what to record next, and in which unit
_SURER = {
    "without-stop": "record one run in five without early stopping",
    "whole-plan": "{unit}s that train to the end of their plan",
    "unfailed": "{unit}s that do not fail",
    "more": "more {unit}s",
    "plan": "say for how many epochs they were planned (--planned-epochs)",
}


def what_makes_surer(advice: Recommendation) -> Text:
    """Say what to record next."""
    kind, facts = find_surer(advice)
    words = _SURER.get(kind, "")
    if "end" in facts:
        words = "if {end:count} was the plan, say so (--planned-epochs); else " + words
    if "n_ends" in facts:
        words = "the logs of one plan alone, with --planned-epochs (these end at "
        words += "{n_ends:count} different epochs)"
    if "n_more" in facts:
        plural = "" if facts["n_more"] == 1 else "s"
        words += "; then " if words else ""
        words += f"{{n_more:count}} more {{unit}}{plural} for a promise of "
        words += "{confidence:given_share}"
    if "n_more_for_less" in facts:
        words += ", {n_more_for_less:count} for {less:given_share}"
    if facts.get("n_unknown"):
        # others beside them, before anything is promised
        words += ", as for {n_unknown:count {unit}} none is known to be enough"
    return phrase(f"To be surer: {words}.", unit=advice.unit, **facts)


def find_surer(advice: Recommendation) -> Reason:
    """Return what would make the answer surer, and the numbers of that sentence."""
    kinds = {reason.kind: reason.facts for reason in advice.reasons}
    n_unknown = sum(group.sufficient_patience is None for group in advice.groups)
    doubts = advice.doubts
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
