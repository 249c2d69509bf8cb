"""What a report was asked, and the answers it is made of."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from cbreplay.errors import CbreplayError
from cbreplay.judging import Judging, read_judging
from cbreplay.recommend.advising import Advising
from cbreplay.replay import replay_run
from cbreplay.rules.base import format_callback, monitored_series, rule_name
from cbreplay.rules.keras.bystander import Bystander
from cbreplay.rules.keras.driven import DrivenCallback
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.rules.keras.keras_code import CODE_OF_RULES, write_keras_code
from cbreplay.staircase import build_staircase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from cbreplay.judging import JudgingOptions
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase

__all__ = [
    "ReportQuestion",
    "replay_sufficient",
    "setting_code",
    "setting_name",
]

_LONGEST_SETTING = 60


_USUAL = Advising()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuestion:
    """The question, as `build_report` was given it."""

    callbacks: tuple[Callback, ...] | None
    # to choose from; what is drawn of one run watches the first
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
            if isinstance(callback, EarlyStopping):
                return callback.monitor, callback.mode
        watched = monitored_series(self.callbacks or ())
        first = watched[0] if watched else "val_loss"
        return next(iter(self.monitors), first), self.mode or "auto"

    def early_stopping(self, patience: float) -> EarlyStopping:
        """Return a baseline: Keras's defaults but for patience and the weights."""
        monitor, mode = self.watched
        return EarlyStopping(
            monitor=monitor,
            mode=mode,
            patience=patience,
            restore_best_weights=self.keep == "best",
        )

    def replay(self, run: Run, callbacks: Sequence[Callback] | Callback) -> Replay:
        """Replay one setting on one run."""
        return replay_run(run, callbacks, judging=self.judging)

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


def replay_sufficient(
    run: Run,
    *,
    monitor: str | None = None,
    mode: str | None = None,
    keep: Literal["best", "last"] = "best",
    **judging: Unpack[JudgingOptions],
) -> Replay:
    """Replay the smallest patience with the least regret that stops inside the log.

    Where none stops, the smallest one that goes on past its end.
    """
    question = ReportQuestion(
        callbacks=None,
        monitors=() if monitor is None else (monitor,),
        mode=mode,
        keep=keep,
        judging=read_judging(judging),
    )
    staircase = question.staircase(run)
    patience = staircase.sufficient_patience()
    if patience is None:
        patience = staircase.steps[-1].first_patience
    return question.replay(run, question.early_stopping(patience))


def setting_name(callbacks: Sequence[Callback]) -> str:
    """Name a setting in a sentence."""
    name = ", ".join(format_callback(one) for one in callbacks)
    return name if len(name) <= _LONGEST_SETTING else "this setting"


def setting_code(callbacks: Sequence[Callback]) -> str:
    """Write a setting as code to paste.

    >>> print(setting_code([EarlyStopping(patience=5)]))
    callbacks = [
        keras.callbacks.EarlyStopping(
            monitor='val_loss',
            patience=5,
        ),
    ]
    """
    if any(rule_name(one) in CODE_OF_RULES for one in callbacks):
        # rules that Keras does not have come with their classes
        return write_keras_code(callbacks).rstrip()
    lines = ["callbacks = ["]
    for callback in callbacks:
        if isinstance(callback, (Bystander, DrivenCallback)):
            home = "keras.callbacks." if isinstance(callback, Bystander) else ""
            lines.append(f"    {home}{callback.code},")
            continue
        # the monitor is written out although val_loss is Keras's default
        arguments = _changed(callback)
        if callback.monitor is not None:
            arguments = {"monitor": repr(callback.monitor), **arguments}
        lines.append(f"    keras.callbacks.{type(callback).__name__}(")
        lines += [f"        {key}={value}," for key, value in arguments.items()]
        lines.append("    ),")
    return "\n".join([*lines, "]"])


def _changed(callback: Callback) -> dict[str, str]:
    """Return the parameters that differ from Keras's defaults, as code."""
    # a rule is a dataclass; the protocol cannot say so
    return {
        one.name: repr(getattr(callback, one.name))
        for one in fields(callback)  # type: ignore[arg-type]
        if getattr(callback, one.name) != one.default
    }
