"""What a piece of a syntax tree says: what it names and binds, the parts of a call."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "FUNCTIONS",
    "SCOPES",
    "argument_at",
    "argument_named",
    "as_subscript",
    "bound_by",
    "bound_names",
    "called_name",
    "copied",
    "decorators_of",
    "dotted_name",
    "entry_at",
    "has_star",
    "imported_names",
    "is_open",
    "is_text",
    "loop_variables",
    "makes_list",
    "method_name",
    "named_attribute",
    "names_in",
    "parsed",
    "receiver_of",
    "root_of",
    "shared_names",
    "stored_names",
    "text_of",
    "whole_parts",
]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# what has names of its own, and runs at another time than what is around it
SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef)


def parsed(text: str, mode: str = "exec") -> Any:  # noqa: ANN401 - as the mode says
    """Return the syntax tree of a text, as `ast.parse`, and warn of nothing in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode=mode)


def dotted_name(node: ast.expr) -> str | None:
    """Return ``a.b.c`` for such a node; None for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def root_of(node: ast.expr) -> str | None:
    """Return the name at which a chain of attributes and subscripts begins."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def names_in(node: ast.AST) -> list[str]:
    """Return every name in a piece of a script, each once."""
    found = (part.id for part in ast.walk(node) if isinstance(part, ast.Name))
    return list(dict.fromkeys(found))


def stored_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that some nodes assign to."""
    return {
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def shared_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that some nodes declare ``global`` or ``nonlocal``."""
    kinds = (ast.Global, ast.Nonlocal)
    return {name for node in nodes if isinstance(node, kinds) for name in node.names}


def text_of(node: ast.AST | None) -> str | None:
    """Return a text that is written out; None for anything else."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else None


def copied(
    part: Any,  # noqa: ANN401 - a node, or what a field of a node holds
) -> Any:  # noqa: ANN401
    """Return a copy of a piece of a script, in half the time of copy.deepcopy."""
    if isinstance(part, list):
        return [copied(own) for own in part]
    if not isinstance(part, ast.AST):
        return part
    made = type(part).__new__(type(part))
    vars(made).update((name, copied(own)) for name, own in vars(part).items())
    return made


def imported_names(node: ast.AST) -> list[tuple[str, str]]:
    """Return the names that an import binds, each with the dotted path that it means.

    ``import keras.callbacks`` binds keras, ``... as kc`` the submodule. The name of
    ``from keras import *`` is ``*``.
    """
    if isinstance(node, ast.Import):
        return [
            (alias.asname, alias.name)
            if alias.asname
            else (alias.name.partition(".")[0],) * 2
            for alias in node.names
        ]
    if not isinstance(node, ast.ImportFrom):
        return []
    module = "." * node.level + (node.module or "")
    return [
        (alias.asname or alias.name, f"{module}.{alias.name}") for alias in node.names
    ]


def bound_names(node: ast.AST) -> list[str]:
    """Return the names that a node binds itself, otherwise than by assigning to them.

    That is as a function, a class, an import, a caught error or a part of a pattern.
    """
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    return [name for name, _ in imported_names(node)]


def bound_by(node: ast.AST) -> list[str]:
    """Return the names that a node binds, also those that it assigns to or shares."""
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return node.names
    return bound_names(node)


def called_name(call: ast.Call) -> str:
    """Return the last part of the dotted name that is called; "" without a name."""
    return call.func.id if isinstance(call.func, ast.Name) else method_name(call)


def method_name(call: ast.Call) -> str:
    """Return the method that is called, as ``fit`` in ``model.fit()``; else ""."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def receiver_of(call: ast.Call) -> ast.expr | None:
    """Return what a method is called on, as ``model`` in ``model.fit()``; else None."""
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def named_attribute(call: ast.Call) -> tuple[ast.expr | None, str]:
    """Return what ``getattr(whole, "name")`` names; None and "" of any other call."""
    given = call.args
    if called_name(call) != "getattr" or len(given) != len(("whole", "name")):
        return None, ""
    name = text_of(given[1])
    return (None, "") if name is None else (given[0], name)


def argument_named(call: ast.Call, name: str | None) -> ast.expr | None:
    """Return what a call gives by a name, or by ``**`` for None; None if nothing."""
    return next((word.value for word in call.keywords if word.arg == name), None)


def argument_at(call: ast.Call, name: str, place: int) -> ast.expr | None:
    """Return what a call gives by a name, or else by place; None if that is unsure.

    At the place -1 nothing is given: a parameter that is keyword-only.
    """
    by_place = call.args[: place + 1]
    given = [] if has_star(by_place) else by_place[place:]
    return argument_named(call, name) or next(iter(given), None)


