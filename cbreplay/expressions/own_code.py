"""Read ``module:MyCallback(...)``: the one expression that imports a user's code."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

from cbreplay.errors import CbreplayError
from cbreplay.grid import Choices
from cbreplay.rules.callbacks_list import read_callback
from cbreplay.scripts.call_arguments import ArgumentReader, fill_in
from cbreplay.system.silence import silenced_tensorflow
from cbreplay.wording.near_names import nearest_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from cbreplay.rules.base import Callback

__all__ = ["OwnCallback", "read_own"]


_MOST_NAMES = 12


class OwnCodeReader(ArgumentReader, Protocol):
    """Reads the values to try of an argument, and also the one that it says."""

    def literal(self, node: ast.expr, place: str) -> Any:  # noqa: ANN401 - any literal
        """Return the one value that an argument says."""
        ...


class OwnCallback:
    """A class or function of the user's that makes a callback, and its path."""

    def __init__(self, path: str, made_by: Any) -> None:  # noqa: ANN401 - any callable
        self.path, self.made_by = path, made_by
        self.__name__ = path.rpartition(":")[2]

    def __call__(self, **parameters: Any) -> Callback:  # noqa: ANN401 - as the class's
        """Return the callback that is made with these arguments."""
        made = self.made_by(**parameters)
        callback = read_callback(made)
        given = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
        return callback.written_as(f"{self.path}({given})")


def read_own(
    module: str,
    name: str,
    call: ast.Call | None,
    defaults: Mapping[str, Any],
    reader: OwnCodeReader,
) -> Callback | Choices:
    """Import a user's callback and make it, or several to choose from.

    Parameters
    ----------
    module, name : str
        The module, searched first in the current directory, and the name in it.
    call : ast.Call or None
        The call with the arguments; None for a name without parentheses.
    defaults : mapping
        Values that options give, used for parameters that the callback has.
    reader : OwnCodeReader
        Reads the arguments: literals, where ``range(...)`` and ``each([...])`` mean
        "try each"; a list is one value.

    Raises
    ------
    ExpressionError
        If it cannot be imported or made.
    """
    own = OwnCallback(f"{module}:{name}", _import(module, name, reader))
    try:
        if call is None and not callable(own.made_by):
            return read_callback(own.made_by).written_as(own.path)
        parameters = _arguments(own, call or ast.Call(ast.Name(name), [], []), reader)
        known = _parameters_of(own.made_by)
        fill_in(parameters, defaults, name, known, reader)
        varied = {
            key: value for key, value in parameters.items() if isinstance(value, _Tried)
        }
        fixed = {key: value for key, value in parameters.items() if key not in varied}
        tried = Choices(own, fixed, varied)
        built = tried.build({key: values[0] for key, values in varied.items()})
    except CbreplayError:
        raise
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        reader.fail(f"{own.path} raises {type(error).__name__}: {error}")
    return tried if varied else built


class _Tried(list[Any]):
    """A list of values to try; a plain list is one value."""


def _import(module: str, name: str, reader: OwnCodeReader) -> Any:  # noqa: ANN401
    here = os.getcwd()  # noqa: PTH109 - for sys.path
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        with silenced_tensorflow():
            found = importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - a module may raise anything
        reader.fail(
            f"{module} cannot be imported ({type(error).__name__}: {error})",
            "Write package.module:MyCallback(...), importable from this directory",
        )
    if not hasattr(found, name):
        names = _names_in(found)
        listed = ", ".join(names[:_MOST_NAMES])
        more = f" and {len(names) - _MOST_NAMES} more" * (len(names) > _MOST_NAMES)
        reader.fail(
            f"{module} has no {name}{nearest_name(name, names)}",
            f"It has {listed}{more}" if names else "It holds no class and no function",
        )
    return getattr(found, name)


def _names_in(module: ModuleType) -> list[str]:
    """Return what may make or be a callback, and is defined in the module itself."""
    return [
        name
        for name, member in vars(module).items()
        if name[0] != "_"
        and (callable(member) or hasattr(member, "on_epoch_end"))
        and getattr(member, "__module__", None) == module.__name__
    ]


def _arguments(
    own: OwnCallback, call: ast.Call, reader: OwnCodeReader
) -> dict[str, Any]:
    known = _parameters_of(own.made_by)
    if len(call.args) > len(known):
        reader.fail(f"{own.path} takes {len(known)} arguments, not {len(call.args)}")
    given = dict(zip(known, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None:
            reader.fail(f"{own.path}: ** cannot be read", "Write the arguments out")
        if keyword.arg in given:
            reader.fail(f"{own.path}: {keyword.arg} is given twice")
        given[keyword.arg] = keyword.value
    return {key: _value(own, key, node, reader) for key, node in given.items()}


def _value(own: OwnCallback, key: str, node: ast.expr, reader: OwnCodeReader) -> Any:  # noqa: ANN401
    place = f"{own.path}: {key}"
    if isinstance(node, ast.Call):
        return _Tried(reader.value(node, place))
    return reader.literal(node, place)


def _parameters_of(made_by: Any) -> list[str]:  # noqa: ANN401 - any callable
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    signature = inspect.signature(made_by)
    return [
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind in kinds
    ]
