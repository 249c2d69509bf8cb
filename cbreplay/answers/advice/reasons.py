"""Why a setting, why none, why a run does not count, and the doubts: in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.advice.surety import broken_off
from cbreplay.answers.counted import counted
from cbreplay.answers.schedules import FALLS_BY_SCHEDULE
from cbreplay.document import Claim, Code, Fact, say
from cbreplay.evidence_words import GAP_CAUSES
from cbreplay.recommend.choice import USUAL
from cbreplay.words import list_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cbreplay.document import Text
    from cbreplay.recommend import Excluded, Reason, Recommendation, RunDoubt

__all__ = [
    "MOST_NAMES",
    "doubt_text",
    "doubt_with_runs",
    "exclusion_text",
    "reason_text",
]

MOST_NAMES = 4
_RATCHET = (
    ". Tuned on such logs again and again, patience only falls: record one run in five "
    "without a stop (two of twelve brought what was lost from 8 % to 0.5 % in four "
    "rounds)"
)


def reason_text(advice: Recommendation, reason: Reason) -> Text:
    """Say why a setting is recommended, or why none is."""
    words = _REASONS[reason.kind](advice.unit, reason.facts)
    return say(words, claims=[Claim(reason.kind, reason.facts)])


def exclusion_text(excluded: Excluded) -> Text:
    """Say why a run does not count."""
    return _EXCLUSIONS[excluded.why.kind](excluded.why.facts)


def doubt_text(doubt: RunDoubt, unit: str) -> Text:
    """Say a doubt, without the names of the runs that it is about."""
    words = _DOUBTS[doubt.code](doubt.facts)
    words = say(words, claims=[Claim(doubt.code, {"runs": doubt.runs, **doubt.facts})])
    if doubt.code == "one-group-decides":
        return say(f"one {unit} decides: ", words)
    return say(counted(len(doubt.runs), "run", "n_runs"), ": ", words)


def doubt_with_runs(doubt: RunDoubt, unit: str) -> Text:
    """Say a doubt and of which runs, the first of many."""
    return say(doubt_text(doubt, unit), f" ({list_names(doubt.runs, MOST_NAMES)})")


def _patience(facts: Mapping[str, Any], name: str = "patience") -> Fact:
    return Fact(facts[name], "patience", name)


def _copies(_unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        "the ",
        counted(facts["n_runs"], "run", "n_runs"),
        " are copies of one log: what holds for the next takes several",
    )


def _one_group(_unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        "the ",
        counted(facts["n_runs"], "run", "n_runs"),
        " are one group, and what holds for the next takes several",
    )


def _short_logs(_unit: str, facts: Mapping[str, Any]) -> Text:
    values = counted(facts["most"], "value", "most")
    return say(
        "no log here holds more than ",
        values,
        " of ",
        Code(facts["monitor"]),
        ", which is too few to choose a patience from",
    )


def _too_few_groups(unit: str, facts: Mapping[str, Any]) -> Text:
    monitors = say()
    if facts["n_monitors"] > 1:
        monitors = say(" and ", counted(facts["n_monitors"], "monitor", "n_monitors"))
    return say(
        "a promise for ",
        Fact(facts["confidence"], "given_share", "confidence"),
        f" of new {unit}s",
        monitors,
        " takes ",
        counted(facts["needed"], unit, "needed"),
        ", and there are ",
        Fact(facts["n_groups"], "count", "n_groups"),
    )


def _unknown_groups(unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        "for ",
        counted(facts["n_unknown"], unit, "n_unknown"),
        " of ",
        Fact(facts["n_groups"], "count", "n_groups"),
        " the logs hold no patience that is known to be enough, and a promise allows ",
        Fact(facts["allowed"], "count", "allowed"),
    )


def _worse_than_no_stop(_unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        "on these logs patience ",
        _patience(facts),
        " does no better than no early stopping at all; a checkpoint of the best "
        "weights takes no stop",
    )


def _promise(unit: str, facts: Mapping[str, Any]) -> Text:
    which = say(Fact(facts["rank"], "rank", "rank"), " smallest")
    if facts["rank"] == facts["n_groups"]:
        which = say("largest")
    return say(
        _patience(facts),
        " is the ",
        which,
        " sufficient patience of the ",
        counted(facts["n_groups"], unit, "n_groups"),
        ", and more than the rule of thumb, ",
        _patience(facts, "usual"),
    )


def _score(unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        _patience(facts),
        f" has the least expected score: the mean of the {unit}s, evened out over the "
        "patience values nearby, and of the kinds of learning curves that they look "
        "like, known from other data",
    )


def _thumb(_unit: str, facts: Mapping[str, Any]) -> Text:
    if facts["plan"] is None:
        return say(
            _patience(facts),
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
    return say(
        _patience(facts),
        " is a rule of thumb, 10 or a tenth of the ",
        records,
        Fact(facts["plan"], "count", "plan"),
        " planned epochs",
        ": no log tells what a patience loses" if facts["untold"] else "",
    )


def _broke_off(_unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        broken_off(facts),
        ": what a patience loses there is known only against the best until then, so "
        "nothing argues for less than the rule of thumb, 10 or a tenth of the plan",
    )


def _cut(_unit: str, facts: Mapping[str, Any]) -> Text:
    first = say(_patience(facts), " is a rule of thumb, and no less than their own: ")
    if facts["patience"] == facts["under"]:
        first = say()
    return say(
        first,
        _cut_by(facts, "under"),
        "; what that missed, no log holds, so they say neither that it is enough nor "
        "that less is",
    )


def _recorded_under(_unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        "no less than ",
        _patience(facts),
        " is recommended: ",
        _cut_by(facts, "patience"),
        ", and no log shows what that missed",
    )


def _cut_by(facts: Mapping[str, Any], name: str) -> Text:
    """Say how many runs a patience of their own ended, or may have ended."""
    patience = _patience(facts, name)
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
    return say(
        _patience(facts),
        " is shorter than the ",
        _patience(facts, "promised"),
        " of the promise",
    )


def _rule_not_compared(_unit: str, facts: Mapping[str, Any]) -> Text:
    problem = facts["problem"] or "too few logs tell what it would have kept"
    return say(f"{facts['rule']} is not compared: {problem}")


def _rules_untold(unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        f"whether {list_names(facts['rules'], len(facts['rules']))} would do better "
        "cannot be told: that takes ",
        counted(facts["needed"], unit, "needed"),
        " on which they can be compared, and there are ",
        Fact(facts["n_told"], "count", "n_told"),
    )


def _rule_better(unit: str, facts: Mapping[str, Any]) -> Text:
    code = facts["rule"]
    return say(
        f"on {unit}s left out of the choice, ",
        Code(code),
        " is clearly better than each of ",
        _compared_patience(facts),
        "; as code: ",
        Code(f'cbreplay simulate -c "{code}" --keras-code'),
    )


def _no_rule_better(unit: str, facts: Mapping[str, Any]) -> Text:
    return say(
        f"on {unit}s left out of the choice, none of {', '.join(facts['rules'])} is "
        "clearly better than each of ",
        _compared_patience(facts),
    )


def _compared_patience(facts: Mapping[str, Any]) -> Text:
    """Name the patience values that another rule has to beat."""
    fixed = "" if facts["patience"] == USUAL else f", a fixed {USUAL}"
    by_score = f"{fixed} and one chosen by its score alone"
    return say("patience ", _patience(facts), by_score)


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


def _cadence(facts: Mapping[str, Any]) -> Text:
    return say(
        Code(facts["series"]),
        " is recorded ",
        _spoken_cadence(facts["every"], "every"),
        ", not ",
        _spoken_cadence(facts["usual"], "usual"),
        ": a patience counts records",
    )


def _spoken_cadence(epochs: int, name: str) -> Text:
    if epochs == 1:
        return say("every epoch")
    return say("every ", Fact(epochs, "count", name), " epochs")


def _planned(facts: Mapping[str, Any]) -> Text:
    usual = Fact(facts["usual"], "count", "usual")
    if facts["planned"] is None:
        return say("goes on after the plan of ", usual, " epochs")
    return say(
        "planned for ",
        Fact(facts["planned"], "count", "planned"),
        ", not ",
        usual,
        " epochs",
    )


_EXCLUSIONS: dict[str, Callable[[Mapping[str, Any]], Text]] = {
    "copy": lambda facts: say(f"a copy of {facts['of']}"),
    "cadence": _cadence,
    "plan": _planned,
    "direction": lambda facts: say(f"judged the other way ({facts['mode']})"),
    "resumed": lambda _facts: say(
        "begins inside the part before it, and a resumed training is one run: --parts "
        "join or parts='join'"
    ),
    "missing-series": lambda facts: say(f"has no {', '.join(facts['series'])}"),
    "unrecorded-series": lambda _facts: say("records none of it"),
}


def _censored(facts: Mapping[str, Any]) -> Text:
    return say(
        "the log ends before it tells what patience ",
        _patience(facts),
        " would have done; counted, never averaged",
    )


def _unknown(facts: Mapping[str, Any]) -> Text:
    told = "the log holds no patience that is known to be enough"
    if facts["plan"] is None:
        return say(told)
    plan = Fact(facts["plan"], "count", "plan")
    return say(told, " for the ", plan, " epochs that were taken for its plan")


def _diverged(facts: Mapping[str, Any]) -> Text:
    return say(
        "after another learning rate than the recorded one the log says nothing about "
        "patience ",
        _patience(facts),
        "; counted, never averaged",
    )


def _gap(facts: Mapping[str, Any]) -> Text:
    epochs = [
        part
        for epoch in facts["gap_epoch"][:MOST_NAMES]
        for part in (", ", Fact(epoch, "epoch", "gap_epoch"))
    ]
    more = " ..." if len(facts["gap_epoch"]) > MOST_NAMES else ""
    return say(
        "unknown from epoch ",
        *epochs[1:],
        f"{more} on: {GAP_CAUSES[facts['cause']]}; counted, never averaged",
    )


def _failed(facts: Mapping[str, Any]) -> Text:
    how = _FAILURES[facts["how"]]
    if facts["series"] is not None:
        how = f"{how} in {facts['series']}"
    return say(
        f"{how}; in all ",
        Fact(facts["n_failed"], "count", "n_failed"),
        " of ",
        counted(facts["n_runs"], "run", "n_runs"),
        " failed, and they count",
    )


_FAILURES = {
    "not-finite": "NaN or infinity",
    "interrupt": "ended by an interrupt",
    "error": "ended by an error",
    "before-plan": "ended before its plan",
}


def _listed(values: Sequence[int]) -> list[Any]:
    """Return patience values with commas between them."""
    told = [
        part for value in values for part in (", ", Fact(value, "patience", "patience"))
    ]
    return told[1:]


def _own_stop(facts: Mapping[str, Any]) -> Text:
    return say(
        "ended by early stopping of its own (patience ",
        *_listed(facts["patience"]),
        "), so silent about a longer one and about what would have come",
        _RATCHET if facts["few_uncut"] else "",
    )


def _own_stop_guessed(facts: Mapping[str, Any]) -> Text:
    counts = "epochs" if facts["every"] == 1 else "recorded values"
    return say(
        "the log ends exactly ",
        *_listed(facts["patience"]),
        f" {counts} after its best, as under a patience of as much; if so it is silent "
        "about a longer one and about what would have come (--recorded-under)",
        _RATCHET if facts["few_uncut"] else "",
    )


def _not_recorded_under(facts: Mapping[str, Any]) -> Text:
    return say(
        "the log ends where its plan does, so it is not taken for cut by patience ",
        _patience(facts),
        " (--recorded-under)",
    )


def _other_metric(facts: Mapping[str, Any]) -> Text:
    series = Code(facts["series"])
    return say(
        series,
        " still improves clearly after the epoch that is kept: for ",
        series,
        " this stops too early",
    )


def _scheduled_rate(facts: Mapping[str, Any]) -> Text:
    return say(
        f"the learning rate{FALLS_BY_SCHEDULE}; patience ",
        _patience(facts),
        " stops before that end and cuts the part that usually pays",
    )


_DOUBTS: dict[str, Callable[[Mapping[str, Any]], Text]] = {
    "diverged": _diverged,
    "gap": _gap,
    "censored": _censored,
    "one-group-decides": lambda facts: say(
        "without it, it would be patience ", _patience(facts)
    ),
    "unknown": _unknown,
    "other-metric": _other_metric,
    "scheduled-rate": _scheduled_rate,
    "still-improving": lambda _facts: say(
        "still improving at the end of the log: what is lost is against the record only"
    ),
    "own-stop": _own_stop,
    "own-stop-guessed": _own_stop_guessed,
    "not-recorded-under": _not_recorded_under,
    "failed": _failed,
}
