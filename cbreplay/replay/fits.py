"""The same callbacks over several fits, as Keras carries or forgets their state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError, EvidenceError
from cbreplay.given import as_run
from cbreplay.judging import read_judging
from cbreplay.replay.answer import as_list, replay_list
from cbreplay.rules.base import begin_all
from cbreplay.rules.families import resolve_semantics
from cbreplay.rules.training import describe_training

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Unpack

    from cbreplay.judging import JudgingOptions
    from cbreplay.replay.records import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.rules.family import ResolvedSemantics
    from cbreplay.run import Run

__all__ = ["replay_fits"]


@checked
def replay_fits(
    runs: Iterable[object],
    callbacks: Any,  # noqa: ANN401 - as replay_run takes it
    **judging: Unpack[JudgingOptions],
) -> list[Replay]:
    """Replay the same callback instances over several fits, one after the other.

    As in a loop over folds whose callbacks were made before it: what an instance
    carries from one fit into the next depends on the Keras version (``best`` of
    EarlyStopping on 3.0 to 3.6 and on 3.11 to 3.14, of ReduceLROnPlateau on 3.11 to
    3.14, of ModelCheckpoint on all).

    Parameters
    ----------
    runs : iterable of Run, History, dict of lists, DataFrame, or path
        The record of each fit, in order.
    callbacks : Callback, Keras callback, or list of these
        As in `replay_run`; one list for all fits.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        As in `replay_run`, for every fit.

    Returns
    -------
    list of Replay
        One for each run, each judged by its own record alone. If the fits train one
        model on, and the list would end a fit at another epoch than it was ended, the
        records of the later fits are of other weights; no log tells this.

    Raises
    ------
    EvidenceError
        If a fit diverges from its record and something is carried into the next.
    ConfigError
        If the runs name different Keras versions, or as `replay_run`.

    Examples
    --------
    >>> from cbreplay import EarlyStopping, Run
    >>> folds = [[0.5, 0.4, 0.3], [0.9, 0.8, 0.7]]
    >>> runs = [Run.from_logs({"val_loss": loss} for loss in fold) for fold in folds]
    >>> stopper = EarlyStopping(patience=2)
    >>> [
    ...     replay.stopped_epoch
    ...     for replay in replay_fits(runs, stopper, semantics="keras-3.15")
    ... ]
    [None, None]
    >>> [
    ...     replay.stopped_epoch
    ...     for replay in replay_fits(runs, stopper, semantics="keras-3.12")
    ... ]
    [None, 1]
    """
    if isinstance(runs, Mapping):
        sentence = "replay_fits takes the runs of several fits, and this is one dict"
        raise ConfigError(sentence)
    listed, chosen = as_list(callbacks), read_judging(judging)
    replays: list[Replay] = []
    states: Sequence[Any] | None = None
    for given in runs:
        run = as_run(given)
        resolved = resolve_semantics(
            chosen.semantics, metadata=run.metadata, callbacks=listed.callbacks
        )
        if states is not None:
            states = _begin_again(run, resolved, replays, listed.callbacks, states)
        replay, states = replay_list(run, listed, resolved, chosen, states=states)
        if replays and _carriers(listed.callbacks, resolved.semantics):
            about = (*replay.noted.setting, *_carried_notes(replays[-1]))
            replay = replay._replace(noted=replay.noted._replace(setting=about))
        replays.append(replay)
    return replays


def _begin_again(
    run: Run,
    resolved: ResolvedSemantics,
    before: Sequence[Replay],
    callbacks: Sequence[Callback],
    states: Sequence[Any],
) -> list[Any]:
    """Return the states before another fit with the same instances."""
    first = before[0].semantics.name
    if resolved.semantics.name != first:
        sentence = (
            f"run {run.name!r} was trained by {resolved.semantics.name} and the "
            f"first one by {first}: one instance lives in one "
            f"{resolved.family.title}. Choose it with --semantics or semantics=."
        )
        raise ConfigError(sentence)
    _check_carried(before[-1], callbacks, resolved.semantics)
    training = describe_training(run, resolved.semantics, resolved.family)
    return begin_all(callbacks, training, states)


def _carriers(callbacks: Sequence[Callback], semantics: Any) -> list[str]:  # noqa: ANN401
    """Return the classes of the callbacks that carry something into the next fit."""
    return [rule.class_name for rule in callbacks if rule.carries(semantics)]


def _check_carried(
    before: Replay,
    callbacks: Sequence[Callback],
    semantics: Any,  # noqa: ANN401 - a family's own
) -> None:
    carriers = _carriers(callbacks, semantics)
    if before.divergence_epoch is not None and carriers:
        sentence = (
            f"run {before.run.name!r} says nothing from epoch "
            f"{before.divergence_epoch + 1} on, and {carriers[0]} of {semantics.name} "
            "carries its state from there into the next fit. Replay each run by "
            "itself, with replay_run."
        )
        raise EvidenceError(sentence)


def _carried_notes(before: Replay) -> tuple[str, ...]:
    if before.evidence != "censored":
        return ()
    note = (
        f"the fit before, of run {before.run.name!r}, would have gone on past its "
        "record: what is carried into this one is the state at the end of that"
    )
    return (note,)
