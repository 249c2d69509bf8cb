"""Things put in groups by what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    _K = TypeVar("_K", bound=Hashable)
    _T = TypeVar("_T")

__all__ = ["by_key"]


def by_key(things: Iterable[_T], key: Callable[[_T], _K | None]) -> dict[_K, list[_T]]:
    """Return things by their keys, in their order; one whose key is None is left out.

    >>> by_key(["loss", "lr", "auc", ""], lambda name: name[0] if name else None)
    {'l': ['loss', 'lr'], 'a': ['auc']}
    """
    groups: dict[_K, list[_T]] = {}
    for thing in things:
        own = key(thing)
        if own is not None:
            groups.setdefault(own, []).append(thing)
    return groups
