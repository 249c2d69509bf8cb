"""Findings about the monitor of a Keras callback: its name, direction and best."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from cbreplay.rules.monitor_checks import (
    find_absence,
    find_absent_monitor,
    find_meant,
    find_opposite_mode,
    find_uncompiled_monitor,
    misspelt_loss,
    refusal_of_text,
    what_follows,
)
from cbreplay.rules.parameters import parameters_of
from cbreplay.series_names import LEARNING_RATE_NAMES, plain_direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.checks import CheckedList, Finding
    from cbreplay.rules.keras.early_stopping import EarlyStopping
    from cbreplay.rules.keras.model_checkpoint import ModelCheckpoint
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau

__all__ = [
    "MONITOR_CHECKS",
    "find_carried_best",
    "find_rate_absence",
    "find_unknown_auto",
]

_Monitoring: TypeAlias = "EarlyStopping | ReduceLROnPlateau | ModelCheckpoint"


def find_unknown_auto(known: CheckedList, callback: _Monitoring) -> Iterator[Finding]:
    """Find a mode='auto' that this Keras may not be able to resolve."""
    if callback.monitor in known.told.logged_later:
        return
    # where the monitor decides something, `_absent_monitor` reports that it is absent
    # and that this Keras raises an error
    absent = callback.watched is None and _finds_no_metric(known, callback)
    resolved = known.mode(callback) is not None and not absent
    if not _asks_the_metric(known, callback) or resolved:
        return
    if callback.watched is not None and (
        _is_told_absent(known, callback)
        or (
            _finds_no_metric(known, callback)
            and any(find_absent_monitor(known, callback))
        )
    ):
        return
    known_not = _known_without_direction(known, callback, absent=absent)
    message, reason = _why_unknown(known, callback, known_not)
    yield known.finding(
        "auto-unknown",
        f"{callback.class_name} {message}",
        reason,
        _with_meant(known, callback, _mode_of(callback.monitor)),
        "remark" if known_not is None else "warning",
    )


def _why_unknown(
    known: CheckedList, callback: _Monitoring, known_not: str | None
) -> tuple[str, str]:
    """Say what this Keras does to find a direction, and why it may find none."""
    keras = known.training.version
    if known_not is not None:
        message = f"raises ValueError for mode='auto' with {callback.monitor!r}"
        reason = f"{keras} asks the compiled metric, and {known_not}"
    else:
        message = (
            f"takes the direction of {callback.monitor!r} from the compiled metric, "
            "and raises ValueError where that has none"
        )
        reason = (
            f"that is how {keras} resolves mode='auto'; a function as a metric, a "
            "custom step and what one output of several logs have no direction"
        )
    return message, reason


def _with_meant(known: CheckedList, callback: _Monitoring, fix: str) -> str:
    """Name the monitor that may be meant first: with a mode, Keras reports no slip."""
    meant = find_meant(known, callback.monitor)
    return f"monitor={meant!r} if that is meant; else {fix}" if meant else fix


def _guessed_auto(known: CheckedList, callback: _Monitoring) -> Iterator[Finding]:
    """Find a mode='auto' that takes "min" for a name that tells no direction."""
    monitor, rule = callback.monitor, known.monitor_rule(callback)
    if (
        callback.mode != "auto"
        or rule.auto == "metric"
        or known.mode(callback) == "max"
    ):
        return
    told = known.training.tell_direction(monitor)
    absent = known.run is not None and monitor not in known.run.series
    if told or absent or _is_told_absent(known, callback):
        return
    yield known.finding(
        "auto-unknown",
        f"mode='auto' means 'min' for {monitor}, whose name tells no direction",
        f"{callback.class_name} of {known.training.version} "
        "goes by the name of the monitor, and takes smaller for better where it does "
        "not know that",
        _with_meant(
            known, callback, "mode='max' where larger is better, or mode='min'"
        ),
        "remark",
    )


def _known_without_direction(
    known: CheckedList, callback: _Monitoring, *, absent: bool
) -> str | None:
    """Say how it is known that the metric has no direction; None if it is not known."""
    compiled, metric = known.facts.compiled, callback.monitor.removeprefix("val_")
    if metric in LEARNING_RATE_NAMES:
        return "a learning rate is none"
    if compiled is not None and compiled.names_outputs and metric != "loss":
        return "knows those of several outputs without the outputs' names"
    own = metric.removeprefix("weighted_")
    if compiled is not None and compiled.directions.get(metric, "") is None:
        is_renamed = own != metric and own in compiled.names
        told = f"knows it as {own!r}" if is_renamed else "this one has no direction"
        return f"{told} ({compiled.place})"
    if absent:
        return "the log has none of that name"
    metadata = None if known.run is None else known.run.metadata
    if metadata is not None and metadata.metrics:
        return "run.json has no direction of that name"
    return None


def _absent_monitor(known: CheckedList, callback: _Monitoring) -> Iterator[Finding]:
    for finding in find_absent_monitor(known, callback):
        raises = _finds_no_metric(known, callback)
        yield finding._replace(reason=_raises_for_auto(known)) if raises else finding


def _uncompiled_monitor(known: CheckedList, callback: _Monitoring) -> Iterator[Finding]:
    raises = (
        _asks_the_metric(known, callback)
        and _is_uncompiled(known, callback)
        and not _is_of_outputs(known, callback)
    )
    for finding in find_uncompiled_monitor(known, callback):
        reason = finding.reason
        if raises:
            reason = _raises_for_auto(known)
        if callback.monitor in ("acc", "val_acc") and "accuracy" in finding.fix:
            reason += "; before Keras 2.3 'accuracy' was logged as acc"
        yield finding._replace(
            reason=reason, fix=_fix_of_outputs(known, callback, finding.fix)
        )


def _renumbered_monitor(known: CheckedList, callback: _Monitoring) -> Iterator[Finding]:
    """Find a monitor that this fit, or those after it in a loop, do not log."""
    monitor = callback.monitor
    metric = monitor.removeprefix("val_")
    others = known.facts.renumbered.get(metric)
    if others is None:
        return
    # one that is kept has its direction from the first fit
    made_anew = not known.told.kept_in
    reason = what_follows(known, callback)
    if made_anew and _asks_the_metric(known, callback):
        reason = _raises_for_auto(known)
    yield known.finding(
        "absent-monitor",
        f"{monitor!r} is the first such metric alone: {others}; Keras numbers those "
        f"without a name, {metric}_1 and so on",
        reason,
        f"name={metric!r} where the metric is made",
    )


def _late_monitor(known: CheckedList, callback: _Monitoring) -> Iterator[Finding]:
    """Find a monitor that only a callback further back in the list logs."""
    writer = known.told.logged_later.get(callback.monitor, "")
    if writer:
        yield _absent(
            known,
            callback,
            f"{callback.monitor!r} is not logged yet where {callback.class_name} looks "
            f"for it: {writer} writes it, and comes after it in the list",
            f"{writer.partition(' ')[0]} before {callback.class_name} in the list",
        )


def _unlogged_rate(known: CheckedList, callback: _Monitoring) -> Iterator[Finding]:
    """Find a learning rate as the monitor that is not logged, or by another name."""
    absence = find_rate_absence(known, callback.monitor)
    if absence is not None:
        said, key = absence
        instead = f"monitor={key!r}" if key else "one of these before it"
        yield _absent(known, callback, said, instead)


def _absent(
    known: CheckedList, callback: _Monitoring, said: str, instead: str
) -> Finding:
    raises = _asks_the_metric(known, callback)
    return known.finding(
        "absent-monitor",
        said,
        _raises_for_auto(known) if raises else what_follows(known, callback),
        f"{instead}, and {_mode_of(callback.monitor)}" if raises else instead,
    )


def find_rate_absence(known: CheckedList, name: str) -> tuple[str, str] | None:
    """Say that no learning rate is logged by this name, and which is; else None."""
    compiled, training = known.facts.compiled, known.training
    is_script = bool(known.facts.place)
    # a metric may have the name too
    may_log = is_script if compiled is None else compiled.may_log(name)
    own_code = any(rule.holds_own_code for rule in known.callbacks)
    if name not in LEARNING_RATE_NAMES or may_log or own_code:
        return None
    key = training.semantics.learning_rate_key
    before = known.callbacks[: known.checked + 1]
    may_be_written = compiled is not None and not compiled.is_whole
    is_written = may_be_written or any(rule.changes_learning_rate for rule in before)
    if name == key and is_written:
        return None
    said = f"{training.version} logs the learning rate as {key!r}, not {name!r}"
    if is_written:
        return said, key
    said = f"{said}, and" if name != key else ""
    who = f"ReduceLROnPlateau and LearningRateScheduler log {key!r}, for callbacks "
    return f"{said} {who}behind them; none is before this".strip(), ""


def _raises_for_auto(known: CheckedList) -> str:
    # keras/src/trainers/trainer.py: the metrics are made before a callback asks them
    return refusal_of_text(known) or (
        f"{known.training.version} raises ValueError for mode='auto' where no compiled "
        "metric has that name"
    )


def _mode_of(monitor: str) -> str:
    """Return the mode to write for a monitor, by its name where that tells one."""
    direction = plain_direction(monitor)
    return f"mode={direction!r}" if direction else "mode='min' or mode='max'"


def _fix_of_outputs(known: CheckedList, callback: _Monitoring, fix: str) -> str:
    """Add a mode where the metric of one output is meant, for Keras finds none."""
    compiled = known.facts.compiled
    if compiled is None or not compiled.names_outputs or "=" not in fix:
        return fix
    meant = fix.partition("=")[2].strip("'")
    if not _asks_the_metric(known, callback) or meant.removeprefix("val_") == "loss":
        return fix
    return f"{fix}, and {_mode_of(meant)}"


def _is_uncompiled(known: CheckedList, callback: _Monitoring) -> bool:
    """Return whether a script compiles no metric that the monitor may be of."""
    if misspelt_loss(known, callback.monitor) is not None:
        return True
    compiled = known.facts.compiled
    return compiled is not None and not compiled.may_log(
        callback.monitor.removeprefix("val_")
    )


def _is_of_outputs(known: CheckedList, callback: _Monitoring) -> bool:
    """Return whether a monitor is a metric's name without that of its output.

    By such a name Keras finds the direction, but logs it behind the output's name.
    """
    compiled, metric = known.facts.compiled, callback.monitor.removeprefix("val_")
    return (
        compiled is not None
        and compiled.names_outputs
        and any(name.endswith(f"_{metric}") for name in compiled.names)
    )


def _is_told_absent(known: CheckedList, callback: _Monitoring) -> bool:
    """Return whether another finding says that no compiled metric has this name."""
    if callback.monitor in LEARNING_RATE_NAMES:
        return find_rate_absence(known, callback.monitor) is not None
    is_absent = find_absence(known, callback.monitor) is not None
    return is_absent and _is_uncompiled(known, callback)


def _asks_the_metric(known: CheckedList, callback: _Monitoring) -> bool:
    """Return whether Keras asks for a direction, as it does once for a callback."""
    # keras/src/callbacks/monitor_callback.py: monitor_op stays for the fits after it
    asks = callback.mode == "auto" and not known.told.was_fitted
    return asks and known.monitor_rule(callback).auto == "metric"


def _finds_no_metric(known: CheckedList, callback: _Monitoring) -> bool:
    """Return whether Keras asks for a metric that the log does not have."""
    metric = callback.monitor.removeprefix("val_")
    if known.run is None:
        return False
    logged = known.run.series
    named = any(name.removeprefix("val_") == metric for name in logged)
    asks = _asks_the_metric(known, callback)
    return asks and metric != "loss" and not named


def find_carried_best(known: CheckedList, callback: _Monitoring) -> Iterator[Finding]:
    """Yield that a callback takes its best from one model's fit into the next."""
    before = known.told.kept_in
    if not before or not callback.carries(known.training.semantics):
        return
    if callback.monitor.removeprefix("val_") in known.facts.renumbered:
        return  # the later fits have no value that might beat it
    saves = "filepath" in parameters_of(callback)
    outcome = "saves only" if saves else "sees an improvement only"
    file = ", with a filepath of its own" if saves else ""
    yield known.finding(
        "best-of-earlier-fit",
        f"from the second fit on, {callback.class_name} {outcome} where a value "
        f"beats the best {callback.monitor} of all earlier fits, of other models",
        f"{before}, and the callback is made once: {known.training.version} does not "
        "reset its best when a fit begins",
        f"a new {callback.class_name} for each fit{file}",
    )


MONITOR_CHECKS = (
    find_opposite_mode,
    find_unknown_auto,
    _guessed_auto,
    _absent_monitor,
    _uncompiled_monitor,
    _renumbered_monitor,
    _late_monitor,
    _unlogged_rate,
)
