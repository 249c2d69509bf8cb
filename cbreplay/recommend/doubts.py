"""What a careful reader should know before trusting a recommendation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.outcomes import was_still_improving
from cbreplay.recommend.answer import Doubt
from cbreplay.recommend.pricing import cells_of, price
from cbreplay.recommend.records import why_failed
from cbreplay.rules.base import describe_training
from cbreplay.rules.registry import resolve_semantics
from cbreplay.words import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cbreplay.recommend.axes import Slice
    from cbreplay.recommend.study import Study
    from cbreplay.recommend.validation import Choice
    from cbreplay.run import FloatArray, Run

__all__ = ["find_doubts", "still_improves"]

# over how many values a course is smoothed before it is called improving
_WINDOW = 5


def find_doubts(
    study: Study, chosen: Slice, choice: Choice | None
) -> tuple[Doubt, ...]:
    """Return the doubts about an answer, the gravest first."""
    doubts = [*_unknown(study, chosen), *_about_runs(study)]
    if choice is not None:
        doubts = [*_about_choice(study, chosen, choice), *doubts]
    return tuple(doubts)


def _about_choice(study: Study, chosen: Slice, choice: Choice) -> Iterator[Doubt]:
    rows = study.panel.rows
    at = np.searchsorted(study.axes.patience, choice.patience)
    column = chosen.columns[at]
    exact = study.sweep.evidence[rows, column] == 0
    yield from _named(
        "censored",
        f"the log ends before it tells what patience {choice.patience} would have "
        "done; counted, never averaged",
        (one for one, known in zip(study.runs, exact, strict=True) if not known),
    )
    alone = np.flatnonzero(choice.left_out != choice.patience)
    if len(alone) == 1 and len(choice.left_out) > 1:
        (one,) = alone
        yield Doubt(
            "one-group-decides",
            f"one {study.noun} decides: without it, it would be patience "
            f"{choice.left_out[one]}",
            (study.grouping.names[one],),
        )
    yield from _other_metrics(study, np.where(exact, column, -1))


def _unknown(study: Study, chosen: Slice) -> Iterator[Doubt]:
    """Name the runs on which no patience that the log can price is enough."""
    panel, patience = study.panel, study.axes.patience
    cells = cells_of(study.sweep, panel.rows, chosen.columns)
    alone = panel._replace(groups=tuple(np.arange(len(panel.rows))[:, None]))
    enough = price(alone, cells, patience).sufficient
    yield from _named(
        "unknown",
        "no patience that the log can tell of keeps the tolerance",
        (run for run, one in zip(study.runs, enough, strict=True) if np.isinf(one)),
    )


def _other_metrics(study: Study, columns: FloatArray) -> Iterator[Doubt]:
    """Name the metrics that still improve clearly after the weights are kept."""
    found: dict[str, list[Run]] = {}
    for run, row, column in zip(
        study.runs, study.panel.rows.tolist(), columns.tolist(), strict=True
    ):
        if column < 0 or not study.sweep.kept[row, column]:
            continue
        kept = int(study.sweep.kept_epoch[row, column]) - run.first_epoch
        resolved = resolve_semantics(study.sweep.runs[row].semantics)
        training = describe_training(run, resolved.semantics, resolved.family)
        for name, series in run.series.items():
            if not name.startswith("val_") or name == study.objective:
                continue
            mode = training.find_direction(name)
            if mode is None:
                continue
            values = series.values if mode == "min" else -series.values
            if still_improves(values, kept):
                found.setdefault(name, []).append(run)
    for name, runs in found.items():
        yield from _named(
            "other-metric",
            f"{name} still improves clearly after the epoch that is kept: for "
            f"{name} this stops too early",
            runs,
        )


def still_improves(values: FloatArray, kept: int) -> bool:
    """Return whether a series (small is good) falls clearly after an epoch.

    The least mean over five values in a row afterwards is compared with the least
    before, and with the value that is kept; clearly is by more than the usual change
    from one value to the next.

    >>> falling = np.linspace(1, 0.1, 40)
    >>> still_improves(falling, 10), still_improves(falling, 39)
    (True, False)
    """
    at = np.flatnonzero(np.isfinite(values))
    finite = values[at]
    if len(finite) < 2 * _WINDOW:
        return False
    smooth = np.convolve(finite, np.full(_WINDOW, 1 / _WINDOW), mode="valid")
    ends = at[_WINDOW - 1 :]
    # a mean ends at its last epoch; the first after `kept` has none from before
    before = smooth[ends <= kept]
    if not len(before):
        before = finite[at <= kept].mean(keepdims=True) if at[0] <= kept else before
    after = smooth[at[: len(smooth)] > kept]
    if not len(before) or not len(after):
        return False
    held = values[kept] if np.isfinite(values[kept]) else np.inf
    half = finite[len(finite) // 2 :]
    usual = float(np.median(np.abs(np.diff(half))))
    return bool(min(before.min(), held) - after.min() > max(usual, 1e-12))


def _about_runs(study: Study) -> Iterator[Doubt]:
    runs = study.runs
    yield from _named(
        "still-improving",
        "still improving at the end of the log: what is lost is against the record "
        "only",
        (one for one in runs if was_still_improving(one, study.objective, study.mode)),
    )
    yield from _own_stops(study)
    failed: dict[str, list[Run]] = {}
    for run in runs:
        why = why_failed(run, study.axes.slices[0].monitor)
        if why is not None:
            failed.setdefault(why, []).append(run)
    n_failed = sum(map(len, failed.values()))
    for why, named in failed.items():
        words = f"{why}; in all {n_failed} of {len(runs)} runs failed, and they count"
        yield from _named("failed", words, named)


def _own_stops(study: Study) -> Iterator[Doubt]:
    own = study.own
    known: list[Run] = []
    guessed: list[Run] = []
    for run, patience in zip(study.runs, own.patience, strict=True):
        if patience is not None:
            is_guess = own.guessed is not None and run.metadata is None
            (guessed if is_guess else known).append(run)
    under = sorted({one for one in own.patience if one is not None})
    listed = ", ".join(map(str, under))
    yield from _named(
        "own-stop",
        f"ended by an EarlyStopping of its own (patience {listed}), so silent about a "
        f"longer one and about what would have come. {_RATCHET}",
        known,
    )
    yield from _named(
        "own-stop-guessed",
        f"the log ends exactly {own.guessed} epochs after its best, as under an "
        f"EarlyStopping(patience={own.guessed}); if so it is silent about a longer one "
        f"and about what would have come (--recorded-under). {_RATCHET}",
        guessed,
    )


_RATCHET = (
    "Tuned on such logs again and again, patience only falls: record one run in five "
    "without it"
)


def _named(code: str, words: str, runs: Iterable[Run]) -> Iterator[Doubt]:
    names = tuple(run.name for run in runs)
    if names:
        yield Doubt(code, f"{count(len(names), 'run')}: {words}", names)
