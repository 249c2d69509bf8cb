"""What advice says in sentences is true of the runs: plain loops say so.

Each sentence carries what it claims by name; the claims are held against loops that
share no code with the package, over runs with ties, plans that were reached or not,
tolerances of every size, and logs that a patience of their own ended.
"""

from __future__ import annotations

import math
import statistics
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay import Run
from cbreplay.answers.advice import advice_document
from cbreplay.document import Notice, Paragraph, Points, plain_text
from cbreplay.recommend import recommend_config, sweep_patience
from tests.facts import facts_of
from tests.oracles.plain_advice import PlainRun, ends_of, gap_of, scale_of
from tests.oracles.plain_stop import stop_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cbreplay.document import Document, Text
    from cbreplay.recommend import Recommendation

USUAL = 10


class Asked(NamedTuple):
    """Runs with few distinct values, and how advice from them is asked for."""

    losses: list[list[float]]
    planned: list[bool]
    tolerance: str | float
    confidence: float
    keep: Any
    recorded_under: int | None


ASKED = st.builds(
    Asked,
    losses=st.lists(
        st.lists(st.integers(0, 12).map(lambda n: n / 16), min_size=5, max_size=30),
        min_size=2,
        max_size=14,
    ),
    planned=st.lists(st.booleans(), min_size=14, max_size=14),
    tolerance=st.sampled_from([0, 0.1, 0.3, "1%", "20%"]),
    confidence=st.sampled_from([0.5, 0.8, 0.9]),
    keep=st.sampled_from(["best", "last"]),
    recorded_under=st.sampled_from([None, None, 3, 6]),
)


def made(asked: Asked) -> list[Run]:
    runs = []
    for number, losses in enumerate(asked.losses):
        # no run is a copy of another
        rows = [{"loss": float(number), "val_loss": loss} for loss in losses]
        planned = len(rows) if asked.planned[number] else None
        runs.append(Run.from_logs(rows, name=f"run{number}", planned_epochs=planned))
    return runs


class Known(NamedTuple):
    """The runs that count, the largest patience that is tried, and what was asked."""

    runs: list[PlainRun]
    most: int
    asked: Asked
    advice: Recommendation

    @property
    def restores(self) -> bool:
        return str(self.asked.keep) == "best"

    @property
    def sufficient(self) -> dict[str, int | None]:
        return {
            run.name: run.sufficient(self.most, restores=self.restores)
            for run in self.runs
        }

    @property
    def rank(self) -> int:
        """The smallest rank k with k / (n + 1) not below the confidence."""
        n = len(self.runs)
        return next(
            k for k in range(n + 3) if k / (n + 1) > self.asked.confidence - 1e-12
        )

    def named(self, holds: Callable[[PlainRun], bool]) -> list[str]:
        return [run.name for run in self.runs if holds(run)]

    def nth(self, rank: int) -> float:
        """Return the sufficient patience with a rank; infinite where unknown."""
        needed = [
            math.inf if held is None else held for held in self.sufficient.values()
        ]
        return sorted(needed)[rank - 1]


def knowledge(asked: Asked, advice: Recommendation) -> Known:
    counted = {name for group in advice.groups for name in group.runs}
    names = [f"run{number}" for number in range(len(asked.losses))]
    planned = asked.planned[: len(names)]
    ends = ends_of(asked.losses, planned, asked.recorded_under)
    some_reached = any(
        reached
        for name, (reached, _) in zip(names, ends, strict=True)
        if name in counted
    )
    runs = []
    for name, losses, (reached, own) in zip(names, asked.losses, ends, strict=True):
        if name not in counted:
            continue
        share = asked.tolerance
        allowed = (
            float(share[:-1]) / 100 * scale_of(losses)
            if isinstance(share, str)
            else share
        )
        # beside runs that reached their plan, one that broke off tells no need
        is_whole = math.isinf(own) and (reached or not some_reached)
        # one that never changes may have been ended by anything
        is_whole &= reached or len(set(losses)) > 1
        runs.append(PlainRun(name, losses, reached, allowed, own, is_whole))
    most = max(USUAL, *(len(losses) for losses in asked.losses))
    return Known(runs, most, asked, advice)


