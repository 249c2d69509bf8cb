"""Hold a replay against a training under the real callbacks, with the same seed."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from cbreplay.digits import spoken_figure
from cbreplay.errors import ConfigError
from cbreplay.expressions import parse_recorded
from cbreplay.record.recorded_fits import find_fits
from cbreplay.record.retraining import RetrainedModel, confined, confined_path
from cbreplay.replay import replay_run
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.registry import stands_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cbreplay.record.retraining import Retraining
    from cbreplay.replay import Replay
    from cbreplay.run import Run

__all__ = ["Confirmation", "HeldItem", "Retrainer", "confirm_replay"]

Verdict: TypeAlias = Literal["held", "failed", "fiction"]


class HeldItem(NamedTuple):
    """One thing that was predicted, beside what the training did.

    Parameters
    ----------
    name : str
        What it is: stop, best, kept weights, kept value, learning rates, curve, files.
    predicted, trained : object
        What the replay says and what the training did. Epochs count from zero.
    verdict : {"held", "failed", "fiction"}
        Whether they are equal; a fiction is a decision that was carried on past the
        divergence, and promises nothing.
    epoch : int or None
        The first epoch in which they differ, where they are series.
    """

    name: str
    predicted: Any
    trained: Any
    verdict: Verdict
    epoch: int | None = None


class Confirmation(NamedTuple):
    """A prediction and a training, side by side.

    Parameters
    ----------
    replay : Replay
        The prediction.
    trained : Retraining
        What the real callbacks did.
    items : tuple of HeldItem
        What was compared.
    """

    replay: Replay
    trained: Retraining
    items: tuple[HeldItem, ...]

    @property
    def held(self) -> bool:
        """Whether everything that the replay calls exact is what the training did."""
        return all(entry.verdict != "failed" for entry in self.items)


def confirm_replay(
    run: Run,
    callbacks: Any,  # noqa: ANN401 - as `replay_run` takes them
    *,
    resume: Literal["fresh", "carried"] = "fresh",
    on_epoch: Callable[[], None] | None = None,
) -> Confirmation:
    """Predict by replay, train under the real callbacks, and compare.

    Trains three times: the recorded setting twice, then the one that is asked about.
    A run that was resumed is resumed in each of them; a fit that was broken off is
    broken off again, and resumed by Keras's BackupAndRestore.

    Parameters
    ----------
    run : Run
        A run of ``cbreplay train``, recorded on this machine by the Keras that is
        installed: another one need not train to the same numbers.
    callbacks : Callback or sequence
        The setting. An object of one's own is copied before it trains.
    resume : {"fresh", "carried"}
        As in `replay_run`: the callbacks of a resumed fit are new, or the same.
    on_epoch : callable, optional
        Called after each epoch of each training.

    Raises
    ------
    ConfigError
        If the run cannot be trained again, or does not train to what was recorded.
    MissingExtraError
        If Keras is not installed.

    Examples
    --------
    >>> runs = load_runs("runs/first")  # doctest: +SKIP
    >>> confirm_replay(runs[0], EarlyStopping(patience=3)).held  # doctest: +SKIP
    True
    """
    return Retrainer(run, on_epoch).confirm(callbacks, resume=resume)


class Retrainer:
    """A recorded experiment that was trained again and gave the same numbers.

    Parameters
    ----------
    run : Run
        The record.
    on_epoch : callable, optional
        As in `confirm_replay`.

    Raises
    ------
    ConfigError
        As `confirm_replay`.
    """

    def __init__(self, run: Run, on_epoch: Callable[[], None] | None = None) -> None:
        self.run = run
        fits = find_fits(run)
        own = [_recorded_callbacks(fit.callbacks) for fit in fits]
        self._model = RetrainedModel(fits, on_epoch)
        self.again = self._model.train_as_recorded(own)
        second = self._model.train_as_recorded(own)
        _check_deterministic(run, self.again, second)
        _check_recorded(run, self.again)

    def confirm(
        self,
        callbacks: Any,  # noqa: ANN401 - as `replay_run` takes them
        *,
        resume: Literal["fresh", "carried"] = "fresh",
    ) -> Confirmation:
        """Predict a setting by replay, train it, and compare."""
        listed = read_callbacks(callbacks).callbacks
        replay = replay_run(self.run, listed, hypothetical=True, resume=resume)
        trained = self._model.train(
            [confined(callback) for callback in listed],
            kept=resume == "carried" or self.run.same_callbacks,
        )
        items = tuple(_SideBySide(self.run, replay, self.again, trained).items())
        return Confirmation(replay, trained, items)


def _recorded_callbacks(listed: Sequence[str]) -> list[Any]:
    # the loggers decide nothing, and would write files
    texts = [text for text in listed if not stands_by(text.partition("(")[0])]
    return [confined(each) for each in parse_recorded(texts)]


def _check_deterministic(run: Run, first: Retraining, second: Retraining) -> None:
    for epoch, (ours, theirs) in enumerate(
        zip(first.weights, second.weights, strict=False)
    ):
        if ours != theirs:
            sentence = (
                f"run {run.name!r} trains to other weights each time, from epoch "
                f"{epoch + 1} on: an operation of this Keras or this device is not "
                "deterministic, so no training can confirm a replay"
            )
            raise ConfigError(sentence)


def _check_recorded(run: Run, again: Retraining) -> None:
    differing = _first_difference(run, again, run.n_epochs)
    if differing is not None:
        epoch, name = differing
        sentence = (
            f"run {run.name!r}, trained again with its seed, has another {name} from "
            f"epoch {epoch + 1} on: it was recorded on another machine, by another "
            "version, or with another seed. Record it here first, with cbreplay train"
        )
        raise ConfigError(sentence)


def _first_difference(
    run: Run, trained: Retraining, n_epochs: int
) -> tuple[int, str] | None:
    """Return the first epoch and series that differ in so many epochs, if any."""
    for epoch in range(n_epochs):
        logs = trained.logs[epoch] if epoch < len(trained.logs) else {}
        for name, series in run.series.items():
            recorded = float(series.values[epoch]) if series.recorded[epoch] else None
            if not _equal(recorded, logs.get(name)):
                return epoch, name
    return None


def _equal(ours: Any, theirs: Any) -> bool:  # noqa: ANN401 - numbers or nothing
    if isinstance(ours, float) and isinstance(theirs, float) and math.isnan(ours):
        return math.isnan(theirs)
    return bool(ours == theirs)


class _SideBySide:
    """What a replay says, held against a training."""

    def __init__(
        self, run: Run, replay: Replay, again: Retraining, trained: Retraining
    ) -> None:
        self.run, self.replay = run, replay
        self.again, self.trained = again, trained
        last = len(trained.logs) - 1
        self.stop = last if trained.stopped else None
        # so many epochs are promised: all that were replayed, or those before the
        # divergence or the hole
        self.n_promised = run.n_epochs
        if replay.stopped_epoch is not None:
            self.n_promised = replay.stopped_epoch + 1
        for epoch in (replay.divergence_epoch, replay.gap_epoch):
            if epoch is not None:
                self.n_promised = min(self.n_promised, epoch)

    def items(self) -> Iterator[HeldItem]:
        yield self._curve()
        yield self._rates()
        yield self._stop()
        if self.replay.evidence == "exact":
            yield from self._kept()
            yield from self._best()
            yield from self._files()
        elif self.replay.hypothetical is not None:
            yield from self._fiction()

    def _curve(self) -> HeldItem:
        differing = _first_difference(self.run, self.trained, self.n_promised)
        predicted = f"as recorded for {self.n_promised} epochs"
        if differing is None:
            return HeldItem("curve", predicted, predicted, "held")
        epoch, name = differing
        return HeldItem("curve", predicted, f"another {name}", "failed", epoch)

    def _rates(self) -> HeldItem:
        rate = self.replay.learning_rate
        predicted: list[float] = []
        if rate is not None:
            predicted = rate.values[: self.n_promised].tolist()
        trained = list(self.trained.rates[: len(predicted)])
        differing = [
            epoch
            for epoch, pair in enumerate(zip(predicted, trained, strict=False))
            if not _equal(*pair)
        ]
        if differing:
            (epoch, *_) = differing
            return HeldItem(
                "learning rates", predicted[epoch], trained[epoch], "failed", epoch
            )
        spoken = _rounded(predicted)
        return HeldItem("learning rates", spoken, spoken, "held")

    def _stop(self) -> HeldItem:
        predicted = self.replay.stopped_epoch
        if self.replay.evidence == "exact":
            return _compared("stop", predicted, self.stop)
        # other evidence says only that nothing stops within what was promised
        went_on = self.stop is None or self.stop >= self.n_promised
        verdict: Verdict = "held" if went_on else "failed"
        return HeldItem("no stop before", self.n_promised, self.stop, verdict)

    def _kept(self) -> Iterator[HeldItem]:
        kept = self.replay.kept_epoch
        if kept is None:
            return
        yield _compared("kept weights", kept, self._epoch_of(self.trained.left, kept))
        value = self.replay.outcome.kept_value
        evaluated = self.trained.evaluated.get(self.replay.objective or "")
        if value is not None and evaluated is not None:
            yield _compared("kept value", value, evaluated)

    def _epoch_of(self, digest: str | None, likely: int) -> int | None:
        """Return the epoch that left these weights, the likely one if it did."""
        weights = self.again.weights
        if likely < len(weights) and weights[likely] == digest:
            return likely
        return weights.index(digest) if digest in weights else None

    def _best(self) -> Iterator[HeldItem]:
        if self.trained.best is None or self.replay.best is None:
            return
        epoch, value = self.trained.best
        yield _compared("best value", self.replay.best, value)
        yield _compared("best epoch", self.replay.best_epoch, epoch)

    def _files(self) -> Iterator[HeldItem]:
        places = {name: confined_path(name) for name in self.replay.files}
        for name, epoch in self.replay.files.items():
            found = self._epoch_of(self.trained.files.get(places[name]), epoch)
            yield _compared(f"file {name}", epoch, found)
        if any(rule.holds_own_code for rule in self.replay.callbacks):
            # what it writes is not predicted
            return
        for name in sorted(set(self.trained.files) - set(places.values())):
            yield _compared(f"file {name}", None, "written")

    def _fiction(self) -> Iterator[HeldItem]:
        """Say how far the decisions that were carried on were from the truth."""
        told = self.replay.hypothetical
        if told is None:
            return
        yield HeldItem("stop", told.stopped_epoch, self.stop, "fiction")
        objective = self.replay.objective or ""
        real = self.trained.evaluated.get(objective)
        if real is not None:
            place = told.kept_epoch - self.run.first_epoch
            value = float(self.run.series[objective].values[place])
            yield HeldItem("kept value", value, real, "fiction")


def _compared(name: str, predicted: Any, trained: Any) -> HeldItem:  # noqa: ANN401 - any value
    verdict: Verdict = "held" if _equal(predicted, trained) else "failed"
    return HeldItem(name, predicted, trained, verdict)


def _rounded(rates: Sequence[float | None]) -> str:
    """Say which rates there were, in order, without repeating one."""
    kept = [rate for rate, _ in itertools.groupby(rates)]
    return ", ".join("-" if rate is None else spoken_figure(rate) for rate in kept)
