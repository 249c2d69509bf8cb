"""The tables of docs: pairs with one seed, counted, and what lies in the middle."""

from __future__ import annotations

import collections
import math
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Row = Mapping[str, str]

__all__ = ["Pair", "count_signs", "find_pairs", "tell_tables"]

ALWAYS = "always 10"
REPLAYED, USUAL = "tuned rate with plateau by replay", "tuned rate with Keras's plateau"
RATES = {
    "tuned : own": ("tuned rate", "own rate"),
    "tuned + by replay : tuned": (REPLAYED, "tuned rate"),
    "tuned + Keras's : tuned": (USUAL, "tuned rate"),
    "plateau : tuned": ("tuned plateau", "tuned rate"),
    "plateau : own": ("tuned plateau", "own rate"),
}
_HEAD = """\
| | test loss: won / tied / lost, median | val_loss | epochs | seeds better, worse (p) |
|---|---|---|---|---|"""


class Pair(NamedTuple):
    """Two trainings with one seed, of two settings.

    Parameters
    ----------
    seed : int
        Theirs.
    test_loss, val_loss : float
        By what share the first one's is larger.
    epochs, other_epochs : int
        What each trained.
    """

    seed: int
    test_loss: float
    val_loss: float
    epochs: int
    other_epochs: int


def find_pairs(rows: Sequence[Row], chosen: str, beside: str) -> list[Pair]:
    """Return the pairs of one experiment's two ways to choose."""
    others = {row["seed"]: row for row in rows if row["chosen"] == beside}
    return [
        Pair(
            int(row["seed"]),
            _share(row, others[row["seed"]], "test_loss"),
            _share(row, others[row["seed"]], "val_loss"),
            int(row["epochs"]),
            int(others[row["seed"]]["epochs"]),
        )
        for row in rows
        if row["chosen"] == chosen
    ]


def _share(row: Row, other: Row, series: str) -> float:
    return float(row[series]) / float(other[series]) - 1


def count_signs(pairs: Sequence[Pair]) -> tuple[int, int]:
    """Return on how many seeds the first way is better on average, and worse.

    Choices from several sets of runs share a seed's training, so that a seed and not a
    pair is one observation.
    """
    by_seed = collections.defaultdict(list)
    for pair in pairs:
        by_seed[pair.seed].append(pair.test_loss)
    means = [sum(shares) for shares in by_seed.values()]
    return sum(mean < 0 for mean in means), sum(mean > 0 for mean in means)


def sign_test(better: int, worse: int) -> float:
    """Return how likely counts at least as unequal are, of two equal ways.

    >>> sign_test(1, 9)
    0.021484375
    """
    n_seeds, fewer = better + worse, min(better, worse)
    tail = sum(math.comb(n_seeds, count) for count in range(fewer + 1))
    return min(1.0, 2.0 * tail / (1 << n_seeds))


def tell_tables(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the tables of docs/how-good-is-the-advice.md."""
    of_patience = [row for row in rows if row["part"] == "patience"]
    yield _HEAD
    for chosen in ("3 runs", "10 runs"):
        by_experiment = _by_experiment(of_patience, chosen, ALWAYS)
        for name, pairs in by_experiment.items():
            yield _line(f"{name}, {chosen}", pairs)
        yield _line(f"all, {chosen}", _together(by_experiment.values()))
    of_rate = [row for row in rows if row["part"] == "rate"]
    columns = [_by_experiment(of_rate, *compared) for compared in RATES.values()]
    yield "\n| | " + " | ".join(RATES) + " |"
    yield "|---|" + "---|" * len(RATES)
    for name in columns[0]:
        yield _row([name, *(_counts(column[name]) for column in columns)])
    everything = [_together(column.values()) for column in columns]
    yield _row(["all", *(_counts(pairs) for pairs in everything)])
    yield _row(["seeds better, worse (p)", *(_signs(pairs) for pairs in everything)])


def _by_experiment(
    rows: Sequence[Row], chosen: str, beside: str
) -> dict[str, list[Pair]]:
    names = dict.fromkeys(row["experiment"] for row in rows)
    return {
        name: find_pairs(
            [row for row in rows if row["experiment"] == name], chosen, beside
        )
        for name in names
    }


def _together(every: Iterable[list[Pair]]) -> list[Pair]:
    # a seed of one experiment is another one in the next
    return [
        pair._replace(seed=pair.seed + 1000 * number)
        for number, pairs in enumerate(every)
        for pair in pairs
    ]


def _line(name: str, pairs: Sequence[Pair]) -> str:
    ours = median(pair.epochs for pair in pairs)
    theirs = median(pair.other_epochs for pair in pairs)
    losses = f"{100 * median(pair.val_loss for pair in pairs):+.1f} %"
    return _row([name, _counts(pairs), losses, f"{ours:g} / {theirs:g}", _signs(pairs)])


def _counts(pairs: Sequence[Pair]) -> str:
    shares = [pair.test_loss for pair in pairs]
    won, lost = sum(share < 0 for share in shares), sum(share > 0 for share in shares)
    counts = f"{won} / {len(pairs) - won - lost} / {lost}"
    return f"{counts}, {100 * median(shares):+.1f} %"


def _signs(pairs: Sequence[Pair]) -> str:
    better, worse = count_signs(pairs)
    return f"{better}, {worse} ({sign_test(better, worse):.2g})"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
