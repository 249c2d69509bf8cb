"""What `lint` finds by a monitor's name: nothing logs it, or the mode is the opposite.

Findings about ``mode="auto"`` of Keras are in `rules.keras.checks.monitors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.near_series import METRIC_ALIASES, nearest_series
from cbreplay.series_names import LEARNING_RATE_NAMES, is_validation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.rules.checks import CheckedList, Finding
    from cbreplay.run import Run

__all__ = [
    "find_absence",
    "find_absence_in_log",
    "find_absent_monitor",
    "find_meant",
    "find_opposite_mode",
    "find_uncompiled_monitor",
    "misspelt_loss",
    "refusal_of_text",
    "what_follows",
]

_MOST_SHOWN = 8


def find_absent_monitor(known: CheckedList, callback: Any) -> Iterator[Finding]:
    """Find a monitor that has no value in the log."""
    if known.run is None or any(rule.holds_own_code for rule in known.callbacks):
        return  # code of the user's own may write it into the logs
    for monitor, parameter in callback.reads.items():
        absence = find_absence_in_log(known.run, monitor)
        if absence is not None and monitor not in LEARNING_RATE_NAMES:
            said, near = absence
            instead = f"a {parameter} that is logged"
            if near:
                instead = f"{parameter}={near!r}"
            elif _lacks_validation(monitor, _logged_in(known.run)):
                instead = f"validation data for fit, or {instead}"
            follows = what_follows(known, callback)
            yield known.finding("absent-monitor", said, follows, instead)


def _logged_in(run: Run) -> list[str]:
    columns = run.series.items()
    return [name for name, series in columns if series.recorded.any()]


def find_absence_in_log(run: Run, name: str) -> tuple[str, str] | None:
    """Say that a log has no such series, and which may be meant; else None."""
    logged = _logged_in(run)
    # what is left out until --x-axis says what counts was logged
    if name in logged or not logged or "x_axis" in run.left_out.get(name, ""):
        return None
    near = nearest_series(name, logged)
    if near:
        return f"the log has no {name!r}, and has {near!r}", near
    said = f"the log has no {name!r}; it has {_listed(logged)}"
    if _lacks_validation(name, logged):
        said = f"the log has no {name!r}: nothing in it was validated"
    return said, ""


def _lacks_validation(monitor: str, logged: Sequence[str]) -> bool:
    return monitor.startswith("val_") and not any(map(is_validation, logged))


def _listed(names: Sequence[str]) -> str:
    """Write the first names of a list, and how many more there are."""
    more = len(names) - _MOST_SHOWN
    shown = ", ".join(names[:_MOST_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def find_uncompiled_monitor(known: CheckedList, callback: Any) -> Iterator[Finding]:
    """Find a monitor that ``compile`` and ``fit``, as a script has them, do not log."""
    if known.run is not None or any(rule.holds_own_code for rule in known.callbacks):
        return
    compiled = known.facts.compiled
    parted = compiled and compiled.has_outputs and not compiled.names_outputs
    for monitor, parameter in callback.reads.items():
        absence = find_absence(known, monitor)
        if absence is None or monitor in LEARNING_RATE_NAMES:
            continue
        said, instead = absence
        written = f"{parameter}={instead!r}"
        metric = instead.removeprefix("val_")
        if compiled and parted and metric != "loss" and metric in compiled.names:
            written += ", or with an output's name before the metric's"
        lacks_data = is_validation(monitor) and known.facts.validated is False
        if not instead:
            written = "validation data for fit, or " if lacks_data else ""
            written += f"a {parameter} that is logged"
        elif lacks_data:
            written += ", and validation data for fit"
        if compiled and compiled.refused:
            written = "an object of keras.metrics, or a function, in place of "
            written += repr(compiled.refused[0])
        follows = what_follows(known, callback)
        yield known.finding("absent-monitor", said, follows, written)


def find_absence(known: CheckedList, monitor: str) -> tuple[str, str] | None:
    """Say that a script's fit logs no such series, and what may be meant; else None."""
    facts = known.facts
    # "Val_loss" and "valLoss" mean the validation data too
    validated = is_validation(monitor)
    without_data = facts.validated is False
    missing = f"fit ({facts.place}) gets no validation data"
    compiled = facts.compiled
    metric = monitor.removeprefix("val_")
    if compiled is not None and not compiled.may_log(metric):
        logged = [("val_" if validated else "") + name for name in compiled.names]
        near = nearest_series(monitor, logged)
        meant = near != "" and _is_plainly_meant(monitor, near)
        if compiled.has_outputs:
            near = _of_output(monitor, compiled.names) or near
        is_certain = meant or compiled.refused
        if compiled.is_whole or (is_certain and compiled.is_keras):
            shown = _listed([*map(repr, logged)])
            if compiled.has_outputs and not compiled.names_outputs and len(logged) > 1:
                shown += ", after an output's name where there are several"
            said = f"fit logs no {monitor!r}: compile ({compiled.place}) gives {shown}"
            said += f"; and {missing}" if validated and without_data else ""
            return said, near or ("" if len(logged) > 1 else logged[0])
    if without_data and monitor.startswith("val_"):
        who = "it" if compiled is not None else "Keras's fit"
        return f"{missing}, so {who} logs no {monitor!r}", ""
    loss = misspelt_loss(known, monitor)
    if loss is None:
        return None
    said = f"fit logs no {monitor!r}, unless a metric of the model is called {metric!r}"
    return f"{said}: Keras calls the loss {loss!r}", loss


