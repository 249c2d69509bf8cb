"""One list of callbacks against another: what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.comparison_table import (
    LAST_FILE,
    comparison_table,
    describe_comparison,
    limits_footnote,
    save_files,
)
from cbreplay.answers.doubts import IN_BRACKETS, noted_of
from cbreplay.answers.evaluations import in_evaluations
from cbreplay.answers.json_fields import describe_results
from cbreplay.answers.misreadings import misreadings
from cbreplay.answers.spoken_runs import (
    by_keras_rules,
    counts_otherwise,
    counts_values,
    judged_by,
)
from cbreplay.document import (
    Claim,
    Code,
    Document,
    Fact,
    Notice,
    Points,
    Section,
    counted,
    footnotes,
    phrase,
    say,
    told_section,
)
from cbreplay.replay.compare import total_comparisons
from cbreplay.rules.base import format_callback
from cbreplay.rules.registry import spoken_version
from cbreplay.words import list_names, spoken_counting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.answers.rival_lists import DifferingParameter, RivalLists
    from cbreplay.document import Part, Text
    from cbreplay.replay.compare import ComparisonTotals

__all__ = ["comparison_document"]

_CAUSES = {
    "learning rate": "they train it at different learning rates",
    "reduction": "from its end on their learning rates differ",
    "weights": "training goes on from different weights",
    "stop": "one stops there, the other does not",
    "kept weights": "both end there, and keep the weights of different epochs",
}
_NOTHING_COMPARED = (
    "Which is better is not known: none of these logs shows how both would have ended."
)
_MOST_NAMES = 5
_PLAIN = (str, int, float, type(None))


def comparison_document(lists: RivalLists) -> Document:
    """Say where two lists part on each run, and what each keeps and saves."""
    totals = total_comparisons(lists.compared)
    footnote = limits_footnote(lists)
    told = [("evidence", say(footnote))] if footnote else []
    if save_files(lists):
        words = f"{LAST_FILE}: the epoch whose weights the file written last holds"
        told.append((LAST_FILE, say(words)))
    notes = (footnotes(told),) if told else ()
    table = (comparison_table(lists), *notes)
    doubts = (*counts_otherwise(lists.runs), *_doubts(lists))
    sections = (
        Section("Run by run", table, untitled=True),
        *told_section("What it comes to", Points(tuple(_outcome(lists, totals)))),
        *told_section("Before you trust it", Notice(doubts)),
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
    results = [
        (row, config, replay)
        for row, comparison in enumerate(lists.compared)
        for config, replay in enumerate(comparison[:2])
    ]
    configs = [
        {"callbacks": [format_callback(rule) for rule in listed], "parameters": {}}
        for listed in lists[:2]
    ]
    return {
        **describe_results(lists.runs, results),
        "configs": configs,
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
    parting = say(*_which_is_better(lists, totals), _spoken_parting(lists, totals))
    if totals.runs > 1 and not totals.exact_runs:
        parting = say(parting, " ", _NOTHING_COMPARED)
    differing = lists.differing()
    if len(differing) <= 1:
        return parting
    # whoever reads only this must not think that one parameter made the difference
    named = [
        f"{_owner(lists, pair)}{pair.parameter} {pair.first!r} / {pair.rival!r}"
        for pair in differing
    ]
    number = counted(len(differing), "parameter", "n_differing")
    return say(parting, " They differ in ", number, f": {'; '.join(named)}.")


def _which_is_better(
    lists: RivalLists, totals: ComparisonTotals
) -> Iterator[Part | Text]:
    """Yield which list keeps the better weights, and which saves."""
    if not totals.exact_runs:
        return
    yield from _better_kept(lists, totals)
    more = totals.first_epochs_saved - totals.rival_epochs_saved
    if more:
        name, noun = "A" if more > 0 else "B", "epoch" if abs(more) == 1 else "epochs"
        yield say(f"; {name} saves ", Fact(abs(more), "count", "more_saved"))
        yield f" more {noun}"
    yield ". "


def _better_kept(lists: RivalLists, totals: ComparisonTotals) -> Iterator[Part | Text]:
    """Yield which list keeps the better weights, or on how many runs each does."""
    objective = Code(lists.compared[0].first.objective or "value")
    wins = (totals.first_better, totals.rival_better)
    if wins[0] != wins[1]:
        better = int(wins[1] > wins[0])
        yield say(_label(lists, better), " keeps the better ", objective)
        yield say(*_on(wins[better], totals))
    elif wins[0]:
        yield say("A and B each keep the better ", objective, *_on(wins[0], totals))
    elif totals.same:
        yield say("A and B keep the same ", objective, *_on(totals.same, totals))
    else:
        yield say("Which keeps the better ", objective, " is not known")


def _on(number: int, totals: ComparisonTotals) -> Iterator[Part]:
    """Yield on how many of the runs that decide both lists, where there are several."""
    if totals.runs == 1:
        return
    are_all = totals.exact_runs == totals.runs
    yield " on "
    if number < totals.exact_runs:
        yield Fact(number, "count", "alike_on")
        yield " of "
    if not are_all:
        yield "the "
    elif number == totals.exact_runs:
        yield "all "
    yield from counted(totals.exact_runs, "run", "exact_runs").parts
    if not are_all:
        yield f" that decide{'s' if totals.exact_runs == 1 else ''} both"


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
    if totals.parted_runs == 0:
        never = "do not part" if totals.runs == 1 else "part on no run"
        return say(f"A and B {never}, as far as the log is evidence.")
    if totals.runs == 1:
        (comparison,) = lists.compared
        epoch = Fact(comparison.parting_epoch, "epoch", "parting_epoch")
        cause = _CAUSES[comparison.parted_by or "stop"]
        claim = Claim("first_difference", {"epoch": comparison.parting_epoch})
        return say("A and B part at epoch ", epoch, f": {cause}.", claims=[claim])
    return phrase(
        "A and B part on {} of {} runs.",
        Fact(totals.parted_runs, "count", "parted_runs"),
        Fact(totals.runs, "count", "runs"),
    )


def _lead(lists: RivalLists) -> Text:
    rules = sorted(
        {spoken_version(replay.semantics.name) for replay in lists.replays()}
    )
    counting = spoken_counting(lists.runs)
    first, rival = (", ".join(map(format_callback, listed)) for listed in lists[:2])
    return say(
        "A: ",
        Code(first),
        ". B: ",
        Code(rival),
        f". Rules of {', '.join(rules)}; {counting}; a pair is that of A / B.",
        counts_values(lists.runs, (*lists[0], *lists[1])),
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
    if silent and (totals.exact_runs or totals.runs == 1):
        shown = list_names(silent, _MOST_NAMES)
        where = f"On {shown}" if len(lists.compared) > 1 else "Here"
        yield say(
            f"{where} nothing is compared: the log does not show how both would have "
            "ended."
        )


def _spoken_totals(lists: RivalLists, totals: ComparisonTotals) -> Text:
    objective = Code(lists.compared[0].first.objective or "value")
    told = totals.first_better + totals.rival_better + totals.same
    unknown: tuple[Part, ...] = ()
    if told < totals.exact_runs:
        n_unknown = Fact(totals.exact_runs - told, "count", "n_unknown")
        unknown = (", not known on ", n_unknown)
    saves: tuple[Part | Text, ...] = (
        *unknown,
        "; A saves ",
        counted(totals.first_epochs_saved, "epoch", "first_epochs_saved"),
        " and B ",
        Fact(totals.rival_epochs_saved, "count", "rival_epochs_saved"),
        ".",
    )
    return say(
        "On the ",
        counted(totals.exact_runs, "run", "exact_runs"),
        " where both are exact, A keeps the better ",
        objective,
        " on ",
        Fact(totals.first_better, "count", "first_better"),
        ", B on ",
        Fact(totals.rival_better, "count", "rival_better"),
        ", both the same on ",
        Fact(totals.same, "count", "same"),
        *saves,
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
