"""Sweeps of many logs over an executor, whose workers read the logs themselves.

Any `concurrent.futures.Executor` will do: the standard library's, or a cluster's
(``dask.distributed.Client(address).get_executor()``). A task reads a batch of logs,
sweeps it, and sends its small table back. What happens when a worker is lost:
`cbreplay.sweep.pieces`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cbreplay.arguments import checked
from cbreplay.errors import CbreplayError, ConfigError, LogError
from cbreplay.judging import Judging, read_judging
from cbreplay.loading import survey_sources
from cbreplay.readers.base import MOST_BYTES, MOST_SILENCE, ReadOptions
from cbreplay.sweep import Failure, Sweep, SweptRun, sweep_runs
from cbreplay.sweep.cells import Cells
from cbreplay.sweep.objectives import find_objectives
from cbreplay.sweep.pieces import run_tasks
from cbreplay.sweep.plan import pair_configs, plan_blocks, read_configs
from cbreplay.wording.plain_text import shown_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor
    from typing import Unpack

    from cbreplay.judging import JudgingOptions
    from cbreplay.run import Run

__all__ = ["sweep_logs"]


@checked
def sweep_logs(
    paths: Iterable[str | os.PathLike[str]],
    grid: Any,  # noqa: ANN401 - as `sweep_runs`
    *,
    executor: Executor | None = None,
    batch_size: int = 200,
    errors: Literal["strict", "skip"] = "strict",
    empty: Literal["missing", "nan"] = "missing",
    planned_epochs: int | None = None,
    validation_freq: int | Iterable[int] | None = None,
    x_axis: Literal["epoch", "step"] | None = None,
    parts: Literal["split", "join", "rows"] = "split",
    first_epoch: int | None = None,
    seams: Iterable[int] = (),
    max_bytes: int = MOST_BYTES,
    timeout: float = MOST_SILENCE,
    progress: Callable[[int, int], None] | None = None,
    **judging: Unpack[JudgingOptions],
) -> Sweep:
    """Read logs and decide every config on each, as `sweep_runs` would.

    The answer depends neither on the executor nor on `batch_size`. A log
    that cannot be read or swept is left out; ``sweep.failures`` name it and say why.

    Parameters
    ----------
    paths : iterable of path
        Logs, as `load_runs` takes them, each read by itself. Workers must find them
        under the same paths.
    grid : Grid, or iterable of callbacks lists
        As in `sweep_runs`.
    executor : concurrent.futures.Executor, optional
        Where the work is done; by default in this process.
    batch_size : int
        How many logs a task reads.
    errors, empty, planned_epochs, validation_freq, x_axis, parts, first_epoch, seams
        As in `load_runs`.
    max_bytes, timeout : int, float
        As in `load_runs`: the size limit of a file, and the seconds that a server may
        be silent.
    progress : callable, optional
        Called after each batch with the number of logs that are done and of all logs.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        As in `replay_run`.

    Raises
    ------
    LogError
        If no log could be read and swept.
    ConfigError
        If there is no path, or `batch_size` is no positive number.
    """
    batches = _cut_batches(paths, batch_size)
    reading = ReadOptions(
        errors=errors,
        empty=empty,
        planned_epochs=planned_epochs,
        validation_freq=validation_freq,
        x_axis=x_axis,
        parts=parts,
        first_epoch=first_epoch,
        seams=tuple(seams),
        max_bytes=max_bytes,
        timeout=timeout,
    )
    task = _Task(read_configs(grid), reading, read_judging(judging))
    swept: list[_SweptBatch] = []
    for part in _parts(batches, task, executor):
        swept.append(part)
        if progress is not None:
            done = batches[: len(swept)]
            progress(sum(map(len, done)), sum(map(len, batches)))
    return _joined(swept, task.configs)


def _cut_batches(
    paths: Iterable[str | os.PathLike[str]], batch_size: int
) -> list[list[str]]:
    """Return the logs of each task."""
    listed = [os.fsdecode(path) for path in paths]
    if not listed:
        sentence = "there is no log to sweep. Give the paths of some"
        raise ConfigError(sentence)
    if batch_size < 1:
        sentence = f"batch_size is {batch_size!r}, where 1 or more is expected"
        raise ConfigError(sentence)
    return [
        listed[begin : begin + batch_size]
        for begin in range(0, len(listed), batch_size)
    ]


class _Task(NamedTuple):
    """What is done with every batch of logs: the configs, how to read and to judge."""

    # as `read_configs` returns them
    configs: Any
    reading: ReadOptions
    judging: Judging


class _SweptBatch(NamedTuple):
    """The results of a batch, small enough to be sent."""

    runs: tuple[SweptRun, ...]
    cells: tuple[Cells, ...]
    counts: tuple[int, ...]
    failures: tuple[Failure, ...]


def _parts(
    batches: Sequence[list[str]],
    task: _Task,
    executor: Executor | None,
) -> Iterator[_SweptBatch]:
    """Sweep the batches, here or in the executor; yield the results in their order."""
    if executor is None:
        for batch in batches:
            yield _sweep_batch(batch, task)
        return
    sent = task._replace(configs=pair_configs(task.configs))
    yield from run_tasks(executor, _sweep_batch, [(batch, sent) for batch in batches])


def _sweep_batch(paths: Sequence[str], task: _Task) -> _SweptBatch:
    """Read and sweep a batch of logs, where an executor runs it."""
    read: list[tuple[str, list[Run]]] = []
    failures: dict[str, Failure] = {}
    for path in paths:
        try:
            read.append((path, survey_sources([path], task.reading).runs))
        except CbreplayError as error:
            failures[path] = Failure(shown_word(path), str(error))
    tables: list[Sweep] = []
    try:
        every = [run for _, runs in read for run in runs]
        if every:
            tables = [sweep_runs(every, task.configs, judging=task.judging)]
    except CbreplayError:
        # some run cannot be swept: sweep each log by itself to leave out only that one
        for path, runs in read:
            try:
                tables.append(sweep_runs(runs, task.configs, judging=task.judging))
            except CbreplayError as error:
                failures[path] = Failure(shown_word(path), str(error))
    return _SweptBatch(
        runs=tuple(run for table in tables for run in table.runs),
        cells=tuple(table.cells.packed() for table in tables),
        counts=tuple(len(table.runs) for table in tables),
        failures=tuple(failures[path] for path in paths if path in failures),
    )


def _joined(
    parts: Sequence[_SweptBatch],
    configs: Any,  # noqa: ANN401 - as `read_configs`
) -> Sweep:
    """Join the batches' cells, one below the other, into one sweep."""
    failures = tuple(failure for part in parts for failure in part.failures)
    runs = tuple(run for part in parts for run in part.runs)
    if not runs:
        problem = f"none of {len(failures)} logs could be swept: {failures[0].problem}"
        raise LogError(problem, source=failures[0].source)
    blocks = plan_blocks(configs)
    reduces = any(block.reduces for block in blocks)
    # a packed column whose cells are all equal is their one value, not an array
    found: list[Any] = [packed.incomplete for part in parts for packed in part.cells]
    holes = any(isinstance(mask, tuple) or bool(mask) for mask in found)
    cells = Cells.empty(len(runs), len(configs), reduces=reduces, holes=holes)
    begin = 0
    for part in parts:
        for packed, count in zip(part.cells, part.counts, strict=True):
            cells.rows(slice(begin, begin + count)).put(packed)
            begin += count
    _, objectives = find_objectives(configs, blocks)
    return Sweep(configs, runs, cells, objectives, failures)
