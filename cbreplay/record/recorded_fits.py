"""The fits of a recorded run of a bundled experiment, each with its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.expressions import parse_recorded
from cbreplay.plain_text import shown_value
from cbreplay.record.plan import make_plan
from cbreplay.rules.registry import stands_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.record.plan import ExperimentPlan
    from cbreplay.run import Run
    from cbreplay.run_metadata import EarlierFit, RunMetadata

__all__ = ["RecordedFit", "deciding_callbacks", "find_fits"]


class RecordedFit(NamedTuple):
    """One fit of a recorded experiment.

    Parameters
    ----------
    plan : ExperimentPlan
        Its settings.
    first_epoch : int
        The epoch that it began with.
    callbacks : tuple of str
        The list that it was recorded under.
    broken_off : bool
        Whether it was interrupted or failed, after its last whole epoch.
    """

    plan: ExperimentPlan
    first_epoch: int
    callbacks: tuple[str, ...]
    broken_off: bool = False


def find_fits(run: Run) -> tuple[RecordedFit, ...]:
    """Return the fits of a bundled experiment, the first one first.

    Raises
    ------
    ConfigError
        If the run is no bundled experiment, or was recorded under a list that cannot be
        read.
    """
    metadata = run.metadata
    if metadata is None or not isinstance(metadata.raw.get("experiment"), str):
        why = "its run.json names no experiment"
        if metadata is None:
            why = "it has no run.json that can be read"
        sentence = (
            f"run {run.name!r} cannot be trained again: {why}. Give a run of cbreplay "
            'train, or the script that it was recorded of: --script "train.py ARGS" or '
            "script="
        )
        raise ConfigError(sentence)
    _check_callbacks(run, metadata)
    fits: list[EarlierFit | RunMetadata] = [*metadata.earlier_fits, metadata]
    told = [*(metadata.raw.get("earlier_fits") or []), metadata.raw]
    return tuple(
        RecordedFit(
            _plan(metadata.raw, fit_told, is_first=number == 0),
            fit.fit.initial_epoch,
            fit.callbacks,
            broken_off=fit.ended is not None and fit.ended.broken_off,
        )
        for number, (fit, fit_told) in enumerate(zip(fits, told, strict=True))
    )


def deciding_callbacks(listed: Sequence[str]) -> list[str]:
    """Return those of a recorded list that decide; the loggers would write files."""
    return [text for text in listed if not stands_by(text.partition("(")[0])]


def _check_callbacks(run: Run, metadata: RunMetadata) -> None:
    """Refuse callbacks that cannot be read, before the slow import of Keras."""
    lists = [*(fit.callbacks for fit in metadata.earlier_fits), metadata.callbacks]
    for listed in lists:
        for text in deciding_callbacks(listed):
            try:
                parse_recorded([text])
            except CbreplayError as error:
                sentence = (
                    f"run {run.name!r} cannot be trained again: its run.json lists "
                    f"the callback {shown_value(text)}, which is none that can be "
                    "read. Record it again, with cbreplay train"
                )
                raise ConfigError(sentence) from error


def _plan(
    run_told: Mapping[str, Any], fit_told: Mapping[str, Any], *, is_first: bool
) -> ExperimentPlan:
    fit = fit_told.get("fit") or {}
    optimizer = fit_told.get("optimizer") or {}
    return make_plan(
        run_told["experiment"],
        epochs=fit.get("epochs"),
        seed=run_told.get("seed", 0),
        # a resumed fit goes on at the rate it ended with
        learning_rate=optimizer.get("initial_learning_rate") if is_first else None,
        batch_size=fit.get("batch_size"),
        validation_freq=fit.get("validation_freq") or 1,
    )
