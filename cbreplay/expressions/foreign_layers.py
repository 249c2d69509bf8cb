"""Whether code that is not Keras's own may take part in the models of a script."""

from __future__ import annotations

import ast
import builtins
import sys
from typing import TYPE_CHECKING

from cbreplay.expressions.foreign_code import is_foreign, is_known_module
from cbreplay.expressions.syntax import decorators_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from cbreplay.expressions.scopes import Scope
    from cbreplay.expressions.script_calls import ScriptCalls

__all__ = ["may_log_own_names"]

# a class that extends one of these takes no part in a model, or logs nothing there
_BASES = {
    *("ABC", "Callback", "Constraint", "Dataset", "Enum", "Exception", "IntEnum"),
    *(
        "Initializer",
        "LearningRateSchedule",
        "Loss",
        "NamedTuple",
        "PyDataset",
        "Regularizer",
    ),
    *("Sequence", "dict", "object", "str"),
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
        or any(not is_known_module(star) for star in calls.names.stars)
        or any(_may_extend_a_layer(scope, calls) for scope in calls.names.scopes)
        or _meets_foreign(calls, names)
    )


def _meets_foreign(calls: ScriptCalls, names: Collection[str]) -> bool:
    foreign = {
        id(use) for use, scope in calls.names.uses if is_foreign(use, scope, calls)
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
                or (binding.path is not None and is_known_module(binding.path))
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
