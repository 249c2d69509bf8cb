"""Compare a replay with a training under the real callbacks, with the same seed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError
from cbreplay.record.plan import find_fits
from cbreplay.record.retraining import RetrainedModel, confined, confined_path
from cbreplay.record.script_retraining import RetrainedScript
from cbreplay.record.seen_training import equal
from cbreplay.replay import replay_run
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.wording.shown_digits import spoken_figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cbreplay.record.launch import Program
    from cbreplay.record.seen_training import Retraining
    from cbreplay.replay import Replay
    from cbreplay.replay.resume import Resume
    from cbreplay.run import Run

__all__ = ["Confirmation", "HeldItem", "Retrainer", "confirm_replay"]

Verdict: TypeAlias = Literal["held", "failed", "fiction"]


class HeldItem(NamedTuple):
    """One prediction, and what the training did.

    Parameters
    ----------
    name : str
        What is compared, for example "stop", "kept weights" or "curve".
    predicted, trained : object
        What the replay says and what the training did. Epochs count from zero.
    verdict : {"held", "failed", "fiction"}
        Whether they are equal; "fiction" for decisions past a divergence, about which
        the replay promises nothing.
    epoch : int or None
        The first epoch in which they differ, where they are series.
    """

    name: str
    predicted: Any
    trained: Any
    verdict: Verdict
    epoch: int | None = None


class Confirmation(NamedTuple):
    """The prediction of a replay, what the real callbacks did, and each comparison."""

    replay: Replay
    trained: Retraining
    items: tuple[HeldItem, ...]

    @property
    def held(self) -> bool:
        """Whether everything that the replay calls exact is what the training did."""
        return all(entry.verdict != "failed" for entry in self.items)


@checked
def confirm_replay(
    run: Run,
    callbacks: Any,  # noqa: ANN401 - as `replay_run` takes them
    *,
    resume: Literal["fresh", "carried", "interrupted", "never"] = "fresh",
    on_epoch: Callable[[], None] | None = None,
    script: Program | None = None,
) -> Confirmation:
    """Predict by replay, train under the real callbacks, and compare.

    Trains three times: twice under the recorded setting, then under the given one. A
    run that was resumed is resumed each time; a fit that was broken off is broken off
    again, and resumed by Keras's BackupAndRestore.

    Parameters
    ----------
    run : Run
        A run of ``cbreplay train``, or of a `script`, recorded on this machine by the
        Keras that is installed: another one need not train to the same numbers.
    callbacks : Callback or sequence
        The setting. The user's own callback objects are copied before the training.
    resume : {"fresh", "carried", "interrupted", "never"}
        As in `replay_run`: the callbacks of a resumed fit are new, or the same.
    on_epoch : callable, optional
        Called after each epoch of each training of a bundled experiment.
    script : Program, optional
        The script that the run is a fit of, if it is no bundled experiment. It is run
        three times, to its end; in the fit that logs what the run has, the setting
        stands in the place of the callbacks that decide.

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
    return Retrainer(run, on_epoch, script).confirm(callbacks, resume=resume)


class Retrainer:
    """A recorded run, which was trained again twice and gave the same numbers.

    Parameters
    ----------
    run : Run
        The record.
    on_epoch : callable, optional
        As in `confirm_replay`.
    script : Program, optional
        As in `confirm_replay`.

    Raises
    ------
    ConfigError
        As `confirm_replay`.
    """

    def __init__(
        self,
        run: Run,
        on_epoch: Callable[[], None] | None = None,
        script: Program | None = None,
    ) -> None:
        self.run = run
        self._model: RetrainedModel | RetrainedScript
        if script is None:
            self._model = RetrainedModel(find_fits(run), on_epoch)
        else:
            self._model = RetrainedScript(run, script)
        self.again = self._model.train_as_recorded()
        second = self._model.train_as_recorded()
        _check_deterministic(run, self.again, second)
        _check_recorded(run, self.again)

    def confirm(
        self,
        callbacks: Any,  # noqa: ANN401 - as `replay_run` takes them
        *,
        resume: Resume = "fresh",
    ) -> Confirmation:
        """Predict a setting by replay, train it, and compare."""
        listed = read_callbacks(callbacks).callbacks
        replay = replay_run(self.run, listed, hypothetical=True, resume=resume)
        trained = self._model.train(
            # those that decide nothing would write files of their own
            [confined(callback) for callback in listed if callback.acts_at],
            kept=resume == "carried" or self.run.same_callbacks,
        )
        items = tuple(_SideBySide(self.run, replay, self.again, trained).items())
        return Confirmation(replay, trained, items)


