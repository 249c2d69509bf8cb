"""A recommendation as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.advice.reasons import reason_text
from cbreplay.answers.advice.run_doubts import doubt_text, exclusion_text
from cbreplay.answers.advice.surety import find_surer
from cbreplay.answers.json_fields import describe_run
from cbreplay.answers.setting_code import setting_code
from cbreplay.document import plain_text
from cbreplay.rules.base import format_callback
from cbreplay.setting_names import setting_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cbreplay.recommend import (
        CountedGroup,
        Excluded,
        Forward,
        LeftOut,
        Odds,
        Plan,
        PlanAdvice,
        Promise,
        Recommendation,
        RunDoubt,
        Scored,
    )
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run
    from cbreplay.sweep import Sweep

__all__ = ["advice_members"]


def advice_members(
    advice: Recommendation, sweep: Sweep, runs: Sequence[Run]
) -> dict[str, Any]:
    """Return the members of the JSON answer that a recommendation has.

    `runs` are all that were asked about.
    """
    configs = []
    if advice.callbacks:
        configs = [{"callbacks": _written(advice.callbacks), "parameters": {}}]
    return {
        "semantics": sweep.runs[0].semantics,
        "objective": {"name": advice.objective, "mode": advice.objective_mode},
        "runs": [describe_run(run) for run in runs],
        "configs": configs,
        "results": [],
        "recommendation": _describe(advice, sweep.runs[0].semantics),
    }


def _written(callbacks: Iterable[Callback]) -> list[str]:
    return [format_callback(callback) for callback in callbacks]


def _describe(advice: Recommendation, semantics: str) -> dict[str, Any]:
    code = setting_code(advice.callbacks, semantics) if advice.callbacks else None
    return {
        "kind": advice.kind,
        "patience": advice.patience,
        "code": code,
        "reasons": [plain_text(reason_text(advice, why)) for why in advice.reasons],
        "why": [
            {"kind": why.kind, "facts": _facts(why.facts)} for why in advice.reasons
        ],
        "surer": _describe_surer(advice),
        "promise": _fields(advice.promise),
        "monitor": advice.monitor,
        "keep": advice.keep,
        "confidence": advice.confidence,
        "cost_weight": advice.cost_weight,
        "tolerance": _describe_tolerance(advice),
        "plan": _fields(advice.plan),
        "basis": advice.basis,
        "expected": _describe_expected(advice),
        "by_weight": [weighed._asdict() for weighed in advice.by_weight],
        "plans": [_describe_plan(other) for other in advice.plans],
        "unit": advice.unit,
        "grouped_by": advice.grouped_by,
        "n_runs": sum(len(group.runs) for group in advice.groups),
        "groups": [_fields(group) for group in advice.groups],
        "settings": [_describe_setting(scored) for scored in advice.settings],
        "left_out": _fields(advice.left_out),
        "forward": _fields(advice.forward),
        "monitors": [
            scored._asdict() | {"left_out": _fields(scored.left_out)}
            for scored in advice.monitors
        ],
        "told_apart": advice.told_apart,
        "doubts": [_describe_doubt(advice, doubt) for doubt in advice.doubts],
        "excluded": [_describe_excluded(gone) for gone in advice.excluded],
        "unproven": list(advice.unproven),
    }


def _describe_tolerance(advice: Recommendation) -> dict[str, Any] | None:
    tolerance = advice.tolerance
    if tolerance is None:
        return None
    return {"kind": tolerance.kind, "value": tolerance.value}


def _describe_plan(other: PlanAdvice) -> dict[str, Any]:
    nested = {"plan": _fields(other.plan), "promise": _fields(other.promise)}
    return other._asdict() | nested


def _fields(
    part: Promise | LeftOut | Forward | CountedGroup | Plan | Odds | None,
) -> dict[str, Any] | None:
    return None if part is None else part._asdict()


def _describe_expected(advice: Recommendation) -> dict[str, Any] | None:
    expected = advice.expected
    if expected is None:
        return None
    return expected._asdict() | {"odds": _fields(expected.odds)}


def _describe_surer(advice: Recommendation) -> dict[str, Any] | None:
    if advice.kind == "none":
        return None
    kind, facts = find_surer(advice)
    return {"kind": kind, "facts": _facts(facts)}


def _describe_doubt(advice: Recommendation, doubt: RunDoubt) -> dict[str, Any]:
    return {
        "code": doubt.code,
        "text": plain_text(doubt_text(doubt, advice.unit)),
        "runs": list(doubt.runs),
        "facts": _facts(doubt.facts),
    }


def _describe_excluded(excluded: Excluded) -> dict[str, Any]:
    return {"run": excluded.run, "reason": plain_text(exclusion_text(excluded))}


def _describe_setting(scored: Scored) -> dict[str, Any]:
    """Return a setting with its code in place of its callbacks."""
    described: dict[str, Any] = {"label": scored.label, "setting": setting_text(scored)}
    callbacks = scored.callbacks
    told = scored._asdict() | {
        "callbacks": None if callbacks is None else _written(callbacks),
        "parameters": dict(scored.parameters),
    }
    del told["rule"]
    return described | told


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as JSON can hold them: a rule as its code."""
    return {
        name: value
        if value is None or isinstance(value, str | int | float | tuple)
        else format_callback(value)
        for name, value in facts.items()
    }
