"""`load_runs`: read the runs in some sources, with the rates they were trained at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cbreplay.loading.recorded_rates import read_rate, settle_rate
from cbreplay.loading.unvalidated_epochs import leave_out_stand_ins
from cbreplay.readers.base import MOST_BYTES, MOST_SILENCE, ReadOptions
from cbreplay.readers.discovery import sources as discovery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cbreplay.readers.discovery.sources import Source, Survey
    from cbreplay.run import Run

__all__ = ["load_runs", "survey_sources"]


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
    runs = [leave_out_stand_ins(run) for run in survey.runs]
    return survey._replace(runs=[settle_rate(read_rate(run)) for run in runs])
