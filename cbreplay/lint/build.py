"""Every finding about a list of callbacks, in the order of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.errors import ConfigError
from cbreplay.lint.checkpoints import CHECKPOINT_CHECKS
from cbreplay.lint.finding import Finding, Known
from cbreplay.lint.order import LIST_CHECKS
from cbreplay.lint.prechelt import PRECHELT_CHECKS
from cbreplay.lint.record import RECORD_CHECKS
from cbreplay.lint.settings import (
    EARLY_STOPPING_CHECKS,
    MONITOR_CHECKS,
    REDUCE_CHECKS,
    find_opposite_mode,
)
from cbreplay.rules import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from cbreplay.rules.base import Training, rule_name
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.keras.keras_code import CODE_OF_RULES
from cbreplay.rules.keras.semantics import resolve_semantics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["lint_callbacks"]


def lint_callbacks(
    callbacks: Any,  # noqa: ANN401 - ours, Keras's, or lists of them
    *,
    epochs: int | None = None,
    validation_freq: int | None = None,
    run: Run | None = None,
    semantics: str | None = None,
) -> tuple[Finding, ...]:
    """Find settings that can never act, or act otherwise than they look.

    No log is needed; only what is certain by Keras's rules is reported, for values as
    ``fit`` logs them.

    Parameters
    ----------
    callbacks : iterable of Callback or Keras callbacks, or one
        A Keras callbacks list, in order, as `replay_run` takes it.
    epochs : int, optional
        The ``epochs`` of ``fit``; those of the run by default.
    validation_freq : int, optional
        As in ``fit``; that of the run by default, else 1.
    run : Run, optional
        A record of such a training, for what only values can tell.
    semantics : str, optional
        Which Keras decides, as in `replay_run`.

    Returns
    -------
    tuple of Finding
        In the order of the list; empty if there is nothing to object to.

    Raises
    ------
    ConfigError
        If something in the list is no callback, or a count is not positive.
    SemanticsError
        If the Keras version is not known.

    Examples
    --------
    >>> from cbreplay import EarlyStopping, ReduceLROnPlateau
    >>> reducer = ReduceLROnPlateau(patience=8, min_delta=0)
    >>> stopper = EarlyStopping(patience=5, restore_best_weights=True)
    >>> [finding.code for finding in lint_callbacks([reducer, stopper])]
    ['reduce-after-stop']
    """
    listed = read_callbacks(callbacks).callbacks
    _check(epochs, validation_freq)
    metadata = None if run is None else run.metadata
    resolved = resolve_semantics(semantics, metadata=metadata)
    known = Known(
        listed,
        Training(resolved.semantics, {} if metadata is None else metadata.metrics),
        epochs if epochs is not None or run is None else run.planned_epochs,
        validation_freq or _recorded_freq(run),
        run,
    )
    # a callback of the user's own may take a stop back, or set the rate itself
    drives = any(rule_name(one) == "DrivenCallback" for one in listed)
    found = (
        [] if drives else [finding for check in LIST_CHECKS for finding in check(known)]
    )
    for index, callback in enumerate(listed):
        found += _about_one(known, index, callback)
    return tuple(sorted(found, key=lambda one: one.callback))


def _check(epochs: int | None, validation_freq: int | None) -> None:
    for name, number in (("epochs", epochs), ("validation_freq", validation_freq)):
        if number is not None and number < 1:
            sentence = f"{name} is {number!r}, where 1 or more is expected"
            raise ConfigError(sentence)


def _recorded_freq(run: Run | None) -> int:
    """Return the run's validation_freq; 1 where it does not say, or has a list."""
    if run is None or run.metadata is None:
        return 1
    recorded = run.metadata.fit.validation_freq
    return recorded if isinstance(recorded, int) else 1


def _about_one(known: Known, index: int, callback: Callback) -> Iterator[Finding]:
    checks: list[Any] = []
    if isinstance(callback, EarlyStopping):
        checks += [*EARLY_STOPPING_CHECKS, *MONITOR_CHECKS]
    elif isinstance(callback, ReduceLROnPlateau):
        checks += [*REDUCE_CHECKS, *MONITOR_CHECKS]
    elif isinstance(callback, ModelCheckpoint):
        checks += CHECKPOINT_CHECKS
    elif rule_name(callback) in CODE_OF_RULES:
        checks += [*PRECHELT_CHECKS, find_opposite_mode]
    for check in checks:
        yield from check(known, index, callback)
    if known.run is not None and isinstance(
        callback, (EarlyStopping, ReduceLROnPlateau)
    ):
        for record_check in RECORD_CHECKS:
            yield from record_check(known, known.run, index, callback)
