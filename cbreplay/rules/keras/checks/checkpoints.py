"""Findings about the files that ModelCheckpoint leaves."""

from __future__ import annotations

import os
import string
from typing import TYPE_CHECKING

from cbreplay.rules.checks import (
    BYSTANDING,
    NOT_TOLD,
    Finding,
    RuleChecks,
    find_text_flags,
)
from cbreplay.rules.keras.checks.monitors import (
    MONITOR_CHECKS,
    find_carried_best,
    find_rate_absence,
    find_unknown_auto,
)
from cbreplay.rules.keras.checks.records import never_beaten
from cbreplay.rules.keras.model_checkpoint import ModelCheckpoint
from cbreplay.rules.monitor_checks import (
    find_absence,
    find_absence_in_log,
    refusal_of_text,
)
from cbreplay.series_names import LEARNING_RATE_NAMES, is_validation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.bystander import Bystander
    from cbreplay.rules.checks import CheckedList

__all__ = ["LOGGING", "SAVING"]

# a file with such a word in its name is meant to hold the last epoch
_MEANT = ("backup", "current", "last", "latest", "recent", "resume")


def _overwrites_one_file(
    known: CheckedList, callback: ModelCheckpoint
) -> Iterator[Finding]:
    name = os.path.basename(callback.filepath)  # noqa: PTH119 - as a text
    if callback.save_best_only or _fields(callback.filepath):
        return
    if any(word in name.lower() for word in _MEANT):
        return
    yield known.finding(
        "overwrites-one-file",
        f"every epoch is saved over the same file, {callback.filepath!r}: it "
        "ends with the weights of the last epoch, not the best",
        "save_best_only is False by default, and filepath has no {epoch} in it",
        "save_best_only=True, or a filepath such as '{epoch:02d}.weights.h5'; a name "
        "with 'last' in it if that is meant",
        "remark",
    )


def _overwrites_after_resume(
    known: CheckedList, callback: ModelCheckpoint
) -> Iterator[Finding]:
    run = known.run
    seams = () if run is None else run.seams
    forgets = callback.save_best_only and callback.initial_value_threshold is None
    if not forgets or _fields(callback.filepath):
        return
    facts: dict[str, float] = {}
    if seams:
        facts = {"seam_epoch": seams[0]}
        resumed = f"the fit that went on with epoch {seams[0] + 1}"
    elif known.told.written_in:
        resumed = f"after {known.told.written_in}, {_this_fit(known)}"
    elif known.facts.resumes:
        resumed = f"a fit with initial_epoch ({known.facts.place})"
    elif run is not None and run.first_epoch > 0 and run.begins_at is None:
        facts = {"first_epoch": run.first_epoch}
        resumed = f"a fit that begins with epoch {run.first_epoch + 1}"
    else:
        return
    yield known.finding(
        "overwrites-after-resume",
        f"{resumed} saves its first {callback.monitor} over {callback.filepath!r}, "
        "also where it is worse",
        "a ModelCheckpoint that is created anew knows no best of an earlier fit",
        "initial_value_threshold= the best so far, or a filepath of its own for each "
        "fit",
        "remark",
        facts=facts,
    )


def _this_fit(known: CheckedList) -> str:
    return f"the fit of {known.facts.place}"


def _overwrites_log(known: CheckedList, callback: Bystander) -> Iterator[Finding]:
    """Find a logger that begins its file anew, over what an earlier fit logged."""
    earlier = known.told.written_in
    if earlier:
        yield known.finding(
            "overwrites-log",
            f"{_this_fit(known)} writes over what {earlier} logged, with nothing "
            "between them that reads the file",
            f"{callback.class_name} begins its file anew with each fit, unless it has "
            "append=True",
            "append=True, or a file of its own for each fit",
            "remark",
        )


def _refused_filepath(
    known: CheckedList, callback: ModelCheckpoint
) -> Iterator[Finding]:
    endings = callback.wanted_endings(known.training.semantics)
    if not endings or callback.filepath.endswith(endings):
        return
    flag = f"save_weights_only={callback.save_weights_only}"
    _, untold, ending = callback.filepath.rpartition(NOT_TOLD)
    filepath = untold + ending
    stem = os.path.splitext(filepath)[0]  # noqa: PTH122 - as a text
    if stem.endswith("/"):
        # a directory, as tf_keras takes it
        stem += "model"
    instead = f"one that ends in {endings[0]}"
    if not untold:
        instead = f"filepath={stem + endings[0]!r}"
    yield known.finding(
        "refused-filepath",
        f"ModelCheckpoint raises ValueError for {filepath!r}: with {flag} it "
        f"has to end in {' or '.join(endings)}",
        f"{known.training.version} takes no other ending",
        instead,
    )


