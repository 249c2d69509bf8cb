"""``--run``: the runs of these names, of all that were read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cbreplay.errors import ConfigError
from cbreplay.wording.near_names import nearest_name
from cbreplay.wording.words import list_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import Run

__all__ = ["choose_runs"]


def choose_runs(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """Return the runs that are named, in the order of the names, each once.

    A name is that which an answer gives a run, or the path of its log, with ``#2``
    behind it where that holds several. A path is one from here; where none is there,
    one from the directory of the run.

    Raises
    ------
    ConfigError
        If there is no such run, or a path may mean several.
    """
    by_name = {run.name: run for run in runs}
    chosen = []
    for name in names:
        found = [by_name[name]] if name in by_name else _at_path(name, runs)
        if len(found) != 1:
            there = list(by_name)
            shown, near = list_names(there, _SHOWN_RUNS), nearest_name(name, there)
            is_none = f"there is no run {name!r}{near}"
            is_none += " There is" if near else "; there is"
            what = is_none if not found else f"{name!r} may be several runs, of"
            sentence = f"{what} {shown} (--run)"
            raise ConfigError(sentence)
        chosen += found
    return list({run.name: run for run in chosen}.values())


_SHOWN_RUNS = 8


def _at_path(name: str, runs: Sequence[Run]) -> list[Run]:
    """Return the runs read from a path, of which ``#`` tells the part."""
    path, mark, part = name.rpartition("#")
    if not mark:
        path, part = name, ""
    wanted = Path(path)
    return [
        run for run in runs if _part(run) == part and _is_of(wanted, Path(run.source))
    ]


def _part(run: Run) -> str:
    """Return which training of its log a run is; empty where that holds one."""
    return run.name.rpartition("#")[2] if "#" in run.name else ""


def _is_of(path: Path, source: Path) -> bool:
    """Tell whether a run is read from a path, or from a directory with that file."""
    if not path.exists():
        below = source / path if source.is_dir() else source
        return below.is_file() and below.parts[-len(path.parts) :] == path.parts
    return source.resolve() in (path.resolve(), path.parent.resolve())