def is_promise(known: Known, about: Mapping[str, Any]) -> Any:
    """Whether the k-th smallest of n is enough with the probability that is named."""
    n, rank = about["n_groups"], about["rank"]
    return (
        n == len(known.runs)
        and rank == known.rank
        and about["patience"] == known.nth(rank)
        and about["confidence"] == known.asked.confidence
    )


def too_few(known: Known, about: Mapping[str, Any]) -> Any:
    needed, confidence = about["needed"], known.asked.confidence
    return (
        about["n_groups"] == len(known.runs) < needed
        # of so many the largest is enough with probability n / (n + 1)
        and needed / (needed + 1) > confidence - 1e-12
        and (needed - 1) / needed < confidence - 1e-12
    )


def wins(known: Known, about: Mapping[str, Any]) -> Any:
    """Whether the patience is the order statistic, and more than the rule of thumb."""
    n = len(known.runs)
    return about["patience"] == known.nth(about["rank"]) > about["usual"] == USUAL and (
        about["n_groups"],
        about["rank"],
    ) == (n, known.rank)


def longest_own(known: Known) -> float:
    limits = [run.own_patience for run in known.runs if run.own_patience < math.inf]
    return max(limits, default=1)


def no_log_goes_on(known: Known, about: Mapping[str, Any]) -> bool:
    """Whether every log ends where the longest patience that cut some ends it."""
    longest = longest_own(known)
    asked = known.asked.recorded_under
    stops = [stop_at(run.values, int(longest), "min").stop for run in known.runs]
    return (
        about["n_cut"] == sum(run.own_patience < math.inf for run in known.runs)
        and about["n_under"] == sum(run.own_patience == longest for run in known.runs)
        and about["n_runs"] == len(known.runs)
        and about["guessed"] == (asked is None)
        and all(
            run.own_patience < math.inf or stop in (None, len(run.values) - 1)
            for run, stop in zip(known.runs, stops, strict=True)
        )
    )


def all_cut(known: Known, about: Mapping[str, Any]) -> Any:
    """Whether nothing shorter than what cut the logs is said, and no log tells more."""
    tells = any(
        run.prices(patience)
        for run in known.runs
        for patience in range(1, known.most + 1)
    )
    return (
        no_log_goes_on(known, about)
        and about["under"] == longest_own(known)
        and about["patience"] == max(USUAL, about["under"])
        and (about["under"] > USUAL or not tells)
    )


def recorded_under(known: Known, about: Mapping[str, Any]) -> Any:
    return about["patience"] == longest_own(known) and no_log_goes_on(known, about)


def unknown_groups(known: Known, about: Mapping[str, Any]) -> Any:
    unknown = list(known.sufficient.values()).count(None)
    return (
        about["n_unknown"]
        == unknown
        > about["allowed"]
        == (len(known.runs) - known.rank)
    )


def keeps(known: Known, about: Mapping[str, Any]) -> Any:
    (callback,) = about["callbacks"]
    told = [run for run in known.runs if run.prices(callback.patience)]
    breaking = [
        run.name
        for run in told
        if run.lost(callback.patience, restores=known.restores) > run.loss_allowed
    ]
    return len(told) == about["told_runs"] and breaking == list(about["breaking"])


def below_promise(known: Known, about: Mapping[str, Any]) -> Any:
    return bool(about["patience"] < about["promised"] == known.nth(known.rank))


def is_censored(known: Known, about: Mapping[str, Any]) -> Any:
    """Whether these are the runs that do not tell; an own stop is a doubt by itself."""
    untold = known.named(lambda run: not run.tells(about["patience"]))
    return list(about["runs"]) == [name for name in untold if name not in cut_in(known)]


