"""Other stopping rules beside the recommended patience, each at its best value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.errors import CbreplayError
from cbreplay.recommend.scores import cheapest_patience, is_clearly_better
from cbreplay.rules.base import format_callback
from cbreplay.rules.families import resolve_semantics
from cbreplay.rules.registry import known_rules, row_of
from cbreplay.rules.training import describe_training
from cbreplay.setting_costs.pricing import CellCosts, Priced, price
from cbreplay.setting_costs.scored import (
    ANY_OF,
    Scored,
    Setting,
    beside_left_out,
    score_setting,
)
from cbreplay.setting_costs.swept_settings import USUAL, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.rules.registry import RuleRow
    from cbreplay.rules.tried_values import TriedValues
    from cbreplay.run import FloatArray
    from cbreplay.setting_costs.study import Study
    from cbreplay.setting_costs.swept_settings import Slice

__all__ = ["FEWEST_TO_NAME", "RuleScore", "reasons_of_rules", "score_rules"]

# how many groups it takes to call a rule better. Of the rules called better from 10 to
# 20 runs, fewer than half were better on the other runs of their sets; of those called
# better from 30 runs, seven in ten were, and one in eight was worse (benchmarks/advice,
# named)
FEWEST_TO_NAME = 30


class RuleScore(NamedTuple):
    """Another stopping rule, beside the recommended patience.

    Parameters
    ----------
    name : str
        Its name.
    scored : Scored or None
        The value with the least score; None where the rule cannot be compared.
    problem : str or None
        Why it cannot be compared, if an error said so.
    n_told : int
        On how many groups it could be compared.
    better : bool
        Whether there are groups enough, and the rule, chosen without a group, is
        clearly better on it than the recommended patience, a fixed 10, and a patience
        that is chosen as the rule is: by its score.
    """

    name: str
    scored: Scored | None
    problem: str | None = None
    n_told: int = 0
    better: bool = False


def score_rules(
    study: Study, chosen: Slice, priced: Priced, beside: FloatArray
) -> Iterator[RuleScore]:
    """Yield the scores of other stopping rules, each at its best value.

    `priced` is what every patience costs on the chosen monitor, and `beside`, of shape
    (n_groups,), what the recommended one scores on each group, chosen without it.
    """
    for row, tried in _asked_rules(study):
        try:
            lists = [*_tried_settings(study, chosen, row, tried)]
            cells = [
                study.cells_beside([setting.callbacks for setting in settings])
                for settings in lists
            ]
        except CbreplayError as error:
            problem = str(error).removeprefix(f"{row.name}: ").removesuffix(".")
            yield RuleScore(row.name, None, problem)
            continue
        # a rule must also beat a patience that was chosen in the same way, so that it
        # does not win by the choice of the best of many alone
        fixed = priced.at(priced.score, USUAL)
        rivals = (beside, fixed, _patience_by_score(priced))
        for settings, costs in zip(lists, cells, strict=True):
            yield _best_of(study, costs, settings, rivals)


def _patience_by_score(priced: Priced) -> FloatArray:
    """Return each group's score of a patience that is chosen as the rules are."""
    cheapest = cheapest_patience(priced.patience, priced.score)
    if cheapest is None:
        return np.full(len(priced.score), np.nan)
    _, without_each, _ = cheapest
    return priced.look_up(priced.score, without_each)


def _asked_rules(study: Study) -> Iterator[tuple[RuleRow, TriedValues]]:
    """Yield the rules that may stand beside the patience, and are asked about."""
    own, asked = row_of(study.axes.kind), study.asked.other_rules
    families = ("",) if own is None else ("", own.family)
    for row in known_rules():
        tried = row.load().tried if row.tried_on in asked else None
        if tried is not None and row.family in families:
            yield row, tried


