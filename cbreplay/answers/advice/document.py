"""The advice of many runs as one document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.advice.evidence import (
    doubt_sentences,
    evidence_sentences,
    excluded_sentences,
    only_retraining,
    restoring_sentence,
    which_monitor,
)
from cbreplay.answers.advice.figures import cost_sections
from cbreplay.answers.advice.headline import advice_headline, advice_lead, runs_sentence
from cbreplay.answers.advice.json_members import advice_members
from cbreplay.answers.advice.tables import (
    groups_legend,
    groups_table,
    monitors_legend,
    monitors_table,
    settings_legend,
    settings_table,
)
from cbreplay.answers.headline_limits import by_keras_rules, counts_otherwise
from cbreplay.answers.many_runs_page import DOUBTS
from cbreplay.answers.misreadings import misreadings
from cbreplay.answers.next_commands import next_of_advice
from cbreplay.answers.reading_notes import about_reading
from cbreplay.answers.setting_code import setting_code
from cbreplay.answers.staircase import staircase_document
from cbreplay.answers.varied_parameters import keeps_last
from cbreplay.document import (
    CodeBlock,
    Document,
    Fact,
    Notice,
    Paragraph,
    Points,
    Section,
    phrase,
    say,
)
from cbreplay.generalization.promise import shared_confidence
from cbreplay.judging import Judging
from cbreplay.recommend import count_needed
from cbreplay.setting_costs.swept_settings import USUAL, read_axes
from cbreplay.staircase import build_staircase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Block, Text
    from cbreplay.recommend import Costs, Recommendation
    from cbreplay.run import Run
    from cbreplay.sweep import Sweep

__all__ = ["advice_document", "short_advice_document"]


def advice_document(
    advice: Recommendation,
    sweep: Sweep,
    *,
    runs: Sequence[Run] | None = None,
    typed: str | None = None,
    costs: Costs | None = None,
) -> Document:
    """Say what is recommended from many runs, and what that rests on.

    It was chosen from the sweep. `runs` are all that were asked about, by default those
    of the sweep. `typed` are the logs and the options as they were typed, for the next
    command; None where they cannot be asked again. `costs` are drawn, if given.
    """
    asked = sweep.records if runs is None else runs
    if advice.kind == "none" and len(sweep.records) == 1:
        return _of_one_run(advice, sweep, asked, typed)
    headline = advice_headline(advice)
    if advice.callbacks:
        judged = [(advice.objective, advice.objective_mode)]
        headline = by_keras_rules(headline, asked, judged)
    sections = (
        *_setting_sections(advice, sweep, asked),
        Section(DOUBTS, (Notice(_doubts(advice, sweep, asked)),)),
        *_settings_section(advice),
        *(() if costs is None else cost_sections(costs, advice)),
        *_monitors_section(advice),
        _groups_section(advice),
    )
    return Document(
        "recommend",
        headline,
        advice_lead(advice, sweep, asked),
        sections,
        next_of_advice(
            USUAL if advice.patience is None else advice.patience,
            typed,
            _plan_of_all(advice, sweep),
        ),
        lambda: advice_members(advice, sweep, asked),
    )


def _plan_of_all(advice: Recommendation, sweep: Sweep) -> int | None:
    """Return the plan that was inferred from the logs, if it is that of every run."""
    plan = advice.plan
    if plan is None or not plan.inferred or advice.excluded:
        return None
    return plan.epochs if plan.n_runs == len(sweep.runs) else None


def short_advice_document(advice: Recommendation) -> Document:
    """Say what is recommended, where the sweep it was chosen from is not at hand."""
    rests = Points(tuple(evidence_sentences(advice)))
    blocks: tuple[Block, ...] = (rests,)
    if advice.callbacks:
        blocks = (CodeBlock(setting_code(advice.callbacks), "python"), rests)
    return Document(
        "recommend",
        advice_headline(advice),
        say(),
        (
            Section("The setting", blocks, untitled=True),
            Section(DOUBTS, (Notice(tuple(doubt_sentences(advice))),)),
            *_settings_section(advice),
        ),
    )


def _doubts(
    advice: Recommendation, sweep: Sweep, asked: Sequence[Run]
) -> tuple[Text, ...]:
    lists = [advice.callbacks] if advice.callbacks else []
    return (
        *misreadings(asked, lists, sweep.runs[0].semantics),
        *doubt_sentences(advice),
        *counts_otherwise(asked),
        # a resumed part is told with what does not count
        *about_reading(run for run in asked if not run.resumes),
    )


def _setting_sections(
    advice: Recommendation, sweep: Sweep, asked: Sequence[Run]
) -> Iterator[Section]:
    """Yield the setting, if there is one, and why it or none."""
    made_of = (runs_sentence(advice, sweep, asked),) if advice.callbacks else ()
    rests = Points((*evidence_sentences(advice), *made_of))
    limits = Paragraph(only_retraining(), small=True)
    if not advice.callbacks:
        yield Section("Why none is recommended", (rests, limits), untitled=True)
        return
    blocks: list[Block] = [
        CodeBlock(setting_code(advice.callbacks, sweep.runs[0].semantics), "python")
    ]
    if advice.keep == "best" or keeps_last(advice.callbacks):
        blocks.append(Paragraph(restoring_sentence(advice), small=True))
    blocks.append(limits)
    yield Section("Use this", tuple(blocks), half=True, untitled=True)
    yield Section("What it rests on", (rests,), half=True, untitled=True)


def _settings_section(advice: Recommendation) -> Iterator[Section]:
    if advice.settings:
        legend = settings_legend(advice)
        blocks = (settings_table(advice), legend)
        yield Section("Beside the usual settings", blocks, untitled=True)


def _monitors_section(advice: Recommendation) -> Iterator[Section]:
    if advice.monitors:
        blocks = (
            Paragraph(which_monitor(advice)),
            monitors_table(advice),
            Points(tuple(monitors_legend(advice))),
        )
        yield Section("Which monitor to stop on", blocks)


def _groups_section(advice: Recommendation) -> Section:
    table = groups_table(advice)
    legend = Paragraph(groups_legend(advice), small=True)
    return Section(table.caption, (table, legend), on="page")


def _of_one_run(
    advice: Recommendation, sweep: Sweep, runs: Sequence[Run], typed: str | None
) -> Document:
    """Say what the one log tells, and why that recommends nothing."""
    staircase = build_staircase(
        sweep.records[0],
        monitor=advice.monitor,
        mode=read_axes(sweep).fixed.get("mode", "auto"),
        keep=advice.keep,
        judging=sweep.judging or Judging(),
    )
    n_monitors = len(read_axes(sweep).of_each_monitor())
    of_each = shared_confidence(advice.confidence, n_monitors)
    needed = Fact(count_needed(of_each), "count", "needed")
    share = Fact(advice.confidence, "given_share", "confidence")
    sentence = phrase(
        "Nothing is recommended: one run describes only itself; what holds for the "
        "next takes several: give their paths, or a directory. A promise for {} of "
        "new runs takes {} of them.",
        share,
        needed,
    )
    told = [sentence, *excluded_sentences(advice)]
    why = Section(
        "Why nothing is recommended", tuple(map(Paragraph, told)), untitled=True
    )
    answer = staircase_document(staircase, typed=typed, closing=(why,))
    return answer._replace(
        question="recommend",
        # what it says of the one log is data of its staircase
        program=lambda: (
            advice_members(advice, sweep, runs)
            | {"staircase": answer.program()["staircase"]}
        ),
    )
