"""State that a user's callback keeps outside of itself, so that no copy holds it."""

from __future__ import annotations

import copy
from collections.abc import Sized
from types import CellType, FunctionType, ModuleType
from typing import Any

from cbreplay.errors import EvidenceError
from cbreplay.rules.keras.custom_code import is_of_keras, own_functions
from cbreplay.rules.keras.keras_objects import attributes_of

__all__ = ["check_outside", "copy_closures", "outer_state"]

_PLAIN = (bool, int, float, str, list, dict, set, tuple, type(None))
_MOST_ITEMS = 200


def copy_closures(callback: Any, memo: dict[int, Any]) -> None:
    """Rebuild a copied callback's functions over copies of what they close over.

    Its attributes may hold functions, as a LambdaCallback's do. `memo` is as
    ``copy.deepcopy`` has left it.
    """
    held = attributes_of(callback)
    for name, function in list(held.items()):
        if isinstance(function, FunctionType) and function.__closure__:
            cells = tuple(
                CellType(_copied(cell.cell_contents, memo))
                for cell in function.__closure__
            )
            made = FunctionType(
                function.__code__,
                function.__globals__,
                function.__name__,
                function.__defaults__,
                cells,
            )
            made.__kwdefaults__ = function.__kwdefaults__
            held[name] = made


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    # a module cannot be copied, and is the same for every copy of the callback
    return value if isinstance(value, ModuleType) else copy.deepcopy(value, memo)


def outer_state(callback: object) -> dict[str, str]:
    """Return the plain values of the classes, globals and cells that it may change."""
    found = {
        f"{kind.__name__}.{name}": value
        for kind in type(callback).__mro__
        if not is_of_keras(kind) and kind is not object
        for name, value in vars(kind).items()
        if not name.startswith("__")
    }
    held = attributes_of(callback)
    for _, function in own_functions(callback):
        found |= _globals_of(function)
        # what functions in its attributes close over was copied with them
        if not any(function is value for value in held.values()):
            found |= _cells_of(function)
    return {
        name: repr(value)
        for name, value in found.items()
        if type(value) in _PLAIN and _is_small(value)
    }


def _globals_of(function: FunctionType) -> dict[str, Any]:
    known = function.__globals__
    names = function.__code__.co_names
    return {f"the global {name}": known[name] for name in names if name in known}


def _cells_of(function: FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {
        f"the variable {name}": _content(cell)
        for name, cell in cells
        if name != "__class__"
    }


def check_outside(
    name: str, hook: str, before: dict[str, str], after: dict[str, str]
) -> None:
    """Raise EvidenceError if a hook has changed what lies outside of the callback."""
    for place, value in after.items():
        if before.get(place, value) != value:
            sentence = (
                f"{name} changes {place} in {hook}, which lies outside of it: a replay "
                "drives a copy, and this change outlives it, so that the next would "
                "start from it. Keep it in an attribute of the callback."
            )
            raise EvidenceError(sentence)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        # not assigned yet
        return None


def _is_small(value: Any) -> bool:
    return not isinstance(value, Sized) or len(value) <= _MOST_ITEMS
