"""`Question`: the shared options of a command, and the runs and settings they name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from cbreplay.cli.progress import watch
from cbreplay.cli.refusals import (
    option_name,
    refuse_beside_schedule,
    refuse_misplaced,
    refuse_printing_into_a_log,
)
from cbreplay.cli.remarks import remark, say, say_notes
from cbreplay.errors import ConfigError
from cbreplay.readers.base import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.document import Document
    from cbreplay.expressions.text import Expressions
    from cbreplay.grid import Choices, Grid
    from cbreplay.judging import Judging
    from cbreplay.readers.discovery import Survey
    from cbreplay.replay.resume import Resume
    from cbreplay.rules.base import Callback
    from cbreplay.run import Mode, Run
    from cbreplay.staircase import Staircase

__all__ = ["Question"]


@dataclass(kw_only=True, eq=False, repr=False)
class Question:
    """The shared options of a command; runs are read when they are first used.

    Parameters
    ----------
    paths : tuple of str
        The logs; none means the one in this directory.
    reading : ReadOptions
        How the logs are read.
    resume : {"fresh", "carried", "interrupted", "never"}
        Whether a resumed fit had new callbacks, the same instances, or new ones after
        a fit that was broken off.
    run : tuple of str
        The names of the runs that are asked about; none means all.
    expressions : tuple of str
        The texts of -c.
    patience, min_delta, start_from_epoch : str or None
        Shorthands: one value, ``3,5,10``, or ``1:30`` with both ends.
    monitor, mode, keep : str or None
        As given; None where the option was not.
    objective, objective_mode, semantics, initial_lr : str or float or None
        As in `replay_run`.
    reads_logs : bool
        False where a setting is only written out, or the logs are read elsewhere.
    """

    paths: tuple[str, ...] = ()
    reading: ReadOptions = field(default_factory=ReadOptions)
    resume: Resume = "fresh"
    run: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    patience: str | None = None
    min_delta: str | None = None
    start_from_epoch: str | None = None
    monitor: str | None = None
    mode: str | None = None
    keep: Literal["best", "last"] | None = None
    objective: str | None = None
    objective_mode: Mode | None = None
    semantics: str | None = None
    initial_lr: float | None = None
    reads_logs: bool = True
    # what those runs lack that are left out
    without: dict[str, list[str]] = field(default_factory=dict, init=False)

    @property
    def inputs(self) -> list[str]:
        """The named logs, and the texts of -c, which may be files (``@file``)."""
        return [*self.paths, *(text.removeprefix("@") for text in self.expressions)]

    @cached_property
    def runs(self) -> list[Run]:
        """The runs under the paths, or those of them that --run names, read once."""
        runs = self._planned(self.survey.runs)
        if self.resume != "fresh":
            from cbreplay.replay.resume import resumed_as

            runs = [resumed_as(run, self.resume) for run in runs]
        if not self.run:
            return runs
        from cbreplay.cli.chosen_runs import choose_runs

        return choose_runs(runs, self.run)

    def _planned(self, runs: list[Run]) -> list[Run]:
        """Return runs with what the script in -c tells, where they tell nothing.

        That is the plan, the fits, and which way its metrics improve.
        """
        # `_written` fills in a monitor, which depends on these runs, so it is not asked
        scripts = [text for text in self.expressions if text.strip()[:1] == "@"]
        if not scripts:
            return runs
        from cbreplay.expressions import read_expressions
        from cbreplay.readers.building.runs import with_plan, with_possible_seams

        read = read_expressions(scripts, {})
        parted = [with_possible_seams(run, read.later_fits) for run in runs]
        if parted != runs:
            begun = " and ".join(map(str, read.later_fits))
            say(f"note: by initial_epoch={begun} of the script, a fit may be resumed")
        runs = [replace(run, directions={**read.directions}) for run in parted]
        if read.epochs is None:
            return runs
        planned = [with_plan(run, read.epochs) for run in runs]
        if planned != runs:
            say(
                f"note: epochs={read.epochs} of the script is taken for the plan of "
                "the log"
            )
        return planned

    @cached_property
    def survey(self) -> Survey:
        """What was found under the paths."""
        from cbreplay.loading import survey_sources

        paths = self.paths or (_choose_log_here(),)
        for path in paths:
            refuse_misplaced(path)
        with watch("reading logs") as tell:
            survey = survey_sources(paths, self.reading, tell)
        refuse_printing_into_a_log(paths, survey.seen)
        return survey

    def leave_out_unmonitored(self) -> None:
        """Leave out runs without the monitored series, with a remark; not all of them.

        A single run is always kept: an error then says what it lacks.
        """
        runs, wanted = self.runs, self._monitored()
        lacking = {run.name: _absent(run, wanted) for run in runs}
        if len(runs) == 1 or all(lacking.values()):
            return
        self.runs = [run for run in runs if not lacking[run.name]]
        absent = [(run, lacking[run.name]) for run in runs if lacking[run.name]]
        remark(*(_said_absent(run, names) for run, names in absent))
        self.without = {run.name: names for run, names in absent}
        self.narrow(self.runs)

    def about_the_rest(self, document: Document) -> Document:
        """Say in a headline which runs it is about, where others lack a series."""
        if not self.without:
            return document
        from cbreplay.document import say
        from cbreplay.wording.words import count

        lacking = dict.fromkeys(name for own in self.without.values() for name in own)
        # of several that are left out, each may lack another series
        who, has, between = count(len(self.without), "run"), "have", " or no "
        if len(self.without) == 1:
            who, has, between = ", ".join(self.without), "has", " and no "
        words = f" Left out: {who}, which {has} no {between.join(lacking)}."
        if len(self.runs) == 1:
            words = f" This is about {self.runs[0].name} alone: {who} {has} no "
            words += f"{between.join(lacking)}."
        return document._replace(headline=say(document.headline, words))

    def narrow(self, counted: Sequence[Run]) -> None:
        """If one run is left of several, name it in suggested next commands."""
        if len(counted) == 1 < len(self.survey.runs):
            self.run = (counted[0].name,)

    def _monitored(self) -> list[str]:
        """Return the series that the answer needs."""
        objective = [self.objective] if self.objective is not None else []
        if self.grid is None:
            return [self.watched, *objective]
        from cbreplay.rules.base import monitored_series

        if any(rule.holds_own_code for rule in self.grid[0]):
            # it may write into `logs` what the others monitor
            return objective
        monitors = monitored_series(self.grid[0])
        for name, values in self.grid.parameters.items():
            if name.endswith(".monitor"):
                monitors += values
        return list(dict.fromkeys([*(monitors or ["val_loss"]), *objective]))

    @cached_property
    def grid(self) -> Grid | None:
        """The settings that are asked about; None if none was named."""
        written = self._written if self.expressions else None
        entries = self._shorthand() if written is None else written.entries
        if entries is None:
            return None
        from cbreplay.grid import make_grid

        grid = make_grid(entries)
        if written is not None and written.schedule is not None:
            refuse_beside_schedule(grid[0], written.schedule)
        return grid

    @property
    def shorthands(self) -> dict[str, str]:
        """The values of --patience, --min-delta and --start-from-epoch, as typed."""
        texts = {
            "patience": self.patience,
            "min_delta": self.min_delta,
            "start_from_epoch": self.start_from_epoch,
        }
        return {name: text for name, text in texts.items() if text is not None}

    @property
    def version(self) -> str | None:
        """The Keras version of --semantics, else the one that a script imports."""
        return self.semantics or self.imported_version

    @cached_property
    def imported_version(self) -> str | None:
        """The version that a script of -c imports; None if a log names one."""
        from cbreplay.rules.families import names_version

        if not self.expressions or self._written.semantics is None:
            return None
        if self.reads_logs and any(map(names_version, self.runs)):
            return None
        return self._written.semantics

    @property
    def judging(self) -> Judging:
        """How to judge, as the library takes it."""
        from cbreplay.judging import Judging

        return Judging(
            self.version, self.initial_lr, self.objective, self.objective_mode
        )

    @property
    def monitors(self) -> list[str]:
        """The series to watch, for a command that chooses among several."""
        written = self.monitor or self._sole_loss or "val_loss"
        if self.reads_logs and any(written in run.series for run in self.runs):
            # a name may hold a comma
            return [written]
        named = [name.strip() for name in written.split(",")]
        return list(dict.fromkeys(named))

    @property
    def watched(self) -> str:
        """The series to watch, for a command that does not choose."""
        return self.named_monitor or "val_loss"

    @property
    def named_monitor(self) -> str | None:
        """The series to watch; None if neither an option nor the logs name one.

        Raises
        ------
        ConfigError
            If there are several, and the command does not choose.
        """
        if len(self.monitors) > 1:
            sentence = (
                f"--monitor names {len(self.monitors)} series, and an EarlyStopping "
                "watches one. Name one, or write the setting as -c "
                f'"EarlyStopping(monitor={self.monitors[0]!r}, ...)"'
            )
            raise ConfigError(sentence)
        return self.monitor or self._sole_loss

    @property
    def watched_mode(self) -> str | None:
        """The direction of it: as typed, "min" for the one validation loss, or None."""
        is_loss = self._sole_loss is not None or (
            self.monitor is not None and self.monitor == self._other_loss
        )
        return self.mode or ("min" if is_loss else None)

    @cached_property
    def _sole_loss(self) -> str | None:
        """The validation loss that is watched because nothing else is named."""
        name = self._other_loss
        if self.monitor is not None or self.expressions or name is None:
            return None
        remark(f"there is no val_loss: {name} is watched, smaller is better")
        return name

    @cached_property
    def _other_loss(self) -> str | None:
        """The one validation loss of logs that have no val_loss."""
        if not self.reads_logs:
            return None
        from cbreplay.judging import find_sole_loss

        return find_sole_loss(self.runs)

    def staircase(self, run: Run) -> Staircase:
        """Return what every patience would have done on a run."""
        from cbreplay.staircase import build_staircase

        return build_staircase(
            run,
            monitor=self.watched,
            mode=self.watched_mode or "auto",
            keep=self.keep or "best",
            judging=self.judging,
        )

    @property
    def monitor_and_mode(self) -> dict[str, str]:
        """What --monitor and --mode fill in where an expression is silent."""
        # with several monitors each setting names its own
        named = self.monitor if len(self.monitors) == 1 else None
        given = {"monitor": named, "mode": self.mode}
        return {name: value for name, value in given.items() if value is not None}

    @cached_property
    def _written(self) -> Expressions:
        """The callbacks of -c; notes on what was not read are printed here, once."""
        building = [*self.shorthands, *(["keep"] if self.keep is not None else [])]
        if building:
            sentence = (
                f"{option_name(building[0])} builds an EarlyStopping of its own "
                "and does not go with -c. Write it into the expression"
            )
            raise ConfigError(sentence)
        from cbreplay.expressions import read_expressions

        read = read_expressions(self.expressions, self.monitor_and_mode)
        say_notes(read.notes)
        return read

    def _shorthand(self) -> list[Callback | Choices] | None:
        if not self.shorthands:
            return None
        from cbreplay.cli.option_values import read_values
        from cbreplay.grid import choices
        from cbreplay.rules.families import stopping_rule

        varied = {
            name: read_values(option_name(name), text)
            for name, text in self.shorthands.items()
        }
        return [
            choices(
                stopping_rule(),
                monitor=self.watched,
                mode=self.watched_mode or "auto",
                restore_best_weights=self.keep != "last",
                **varied,
            )
        ]


def _choose_log_here() -> str:
    """Find the log that is asked about where none is named, and say which it is."""
    from cbreplay.cli.log_here import USUAL_LOG, find_log_here

    path = find_log_here()
    if path != USUAL_LOG:
        say(f"no log is named: {path} is the newest here or below")
    return path


def _said_absent(run: Run, names: Sequence[str]) -> str:
    """Say what a run lacks, and why that was left out if its log has it."""
    told = [
        f"{name} ({run.left_out[name]})" if name in run.left_out else name
        for name in names
    ]
    return f"left out {run.name}: it has no {', '.join(told)}"


def _absent(run: Run, names: Iterable[str]) -> list[str]:
    """Return which series a run does not hold in any epoch."""
    from cbreplay.series_names import LEARNING_RATE_NAMES

    return [
        name
        for name in names
        if name not in LEARNING_RATE_NAMES and not run.holds(name)
    ]
