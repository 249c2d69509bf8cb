"""`load_runs`: read the runs in some sources, with the rates they were trained at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from cbreplay.arguments import checked
from cbreplay.readers.base import MOST_BYTES, MOST_SILENCE, ReadOptions
from cbreplay.readers.discovery import sources as discovery
from cbreplay.run import Run, Series
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cbreplay.readers.discovery.sources import Source, Survey

__all__ = ["load_runs", "survey_sources"]

# the number that means "not validated", and which epochs were: e % every == remainder
_StandIn: TypeAlias = "tuple[float, int, int]"
_STAND_INS = (0.0, -1.0)
_FEW_CHANGES = 3


@checked
def load_runs(
    *sources: Source,
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
) -> list[Run]:
    """Read every run in the sources, in their order.

    Parameters
    ----------
    *sources : path, str, object or Run
        A log (a CSV of Keras's CSVLogger, event files of its TensorBoard callback, or
        what Lightning, Hugging Face, Ultralytics, W&B and MLflow write; compressed by
        gzip or not), a directory with runs anywhere below it, a glob pattern, a URL
        such as ``"s3://bucket/runs"`` (with the extra ``remote``), ``"-"`` for
        standard input; or a ``History``, a dict of lists, a DataFrame, a run.
        ``"logs.csv#2"`` is the second training in a log.
    errors : {"strict", "skip"}
        Whether a damaged log is an error, or what is whole in it is kept and
        ``run.notes`` say what was dropped.
    empty : {"missing", "nan"}
        Whether an empty cell or ``NA`` is a missing value or a NaN.
    planned_epochs : int, optional
        The `epochs` that ``fit`` was given; it overrides what the log says.
    validation_freq : int or iterable of int, optional
        As in ``Model.fit``, for a History or dict whose val_ lists are shorter.
    x_axis : {"epoch", "step"}, optional
        For a log whose steps are not known to be epochs: each step is one epoch, or
        each step with an evaluation is a row, and patience counts evaluations.
    parts : {"split", "join", "rows"}
        What a log is in which the epochs step back: several trainings, ``name#1``,
        ``name#2``; one training, whose later rows replace the earlier ones from there
        on; or one in which every row is the next epoch, as when fits of one epoch
        were appended to one file.
    first_epoch : int, optional
        The zero-based epoch of the first row of each log, whatever number it has.
    seams : iterable of int
        Epochs, zero-based, at which a fit was resumed, with callbacks created anew,
        although the log does not say so: how many epochs came before it.
    max_bytes : int
        How much a file may hold, unpacked, and how much of a URL is downloaded. A log
        with more columns, trainings or missing values than fit into it is refused too.
    timeout : float
        After how many seconds of silence the server of a URL is given up.

    Returns
    -------
    list of Run
        Each with its own name: that of its directory or file, with ``#1``, ``#2``
        for the trainings in one log.

    Raises
    ------
    LogError
        If a source cannot be read, or there is no run in it.
    ConfigError
        If there is no source, or an option has an impossible value.

    Examples
    --------
    >>> (run,) = load_runs({"loss": [0.9, 0.7], "val_loss": [0.8, 0.6]})
    >>> run.name, run.horizon
    ('dict', 1)
    """
    options = ReadOptions(
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
    return survey_sources(sources, options).runs


def survey_sources(
    sources: Sequence[Source],
    options: ReadOptions,
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Read every run in the sources as `load_runs`, and tell what became of each file.

    `progress` is called with the number of logs that were read, and of all.
    """
    survey = discovery.survey_sources(sources, options, progress)
    runs = [_leave_out_stand_ins(run) for run in survey.runs]
    return survey._replace(runs=[_with_its_rate(run) for run in runs])


def _with_its_rate(run: Run) -> Run:
    """Return a run with the rate that each epoch was trained at, where a log tells."""
    if run.learning_rate is None and run.metadata is None and not run.replaced:
        return run
    from cbreplay.loading.recorded_rates import read_rate, settle_rate

    return settle_rate(read_rate(run))


def _leave_out_stand_ins(run: Run) -> Run:
    """Take a 0 or -1 as missing if it is in all epochs but, say, every third.

    Some loops write one where they did not validate; Keras never does. The fits whose
    rows were replaced in the run are of the same loop: what one of them shows holds
    for all, even for one that is too short to show it.
    """
    if run.metadata is not None:
        return run
    found: dict[str, _StandIn] = {}
    for fit in [run, *(fit for _, fit in run.replaced if fit is not None)]:
        found = _find_stand_ins(fit) | found
    if not found:
        return run
    told = _without(run, found)
    names: dict[tuple[float, int], list[str]] = {}
    for name, own in found.items():
        if told.series.get(name) is not run.series.get(name):
            names.setdefault(own[:2], []).append(name)
    notes = [
        f"{', '.join(called)}: {number:g} stands in all epochs but one in {every}, and "
        "was read as no value"
        for (number, every), called in names.items()
    ]
    replaced = tuple((seam, fit and _without(fit, found)) for seam, fit in run.replaced)
    return replace(told, replaced=replaced).with_notes(*notes)


def _find_stand_ins(run: Run) -> dict[str, _StandIn]:
    """Return the validation series with a 0 or -1 in all epochs but every n-th."""
    found = {}
    for name, own in run.series.items():
        values = own.values
        # such a number must be among the first two values: in most series it is not
        number = next((v for v in values[:2].tolist() if v in _STAND_INS), None)
        if number is None or not own.recorded.all() or own.others:
            continue
        if not is_validation(name):
            continue
        told = np.flatnonzero(values != number)
        distances = np.diff(told)
        if len(distances) < _FEW_CHANGES or len(set(values[told].tolist())) == 1:
            continue
        every = int(distances[0])
        ends = int(told[0]) < every and len(values) - int(told[-1]) <= every
        if every > 1 and ends and (distances == every).all():
            remainder = (run.first_epoch + int(told[0])) % every
            found[name] = (number, every, remainder)
    return found


def _without(run: Run, found: Mapping[str, _StandIn]) -> Run:
    series = dict(run.series)
    for name in found.keys() & series.keys():
        own, (number, every, remainder) = series[name], found[name]
        told = run.epochs % every == remainder
        if (own.values[own.recorded & ~told] == number).all() and not own.others:
            values = np.where(told, own.values, np.nan)
            series[name] = Series(values, own.recorded & told)
    return replace(run, series=series)
