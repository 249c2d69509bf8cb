"""Which values a script's own callbacks write into ``logs`` after others look there."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.scripts.call_arguments import is_known
from cbreplay.scripts.callbacks import find_watcher
from cbreplay.scripts.calls import Unread
from cbreplay.scripts.keras_classes import keras_name
from cbreplay.scripts.reassigned_names import without_marks
from cbreplay.scripts.syntax import (
    called_name,
    method_name,
    receiver_of,
    text_of,
    whole_parts,
)
from cbreplay.series_names import LEARNING_RATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.facts import FittingCall
    from cbreplay.scripts.scopes import Scope

__all__ = ["LateValue", "find_late_values", "find_texts"]

_HOOK = "on_epoch_end"
_N_PARAMETERS = len(("self", "epoch", "logs"))


def find_texts(nodes: Iterable[ast.AST], beside: Collection[int] = ()) -> Counter[str]:
    """Count the texts in a piece of a script, but those with an id in `beside`.

    A text by which only an entry is looked up does not count:
    ``history.history["val_acc"]``. The learning rate in ``logs.update(lr=...)`` or
    ``dict(lr=...)`` does, as Keras may log it under either name.
    """
    each = list(nodes)
    looked_up = {
        id(node.slice)
        for node in each
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
    }
    named = Counter(
        word.arg
        for node in each
        if isinstance(node, ast.Call) and called_name(node) in ("dict", "update")
        for word in node.keywords
        if word.arg in LEARNING_RATE_NAMES
    )
    return named + Counter(
        node.value
        for node in each
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in looked_up
        and id(node) not in beside
    )


class LateValue(NamedTuple):
    """An own callback that writes a value into ``logs``.

    Parameters
    ----------
    writer : str
        Its class.
    place : str
        Where it is made, for people.
    texts : Counter of str
        The texts in the class.
    """

    writer: str
    place: str
    texts: Counter[str]

    def alone_writes(self, name: str, texts: Mapping[str, int]) -> bool:
        """Return whether no code beside the class names a value, of all `texts`."""
        names = {name, name.removeprefix("val_")}
        return all(texts.get(each, 0) == self.texts[each] for each in names)


def find_late_values(
    calls: ScriptCalls, fit: FittingCall
) -> dict[int, Mapping[str, LateValue]]:
    """Return what is written into ``logs`` only after each callback of a fit.

    Keras calls the callbacks in the order of the list, with ``logs`` of that epoch: a
    callback does not see what a later one writes.

    Returns
    -------
    dict of int to mapping
        The values by name, for each call that makes a callback, by its id. Callbacks
        behind one that may write anything are left out; so is a list that cannot be
        told.
    """
    try:
        listed = list(_entries(calls, fit.given, fit.scope))
    except Unread:
        return {}
    found: dict[int, Mapping[str, LateValue]] = {}
    for at, (call, scope) in enumerate(listed):
        is_keras = is_known(keras_name(calls, call.func, scope) or "")
        if not is_keras and find_watcher(call, scope, calls) is None:
            break
        later = [_written_by(calls, *other) for other in listed[at + 1 :]]
        found[id(call)] = {name: who for named in later for name, who in named.items()}
    return found


def _entries(
    calls: ScriptCalls, node: ast.expr, scope: Scope
) -> Iterator[tuple[ast.Call, Scope]]:
    """Yield the calls that make the callbacks of a list, in order."""
    found, home = calls.followed(node, scope)
    parts = whole_parts(found)
    for part in parts or ():
        yield from _entries(calls, part, home)
    if isinstance(found, ast.Call):
        yield found, home
    elif parts is None:
        calls.unread(found, "")


def _written_by(
    calls: ScriptCalls, call: ast.Call, scope: Scope
) -> dict[str, LateValue]:
    """Return what a callback of the script writes under names that are written out."""
    named = scope.class_named(call.func)
    if named is None:
        return {}
    kind, _ = named
    hooks = [
        part
        for part in kind.body
        if isinstance(part, ast.FunctionDef)
        and part.name == _HOOK
        and len(part.args.args) == _N_PARAMETERS
    ]
    value = LateValue(
        without_marks(kind.name), calls.place(call.lineno), find_texts(ast.walk(kind))
    )
    return {name: value for hook in hooks for name in _names_written(hook)}


def _names_written(hook: ast.FunctionDef) -> Iterator[str]:
    """Yield the names that ``logs["name"] = ...`` or ``logs.update(name=...)`` set."""
    logs = hook.args.args[-1].arg
    nodes = list(ast.walk(hook))
    if any(_replaces(node, logs) for node in nodes):
        return
    for node in nodes:
        keys: list[ast.expr | None] = []
        whole: ast.expr | None = None
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            whole, keys = node.value, [node.slice]
        elif isinstance(node, ast.Call) and method_name(node) == "update":
            whole = receiver_of(node)
            keys = [ast.Constant(word.arg) for word in node.keywords]
            given = node.args[0] if node.args else None
            keys += given.keys if isinstance(given, ast.Dict) else []
        # a name that is assigned anew may have a mark
        if isinstance(whole, ast.Name) and without_marks(whole.id) == logs:
            yield from (text for key in keys if (text := text_of(key)) is not None)


def _replaces(node: ast.AST, logs: str) -> bool:
    """Return whether a statement gives the name of ``logs`` another object.

    ``logs = logs or {}`` does not, where Keras gives one.
    """
    if not isinstance(node, ast.Assign):
        return False
    plain = isinstance(node.value, (ast.BoolOp, ast.IfExp)) or (
        isinstance(node.value, ast.Dict) and not node.value.keys
    )
    names = [part.id for part in node.targets if isinstance(part, ast.Name)]
    return not plain and logs in map(without_marks, names)
