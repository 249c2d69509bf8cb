"""A sweep cut into tasks for an executor; each has some runs and a part of one axis.

`run_tasks` also notices a lost worker, which is an error where the executor does not
give its tasks to another.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.grid import Choices, Grid, PairedChoices
from cbreplay.sweep.cells import put_column
from cbreplay.sweep.plan import pair_configs, plan_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

    from cbreplay.rules.base import Callback
    from cbreplay.sweep.cells import Cells

__all__ = ["WorkPiece", "cut_work", "run_tasks"]

_T = TypeVar("_T")

# a task takes some hundredths of a second, so that no worker waits long for the last
_CELLS_A_TASK = {Grid: 2_000_000, PairedChoices: 500_000}
_REPLAYS_A_TASK = 200


class WorkPiece(NamedTuple):
    """A task of an executor: some runs, and the configs of a part of one axis.

    Parameters
    ----------
    rows : range
        Which runs.
    configs : Grid, PairedChoices or list
        Which configs, as `read_configs` returns them.
    shape : tuple of int
        The lengths of the axes of all configs.
    cut : tuple of slice
        Which part of each axis `configs` are.
    """

    rows: range
    configs: Any
    shape: tuple[int, ...]
    cut: tuple[slice, ...]

    def put(self, part: Cells, whole: Cells) -> None:
        """Put a part of the answer, packed, into its place."""
        span = slice(self.rows.start, self.rows.stop)
        for decided, column in zip(part, whole, strict=True):
            place = column[span].reshape(len(self.rows), *self.shape)
            put_column(decided, place[(slice(None), *self.cut)])


def cut_work(n_runs: int, configs: Any) -> list[WorkPiece]:  # noqa: ANN401 - as `read_configs`
    """Cut a sweep into tasks of a useful size: by runs, then by configs too."""
    n_cells = n_runs * len(configs)
    configs = pair_configs(configs)
    size = _CELLS_A_TASK.get(type(configs), _REPLAYS_A_TASK)
    if not all(block.vectorised for block in plan_blocks(configs)):
        size = _REPLAYS_A_TASK
    wanted = max(2, math.ceil(n_cells / size))
    shape = configs.shape if isinstance(configs, Grid) else (len(configs),)
    n_parts = min(n_runs, wanted)
    bounds = [n_runs * part // n_parts for part in range(n_parts + 1)]
    spans = [range(*pair) for pair in itertools.pairwise(bounds)]
    cuts = [(configs, tuple(slice(None) for _ in shape))]
    if n_parts < wanted and shape:
        cuts = _cut_configs(configs, shape, math.ceil(wanted / n_parts))
    return [WorkPiece(span, part, shape, cut) for span in spans for part, cut in cuts]


def _cut_configs(
    configs: Any,  # noqa: ANN401 - as above
    shape: tuple[int, ...],
    n_parts: int,
) -> list[tuple[Any, tuple[slice, ...]]]:
    """Cut configs along an axis: of a grid, the longest that is no patience."""
    axis = 0
    if isinstance(configs, Grid):
        names = list(configs.parameters)
        axis = max(
            range(len(shape)),
            # patience last: many values of it cost no more than a few
            key=lambda axis: (not names[axis].endswith(".patience"), shape[axis]),
        )
    n_parts = min(n_parts, shape[axis])
    cuts: list[tuple[Any, tuple[slice, ...]]] = []
    for part in range(n_parts):
        span = slice(shape[axis] * part // n_parts, shape[axis] * (part + 1) // n_parts)
        place = tuple(
            span if each == axis else slice(None) for each in range(len(shape))
        )
        if isinstance(configs, Grid):
            cuts.append((_cut_grid(configs, axis, span), place))
        elif isinstance(configs, PairedChoices):
            cuts.append((configs.cut(span.start, span.stop), place))
        else:
            cuts.append((configs[span], place))
    return cuts


def _cut_grid(grid: Grid, axis: int, span: slice) -> Grid:
    """Return a grid with a part of one axis."""
    cut_name = list(grid.parameters)[axis]
    parameters = {
        name: values[span] if name == cut_name else values
        for name, values in grid.parameters.items()
    }
    entries: list[Callback | Choices] = []
    for entry in grid.entries:
        own = len(entry.varied) if isinstance(entry, Choices) else 0
        if isinstance(entry, Choices) and 0 <= axis < own:
            name = list(entry.varied)[axis]
            varied = {**entry.varied, name: entry.varied[name][span]}
            entries.append(Choices(entry.kind, entry.fixed, varied))
        else:
            entries.append(entry)
        axis -= own
    return Grid(tuple(entries), parameters)


def run_tasks(
    executor: Executor, task: Callable[..., _T], given: Iterable[tuple[Any, ...]]
) -> Iterator[_T]:
    """Run a task in an executor for each set of arguments; yield the results in order.

    Raises
    ------
    ConfigError
        If a worker was lost, and its task with it.
    """
    try:
        begun = deque(
            (executor.submit(task, *arguments), arguments) for arguments in given
        )
        while begun:
            yield _result_of(*begun.popleft(), executor, task)
    except Exception as error:
        from concurrent.futures import BrokenExecutor

        # what dask calls it; importing dask for its name would take seconds
        if isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker":
            sentence = (
                f"a worker of the executor was lost ({type(error).__name__}): killed, "
                "or out of memory. Give it fewer logs at once, or more memory"
            )
            raise ConfigError(sentence) from error
        raise


def _result_of(
    future: Future[_T],
    arguments: tuple[Any, ...],
    executor: Executor,
    task: Callable[..., _T],
) -> _T:
    """Return the result of a task, asked for again if it was lost on its way.

    Where a worker dies just after its task, dask's executor may fail over the result
    (distributed/cfexecutor.py unpacks it as an error). A task that fails by itself
    fails again.
    """
    try:
        return future.result()
    except CbreplayError:
        raise
    except ValueError:
        return executor.submit(task, *arguments).result()
