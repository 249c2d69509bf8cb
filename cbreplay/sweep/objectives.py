"""By which series every config is judged on every run."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.errors import CbreplayError
from cbreplay.evidence.holes import find_gap
from cbreplay.evidence.outcomes import (
    best_recorded_epoch,
    has_ambiguous_best,
    resolve_objective,
)
from cbreplay.rules.base import monitored_series
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.families import family_of, resolve_semantics
from cbreplay.rules.training import Training, describe_training
from cbreplay.sweep.table import Judged, SweptRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.judging import Judging
    from cbreplay.rules.base import Callback
    from cbreplay.rules.family import ResolvedSemantics
    from cbreplay.run import EpochArray, Run
    from cbreplay.sweep.plan import Block

__all__ = ["Begun", "VersionFinder", "begin_runs", "cut_alike", "find_objectives"]


class Begun(NamedTuple):
    """A run, and what decides and judges it."""

    training: Training
    swept: SweptRun


class VersionFinder:
    """Which version of which framework decides each of many runs.

    The user may have asked for one in `judging`; the callbacks tell the framework.
    """

    def __init__(self, judging: Judging, callbacks: Iterable[Callback]) -> None:
        self._asked, self._callbacks = judging.semantics, list(callbacks)
        self._shared: ResolvedSemantics | None = None

    def find(self, run: Run) -> ResolvedSemantics:
        """Return which version decides a run; the installed one is looked up only once.

        Raises
        ------
        ConfigError, SemanticsError
            As `resolve_semantics`.
        """
        if self._asked is None and run.metadata is not None:
            return resolve_semantics(
                None, metadata=run.metadata, callbacks=self._callbacks
            )
        if self._shared is None:
            self._shared = resolve_semantics(self._asked, callbacks=self._callbacks)
        return self._shared


def begin_runs(
    runs: Sequence[Run], examples: list[tuple[Any, ...]], judging: Judging
) -> list[Begun | None]:
    """Find the version and the objectives of each run; None where that fails.

    The scalar replay of that run then raises the error.
    """
    versions = VersionFinder(judging, itertools.chain.from_iterable(examples))
    return [_begin_run(run, examples, judging, versions) for run in runs]


def _begin_run(
    run: Run,
    examples: list[tuple[Any, ...]],
    judging: Judging,
    versions: VersionFinder,
) -> Begun | None:
    try:
        resolved = versions.find(run)
        training = describe_training(run, resolved.semantics, resolved.family)
        judged = tuple(_judged(run, example, training, judging) for example in examples)
    except CbreplayError:
        return None
    swept = SweptRun(
        run.name,
        run.source,
        run.first_epoch,
        run.n_epochs,
        run.reached_plan,
        training.semantics.name,
        judged,
        run.epoch_seconds,
        run.metadata,
        run.learning_rate,
    )
    return Begun(training, swept)


def find_objectives(
    configs: Any,  # noqa: ANN401 - as `read_configs`
    blocks: list[Block],
) -> tuple[list[tuple[Any, ...]], EpochArray | None]:
    """Return one example config for each objective, and which one each config has.

    Configs whose rules monitor the same series have the same objective. The second
    value holds, for each config, the index of its example; None if there is only one.

    Raises
    ------
    ConfigError
        If the configs are of two frameworks.
    """
    found: dict[Any, int] = {}
    examples: list[tuple[Any, ...]] = []
    codes = np.zeros(len(configs), dtype=np.int32)
    for block in blocks:
        for columns, config in cut_alike(block, configs):
            key = _watching(config)
            if key not in found:
                found[key] = len(examples)
                examples.append(config)
            codes[columns] = found[key]
    family_of(rule for example in examples for rule in example)
    return examples, codes if len(examples) > 1 else None


def cut_alike(
    block: Block,
    configs: Any,  # noqa: ANN401 - as `read_configs`
) -> Iterator[tuple[EpochArray, tuple[Callback, ...]]]:
    """Yield the configs of each part of a block whose lists all monitor the same.

    They are places among all configs of the sweep, beside the rules of the first.
    """
    axes = {
        axis
        for slot in block.slots
        for axis in slot.axes(*(name for name in _OBJECTIVE if name in slot.parameters))
    }
    if not block.vectorised:
        # a rule without a kernel: any parameter may change what is monitored
        axes = set(range(len(block.shape)))
    places, whole = block.places.reshape(block.shape), slice(None)
    parts: list[Any] = [
        range(length) if axis in axes else [whole]
        for axis, length in enumerate(block.shape)
    ]
    for cut in itertools.product(*parts):
        columns = np.ravel(places[cut])
        yield columns, read_callbacks(configs[int(columns[0])]).callbacks


_OBJECTIVE = ("monitor", "mode", "save_best_only")


def _watching(config: tuple[Callback, ...]) -> tuple[Any, ...]:
    """Return what decides the objective of a list, and its framework."""
    watching = [rule for rule in config if monitored_series([rule])]
    return (
        family_of(config),
        *((type(rule), rule.monitor, rule.mode) for rule in watching),
    )


def _judged(
    run: Run, config: tuple[Any, ...], training: Training, judging: Judging
) -> Judged:
    name, mode = resolve_objective(run, config, training, judging)
    if name is None:
        unknown = np.full(run.n_epochs, np.nan)
        return Judged(None, None, unknown, unknown)
    values = run.monitored(name).values
    best_epoch = best_recorded_epoch(run, name, mode)
    lacks = find_gap(run, name) is not None
    if best_epoch is None:
        return Judged(name, mode, values, np.full(len(values), np.nan), lacks)
    best = values[best_epoch - run.first_epoch]
    with np.errstate(all="ignore"):
        apart = values - best if mode == "min" else best - values
    # as `judge_epoch`
    regrets = np.where(apart == -np.inf, np.nan, np.maximum(0.0, apart))
    several = list(run.series[name].others)
    if several:
        # an epoch with several values in the log has no certain one
        values, regrets = values.copy(), regrets.copy()
        values[several] = regrets[several] = np.nan
    if has_ambiguous_best(run, name, mode):
        regrets = np.full(len(values), np.nan)
    return Judged(name, mode, values, regrets, lacks)
