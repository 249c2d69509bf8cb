"""Which packages a script trains with, by its imports and its environment."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cbreplay.scripts.syntax import dotted_name, imported_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["find_packages"]

_LEGACY = "TF_USE_LEGACY_KERAS"
# the only values that TensorFlow takes for yes
_YES = ("true", "True", "1")
_TENSORFLOW = ("tensorflow", "tf")


def find_packages(tree: ast.Module) -> frozenset[str]:
    """Return the packages that a script imports.

    ``tf.keras`` counts as ``keras``, or as ``tf_keras`` where the script certainly sets
    ``TF_USE_LEGACY_KERAS`` in the environment before TensorFlow looks. The ``keras``
    part of another package, as in ``wandb.keras``, counts as that package.
    """
    kinds = (ast.Import, ast.ImportFrom, ast.Attribute)
    nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    roots = dict(pair for node in nodes for pair in imported_names(node))
    is_legacy = _uses_legacy(tree, nodes, roots)
    found = set()
    for node in nodes:
        for path in _paths_of(node, roots):
            package, *inner = path.split(".")
            if package in _TENSORFLOW and "keras" in inner:
                package = "tf_keras" if is_legacy else "keras"
            found.add(package)
    return frozenset(found)


def _uses_legacy(
    tree: ast.Module,
    nodes: Sequence[ast.Import | ast.ImportFrom | ast.Attribute],
    roots: dict[str, str],
) -> bool:
    """Return whether ``tf.keras`` is certainly tf_keras.

    TensorFlow reads the variable when something is imported from ``tensorflow.keras``,
    or when ``tf.keras`` is first used.
    """
    asked = _asks_for_legacy(tree)
    if asked is None:
        return False
    loaded, used, has_imports = [asked + 1], [asked + 1], False
    for node in nodes:
        paths = [path.split(".") for path in _paths_of(node, roots)]
        of_tensorflow = [inner for root, *inner in paths if root in _TENSORFLOW]
        if not of_tensorflow:
            continue
        if isinstance(node, ast.expr):
            used.append(node.lineno)
            continue
        loaded.append(node.lineno)
        has_imports |= any("keras" in inner for inner in of_tensorflow)
    return asked < min(loaded) or (not has_imports and asked < min(used))


def _paths_of(node: ast.AST, roots: dict[str, str]) -> list[str]:
    """Return the dotted paths of an import, or of an attribute such as ``tf.keras``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Attribute) and node.attr == "keras":
        root, _, rest = (dotted_name(node) or "").partition(".")
        return [f"{roots.get(root, root)}.{rest}"] if root else []
    return []


def _asks_for_legacy(tree: ast.Module) -> int | None:
    """Return the line in which a script certainly asks TensorFlow for tf_keras."""
    asked = None
    for statement in tree.body:
        for value in _set_by(statement):
            is_yes = isinstance(value, ast.Constant) and value.value in _YES
            asked = (asked or statement.lineno) if is_yes else None
    return asked


def _set_by(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield the values that a statement gives ``TF_USE_LEGACY_KERAS``."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if (
                isinstance(target, ast.Subscript)
                and _is_environment(target.value)
                and _is_legacy(target.slice)
            ):
                yield statement.value
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and _is_environment(call.func.value)
    ):
        return
    if call.func.attr == "setdefault" and len(call.args) > 1:
        if _is_legacy(call.args[0]):
            yield call.args[1]
    elif call.func.attr == "update":
        for given in call.args:
            if isinstance(given, ast.Dict):
                pairs = zip(given.keys, given.values, strict=True)
                yield from (value for key, value in pairs if key and _is_legacy(key))
        yield from (word.value for word in call.keywords if word.arg == _LEGACY)


def _is_environment(node: ast.expr) -> bool:
    return (dotted_name(node) or "").rpartition(".")[2] == "environ"


def _is_legacy(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == _LEGACY
