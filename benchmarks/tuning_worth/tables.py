"""The tables of README: pairs with one seed, counted, and what lies in the middle."""

from __future__ import annotations

import collections
import math
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Row = Mapping[str, str]

__all__ = ["Pair", "count_signs", "find_pairs", "tell_tables"]

ALWAYS = "always 10"
COMPARED = {
    "patience": [("3 runs", ALWAYS), ("10 runs", ALWAYS)],
    "rate": [
        ("tuned rate", "own rate"),
        ("tuned rate with plateau by replay", "tuned rate"),
        ("tuned rate with Keras's plateau", "tuned rate"),
        ("tuned plateau", "tuned rate"),
    ],
}
_HEAD = """\
| | won / tied / lost | test loss | val_loss | epochs | seeds better, worse (p) |
|---|---|---|---|---|---|"""


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
    return min(1.0, 2 * tail / 2**n_seeds)


def tell_tables(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the tables of Markdown, one for each two ways."""
    for part, compared in COMPARED.items():
        for chosen, beside in compared:
            yield f"\n{chosen} beside {beside}\n\n{_HEAD}"
            yield from _table(
                [row for row in rows if row["part"] == part], chosen, beside
            )


def _table(rows: Sequence[Row], chosen: str, beside: str) -> Iterator[str]:
    every: list[Pair] = []
    for number, experiment in enumerate(
        dict.fromkeys(row["experiment"] for row in rows)
    ):
        ours = [row for row in rows if row["experiment"] == experiment]
        pairs = find_pairs(ours, chosen, beside)
        settings = dict.fromkeys(
            row["setting"].removeprefix("patience ")
            for row in ours
            if row["chosen"] == chosen
        )
        # a seed of one experiment is another one in the next
        every += [pair._replace(seed=pair.seed + 1000 * number) for pair in pairs]
        yield _line(f"{experiment}: {', '.join(settings)}", pairs)
    yield _line("all", every)


def _line(name: str, pairs: Sequence[Pair]) -> str:
    shares = [pair.test_loss for pair in pairs]
    won, lost = sum(share < 0 for share in shares), sum(share > 0 for share in shares)
    better, worse = count_signs(pairs)
    epochs = [median(pair.epochs for pair in pairs)]
    epochs.append(median(pair.other_epochs for pair in pairs))
    cells = [
        name,
        f"{won} / {len(pairs) - won - lost} / {lost}",
        f"{100 * median(shares):+.1f} %",
        f"{100 * median(pair.val_loss for pair in pairs):+.1f} %",
        " / ".join(f"{count:g}" for count in epochs),
        f"{better}, {worse} ({sign_test(better, worse):.2g})",
    ]
    return f"| {' | '.join(cells)} |"
