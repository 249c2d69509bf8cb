"""A recommendation as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.answers.advice.reasons import reason_text
from cbreplay.answers.advice.run_doubts import doubt_text, exclusion_text
from cbreplay.answers.advice.surety import find_surer
from cbreplay.answers.json_fields import describe_run, describe_setting
from cbreplay.answers.setting_code import setting_code
from cbreplay.document import plain_text
from cbreplay.recommend.setting_names import setting_text
from cbreplay.rules.base import format_callback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.recommend import Recommendation, Scored
    from cbreplay.run import Run
    from cbreplay.sweep import Sweep

__all__ = ["advice_members"]


def advice_members(
    advice: Recommendation, sweep: Sweep, runs: Sequence[Run]
) -> dict[str, Any]:
    """Return the members of the JSON answer that a recommendation has.

    `runs` are all that were asked about.
    """
    return {
        "semantics": sweep.runs[0].semantics,
        "objective": {"name": advice.objective, "mode": advice.objective_mode},
        "runs": [describe_run(run) for run in runs],
        "configs": [describe_setting(advice.callbacks)] if advice.callbacks else [],
        "recommendation": _describe(advice, sweep.runs[0].semantics),
    }


def _describe(advice: Recommendation, semantics: str) -> dict[str, Any]:
    code = setting_code(advice.callbacks, semantics) if advice.callbacks else None
    tolerance, expected, surer = advice.tolerance, advice.expected, None
    if advice.kind != "none":
        kind, facts = find_surer(advice)
        surer = {"kind": kind, "facts": _facts(facts)}
    return {
        "kind": advice.kind,
        "patience": advice.patience,
        "code": code,
        "reasons": [plain_text(reason_text(advice, why)) for why in advice.reasons],
        "why": [
            {"kind": why.kind, "facts": _facts(why.facts)} for why in advice.reasons
        ],
        "surer": surer,
        "promise": _fields(advice.promise),
        "monitor": advice.monitor,
        "keep": advice.keep,
        "confidence": advice.confidence,
        "cost_weight": advice.cost_weight,
        "tolerance": tolerance and {"kind": tolerance.kind, "value": tolerance.value},
        "plan": _fields(advice.plan),
        "basis": advice.basis,
        "expected": expected and _fields(expected, odds=_fields(expected.odds)),
        "by_weight": [_fields(weighed) for weighed in advice.by_weight],
        "plans": [
            _fields(other, plan=_fields(other.plan), promise=_fields(other.promise))
            for other in advice.plans
        ],
        **_describe_runs(advice),
    }


def _describe_runs(advice: Recommendation) -> dict[str, Any]:
    """Return what the advice says of its runs and of other settings on them."""
    return {
        "unit": advice.unit,
        "grouped_by": advice.grouped_by,
        "n_runs": sum(len(group.runs) for group in advice.groups),
        "groups": [_fields(group) for group in advice.groups],
        "compared": _fields(advice.compared),
        "settings": [_describe_setting(scored) for scored in advice.settings],
        "left_out": _fields(advice.left_out),
        "forward": _fields(advice.forward),
        "monitors": [
            _fields(scored, left_out=_fields(scored.left_out))
            for scored in advice.monitors
        ],
        "told_apart": advice.told_apart,
        "doubts": [
            {
                "code": doubt.code,
                "text": plain_text(doubt_text(doubt, advice.unit)),
                "runs": list(doubt.runs),
                "facts": _facts(doubt.facts),
            }
            for doubt in advice.doubts
        ],
        "excluded": [
            {"run": gone.run, "reason": plain_text(exclusion_text(gone))}
            for gone in advice.excluded
        ],
        "unproven": list(advice.unproven),
    }


def _fields(
    part: NamedTuple | None, **nested: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Return the fields of a part of the advice; those that are parts are given."""
    return None if part is None else part._asdict() | nested


def _describe_setting(scored: Scored) -> dict[str, Any]:
    """Return a setting with its code in place of its callbacks."""
    described: dict[str, Any] = {"label": scored.label, "setting": setting_text(scored)}
    callbacks = scored.callbacks
    told = scored._asdict() | {
        "callbacks": None if callbacks is None else [*map(format_callback, callbacks)],
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