def is_open(call: ast.Call) -> bool:
    """Return whether ``*`` or ``**`` may give a call more than is written out."""
    return has_star(call.args) or argument_named(call, None) is not None


def has_star(parts: Sequence[ast.expr]) -> bool:
    """Return whether some arguments or entries hold a ``*``."""
    return any(isinstance(part, ast.Starred) for part in parts)


def is_text(node: ast.expr) -> bool:
    """Return whether an expression makes a text: a path, or a message."""
    if isinstance(node, ast.BinOp):
        # what is joined with a text is one, and of % only the left side tells
        sides = [node.left, node.right] if isinstance(node.op, ast.Add) else [node.left]
        return isinstance(node.op, (ast.Add, ast.Mod)) and any(map(is_text, sides))
    return text_of(node) is not None or isinstance(node, ast.JoinedStr)


def decorators_of(kind: ast.ClassDef) -> list[ast.expr]:
    """Return what decorates a class; of ``@decorate(...)`` what is called."""
    return [
        maker.func if isinstance(maker, ast.Call) else maker
        for maker in kind.decorator_list
    ]


def as_subscript(node: ast.expr) -> ast.Subscript | None:
    """Return an entry that is looked up, ``d["key"]`` also for ``d.get("key", 1)``."""
    if isinstance(node, ast.Subscript):
        return node
    whole = receiver_of(node) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or whole is None:
        return None
    if method_name(node) != "get" or not node.args:
        return None
    return ast.copy_location(ast.Subscript(whole, node.args[0], ast.Load()), node)


def whole_parts(node: ast.expr) -> list[ast.expr] | None:
    """Return the parts of an expression that certainly holds all of them: a list."""
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    if isinstance(node, (ast.Starred, ast.NamedExpr)):
        return [node.value]
    is_sum = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)
    return [node.left, node.right] if is_sum and isinstance(node, ast.BinOp) else None


def loop_variables(
    target: ast.expr, among: ast.expr, part: tuple[int, ...] = ()
) -> Iterator[tuple[ast.Name, ast.expr, tuple[int, ...]]]:
    """Yield each name that a loop binds, what it goes over, and the part of an entry.

    In ``for i, (a, b) in enumerate(pairs)``, b is the part 1 of each of ``pairs``.
    """
    if isinstance(target, ast.Name):
        yield target, among, part
    elif isinstance(target, (ast.Tuple, ast.List)) and not has_star(target.elts):
        columns = [] if part else _columns(among)
        for at, inner in enumerate(target.elts):
            if not columns:
                yield from loop_variables(inner, among, (*part, at))
            elif at < len(columns):
                yield from loop_variables(inner, columns[at])


def _columns(among: ast.expr) -> list[ast.expr]:
    """Return what ``zip``, ``enumerate`` or ``items()`` joins; itself for numbers."""
    if not isinstance(among, ast.Call) or among.keywords or has_star(among.args):
        return []
    if isinstance(among.func, ast.Attribute) and among.func.attr == "items":
        values = ast.Attribute(among.func.value, "values", ast.Load())
        return [among, ast.copy_location(ast.Call(values, among.args, []), among)]
    if isinstance(among.func, ast.Name) and among.func.id == "enumerate":
        return [among, *among.args[:1]]
    is_zip = isinstance(among.func, ast.Name) and among.func.id == "zip"
    return among.args if is_zip else []


def makes_list(node: ast.expr | None) -> bool:
    """Return whether an expression is written as a list, or as a sum with one."""
    if isinstance(node, ast.BinOp):
        return makes_list(node.left) or makes_list(node.right)
    return isinstance(node, ast.List)


def entry_at(
    whole: ast.expr,
    key: Any,  # noqa: ANN401 - any constant
) -> ast.expr | None:
    """Return the entry of a dict or list at a key; None where that cannot be told."""
    if isinstance(whole, ast.Dict):
        keys: list[Any] = [
            part.value if isinstance(part, ast.Constant) else None
            for part in whole.keys
        ]
        entries, doubted = whole.values, None in keys or keys.count(key) != 1
    elif isinstance(whole, (ast.List, ast.Tuple)):
        entries, keys = whole.elts, list(range(len(whole.elts)))
        doubted = has_star(entries) or type(key) is not int or key not in keys
    else:
        return None
    return None if doubted else entries[keys.index(key)]
