"""Every callback that a list of a script may hold, and what cannot be told of it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.scripts.calls import Unread
from cbreplay.scripts.keras_classes import keras_name
from cbreplay.scripts.members import CallReader, Member, UnreadPart
from cbreplay.scripts.parameters import given_for
from cbreplay.scripts.possible_values import taken_entries
from cbreplay.scripts.stand_ins import STAND_INS
from cbreplay.scripts.syntax import called_name, whole_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.parameters import Given
    from cbreplay.scripts.scopes import Binding, Gain, Placed, Scope

__all__ = ["Kept", "MemberReader", "class_family", "find_kept"]

_COPYING = {"CallbackList", "list", "reversed", "sorted", "tuple"}
_CHOOSING = (ast.Subscript, ast.ListComp, ast.GeneratorExp)
_MOST_MEMBERS = 500


class MemberReader:
    """Reads the members of lists, and goes on if a part cannot be told.

    Attributes
    ----------
    unread : list of UnreadPart
        What could not be told about the members of lists.
    arguments : list of UnreadPart
        Which arguments of callbacks could not be told.
    """

    def __init__(self, calls: ScriptCalls) -> None:
        self.calls = calls
        self.callbacks = CallReader(calls)
        self.unread: list[UnreadPart] = []
        self.arguments = self.callbacks.unread
        self.scopes = {id(scope.definition): scope for scope in calls.names.scopes}
        # if no attribute with a parameter's name is set, no callback is changed; the
        # `self` of a class in the script is no object of Keras's own classes
        self.sets_parameters = any(
            store.name is None or store.name in STAND_INS or store.name == "best"
            for store in calls.names.stores
            if not store.is_of_self
        )
        self.open: set[int] = set()
        self.found = 0

    def members(
        self, node: ast.expr, scope: Scope, *, is_certain: bool = True
    ) -> Iterator[Member]:
        """Yield the callbacks of an expression: a list, or one callback.

        `is_certain` says whether what it holds is certainly in the list that is read.
        """
        self.calls.count_step()
        if id(node) in self.open or self.found > _MOST_MEMBERS:
            return
        self.open.add(id(node))
        try:
            for member in self._members(node, scope):
                self.found += 1
                yield member if is_certain else member._replace(is_certain=False)
        except Unread as problem:
            self.unread.append(UnreadPart(problem.line, problem.problem))
        finally:
            self.open.discard(id(node))

    def _members(self, node: ast.expr, scope: Scope) -> Iterator[Member]:
        if isinstance(node, ast.Constant) and node.value is None:
            return
        if isinstance(node, ast.Name):
            yield from self._named(node, scope)
        elif isinstance(node, ast.Attribute):
            yield from self._attribute(node, scope)
        elif isinstance(node, ast.Call):
            yield from self._called(node, scope)
        elif (taken := taken_entries(self.calls, node, scope)) is not None:
            for entry, place in taken:
                yield from self.members(entry, place)
        else:
            parts, certain = _parts(node)
            if parts is None:
                shown = self.calls.shown(node)
                self.calls.unread(node, f"{shown} is no callback and no list")
            # a comprehension has names of its own
            inner = self.scopes.get(id(node), scope)
            chosen = isinstance(node, _CHOOSING)
            for part in parts:
                for member in self.members(part, inner, is_certain=certain):
                    # of a list that gains entries, these may be the last ones
                    yield member._replace(gains=()) if chosen else member

    def _named(self, node: ast.Name, scope: Scope) -> Iterator[Member]:
        place = scope.place(node.id)
        if place is None:
            self.calls.unread(node, f"{node.id!r} is not assigned in the script")
        holder, name = place
        if holder.shadowed(name):
            self.calls.unread(node, f"{name!r} is assigned in the class and outside")
        self.calls.count_step(holder.bindings[name], self.calls.names.gains)
        bindings = [binding for binding in holder.bindings[name] if binding.line]
        values = _assigned(bindings, self.calls.names.gains)
        changed = self.calls.names.changes.first.get(place)
        doubts = list(self._doubts_about(node, place))
        given = given_for(self.calls, name, holder)
        callbacks = [
            isinstance(value, ast.Call)
            and keras_name(self.calls, value.func, home) is not None
            for value, home in [*((value, holder) for value in values), *given.values]
        ]
        touched = any(callbacks) or place in self.calls.names.changes.deeply
        if changed is not None and touched and self.sets_parameters:
            self.calls.unread(node, self._changed_at(node, place, changed))
        # a callback that is changed is not a list that gains entries
        are_callbacks = bool(callbacks) and all(callbacks)
        is_kept = changed is None or are_callbacks
        whole = len(bindings) == len(values) == 1 and is_kept and not doubts
        for value in values:
            yield from self.members(value, holder, is_certain=whole)
        for gain in self.calls.names.gains:
            if gain.scope.place_of(gain.target) == place:
                yield from self._gained(gain)
        unread = [binding for binding in bindings if binding.value is None]
        yield from self._bound_otherwise(node, holder, unread, given)
        self.unread += doubts
        line = self.calls.names.changes.unfollowed.get(place)
        is_told = line == self.calls.names.given.get(place)
        if line is not None and not is_told and not are_callbacks:
            self.calls.unread(node, self._changed_at(node, place, line))

    def _changed_at(self, node: ast.Name, place: tuple[Scope, str], line: int) -> str:
        """Say where a name's object is changed, or stored where it may be changed."""
        where = self.calls.place(line)
        for gain in self.calls.names.gains:
            value = gain.value
            if value.lineno == line and gain.scope.place_of(value) == place:
                held = self.calls.shown(gain.target)
                return f"{node.id!r} is stored in {held} in {where}, and may be changed"
        return f"{node.id!r} is changed in {where}"

    def _doubts_about(
        self, node: ast.Name, place: tuple[Scope, str]
    ) -> Iterator[UnreadPart]:
        """Yield why a name may hold more than what is assigned to it."""
        holder, name = place
        if any(not binding.line for binding in holder.bindings[name]):
            problem = f"{name!r} is assigned in another function too, as global"
            yield UnreadPart(node.lineno, problem)
        given = self.calls.names.given.get(place)
        if given is not None:
            yield UnreadPart(node.lineno, _given_away(name, self.calls.place(given)))

    def _bound_otherwise(
        self, node: ast.Name, holder: Scope, bindings: list[Binding], given: Given
    ) -> Iterator[Member]:
        """Yield what calls give for a parameter; note other bindings as unread."""
        # a list that gains entries by += is bound there too
        grown_lines = {
            gain.target.lineno
            for gain in self.calls.names.gains
            if isinstance(gain.target, ast.Name)
        }
        for binding in bindings:
            for value, place in given.values:
                yield from self.members(value, place, is_certain=False)
            if not given.is_whole and binding.line not in grown_lines:
                where = self.calls.place(binding.line)
                origin = holder.says_origin(node.id, binding)
                problem = f"{node.id!r} ({where}) {origin}"
                self.unread.append(UnreadPart(node.lineno, problem))

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Iterator[Member]:
        """Yield what ``self.callbacks`` and the like is set to, and what it gains."""
        kept = find_kept(self.calls, node, scope)
        self.unread += kept.doubts
        for value, place in kept.values:
            yield from self.members(value, place, is_certain=kept.is_whole)
        for gain in kept.gains:
            yield from self._gained(gain)

    def _gained(self, gain: Gain) -> Iterator[Member]:
        """Yield what a list gains in one place."""
        for member in self.members(gain.value, gain.scope, is_certain=False):
            yield member._replace(gains=(*member.gains, gain))

    def _called(self, call: ast.Call, scope: Scope) -> Iterator[Member]:
        named = called_name(call)
        if named in _COPYING and len(call.args) > 0:
            # the order of a sorted list is not told
            held = self.members(call.args[0], scope, is_certain=named != "sorted")
            yield from reversed(list(held)) if named == "reversed" else held
        elif named == "deepcopy" and self.calls.copies(call, scope):
            for member in self.members(call.args[0], scope):
                yield member._replace(within=call)  # each call makes it anew
        elif isinstance(call.func, ast.Attribute) and named in ("copy", "values"):
            yield from self.members(call.func.value, scope)
        elif (given := self.calls.next_of(call, scope)) is not None:
            yield from self.members(*given)
        elif keras_name(self.calls, call.func, scope) is None and (
            inner := self.calls.function_of(call, scope)
        ):
            certain = inner.returns_once
            for value in inner.returned:
                for member in self.members(value, inner, is_certain=certain):
                    made_here = _stands_in(member.made_at, inner.definition)
                    yield member._replace(within=call) if made_here else member
        else:
            yield self.callbacks.read(call, scope)


