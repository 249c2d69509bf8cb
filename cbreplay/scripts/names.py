"""`Names`: the calls of a script, and which of its names may have changed objects.

`NameVisitor` walks the script; here changes are spread over all names of an object, and
over the parameters of the script's functions.
"""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from cbreplay.rules.registry import find_rule
from cbreplay.scripts.flows import (
    COPYING,
    Change,
    Flow,
    find_flows,
    spread_changes,
)
from cbreplay.scripts.keras_paths import KERAS_PACKAGES
from cbreplay.scripts.name_visitor import CHANGING, SETTING, NameVisitor
from cbreplay.scripts.scopes import Binding
from cbreplay.scripts.syntax import (
    FUNCTIONS,
    called_name,
    names_in,
    root_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.scripts.scopes import Placed, Scope

__all__ = ["Names"]

# functions that change none of their arguments
_HARMLESS = COPYING | {"all", "any", "bool", "format", "id", "isinstance", "len"}
_HARMLESS |= {"pprint", "print", "repr", "str", "type"}
_HARMLESS |= {"abs", "float", "int", "max", "min", "open", "range", "round", "sum"}
_HARMLESS_PACKAGES = {*KERAS_PACKAGES, "cbreplay"}
_HARMLESS_PACKAGES |= {"matplotlib", "numpy", "pandas", "seaborn"}
_MOST_RUNNABLE = 300_000
_METHODS = {"compile", "evaluate", "fit", "fit_generator", "predict", "search"}
_METHODS |= CHANGING
_METHODS |= {"debug", "deepcopy", "dumps", "error", "info", "warning"}
# methods that write settings somewhere
_METHODS |= {"dump", "log_param", "log_params", "pprint", "safe_dump"}


class Names(NameVisitor):
    """The names and calls of a script.

    Attributes
    ----------
    calls : list of (ast.Call, Scope)
        Every call with its scope, in the order of the text.
    changes : Changes
        Which names have an object that is changed in place, through any name.
    given : mapping of (Scope, str) to int
        The line in which a name's object is passed to code that is not read.
    given_attributes : list of (ast.Attribute, Scope)
        Attributes such as ``self.callbacks`` that are passed so.
    unread : mapping of str to int
        What may give any name another meaning, as ``exec``, and its line.
    gains : list of Gain
        Where lists grow.
    stores : list of Store
        Where attributes are set.
    stars : list of str
        The modules of which everything is imported.
    scopes : list of Scope
        Every scope.
    uses : list of (ast.Name, Scope)
        Where names are used, unless only an attribute or an entry of them is.
    taken : frozenset of str
        The names and attributes that are used otherwise than to call them.
    attributes : list of ast.Attribute
        Every attribute in the text.
    tree : ast.Module
        The script.

    Raises
    ------
    RecursionError
        If the script is nested more deeply than Python's own stack, or if its calls
        could run too many functions.
    """

    def __init__(self, tree: ast.Module) -> None:
        super().__init__()
        self.tree = tree
        self.visit(tree)
        runnable = (self.functions.get(called_name(call), ()) for call, _ in self.calls)
        if sum(map(len, runnable)) > _MOST_RUNNABLE:
            raise RecursionError
        self.unbind_shared()
        self.flows += [*_passed(self)]
        self.calls.sort(key=lambda place: (place[0].lineno, place[0].col_offset))
        handed = [*_given_away(self)]
        handing = [
            Change(scope, name, part.lineno, is_deep=True)
            for part, scope in handed
            if not isinstance(part, ast.Attribute)
            for _, name in find_flows(part)
            if not _is_defined(name, scope)
        ]
        self.changes = spread_changes(self.changed, self.flows)
        self.given = spread_changes(handing, self.flows).first
        self.given_attributes = [
            (part, scope) for part, scope in handed if isinstance(part, ast.Attribute)
        ]
        self.taken = self.find_taken()
        self.uses = [use for use in self.uses if id(use[0]) not in self.looked_into]

    @cached_property
    def changed_otherwise(self) -> dict[tuple[Scope, str], int]:
        """The line in which an object changes, but by entries that a list gains."""
        others = [change for change in self.changed if not change.is_gain]
        return spread_changes(others, self.flows).first

    def unbind_shared(self) -> None:
        """Add an unknown value to shared names, which two scopes or more set."""
        for name in self.shared:
            binding = [scope for scope in self.scopes if name in scope.bindings]
            for scope in binding if len(binding) > 1 else ():
                scope.bind(name, Binding(0))


def _given_away(walk: NameVisitor) -> Iterator[Placed]:
    """Yield the arguments of calls of code that is neither known nor in the script."""
    for call, scope in walk.calls:
        if not _is_seen(call, scope, walk):
            # a callback gets a copy of the dict behind **
            copies = find_rule(called_name(call)) is not None
            words = [word for word in call.keywords if word.arg or not copies]
            for argument in [*call.args, *(word.value for word in words)]:
                for part in _handed(argument):
                    yield part, scope


def _is_seen(call: ast.Call, scope: Scope, walk: NameVisitor) -> bool:
    """Return whether it is known what a call does with its arguments."""
    called = call.func
    if isinstance(called, ast.Attribute) and called.attr in _METHODS:
        return True
    known = isinstance(called, ast.Name) and called.id in _HARMLESS | SETTING
    known = known or _is_harmless_import(called, scope)
    return known or bool(_called_functions(call, scope, walk))


def _is_harmless_import(called: ast.expr, scope: Scope) -> bool:
    """Return whether what is called is of a `_HARMLESS_PACKAGES`, by its import.

    It changes no callback and no list, as ``EarlyStopping.__init__(old)`` and
    ``np.random.shuffle(old)`` would.
    """
    while isinstance(called, ast.Call):
        called = called.func
    root = root_of(called)
    bindings = [] if root is None else scope.bindings_of(root)
    last = called.attr if isinstance(called, ast.Attribute) else ""
    special = last[:2] == "__" or last == "shuffle"
    return bool(bindings and not special) and all(
        (binding.path or "").split(".")[0] in _HARMLESS_PACKAGES for binding in bindings
    )


def _handed(given: ast.expr) -> Iterator[ast.expr]:
    """Yield the pieces of an argument that may be or hold lists or callbacks."""
    if isinstance(given, ast.Starred):
        yield from _handed(given.value)
    elif isinstance(given, (ast.List, ast.Tuple)):
        for part in given.elts:
            yield from _handed(part)
    elif isinstance(given, ast.Subscript):
        # an entry of a table of settings is no list and no callback
        if text_of(given.slice) is None:
            yield given
    elif isinstance(given, _HANDING):
        yield given


_HANDING = (ast.Name, ast.Attribute, ast.Dict, ast.IfExp, ast.BoolOp)


def _is_defined(name: str, scope: Scope) -> bool:
    """Return whether a name is a function or class of the script.

    To pass one gives away none of the objects that its body names.
    """
    holder = scope.holder(name)
    return holder is not None and "defined" in holder.kinds.get(name, ())


def _called_functions(call: ast.Call, scope: Scope, walk: NameVisitor) -> list[Scope]:
    """Return the functions of the script that a call may run; may be empty."""
    called = call.func
    if isinstance(called, ast.Name):
        return walk.functions.get(called.id, [])
    if not isinstance(called, ast.Attribute):
        return []
    root = root_of(called)
    holder = None if root is None else scope.holder(root)
    if holder is not None and "imported" in holder.kinds.get(root or "", ()):
        return []  # a function of a module
    methods = walk.functions.get(called.attr, [])
    return [function for function in methods if function.is_method]


def _passed(walk: NameVisitor) -> Iterator[Flow]:
    """Yield how parameters of the script's functions are related to their arguments."""
    for call, scope in walk.calls:
        for function in _called_functions(call, scope, walk):
            yield from _passed_to(function, call, scope)


def _passed_to(inside: Scope, call: ast.Call, scope: Scope) -> Iterator[Flow]:
    definition = inside.definition
    if not isinstance(definition, FUNCTIONS):
        return
    arguments = definition.args
    of_object = inside.is_method and isinstance(call.func, ast.Attribute)
    by_place = [*arguments.posonlyargs, *arguments.args][of_object:]
    given = [
        (parameter.arg, value)
        for parameter, value in zip(by_place, call.args, strict=False)
    ]
    given += [
        (keyword.arg, keyword.value)
        for keyword in call.keywords
        if keyword.arg is not None and keyword.arg in inside.bindings
    ]
    for parameter, value in given:
        for kind, name in find_flows(value):
            yield Flow(inside, parameter, kind, scope, name)
    # *args and **kwargs
    others = [*call.args, *(keyword.value for keyword in call.keywords)]
    for star in filter(None, (arguments.vararg, arguments.kwarg)):
        for value in others:
            for name in names_in(value):
                yield Flow(inside, star.arg, "holds", scope, name)
