"""One fit of a bundled experiment, with its loggers and what is seen of its end."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from cbreplay.errors import ConfigError
from cbreplay.record.run_directory import (
    EVENTS,
    LOGS,
    STATE,
    UNFINISHED_STATE,
    OwnLog,
    cut_log,
    logged_columns,
    replace_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["WatchedFit"]


class WatchedFit:
    """The callbacks list of one fit, and how it stopped.

    After each of the user's callbacks there is a witness (`StopWitness`) in the list,
    which tells whether that callback stopped the training.

    Parameters
    ----------
    model : keras.Model
        A compiled model.
    out : Path
        The run directory.
    callbacks : sequence of keras.callbacks.Callback
        The user's.
    first_epoch : int
        The epoch that the fit begins with; above zero, ``logs.csv`` is continued.

    Attributes
    ----------
    stopped_by : str or None
        Class name of the first callback that stopped the training.
    last_epoch : int or None
        The last epoch with a complete row in ``logs.csv``; None if there is none.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - keras is untyped
        out: Path,
        callbacks: Sequence[Any],
        *,
        first_epoch: int,
    ) -> None:
        self.model, self.out, self.callbacks = model, out, callbacks
        self.first_epoch = first_epoch
        self.stopped_by: str | None = None
        self.last_epoch = first_epoch - 1 if first_epoch else None
        self._held: list[tuple[Any, Any]] = []
        self._loggers: list[Any] = []
        self.log = OwnLog(out)

    def callbacks_list(
        self, on_epoch: Callable[[int, Mapping[str, float]], None] | None
    ) -> list[Any]:
        """Return what to give to ``fit``: the user's, CSVLogger, TensorBoard.

        `on_epoch` is called after each epoch, after all other callbacks.
        """
        from keras.callbacks import CSVLogger, LambdaCallback, TensorBoard

        from cbreplay.record.recorder import witnessed

        csv = CSVLogger(str(self.out / LOGS), append=self.first_epoch > 0)
        events = TensorBoard(str(self.out / EVENTS), write_graph=False)
        self._loggers = [csv, events]
        last = [LambdaCallback(on_epoch_end=on_epoch)] if on_epoch else []
        aligned = self._columns_keeper(csv) if self.first_epoch else []
        watched = witnessed(self, self.callbacks)
        return [*watched, *aligned, csv, self._holder(), events, *last]

    def break_off(self) -> None:
        """Close the logs of a fit that did not end, and go back to its last epoch."""
        for logger in self._loggers:
            # an error of writing was raised before
            with contextlib.suppress(OSError):
                logger.on_train_end()
        self.log.check_is_there()
        cut_log(self.out, self.last_epoch)
        for variable, value in self._held:
            variable.assign(value)

    def save_state(self) -> None:
        """Save the model with its optimizer, for a fit that resumes this one.

        If that fails, an older file is removed too: it is not the state of this fit.
        """
        temporary = self.out / UNFINISHED_STATE
        try:
            self.model.save(temporary)
        except BaseException:
            for path in (temporary, self.out / STATE):
                path.unlink(missing_ok=True)
            raise
        replace_file(temporary, self.out / STATE)

    def _holder(self) -> Any:  # noqa: ANN401 - keras is untyped
        """Return a callback that keeps the variables of the last logged epoch."""
        from keras.callbacks import LambdaCallback

        def hold() -> None:
            variables = [*self.model.variables, *self.model.optimizer.variables]
            self._held = [(variable, variable.numpy().copy()) for variable in variables]

        def begin(_logs: object) -> None:
            self.log.see_file()
            hold()

        def hold_epoch(epoch: int, _logs: object) -> None:
            self.log.check_is_there()
            hold()
            self.last_epoch = epoch

        return LambdaCallback(on_train_begin=begin, on_epoch_end=hold_epoch)

    def _columns_keeper(self, csv: Any) -> list[Any]:  # noqa: ANN401 - keras is untyped
        """Return a callback that gives CSVLogger the columns of the file's header.

        A CSVLogger that appends takes them from its own first epoch, and does not
        compare them with the header (keras/src/callbacks/csv_logger.py, 3.15.1).
        """
        from keras.callbacks import LambdaCallback

        columns = logged_columns(self.out)

        def keep(_epoch: int, logs: Mapping[str, float]) -> None:
            extra = [name for name in logs if name not in columns]
            if extra:
                sentence = (
                    f"the header of {LOGS} in {str(self.out)!r} has no column for "
                    f"{', '.join(extra)}, which this fit logs; train into another "
                    "directory with --out or out=."
                )
                raise ConfigError(sentence)
            csv.keys = columns

        return [LambdaCallback(on_epoch_end=keep)] if columns else []
