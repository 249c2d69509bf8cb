"""Why a setting is recommended, or why none is: in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.document import Claim, Code, phrase, say
from cbreplay.setting_costs.swept_settings import USUAL
from cbreplay.wording.words import list_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from cbreplay.document import Text
    from cbreplay.recommend import Reason, Recommendation

    # how a kind of sentence says its facts: with blanks for them, or by a function
    Wording: TypeAlias = str | Callable[[Mapping[str, Any]], Text]

__all__ = ["asked_of", "broken_off", "ranked", "reason_text", "share_of", "worded"]


def reason_text(advice: Recommendation, reason: Reason) -> Text:
    """Say why a setting is recommended, or why none is."""
    words = worded(_REASONS[reason.kind], {"unit": advice.unit, **reason.facts})
    return say(words, claims=[Claim(reason.kind, reason.facts)])


def worded(wording: Wording, facts: Mapping[str, Any]) -> Text:
    """Say facts in the words for their kind."""
    return phrase(wording, **facts) if isinstance(wording, str) else wording(facts)


def asked_of(advice: Recommendation) -> dict[str, Any]:
    """Return what the sentences on advice name: unit, patience, monitor, objective."""
    return {
        "unit": advice.unit,
        "patience": advice.patience,
        "monitor": advice.monitor,
        "objective": advice.objective,
    }


def broken_off(facts: Mapping[str, Any]) -> Text:
    """Say how many of the runs ended before their plan."""
    return say(share_of(facts, "n_broken"), " ended before their plan")


def share_of(facts: Mapping[str, Any], name: str) -> Text:
    """Say how many of the runs some are."""
    return phrase(f"{{{name}:of n_runs run}}", **facts)


def ranked(facts: Mapping[str, Any]) -> Text:
    """Say which of the sufficient patience values a promise is about."""
    is_last = facts["rank"] == facts["n_groups"]
    return phrase("largest" if is_last else "{rank:rank} smallest", **facts)


def _too_few_groups(facts: Mapping[str, Any]) -> Text:
    several = facts["n_monitors"] > 1
    return phrase(
        "a promise for {confidence:given_share} of new {unit}s{monitors} takes at "
        "least {needed:count {unit}}, and there are {n_groups:count}",
        monitors=phrase(" and {n_monitors:count monitor}" if several else "", **facts),
        **facts,
    )


def _unknown_groups(facts: Mapping[str, Any]) -> Text:
    return phrase(
        "for {n_unknown:count {unit}} of {n_groups:count} the logs hold no patience "
        "that is known to be enough; a promise from so few allows "
        + ("{allowed:count} of them" if facts["allowed"] else "no such {unit}"),
        **facts,
    )


def _thumb(facts: Mapping[str, Any]) -> Text:
    if facts["plan"] is None:
        # their plans may be unknown, or differ; then one number would not be right
        return phrase(
            "{patience:patience} is a rule of thumb: no one number of planned epochs "
            "is known for all of these trainings"
            + ("" if facts["n_ends"] > 1 else " (--planned-epochs)"),
            **facts,
        )
    # a patience counts records
    counts = facts["n_records"] != facts["plan"]
    return phrase(
        "{patience:patience} is a rule of thumb, 10 or a tenth of the {records}"
        "{plan:count} planned epochs"
        + (": no log tells what a patience loses" if facts["untold"] else ""),
        records=phrase("{n_records:count} records of the " if counts else "", **facts),
        **facts,
    )


def _cut(facts: Mapping[str, Any]) -> Text:
    first = "{patience:patience} is a rule of thumb, and no less than their own: "
    return phrase(
        ("" if facts["patience"] == facts["under"] else first)
        + "{cut}; no log shows what came after, so none tells whether that is enough, "
        "or less would be",
        cut=_cut_by(facts, "under"),
        **facts,
    )


def _cut_by(facts: Mapping[str, Any], name: str) -> Text:
    """Say how many runs a patience of their own ended, or may have ended."""
    runs = share_of(facts, "n_under")
    if not facts["guessed"]:
        return phrase(f"patience {{{name}:patience}} cut {{runs}}", runs=runs, **facts)
    ends, them = ("end", "them") if facts["n_under"] > 1 else ("ends", "it")
    return phrase(
        f"{{runs}} {ends} as if patience {{{name}:patience}} had cut {them}",
        runs=runs,
        **facts,
    )


def _compared_patience(facts: Mapping[str, Any]) -> Text:
    """Name the patience values that another rule has to beat."""
    fixed = "" if facts["patience"] == USUAL else f", a fixed {USUAL}"
    words = (
        f"patience {{patience:patience}}{fixed}, and the patience with the least score"
    )
    return phrase(words, **facts)


_REASONS: dict[str, Wording] = {
    "one-run": ("one run describes only itself; what holds for the next takes several"),
    "one-training": (
        "the {n_runs:count run} are of one training, its branches or its seed again, "
        "and what holds for the next takes several"
    ),
    "one-group": (
        "the {n_runs:count run} are one group, and what holds for the next takes "
        "several"
    ),
    "short-logs": (
        "no log here holds more than {most:count value} of {monitor:code}, which is "
        "too few to choose a patience from"
    ),
    "constant": lambda facts: phrase(
        "on {n_runs:of n_runs run} {names} never changes, so that no patience is "
        "judged by it",
        names=" and ".join(facts["monitors"]),
        **facts,
    ),
    "untold": "no log tells what any patience would have lost",
    "too-few-groups": _too_few_groups,
    "unknown-groups": _unknown_groups,
    "worse-than-no-stop": (
        "on these logs patience {patience:patience} does no better than no early "
        "stopping at all; a checkpoint of the best weights takes no stop"
    ),
    "no-stop-better": (
        "on these runs no early stopping at all scores better than "
        "{patience:patience}: {unstopped:score} against {score:score}"
    ),
    "promise": lambda facts: phrase(
        "{patience:patience} is the {which} sufficient patience of the "
        "{n_groups:count {unit}}, and more than the rule of thumb, {usual:patience}",
        which=ranked(facts),
        **facts,
    ),
    "score": (
        "{patience:patience} has the least expected score: what the {unit}s lost, "
        "smoothed over the patience values nearby, joined with what learning curves of "
        "their kinds lost in other data"
    ),
    "thumb": _thumb,
    "broke-off": lambda facts: say(
        broken_off(facts),
        ": what a patience loses there is known only against the best until then, so "
        "nothing argues for less than the rule of thumb, 10 or a tenth of the plan",
    ),
    "cut": _cut,
    "recorded-under": lambda facts: phrase(
        "no less than {patience:patience} is recommended: {cut}, and no log shows what "
        "that missed",
        cut=_cut_by(facts, "patience"),
        **facts,
    ),
    "below-promise": (
        "the promise is about {promised:patience} and longer, not about "
        "{patience:patience}"
    ),
    "rule-not-compared": lambda facts: phrase(
        "{rule} is not compared: {why}",
        why=facts["problem"] or "too few logs tell what it would have kept",
        **facts,
    ),
    "rules-untold": lambda facts: phrase(
        "whether {any_of_them} would do better cannot be told: that takes "
        "{needed:count {unit}} on which they can be compared, and there are "
        "{n_told:count}",
        any_of_them=list_names(facts["rules"], len(facts["rules"])),
        **facts,
    ),
    "rule-better": lambda facts: phrase(
        "on {unit}s left out of the choice, {rule:code} is clearly better than all of "
        "these: {these}; as code: {}",
        Code(f'cbreplay simulate -c "{facts["rule"]}" --keras-code'),
        these=_compared_patience(facts),
        **facts,
    ),
    "no-rule-better": lambda facts: phrase(
        "on {unit}s left out of the choice, none of {all_of_them} is clearly better "
        "than all of these: {these}",
        all_of_them=", ".join(facts["rules"]),
        these=_compared_patience(facts),
        **facts,
    ),
}
