"""What a script says about a training: epochs, validation, rate and metrics."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.rules.checks import TrainingFacts
from cbreplay.scripts.calls import Unread
from cbreplay.scripts.literals import read_literal
from cbreplay.scripts.optimizer_rates import read_rate
from cbreplay.scripts.possible_values import all_literals, only_literal
from cbreplay.scripts.reassigned_names import without_marks
from cbreplay.scripts.syntax import (
    argument_at,
    argument_named,
    is_open,
    method_name,
)

if TYPE_CHECKING:
    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.compiled_metrics import ModelCompiles
    from cbreplay.scripts.scopes import Scope

__all__ = ["FittingCall", "find_fits", "read_facts"]

# of a tuner, which hands all of its arguments to the `fit` of each trial
_SEARCH = "search"
# what may give the fits of a search other arguments: of a HyperModel, and of a tuner
_OF_TRIALS = {"fit", "run_trial"}
# the positions of arguments that are given without a name
_EPOCHS = {"fit": 3, "fit_generator": 2, _SEARCH: 3}
_CALLBACKS = {name: place + 2 for name, place in _EPOCHS.items()}


class FittingCall(NamedTuple):
    """A call of ``fit``, its scope, and what it gets as ``callbacks``."""

    call: ast.Call
    scope: Scope
    given: ast.expr


def find_fits(calls: ScriptCalls) -> tuple[list[FittingCall], list[int]]:
    """Return the ``fit`` calls that get callbacks, and the lines of ``fit(**...)``."""
    fits, unread = [], []
    for call, scope in calls.names.calls:
        place = _CALLBACKS.get(method_name(call))
        if place is None:
            continue
        given = argument_at(call, "callbacks", place)
        if given is not None:
            fits.append(FittingCall(call, scope, given))
        elif argument_named(call, None) is not None:
            unread.append(call.lineno)
    return fits, unread


def read_facts(
    calls: ScriptCalls, fit: FittingCall, compiled: ModelCompiles
) -> TrainingFacts:
    """Return what the script says about the training that a ``fit`` starts."""
    followed = compiled.is_followed
    rate = read_rate(
        calls, compiled.found if followed else calls.compiles, is_followed=followed
    )
    # by place only if the fit is Keras's
    place = _EPOCHS[method_name(fit.call)] if compiled.is_keras else -1
    plan = argument_at(fit.call, "epochs", place)
    plans = [] if plan is None else all_literals(calls, plan, fit.scope)
    doubt = _plan_doubt(calls, fit, plan)
    names = compiled.read()
    return TrainingFacts(
        calls.place(fit.call.lineno),
        None if doubt else _longest(plans),
        _positive(calls, fit, "validation_freq"),
        _is_validated(calls, fit, compiled),
        _resumes(calls, fit),
        rate.schedule,
        rate.number,
        names,
        _positive(calls, fit, "initial_epoch") or 0,
        without_marks(rate.doubt),
        doubt,
        may_be_shorter=any(other != plans[0] for other in plans),
        # keras_tuner/engine/tuner.py, SaveBestEpoch
        keeps_best=method_name(fit.call) == _SEARCH,
    )


def _plan_doubt(calls: ScriptCalls, fit: FittingCall, plan: ast.expr | None) -> str:
    """Say why the text does not tell how many epochs a fit gets; or ""."""
    # keras_tuner/tuners/hyperband.py, run_trial
    if method_name(fit.call) == _SEARCH and "Hyperband" in calls.by_name:
        return "Hyperband chooses the epochs of each trial"
    own = _own_trials(calls, fit)
    if own:
        return f"{own} of the script may choose the epochs of each trial"
    if plan is None:
        given = argument_named(fit.call, None)
        if given is None:
            return ""
        return without_marks(f"what **{calls.written(given)} gives fit cannot be told")
    first = argument_named(fit.call, "initial_epoch")
    for number, told in ((plan, all_literals), (first, only_literal)):
        if number is None or told(calls, number, fit.scope) not in (None, []):
            continue
        try:
            read_literal(calls, number, fit.scope)
        except Unread as unread:
            return unread.problem
    return ""


def _own_trials(calls: ScriptCalls, fit: FittingCall) -> str:
    """Return a method of the script's that runs the fits of a search; "" if none."""
    own = _OF_TRIALS & calls.own_methods if method_name(fit.call) == _SEARCH else set()
    return min(own, default="")


def _longest(plans: list[Any]) -> int | None:
    """Return the largest of the numbers of epochs that a fit may get."""
    told = plans and all(type(plan) is int and plan > 0 for plan in plans)
    return max(plans) if told else None


def _positive(calls: ScriptCalls, fit: FittingCall, name: str) -> int | None:
    given = argument_named(fit.call, name)
    number = None if given is None else only_literal(calls, given, fit.scope)
    return number if type(number) is int and number > 0 else None


def _resumes(calls: ScriptCalls, fit: FittingCall) -> bool:
    """Return whether a fit certainly begins later than with the first epoch."""
    given = argument_named(fit.call, "initial_epoch")
    if given is None:
        return False
    try:
        number = read_literal(calls, given, fit.scope)
    except Unread:
        return _is_after_a_fit(calls, given, fit.scope)
    return type(number) is int and number > 0


def _is_after_a_fit(calls: ScriptCalls, node: ast.expr, scope: Scope) -> bool:
    """Return whether this is ``h.epoch[-1]`` or the like, of the History of a ``fit``.

    That fit must have several epochs: the last one of a single epoch is 0.
    """
    for inner in ast.walk(node):
        if not (isinstance(inner, ast.Attribute) and inner.attr == "epoch"):
            continue
        told = calls.followed_if_told(inner.value, scope)
        fitted, holder = told or (None, scope)
        if isinstance(fitted, ast.Call) and method_name(fitted) in _EPOCHS:
            earlier = FittingCall(fitted, holder, fitted)
            if (_positive(calls, earlier, "epochs") or 0) > 1:
                return True
    return False


def _is_validated(
    calls: ScriptCalls, fit: FittingCall, compiled: ModelCompiles
) -> bool | None:
    """Return whether a fit gets validation data; None where that cannot be told."""
    call = fit.call
    if not compiled.may_be_keras or _own_trials(calls, fit):
        return None
    # behind the callbacks, validation data may be given by place
    if is_open(call) or len(call.args) > _CALLBACKS[method_name(call)] + 1:
        return None
    for name in ("validation_data", "validation_split"):
        given = argument_named(fit.call, name)
        if given is None:
            continue
        try:
            if read_literal(calls, given, fit.scope):
                return True
        except Unread:
            return True
    return False
