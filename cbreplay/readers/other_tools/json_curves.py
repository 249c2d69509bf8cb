"""Curves in JSON, each with a name: in a list, or in a saved picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.other_tools.json_rows import are_numbers, are_rows
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["curves_by_name"]

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
    if not isinstance(held, dict) or depth > _DEEPEST:
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
_DEEPEST = 3
