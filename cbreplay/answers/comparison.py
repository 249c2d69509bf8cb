"""One list of callbacks against another: what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.comparison_table import (
    LAST_FILE,
    comparison_table,
    describe_comparison,
    save_files,
)
from cbreplay.answers.doubts import IN_BRACKETS, noted_of
from cbreplay.answers.evaluations import in_evaluations
from cbreplay.answers.headline_limits import by_keras_rules, counts_otherwise
from cbreplay.answers.misreadings import misreadings
from cbreplay.answers.spoken_runs import counts_values, judged_by
from cbreplay.document import (
    Claim,
    Code,
    Document,
    Notice,
    Points,
    Section,
    footnotes,
    phrase,
    say,
)
from cbreplay.evidence.words import limits_of_replays
from cbreplay.replay.compare import total_comparisons
from cbreplay.rules.base import format_callback
from cbreplay.rules.families import spoken_version
from cbreplay.wording.words import list_names, spoken_counting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.answers.rival_lists import DifferingParameter, RivalLists
    from cbreplay.document import Text
    from cbreplay.replay.compare import ComparisonTotals

__all__ = ["comparison_document"]

_CAUSES = {
    "learning rate": "they train it at different learning rates",
    "reduction": "from its end on their learning rates differ",
    "weights": "training goes on from different weights",
    "stop": "one stops there, the other does not",
    "kept weights": "both end there, and keep the weights of different epochs",
}
_NOT_KNOWN = "{} Which is better is not known: {shows} how both would have ended."
_MOST_NAMES = 5
_PLAIN = (str, int, float, type(None))


def comparison_document(lists: RivalLists) -> Document:
    """Say where two lists part on each run, and what each keeps and saves."""
    totals = total_comparisons(lists.compared)
    footnote = limits_of_replays(lists.replays())
    told = [("evidence", say(footnote))] if footnote else []
    if save_files(lists):
        words = f"{LAST_FILE}: the epoch whose weights the file written last holds"
        told.append((LAST_FILE, say(words)))
    table, outcome = comparison_table(lists), tuple(_outcome(lists, totals))
    doubts = (*counts_otherwise(lists.runs), *_doubts(lists))
    sections = (
        Section("Run by run", (table, footnotes(told)), untitled=True),
        Section("What it comes to", (Points(outcome),), untitled=True),
        Section("Before you trust it", (Notice(doubts),), untitled=True),
    )
    document = Document(
        "simulate",
        by_keras_rules(
            _headline(lists, totals), lists.runs, judged_by(lists.replays())
        ),
        _lead(lists),
        sections,
        program=lambda: _members(lists, totals),
    )
    return in_evaluations(document, lists.runs)


def _members(lists: RivalLists, totals: ComparisonTotals) -> dict[str, Any]:
    from cbreplay.answers.json_fields import describe_results, describe_setting

    results = [
        (row, config, replay)
        for row, comparison in enumerate(lists.compared)
        for config, replay in enumerate(comparison[:2])
    ]
    return {
        **describe_results(lists.runs, results),
        "configs": list(map(describe_setting, lists[:2])),
        "versus": {
            "differing": [_described_pair(pair) for pair in lists.differing()],
            "comparisons": [
                {"run": row, **describe_comparison(comparison)}
                for row, comparison in enumerate(lists.compared)
            ],
            "totals": totals._asdict(),
        },
    }


def _described_pair(pair: DifferingParameter) -> dict[str, Any]:
    """Return a parameter for JSON, which gets values that it cannot hold as text."""
    return {
        name: value if isinstance(value, _PLAIN) else repr(value)
        for name, value in pair._asdict().items()
    }


def _headline(lists: RivalLists, totals: ComparisonTotals) -> Text:
    parting = say(_which_is_better(lists, totals), _spoken_parting(lists, totals))
    if not totals.exact_runs:
        shows = "none of these logs shows"
        if totals.runs == 1:
            shows = "this log does not show"
        parting = phrase(_NOT_KNOWN, parting, shows=shows)
    differing = lists.differing()
    if len(differing) <= 1:
        return parting
    # whoever reads only this must not think that one parameter made the difference
    named = [
        f"{_owner(lists, pair)}{pair.parameter} {pair.first!r} / {pair.rival!r}"
        for pair in differing
    ]
    return phrase(
        "{} They differ in {n_differing:count parameter}: {}.",
        parting,
        "; ".join(named),
        n_differing=len(differing),
    )


def _which_is_better(lists: RivalLists, totals: ComparisonTotals) -> Text:
    """Say which list keeps the better weights, and which saves."""
    if not totals.exact_runs:
        return say()
    more = totals.first_epochs_saved - totals.rival_epochs_saved
    saves = "; {who} saves {more_saved:count more epoch}" if more else ""
    return phrase(
        f"{{}}{saves}. ",
        _better_kept(lists, totals),
        who="A" if more > 0 else "B",
        more_saved=abs(more),
    )


def _better_kept(lists: RivalLists, totals: ComparisonTotals) -> Text:
    """Say which list keeps the better weights, or on how many runs each does."""
    wins = (totals.first_better, totals.rival_better)
    number = max(wins)
    if wins[0] != wins[1]:
        words = "{label} keeps the better {}{}"
    elif number:
        words = "A and B each keep the better {}{}"
    elif totals.same:
        words, number = "A and B keep the same {}{}", totals.same
    else:
        words = "Which keeps the better {} is not known"
        return phrase(words, _objective(lists))
    label = _label(lists, int(wins[1] > wins[0]))
    return phrase(words, _objective(lists), _on(number, totals), label=label)


def _objective(lists: RivalLists) -> Code:
    return Code(lists.compared[0].first.objective or "value")


def _on(number: int, totals: ComparisonTotals) -> Text:
    """Say on how many of the runs that decide both lists, where there are several."""
    if totals.runs == 1:
        return say()
    words = "{alike_on:of exact_runs run}"
    if totals.exact_runs < totals.runs:
        some = "{alike_on:count} of " if number < totals.exact_runs else ""
        decide = "decides" if totals.exact_runs == 1 else "decide"
        words = f"{some}the {{exact_runs:count run}} that {decide} both"
    return phrase(f" on {words}", alike_on=number, exact_runs=totals.exact_runs)


def _label(lists: RivalLists, side: int) -> str:
    """Name a list, with the value of the one parameter in which the lists differ."""
    letter, differing = "AB"[side], lists.differing()
    if len(differing) != 1:
        return letter
    value = (differing[0].first, differing[0].rival)[side]
    return f"{letter} ({differing[0].parameter} {value!r})"


def _owner(lists: RivalLists, pair: DifferingParameter) -> str:
    """Say whose parameter it is, where there are several callbacks."""
    if len(lists.first) == 1:
        return ""
    return f"{lists.first[pair.callback].class_name}'s "


def _spoken_parting(lists: RivalLists, totals: ComparisonTotals) -> Text:
    comparison = lists.compared[0]
    if totals.runs == 1 and totals.parted_runs == 0:
        words = "A and B do not part up to epoch {evident_until:epoch}."
        if comparison.both_exact:
            words = "A and B never part."
        elif comparison.evident_until < comparison.first.run.first_epoch:
            words = "No epoch of this log is evidence for both A and B."
        return phrase(words, evident_until=comparison.evident_until)
    if totals.runs == 1:
        return phrase(
            "A and B part at epoch {parting_epoch:epoch}: {}.",
            _CAUSES[comparison.parted_by or "stop"],
            parting_epoch=comparison.parting_epoch,
            claims=[Claim("first_difference", {"epoch": comparison.parting_epoch})],
        )
    words = "A and B part on {parted_runs:of runs run}."
    if totals.parted_runs == 0:
        words = "A and B part on no run, as far as the logs are evidence."
    return phrase(words, **totals._asdict())


def _lead(lists: RivalLists) -> Text:
    rules = sorted(
        {spoken_version(replay.semantics.name) for replay in lists.replays()}
    )
    counting = spoken_counting(lists.runs)
    first, rival = (", ".join(map(format_callback, listed)) for listed in lists[:2])
    return phrase(
        "A: {first:code}. B: {rival:code}. Rules of {}; {}; a pair is that of A / B.{}",
        ", ".join(rules),
        counting,
        counts_values(lists.runs, (*lists[0], *lists[1])),
        first=first,
        rival=rival,
    )


def _outcome(lists: RivalLists, totals: ComparisonTotals) -> Iterator[Text]:
    """Yield the totals over the runs where both are exact, and which runs are not."""
    if totals.exact_runs and totals.runs > 1:
        yield _spoken_totals(lists, totals)
    silent = [
        comparison.first.run.name
        for comparison in lists.compared
        if not comparison.both_exact
    ]
    # of a single run, or where none tells it, the headline says so
    if silent and totals.exact_runs:
        yield say(
            f"On {list_names(silent, _MOST_NAMES)} nothing is compared: the log does "
            "not show how both would have ended."
        )


def _spoken_totals(lists: RivalLists, totals: ComparisonTotals) -> Text:
    n_unknown = totals.exact_runs - (
        totals.first_better + totals.rival_better + totals.same
    )
    unknown = ", not known on {n_unknown:count}" if n_unknown else ""
    return phrase(
        "On the {exact_runs:count run} where both are exact, A keeps the better {} on "
        "{first_better:count}, B on {rival_better:count}, both the same on "
        f"{{same:count}}{unknown}; A saves {{first_epochs_saved:count epoch}} and B "
        "{rival_epochs_saved:count}.",
        _objective(lists),
        n_unknown=n_unknown,
        **totals._asdict(),
    )


def _doubts(lists: RivalLists) -> Iterator[Text]:
    """Yield what the table does not say."""
    replays = lists.replays()
    versions = {replay.semantics.name for replay in replays}
    semantics = versions.pop() if len(versions) == 1 else None
    yield from misreadings(lists.runs, lists[:2], semantics)
    if any(replay.outcome.provisional for replay in replays):
        yield say(IN_BRACKETS)
    about = [
        tuple(dict.fromkeys((*comparison.first.notes, *comparison.rival.notes)))
        for comparison in lists.compared
    ]
    yield from noted_of(lists.runs, about, [*lists[0], *lists[1]])