def _assigned(bindings: list[Binding], gains: list[Gain]) -> list[ast.expr]:
    """Return what a name is assigned, without the lists that ``c = c + [a]`` makes."""
    added = {id(gain.value) for gain in gains}
    values = [binding.value for binding in bindings if binding.value is not None]
    return [
        value
        for value in values
        if not (isinstance(value, ast.BinOp) and id(value.right) in added)
    ]


class Kept(NamedTuple):
    """What an attribute such as ``self.callbacks`` may hold.

    Parameters
    ----------
    values : list of (ast.expr, Scope)
        What it is set to.
    gains : list of Gain
        Where the list that it is gains entries.
    doubts : list of UnreadPart
        Why it may hold something else.
    """

    values: list[Placed]
    gains: list[Gain]
    doubts: list[UnreadPart]

    @property
    def is_whole(self) -> bool:
        """Whether it certainly holds its one value, and nothing else."""
        return len(self.values) == 1 and not self.gains and not self.doubts


def find_kept(calls: ScriptCalls, node: ast.Attribute, scope: Scope) -> Kept:
    """Return what an attribute of an object of the script's own class may hold.

    Raises
    ------
    Unread
        If it is not set in the script, or a part of it is.
    """
    names = calls.names
    calls.count_step(names.stores, names.gains, names.given_attributes)
    written, homes = calls.written(node), class_family(calls, scope)
    values = [
        (store.value, store.scope)
        for store in names.stores
        if store.value is not None
        and store.name == node.attr
        and f"{calls.written(store.target)}.{store.name}" == written
        and store.scope.enclosing_class() in homes
    ]
    gains = [
        gain
        for gain in names.gains
        if calls.written(gain.target) == written
        and gain.scope.enclosing_class() in homes
    ]
    for store in names.stores:
        target = calls.written(store.target)
        if target == written or target.startswith((f"{written}.", f"{written}[")):
            calls.unread(node, f"{written!r} is changed in {calls.place(store.line)}")
    in_class = None if values else _in_class_body(calls, node, scope)
    if not values and not gains and in_class is None:
        calls.unread(node, f"{written!r} is not assigned in the script")
    handed = [
        UnreadPart(node.lineno, _given_away(written, calls.place(part.lineno)))
        for part, place in names.given_attributes
        if calls.written(part) == written and place.enclosing_class() in homes
    ]
    values += [] if in_class is None else [in_class]
    return Kept(values, gains, handed[:1])


