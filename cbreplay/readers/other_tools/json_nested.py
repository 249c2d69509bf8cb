"""JSON that nests its lists: in data sets, in trainings, in curves with a name."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.columns.column_names import EPOCH_NAMES, name_on, prefix_of
from cbreplay.readers.columns.written_again import ToldEnd
from cbreplay.readers.other_tools.json_rows import are_numbers, are_rows, as_number
from cbreplay.series_names import is_rate_name, is_validation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "curves_by_name",
    "flat_rows",
    "flatten_lists",
    "is_history",
    "paired_lists",
    "trainings_in",
    "trainings_of",
    "without_ends",
]


def flatten_lists(
    held: dict[str, Any], depth: int = 0, *, paired: bool = False
) -> dict[str, Any]:
    """Return lists that stand under others' names: of a data set, of a curve.

    What stands under a data set is called as Keras calls it; all else by its path, as
    ``evals_result_`` of boosted trees has it, and curves by their values.
    """
    flat: dict[str, Any] = {}
    for outer, values in held.items():
        if not isinstance(values, dict) or not _holds_list(values, depth):
            flat[outer] = values
        elif (points := _points_of(values)) is not None:
            pairs = _pairs(*points) if paired else None
            flat[outer] = pairs or (points[1] if _are_counted(*points) else values)
        else:
            inner = flatten_lists(values, depth + 1, paired=paired).items()
            of_data_set = not depth and prefix_of(outer) is not None
            flat |= {
                name_on(name, outer) if of_data_set else f"{outer}/{name}": own
                for name, own in inner
            }
    return flat


def paired_lists(held: dict[str, Any]) -> dict[str, Any]:
    """Return lists as `flatten_lists`, with the places of curves if some have gaps."""
    flat = flatten_lists(held)
    if any(isinstance(own, dict) and _points_of(own) for own in flat.values()):
        # they say which values are of one epoch
        return flatten_lists(held, paired=True)
    return flat


def without_ends(lists: dict[str, list[Any]]) -> tuple[dict[str, list[Any]], list[str]]:
    """Leave out what was logged once, after a training of several epochs; with notes.

    >>> without_ends({"loss": [0.9, 0.8, 0.7], "test_loss": [0.75]})
    ({'loss': [0.9, 0.8, 0.7]}, ['left out test_loss: one value, of no epoch'])
    """
    longest = max(map(len, lists.values()), default=0)
    once = {
        name: as_number(own[0])
        for name, own in lists.items()
        # one validation may be of the last epoch
        if len(own) == 1 and not name.startswith("val_")
    }
    if longest < _FEWEST or not once:
        return lists, []
    notes = [f"left out {', '.join(once)}: one value, of no epoch"]
    kept = {name: own for name, own in lists.items() if name not in once}
    told = ToldEnd.of(once)
    if told.stopped is None or told.restored is None:
        return kept, notes
    # a fit may have begun at a later epoch than 0
    at = int(told.restored - (told.stopped + 2 - longest))
    whole = {name: own for name, own in kept.items() if len(own) == longest}
    if 0 <= at < longest and all(own[-1] == own[at] for own in whole.values()):
        kept |= {name: own[:-1] for name, own in whole.items()}
        again = f"left out the last of {longest} values: it is that of epoch {at}"
        notes.append(f"{again}, as MLflow's autologger writes the restored model's")
    return kept, notes


_FEWEST = 3


def flat_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows whose values may stand under their data set."""
    if not any(isinstance(value, dict) for value in rows[0].values()):
        return rows
    return [_flat_row(row) for row in rows]


# under these stand all values of an epoch
_HOLDING = ("metrics", "logs", "scalars", "values", "results")


