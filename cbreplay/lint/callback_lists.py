"""`lint_callbacks`: every finding about a list of callbacks, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.checks import CheckedList, Finding, WrittenCallback
from cbreplay.rules.families import resolve_semantics
from cbreplay.rules.parameters import parameters_of
from cbreplay.rules.registry import checks_of
from cbreplay.rules.training import Training
from cbreplay.wording.near_names import nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.rules.family import Family
    from cbreplay.run import Run

__all__ = ["AFTER_A_STOP", "find_about_each", "find_about_list", "lint_callbacks"]

_MOST_EPOCHS = 2**53
_ABOUT_STOPS = {"keeps-later-weights"}
# the findings of a callback that mean nothing where it also has another one
_POINTLESS = {
    # it never sees a value of its monitor
    "absent-monitor": {
        *("keeps-later-weights", "overwrites-after-resume", "patience-beyond-plan"),
        *("patience-in-validations", "steep-factor"),
    },
    # it never stops
    "patience-beyond-plan": _ABOUT_STOPS,
    "starts-after-plan": _ABOUT_STOPS,
    # it saves no file
    "refused-filepath": {
        *("absent-field", "overwrites-after-resume", "overwrites-one-file"),
        "shares-a-file",
    },
    # it raises an error where it would reduce the rate
    "schedule-beside-plateau": {
        *("factor-leaves-nothing", "factor-of-one", "steep-factor"),
    },
}
# findings that a stop comes first: left out if the monitor is absent, so none comes
AFTER_A_STOP = {"reduce-after-stop", "reduce-rarely-before-stop", "stop-after-stop"}


@checked
def lint_callbacks(
    callbacks: Any,  # noqa: ANN401 - ours, Keras's, or lists of them
    *,
    epochs: int | None = None,
    validation_freq: int | None = None,
    run: object | None = None,
    semantics: str | None = None,
    schedule: str | None = None,
    written: Sequence[frozenset[str]] = (),
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
    run : Run, History, dict of lists, DataFrame, or path, optional
        A record of such a training, for the checks that need values.
    semantics : str, optional
        Which Keras decides, as in `replay_run`.
    schedule : str, optional
        The class of the LearningRateSchedule that the optimizer has; that of the run
        by default.
    written : sequence of frozenset of str, optional
        Which parameters the code of each callback gives, if there is code: a value that
        is written out is intended, even if it is the default.

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
    record = _recorded(run)
    metadata = None if record is None else record.metadata
    resolved = resolve_semantics(semantics, metadata=metadata, callbacks=listed)
    directions = {} if record is None else record.directions
    if metadata is not None:
        schedule = schedule or metadata.schedule
        directions = {**directions, **metadata.metrics}
    known = CheckedList(
        listed,
        Training(resolved.semantics, directions, resolved.family, schedule=schedule),
        _planned(epochs, record),
        min(validation_freq or _recorded_freq(record), _MOST_EPOCHS),
        record,
        written=tuple(WrittenCallback(parameters=names) for names in written),
    )
    by_itself = list(find_about_each(known))
    absent = {
        finding.callback for finding in by_itself if finding.code == "absent-monitor"
    }
    about_list = [
        finding
        for finding in find_about_list(known, resolved.family)
        if not (finding.code in AFTER_A_STOP and finding.callback in absent)
    ]
    return tuple(sorted([*about_list, *by_itself], key=lambda found: found.callback))


def _recorded(run: object | None) -> Run | None:
    if run is None:
        return None
    from cbreplay.given import as_run

    return as_run(run)


def find_about_each(known: CheckedList) -> Iterator[Finding]:
    """Yield the findings about each callback of a list by itself."""
    for index, callback in enumerate(known.callbacks):
        checks, at = checks_of(callback), known._replace(checked=index)
        unknown = list(_unknown_parameters(at, callback))
        yield from unknown
        yield from _staying(at, callback)
        # with a misspelt parameter the call is not the one that was meant
        single = () if unknown else checks.single
        found = [finding for check in single for finding in check(at, callback)]
        # first the name of the monitor: with another mode it would still be misspelt
        found.sort(key=lambda finding: finding.code != "absent-monitor")
        pointless = set[str]().union(
            *(_POINTLESS.get(finding.code, ()) for finding in found)
        )
        yield from (finding for finding in found if finding.code not in pointless)


def _unknown_parameters(known: CheckedList, callback: Callback) -> Iterator[Finding]:
    """Yield each keyword in the code of a callback that is no parameter of it."""
    parameters = parameters_of(callback)
    taken = {*parameters}
    if callback.takes_older_names(known.training.semantics):
        taken.update(callback.older_parameters)
    for name in sorted(known.told.parameters - taken):
        yield known.finding(
            "unknown-parameter",
            f"{callback.class_name} has no parameter {name!r}"
            f"{nearest_name(name, parameters)}",
            callback.on_older_name
            if name in callback.older_parameters
            else callback.on_unknown_name,
            callback.older_parameters.get(name, f"one of {', '.join(parameters)}"),
        )


def _staying(known: CheckedList, callback: Callback) -> Iterator[Finding]:
    """Yield that a callback stays in a list that later fits get too."""
    if not known.told.stays_in:
        return
    checks = checks_of(callback)
    # equal callbacks decide alike, unless one goes on with the best of an earlier fit;
    # a ModelCheckpoint then saves the same weights to the same file as the new one
    carries = callback.carries(known.training.semantics)
    forgets = not carries or "filepath" in parameters_of(callback)
    alike = forgets and known.told.is_told and checks.stands_twice is None
    yield known.finding(
        "stays-in-list",
        f"each later fit also has the {callback.class_name} of every earlier one, "
        f"which {'adds nothing' if alike else checks.when_it_stays}",
        known.told.stays_in,
        "a list made anew for each fit",
        "remark" if alike else "warning",
    )


def find_about_list(known: CheckedList, family: Family) -> Iterator[Finding]:
    """Yield the findings about callbacks that defeat or repeat each other."""
    # none if the user's own code is in the list: it may take back a stop, or set the
    # rate
    if len(known.callbacks) > 1 and not any(
        callback.holds_own_code for callback in known.callbacks
    ):
        for check in family.list_checks:
            yield from check(known)
        yield from _identical_callbacks(known)


def _identical_callbacks(known: CheckedList) -> Iterator[Finding]:
    for index, callback in enumerate(known.callbacks):
        first = known.callbacks.index(callback)
        if first == index:
            continue
        says = checks_of(callback).stands_twice
        reason = "it decides in the same epochs as the first, so it adds nothing"
        if says is not None:
            reason = says(callback)
        yield Finding(
            "identical-callbacks",
            index,
            f"{callback.class_name} stands in the list twice with the same arguments "
            f"({known.places_of(first, index)})",
            reason,
            "remove one of the two",
            facts={"first_callback": first},
        )


def _planned(epochs: int | None, run: Run | None) -> int | None:
    """Return the ``epochs`` of ``fit``, at most 2**53: a float is exact up to that."""
    if epochs is None and run is not None:
        epochs = run.planned_epochs
    return None if epochs is None else min(epochs, _MOST_EPOCHS)


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
