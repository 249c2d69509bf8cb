"""The varied parameters of a grid: a column each, and a setting in a few words."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from cbreplay.document import TableColumn
from cbreplay.grid import Choices
from cbreplay.rules.base import format_callback
from cbreplay.rules.parameters import defaults_of, parameters_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.grid import Grid
    from cbreplay.rules.base import Callback
    from cbreplay.wording.kinds import Kind

__all__ = [
    "axis_cells",
    "axis_columns",
    "keeps_last",
    "short_setting",
    "spoken_list",
]


def axis_columns(parameters: Mapping[str, Sequence[Any]]) -> list[TableColumn]:
    """Return a column for each varied parameter, named as in `Grid.parameters`."""
    return [
        # as two words, so that a narrow column can break between them
        TableColumn(name, title.replace(".", " "), _kind(parameters[name]))
        for name, title in _titles(parameters).items()
    ]


def _kind(values: Sequence[Any]) -> Kind:
    """Return the kind of a column: numbers at the right, other values as text."""
    numbers = all(isinstance(value, int | float | None) for value in values)
    return "patience" if numbers else "text"


def _titles(parameters: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """Return the parameter's own name where only one callback varies it."""
    short = {name: name.rpartition(".")[2] for name in parameters}
    own = list(short.values())
    return {
        name: title if own.count(title) == 1 else name for name, title in short.items()
    }


def axis_cells(grid: Grid, n_runs: int) -> list[list[Any]]:
    """Return the cells of these columns, for every run and setting in order."""
    values = [grid.values_of(config) for config in range(len(grid))]
    return [[chosen[name] for chosen in values] * n_runs for name in grid.parameters]


def short_setting(grid: Grid, config: int) -> str:
    """Name a setting by what is varied: ``patience=9, factor=0.5``.

    >>> from cbreplay import EarlyStopping, choices, make_grid
    >>> grid = make_grid([choices(EarlyStopping, patience=[3, 9], min_delta=[0, 0.1])])
    >>> short_setting(grid, 3)
    'patience=9, min_delta=0.1'
    """
    titles = _titles(grid.parameters)
    chosen = grid.values_of(config)
    return ", ".join(f"{titles[name]}={value!r}" for name, value in chosen.items())


def spoken_list(grid: Grid) -> str:
    """Write the callbacks list of a grid, with ``...`` for what is varied.

    >>> from cbreplay import EarlyStopping, choices, make_grid
    >>> tried = choices(EarlyStopping, patience=[3, 9], monitor="val_loss")
    >>> spoken_list(make_grid([tried]))
    'EarlyStopping(patience=...)'
    """
    if len(grid) == 1:
        return ", ".join(map(format_callback, grid[0]))
    return ", ".join(map(_spoken_entry, grid.entries))


def _spoken_entry(entry: Callback | Choices) -> str:
    if not isinstance(entry, Choices):
        return format_callback(entry)
    defaults: dict[str, Any] = {}
    if is_dataclass(entry.kind):
        # a function that makes a callback has no known defaults
        defaults = defaults_of(entry.kind)
    given = [f"{name}=..." for name in entry.varied]
    given += [
        f"{name}={value!r}"
        for name, value in entry.fixed.items()
        if name not in defaults or defaults[name] != value
    ]
    return f"{entry.kind.__name__}({', '.join(given)})"


def keeps_last(rules: Sequence[Callback]) -> bool:
    """Return whether a list stops early and puts no weights back."""
    stopping = [rule for rule in rules if rule.stops_early]
    return bool(stopping) and not any(
        parameters_of(rule).get("restore_best_weights", True) for rule in stopping
    )