def _tried_settings(
    study: Study, chosen: Slice, row: RuleRow, tried: TriedValues
) -> Iterator[list[Setting]]:
    """Yield the settings of a rule: one with each of its values.

    They take the monitor and mode of the patience. Where `TriedValues` say so, a second
    list of settings has the rule after a patience in one callbacks list.
    """
    kind, axes = row.load(), study.axes
    alike = {
        "monitor": chosen.monitor,
        "mode": axes.fixed.get("mode", "auto"),
        "restore_best_weights": axes.fixed.get("restore_best_weights", False),
    }
    settings, joined = [], []
    for value in _values_of(study, chosen, tried):
        own = {tried.parameter: value}
        rule: Callback = kind(**alike, **own)
        settings.append(Setting(row.name, axes.around_rule(rule), rule, own))
        for patience in tried.beside_patience:
            callbacks = axes.around_rule(axes.rule(chosen, patience=patience), rule)
            both = {"patience": patience, **own}
            joined.append(Setting(ANY_OF, callbacks, None, both))
    if settings:
        yield settings
    if joined:
        yield joined


def _values_of(study: Study, chosen: Slice, tried: TriedValues) -> Sequence[Any]:
    """Return the values of a rule that are tried; some depend on the runs."""
    if not callable(tried.values):
        return tried.values
    best, mode = [], study.mode
    for row, run in zip(study.panel.rows.tolist(), study.runs, strict=True):
        resolved = resolve_semantics(study.sweep.runs[row].semantics)
        training = describe_training(run, resolved.semantics, resolved.family)
        mode = study.axes.rule(chosen).resolve_mode(training)
        values = run.monitored(chosen.monitor).values
        finite = values[np.isfinite(values)]
        if len(finite):
            best.append(float(finite.min() if mode == "min" else finite.max()))
    return tried.values(best, mode) if best else ()


def _best_of(
    study: Study,
    cells: CellCosts,
    settings: Sequence[Setting],
    rivals: Sequence[FloatArray],
) -> RuleScore:
    """Return the one of several values of a rule that has the least score."""
    places = np.arange(len(settings))
    priced = price(study.panel, cells, places)
    cheapest = cheapest_patience(places, priced.score)
    if cheapest is None:
        return RuleScore(settings[0].label, None)
    place, without_each, _ = cheapest
    scored = score_setting(study.compared, settings[place], cells.take(place, 1))
    score = priced.look_up(priced.score, without_each)
    n_told = int((~np.isnan([score, *rivals]).any(axis=0)).sum())
    return RuleScore(
        settings[0].label,
        beside_left_out(scored, priced, without_each),
        n_told=n_told,
        better=n_told >= FEWEST_TO_NAME
        and all(is_clearly_better(score, rival) for rival in rivals),
    )


def reasons_of_rules(rules: Sequence[RuleScore], patience: int) -> tuple[Reason, ...]:
    """Return which of the rules is clearly better than the patience to recommend."""
    reasons = [
        Reason("rule-not-compared", {"rule": tried.name, "problem": tried.problem})
        for tried in rules
        if tried.scored is None
    ]
    few = [
        tried
        for tried in rules
        if tried.scored is not None and tried.n_told < FEWEST_TO_NAME
    ]
    enough = [tried for tried in rules if tried.n_told >= FEWEST_TO_NAME]
    if few:
        facts = {
            "rules": tuple(tried.name for tried in few),
            "needed": FEWEST_TO_NAME,
            "n_told": max(tried.n_told for tried in few),
        }
        reasons.append(Reason("rules-untold", facts))
    better = [tried.scored for tried in enough if tried.better and tried.scored]
    reasons += [
        Reason("rule-better", {"rule": _code_of(row), "patience": patience})
        for row in better
    ]
    if enough and not better:
        names = tuple(tried.name for tried in enough)
        facts = {"rules": names, "patience": patience}
        reasons.append(Reason("no-rule-better", facts))
    return tuple(reasons)


def _code_of(scored: Scored) -> str:
    """Return a rule as an expression, or the list of several."""
    if scored.rule is not None:
        return format_callback(scored.rule)
    return f"[{', '.join(map(format_callback, scored.callbacks or ()))}]"
