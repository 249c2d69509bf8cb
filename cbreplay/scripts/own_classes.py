"""Whether a callback that a script defines itself can decide anything."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cbreplay.scripts.keras_classes import find_patches, keras_name
from cbreplay.scripts.syntax import argument_named, stored_names

if TYPE_CHECKING:
    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Scope

__all__ = ["only_watches"]

_METHODS = (
    *("__init__", "on_epoch_", "on_train_", "on_batch_", "on_test_", "on_predict_"),
)
# functions that read an object and do not change it
_LOOKING = {
    *("abs", "bool", "dict", "enumerate", "float", "format", "int", "isinstance"),
    *("len", "list", "max", "min", "open", "print", "range", "repr", "round", "set"),
    *("sorted", "str", "sum", "super", "tuple", "zip"),
}
_LOG_METHODS = {"copy", "get", "items", "keys", "values"}
_MODEL_METHODS = {
    *("evaluate", "get_config", "get_weights", "predict", "predict_on_batch"),
    *("save", "save_weights", "summary", "to_json"),
}
_CONTAINER_METHODS = {
    *("append", "close", "extend", "flush", "format", "join", "write", "writelines"),
    *("writerow", "items", "keys", "values", "strftime", "lower", "upper"),
}
# modules that cannot change a training
_MODULES = {"csv", "datetime", "json", "math", "numpy", "os", "pandas", "time"}
_OS_FUNCTIONS = {"getcwd", "listdir", "makedirs", "mkdir"}
_MODULES |= {"logging", "matplotlib", "mlflow", "pathlib", "pprint", "wandb"}
_FORBIDDEN = (
    *(ast.Raise, ast.Assert, ast.Global, ast.Nonlocal, ast.Delete, ast.Lambda),
    *(ast.AsyncFunctionDef, ast.ClassDef, ast.Await, ast.Yield, ast.YieldFrom),
)


def only_watches(call: ast.Call, scope: Scope, calls: ScriptCalls) -> bool:
    """Return whether a call makes a callback that certainly decides nothing.

    Its class is defined in the script and extends Keras's ``Callback`` alone, and its
    hooks only look: at ``logs``, the epoch, what the model predicts, and attributes of
    ``self``. Anything else counts as deciding.
    """
    named = scope.class_named(call.func)
    if named is None or "" in find_patches(calls):
        return False
    kind, holder = named
    if (holder, kind.name) in calls.names.changes.first:
        return False
    plain = len(kind.bases) == 1 and not kind.keywords and not kind.decorator_list
    if not plain or keras_name(calls, kind.bases[0], holder) != "Callback":
        return False
    given = [*call.args, *(word.value for word in call.keywords)]
    if not all(isinstance(value, ast.Constant) for value in given):
        return False
    if id(kind) not in calls.watching:
        harmless = all(_is_harmless(part, holder, calls) for part in kind.body)
        calls.watching[id(kind)] = harmless
    return calls.watching[id(kind)]


def _is_harmless(part: ast.stmt, scope: Scope, calls: ScriptCalls) -> bool:
    """Return whether a part of a class's body only looks."""
    if isinstance(part, (ast.Pass, ast.Expr)):
        return isinstance(part, ast.Pass) or isinstance(part.value, ast.Constant)
    if not isinstance(part, ast.FunctionDef) or part.decorator_list:
        return False
    if not part.name.startswith(_METHODS):
        return False
    return _Method(part, scope, calls).only_looks()


class _Method:
    """One method of a class, and whether it only looks."""

    def __init__(
        self, function: ast.FunctionDef, scope: Scope, calls: ScriptCalls
    ) -> None:
        self.function, self.scope, self.calls = function, scope, calls
        self.arguments = [argument.arg for argument in function.args.args]
        self.local = set(self.arguments) | stored_names(ast.walk(function))
        self.of_parent = {
            id(child): parent
            for parent in ast.walk(function)
            for child in ast.iter_child_nodes(parent)
        }

    def only_looks(self) -> bool:
        rest = self.function.args
        if rest.vararg or rest.posonlyargs or rest.kwonlyargs:
            return False
        if self.arguments[:1] != ["self"]:
            return False
        nodes = [node for part in self.function.body for node in ast.walk(part)]
        return not any(isinstance(node, _FORBIDDEN) for node in nodes) and all(
            self.is_harmless(node) for node in nodes
        )

    def is_harmless(self, node: ast.AST) -> bool:
        if isinstance(node, ast.FunctionDef):
            return False
        if isinstance(node, ast.AugAssign):
            # logs |= {...} changes what other callbacks read
            return isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div))
        if isinstance(node, ast.Name):
            return self.is_harmless_name(node)
        if isinstance(node, ast.Attribute):
            return self.is_harmless_attribute(node)
        if isinstance(node, ast.Subscript):
            # logs["lr"] = 0.1 is what other callbacks then read
            return isinstance(node.ctx, ast.Load)
        return not isinstance(node, ast.Call) or self.is_harmless_call(node)

    def is_harmless_name(self, node: ast.Name) -> bool:
        parent = self.of_parent.get(id(node))
        if isinstance(parent, ast.Call) and self.calls.written(parent.func) == "super":
            return True
        if node.id == "self":
            return isinstance(parent, ast.Attribute)
        if isinstance(node.ctx, ast.Store):
            return True
        if node.id in self.local:
            # an argument could be changed through a second name; those of __init__ are
            # constants
            renamed = isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr))
            return not renamed or self.function.name == "__init__"
        builtin = node.id in _LOOKING and self.scope.holder(node.id) is None
        return builtin or self.module_of(node) in _MODULES

    def is_harmless_attribute(self, node: ast.Attribute) -> bool:
        of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
        if not isinstance(node.ctx, ast.Load):
            return of_self and node.attr not in ("model", "params", "_model")
        if of_self and node.attr in ("model", "_model"):
            method = self.of_parent.get(id(node))
            called = self.of_parent.get(id(method))
            return (
                isinstance(method, ast.Attribute)
                and method.attr in _MODEL_METHODS
                and isinstance(called, ast.Call)
                and called.func is method
            )
        return not node.attr.startswith("__") or node.attr == "__init__"

    def is_harmless_call(self, call: ast.Call) -> bool:
        called = call.func
        if argument_named(call, None) is not None:
            return self.calls.written(called) == "super().__init__"
        if isinstance(called, ast.Name):
            return called.id in _LOOKING
        if not isinstance(called, ast.Attribute):
            return False
        written = self.calls.written(called)
        if self.module_of(called) in _MODULES:
            of_os = self.module_of(called) == "os"
            return not of_os or ".path." in written or called.attr in _OS_FUNCTIONS
        if isinstance(called.value, ast.Name) and called.value.id in self.arguments:
            return called.attr in _LOG_METHODS
        return (
            called.attr in _CONTAINER_METHODS | _LOG_METHODS
            or written.startswith("self.model.")
            or (written.startswith("super(") and called.attr.startswith(_METHODS))
        )

    def module_of(self, node: ast.expr) -> str:
        """Return the module that a name is imported from."""
        while isinstance(node, ast.Attribute):
            node = node.value
        if not isinstance(node, ast.Name) or node.id in self.local:
            return ""
        return self.calls.module_of(node, self.scope)
