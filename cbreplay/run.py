"""A run: what one training recorded, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from cbreplay.arguments import checked, read_argument
from cbreplay.errors import ConfigError, LogError, UnknownMonitorError
from cbreplay.series import BoolArray, EpochArray, FloatArray, Series, read_logs
from cbreplay.series_names import LEARNING_RATE_NAMES
from cbreplay.showing import show_html, show_plot, show_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from cbreplay.run_metadata import Ended, RunMetadata

__all__ = [
    "AxisUnit",
    "BoolArray",
    "EpochArray",
    "FloatArray",
    "Mode",
    "RateEnds",
    "RateSource",
    "Run",
    "Series",
]

Mode: TypeAlias = Literal["min", "max"]
RateSource: TypeAlias = Literal["", "logs", "optimizer"]
# for each recorded rate, the lowest and the highest one that may be written so
RateEnds: TypeAlias = Mapping[float, tuple[float, float]]
AxisUnit: TypeAlias = Literal["epochs", "evaluations", "checks", "iterations"]


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class Run:
    """What one training recorded.

    Parameters
    ----------
    name : str
        How people would name the run; unique among the runs that were read with it.
    source : str
        Where it was read: a path, or what kind of object it was.
    first_epoch : int
        The first recorded epoch, zero-based and absolute.
    series : mapping of str to Series
        Every recorded metric but the learning rate, by its Keras name, each as long
        as `epochs`.
    learning_rate : Series or None
        The float32 rate that each epoch was trained at; None if it is not recorded.
    other_learning_rate : Series or None
        The other reading of the recorded rate, where the log alone cannot tell
        whether it was written before or after that epoch's reduction.
    learning_rate_rounding : mapping of float to (lowest, highest)
        Where the log has too few digits to tell one float32 rate from the next: for
        each recorded rate, between which it may have been. Empty where it has enough.
    rounded_to : mapping of str to (digits, decimals)
        The series of a writer that is known to round, each with the significant digits
        and the places after the point that it keeps. Every other series is taken as it
        was written.
    rate_source : {"", "logs", "optimizer"}
        Where a rate that is still to be interpreted was written from: from ``logs``, or
        from the optimizer when the epoch had ended. Empty once `learning_rate` is the
        rate that each epoch was trained at, as in every run that `load_runs` returns.
    epoch_seconds : Series or None
        Wall time of each epoch in seconds; the first is not recorded.
    wall_seconds : float or None
        Wall time of the whole training in seconds.
    planned_epochs : int or None
        The `epochs` that ``fit`` was given; None if it is unknown.
    metadata : RunMetadata or None
        What ``run.json`` says.
    steps : int array or None
        The step of each row, where the rows are evaluations (``x_axis="step"``) and
        an epoch here is the number of an evaluation; None where they are epochs.
    directions : mapping of str to {"min", "max"}
        Which way compiled metrics improve, by the script of the training; what
        `metadata` tells of a metric stands before this.
    axis_unit : {"epochs", "evaluations", "checks", "iterations"}
        What an epoch here stands for, which is also what patience counts.
    seams : tuple of int
        The epochs, zero-based and in order, at which a resumed fit began.
    same_callbacks : bool
        Whether each of those fits had the callback instances of the one before; else
        they were created anew.
    broken_off : bool
        Whether each fit before a seam was broken off, so that its callbacks did not see
        the end of training; what `metadata` tells of a fit stands before this.
    possible_seams : frozenset of int
        Those of the seams that are uncertain: another file of the writer begins there,
        by a resumed fit or by the same one.
    replaced : tuple of (int, Run)
        The fits whose last rows a resumed fit wrote again: the epoch from which on the
        run holds the later rows, and the earlier fit with all its rows, or None where
        these are not known.
    begins_at : int or None
        The epoch, zero-based, at which every training of this log's writer begins, so
        that earlier epochs were trained and are not in the log; None where a training
        may begin at any, as by Keras's ``initial_epoch``.
    not_logged : frozenset of str
        The series whose missing values, in epochs that have a row, were not logged at
        all, as the log itself says: Keras's ``NA``, a key that its ``logs`` lacked. No
        callback saw a value there either.
    empty_cells : frozenset of str
        The series that lack values because cells are empty, as pandas writes NaN:
        ``empty="nan"`` reads these as NaN. Event files have no cells.
    written_again : bool
        Whether a few epochs have several rows, one below the other, as a fit leaves
        that was broken off in an epoch and resumed there: ``parts="join"`` keeps the
        later ones.
    started : float or None
        When the training began, in seconds since 1970 (UTC), by ``run.json`` or else
        by the first record of its event files.
    counts_from : int
        The number by which the log calls epoch 0: Keras counts from 0, others from 1.
    resumes : bool
        Whether it is a part of a log, and begins inside the epochs of the part before
        it, as a fit does that is resumed from a checkpoint.
    framework : str
        Who trained and counted, where the log tells that it was not Keras, for example
        ``"Lightning"``; else empty.
    n_dropped : int
        How many rows or records were left out as damaged (``errors="skip"``): so many
        of the epochs without a value may have had one.
    left_out : mapping of str to str
        The series that the log names and that were not read, each with the reason.
    notes : tuple of str
        What was assumed, joined or dropped while reading.

    Raises
    ------
    ConfigError
        If the series differ in length, or there is none.
    """

    name: str
    source: str
    first_epoch: int
    series: Mapping[str, Series]
    learning_rate: Series | None = None
    other_learning_rate: Series | None = None
    learning_rate_rounding: RateEnds = field(default_factory=dict)
    rounded_to: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    rate_source: RateSource = ""
    epoch_seconds: Series | None = None
    wall_seconds: float | None = None
    planned_epochs: int | None = None
    metadata: RunMetadata | None = None
    steps: EpochArray | None = None
    directions: Mapping[str, Mode] = field(default_factory=dict)
    axis_unit: AxisUnit = "epochs"
    seams: tuple[int, ...] = ()
    same_callbacks: bool = False
    broken_off: bool = False
    possible_seams: frozenset[int] = frozenset()
    replaced: tuple[tuple[int, Run | None], ...] = ()
    begins_at: int | None = None
    not_logged: frozenset[str] = frozenset()
    empty_cells: frozenset[str] = frozenset()
    written_again: bool = False
    started: float | None = None
    counts_from: int = 0
    resumes: bool = False
    framework: str = ""
    n_dropped: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        extras = (self.learning_rate, self.other_learning_rate, self.epoch_seconds)
        try:
            named = MappingProxyType(dict(self.series))
            held = (*named.values(), *extras)
            lengths = sorted({own.values.size for own in held if own is not None})
        except (AttributeError, TypeError, ValueError):
            # asked only now: each log makes a run
            read_argument("series", self.series, "Mapping[str, Series]")
            for name in ("learning_rate", "other_learning_rate", "epoch_seconds"):
                read_argument(name, getattr(self, name), "Series | None")
            raise
        object.__setattr__(self, "series", named)
        if not named or len(lengths) != 1 or 0 in lengths:
            sentence = f"run {self.name!r} needs series of one length, not {lengths}"
            raise ConfigError(sentence)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle `series` as a dict: a read-only mapping cannot be pickled."""
        held = {name: getattr(self, name) for name in Run.__slots__}
        return partial(Run, **held | {"series": dict(self.series)}), ()

    @property
    def n_epochs(self) -> int:
        """The number of epochs from the first recorded one to the last."""
        return next(iter(self.series.values())).values.size

    @property
    def recorded_epochs(self) -> int:
        """The number of epochs of which a metric was recorded."""
        # the rate may be known for epochs without a row
        masks = [series.recorded for series in self.series.values()]
        return int(np.count_nonzero(np.logical_or.reduce(masks)))

    @property
    def horizon(self) -> int:
        """The last recorded epoch, zero-based and absolute."""
        return self.first_epoch + self.n_epochs - 1

    @property
    def epochs(self) -> EpochArray:
        """Every epoch from the first recorded one to the horizon, without gaps."""
        return np.arange(self.first_epoch, self.horizon + 1)

    @property
    def has_row(self) -> BoolArray:
        """Where the log holds anything, one for each of `epochs`."""
        held = [*self.series.values(), self.learning_rate]
        masks = [series.recorded for series in held if series is not None]
        rows: BoolArray = np.logical_or.reduce(masks)
        return rows

    @property
    def ended(self) -> Ended | None:
        """How its last fit ended; None where no ``run.json`` says so."""
        return None if self.metadata is None else self.metadata.ended

    @property
    def reached_plan(self) -> bool:
        """Whether the record ends where ``fit`` was told to end."""
        return self.planned_epochs == self.horizon + 1

    _repr_html_ = show_html
    __str__ = show_text
    plot = show_plot

    def __repr__(self) -> str:
        series = ", ".join(self.series)
        return f"<Run {self.name!r}: {self.recorded_epochs} epochs of {series}>"

    @checked
    def holds(self, name: str) -> bool:
        """Return whether a series has a value in any epoch."""
        return name in self.series and bool(self.series[name].recorded.any())

    @checked
    def monitored(self, name: str, option: str = "monitor") -> Series:
        """Return a series by name; `option` is how the user names it, for the error.

        Raises
        ------
        UnknownMonitorError
            If the run does not hold it, or holds it in no epoch.
        """
        if not self.holds(name):
            raise UnknownMonitorError(
                name,
                run=self.name,
                available=filter(self.holds, self.series),
                option=option,
                left_out=self.left_out,
            )
        return self.series[name]

    def moved(self, by: int) -> Run:
        """Return the same run with `by` added to every epoch but `begins_at`."""
        replaced = [(seam + by, fit and fit.moved(by)) for seam, fit in self.replaced]
        return replace(
            self,
            first_epoch=self.first_epoch + by,
            seams=tuple(seam + by for seam in self.seams),
            possible_seams=frozenset(seam + by for seam in self.possible_seams),
            replaced=tuple(replaced),
        )

    def renamed(self, names: Mapping[str, str]) -> Run:
        """Return the same run with other names for some series, by those they have."""

        def new(name: str) -> str:
            return names.get(name, name)

        replaced = [(seam, fit and fit.renamed(names)) for seam, fit in self.replaced]
        return replace(
            self,
            series={new(name): own for name, own in self.series.items()},
            rounded_to={new(name): own for name, own in self.rounded_to.items()},
            not_logged=frozenset(map(new, self.not_logged)),
            empty_cells=frozenset(map(new, self.empty_cells)),
            replaced=tuple(replaced),
        )

    def with_notes(self, *notes: str) -> Run:
        """Return the same run with more notes."""
        return self._twin(notes=(*self.notes, *notes))

    def with_name(self, name: str) -> Run:
        """Return the same run under another name."""
        return self._twin(name=name)

    def _twin(self, **changed: object) -> Run:
        """Return the same run but for parts that need no check.

        `dataclasses.replace` checks all, which takes as long as to read ten rows.
        """
        twin = object.__new__(Run)
        for part in Run.__slots__:
            object.__setattr__(twin, part, changed.get(part, getattr(self, part)))
        return twin

    @classmethod
    @checked
    def from_logs(
        cls,
        logs: Iterable[Mapping[str, Any]],
        *,
        first_epoch: int = 0,
        name: str = "run",
        planned_epochs: int | None = None,
    ) -> Run:
        """Build a run from one Keras ``logs`` dict per epoch.

        Parameters
        ----------
        logs : iterable of mapping
            One mapping of names to numbers per epoch, in order. An absent key, or
            None, is missing; NaN is NaN. ``learning_rate`` or ``lr`` is the rate
            that the epoch was trained at.
        first_epoch : int
            The epoch of the first mapping, zero-based.
        name : str
            The name of the run.
        planned_epochs : int, optional
            The `epochs` that ``fit`` was given.

        Raises
        ------
        LogError
            If a value is not a number, or no epoch holds one.

        Examples
        --------
        >>> run = Run.from_logs([{"loss": 0.9, "val_loss": 0.8}, {"loss": 0.7}])
        >>> run.horizon, run.series["val_loss"].recorded.tolist()
        (1, [True, False])
        """
        rows = [read_logs(row, first_epoch + i, name) for i, row in enumerate(logs)]
        names = dict.fromkeys(key for row in rows for key in row)

        def column(key: str, dtype: type[np.floating[Any]] = np.float64) -> Series:
            return Series.from_optional((row.get(key) for row in rows), dtype=dtype)

        series = {key: column(key) for key in names if key not in LEARNING_RATE_NAMES}
        if not series:
            problem = "there is no epoch with a metric in it"
            raise LogError(problem, source=name, hint="Give one dict of logs per epoch")
        rates = (column(key, np.float32) for key in LEARNING_RATE_NAMES if key in names)
        return cls(
            name=name,
            source="logs",
            first_epoch=first_epoch,
            series=series,
            learning_rate=next(rates, None),
            planned_epochs=planned_epochs,
            not_logged=frozenset(series),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the run as a DataFrame, one row per epoch, indexed by epoch.

        The learning rate, where it is recorded, is the column ``learning_rate``.
        A value that was not recorded is NaN there, like a logged NaN.
        """
        import pandas as pd

        columns = {name: series.values for name, series in self.series.items()}
        if self.learning_rate is not None:
            columns["learning_rate"] = self.learning_rate.values
        return pd.DataFrame(columns, index=pd.Index(self.epochs, name="epoch"))
