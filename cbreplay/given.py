"""A path, a History or a dict wherever the library expects a Run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from cbreplay.errors import ConfigError
from cbreplay.run import Run

if TYPE_CHECKING:
    from typing import Any

__all__ = ["as_run", "as_runs"]

# imported late, and only where something other than a Run is given: it lies above the
# modules that call this one
_READING = "cbreplay.loading"


def as_run(given: object) -> Run:
    """Return the one run that is given, or that is read from what is given.

    Parameters
    ----------
    given : Run, History, dict of lists, DataFrame, or path
        As `load_runs` takes it.

    Raises
    ------
    ConfigError
        If it holds several runs, or is nothing that a run is read from.
    """
    if isinstance(given, Run):
        return given
    runs = _read(given)
    if len(runs) != 1:
        sentence = (
            f"it holds {len(runs)} runs, and one is asked about. Choose one of those "
            "that load_runs returns"
        )
        raise ConfigError(sentence)
    return runs[0]


def as_runs(given: object) -> list[Run]:
    """Return the runs of what `as_run` takes, or of a list, tuple or iterator of it."""
    listed = list(given) if isinstance(given, list | tuple | Iterator) else [given]
    runs = [each for each in listed if isinstance(each, Run)]
    # what is read together has names of its own
    return _named_apart(runs) if len(runs) == len(listed) else _read(*listed)


def _named_apart(runs: Iterable[Run]) -> list[Run]:
    """Return runs with names of their own: further ones of a name are numbered."""
    times: Counter[str] = Counter()
    named = []
    for run in runs:
        times[run.name] += 1
        number = times[run.name]
        named.append(run if number == 1 else run.with_name(f"{run.name} ({number})"))
    return named


def _read(*given: object) -> list[Run]:
    load_runs: Any = import_module(_READING).load_runs
    runs: list[Run] = load_runs(*given)
    return runs
