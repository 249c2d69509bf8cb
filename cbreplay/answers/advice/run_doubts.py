"""What `recommend` doubts of single runs, and why one does not count: in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.advice.reasons import worded
from cbreplay.answers.schedules import FALLS_BY_SCHEDULE
from cbreplay.document import Claim, Fact, counted, joined, phrase, say
from cbreplay.evidence.words import GAP_CAUSES
from cbreplay.wording.words import list_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.answers.advice.reasons import Wording
    from cbreplay.document import Text
    from cbreplay.recommend import Excluded, RunDoubt

__all__ = ["MOST_NAMES", "doubt_text", "doubt_with_runs", "exclusion_text"]

MOST_NAMES = 4
_RATCHET = (
    ". Tuned on such logs again and again, patience only falls: record one run in five "
    "without a stop (two of twelve brought what was lost from 8 % to 0.5 % in four "
    "rounds)"
)


def exclusion_text(excluded: Excluded) -> Text:
    """Say why a run does not count."""
    return worded(_EXCLUSIONS[excluded.why.kind], excluded.why.facts)


def doubt_text(doubt: RunDoubt, unit: str) -> Text:
    """Say a doubt, without the names of the runs that it is about."""
    words = worded(_DOUBTS[doubt.code], {"n_runs": len(doubt.runs), **doubt.facts})
    words = say(words, claims=[Claim(doubt.code, {"runs": doubt.runs, **doubt.facts})])
    if doubt.code == "one-group-decides":
        return say(f"one {unit} decides: ", words)
    return say(counted(len(doubt.runs), "run", "n_runs"), ": ", words)


def doubt_with_runs(doubt: RunDoubt, unit: str) -> Text:
    """Say a doubt, with the names of its runs, or of the first of many."""
    return say(doubt_text(doubt, unit), f" ({list_names(doubt.runs, MOST_NAMES)})")


def _cadence(facts: Mapping[str, Any]) -> Text:
    every, usual = (
        "every epoch" if facts[name] == 1 else f"every {{{name}:count}} epochs"
        for name in ("every", "usual")
    )
    words = (
        f"{{series:code}} is recorded {every}, not {usual}: a patience counts records"
    )
    return phrase(words, **facts)


_EXCLUSIONS: dict[str, Wording] = {
    "copy": "a copy of {of}",
    "cadence": _cadence,
    "plan": lambda facts: phrase(
        "goes on after the plan of {usual:count} epochs"
        if facts["planned"] is None
        else "planned for {planned:count}, not {usual:count} epochs",
        **facts,
    ),
    "direction": "judged the other way ({mode})",
    "resumed": (
        "begins inside the part before it, and a resumed training is one run: --parts "
        "join or parts='join'"
    ),
    "missing-series": lambda facts: say(f"has no {', '.join(facts['series'])}"),
    "unrecorded-series": "records none of it",
}


def _unknown(facts: Mapping[str, Any]) -> Text:
    if facts.get("constant") is not None:
        words = "{constant:code} never changes, so no patience is known to be enough"
        return phrase(words, **facts)
    untold = "the log holds no patience that is known to be enough"
    planned = " for the {plan:count} epochs that were taken for its plan"
    return phrase(untold + ("" if facts["plan"] is None else planned), **facts)


def _gap(facts: Mapping[str, Any]) -> Text:
    epochs = sorted(set(facts["gap_epoch"]))
    more = " ..." if len(epochs) > MOST_NAMES else ""
    return say(
        "unknown from epoch ",
        joined(Fact(epoch, "epoch", "gap_epoch") for epoch in epochs[:MOST_NAMES]),
        f"{more} on: {GAP_CAUSES[facts['cause']]}; counted, never averaged",
    )


def _failed(facts: Mapping[str, Any]) -> Text:
    where = "" if facts["series"] is None else f" in {facts['series']}"
    how = f"{_FAILURES[facts['how']]}{where}"
    return say(how, ", so no patience is known to be enough; counted all the same")


_FAILURES = {
    "not-finite": "NaN or infinity",
    "interrupt": "ended by an interrupt",
    "error": "ended by an error",
    "before-plan": "ended before the plan",
}


def _patience_of(facts: Mapping[str, Any]) -> Text:
    return joined(Fact(value, "patience", "patience") for value in facts["patience"])


def _own_stop(facts: Mapping[str, Any]) -> Text:
    return say(
        "cut by early stopping of its own (patience ",
        _patience_of(facts),
        "), so the log shows nothing of what a longer one would have found: ",
        _untold_by_own_stop(facts),
    )


def _untold_by_own_stop(facts: Mapping[str, Any]) -> Text:
    """Say what logs do not tell that their own rule ended."""
    words = "no patience is known to be enough"
    if facts["n_untold"]:
        some = facts["n_untold"] < facts["n_runs"]
        words += f", nor{', for {n_untold:count} of them,' if some else ''}"
        words += " what patience {untold:patience} would have done"
    words += "; counted, never averaged"
    return phrase(words + (_RATCHET if facts["few_uncut"] else ""), **facts)


def _own_stop_guessed(facts: Mapping[str, Any]) -> Text:
    counts = "epochs" if facts["every"] == 1 else "recorded values"
    return say(
        "the log ends exactly ",
        _patience_of(facts),
        f" {counts} after its best, as if a patience of as much had cut it "
        "(--recorded-under); if so it shows nothing of what a longer one would have "
        "found: ",
        _untold_by_own_stop(facts),
    )


_DOUBTS: dict[str, Wording] = {
    "diverged": (
        "after another learning rate than the recorded one the log says nothing about "
        "patience {patience:patience}; counted, never averaged"
    ),
    "gap": _gap,
    "censored": (
        "the log ends before it tells what patience {patience:patience} would have "
        "done; counted, never averaged"
    ),
    "branch": (
        "begin with the same values as others, or have their setting and seed, as "
        "branches of one training do: a training counts once"
    ),
    "other-scale": (
        "the best {series:code} is {times:count} times as large as is usual here, or "
        "as small, or more ({least:number} to {most:number} over all runs): what is "
        "lost is averaged over both, while the score, which decides, takes each run in "
        "its own scale; other data or units belong in an answer of their own"
    ),
    "wide-tolerance": (
        "no epoch has a {series:code} that is worse than the best by more than the "
        "tolerance, so every patience keeps it, and a promise of that says nothing "
        "(--tolerance)"
    ),
    "rounded": (
        "{series:code} was written with {decimals:count decimal}, and its best value "
        "stands in several epochs: if it was rounded, a callback that saw all digits "
        "may have stopped later, and a loss of less than the last digit does not show"
    ),
    "one-group-decides": "without it patience {patience:patience} would be recommended",
    "unknown": _unknown,
    "other-metric": (
        "{series:code} still improves clearly after the epoch that is kept: for "
        "{series:code} this stops too early"
    ),
    "scheduled-rate": (
        f"the learning rate{FALLS_BY_SCHEDULE}; patience {{patience:patience}} stops "
        "before that end and cuts the part that usually pays"
    ),
    "still-improving": (
        "still improving at the end of the log: what is lost is against the record only"
    ),
    "own-stop": _own_stop,
    "own-stop-guessed": _own_stop_guessed,
    "not-recorded-under": (
        "the log ends where its plan does, so it is not taken for cut by patience "
        "{patience:patience} (--recorded-under)"
    ),
    "failed": _failed,
}
