"""Why this setting, or why none, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.recommend.selection import (
    count_needed,
    needed_rank,
    shared_confidence,
)
from cbreplay.recommend.validation import FEWEST_TO_SHORTEN, USUAL, is_hasty
from cbreplay.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.groups import Grouping
    from cbreplay.recommend.answer import LeftOut
    from cbreplay.recommend.other_rules import RuleScore
    from cbreplay.recommend.study import Study
    from cbreplay.recommend.validation import Choice, Priced

__all__ = ["explain_choice", "explain_none", "explain_other_rules"]


def explain_none(grouping: Grouping, priced: Sequence[Priced]) -> tuple[str, ...]:
    """Return why nothing can be recommended; nothing where something can."""
    n_runs = sum(len(rows) for rows in grouping.rows)
    if n_runs == 1:
        return ("one run describes itself; what holds for the next takes several",)
    if len(grouping.rows) == 1:
        alike = "copies of one log" if grouping.by != "asked" else "one group"
        return (
            f"the {n_runs} runs are {alike}: what holds for the next takes several",
        )
    if all(np.isnan(one.score).all() for one in priced):
        return ("no log tells what any patience would have kept",)
    return ()


def explain_choice(
    study: Study,
    choice: Choice,
    left_out: LeftOut,
    n_monitors: int,
    *,
    stops: bool,
) -> tuple[str, ...]:
    """Return why this patience, and why no promise goes with it where none does.

    Parameters
    ----------
    study, choice : Study, Choice
        What was chosen, and from what.
    left_out : LeftOut
        How the choice does on groups left out of it.
    n_monitors : int
        How many monitors it was chosen from.
    stops : bool
        Whether it is better than to stop nothing.
    """
    n_groups = len(study.panel.groups)
    shared = shared_confidence(study.asked.confidence, n_monitors)
    rank = needed_rank(n_groups, shared)
    reasons = [*_why_no_promise(study, choice, rank, n_monitors)]
    if stops:
        reasons += _why_this(study, choice, rank, left_out)
    else:
        reasons.append(
            f"on these logs patience {choice.patience} does worse than no "
            "EarlyStopping at all; ModelCheckpoint(save_best_only=True) keeps the best "
            "weights without a stop"
        )
    return tuple(reasons)


def explain_other_rules(
    rules: Sequence[RuleScore], patience: int, noun: str
) -> tuple[str, ...]:
    """Return which of Prechelt's rules is clearly better than the patience.

    Parameters
    ----------
    rules : sequence of RuleScore
        Those that were tried; none where nobody asked.
    patience : int
        What is recommended, or would be.
    noun : {"group", "run"}
        What was left out.
    """
    said = [
        f"{one.rule} is not compared: {one.problem}"
        for one in rules
        if one.scored is None
    ]
    better = [one for one in rules if one.better and one.scored is not None]
    for one in better:
        setting = "" if one.scored is None else one.scored.setting
        said.append(
            f"on {noun}s left out of the choice, {setting} is clearly better than "
            f'patience {patience}; as code: cbreplay simulate -c "{setting}" '
            "--keras-code"
        )
    if not better and any(one.scored is not None for one in rules):
        said.append(
            f"on {noun}s left out of the choice, no rule of Prechelt's is clearly "
            f"better than patience {patience}"
        )
    return tuple(said)


def _why_no_promise(
    study: Study, choice: Choice, rank: int, n_monitors: int
) -> Iterator[str]:
    noun, n_groups = study.noun, len(study.panel.groups)
    confidence = study.asked.confidence
    if rank > n_groups:
        monitors = "" if n_monitors == 1 else f" and {n_monitors} monitors"
        needed = count_needed(shared_confidence(confidence, n_monitors))
        yield (
            f"a promise for {100 * confidence:.3g} % of new {noun}s{monitors} takes "
            f"{needed} {noun}s, and there are {n_groups}"
        )
    elif choice.unknown:
        yield (
            f"no patience in the logs keeps the tolerance on "
            f"{count(choice.n_unknown, noun)} of {n_groups}, and a promise allows "
            f"{n_groups - rank}"
        )


def _why_this(
    study: Study, choice: Choice, rank: int, left_out: LeftOut
) -> Iterator[str]:
    how = _how(study, choice, rank)
    if not choice.fell_back:
        yield f"{choice.sufficient} is {how}"
    elif left_out.n_groups == 0:
        yield (
            f"{choice.patience}, the usual, rather than {choice.sufficient}, {how}: "
            "nothing tells which is better"
        )
    elif is_hasty(choice.sufficient, choice.patience, len(study.panel.groups)):
        yield (
            f"{choice.patience}, the usual, rather than {choice.sufficient}, {how}: a "
            f"shorter one takes {FEWEST_TO_SHORTEN} {study.noun}s; fewer often need "
            "little by luck"
        )
    else:
        yield (
            f"{choice.patience}, the usual, rather than {choice.sufficient}, {how}: on "
            f"{study.noun}s left out of the choice, choosing from the others' logs was "
            f"not clearly better than a fixed {choice.patience}, or only by one "
            f"{study.noun}"
        )
    if choice.capped:
        yield (
            f"most logs were recorded under patience {study.own.cap}: they cannot "
            "price a longer one"
        )
    promised = choice.rank_patience
    if promised is not None and choice.patience < promised:
        yield f"{choice.patience} is shorter than the {promised} of the promise"


def _how(study: Study, choice: Choice, rank: int) -> str:
    """Say what the chosen patience is among those that the groups need."""
    noun, n_groups = study.noun, len(study.panel.groups)
    if choice.rank_patience is not None:
        which = "largest" if rank == n_groups else f"{_nth(rank)} smallest"
        return f"the {which} sufficient patience of the {n_groups} {noun}s"
    if choice.unknown:
        return f"the usual, kept where the logs of a {noun} do not tell what is enough"
    if choice.sufficient > USUAL:
        return f"the largest sufficient patience of the {n_groups} {noun}s"
    return (
        f"the usual: a rule of thumb takes no less, and it is enough for every {noun}"
    )


def _nth(number: int) -> str:
    """Write an ordinal.

    >>> [_nth(one) for one in (1, 2, 3, 11, 12, 22)]
    ['1st', '2nd', '3rd', '11th', '12th', '22nd']
    """
    teens = 10 < number % 100 < 14  # noqa: PLR2004 - 11th to 13th
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
