"""Refuse a user's own callback, before it runs, if no log can answer what it asks.

The callbacks that pass are driven by `driven`.
"""

from __future__ import annotations

import dis
import os
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from cbreplay.errors import ConfigError, EvidenceError
from cbreplay.rules.callbacks_list import HOOKS
from cbreplay.rules.keras.keras_objects import MODEL_NAMES, attributes_of, direction_of
from cbreplay.rules.keras.without_rule import BYSTANDERS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "find_logger",
    "inherits_from",
    "is_altered",
    "is_custom_callback",
    "is_of_keras",
    "own_functions",
    "refuse_unanswerable",
    "root_of",
]

_OTHER_HOOKS = {
    f"on_{phase}{part}_{end}"
    for phase, part in [
        ("", "batch"),
        ("train_", "batch"),
        ("test_", "batch"),
        ("test", ""),
        ("predict_", "batch"),
        ("predict", ""),
    ]
    for end in ("begin", "end")
}
_KERAS = ("keras", "tf_keras", "tensorflow")
_CLOCKS = {
    "time": "the clock",
    "datetime": "the clock",
    "timeit": "the clock",
    "random": "random numbers",
    "secrets": "random numbers",
}
# classes of Keras, and why a class that extends one of them is not driven
_NOT_DRIVEN = {
    "BackupAndRestore": "it would write its backup anew",
    "CSVLogger": "it would write its file anew",
    "OrbaxCheckpoint": "it would write its checkpoints anew",
    "RemoteMonitor": "it would send to its server",
    "SwapEMAWeights": "it changes which weights are validated and kept",
    "TensorBoard": "it would write its event files anew",
    "TerminateOnNaN": "it acts within an epoch, on batches",
}


def root_of(thing: object) -> str:
    """Return the package that a class or function comes from, or a module's own."""
    home = getattr(thing, "__module__", None) or getattr(thing, "__name__", "")
    return str(home).partition(".")[0]


def is_of_keras(kind: type[Any]) -> bool:
    """Return whether a class is Keras's own."""
    return root_of(kind) in _KERAS


def inherits_from(callback: object) -> list[str]:
    """Return the names of Keras's own classes that a callback extends or is."""
    return [kind.__name__ for kind in type(callback).__mro__ if is_of_keras(kind)]


def is_custom_callback(callback: object) -> bool:
    """Return whether an object has the hooks of a Keras callback."""
    called = (*HOOKS, "set_model", "set_params")
    return all(callable(getattr(callback, name, None)) for name in called)


def is_altered(callback: object) -> bool:
    """Return whether a hook or the comparison of a Keras object was replaced."""
    held = attributes_of(callback)
    if any(isinstance(held.get(hook), FunctionType) for hook in HOOKS):
        return True
    operator = held.get("monitor_op")
    ours = root_of(operator) in _KERAS or direction_of(operator) is not None
    return operator is not None and not ours


def find_logger(callback: object) -> str | None:
    """Return the name of Keras's logger that a callback extends unchanged; else None.

    Only a constructor may be its own.
    """
    first, *others = inherits_from(callback) or [""]
    if first not in BYSTANDERS or set(others) - {"Callback"} or is_altered(callback):
        return None
    own = [name for name, _ in own_functions(callback) if name != "__init__"]
    return None if own else first


def refuse_unanswerable(callback: object) -> None:
    """Raise an error if a log cannot answer what a callback's code asks.

    So it is with batches, separate evaluations, the clock, random numbers, and models
    or files of its own.

    Raises
    ------
    EvidenceError
        With the hook or the function in it.
    ConfigError
        If driving the callback would make a directory.
    """
    name = type(callback).__name__
    for base in inherits_from(callback):
        if base in _NOT_DRIVEN:
            sentence = (
                f"{name} is a {base}: driven on a log, {_NOT_DRIVEN[base]}. "
                "Leave it out of the list."
            )
            raise EvidenceError(sentence)
    if "ModelCheckpoint" in inherits_from(callback):
        _check_directory(name, str(getattr(callback, "filepath", "")))
    _refuse_models(name, callback)
    for hook in sorted(_OTHER_HOOKS):
        if _own_function(callback, hook) is not None:
            sentence = (
                f"{name} has the hook {hook}, and a log of epochs holds neither "
                "batches nor separate evaluations: what it decides cannot be "
                "replayed. Leave it out of the list."
            )
            raise EvidenceError(sentence)
    for method, function in own_functions(callback):
        asked = _unrepeatable_in(function)
        if asked is not None:
            what, written = asked
            sentence = (
                f"{name} asks {what} ({written} in {method}), and a replay has those "
                "of another moment: what it decides cannot be replayed. Leave it out "
                "of the list."
            )
            raise EvidenceError(sentence)


def _refuse_models(name: str, callback: object) -> None:
    """Refuse a callback that holds a further model, whose weights no log tells."""
    for attribute, value in attributes_of(callback).items():
        kinds = {kind.__name__ for kind in type(value).__mro__ if is_of_keras(kind)}
        if attribute not in MODEL_NAMES and kinds & {"Layer", "Model"}:
            sentence = (
                f"{name} holds a model as {attribute}, and its weights are those of no "
                "recorded epoch: what it decides cannot be replayed. Leave it out of "
                "the list."
            )
            raise EvidenceError(sentence)


def _check_directory(name: str, filepath: str) -> None:
    directory = os.path.dirname(filepath)  # noqa: PTH120 - as Keras cuts it
    if directory and not os.path.isdir(directory):  # noqa: PTH112 - as Keras asks
        sentence = (
            f"{name} is a ModelCheckpoint, and driven on a log it would make the "
            f"directory {directory!r}. Make it before, or leave the callback out."
        )
        raise ConfigError(sentence)


def _own_function(callback: object, name: str) -> FunctionType | None:
    """Return a hook's function if the user wrote it."""
    function = _function_of(getattr(callback, name, None))
    if function is None or root_of(function) in _KERAS:
        return None
    return function


def own_functions(callback: object) -> Iterator[tuple[str, FunctionType]]:
    """Yield every method and every function of an instance that the user wrote."""
    for kind in type(callback).__mro__:
        if not is_of_keras(kind):
            for name, member in vars(kind).items():
                function = _function_of(member)
                if function is not None:
                    yield name, function
    for name, value in attributes_of(callback).items():
        if isinstance(value, FunctionType):
            yield name, value


def _function_of(member: object) -> FunctionType | None:
    """Return the Python function of a method or a property; None if it has none."""
    if isinstance(member, (MethodType, classmethod, staticmethod)):
        member = member.__func__
    elif isinstance(member, property):
        member = member.fget
    return member if isinstance(member, FunctionType) else None


def _unrepeatable_in(function: FunctionType) -> tuple[str, str] | None:
    """Return what a function asks for that no replay can repeat, and its name."""
    for code in _codes(function.__code__):
        for name in code.co_names:
            root = root_of(function.__globals__.get(name))
            if root in _CLOCKS:
                return _CLOCKS[root], name
            if root == "numpy" and "random" in code.co_names:
                return _CLOCKS["random"], f"{name}.random"
        for step in dis.get_instructions(code):
            root = str(step.argval).partition(".")[0]
            if step.opname == "IMPORT_NAME" and root in _CLOCKS:
                return _CLOCKS[root], f"import {root}"
    return None


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
