"""Why a setting is recommended, or why none is: in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.advice.surety import broken_off
from cbreplay.document import Claim, Code, Fact, counted, phrase, say
from cbreplay.setting_costs.swept_settings import USUAL
from cbreplay.words import list_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cbreplay.document import Text
    from cbreplay.recommend import Reason, Recommendation

__all__ = ["patience_of", "reason_text"]


def reason_text(advice: Recommendation, reason: Reason) -> Text:
    """Say why a setting is recommended, or why none is."""
    words = _REASONS[reason.kind](advice.unit, reason.facts)
    return say(words, claims=[Claim(reason.kind, reason.facts)])


def patience_of(facts: Mapping[str, Any], name: str = "patience") -> Fact:
    """Return a patience among the facts of a reason or a doubt."""
    return Fact(facts[name], "patience", name)


def _copies(_unit: str, facts: Mapping[str, Any]) -> Text:
    return phrase(
        "the {} are copies of one log: what holds for the next takes several",
        counted(facts["n_runs"], "run", "n_runs"),
    )


def _one_group(_unit: str, facts: Mapping[str, Any]) -> Text:
    return phrase(
        "the {} are one group, and what holds for the next takes several",
        counted(facts["n_runs"], "run", "n_runs"),
    )


def _short_logs(_unit: str, facts: Mapping[str, Any]) -> Text:
    values = counted(facts["most"], "value", "most")
    return phrase(
        "no log here holds more than {} of {}, which is too few to choose a patience "
        "from",
        values,
        Code(facts["monitor"]),
    )


def _too_few_groups(unit: str, facts: Mapping[str, Any]) -> Text:
    monitors = say()
    if facts["n_monitors"] > 1:
        monitors = say(" and ", counted(facts["n_monitors"], "monitor", "n_monitors"))
    return phrase(
        "a promise for {} of new {}s{} takes at least {}, and there are {}",
        Fact(facts["confidence"], "given_share", "confidence"),
        unit,
        monitors,
        counted(facts["needed"], unit, "needed"),
        Fact(facts["n_groups"], "count", "n_groups"),
    )


def _unknown_groups(unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        "for ",
        counted(facts["n_unknown"], unit, "n_unknown"),
        " of ",
        Fact(facts["n_groups"], "count", "n_groups"),
        " the logs hold no patience that is known to be enough; a promise from so few ",
        *(
            ("allows ", Fact(facts["allowed"], "count", "allowed"), " of them")
            if facts["allowed"]
            else (f"allows no such {unit}",)
        ),
    )


def _worse_than_no_stop(_unit: str, facts: Mapping[str, Any]) -> Text:
    return phrase(
        "on these logs patience {} does no better than no early stopping at all; a "
        "checkpoint of the best weights takes no stop",
        patience_of(facts),
    )


def _no_stop_better(_unit: str, facts: Mapping[str, Any]) -> Text:
    return phrase(
        "on these runs no early stopping at all scores better than {}: {} against {}",
        patience_of(facts),
        Fact(facts["unstopped"], "score", "unstopped"),
        Fact(facts["score"], "score", "score"),
    )


def _promise(unit: str, facts: Mapping[str, Any]) -> Text:
    which = say(Fact(facts["rank"], "rank", "rank"), " smallest")
    if facts["rank"] == facts["n_groups"]:
        which = say("largest")
    return phrase(
        "{} is the {} sufficient patience of the {}, and more than the rule of thumb, "
        "{}",
        patience_of(facts),
        which,
        counted(facts["n_groups"], unit, "n_groups"),
        patience_of(facts, "usual"),
    )


def _score(unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        patience_of(facts),
        f" has the least expected score: the mean of the {unit}s, evened out over the "
        "patience values nearby, and of the kinds of learning curves that they look "
        "like, known from other data",
    )


def _thumb(_unit: str, facts: Mapping[str, Any]) -> Text:
    if facts["plan"] is None:
        return say(
            patience_of(facts),
            # their plans may be unknown, or differ
            " is a rule of thumb: no one number of planned epochs is known for all of "
            "these trainings",
            # one number would not be right for all of them
            "" if facts["n_ends"] > 1 else " (--planned-epochs)",
        )
    records = say()
    if facts["n_records"] != facts["plan"]:
        # a patience counts them
        records = say(
            Fact(facts["n_records"], "count", "n_records"), " records of the "
        )
    return phrase(
        "{} is a rule of thumb, 10 or a tenth of the {}{} planned epochs{}",
        patience_of(facts),
        records,
        Fact(facts["plan"], "count", "plan"),
        ": no log tells what a patience loses" if facts["untold"] else "",
    )


def _broke_off(_unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        broken_off(facts),
        ": what a patience loses there is known only against the best until then, so "
        "nothing argues for less than the rule of thumb, 10 or a tenth of the plan",
    )


def _cut(_unit: str, facts: Mapping[str, Any]) -> Text:
    first = say(patience_of(facts), " is a rule of thumb, and no less than their own: ")
    if facts["patience"] == facts["under"]:
        first = say()
    return say(
        first,
        _cut_by(facts, "under"),
        "; no log shows what came after, so none tells whether that is enough, or "
        "less would be",
    )


def _recorded_under(_unit: str, facts: Mapping[str, Any]) -> Text:
    return phrase(
        "no less than {} is recommended: {}, and no log shows what that missed",
        patience_of(facts),
        _cut_by(facts, "patience"),
    )


def _cut_by(facts: Mapping[str, Any], name: str) -> Text:
    """Say how many runs a patience of their own ended, or may have ended."""
    patience = patience_of(facts, name)
    n_runs = counted(facts["n_runs"], "run", "n_runs")
    runs = say(Fact(facts["n_under"], "count", "n_under"), " of ", n_runs)
    if facts["n_under"] == facts["n_runs"]:
        runs = say("all ", n_runs)
    if not facts["guessed"]:
        return say("patience ", patience, " cut ", runs)
    ends = "end" if facts["n_under"] > 1 else "ends"
    them = "them" if facts["n_under"] > 1 else "it"
    return say(runs, f" {ends} as if patience ", patience, f" had cut {them}")


def _below_promise(_unit: str, facts: Mapping[str, Any]) -> Text:
    return phrase(
        "the promise is about {} and longer, not about {}",
        patience_of(facts, "promised"),
        patience_of(facts),
    )


def _rule_not_compared(_unit: str, facts: Mapping[str, Any]) -> Text:
    problem = facts["problem"] or "too few logs tell what it would have kept"
    return say(f"{facts['rule']} is not compared: {problem}")


def _rules_untold(unit: str, facts: Mapping[str, Any]) -> Text:
    return phrase(
        "whether {} would do better cannot be told: that takes {} on which they can "
        "be compared, and there are {}",
        list_names(facts["rules"], len(facts["rules"])),
        counted(facts["needed"], unit, "needed"),
        Fact(facts["n_told"], "count", "n_told"),
    )


def _rule_better(unit: str, facts: Mapping[str, Any]) -> Text:
    code = facts["rule"]
    return phrase(
        "on {}s left out of the choice, {} is clearly better than all of these: {}; "
        "as code: {}",
        unit,
        Code(code),
        _compared_patience(facts),
        Code(f'cbreplay simulate -c "{code}" --keras-code'),
    )


def _no_rule_better(unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        f"on {unit}s left out of the choice, none of {', '.join(facts['rules'])} is "
        "clearly better than all of these: ",
        _compared_patience(facts),
    )


def _compared_patience(facts: Mapping[str, Any]) -> Text:
    """Name the patience values that another rule has to beat."""
    fixed = "" if facts["patience"] == USUAL else f", a fixed {USUAL}"
    by_score = f"{fixed}, and the patience with the least score"
    return say("patience ", patience_of(facts), by_score)


_REASONS: dict[str, Callable[[str, Mapping[str, Any]], Text]] = {
    "one-run": lambda _unit, _facts: say(
        "one run describes only itself; what holds for the next takes several"
    ),
    "copies": _copies,
    "one-group": _one_group,
    "short-logs": _short_logs,
    "untold": lambda _unit, _facts: say(
        "no log tells what any patience would have lost"
    ),
    "too-few-groups": _too_few_groups,
    "unknown-groups": _unknown_groups,
    "worse-than-no-stop": _worse_than_no_stop,
    "no-stop-better": _no_stop_better,
    "promise": _promise,
    "score": _score,
    "thumb": _thumb,
    "broke-off": _broke_off,
    "cut": _cut,
    "recorded-under": _recorded_under,
    "below-promise": _below_promise,
    "rule-not-compared": _rule_not_compared,
    "rules-untold": _rules_untold,
    "rule-better": _rule_better,
    "no-rule-better": _no_rule_better,
}
