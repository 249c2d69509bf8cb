"""How sure an advice is, and what would make it surer: its second and third line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.counted import counted
from cbreplay.document import Fact, say
from cbreplay.recommend import count_needed
from cbreplay.recommend.selection import NEAR_TIE, USUAL
from cbreplay.words import decimals_for

if TYPE_CHECKING:
    from cbreplay.document import Text
    from cbreplay.recommend import Recommendation
    from cbreplay.recommend.answer import Expected, Promise

__all__ = ["how_sure", "what_makes_surer"]

_FEW, _FEW_PROMISE, _USUAL_PROMISE = 4, 0.8, 0.9


def how_sure(advice: Recommendation) -> Text | None:
    """Say how far the setting can be trusted; nothing where there is none."""
    if advice.kind == "none":
        return None
    if advice.kind == "guaranteed" and advice.promise is not None:
        return _promised(advice, advice.promise)
    if advice.expected is not None and advice.basis == "score":
        return _beside_ten(advice, advice.expected)
    if advice.basis == "cut":
        return say(
            "How sure: not at all by these logs; early stopping of their own cut "
            "every one."
        )
    return say("How sure: the logs say nothing for it and nothing against it.")


def _promised(advice: Recommendation, promise: Promise) -> Text:
    """Say what the promise comes to, in few words."""
    return say(
        "How sure: it was enough for ",
        Fact(promise.n_kept, "count", "n_kept"),
        " of ",
        counted(promise.n_groups, advice.unit, "n_groups"),
        "; enough is to lose no more than ",
        _tolerance(advice),
        ".",
    )


def _tolerance(advice: Recommendation) -> Text:
    """Say the tolerance in the unit of the objective."""
    values = [value for group in advice.groups for value in group.tolerance]
    least, most = min(values), max(values)
    places = decimals_for([least, most], digits=2)
    told = Fact(least, "difference", "tolerance", places)
    end = Fact(most, "difference", "tolerance", places)
    if told.text == end.text:
        return say(told, f" {advice.objective}")
    return say(told, " to ", end, f" {advice.objective}")


def _beside_ten(advice: Recommendation, expected: Expected) -> Text:
    """Say how it stands beside a fixed 10."""
    runs = counted(expected.n_groups, advice.unit, "n_groups")
    patience = Fact(advice.patience, "patience", "patience")
    if advice.patience == USUAL:
        return say("How sure: nothing else promises to be better from ", runs, ".")
    if expected.usual_score - expected.score < NEAR_TIE:
        return say(
            "How sure: ",
            patience,
            " and 10 cannot be told apart with ",
            runs,
            _both_lost(advice),
            "; ",
            Fact(max(advice.patience or 0, USUAL), "patience"),
            " is the safe one.",
        )
    odds = expected.odds
    if odds is None:
        return say(
            "How sure: by ", runs, ", ", patience, " is expected to cost less than 10."
        )
    return say(
        "How sure: on other data, such advice from as many runs was better than 10 in ",
        Fact(odds.better, "share", "better"),
        " of the cases, as good in ",
        Fact(odds.same, "share", "same"),
        ", and worse in ",
        Fact(odds.worse, "share", "worse"),
        ".",
    )


def _both_lost(advice: Recommendation) -> str:
    """Say what both lost on these runs, where that is nothing."""
    settings = [advice.setting("recommended"), advice.setting(str(USUAL))]
    nothing = all(scored is not None and not scored.worst_regret for scored in settings)
    return "; both lost nothing" if nothing else ""


def _more(number: int, unit: str) -> Text:
    """Say how many more of what counts it takes."""
    plural = "" if number == 1 else "s"
    return say(Fact(number, "count"), f" more {unit}{plural}")


def what_makes_surer(advice: Recommendation) -> Text:
    """Say what to record next."""
    kinds = {reason.kind: reason.facts for reason in advice.reasons}
    n_groups, unit = len(advice.groups), advice.unit
    if any(doubt.code.startswith("own-stop") for doubt in advice.doubts):
        return say("Surer: record one run in five without early stopping.")
    if "too-few-groups" in kinds:
        needed = kinds["too-few-groups"]["needed"]
        more = _more(needed - n_groups, unit)
        promised = Fact(advice.confidence, "given_share", "confidence")
        few = say()
        if advice.confidence > _FEW_PROMISE and n_groups < _FEW:
            few = say(", ", Fact(_FEW - n_groups, "count"), " for 80 %")
        return say("Surer: ", more, " for a promise of ", promised, few, ".")
    if "unknown-groups" in kinds:
        return say(f"Surer: {unit}s that train to the end of their plan.")
    if advice.promise is not None and advice.promise.confidence == _FEW_PROMISE:
        more = _more(count_needed(_USUAL_PROMISE) - n_groups, unit)
        return say("Surer: ", more, " for a promise of 90 %.")
    return say(f"Surer: more {unit}s, for one set of so many may be an easy one.")