def find_meant(known: CheckedList, monitor: str) -> str:
    """Return the name of a series that a monitor seems to mean, and is not; or "".

    >>> from cbreplay.rules.checks import CheckedList
    >>> from cbreplay.rules.training import Training
    >>> from cbreplay.rules.families import resolve_semantics
    >>> resolved = resolve_semantics("keras-3.15")
    >>> training = Training(resolved.semantics, {}, resolved.family)
    >>> known = CheckedList((), training, None, 1, None)
    >>> find_meant(known, "val_los"), find_meant(known, "val_f1")
    ('val_loss', '')
    >>> find_meant(known, "val_loss"), find_meant(known, "val_head_loss")
    ('', '')
    """
    metric = monitor.removeprefix("val_")
    prefix = monitor[: len(monitor) - len(metric)]
    if known.run is not None:
        logged = _logged_in(known.run)
    else:
        compiled = known.facts.compiled
        names = ("loss",) if compiled is None else compiled.names
        logged = [prefix + name for name in names]
    if monitor in logged or metric.endswith("_loss"):
        return ""
    return nearest_series(monitor, logged)


def misspelt_loss(known: CheckedList, monitor: str) -> str | None:
    """Return Keras's name of the loss, where a monitor differs from it in case only.

    None where ``compile`` was found, whose names are then compared instead.
    """
    loss = monitor.lower()
    is_loss = loss in ("loss", "val_loss") and loss != monitor
    return loss if is_loss and known.facts.compiled is None else None


def _of_output(monitor: str, names: Sequence[str]) -> str | None:
    """Return ``val_b_acc`` for ``val_b_accuracy``, where ``acc`` is compiled.

    >>> _of_output("val_b_accuracy", ["loss", "acc"])
    'val_b_acc'
    """
    for name in names:
        other = METRIC_ALIASES.get(name)
        if other is not None and monitor.endswith(f"_{other}"):
            head = monitor.removesuffix(other)
            return None if head == "val_" else head + name
    return None


def _is_plainly_meant(monitor: str, near: str) -> bool:
    """Return whether two names differ in case only, or name the same metric."""
    if monitor.lower() == near.lower():
        return True
    metric = monitor.removeprefix("val_")
    return METRIC_ALIASES.get(metric) == near.removeprefix("val_")


def what_follows(known: CheckedList, callback: Any) -> str:
    """Say what a callback does where its monitor is never logged."""
    refusal = refusal_of_text(known)
    acts = callback.acts_without_value(known.training.semantics)
    if refusal:
        return refusal
    if acts:
        return f"{callback.class_name} sees epochs without it only, and {acts}"
    return f"{callback.class_name} skips an epoch without it, so it never acts"


def refusal_of_text(known: CheckedList) -> str:
    """Say that ``compile`` gets a text for which this version has no metric; or ""."""
    compiled = known.facts.compiled
    if compiled is None or not compiled.refused:
        return ""
    text = compiled.refused[0]
    return f"{known.training.version} makes no metric of {text!r}, so fit raises"


def find_opposite_mode(known: CheckedList, callback: Any) -> Iterator[Finding]:
    """Find a mode that counts the monitor's worse values as better."""
    direction = known.training.tell_direction(callback.monitor)
    mode = known.mode(callback)
    if direction is None or mode is None or direction == mode:
        return
    better = "larger" if direction == "max" else "smaller"
    follows = "a better value counts as no improvement, and a worse one as the best"
    if callback.mode == "auto":
        code = "auto-mode-against-metric"
        message = f"mode='auto' means {mode!r} for {callback.monitor}"
        reason = (
            f"{callback.class_name} of {known.training.version} goes by the name of "
            f"the monitor, and here {better} is better: {follows}"
        )
    else:
        code = "mode-against-metric"
        message = (
            f"mode={mode!r} with monitor={callback.monitor!r}, where {better} is better"
        )
        reason = follows
    yield known.finding(code, message, reason, f"mode={direction!r}")
