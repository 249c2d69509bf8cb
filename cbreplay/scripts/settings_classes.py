"""What ``cfg.patience`` stands for, where the script makes ``cfg`` by a class."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.scripts.parameters import given_for
from cbreplay.scripts.syntax import argument_named, decorators_of

if TYPE_CHECKING:
    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Placed, Scope

__all__ = ["find_setting"]

_MOST_NAMES = 20
# methods by which an object may have other attributes than its class
_SETTING = {"__getattr__", "__getattribute__", "__init__", "__new__", "__post_init__"}


class _SettingsObject(NamedTuple):
    """An object of a class of settings.

    Parameters
    ----------
    inside : Scope
        The scope of its class.
    made, place : ast.Call, Scope
        The call that makes it, and the scope of the call.
    handed : int or None
        The line in which code that is not read gets it.
    """

    inside: Scope
    made: ast.Call
    place: Scope
    handed: int | None


def find_setting(
    calls: ScriptCalls, node: ast.Attribute, scope: Scope
) -> Placed | None:
    """Return the value of an attribute of the one object of a class of settings.

    The class is plain or a dataclass, has no bases, and sets the attribute once, in its
    body; the object is made by ``Config(patience=5)``; nothing else in the script sets
    an attribute of that name.

    Raises
    ------
    Unread
        If code that is not read gets the object, and may change it.
    """
    settings = _settings_of(calls, node.value, scope)
    if settings is None or not _is_plain(calls, settings):
        return None
    inside, made, place, handed = settings
    value = calls.set_in_class(inside, node.attr)
    if value is None:
        return None
    if handed is not None and calls.verdict == "checked":
        problem = f"{calls.shown(node.value)} is given to code in {calls.place(handed)}"
        calls.unread(node, f"{problem} that could change it")
    given = argument_named(made, node.attr)
    return (value, inside) if given is None else (given, place)


def _settings_of(
    calls: ScriptCalls, node: ast.expr, scope: Scope
) -> _SettingsObject | None:
    """Return the object that an expression makes or names; None for anything else."""
    made: ast.Call | None = None
    place, handed = scope, None
    for _ in range(_MOST_NAMES):
        calls.count_step()
        if isinstance(node, ast.Call) and made is None:
            made, place, node = node, scope, node.func
        named = scope.place_of(node)
        if named is None:
            return None
        holder, name = named
        bindings = holder.bindings[name]
        inner, value = bindings[0].inner, bindings[0].value
        if len(bindings) != 1 or holder.shadowed(name):
            return None
        if inner is not None and isinstance(inner.definition, ast.ClassDef):
            if made is None:
                return None
            return _SettingsObject(inner, made, place, handed)
        handed = handed or calls.names.given.get(named)
        if value is None:
            # a parameter: what the one call gives for it
            given = given_for(calls, name, holder)
            if not given.is_whole or len(given.values) != 1:
                return None
            node, scope = given.values[0]
        else:
            node, scope = value, holder
    return None


def _is_plain(calls: ScriptCalls, settings: _SettingsObject) -> bool:
    """Return whether the attributes are certainly what the class body sets."""
    kind, made = settings.inside.definition, settings.made
    if not isinstance(kind, ast.ClassDef) or kind.bases or kind.keywords:
        return False
    paths = [calls.paths(maker, settings.inside) for maker in decorators_of(kind)]
    is_dataclass = all(path == ["dataclasses.dataclass"] for path in paths)
    by_name = not made.args and all(word.arg for word in made.keywords)
    return is_dataclass and by_name and not _SETTING & settings.inside.bindings.keys()
