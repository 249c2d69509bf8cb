"""Build the callback that one call of a script makes, or raise `Unread`."""

from __future__ import annotations

import ast
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from cbreplay.errors import CbreplayError
from cbreplay.rules.checks import NOT_TOLD
from cbreplay.rules.families import logs_elsewhere, stands_by
from cbreplay.rules.registry import rule_named
from cbreplay.scripts.call_arguments import bystander, named_parameters, read_call
from cbreplay.scripts.calls import Unread
from cbreplay.scripts.keras_classes import callback_name
from cbreplay.scripts.literals import literal_of
from cbreplay.scripts.own_classes import only_watches
from cbreplay.scripts.possible_values import only_literal
from cbreplay.scripts.syntax import text_of
from cbreplay.scripts.text_endings import find_ending

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.rules.base import Callback
    from cbreplay.rules.bystander import Bystander
    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Scope

__all__ = [
    "Built",
    "ScriptArguments",
    "build_callback",
    "find_bystander",
    "find_watcher",
    "make_callback",
]


class Built(NamedTuple):
    """A callback that a call makes, its line, and the parameters that it gives."""

    callback: Callback
    line: int
    written: frozenset[str] = frozenset()


def build_callback(call: ast.Call, scope: Scope, calls: ScriptCalls) -> Built:
    """Return the callback that a call makes.

    Raises
    ------
    Unread
        If it or one of its arguments cannot be told.
    """
    beside = find_bystander(call, scope, calls)
    if beside is not None:
        return Built(beside, call.lineno)
    kind = rule_named(callback_name(calls, call, scope)).load()
    reader = _Replayed(calls, call, scope)
    parameters = read_call(call, kind, calls.defaults, reader)
    callback = make_callback(kind, parameters, call, calls)
    known = [parameter.name for parameter in fields(kind)]
    return Built(callback, call.lineno, named_parameters(call, known))


class ScriptArguments:
    """Reads the arguments of one call, where the text tells the only value of each."""

    def __init__(self, calls: ScriptCalls, call: ast.Call, scope: Scope) -> None:
        self.calls, self.call, self.scope = calls, call, scope

    def value(self, node: ast.expr, place: str) -> Any:  # noqa: ANN401 - any literal
        """Return what an argument says."""
        try:
            found, holder = self.calls.followed(node, self.scope)
            told = literal_of(self.calls, found, holder)
            problem = f"{place} is {self.calls.shown(found)}, which is not a literal"
        except Unread as unread:
            told, problem = [], f"{place}: {unread.problem}"
        if told:
            return told[0]
        known = only_literal(self.calls, node, self.scope)
        if known is None:
            raise Unread(node.lineno, problem)
        return known

    def fail(self, problem: str, hint: str = "") -> NoReturn:  # noqa: ARG002 - one hint for all
        """Raise Unread, with the line of the call."""
        raise Unread(self.call.lineno, problem)


class _Replayed(ScriptArguments):
    """Reads arguments; of a path its end is enough, for the rest decides nothing."""

    def value(self, node: ast.expr, place: str) -> Any:  # noqa: ANN401 - any literal
        """Return what an argument says; `NOT_TOLD` begins a path that ends so."""
        try:
            return super().value(node, place)
        except Unread:
            if not place.endswith(": filepath"):
                raise
            ending = find_ending(self.calls, node, self.scope)
            if not ending:
                raise
            found, _ = self.calls.followed(node, self.scope)
            texts = [text_of(part) or "" for part in ast.walk(found)]
            # a field such as {epoch} before what is not told makes files of each epoch
            if "".join(texts).count("{") > ending.count("{"):
                raise
            return f"{NOT_TOLD}{ending}"


def make_callback(
    kind: type[Any], parameters: Mapping[str, Any], call: ast.Call, calls: ScriptCalls
) -> Callback:
    """Return a callback of these parameters.

    Raises
    ------
    Unread
        If one of them has a value that Keras could not compute with.
    """
    try:
        callback: Callback = kind(**parameters)
    except CbreplayError as error:
        calls.unread(call, str(error))
    return callback


def find_bystander(
    call: ast.Call, scope: Scope, calls: ScriptCalls
) -> Bystander | None:
    """Return the callback that a call makes, if it decides nothing."""
    watcher = find_watcher(call, scope, calls)
    name = watcher or callback_name(calls, call, scope)
    return bystander(name, call) if watcher or stands_by(name) else None


def find_watcher(call: ast.Call, scope: Scope, calls: ScriptCalls) -> str | None:
    """Return the class of a callback that is not Keras's and decides nothing, if so."""
    if only_watches(call, scope, calls):
        return calls.written(call.func)
    paths = [path.split(".") for path in calls.paths(call.func, scope)]
    known = [path for path in paths if logs_elsewhere(path[0], path[-1])]
    return known[0][-1] if known and len(known) == len(paths) else None
