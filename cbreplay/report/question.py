"""The question of a report, and the replays and staircases that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cbreplay.errors import CbreplayError
from cbreplay.recommend import Advising
from cbreplay.replay import replay_run
from cbreplay.rules.base import monitored_series
from cbreplay.rules.families import family_of, stopping_rule
from cbreplay.staircase import build_staircase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.judging import Judging
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase

__all__ = ["ReportQuestion"]

_USUAL = Advising()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuestion:
    """The question, as `build_report` was given it."""

    callbacks: tuple[Callback, ...] | None
    # several for several runs only: the report says which to stop on
    monitors: tuple[str, ...]
    mode: str | None
    keep: Literal["best", "last"]
    judging: Judging
    advising: Advising = _USUAL
    progress: Callable[[int, int], None] | None = None

    @property
    def watched(self) -> tuple[str, str]:
        """The monitor and mode of the baselines: the setting's own, if it has one."""
        for callback in self.callbacks or ():
            if callback.sets_objective:
                return str(callback.monitor), callback.mode or "auto"
        watched = monitored_series(self.callbacks or ())
        first = watched[0] if watched else "val_loss"
        return next(iter(self.monitors), first), self.mode or "auto"

    def early_stopping(self, patience: float) -> Callback:
        """Return a baseline: all defaults but patience and `restore_best_weights`."""
        monitor, mode = self.watched
        baseline: Callback = stopping_rule()(
            monitor=monitor,
            mode=mode,
            patience=patience,
            restore_best_weights=self.keep == "best",
        )
        return baseline

    def replay(self, run: Run, callbacks: Sequence[Callback] | Callback) -> Replay:
        """Replay one setting on one run."""
        return replay_run(run, callbacks, judging=self.judging)

    @property
    def asks_every_patience(self) -> bool:
        """Whether the setting is of a framework whose patience can be asked about."""
        family = family_of(self.callbacks or ())
        return family is None or family.stopping_rule is not None

    def staircase(self, run: Run) -> Staircase:
        """Ask every patience on one run."""
        monitor, mode = self.watched
        return build_staircase(
            run, monitor=monitor, mode=mode, keep=self.keep, judging=self.judging
        )

    def replay_or_reason(
        self, run: Run, callbacks: Sequence[Callback] | Callback
    ) -> Replay | str:
        """Replay one setting, or say why this run cannot answer."""
        try:
            return self.replay(run, callbacks)
        except CbreplayError as error:
            return str(error)
