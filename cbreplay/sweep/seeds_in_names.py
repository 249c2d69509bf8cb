"""What the names of runs tell: their seeds, where they lie, what a group is called."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["across_seeds", "folder_of", "last_part", "name_groups", "without_seed"]

_BEGINS = r"(?:^|(?<=[-_./ ,#]))"
_WORD = (
    r"(?:(?:random[-_ ]?)?seed|random[-_ ]?state|repeat|repetition|replicate|rep"
    r"|(?:k|\d+)?fold|split)[-_= ]?\d+(?=$|[-_ ,]|\.(?!\d))"
)
# such a word with a number marks one of several runs of one setting: seed_3, fold2
_SEED = rf"(?i){_BEGINS}(?:{_WORD}|(?:cv|rs|r|s)[-_= ]?\d+(?=$|\.(?!\d)))"
# a counted run beside the value of a setting does too: run_lr0.01_1
_COUNT = r"(?:^|(?<=[-_ ,]))(?:trial|run|cv)[-_= ]?\d+(?=$|[-_ ,]|\.[a-z]+$)"
_COUNTED = rf"(?i){_COUNT}|[-_ ]\d+(?=$|\.[a-z]+$)"
_VALUE = r"(?i)(?:[a-z][-_= ]?|[-_= ])\d+(?:\.\d+|e-?\d+)"
# in a directory's name fewer words do: r50 beside r101 rather names a network
_SEED_OF_FOLDER = f"(?i){_BEGINS}{_WORD}"
_COUNTED_FOLDER = f"(?i){_COUNT}"


def across_seeds(name: str) -> tuple[str, ...] | None:
    """Return a name without seeds, part by part; None where no directory has one.

    >>> across_seeds("fold_1/lr0.1"), across_seeds("mlp_seed3/logs/s1")
    (('lr0.1',), ('mlp', 'logs'))
    >>> across_seeds("lr0.1/fold_1")
    >>> across_seeds("mlp-0.1-run3/log")
    ('mlp-0.1', 'log')
    """
    folders = Path(folder_of(name)).parts
    found = [
        _strip_seed(folder, _SEED_OF_FOLDER, _COUNTED_FOLDER) for folder in folders
    ]
    if not any(seeded for _, seeded in found):
        return None
    parts = [
        part.strip("-_ ,") if seeded else folder
        for folder, (part, seeded) in zip(folders, found, strict=True)
    ]
    return tuple(part for part in (*parts, without_seed(last_part(name))[0]) if part)


def without_seed(name: str) -> tuple[str, bool]:
    """Return a name without its seed or count, and whether it had one.

    >>> without_seed("seed1_lr0.01"), without_seed("log_1")
    (('lr0.01', True), ('log_1', False))
    >>> without_seed("trial_3_lr_0.01"), without_seed("run_lr0.01_1")
    (('lr_0.01', True), ('run_lr0.01', True))
    """
    stem, seeded = _strip_seed(name, _SEED, _COUNTED)
    return (stem.strip("-_ ") if seeded else name), seeded


def _strip_seed(name: str, seed: str, counted: str) -> tuple[str, bool]:
    """Return a name without seeds, or without a count that is beside a value."""
    stem, n_seeds = re.subn(seed, "", name)
    if n_seeds:
        return stem, True
    stem, n_counts = re.subn(counted, "", name)
    found = bool(n_counts and re.search(_VALUE, stem))
    return (stem if found else name), found


def folder_of(name: str) -> str:
    """Return the directory in a run's name; empty where there is none."""
    return name.rpartition(os.sep)[0]


def last_part(name: str) -> str:
    """Return what a run is called in its directory."""
    return name.rpartition(os.sep)[2]


def name_groups(
    runs: Sequence[str],
    groups: tuple[tuple[int, ...], ...],
    asked: Sequence[str] = (),
) -> tuple[str, ...]:
    """Name each group: as it was `asked` for, or by what the names of its runs share.

    `runs` are the names of all runs.
    """
    own = [[runs[row] for row in rows] for rows in groups]
    tell = all(asked) and len({*asked}) == len(groups)
    shared = asked if tell else [_common_name(names) for names in own]
    often = Counter(shared)
    named: list[str] = []
    for names, name in zip(own, shared, strict=True):
        others = {*runs}.difference(names)
        tells = often[name] == 1 and not any(_numbered(run, name) for run in others)
        called = name if tells else f"{names[0]} and others"
        named.append(names[0] if len(names) == 1 else f"{called} ({len(names)} runs)")
    return tuple(named)


def _numbered(name: str, common: str) -> bool:
    """Return whether a name is `common`, or `common` followed by a number.

    >>> _numbered("fit7", "fit"), _numbered("fit1", "fit1"), _numbered("g10_r1", "g1")
    (True, True, False)
    """
    rest = name.removeprefix(common)
    return name.startswith(common) and (not rest or rest.isdecimal())


def _common_name(names: Sequence[str]) -> str:
    """Return where the runs of a group lie, or how their names begin.

    >>> _common_name(["mlp/seed0", "mlp/seed1"]), _common_name(["g16_r1", "g16_r2"])
    ('mlp', 'g16')
    """
    across = {across_seeds(name) for name in names}
    if len(across) == 1 and (parts := across.pop()):
        return str(Path(*parts))
    alike = itertools.takewhile(
        lambda letters: len(set(letters)) == 1, zip(*names, strict=False)
    )
    common = "".join(letters[0] for letters in alike)
    unseeded, seeded = without_seed(common.rstrip("0123456789") + "0")
    if any(name[len(common) : len(common) + 1].isdecimal() for name in names):
        # the names part within a number, or before it
        common = common.rstrip("0123456789")
    name = (unseeded if seeded else common).rstrip("/-_. #=,")
    folder, often = Counter(map(folder_of, names)).most_common(1)[0]
    if not name and folder and often > 1:
        return folder
    return name or f"{names[0]} and others"
