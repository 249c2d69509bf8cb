"""Which JSON is refused as no log of epochs, and what it is taken for."""

from __future__ import annotations

import json
from typing import Any

from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.columns.column_names import EPOCH_NAMES, STEP_NAMES
from cbreplay.readers.other_tools.json_rows import are_numbers, is_number
from cbreplay.series_names import is_validation

__all__ = ["foreign_json", "refuse_known", "refuse_models"]

# what Trainer logs as a summary when it is done
_SUMMED = ("_runtime", "_samples_per_second", "total_flos")


def refuse_known(held: dict[str, Any], path: str) -> None:
    """Refuse what is known to be no log of epochs, by its name.

    Raises
    ------
    ForeignLogError
        If it is CatBoost's own log, or what one evaluation came to.
    """
    if {"meta", "iterations"} <= held.keys():
        problem = "this is CatBoost's own log, whose rows are trees and no epochs"
        hint = "For patience in trees, write evals_result_ as JSON: lists of numbers"
        raise ForeignLogError(problem, source=path, hint=hint)
    numbers = [name for name, value in held.items() if is_number(value)]
    judged = [
        name for name in numbers if name.lower() not in (*EPOCH_NAMES, *STEP_NAMES)
    ]
    is_summary = any(name.endswith(_SUMMED) for name in judged) or (
        judged and all(is_validation(name) for name in judged)
    )
    if is_summary and len(numbers) == len(held):
        problem = "this is what one evaluation or training came to, not a log of epochs"
        hint = "Give the log with a row for each epoch, such as trainer_state.json"
        raise ForeignLogError(problem, source=path, hint=hint)


def refuse_models(held: dict[str, Any], path: str) -> None:
    """Refuse lists that stand beside a list of names: of models, of settings."""
    lengths = {len(own) for own in held.values() if are_numbers(own)}
    for name, values in held.items():
        if not isinstance(values, list) or len(values) <= 1:
            continue
        if lengths and len(values) not in lengths:
            # names of classes, beside lists of epochs
            continue
        texts = [value for value in values if isinstance(value, str)]
        words = [text for text in texts if not is_number(text)]
        if len(words) == len(values) == len(set(words)) and "time" not in name.lower():
            shown = " and ".join(map(repr, words[:2]))
            problem = f"its lists are no epochs: {name} is {shown}"
            hint = "Give a log with one value for each epoch"
            raise ForeignLogError(problem, source=path, hint=hint)


def foreign_json(path: str, held: object) -> ForeignLogError:
    """Return the error of JSON in which nothing is a log, with what it is instead."""
    problem = "this JSON holds no lists of numbers, one number for each epoch"
    if held in ({}, []):
        problem = f"this JSON holds nothing: {held}"
    elif isinstance(held, dict) and all(values == [] for values in held.values()):
        problem = "the lists in this JSON are empty: there is no epoch in them"
    elif not isinstance(held, (dict, list)):
        shown = json.dumps(held)[:_SHOWN_LETTERS]
        problem = f"this JSON is {shown}, not the lists or rows of a log"
    hint = "Write history.history as JSON, or train with CSVLogger('logs.csv')"
    if are_numbers(held, fewest=1):
        problem = "this JSON is one list of numbers, without a name"
        hint = 'Give it its name: {"val_loss": [0.9, 0.8, ...]}'
    elif (
        isinstance(held, list)
        and held
        and all(are_numbers(own, fewest=1) for own in held)
    ):
        problem = "this JSON is lists of numbers, and nothing names what each is"
        hint = (
            'Write the names as the first list: [["epoch", "val_loss"], [1, 0.9], ...]'
        )
    return ForeignLogError(problem, source=path, hint=hint)


_SHOWN_LETTERS = 40
