"""Findings about the files that ModelCheckpoint leaves."""

from __future__ import annotations

import os
import string
from typing import TYPE_CHECKING

from cbreplay.lint.finding import Finding
from cbreplay.rules import ModelCheckpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cbreplay.lint.finding import Known

__all__ = ["CHECKPOINT_CHECKS"]

# a file that says so is meant to hold the last epoch, to go on from
_MEANT = ("backup", "current", "last", "latest", "recent", "resume")


def _overwrites_one_file(
    known: Known,  # noqa: ARG001 - one signature for all checks
    index: int,
    one: ModelCheckpoint,
) -> Iterator[Finding]:
    name = os.path.basename(one.filepath)  # noqa: PTH119 - as a text
    if one.save_best_only or _fields(one.filepath):
        return
    if any(word in name.lower() for word in _MEANT):
        return
    yield Finding(
        "overwrites-one-file",
        index,
        f"every epoch is saved over the same file, {one.filepath!r}: it ends with the "
        "weights of the last epoch, not the best",
        "save_best_only is False by default, and filepath has no {epoch} in it",
        "save_best_only=True, or a filepath such as '{epoch:02d}.weights.h5'; a name "
        "with 'last' in it if that is meant",
        "remark",
    )


def _shares_its_file(
    known: Known, index: int, one: ModelCheckpoint
) -> Iterator[Finding]:
    for place, other in enumerate(known.callbacks[:index]):
        same = isinstance(other, ModelCheckpoint) and other.filepath == one.filepath
        if same and other != one:
            yield Finding(
                "shares-a-file",
                index,
                f"two ModelCheckpoints write {one.filepath!r} (callbacks {place + 1} "
                f"and {index + 1})",
                "where both save in an epoch they write the same weights; where one "
                "does, it replaces what the other kept",
                "a filepath of its own for each",
            )
            return


def _fields(filepath: str) -> list[str]:
    """Return the names in the braces of a filepath."""
    parsed = string.Formatter().parse(filepath)
    return [name for _, name, _, _ in parsed if name is not None]


CHECKPOINT_CHECKS: tuple[
    Callable[[Known, int, ModelCheckpoint], Iterator[Finding]], ...
] = (_overwrites_one_file, _shares_its_file)
