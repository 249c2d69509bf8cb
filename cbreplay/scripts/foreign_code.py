"""Code that is not read: what it may make, and whether it takes part in the models."""

from __future__ import annotations

import ast
import builtins
import sys
from typing import TYPE_CHECKING

from cbreplay.scripts.keras_paths import KERAS_PACKAGES
from cbreplay.scripts.parameters import given_for
from cbreplay.scripts.syntax import decorators_of, root_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Binding, Scope

__all__ = ["comes_from_outside", "may_log_own_names"]

# packages that make no layers, no models and no optimizers of Keras
_PACKAGES = {*KERAS_PACKAGES} | {
    *("IPython", "PIL", "absl", "albumentations", "bs4", "cv2", "dotenv", "gensim"),
    *("google", "h5py", "imblearn", "joblib", "jsonlines", "kaggle", "librosa"),
    *("matplotlib", "mlflow", "networkx", "nibabel", "nltk", "numpy", "openpyxl"),
    *("pandas", "plotly", "psutil", "pydicom", "pyarrow", "requests", "rich"),
    *("scipy", "seaborn", "six", "skimage", "sklearn", "soundfile", "spacy"),
    *("tensorboard", "tensorflow_datasets", "tqdm", "wandb", "yaml", "yfinance"),
}


# a class that extends one of these takes no part in a model, or logs nothing there
_BASES = {
    *("ABC", "Callback", "Constraint", "Dataset", "Enum", "Exception", "IntEnum"),
    *("Initializer", "LearningRateSchedule", "Loss", "NamedTuple", "PyDataset"),
    *("Regularizer", "Sequence", "dict", "object", "str"),
}
# the methods by which a layer, a model or its steps log more than `compile` names
_OWN_STEPS = {
    *("add_metric", "compute_metrics", "get_metrics_result", "make_test_function"),
    *("make_train_function", "reset_metrics", "test_step", "train_step"),
}
_METRIC_LISTS = {"metrics", "metrics_names", "metrics_tensors"}
# functions that load models: the text does not tell what those are made of
_LOADING = {
    *("TFSMLayer", "deserialize", "from_config", "load_model", "model_from_config"),
    *("model_from_json", "model_from_yaml"),
}


def _is_known_module(path: str) -> bool:
    """Return whether a module is Keras's, Python's, or of a package known by name."""
    package = path.partition(".")[0]
    return package in _PACKAGES or package in sys.stdlib_module_names


def _is_foreign(use: ast.Name, scope: Scope, calls: ScriptCalls) -> bool:
    """Return whether a name is imported from an unknown package, or bound nowhere."""
    holder = scope.holder(use.id)
    if holder is None:
        return not calls.names.stars and use.id not in vars(builtins)
    paths = [binding.path for binding in holder.bindings[use.id]]
    return any(path is not None and not _is_known_module(path) for path in paths)


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
        return _is_foreign(node, scope, calls) or (
            node.id not in seen
            and _is_bound_outside(calls, node.id, scope, seen | {node.id})
        )
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        root = root_of(node)
        start = ast.copy_location(ast.Name(root or "", ast.Load()), node)
        return root is not None and _is_foreign(start, scope, calls)
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
    if holder.has_parameter(name):
        given = given_for(calls, name, holder)
        return not given.is_whole or any(
            comes_from_outside(calls, value, place, seen)
            for value, place in given.values
        )
    # a loop, or a part of what a call returns: what stands in one statement with it
    return any(
        _is_foreign(use, holder, calls)
        for at in calls.linked.by_name.get(name, ())
        for use in calls.linked.uses[at]
    )


def may_log_own_names(calls: ScriptCalls, names: Collection[str]) -> bool:
    """Return whether a model of a script may log more than ``compile`` names.

    A layer may track a metric of its own, a model may have its own steps. Neither is so
    if all code that is linked with the model (`linked_names`) is Keras's, is of
    packages that make no layers, or is in the script and defines no layer. Code that
    only loads the data of a ``fit`` is not linked with it. `names` are those of the
    model.
    """
    return (
        bool(calls.names.unread)
        or bool(_OWN_STEPS & calls.methods)
        or bool(_LOADING & calls.methods)
        or any(store.name in _OWN_STEPS | {None} for store in calls.names.stores)
        or any(
            isinstance(gain.target, ast.Attribute) and gain.target.attr in _METRIC_LISTS
            for gain in calls.names.gains
        )
        or any(not _is_known_module(star) for star in calls.names.stars)
        or any(_may_extend_a_layer(scope, calls) for scope in calls.names.scopes)
        or _meets_foreign(calls, names)
    )


def _meets_foreign(calls: ScriptCalls, names: Collection[str]) -> bool:
    foreign = {
        id(use) for use, scope in calls.names.uses if _is_foreign(use, scope, calls)
    }
    met = calls.linked.reached(names, apart=_plain_names(calls))
    return bool(foreign) and any(id(use) in foreign for use in met)


def _plain_names(calls: ScriptCalls) -> set[str]:
    """Return the names of known packages, builtins and constants: no links."""
    plain = set(dir(builtins))
    doubted = set[str]()
    for scope in calls.names.scopes:
        for name, bindings in scope.bindings.items():
            known = all(
                isinstance(binding.value, ast.Constant)
                or (binding.path is not None and _is_known_module(binding.path))
                for binding in bindings
            )
            (plain if known else doubted).add(name)
    return plain - doubted


def _may_extend_a_layer(inside: Scope, calls: ScriptCalls) -> bool:
    """Return whether a scope is that of a class that may be a layer or a model."""
    kind, scope = inside.definition, inside.parent
    if not isinstance(kind, ast.ClassDef) or scope is None:
        return False
    makers = decorators_of(kind)
    # dataclass makes no layer
    paths = [path for maker in makers for path in calls.paths(maker, scope) or [""]]
    plain = all(path.split(".")[0] in sys.stdlib_module_names for path in paths)
    if kind.keywords or not plain:
        return True
    return not all(_is_no_layer(base, scope, calls) for base in kind.bases)


def _is_no_layer(base: ast.expr, scope: Scope, calls: ScriptCalls) -> bool:
    if isinstance(base, ast.Name) and scope.holder(base.id) is None:
        return base.id in _BASES
    paths = [path.split(".") for path in calls.paths(base, scope)]
    return bool(paths) and all(
        path[-1] in _BASES or path[0] in sys.stdlib_module_names for path in paths
    )