def _check_deterministic(run: Run, first: Retraining, second: Retraining) -> None:
    begins = f"run {run.name!r} trains to other weights each time, "
    ends = "so no training can confirm a replay"
    if first.first != second.first:
        sentence = (
            f"{begins}and begins with other ones: its script sets no seed, {ends}. "
            "keras.utils.set_random_seed(0) at its begin sets one"
        )
        raise ConfigError(sentence)
    pairs = itertools.zip_longest(first.weights, second.weights)
    for epoch, (ours, theirs) in enumerate(pairs, start=run.first_epoch + 1):
        if ours != theirs:
            sentence = (
                f"{begins}from epoch {epoch} on, {ends}. The first weights are the "
                "same, so an operation of this Keras or this device is not "
                "deterministic (tf.config.experimental.enable_op_determinism() makes "
                "TensorFlow's so), or the order of the examples or an augmentation is "
                "drawn without a seed"
            )
            raise ConfigError(sentence)


def _check_recorded(run: Run, again: Retraining) -> None:
    differing = again.first_difference(run, run.n_epochs)
    if differing is not None:
        place, name = differing
        sentence = (
            f"run {run.name!r}, trained again with its seed, has another {name} from "
            f"epoch {run.first_epoch + place + 1} on: it was recorded on another "
            "machine, by another version, or with another seed or script. Record it "
            "here first, with cbreplay train or cbreplay record"
        )
        raise ConfigError(sentence)


class _SideBySide:
    """The comparison of a replay with a training."""

    def __init__(
        self, run: Run, replay: Replay, again: Retraining, trained: Retraining
    ) -> None:
        self.run, self.replay = run, replay
        self.again, self.trained = again, trained
        # positions in the trained series count from the first epoch
        self.first = run.first_epoch
        last = self.first + len(trained.logs) - 1
        self.stop = last if trained.stopped else None
        # the number of epochs that the replay predicts: all that were replayed, or
        # those before the divergence or the hole
        self.n_promised = run.n_epochs
        if replay.stopped_epoch is not None:
            self.n_promised = replay.stopped_epoch + 1 - self.first
        for epoch in (replay.divergence_epoch, replay.gap_epoch):
            if epoch is not None:
                self.n_promised = min(self.n_promised, epoch - self.first)

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
        differing = self.trained.first_difference(self.run, self.n_promised)
        predicted = f"as recorded for {self.n_promised} epochs"
        if differing is None:
            return HeldItem("curve", predicted, predicted, "held")
        place, name = differing
        another = f"another {name}"
        return HeldItem("curve", predicted, another, "failed", self.first + place)

    def _rates(self) -> HeldItem:
        rate = self.replay.learning_rate
        predicted: list[float] = []
        if rate is not None:
            predicted = rate.values[: self.n_promised].tolist()
        trained = list(self.trained.rates[: len(predicted)])
        differing = [
            place
            for place, pair in enumerate(zip(predicted, trained, strict=False))
            if not equal(*pair)
        ]
        if differing:
            (place, *_) = differing
            pair, epoch = (predicted[place], trained[place]), self.first + place
            return HeldItem("learning rates", *pair, "failed", epoch)
        spoken = _rounded(predicted)
        return HeldItem("learning rates", spoken, spoken, "held")

    def _stop(self) -> HeldItem:
        predicted = self.replay.stopped_epoch
        if self.replay.evidence == "exact":
            return _compared("stop", predicted, self.stop)
        # other evidence predicts only that nothing stops in these epochs
        end = self.first + self.n_promised
        went_on = self.stop is None or self.stop >= end
        verdict: Verdict = "held" if went_on else "failed"
        return HeldItem("no stop before", end, self.stop, verdict)

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
        """Return the epoch whose weights have this digest, `likely` if it is one."""
        weights, place = self.again.weights, likely - self.first
        if place < len(weights) and weights[place] == digest:
            return likely
        return self.first + weights.index(digest) if digest in weights else None

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
        """Compare the hypothetical decisions past a divergence with the training."""
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
    verdict: Verdict = "held" if equal(predicted, trained) else "failed"
    return HeldItem(name, predicted, trained, verdict)


def _rounded(rates: Sequence[float | None]) -> str:
    """Return the rates in words, in order, each as long as it lasts once."""
    kept = [rate for rate, _ in itertools.groupby(rates)]
    return ", ".join("-" if rate is None else spoken_figure(rate) for rate in kept)
