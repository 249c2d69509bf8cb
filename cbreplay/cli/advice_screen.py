"""A recommendation as a screen of text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cbreplay.cli.advice import wrap
from cbreplay.cli.output import terminal_width
from cbreplay.recommend.code import setting_code
from cbreplay.recommend.sentences import (
    advice_heading,
    advice_headline,
    closing_sentences,
    doubt_sentences,
    evidence_sentences,
    monitor_sentences,
)
from cbreplay.recommend.side_by_side import settings_legend, settings_rows
from cbreplay.words import spoken_counting, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.cli.question import Question
    from cbreplay.recommend import Recommendation
    from cbreplay.run import Run
    from cbreplay.sweep import Sweep

__all__ = ["advice_screen"]


def advice_screen(advice: Recommendation, sweep: Sweep, question: Question) -> str:
    """Write a recommendation for people.

    Parameters
    ----------
    advice : Recommendation
        The answer.
    sweep : Sweep
        What it was chosen from.
    question : Question
        What was asked, for the next command.
    """
    width = terminal_width()
    if advice.kind == "none" and len(sweep.records) == 1:
        return _one_run(advice, question, width)
    blocks = [
        [
            *wrap(advice_heading(advice, sweep), width, "", ""),
            *_counting(question.runs, width),
            "",
            advice_headline(advice),
        ],
        _code(advice, sweep),
        _wrapped(evidence_sentences(advice), width),
        _table(advice),
        _wrapped(settings_legend(advice), width),
        _monitors(advice, width),
        _doubts(advice, width),
        [*_wrapped(closing_sentences(advice), width), *_next_command(advice, question)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _one_run(advice: Recommendation, question: Question, width: int) -> str:
    """Show what the one log says, and why that recommends nothing."""
    from cbreplay.answers.staircase import staircase_document
    from cbreplay.recommend import count_needed
    from cbreplay.staircase import build_staircase
    from cbreplay.writers.as_text import write_text

    staircase = build_staircase(
        question.runs[0],
        monitor=advice.monitor,
        mode=question.mode or "auto",
        keep=advice.keep,
        judging=question.judging,
    )
    needed = count_needed(advice.confidence)
    sentence = (
        f"Nothing is recommended: {advice.reasons[0]}. A promise for "
        f"{100 * advice.confidence:.3g} % of new runs takes {needed} of them: cbreplay "
        "recommend runs/"
    )
    document = staircase_document(staircase, typed=question.typed())
    screen = write_text(document, width=width)
    return "\n".join([screen, "", *wrap(sentence, width)])


def _counting(runs: Sequence[Run], width: int) -> list[str]:
    """Say what patience counts, where it is no epochs."""
    if all(run.steps is None for run in runs):
        return []
    sentence = spoken_counting(runs)
    return wrap(f"{sentence[:1].upper()}{sentence[1:]}.", width, "", "")


def _code(advice: Recommendation, sweep: Sweep) -> list[str]:
    if not advice.callbacks:
        return []
    code = setting_code(advice.callbacks, sweep.runs[0].semantics)
    return [f" {visible_text(line)}" for line in code.splitlines()]


def _monitors(advice: Recommendation, width: int) -> list[str]:
    lines: list[str] = []
    for number, sentence in enumerate(monitor_sentences(advice)):
        inner = "   " if number else " "
        lines += wrap(sentence, width, inner, f"  {inner}")
    return lines


def _doubts(advice: Recommendation, width: int) -> list[str]:
    sentences = doubt_sentences(advice)
    if not sentences:
        return []
    lines = [" Before you trust it"]
    for sentence in sentences:
        lines += wrap(sentence, width, " - ", "   ")
    return lines


def _table(advice: Recommendation) -> list[str]:
    """Write the settings below each other; none where no setting was scored."""
    rows = settings_rows(advice)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]
        lines.append(" " + visible_text("  ".join(cells).rstrip()))
    return lines


def _next_command(advice: Recommendation, question: Question) -> Iterator[str]:
    if advice.monitors:
        question = replace(question, monitor=advice.monitor)
    typed = visible_text(f" {question.typed()}" if question.typed() else "")
    patience = 10 if advice.patience is None else advice.patience
    if " - " not in f"{typed} ":
        yield f" Every run: cbreplay simulate{typed} --patience {patience}"


def _wrapped(sentences: Iterator[str] | Sequence[str], width: int) -> list[str]:
    return [line for sentence in sentences for line in wrap(sentence, width)]
