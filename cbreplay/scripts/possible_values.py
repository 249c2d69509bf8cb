"""All values that an expression of a script may have, if its text tells them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from cbreplay.scripts.calls import Unread
from cbreplay.scripts.flows import chosen_from
from cbreplay.scripts.literals import read_literal
from cbreplay.scripts.parameters import given_for
from cbreplay.scripts.syntax import (
    argument_named,
    decorators_of,
    entry_at,
    method_name,
    receiver_of,
)

if TYPE_CHECKING:
    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Binding, Placed, Scope

__all__ = [
    "all_literals",
    "given_values",
    "only_literal",
    "possible_values",
    "taken_entries",
    "values_if_told",
]

# the most steps from a name to what makes its object
_MOST_NAMES = 20
# methods by which an object may have other attributes than its class
_SETTING = {"__getattr__", "__getattribute__", "__init__", "__new__", "__post_init__"}


def possible_values(calls: ScriptCalls, node: ast.expr, scope: Scope) -> list[Placed]:
    """Return all values that an expression may have, each with its scope.

    They are followed through names, all that is assigned to them, parameters, functions
    of the script, branches of an expression, entries of lists and dicts, and attributes
    such as ``self.rate``.

    Raises
    ------
    Unread
        If the text does not tell all of them.
    """
    return _values(calls, node, scope, set())


def values_if_told(
    calls: ScriptCalls, node: ast.expr | None, scope: Scope
) -> list[Placed]:
    """Return the same as `possible_values`; none where the text does not tell all."""
    try:
        return [] if node is None else possible_values(calls, node, scope)
    except Unread:
        return []


def only_literal(calls: ScriptCalls, node: ast.expr, scope: Scope) -> Any:  # noqa: ANN401 - any literal
    """Return the literal that all possible values of an expression are.

    None if they differ, or if the text does not tell all of them.
    """
    values = all_literals(calls, node, scope)
    # True == 1, but the two are different arguments
    alike = all(
        type(value) is type(values[0]) and value == values[0] for value in values
    )
    return values[0] if values and alike else None


def all_literals(calls: ScriptCalls, node: ast.expr, scope: Scope) -> list[Any]:
    """Return the literals that an expression may be; none if one is not told."""
    try:
        found = possible_values(calls, node, scope)
        return [read_literal(calls, value, place) for value, place in found]
    except Unread:
        return []


def given_values(
    calls: ScriptCalls, node: ast.expr | None, scope: Scope
) -> list[tuple[ast.expr | None, Scope]]:
    """Return what a name, or an attribute of ``self``, is assigned or given.

    They are followed by one step. A value is None where the text does not tell it;
    there are none of any other expression.
    """
    if isinstance(node, ast.Attribute) and calls.written(node.value) == "self":
        try:
            return [*_stored(calls, node, scope)]
        except Unread:
            return []
    named = scope.place_of(node)
    if named is None:
        return []
    holder, name = named
    bindings = holder.bindings[name]
    calls.count_step(bindings)
    if holder.shadowed(name):
        return []
    given = given_for(calls, name, holder)
    if given.is_whole and [binding.value for binding in bindings] == [None]:
        return [*given.values]
    return [(binding.value, holder) for binding in bindings]


def _values(
    calls: ScriptCalls, node: ast.expr, scope: Scope, seen: set[int]
) -> list[Placed]:
    calls.count_step()
    if id(node) in seen:
        return []  # a function that calls itself gives nothing new
    seen.add(id(node))
    if isinstance(node, (ast.IfExp, ast.BoolOp, ast.NamedExpr)):
        parts = [(part, scope) for part in chosen_from(node)]
    elif isinstance(node, ast.Call):
        parts = _returned(calls, node, scope)
    elif isinstance(node, ast.Attribute) and calls.written(node.value) == "self":
        parts = _stored(calls, node, scope)
    elif isinstance(node, ast.Subscript):
        parts = _entries(calls, node, scope)
    elif isinstance(node, ast.Attribute) and (
        setting := _find_setting(calls, node, scope)
    ):
        parts = [setting]
    else:
        parts = _named(calls, node, scope)
    if not parts:
        return [(node, scope)]
    return [value for part in parts for value in _values(calls, *part, seen)]


def _returned(calls: ScriptCalls, call: ast.Call, scope: Scope) -> list[Placed]:
    """Return what a function of the script returns; nothing for any other call."""
    function = calls.function_of(call, scope)
    if function is None:
        return []
    if not function.returns_values:
        calls.unread(call, f"what {calls.shown(call)} returns is not read")
    return [(value, function) for value in function.returned]


def _stored(calls: ScriptCalls, node: ast.Attribute, scope: Scope) -> list[Placed]:
    """Return what an attribute of ``self`` is set to, if only its class sets it."""
    home = scope.enclosing_class()
    calls.count_step(calls.names.stores)
    stores = [store for store in calls.names.stores if store.name in (node.attr, None)]
    if home is not None and not stores:
        return _of_class(calls, node, home)
    values = [
        (store.value, store.scope)
        for store in stores
        if store.value is not None
        and calls.written(store.target) == "self"
        and store.scope.enclosing_class() is home
    ]
    # a plain assignment is noted twice, once with its value: both have the same target
    places = {id(store.target) for store in stores}
    whole = home is not None and node.attr not in home.bindings
    if not values or not whole or len(values) < len(places):
        calls.unread(node, f"{calls.shown(node)} is not set once")
    return values


def _of_class(calls: ScriptCalls, node: ast.Attribute, home: Scope) -> list[Placed]:
    """Return what a class body sets an attribute to, if no other class has one."""
    value = calls.set_in_class(home, node.attr)
    if value is None or calls.classes_with(node.attr) != [home]:
        calls.unread(node, f"{calls.shown(node)} is not set once")
    return [(value, home)]


def _find_setting(
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
    names = _named_by(calls, node.value, scope)
    made, place = names[-1]
    kind = _named_by(calls, made.func, place)[-1] if isinstance(made, ast.Call) else ()
    inside = kind[1].defined_as(kind[0]) if kind else None
    if inside is None or not isinstance(made, ast.Call) or not _is_plain(calls, inside):
        return None
    value = calls.set_in_class(inside, node.attr)
    if value is None or made.args or not all(word.arg for word in made.keywords):
        return None
    handed = [line for name in names if (line := calls.given_away(*name)) is not None]
    if handed:
        where, shown = calls.place(handed[0]), calls.shown(node.value)
        if calls.verdict == "checked":
            calls.unread(
                node, f"{shown} is given to code in {where} that could change it"
            )
        calls.given.setdefault(calls.written(node.value), handed[0])
    given = argument_named(made, node.attr)
    return (value, inside) if given is None else (given, place)


def _named_by(calls: ScriptCalls, node: ast.expr, scope: Scope) -> list[Placed]:
    """Return an expression, and what it is assigned or given, step by step."""
    steps = [(node, scope)]
    for step in steps:
        given = given_values(calls, *step)
        value, place = given[0] if len(given) == 1 else (None, scope)
        if value is not None and len(steps) < _MOST_NAMES:
            steps.append((value, place))
    return steps


def _is_plain(calls: ScriptCalls, inside: Scope) -> bool:
    """Return whether objects of a class have the attributes that its body sets."""
    kind = inside.definition
    if not isinstance(kind, ast.ClassDef) or kind.bases or kind.keywords:
        return False
    paths = [calls.paths(maker, inside) for maker in decorators_of(kind)]
    is_dataclass = all(path == ["dataclasses.dataclass"] for path in paths)
    return is_dataclass and not _SETTING & inside.bindings.keys()


def _entries(calls: ScriptCalls, node: ast.Subscript, scope: Scope) -> list[Placed]:
    """Return an entry of a list or dict that is written out; all, if it may be any."""
    place = scope.place_of(node.value)
    if place is not None and isinstance(node.slice, ast.Constant):
        (holder, name), changes = place, calls.names.changes.first
        is_kept = place not in changes and place not in calls.names.given
        if is_kept and all(binding.among for binding in holder.bindings[name]):
            wholes = possible_values(calls, node.value, scope)
            return _each_at(calls, wholes, node.slice.value)
    found = calls.next_of(node, scope)
    if found is not None or isinstance(node.slice, ast.Constant):
        return [] if found is None else [found]
    values = _values_of_dict(calls, node.value, scope)
    return values or _entries_of(calls, node.value, scope) or []


def _named(calls: ScriptCalls, node: ast.expr, scope: Scope) -> list[Placed]:
    """Return the values of a name, or of an entry of a dict that is written out."""
    named = scope.place_of(node)
    if named is not None:
        holder, name = named
        bindings = holder.bindings[name]
        loops = [binding for binding in bindings if binding.among is not None]
        asked = bindings if len(loops) <= _MOST_NAMES else []
        told = [_bound_to(calls, binding, holder) for binding in asked]
        is_kept = named not in calls.names.changes.first and not holder.shadowed(name)
        if told and all(told) and (bindings == loops[:1] or (told[1:] and is_kept)):
            return [value for values in told for value in values]
        if bindings[0].inner is not None and bindings[0].value is None:
            return []  # a function or a class
        if len(bindings) == 1 and not any(told):
            given = given_for(calls, name, holder)
            if not given.is_whole:
                problem = holder.says_origin(name, bindings[0])
                calls.unread(node, f"{name!r} {problem}")
            return given.values
    elif isinstance(node, ast.Name):
        return []
    found = calls.next_of(node, scope)
    return [] if found is None else [found]


def _bound_to(calls: ScriptCalls, binding: Binding, holder: Scope) -> list[Placed]:
    """Return what is assigned to a name in one place, or given to it by a loop."""
    if binding.value is not None or binding.among is None:
        return [] if binding.value is None else [(binding.value, holder)]
    if id(binding) in calls.going_through:
        return []  # a loop over what it gives itself
    calls.going_through.add(id(binding))
    try:
        entries = _entries_of(calls, binding.among, holder) or []
        for at in binding.part:
            entries = _each_at(calls, entries, at)
    finally:
        calls.going_through.discard(id(binding))
    return entries


def _each_at(calls: ScriptCalls, wholes: list[Placed], key: object) -> list[Placed]:
    """Return the entry of each dict or list at a key; none where one is not told."""
    found = [calls.followed(*whole) for whole in wholes]
    entries = [(entry_at(whole, key), holder) for whole, holder in found]
    told = [(entry, holder) for entry, holder in entries if entry is not None]
    return told if len(told) == len(entries) else []


def taken_entries(
    calls: ScriptCalls, node: ast.expr, scope: Scope
) -> list[Placed] | None:
    """Return the entries that a subscript takes of a list or dict, with their scopes.

    None for any other expression, and where the text does not tell them.
    """
    if not isinstance(node, ast.Subscript):
        return None
    try:
        entry = calls.next_of(node, scope)
        if entry is not None:
            return [entry]
        entries = _entries_of(calls, node.value, scope)
    except Unread:
        return None
    return None if entries is None else _taken(calls, node.slice, scope, entries)


def _taken(
    calls: ScriptCalls, taking: ast.expr, scope: Scope, entries: list[Placed]
) -> list[Placed] | None:
    """Return what the part in the brackets takes; None where it cannot be told."""
    if isinstance(taking, ast.Slice):
        parts = (taking.lower, taking.upper, taking.step)
        bounds = [_bound(calls, part, scope) for part in parts]
        is_told = ... not in bounds and bounds[-1] != 0
        return entries[slice(*bounds)] if is_told else None
    place = _bound(calls, taking, scope)
    is_told = type(place) is int and -len(entries) <= place < len(entries)
    return [entries[place]] if is_told else None


def _bound(calls: ScriptCalls, node: ast.expr | None, scope: Scope) -> Any:  # noqa: ANN401 - ... is no type
    """Return a number in the brackets, None for none, and ... if it cannot be told."""
    if node is None or (isinstance(node, ast.Constant) and node.value is None):
        return None
    number = only_literal(calls, node, scope)
    return number if type(number) is int else ...


def _entries_of(
    calls: ScriptCalls, node: ast.expr, scope: Scope
) -> list[Placed] | None:
    """Return the entries of a list that is written out, in order; None if it is not.

    Of ``values()`` those of a dict.
    """
    if isinstance(node, ast.Call) and method_name(node) == "values":
        whole = receiver_of(node)
        return None if whole is None else _values_of_dict(calls, whole, scope)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return taken_entries(calls, node, scope)
    found = possible_values(calls, node, scope)
    if len(found) != 1 or calls.given_away(node, scope) is not None:
        return None
    whole, holder = found[0]
    if isinstance(whole, ast.BinOp) and isinstance(whole.op, ast.Add):
        parts = [_entries_of(calls, side, holder) for side in (whole.left, whole.right)]
    elif isinstance(whole, (ast.List, ast.Tuple)):
        parts = [
            _entries_of(calls, entry.value, holder)
            if isinstance(entry, ast.Starred)
            else [(entry, holder)]
            for entry in whole.elts
        ]
    else:
        return None
    told = [part for part in parts if part is not None]
    return [entry for part in told for entry in part] if told == parts else None


def _values_of_dict(
    calls: ScriptCalls, whole: ast.expr, scope: Scope
) -> list[Placed] | None:
    """Return the values of a dict that is written out; None where that is unsure."""
    found, home = calls.followed(whole, scope)
    if not isinstance(found, ast.Dict) or calls.given_away(whole, scope) is not None:
        return None
    return [(value, home) for value in found.values] if all(found.keys) else None