def class_family(calls: ScriptCalls, scope: Scope) -> list[Scope | None]:
    """Return the class around a scope, those that it extends, and those that extend it.

    A method of each may set what another one of them uses.
    """
    calls.count_step(calls.names.scopes)
    extending = [
        (kind, kind.parent.defined_as(base))
        for kind in calls.names.scopes
        if isinstance(kind.definition, ast.ClassDef) and kind.parent is not None
        for base in kind.definition.bases
    ]
    family = [scope.enclosing_class()]
    for pairs in (extending, [(base, kind) for kind, base in extending]):
        found = family[:1]
        for kind in found:
            found += [
                other for own, other in pairs if own is kind and other not in found
            ]
        family += found[1:]
    return family


def _in_class_body(
    calls: ScriptCalls, node: ast.Attribute, scope: Scope
) -> Placed | None:
    """Return what a class body sets ``self.callbacks`` or ``Config.CALLBACKS`` to.

    None if no class body does; if several do, or something else may set or change it,
    it is not read.
    """
    owner = scope.defined_as(node.value)
    if calls.written(node.value) in ("self", "cls"):
        owner = scope.enclosing_class()
    having = calls.classes_with(node.attr)
    if not having:
        return None
    value = calls.set_in_class(having[0], node.attr)
    calls.count_step(calls.names.gains)
    by_other_name = any(
        isinstance(gain.target, ast.Attribute)
        and gain.target.attr == node.attr
        and calls.written(gain.target) != calls.written(node)
        for gain in calls.names.gains
    )
    if value is None or by_other_name or having != [owner]:
        calls.unread(node, f"what {calls.shown(node)} holds is not read")
    return value, having[0]


def _stands_in(call: ast.Call, definition: ast.AST | None) -> bool:
    """Return whether a call is written inside a function."""
    if not isinstance(definition, (ast.FunctionDef, ast.Lambda)):
        return False
    first, last = definition.lineno, definition.end_lineno or definition.lineno
    return first <= call.lineno <= last


def _parts(node: ast.expr) -> tuple[list[ast.expr] | None, bool]:
    """Return the parts of an expression, and whether it holds all of them."""
    whole = whole_parts(node)
    if whole is not None:
        return whole, True
    for kinds, parts in _CHOICES.items():
        if isinstance(node, kinds):
            return parts(node), False
    return None, False


# expressions that may hold only some of their parts
_CHOICES: dict[Any, Callable[[Any], list[ast.expr]]] = {
    ast.BinOp: lambda node: [node.left],
    ast.IfExp: lambda node: [node.body, node.orelse],
    (ast.BoolOp, ast.Dict): lambda node: list(node.values),
    ast.Subscript: lambda node: [node.value],
    (ast.ListComp, ast.GeneratorExp): lambda node: [_comprehended(node)],
}


def _comprehended(node: ast.ListComp | ast.GeneratorExp) -> ast.expr:
    """Return the source of the members: of ``[c for c in d if c]`` it is ``d``."""
    first = node.generators[0]
    is_filter = (
        len(node.generators) == 1
        and isinstance(node.elt, ast.Name)
        and isinstance(first.target, ast.Name)
        and node.elt.id == first.target.id
    )
    return first.iter if is_filter else node.elt


def _given_away(name: str, where: str) -> str:
    return f"{name!r} is given to code in {where} that could change it"
