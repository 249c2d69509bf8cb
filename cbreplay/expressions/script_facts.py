"""What a script says about a training: epochs, validation, rate and metrics."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.expressions.compiled_metrics import ModelCompiles
from cbreplay.expressions.optimizer_rates import read_rate
from cbreplay.expressions.possible_values import only_literal
from cbreplay.expressions.reassigned_names import without_marks
from cbreplay.expressions.script_calls import Unread
from cbreplay.expressions.script_literals import read_literal
from cbreplay.rules.checks import TrainingFacts

if TYPE_CHECKING:
    from cbreplay.expressions.scopes import Scope
from cbreplay.expressions.script_calls import ScriptCalls

__all__ = ["FittingCall", "find_fits", "read_facts"]

# the positions of arguments that are given without a name
_FITS = {"fit": 5, "fit_generator": 4}
_EPOCHS = {"fit": 3, "fit_generator": 2}
# a fit with more arguments by place than these may get validation data among them
_MOST_BY_PLACE = {"fit": 6, "fit_generator": 5}


class FittingCall(NamedTuple):
    """A call of ``fit`` that gets callbacks.

    Parameters
    ----------
    call : ast.Call
        The call.
    scope : Scope
        Its scope.
    given : ast.expr
        What it gets as ``callbacks``.
    """

    call: ast.Call
    scope: Scope
    given: ast.expr


def find_fits(calls: ScriptCalls) -> tuple[list[FittingCall], list[int]]:
    """Return the ``fit`` calls that get callbacks, and the lines of ``fit(**...)``."""
    fits, unread = [], []
    for call, scope in calls.names.calls:
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method not in _FITS:
            continue
        given = _given_to_fit(call, _FITS[method])
        if given is not None:
            fits.append(FittingCall(call, scope, given))
        elif any(word.arg is None for word in call.keywords):
            unread.append(call.lineno)
    return fits, unread


def _given_to_fit(call: ast.Call, place: int) -> ast.expr | None:
    named = [word.value for word in call.keywords if word.arg == "callbacks"]
    by_place = call.args[: place + 1]
    starred = any(isinstance(given, ast.Starred) for given in by_place)
    if not named and len(by_place) > place and not starred:
        named = by_place[place:]
    return named[0] if named else None


def read_facts(calls: ScriptCalls, fit: FittingCall) -> TrainingFacts:
    """Return what the script says about the training that a ``fit`` starts."""
    compiled = ModelCompiles(calls, fit.call, fit.scope)
    followed = compiled.is_followed
    rate = read_rate(
        calls, compiled.found if followed else calls.compiles, is_followed=followed
    )
    plan = _plan(fit, is_keras=compiled.is_keras)
    doubt = _plan_doubt(calls, fit, plan)
    return TrainingFacts(
        calls.place(fit.call.lineno),
        None if doubt else _positive_number(calls, plan, fit.scope),
        _positive(calls, fit, "validation_freq"),
        _is_validated(calls, fit) if compiled.may_be_keras else None,
        _resumes(calls, fit),
        rate.schedule,
        rate.number,
        compiled.read(),
        _positive(calls, fit, "initial_epoch") or 0,
        without_marks(rate.doubt),
        doubt,
    )


def _word(fit: FittingCall, name: str) -> ast.expr | None:
    return next((word.value for word in fit.call.keywords if word.arg == name), None)


def _plan(fit: FittingCall, *, is_keras: bool) -> ast.expr | None:
    """Return what a fit gets as its epochs, by position only if it is Keras's."""
    method = fit.call.func.attr if isinstance(fit.call.func, ast.Attribute) else ""
    by_place = fit.call.args[: _EPOCHS[method] + 1]
    starred = any(isinstance(given, ast.Starred) for given in by_place)
    if not is_keras or starred or len(by_place) <= _EPOCHS[method]:
        return _word(fit, "epochs")
    return by_place[-1]


def _plan_doubt(calls: ScriptCalls, fit: FittingCall, plan: ast.expr | None) -> str:
    """Say why the text does not tell how many epochs a fit gets; or ""."""
    if plan is None:
        given = [word.value for word in fit.call.keywords if word.arg is None]
        shown = (
            f"what **{calls.written(given[0])} gives fit cannot be told"
            if given
            else ""
        )
        return without_marks(shown)
    for number in (plan, _word(fit, "initial_epoch")):
        if number is None or only_literal(calls, number, fit.scope) is not None:
            continue
        try:
            read_literal(calls, number, fit.scope)
        except Unread as unread:
            return unread.problem
    return ""


def _positive(calls: ScriptCalls, fit: FittingCall, name: str) -> int | None:
    return _positive_number(calls, _word(fit, name), fit.scope)


def _positive_number(
    calls: ScriptCalls, given: ast.expr | None, scope: Scope
) -> int | None:
    if given is None:
        return None
    number = only_literal(calls, given, scope)
    return number if type(number) is int and number > 0 else None


def _resumes(calls: ScriptCalls, fit: FittingCall) -> bool:
    """Return whether a fit certainly begins later than with the first epoch."""
    given = _word(fit, "initial_epoch")
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
        is_epoch = isinstance(inner, ast.Attribute) and inner.attr == "epoch"
        if not is_epoch or not isinstance(inner, ast.Attribute):
            continue
        try:
            fitted, holder = calls.followed(inner.value, scope)
        except Unread:
            continue
        called = fitted.func if isinstance(fitted, ast.Call) else None
        if isinstance(fitted, ast.Call) and isinstance(called, ast.Attribute):
            earlier = FittingCall(fitted, holder, fitted)
            epochs = _positive(calls, earlier, "epochs")
            if called.attr in _FITS and epochs is not None and epochs > 1:
                return True
    return False


def _is_validated(calls: ScriptCalls, fit: FittingCall) -> bool | None:
    """Return whether a fit gets validation data; None where that cannot be told."""
    method = fit.call.func.attr if isinstance(fit.call.func, ast.Attribute) else ""
    starred = any(isinstance(given, ast.Starred) for given in fit.call.args)
    doubted = any(word.arg is None for word in fit.call.keywords)
    if starred or doubted or len(fit.call.args) > _MOST_BY_PLACE[method]:
        return None
    for name in ("validation_data", "validation_split"):
        given = _word(fit, name)
        if given is None:
            continue
        try:
            if read_literal(calls, given, fit.scope):
                return True
        except Unread as unread:
            del unread
            return True
    return False
