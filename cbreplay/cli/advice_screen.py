"""A recommendation as a screen of text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cbreplay.cli.advice import setting_code, wrap
from cbreplay.cli.advice_table import (
    difference_decimals,
    settings_legend,
    settings_table,
    spoken_share,
)
from cbreplay.cli.output import terminal_width
from cbreplay.words import (
    count,
    spoken_number,
    spoken_semantics,
    visible_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.cli.options import Question
    from cbreplay.recommend import Doubt, MonitorScore, Recommendation
    from cbreplay.sweep import Sweep

__all__ = ["advice_screen"]

_MOST_NAMES = 4
_MOST_GROUPS = 8
_ONLY_RETRAINING = (
    "factor, cooldown and min_lr of a ReduceLROnPlateau cannot be chosen from logs: "
    "only training again tells."
)


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
        [*wrap(_heading(advice, sweep), width, "", ""), "", _headline(advice)],
        _code(advice, sweep),
        _wrapped([*_promise(advice), *advice.reasons, *_why(advice)], width),
        [*settings_table(advice)],
        _wrapped(settings_legend(advice), width),
        _monitors(advice, width),
        _doubts(advice, width),
        [*_wrapped(_closing(advice), width), *_next_command(advice, question)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _one_run(advice: Recommendation, question: Question, width: int) -> str:
    """Show what the one log says, and why that recommends nothing."""
    from cbreplay.cli.screen import staircase_screen
    from cbreplay.recommend import count_needed
    from cbreplay.staircase import build_staircase

    staircase = build_staircase(
        question.runs[0],
        monitor=advice.monitor,
        mode=question.mode or "auto",
        keep=advice.keep,
        semantics=question.semantics,
        objective=question.objective,
        objective_mode=question.objective_mode,
    )
    needed = count_needed(advice.confidence)
    sentence = (
        f"Nothing is recommended: {advice.reasons[0]}. A promise for "
        f"{100 * advice.confidence:.3g} % of new runs takes {needed} of them: cbreplay "
        "recommend runs/"
    )
    screen = staircase_screen(staircase, typed=question.typed())
    return "\n".join([screen, "", *wrap(sentence, width)])


def _heading(advice: Recommendation, sweep: Sweep) -> str:
    n_runs = sum(len(one.runs) for one in advice.groups)
    runs = count(n_runs, "run")
    if advice.unit == "group":
        runs += f" in {count(len(advice.groups), 'group')}"
        if advice.grouped_by == "setting":
            runs += ", seeds of one setting count once (--group-by)"
    elif advice.grouped_by == "seed":
        runs += " of one setting"
    names = dict.fromkeys(spoken_semantics(run.semantics) for run in sweep.runs)
    judged = f"{advice.objective} ({advice.objective_mode})"
    if advice.objective != advice.monitor:
        judged = f"judged by {judged}"
    return f"{runs}; {judged}; rules of {', '.join(names)}"


def _headline(advice: Recommendation) -> str:
    if advice.kind == "none":
        return "No setting is recommended."
    if advice.kind == "guaranteed" and advice.promise is not None:
        share = f"{100 * advice.promise.confidence:.3g} %"
        return (
            f"Patience {advice.patience}, with a promise for {share} of new "
            f"{_noun(advice)}."
        )
    if advice.promise is not None:
        return f"Patience {advice.patience}, the usual one: no better was found."
    return f"Patience {advice.patience}, as a rule of thumb: no promise goes with it."


def _code(advice: Recommendation, sweep: Sweep) -> list[str]:
    if not advice.callbacks:
        return []
    code = setting_code(advice.callbacks, sweep.runs[0].semantics)
    return [f" {visible_text(line)}" for line in code.splitlines()]


def _promise(advice: Recommendation) -> Iterator[str]:
    promise = advice.promise
    if promise is None:
        return
    noun, longer = advice.unit, ""
    unlucky = spoken_share(promise.unlucky_share)
    if (advice.patience or 0) > promise.patience:
        longer = " and longer"
    yield (
        f"the promise: patience {promise.patience}{longer} keeps {advice.objective} "
        f"within the tolerance on at least {100 * promise.confidence:.3g} % of new "
        f"{_noun(advice)}, averaged over many sets of {promise.n_groups} "
        f"{noun}s; from one such set in ten it is {unlucky} or less{_cut(advice)}"
    )


def _cut(advice: Recommendation) -> str:
    """Say where the best on record is not the best that there was."""
    if any(one.code.startswith("own-stop") for one in advice.doubts):
        return ". Some of these logs were cut by an EarlyStopping of their own"
    return ""


def _noun(advice: Recommendation) -> str:
    """Name what the promise is about."""
    if advice.grouped_by == "seed":
        return "trainings of this setting"
    return f"{advice.unit}s like these"


def _why(advice: Recommendation) -> Iterator[str]:
    yield _spoken_tolerance(advice)
    known = [one for one in advice.groups if one.sufficient_patience is not None]
    unknown = [one.name for one in advice.groups if one.sufficient_patience is None]
    # the largest decide
    known.sort(key=lambda one: (-(one.sufficient_patience or 0), one.name))
    by_patience: dict[int | None, list[str]] = {}
    for group in known[:_MOST_GROUPS]:
        by_patience.setdefault(group.sufficient_patience, []).append(group.name)
    told = [f"{patience} {', '.join(who)}" for patience, who in by_patience.items()]
    more = len(known) - _MOST_GROUPS
    if more > 0:
        told.append(f"less for {more} more")
    if unknown:
        told.insert(0, f"not in the log for {_names(unknown)}")
    yield f"sufficient patience: {'; '.join(told)}"


def _spoken_tolerance(advice: Recommendation) -> str:
    tolerance, name = advice.tolerance, advice.objective
    if tolerance is None:
        message = "a recommendation from several runs has a tolerance"
        raise AssertionError(message)
    if tolerance.kind == "absolute":
        return f"tolerance: {tolerance.value:g} {name}"
    share = f"{spoken_share(tolerance.value)} of each run's best {name}"
    if tolerance.kind == "share":
        return f"tolerance: {share} (--tolerance)"
    if advice.unit == "run":
        spread = advice.groups[0].tolerance[0]
        return f"tolerance: the spread between seeds, {spread:.3g} (--tolerance)"
    seeded = [one for one in advice.groups if len(one.runs) > 2]  # noqa: PLR2004
    least, *_, most = sorted(
        (one.tolerance[0], one.name) for one in [*seeded, seeded[0]]
    )
    told = f"{least[0]:.3g} in {least[1]}"
    if most != least:
        told += f" to {most[0]:.3g} in {most[1]}"
    rest = f"; else {share}" if tolerance.seeded < len(advice.groups) else ""
    return (
        f"tolerance: the spread between the seeds of a group, of three or more ({told})"
        f"{rest} (--tolerance)"
    )


def _monitors(advice: Recommendation, width: int) -> list[str]:
    if not advice.monitors:
        return []
    if advice.told_apart:
        words = f"stop on {advice.monitor}: it is clearly better on what was left out"
    else:
        words = (
            "which monitor to stop on cannot be told from these logs; "
            f"{advice.monitor} was named first"
        )
    lines = wrap(words, width)
    for one in advice.monitors:
        lines += wrap(_spoken_monitor(advice, one), width, "   ", "     ")
    return lines


def _spoken_monitor(advice: Recommendation, one: MonitorScore) -> str:
    left_out = one.left_out
    sentence = f"{one.monitor}: patience {one.patience}"
    if left_out is not None and left_out.score is not None:
        regret = left_out.mean_regret or 0.0
        lost = spoken_number(regret, difference_decimals([regret]))
        sentence += (
            f", score {left_out.score:.4f} on what was left out "
            f"({lost} {advice.objective} lost)"
        )
    if one.unknown_groups:
        sentence += (
            f"; no patience in the logs is enough for {one.unknown_groups} "
            f"{advice.unit}s"
        )
    return sentence


def _doubts(advice: Recommendation, width: int) -> list[str]:
    sentences = [_spoken_doubt(one) for one in advice.doubts]
    if advice.excluded:
        told = [f"{run} ({why})" for run, why in advice.excluded]
        sentences.append(f"not counted: {_names(told)}")
    if not sentences:
        return []
    lines = [" Before you trust it"]
    for sentence in sentences:
        lines += wrap(sentence, width, " - ", "   ")
    return lines


def _spoken_doubt(doubt: Doubt) -> str:
    return f"{doubt.text} ({_names(doubt.runs)})"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _closing(advice: Recommendation) -> Iterator[str]:
    if advice.callbacks and advice.keep == "best":
        yield (
            "restore_best_weights=True is part of it; Keras's default is False (--keep "
            "last)."
        )
    yield _ONLY_RETRAINING


def _next_command(advice: Recommendation, question: Question) -> Iterator[str]:
    if advice.monitors:
        question = replace(question, monitor=advice.monitor)
    typed = visible_text(f" {question.typed()}" if question.typed() else "")
    patience = 10 if advice.patience is None else advice.patience
    if " - " not in f"{typed} ":
        yield f" Every run: cbreplay simulate{typed} --patience {patience}"


def _wrapped(sentences: Iterator[str] | Sequence[str], width: int) -> list[str]:
    return [line for sentence in sentences for line in wrap(sentence, width)]