def cut_in(known: Known) -> set[str]:
    """Return the runs that the answer calls ended by their own rule."""
    stops = [doubt for doubt in known.advice.doubts if "own-stop" in doubt.code]
    return {name for doubt in stops for name in doubt.runs}


def counts_untold(known: Known, about: Mapping[str, Any]) -> Any:
    """Whether so many of the runs that their own rule ended do not tell a patience."""
    if about["untold"] is None:
        return about["n_untold"] == 0
    untold = known.named(lambda run: not run.tells(about["untold"]))
    return len({*untold} & {*about["runs"]}) == about["n_untold"]


def still_improving(known: Known, about: Mapping[str, Any]) -> Any:
    """Whether the best is among the last twentieth, two at least, and not lost since.

    Lost is what rose after it by more than the median rise before it.
    """

    def improves(run: PlainRun) -> bool:
        last = max(2, math.ceil(len(run.values) / 20))
        best = list(run.values).index(run.best)
        finite = [value for value in run.values[: best + 1] if math.isfinite(value)]
        rises = [after - value for value, after in pairwise(finite) if after > value]
        usual = statistics.median(rises) if rises else 0.0
        end = [value for value in run.values if math.isfinite(value)][-1]
        return best >= len(run.values) - last and end - run.best <= usual

    return list(about["runs"]) == known.named(improves)


def one_decides(known: Known, about: Mapping[str, Any]) -> Any:
    """Whether the group alone is chosen without as is said, by the table of groups."""
    others = {
        group.name: group.left_out_patience
        for group in known.advice.groups
        if group.left_out_patience != known.advice.patience
    }
    return others == {about["runs"][0]: about["patience"]}


def ended_alike(known: Known, about: Mapping[str, Any]) -> Any:
    return counts_untold(known, about) and all(
        gap_of(run.values) in about["patience"] and not run.reached_plan
        for run in known.runs
        if run.name in about["runs"]
    )


def own_stop(known: Known, about: Mapping[str, Any]) -> Any:
    under = known.named(lambda run: run.own_patience < math.inf)
    limits = sorted({run.own_patience for run in known.runs} - {math.inf})
    named = (list(about["runs"]), list(about["patience"])) == (under, limits)
    return named and counts_untold(known, about)


def not_recorded_under(known: Known, about: Mapping[str, Any]) -> bool:
    planned = known.named(lambda run: run.reached_plan)
    given = about["patience"] == known.asked.recorded_under
    return given and list(about["runs"]) == planned


def is_rounded(known: Known, about: Mapping[str, Any]) -> bool:
    return all(
        list(run.values).count(min(run.values)) > 1
        and all(round(value, about["decimals"]) == value for value in run.values)
        for run in known.runs
        if run.name in about["runs"]
    )


HOLDS: dict[str, Callable[[Known, Mapping[str, Any]], Any]] = {
    "promises": is_promise,
    "too-few-groups": too_few,
    "unknown-groups": unknown_groups,
    "untold": lambda known, _: (
        not any(
            run.prices(patience)
            for run in known.runs
            for patience in range(1, known.most + 1)
        )
    ),
    "constant": lambda known, about: (
        about["n_runs"] == len(known.runs)
        and all(len(set(run.values)) == 1 for run in known.runs)
    ),
    # runs that change, and lose what is allowed at most
    "wide-tolerance": lambda known, about: (
        list(about["runs"])
        == known.named(
            lambda run: 0 < max(run.values) - min(run.values) <= run.loss_allowed
        )
    ),
    "promise": wins,
    # what the logs say has no part in it
    "thumb": lambda _, about: about["patience"] == USUAL,
    # every plan that is known here was reached
    "broke-off": lambda _known, _about: False,
    "cut": all_cut,
    "recorded-under": recorded_under,
    "below-promise": below_promise,
    "sufficient": lambda known, about: dict(about) == known.sufficient,
    "keeps_tolerance": keeps,
    "unknown": lambda known, about: (
        list(about["runs"])
        == known.named(
            lambda run: (
                known.sufficient[run.name] is None
                and (len(set(run.values)) == 1) == (about["constant"] is not None)
                and (about["constant"] is not None or run.name not in cut_in(known))
            )
        )
    ),
    "censored": is_censored,
    "still-improving": still_improving,
    "one-group-decides": one_decides,
    "rounded": is_rounded,
    "own-stop": own_stop,
    "own-stop-guessed": ended_alike,
    "not-recorded-under": not_recorded_under,
}
# of one run alone, of copies, or about scores: hand calculations hold those
ELSEWHERE = {
    *("copies", "one-run", "failed", "score"),
    *("worse-than-no-stop", "no-stop-better"),
}


