"""One log's answer as a screen of text."""

from __future__ import annotations

import itertools
import math
import sys
import textwrap
from typing import TYPE_CHECKING

from cbreplay.cli.output import terminal_width
from cbreplay.replay.notes import NAN_IS_BEST
from cbreplay.rules.base import format_callback
from cbreplay.words import (
    count,
    decimals_for,
    find_non_finite,
    spoken_non_finite,
    spoken_number,
    spoken_range,
    spoken_rows,
    spoken_semantics,
    takes_nan,
    visible_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.run import Series
    from cbreplay.staircase import RateHistory, Staircase, StaircaseStep

__all__ = ["draw_sparkline", "staircase_screen"]

_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-=+*#@"
_MOST_STEPS = 20
_MOST_REDUCTIONS = 8
_MOST_NOTES = 4
# patience values that people try, and how many lines of them fit
_TRIED = (0, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 200, 500)


def staircase_screen(staircase: Staircase, *, typed: str) -> str:
    """Write one log's answer for people.

    Parameters
    ----------
    staircase : Staircase
        The answer.
    typed : str
        The log and the options as they were typed, for the next command.
    """
    width = terminal_width()
    blocks = [
        list(_heading(staircase, width)),
        [_setting(staircase)],
        list(_table(staircase, width)),
        list(_wrapped(_remarks(staircase), width)),
        [*_wrapped(_closing(staircase), width), *_next_commands(staircase, typed)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def draw_sparkline(series: Series, width: int, bars: str = _BARS) -> str:
    """Draw a series in one line of characters; an unrecorded stretch is a space.

    >>> from cbreplay.run import Series
    >>> draw_sparkline(Series.from_optional([3.0, 2.0, None, None, None, 1.0]), 6)
    '█ ▁'
    """
    values = [
        value if recorded and math.isfinite(value) else None
        for value, recorded in zip(
            series.values.tolist(), series.recorded.tolist(), strict=True
        )
    ]
    width = max(min(width, int(series.recorded.sum())), 1)
    edges = [round(i * len(values) / width) for i in range(width + 1)]
    heights = [
        _mean([one for one in values[start:end] if one is not None])
        for start, end in itertools.pairwise(edges)
    ]
    known = [one for one in heights if one is not None]
    if not known:
        return ""
    return "".join(
        " " if one is None else bars[_level(one, known, bars)] for one in heights
    )


def _level(height: float, known: Sequence[float], bars: str) -> int:
    """Return which bar shows a height; a few far values do not flatten the rest."""
    ordered = sorted(known)
    low, high = ordered[len(known) // 20], ordered[len(known) - 1 - len(known) // 8]
    if high <= low:
        return 0
    share = min(max((height - low) / (high - low), 0.0), 1.0)
    return math.floor(share * (len(bars) - 1) + 0.5)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _heading(staircase: Staircase, width: int) -> Iterator[str]:
    replay, run = staircase.replay, staircase.replay.run
    epochs = f"{count(run.recorded_epochs, 'epoch')}, plan unknown"
    if run.planned_epochs is not None:
        epochs = f"{run.recorded_epochs} of {run.planned_epochs} planned epochs"
    if run.steps is not None:
        epochs = f"{spoken_rows(epochs, run)}; patience counts evaluations"
    facts = (
        f"{visible_text(run.name)}: {epochs}; "
        f"{visible_text(replay.objective)} ({replay.objective_mode}); "
        f"rules of {spoken_semantics(replay.semantics.name)}"
    )
    yield from textwrap.wrap(facts, width)
    best = f"no finite {visible_text(replay.objective)} is recorded"
    if staircase.best_epoch is not None and staircase.best_value is not None:
        shown = spoken_number(staircase.best_value, _decimals(staircase))
        best = spoken_rows(f"best {shown} at epoch {staircase.best_epoch + 1}", run)
        best += f" of {run.horizon + 1}"
    name = visible_text(replay.objective)
    room = max(width - len(name) - len(best) - 4, 8)
    line = draw_sparkline(run.series[replay.objective], min(room, 40), _bars())
    yield f"{name}  {line}  {best}"[:width]


def _bars() -> str:
    try:
        _BARS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII_BARS
    return _BARS


def _setting(staircase: Staircase) -> str:
    restores = staircase.keep == "best"
    monitor = visible_text(staircase.monitor)
    return (
        f'EarlyStopping(monitor="{monitor}", patience=..., '
        f"restore_best_weights={restores})"
    )


def _table(staircase: Staircase, width: int) -> Iterator[str]:
    """Write the steps; as many other validation series as fit stand beside them."""
    steps = [one for one in staircase.steps if one.last_patience is not None]
    shown = _thinned(steps)
    titles = ["patience", "stops at", "keeps", staircase.replay.objective, "above best"]
    if staircase.replay.objective_mode == "max":
        titles[-1] = "below best"
    columns = [_main_cells(staircase, step) for step in shown]
    others = list(shown[0].others) if shown else []
    while True:
        lines = [[*titles, *others, "saved"]]
        for step, cells in zip(shown, columns, strict=True):
            values = [_other_cell(staircase, step, name) for name in others]
            lines.append(
                [
                    *cells,
                    *values,
                    spoken_range(step.most_epochs_saved, step.fewest_epochs_saved),
                ]
            )
        text = list(_aligned(lines))
        if not others or max(len(line) for line in text) <= width:
            break
        others.pop()
    if steps:
        yield from text
    if len(shown) < len(steps):
        yield f" ({len(steps) - len(shown)} more steps: --format csv)"
    yield from _rest_lines(staircase, width)


def _thinned(steps: list[StaircaseStep]) -> list[StaircaseStep]:
    """Return at most so many steps: those of the patience values that people try."""
    if len(steps) <= _MOST_STEPS:
        return steps
    tried = [
        step
        for step in steps
        if any(
            step.first_patience <= one <= (step.last_patience or 0) for one in _TRIED
        )
    ]
    return [*tried[: _MOST_STEPS - 1], *([] if steps[-1] in tried else [steps[-1]])]


def _main_cells(staircase: Staircase, step: StaircaseStep) -> list[str]:
    decimals = _decimals(staircase)
    first, last = step.first_stopped_epoch, step.last_stopped_epoch
    stops = "" if first is None or last is None else spoken_range(first + 1, last + 1)
    return [
        spoken_range(step.first_patience, step.last_patience),
        stops,
        str(step.kept_epoch + 1),
        "none" if step.kept_value is None else spoken_number(step.kept_value, decimals),
        _above_best(staircase, step, decimals),
    ]


def _above_best(staircase: Staircase, step: StaircaseStep, decimals: int) -> str:
    if step.regret is None:
        return "none"
    if step.regret == 0:
        return "0  "
    sign = "+" if staircase.replay.objective_mode == "min" else "-"
    mark = "~" if _is_usual(staircase, step.regret) else " "
    return f"{sign}{spoken_number(step.regret, decimals)} {mark}"


def _is_usual(staircase: Staircase, regret: float) -> bool:
    usual = staircase.usual_change
    return usual is not None and 0 < regret < usual


def _other_cell(staircase: Staircase, step: StaircaseStep, name: str) -> str:
    value = step.others[name]
    values = [one.others[name] for one in staircase.steps]
    return "none" if value is None else spoken_number(value, decimals_for(values))


def _aligned(lines: list[list[str]]) -> Iterator[str]:
    lines = [[visible_text(cell) for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True)]
        yield " " + "   ".join(cells).rstrip()


def _rest_lines(staircase: Staircase, width: int) -> Iterator[str]:
    """Say what the patience values do that never stop inside the log."""
    rest, run = staircase.steps[-1], staircase.replay.run
    start = " every patience"
    if len(staircase.steps) > 1:
        start = f" {rest.first_patience} or more"
    if rest.evidence == "exact":
        words = f"runs to the end of its plan, keeps epoch {rest.kept_epoch + 1}"
    else:
        words = f"not in the log: it ends at epoch {run.horizon + 1}"
        if takes_nan(staircase.replay, staircase.monitor):
            gap = run.horizon - (staircase.replay.best_epoch or 0)
            words += f", {count(gap, 'epoch')} after the NaN that is its best"
        elif staircase.best_epoch is not None and staircase.best_epoch < run.horizon:
            gap = run.horizon - staircase.best_epoch
            words += f", {count(gap, 'epoch')} after its best"
    sentence = f"{start}   {spoken_rows(words, run)}"
    yield from textwrap.wrap(sentence, width, subsequent_indent="   ")


def _remarks(staircase: Staircase) -> Iterator[str]:
    """Yield what the numbers above do not say themselves."""
    run = staircase.replay.run
    yield from (spoken_rows(one, run) for one in _doubts(staircase))
    # that one is told with the values
    yield from (f"note: {one}" for one in staircase.notes if one != NAN_IS_BEST)
    reading = run.notes
    yield from (f"how it was read: {note}" for note in reading[:_MOST_NOTES])
    if len(reading) > _MOST_NOTES:
        yield f"{count(len(reading) - _MOST_NOTES, 'more note')}: cbreplay inspect"


def _doubts(staircase: Staircase) -> Iterator[str]:
    decimals = _decimals(staircase)
    usual = staircase.usual_change
    if usual is not None and any(
        _is_usual(staircase, one.regret or 0) for one in staircase.steps
    ):
        yield (
            "~ less than the usual change from one epoch to the next "
            f"({spoken_number(usual, decimals)})"
        )
    yield from _non_finite_remarks(staircase)
    yield from _other_remarks(staircase)
    yield from _rate_remarks(staircase.rate)


def _non_finite_remarks(staircase: Staircase) -> Iterator[str]:
    replay, name = staircase.replay, staircase.monitor
    epochs = find_non_finite(replay.run, name)
    if epochs:
        yield (
            f"{name} is NaN or infinite in {count(len(epochs), 'epoch')}, first in "
            f"epoch {epochs[0] + 1}; {spoken_non_finite(replay, name)}"
        )


def _other_remarks(staircase: Staircase) -> Iterator[str]:
    stopping = [step for step in staircase.steps if step.last_patience is not None]
    kept = {step.kept_epoch: step for step in stopping}
    horizon = staircase.replay.run.horizon
    for name, (epoch, value) in staircase.other_best.items():
        shown = spoken_number(value, decimals_for([value]))
        where = ", at the end" if epoch == horizon else ""
        sentence = f"{name} was best at epoch {epoch + 1}{where} ({shown})"
        if epoch in kept:
            patience = spoken_range(
                kept[epoch].first_patience, kept[epoch].last_patience
            )
            yield f"{sentence}: patience {patience} keeps it"
        else:
            yield f"{sentence}: {_kept_by_none(staircase, epoch)}"


def _kept_by_none(staircase: Staircase, epoch: int) -> str:
    rest = staircase.steps[-1]
    if rest.evidence == "exact" and rest.kept_epoch == epoch:
        return "training to the end of the plan keeps it"
    return "nothing that stops inside the log keeps it"


def _rate_remarks(rate: RateHistory) -> Iterator[str]:
    if not rate.is_recorded:
        yield "learning_rate: not in the log; taken as constant"
    elif rate.rises:
        yield (
            "learning_rate: it rises as well as falls, as no ReduceLROnPlateau does "
            f"({_rate(rate.first)} to {_rate(rate.last)})"
        )
    elif rate.reductions:
        yield _spoken_reductions(rate)
    elif rate.first is not None:
        yield f"learning_rate: {_rate(rate.first)} throughout"
    if rate.first_reductions and not rate.rises:
        firsts = ", ".join(
            f"{one.patience} after epoch {one.epoch + 1}"
            for one in rate.first_reductions
        )
        who = "a ReduceLROnPlateau"
        if rate.explained_by is not None:
            who = "with a smaller patience it"
        yield (
            f"{who} would first act: patience {firsts}; after that this log is silent"
        )


def _spoken_reductions(rate: RateHistory) -> str:
    epochs = [str(one.epoch + 1) for one in rate.reductions]
    if len(epochs) > _MOST_REDUCTIONS:
        listed = f"{len(epochs)} times, after epochs {epochs[0]} to {epochs[-1]}"
    elif len(epochs) == 1:
        listed = f"once, after epoch {epochs[0]}"
    else:
        listed = f"after epochs {', '.join(epochs)}"
    sentence = (
        f"learning_rate: reduced {listed} ({_rate(rate.first)} to {_rate(rate.last)})"
    )
    if rate.explained_by is None:
        return f"{sentence}; no ReduceLROnPlateau that was tried explains it"
    sentence += f", exactly as {format_callback(rate.explained_by)} would"
    if rate.is_other_reading:
        sentence += " if the rate was logged after each reduction"
    return sentence


def _closing(staircase: Staircase) -> Iterator[str]:
    if staircase.keep == "best":
        yield (
            '"keeps" assumes restore_best_weights=True; Keras\'s default is False '
            "(--keep last)."
        )
    yield "One run describes itself; it does not promise the next."


def _next_commands(staircase: Staircase, typed: str) -> Iterator[str]:
    """Yield commands on lines of their own, unwrapped, to be copied."""
    typed = visible_text(f" {typed}" if typed else "")
    if staircase.replay.run.source == "-" or " - " in f" {typed} ":
        return  # what was piped in is gone
    patience = staircase.sufficient_patience()
    if patience is not None:
        yield f" Why:       cbreplay explain{typed} --patience {patience}"
        yield f" A picture: cbreplay plot{typed} --patience {patience}"
    yield f" A page:    cbreplay report{typed}"


def _wrapped(sentences: Iterator[str], width: int) -> Iterator[str]:
    for sentence in sentences:
        yield from textwrap.wrap(
            visible_text(sentence),
            width,
            initial_indent=" ",
            subsequent_indent="   ",
            break_on_hyphens=False,
        )


def _decimals(staircase: Staircase) -> int:
    values = [step.kept_value for step in staircase.steps]
    return decimals_for([*values, staircase.best_value])


def _rate(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate:.4g}"
