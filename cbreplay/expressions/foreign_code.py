"""Whether a value of a script may be made by code that is not read."""

from __future__ import annotations

import ast
import builtins
import sys
from typing import TYPE_CHECKING

from cbreplay.expressions.keras_paths import KERAS_PACKAGES
from cbreplay.expressions.script_parameters import given_for
from cbreplay.expressions.syntax import root_of

if TYPE_CHECKING:
    from cbreplay.expressions.scopes import Binding, Scope
    from cbreplay.expressions.script_calls import ScriptCalls

__all__ = ["comes_from_outside", "is_foreign", "is_known_module"]

# packages that make no layers, no models and no optimizers of Keras
_PACKAGES = {*KERAS_PACKAGES} | {
    *("IPython", "PIL", "absl", "albumentations", "bs4", "cv2", "dotenv", "gensim"),
    *("google", "h5py", "imblearn", "joblib", "jsonlines", "kaggle", "librosa"),
    *("matplotlib", "mlflow", "networkx", "nibabel", "nltk", "numpy", "openpyxl"),
    *("pandas", "plotly", "psutil", "pydicom", "pyarrow", "requests", "rich"),
    *("scipy", "seaborn", "six", "skimage", "sklearn", "soundfile", "spacy"),
    *("tensorboard", "tensorflow_datasets", "tqdm", "wandb", "yaml", "yfinance"),
}


def is_known_module(path: str) -> bool:
    """Return whether a module is Keras's, Python's, or of a package known by name."""
    package = path.partition(".")[0]
    return package in _PACKAGES or package in sys.stdlib_module_names


def is_foreign(use: ast.Name, scope: Scope, calls: ScriptCalls) -> bool:
    """Return whether a name is imported from an unknown package, or bound nowhere."""
    holder = scope.holder(use.id)
    if holder is None:
        return not calls.names.stars and use.id not in vars(builtins)
    paths = [binding.path for binding in holder.bindings[use.id]]
    return any(path is not None and not is_known_module(path) for path in paths)


def comes_from_outside(
    calls: ScriptCalls, node: ast.expr, scope: Scope, seen: frozenset[str] = frozenset()
) -> bool:
    """Return whether code that is not read may make the object of an expression.

    That is an imported name, a call with one, or a parameter of a function that may be
    called from elsewhere. An attribute or an entry of a local name is taken for a
    setting, as ``args.rate`` and ``config["rate"]`` are. `seen` holds the names that
    were followed to it.
    """
    calls.count_step()
    if isinstance(node, ast.Name):
        return is_foreign(node, scope, calls) or (
            node.id not in seen
            and _is_bound_outside(calls, node.id, scope, seen | {node.id})
        )
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        root = root_of(node)
        start = ast.copy_location(ast.Name(root or "", ast.Load()), node)
        return root is not None and is_foreign(start, scope, calls)
    parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    if isinstance(node, ast.Call):
        parts += [word.value for word in node.keywords]
    return any(comes_from_outside(calls, part, scope, seen) for part in parts)


def _is_bound_outside(
    calls: ScriptCalls, name: str, scope: Scope, seen: frozenset[str]
) -> bool:
    """Return whether one of the values of a name may come from outside."""
    holder = scope.holder(name)
    return holder is not None and any(
        _gives_outside(calls, name, holder, binding, seen)
        for binding in holder.bindings[name]
    )


def _gives_outside(
    calls: ScriptCalls, name: str, holder: Scope, binding: Binding, seen: frozenset[str]
) -> bool:
    if binding.value is not None:
        return comes_from_outside(calls, binding.value, holder, seen)
    if binding.path is not None or binding.inner is not None:
        return False
    function = holder.definition
    if isinstance(function, _FUNCTIONS) and name in _parameters(function.args):
        given = given_for(calls, name, holder)
        return not given.is_whole or any(
            comes_from_outside(calls, value, place, seen)
            for value, place in given.values
        )
    # a loop, or a part of what a call returns: what stands in one statement with it
    return any(
        is_foreign(use, holder, calls)
        for at in calls.linked.by_name.get(name, ())
        for use in calls.linked.uses[at]
    )


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _parameters(arguments: ast.arguments) -> list[str]:
    return [part.arg for part in ast.walk(arguments) if isinstance(part, ast.arg)]