def _absent_field(known: CheckedList, callback: ModelCheckpoint) -> Iterator[Finding]:
    if any(rule.holds_own_code for rule in known.callbacks):
        return
    for name in dict.fromkeys(_fields(callback.filepath)):
        absence = _absence(known, name)
        if absence is not None:
            said, instead = absence
            yield known.finding(
                "absent-field",
                refusal_of_text(known)
                or f"ModelCheckpoint raises KeyError where it first saves: {said}",
                f"it fills {{{name}}} of filepath with what fit logs",
                instead or f"a filepath without {{{name}}}",
            )


def _absence(known: CheckedList, name: str) -> tuple[str, str] | None:
    """Say that a field of a filepath has no value, and what to write; else None."""
    writer = known.told.logged_later.get(name, "")
    if writer:
        late = f"{name!r} is not logged yet, {writer} writes it and comes after it in "
        own = writer.partition(" ")[0]
        return f"{late}the list", f"{own} before ModelCheckpoint in the list"
    if name == "epoch" or (name == "batch" and "save_freq" in known.told.parameters):
        return None
    if name == "batch":
        return "no {batch} is there with save_freq='epoch'", ""
    if known.run is None and known.validation_freq > 1 and is_validation(name):
        # keras/src/callbacks/model_checkpoint.py names a file before it compares
        every = f"validation_freq={known.validation_freq}"
        return f"with {every}, {name!r} is not logged in each epoch", ""
    if name in LEARNING_RATE_NAMES:
        absence = find_rate_absence(known, name)
    elif known.run is None:
        absence = find_absence(known, name)
    else:
        absence = find_absence_in_log(known.run, name)
    if absence is None:
        return None
    said, near = absence
    near = "epoch" if name.lower() == "epoch" else near
    return said, f"{{{near}}}" if near else ""


def _shares_its_file(
    known: CheckedList, callback: ModelCheckpoint
) -> Iterator[Finding]:
    for place, other in enumerate(known.callbacks[: known.checked]):
        same = (
            isinstance(other, ModelCheckpoint) and other.filepath == callback.filepath
        )
        if same and other != callback and NOT_TOLD not in callback.filepath:
            yield known.finding(
                "shares-a-file",
                f"two ModelCheckpoints write {callback.filepath!r} "
                f"({known.places_of(place, known.checked)})",
                "where both save in an epoch they write the same weights; where one "
                "does, it replaces what the other kept",
                "a filepath of its own for each",
                facts={"other_callback": place},
            )
            return


def _threshold_never_beaten(
    known: CheckedList, callback: ModelCheckpoint
) -> Iterator[Finding]:
    threshold, mode = callback.initial_value_threshold, known.mode(callback)
    run = known.run
    if threshold is None or mode is None or not callback.save_best_only:
        return
    series = None if run is None else run.series.get(callback.monitor)
    # a log that begins late: the threshold may be the best of an earlier fit. In an
    # epoch without the monitor some versions save all the same
    if run and (run.first_epoch or series is None or not series.recorded.all()):
        return
    comparison = known.comparison(callback, mode)
    values = [] if series is None else series.values.tolist()
    found = never_beaten(known, callback.monitor, threshold, comparison, values)
    is_meant = run is not None and run.seams and threshold in values
    if found is not None and not is_meant:
        where, facts = found
        yield known.finding(
            "threshold-never-beaten",
            f"ModelCheckpoint saves no file: initial_value_threshold {threshold:g} is "
            f"never beaten {where}",
            "with save_best_only, the first file is saved where a value beats it",
            "a threshold that is reached, or none",
            facts=facts,
        )


def _by_its_monitor(known: CheckedList, callback: ModelCheckpoint) -> Iterator[Finding]:
    # without save_best_only nothing is compared, but Keras still resolves the mode
    compared = (find_carried_best, *MONITOR_CHECKS)
    checks = compared if callback.save_best_only else (find_unknown_auto,)
    for check in checks:
        yield from check(known, callback)


def _fields(filepath: str) -> list[str]:
    """Return the names in the braces of a filepath."""
    parsed = string.Formatter().parse(filepath)
    return [name for _, name, _, _ in parsed if name is not None]


SAVING = RuleChecks(
    (
        find_text_flags,
        _refused_filepath,
        _absent_field,
        _overwrites_one_file,
        _overwrites_after_resume,
        _shares_its_file,
        _threshold_never_beaten,
        _by_its_monitor,
    ),
    when_it_stays="may save the later model over the earlier file",
)
LOGGING = RuleChecks(
    (_overwrites_log,),
    stands_twice=BYSTANDING.stands_twice,
    when_it_stays="logs the later fit in the earlier file",
)