def texts_of(document: Document) -> Iterator[Text]:
    yield from (document.headline, document.lead)
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Paragraph):
                yield block.text
            elif isinstance(block, Points | Notice):
                yield from block.points


def answered(asked: Asked) -> tuple[Known, Document]:
    sweep, left_out = sweep_patience(
        made(asked),
        keep=asked.keep,
        semantics="keras-3.15",
    )
    advice = recommend_config(
        sweep,
        excluded=left_out,
        tolerance=asked.tolerance,
        confidence=asked.confidence,
        recorded_under=asked.recorded_under,
        group_by="none",
    )
    return knowledge(asked, advice), advice_document(advice, sweep)


@given(asked=ASKED)
@settings(max_examples=60)
def test_every_claim_of_advice_holds(asked: Asked) -> None:
    known, document = answered(asked)
    if not known.advice.groups:
        return
    for text in texts_of(document):
        for claim in text.claims:
            if claim.predicate in ELSEWHERE:
                continue
            holds = HOLDS[claim.predicate]
            assert holds(known, claim.about), (plain_text(text), claim)


@given(asked=ASKED)
@settings(max_examples=60)
def test_the_headline_of_advice_is_true(asked: Asked) -> None:
    known, document = answered(asked)
    facts, said = facts_of(document.headline), plain_text(document.headline)
    if not known.advice.callbacks:
        return
    if "with a promise" in said:
        assert facts["patience"] >= known.nth(known.rank)
        assert facts["confidence"] == asked.confidence
    told = [run for run in known.runs if run.prices(facts["patience"])]
    stops = [stop_at(run.values, facts["patience"], "min").stop for run in told]
    # a log that broke off before the plan of the others was to go on until that
    plan = known.advice.plan
    ends = [
        len(run.values) if run.reached_plan or plan is None else plan.epochs
        for run in told
    ]
    late = [
        stop is None or stop >= end - 1 for stop, end in zip(stops, ends, strict=True)
    ]
    assert ("saves no epoch" in said) == (bool(told) and all(late))


@given(asked=ASKED)
@settings(max_examples=60)
def test_every_figure_of_the_settings_is_true(asked: Asked) -> None:
    """What each patience loses, on the runs whose logs tell it."""
    known, _ = answered(asked)
    for scored in known.advice.settings:
        if scored.callbacks is None or len(scored.callbacks) != 1:
            continue
        callback: Any = scored.callbacks[0]
        if callback.min_delta or callback.start_from_epoch:
            continue
        restores, patience = callback.restore_best_weights, callback.patience
        told = [run for run in known.runs if run.prices(patience)]
        if scored.label == "all":
            # it is to train as long as the logs do, where no plan is known
            ends = known.advice.plan is None
            told = [
                run
                for run in known.runs
                if math.isinf(run.own_patience) and (run.reached_plan or ends)
            ]
        lost = {run.name: run.lost(patience, restores=restores) for run in told}
        assert scored.n_groups == len(told)
        if not told:
            continue
        assert scored.mean_regret == pytest.approx(sum(lost.values()) / len(told))
        assert scored.worst_regret == max(lost.values())
        if scored.worst_run is not None:
            assert lost[scored.worst_run] == max(lost.values()) > 0