def _flat_row(row: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for outer, value in row.items():
        if isinstance(value, dict) and prefix_of(outer) is not None:
            flat |= {name_on(name, outer): own for name, own in value.items()}
        elif outer.lower() in _HOLDING and isinstance(value, dict):
            flat |= value
        else:
            flat[outer] = value
    return flat


def _holds_list(values: dict[str, Any], depth: int) -> bool:
    return any(
        isinstance(own, list)
        or (isinstance(own, dict) and depth < _DEEPEST and _holds_list(own, depth + 1))
        for own in values.values()
    )


# what ClearML and Sacred call the places and the values of a curve
_CURVES = (("x", "y"), ("steps", "values"))


def _points_of(held: dict[str, Any]) -> tuple[object, object] | None:
    """Return the places and the values of a curve; None if it is none."""
    named = (names for names in _CURVES if held.keys() >= {*names})
    return next(((held[places], held[values]) for places, values in named), None)


def _are_counted(places: object, values: object) -> bool:
    """Tell whether the points of a curve are counted without a gap."""
    if not isinstance(places, list) or not isinstance(values, list):
        return False
    counted = (list(range(len(values))), list(range(1, len(values) + 1)))
    return places in counted


def _pairs(places: object, values: object) -> list[list[Any]] | None:
    """Return the place and the value of each point; None if these are no two lists."""
    if not isinstance(places, list) or not isinstance(values, list):
        return None
    if len(places) != len(values):
        return None
    return [[*pair] for pair in zip(places, values, strict=True)]


# ClearML nests a curve in a title and a graph
_DEEPEST = 2


_SEVERAL = 2
_DATA_SET = (
    r"(history|learn|train|training|val|valid|validation|eval|test|dev)[_-]?(set)?\d*"
)


def trainings_in(held: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the lists of each training; those of several stand under their names.

    Lists under the names of data sets are of one training.
    """
    return held if _are_trainings(held) else {"": held}


def _are_trainings(held: dict[str, Any]) -> bool:
    """Tell whether lists of several trainings stand under a name each."""
    several = bool(held) and all(map(is_history, held.values()))
    return several and not any(re.fullmatch(_DATA_SET, key.lower()) for key in held)


def is_history(held: object) -> bool:
    """Tell whether it is lists under their names, and no row and no curve.

    So it is where they are below ``history``, as in a Keras History that was dumped
    whole.
    """
    if not isinstance(held, dict) or _points_of(held) is not None:
        return False
    if isinstance(held.get("history"), dict):
        return is_history(held["history"])
    listed = any(
        isinstance(values, list) and len(values) > 1 and not is_rate_name(name)
        for name, values in held.items()
    )
    is_row = any(
        name.lower() in EPOCH_NAMES and not isinstance(values, list)
        for name, values in held.items()
    )
    nested = any(isinstance(values, dict) for values in held.values())
    return listed and not is_row and not nested


def trainings_of(held: Any) -> tuple[Any, list[str]]:
    """Return a list of histories by their numbers; the last of those that grow."""
    notes = []
    if isinstance(held, dict) and _are_trainings(held):
        saved = [*held.values()]
        held = saved if _grows(saved) else held
    if _grows(held):
        times = "once" if len(held) == _SEVERAL else f"{len(held) - 1} times"
        notes.append(f"its lists stand there {times} more: they were read once")
        held = held[-1]
    if isinstance(held, list) and held and all(map(is_history, held)):
        held = {str(number): own for number, own in enumerate(held, start=1)}
    return held, notes


def _grows(held: object) -> bool:
    """Tell whether lists of a training stand there again at each save, with more.

    >>> _grows([{"loss": [0.5]}, {"loss": [0.5, 0.25]}])
    True
    """
    if not isinstance(held, list) or len(held) < _SEVERAL:
        return False
    if not all(isinstance(own, dict) and own for own in held):
        return False
    if not all(isinstance(values, list) for own in held for values in own.values()):
        return False
    return (
        is_history(held[-1])
        and all(
            own.keys() == following.keys()
            # NaN is like NaN when it is written
            and all(
                repr(values) == repr(following[name][: len(values)])
                for name, values in own.items()
            )
            for own, following in pairwise(held)
        )
    )


# the keys of a curve's name, and of its values, in a list of curves
_CALLED = ("name", "label", "key", "id")
_VALUES = ("y", "data", "values")


def curves_by_name(held: object, source: str) -> object:
    """Return curves of a list under their names, as of pictures that Plotly saved.

    Visdom saves several pictures, each in a window of its own.

    >>> curves_by_name([{"name": "loss", "x": [0, 1], "y": [0.5, 0.25]}], "log.json")
    {'loss': {'x': [0, 1], 'y': [0.5, 0.25]}}

    Raises
    ------
    ForeignLogError
        If two have one name, or one has none.
    """
    curves = held if isinstance(held, list) else [*_curves_of_pictures(held)]
    values = list(map(_values_of_curve, curves))
    if not curves or None in values:
        return held
    names = list(map(_name_of_curve, curves))
    if not any(
        isinstance(own, dict) or _is_metric(name)
        for name, own in zip(names, values, strict=True)
    ):
        # they may be trainings, each with its name and one list
        return held
    if "" in names or len(set(names)) < len(names):
        again = next((name for at, name in enumerate(names) if name in names[:at]), "")
        problem = f"two of its curves are called {again!r}" if again else ""
        problem = problem or "its curves have no names"
        hint = 'Give each a name of its own: {"name": "val_loss", "x": ..., "y": ...}'
        raise ForeignLogError(problem, source=source, hint=hint)
    return dict(zip(names, values, strict=True))


def _values_of_curve(curve: object) -> object:
    """Return the places and the values of a curve, or its values; None if it is none.

    >>> _values_of_curve({"label": "loss", "data": [0.5, 0.25]})
    [0.5, 0.25]
    """
    if not isinstance(curve, dict):
        return None
    lists = {name: own for name, own in curve.items() if are_numbers(own)}
    if lists.keys() == {"x", "y"}:
        return {"x": lists["x"], "y": lists["y"]}
    named = len(lists) == 1 and _name_of_curve(curve)
    return lists.get(next(iter(lists))) if named and {*lists} <= {*_VALUES} else None


def _is_metric(name: str) -> bool:
    known = any(word in name.lower() for word in ("loss", "acc"))
    return known or is_validation(name)


def _name_of_curve(curve: Mapping[str, Any]) -> str:
    texts = (curve[own] for own in _CALLED if isinstance(curve.get(own), str))
    return next(texts, "")


def _curves_of_pictures(held: object, depth: int = 0) -> Iterator[Any]:
    if not isinstance(held, dict) or depth > _DEEPEST_PICTURE:
        return
    if "layout" in held and are_rows(held.get("data")):
        yield from held["data"]
        return
    if "labels" in held and are_rows(held.get("datasets")):
        for curve in held["datasets"]:
            lists = {"x": held["labels"], "y": curve.get("data")}
            counted = are_numbers(held["labels"])
            yield {"name": _name_of_curve(curve), **lists} if counted else curve
        return
    for own in held.values():
        yield from _curves_of_pictures(own, depth + 1)


# visdom's environments hold windows, their contents, and in these a picture; Chart.js
# has the places of all curves beside them
_DEEPEST_PICTURE = 3
