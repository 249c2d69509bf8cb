"""A callbacks list, asked at each hook in the order in which Keras calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.errors import ConfigError
from cbreplay.replay.records import Step
from cbreplay.rules.decisions import NOTHING, Decision, Observation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from cbreplay.replay.under_way import Walk
    from cbreplay.rules.callbacks_list import CallbacksList
    from cbreplay.rules.training import Framework

__all__ = ["Hooks"]


class Hooks:
    """What the callbacks of a list do at the hooks of a training, to a `Walk`."""

    def __init__(self, listed: CallbacksList, framework: Framework) -> None:
        self.callbacks, self.groups = listed
        self.framework = framework
        acting = [rule.acts_at for rule in self.callbacks]
        self.at_begin = [i for i, phases in enumerate(acting) if "begin" in phases]
        self.in_batch = [i for i, phases in enumerate(acting) if "batch" in phases]
        # callbacks that act only as an epoch begins are in the trace from there
        self.at_end = [i for i, phases in enumerate(acting) if phases != {"begin"}]
        self.watched = [rule.watched for rule in self.callbacks]

    def begin_epoch(self, walk: Walk, epoch: int, *, is_first: bool) -> list[int]:
        """Let callbacks act at the begin; return who asked for the stop there."""
        asked: list[int] = []
        if not self.at_begin:
            return asked
        rules = [(index, self.callbacks[index]) for index in self.at_begin]
        acts = [(index, rule.begin_epoch) for index, rule in rules]
        if is_first:
            acts = [*((index, rule.begin_training) for index, rule in rules), *acts]
        for index, act in acts:
            seen = _observe(walk, epoch, {}, asked)
            walk.states[index], decision = act(walk.states[index], seen)
            self._take(walk, index, epoch, decision, asked)
        return asked

    def end_epoch(
        self, walk: Walk, epoch: int, fit_logs: dict[str, float], asked: list[int]
    ) -> list[int]:
        """Let every callback see the end of an epoch; return who asks for the stop."""
        enders = self._enders_in_batch(walk, fit_logs) if self.in_batch else []
        # asked for as the epoch began, or at a loss: training ends within the epoch
        walk.broken_off_by = next(iter([*asked, *enders]), None)
        logs_of: dict[tuple[int, ...], dict[str, float]] = {(): dict(fit_logs)}
        for index, callback in enumerate(self.callbacks):
            if walk.raised and index not in enders:
                # after an exception in a batch no callback sees the epoch's end
                continue
            logs = _shared_logs(logs_of, self.groups[index])
            seen = _observe(walk, epoch, logs, asked, fit_logs)
            own_code = callback.holds_own_code
            known = set(logs) if own_code else _NO_NAMES
            logs.update(callback.written_logs(seen))
            value = logs.get(self.watched[index] or "")
            if value is not None:
                walk.unmet.discard(index)
            walk.states[index], decision = callback.step(walk.states[index], seen)
            if own_code:
                self._check_written(index, logs, known)
            if index in self.at_end:
                self._take(
                    walk, index, epoch, decision, asked, value=value, is_end=True
                )
        return asked

    def _enders_in_batch(self, walk: Walk, fit_logs: dict[str, float]) -> list[int]:
        """Return who ends the epoch in mid-batch, up to the first that raises."""
        enders = []
        for index in self.in_batch:
            if self.callbacks[index].ends_in_batch(fit_logs):
                enders.append(index)
                if self.callbacks[index].raises:
                    walk.raised = True
                    break
        return enders

    def ends_training(self, walk: Walk, epoch: int, asked: tuple[int, ...]) -> bool:
        """Return whether training ends here: the loop may overrule a stop."""
        stopped_by, why_not = asked, ""
        if not walk.raised:
            walk.trainer, stopped_by, why_not = self.framework.end_epoch(
                walk.trainer, epoch, asked
            )
        if asked and not stopped_by and not walk.overruled:
            walk.overruled = True
            walk.notes.append(
                f"{self.callbacks[asked[0]].class_name} asks for the stop at the end "
                f"of epoch {epoch + 1}: {why_not}"
            )
        if stopped_by:
            walk.stopped, walk.stopped_by = epoch, stopped_by
        return bool(stopped_by)

    def end_training(self, walk: Walk, fit_logs: Mapping[str, float]) -> None:
        """Let every callback see the end of training, where weights are put back."""
        asked = list(walk.stopped_by)
        for index, callback in enumerate(self.callbacks):
            seen = _observe(walk, walk.last_epoch, dict(fit_logs), asked, fit_logs)
            held = callback.held_epoch(walk.states[index])
            walk.states[index], decision = callback.end_training(
                walk.states[index], seen
            )
            if decision.saved_files or decision.restored_epoch != held:
                # training is over: a rate or a stop that is set now changes nothing
                decision = decision._replace(
                    stop=False, cancels_stop=False, scheduled=False, reduced=False
                )
                self._take(walk, index, walk.last_epoch, decision, [])
            elif held is not None:
                walk.weights_epoch = held

    def _take(
        self,
        walk: Walk,
        index: int,
        epoch: int,
        decision: Decision,
        asked: list[int],
        *,
        value: float | None = None,
        is_end: bool = False,
    ) -> None:
        """Enter a decision into the trace, and do what it says."""
        if is_end or decision != NOTHING:
            walk.trace.append(
                Step(epoch, index, walk.rate, walk.states[index], decision, value)
            )
        if decision.reduced or decision.scheduled:
            walk.rate = decision.learning_rate
            walk.has_changed = walk.sets_rate = True
        if decision.restored_epoch is not None:
            walk.weights_epoch = decision.restored_epoch
        if decision.cancels_stop:
            asked.clear()
        elif decision.stop:
            asked.append(index)

    def _check_written(
        self, index: int, logs: dict[str, float], known: AbstractSet[str]
    ) -> None:
        """Refuse a written value that is no float, if another callback monitors it."""
        for name in logs.keys() - known:
            if name in self.watched and type(logs[name]) is not float:
                sentence = (
                    f"{self.callbacks[index].class_name} writes {name!r} into logs as "
                    f"{type(logs[name]).__name__}, which {self.framework.title} "
                    "compares in another precision than a Python float. Write "
                    "float(...)"
                )
                raise ConfigError(sentence)


def _observe(
    walk: Walk,
    epoch: int,
    logs: dict[str, float],
    asked: list[int],
    fit_logs: Mapping[str, float] | None = None,
) -> Observation:
    return Observation(
        epoch,
        logs,
        walk.rate,
        walk.weights_epoch,
        walk.learning_rate_key,
        bool(asked),
        logs if fit_logs is None else fit_logs,
    )


_NO_NAMES: frozenset[str] = frozenset()


def _shared_logs(
    logs_of: dict[tuple[int, ...], dict[str, float]], group: tuple[int, ...]
) -> dict[str, float]:
    """Return the logs of a nested list: at first a copy of the outer list's logs."""
    if group not in logs_of:
        logs_of[group] = dict(_shared_logs(logs_of, group[:-1]))
    return logs_of[group]
