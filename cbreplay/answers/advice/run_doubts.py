"""What `recommend` doubts of single runs, and why one does not count: in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.advice.reasons import patience_of
from cbreplay.answers.schedules import FALLS_BY_SCHEDULE
from cbreplay.document import Claim, Code, Fact, counted, phrase, say
from cbreplay.evidence_words import GAP_CAUSES
from cbreplay.words import list_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

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
    return _EXCLUSIONS[excluded.why.kind](excluded.why.facts)


def doubt_text(doubt: RunDoubt, unit: str) -> Text:
    """Say a doubt, without the names of the runs that it is about."""
    words = _DOUBTS[doubt.code]({"n_runs": len(doubt.runs), **doubt.facts})
    words = say(words, claims=[Claim(doubt.code, {"runs": doubt.runs, **doubt.facts})])
    if doubt.code == "one-group-decides":
        return say(f"one {unit} decides: ", words)
    return say(counted(len(doubt.runs), "run", "n_runs"), ": ", words)


def doubt_with_runs(doubt: RunDoubt, unit: str) -> Text:
    """Say a doubt, with the names of its runs, or of the first of many."""
    return say(doubt_text(doubt, unit), f" ({list_names(doubt.runs, MOST_NAMES)})")


def _cadence(facts: Mapping[str, Any]) -> Text:
    return phrase(
        "{} is recorded {}, not {}: a patience counts records",
        Code(facts["series"]),
        _spoken_cadence(facts["every"], "every"),
        _spoken_cadence(facts["usual"], "usual"),
    )


def _spoken_cadence(epochs: int, name: str) -> Text:
    if epochs == 1:
        return say("every epoch")
    return say("every ", Fact(epochs, "count", name), " epochs")


def _planned(facts: Mapping[str, Any]) -> Text:
    usual = Fact(facts["usual"], "count", "usual")
    if facts["planned"] is None:
        return say("goes on after the plan of ", usual, " epochs")
    return phrase(
        "planned for {}, not {} epochs",
        Fact(facts["planned"], "count", "planned"),
        usual,
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
    return phrase(
        "the log ends before it tells what patience {} would have done; counted, "
        "never averaged",
        patience_of(facts),
    )


def _unknown(facts: Mapping[str, Any]) -> Text:
    if facts.get("constant") is not None:
        series = Code(facts["constant"])
        return say(series, " never changes, so no patience is known to be enough")
    told = "the log holds no patience that is known to be enough"
    if facts["plan"] is None:
        return say(told)
    plan = Fact(facts["plan"], "count", "plan")
    return say(told, " for the ", plan, " epochs that were taken for its plan")


def _diverged(facts: Mapping[str, Any]) -> Text:
    return phrase(
        "after another learning rate than the recorded one the log says nothing about "
        "patience {}; counted, never averaged",
        patience_of(facts),
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
    return phrase(
        "{}, so no patience is known to be enough; in all {} of {} failed, and they "
        "count",
        how,
        Fact(facts["n_failed"], "count", "n_failed"),
        counted(facts["n_runs"], "run", "n_runs"),
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
        "), so silent about a longer one and about what would have come: ",
        *_untold_by_own_stop(facts),
    )


def _untold_by_own_stop(facts: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what logs do not tell that their own rule ended."""
    yield "no patience is known to be enough"
    if facts["n_untold"]:
        yield ", nor"
        if facts["n_untold"] < facts["n_runs"]:
            yield from (", for ", Fact(facts["n_untold"], "count", "n_untold"))
            yield " of them,"
        yield from (" what patience ", Fact(facts["untold"], "patience", "untold"))
        yield " would have done"
    yield "; counted, never averaged"
    if facts["few_uncut"]:
        yield _RATCHET


def _own_stop_guessed(facts: Mapping[str, Any]) -> Text:
    counts = "epochs" if facts["every"] == 1 else "recorded values"
    return say(
        "the log ends exactly ",
        *_listed(facts["patience"]),
        f" {counts} after its best, as under a patience of as much; if so it is silent "
        "about a longer one and about what would have come (--recorded-under): ",
        *_untold_by_own_stop(facts),
    )


def _not_recorded_under(facts: Mapping[str, Any]) -> Text:
    return phrase(
        "the log ends where its plan does, so it is not taken for cut by patience {} "
        "(--recorded-under)",
        patience_of(facts),
    )


def _other_metric(facts: Mapping[str, Any]) -> Text:
    series = Code(facts["series"])
    return phrase(
        "{} still improves clearly after the epoch that is kept: for {} this stops "
        "too early",
        series,
        series,
    )


def _scheduled_rate(facts: Mapping[str, Any]) -> Text:
    return phrase(
        "the learning rate{}; patience {} stops before that end and cuts the part "
        "that usually pays",
        FALLS_BY_SCHEDULE,
        patience_of(facts),
    )


def _other_scale(facts: Mapping[str, Any]) -> Text:
    series = Code(facts["series"])
    return phrase(
        "the best {} is of quite another size ({} to {} over all runs): what is lost "
        "is averaged over both, while the score, which decides, takes each run in its "
        "own scale; other data or units belong in an answer of their own",
        series,
        Fact(facts["least"], "number", "least"),
        Fact(facts["most"], "number", "most"),
    )


def _rounded(facts: Mapping[str, Any]) -> Text:
    return phrase(
        "{} was written with {}, and its best value stands in several epochs: if it "
        "was rounded, a callback that saw all digits may have stopped later, and a "
        "loss of less than the last digit does not show",
        Code(facts["series"]),
        counted(facts["decimals"], "decimal", "decimals"),
    )


_DOUBTS: dict[str, Callable[[Mapping[str, Any]], Text]] = {
    "diverged": _diverged,
    "gap": _gap,
    "censored": _censored,
    "other-scale": _other_scale,
    "rounded": _rounded,
    "one-group-decides": lambda facts: say(
        "without it patience ", patience_of(facts), " would be recommended"
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
