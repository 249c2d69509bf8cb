"""One fit while it is recorded: its loggers, its rates, its ``run.json``."""

from __future__ import annotations

import contextlib
import importlib.util
import operator
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.errors import OutputError
from cbreplay.record.description import describe_run, metric_directions, read_rate
from cbreplay.record.run_directory import EVENTS, LOGS, OwnLog, write_metadata
from cbreplay.system.run_lock import RunLock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["FitFacts", "OpenFit", "tell_user"]


class FitFacts(NamedTuple):
    """What is known of a fit before its first epoch; None for what is not known.

    Parameters
    ----------
    callbacks : tuple of str or None
        The user's list as text, in fit's order.
    validation_freq, batch_size : optional
        As ``fit`` was given them.
    without : tuple of str
        Classes that were left out of the list.
    """

    callbacks: tuple[str, ...] | None = None
    validation_freq: Any = None
    batch_size: int | None = None
    without: tuple[str, ...] = ()


class OpenFit:
    """The writer of one run directory, from the first epoch of its fit to the end.

    A logger that fails is left out, which is said once on stderr. Any other error is
    raised: `Recorder` says it, and lets the training go on.

    Parameters
    ----------
    out : Path
        The run directory; it must exist.
    model : keras.Model
        The model.
    params : mapping
        Keras's ``params`` of a callback: epochs and steps.
    first_epoch : int
        The epoch that the fit begins with.
    optimizer : dict
        The optimizer as it was before the first epoch.
    facts : FitFacts
        What else is known.
    """

    def __init__(
        self,
        out: Path,
        model: Any,  # noqa: ANN401 - keras is untyped
        params: Mapping[str, Any],
        *,
        first_epoch: int,
        optimizer: dict[str, Any],
        facts: FitFacts,
    ) -> None:
        self.out, self.model = out, model
        self.last_epoch: int | None = None
        self._steps = params.get("steps")
        self._rates: list[float] = []
        self._has_rate = read_rate(model) is not None
        self._lock = RunLock(out)
        self._loggers = _make_loggers(out)
        self._began = time.perf_counter()
        self._contents = self._describe(params["epochs"], first_epoch, optimizer, facts)
        try:
            write_metadata(out, self._contents)
        except OutputError:
            self.abandon()
            raise
        for logger in list(self._loggers):
            self._ask(logger, "set_model", model)
            self._ask(logger, "on_train_begin")
        self._log = OwnLog(out)
        self._log.see_file()

    def _describe(
        self,
        epochs: int,
        first_epoch: int,
        optimizer: dict[str, Any],
        facts: FitFacts,
    ) -> dict[str, Any]:
        """Return what ``run.json`` says about the fit when it begins."""
        fit = {
            "epochs": epochs,
            "initial_epoch": first_epoch,
            "validation_freq": facts.validation_freq,
            "batch_size": facts.batch_size,
            "steps": self._steps,
        }
        return describe_run(
            {name: _plain(argument) for name, argument in fit.items()},
            self._list_callbacks(facts),
            # the others are added after the first epoch: Keras builds them late
            metrics={"loss": "min"},
            optimizer=optimizer,
            beside={
                **({"learning_rate_column": "trained-at"} if self._has_rate else {}),
                **({"without": list(facts.without)} if facts.without else {}),
            },
        )

    @property
    def lost_its_log(self) -> bool:
        """Whether CSVLogger has failed, so that ``logs.csv`` ends too early."""
        return not any(map(_writes_csv, self._loggers))

    def wants_rate(self, batch: int) -> bool:
        """Tell whether to look at the rate: before the first and last step of an epoch.

        A batch may be the beginning of several steps that are run at once.
        """
        if not self._has_rate or batch == 0:
            return self._has_rate
        n_steps: int = self.model.steps_per_execution
        return self._steps is not None and batch + n_steps >= self._steps

    def see_rate(self, batch: int) -> None:
        """Note the rate before a step."""
        if batch == 0:
            self._rates = []
        rate = read_rate(self.model)
        if rate is not None:
            self._rates.append(rate)

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Log an epoch."""
        logged = dict(logs)
        if self._has_rate:
            logged["learning_rate"] = (
                self._rates[0] if len(set(self._rates)) == 1 else "NA"
            )
        self._log.check_is_there()
        for logger in list(self._loggers):
            # the TensorBoard callback reads the optimizer's rate itself
            wanted = logged if _writes_csv(logger) else dict(logs)
            self._ask(logger, "on_epoch_end", epoch, wanted)
        if self.last_epoch is None:
            self._contents["metrics"] = metric_directions(self.model)
            write_metadata(self.out, self._contents)
        self.last_epoch = epoch

    def end(self, by: str) -> None:
        """Close the logs, and say how the fit ended."""
        for logger in list(self._loggers):
            self._ask(logger, "on_train_end")
        self._log.check_is_there()
        self._contents["wall_seconds"] = round(time.perf_counter() - self._began, 3)
        self._contents["ended"] = {"by": by, "epoch": self.last_epoch}
        write_metadata(self.out, self._contents)
        self._lock.leave()

    def abandon(self) -> None:
        """Give up a directory into which nothing more can be written."""
        for logger in self._loggers:
            _close(logger)
        self._loggers = []
        self._lock.give_up()

    def _list_callbacks(self, facts: FitFacts) -> list[str] | None:
        if facts.callbacks is None:
            return None
        names = {"CSVLogger": LOGS, "TensorBoard": EVENTS}
        kinds = [type(logger).__name__ for logger in self._loggers]
        return [*facts.callbacks, *(f"{kind}({names[kind]!r})" for kind in kinds)]

    def _ask(self, logger: Any, hook: str, *arguments: object) -> None:  # noqa: ANN401 - keras is untyped
        """Call a logger; if it fails, say so and leave it out from then on."""
        try:
            getattr(logger, hook)(*arguments)
        except Exception as error:  # noqa: BLE001 - a training is worth more than its log
            self._loggers.remove(logger)
            _close(logger)
            kind = type(logger).__name__
            tell_user(f"{kind} stopped logging into {str(self.out)!r}: {error}")


def _plain(argument: Any) -> int | list[int] | None:  # noqa: ANN401 - fit is untyped
    """Return an argument of ``fit`` for JSON: numpy's integers become Python's.

    None for what is no whole number: Keras refuses it, or does not use it.
    """
    try:
        if isinstance(argument, list):
            return [operator.index(epoch) for epoch in argument]
        return operator.index(argument)
    except TypeError:
        return None


def _close(logger: Any) -> None:  # noqa: ANN401 - keras is untyped
    """Close the files of a logger, also where what is left cannot be written."""
    with contextlib.suppress(Exception):
        logger.on_train_end()


def _writes_csv(logger: Any) -> bool:  # noqa: ANN401 - keras is untyped
    return "csv_file" in vars(logger)


def _make_loggers(out: Path) -> list[Any]:
    """Return a CSVLogger, and a TensorBoard if TensorFlow is installed."""
    from keras.callbacks import CSVLogger, TensorBoard

    loggers = [CSVLogger(str(out / LOGS))]
    if all(importlib.util.find_spec(name) for name in ("tensorflow", "tensorboard")):
        loggers.append(TensorBoard(str(out / EVENTS), write_graph=False))
    return loggers


def tell_user(sentence: str) -> None:
    """Print a sentence on stderr, as one line.

    Errors are ignored: a script may have closed or replaced stderr.
    """
    with contextlib.suppress(Exception):
        sys.stderr.write(f"cbreplay: {' '.join(sentence.split())}\n")
