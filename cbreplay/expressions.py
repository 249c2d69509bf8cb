"""Callback text into callbacks and choices, by syntax tree; nothing is evaluated."""

from __future__ import annotations

import ast
import warnings
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NoReturn

from cbreplay.callbacks import CALLBACKS
from cbreplay.errors import ExpressionError, nearest_name
from cbreplay.grid import Choices, choices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.callbacks.base import Callback

__all__ = ["parse_callbacks"]

_LONGEST_TEXT = 20_000
_DEEPEST_NESTING = 50
_MOST_VALUES = 1_000_000
_PREFIXES = {
    "callbacks",
    "keras.callbacks",
    "tensorflow.keras.callbacks",
    "tf.keras.callbacks",
    "tf_keras.callbacks",
}


def parse_callbacks(
    *texts: str, defaults: Mapping[str, Any] | None = None
) -> list[Callback | Choices]:
    """Read callback expressions into one callbacks list.

    Parameters
    ----------
    *texts : str
        Each one call, or a list of calls, as Keras code: literal arguments, where a
        list or a ``range`` means "try each", and ``each([...])`` says so explicitly.
        ``keras.callbacks.`` before a name is fine.
    defaults : mapping, optional
        Parameters for every callback that does not set them itself.

    Raises
    ------
    ExpressionError
        If the text is anything else. It is never evaluated.
    ConfigError
        If Keras could not compute with a value, or a default contradicts one.

    Examples
    --------
    >>> parse_callbacks("EarlyStopping(patience=5)")[0].patience
    5
    >>> parse_callbacks("EarlyStopping(patience=[3, 5])")[0].varied
    {'patience': [3, 5]}
    """
    entries: list[Callback | Choices] = []
    for text in texts:
        expression = _Expression(text, defaults or {})
        entries.extend(expression.entries())
    return entries


class _Expression:
    """One text under reading; every complaint shows it."""

    def __init__(self, text: str, defaults: Mapping[str, Any]) -> None:
        self.text, self.defaults = text, defaults

    def entries(self) -> list[Callback | Choices]:
        root = self.parse()
        if isinstance(root, (ast.List, ast.Tuple)):
            return [self.entry(node) for node in root.elts]
        return [self.entry(root)]

    def parse(self) -> ast.expr:
        if len(self.text) > _LONGEST_TEXT:
            self.fail(
                f"it is {len(self.text)} characters long, {_LONGEST_TEXT} at most"
            )
        depth = deepest = 0
        for character in self.text:
            depth += (character in "([{") - (character in ")]}")
            deepest = max(deepest, depth)
        if deepest > _DEEPEST_NESTING:
            self.fail(f"it is nested {deepest} deep, {_DEEPEST_NESTING} at most")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.text.strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            self.fail(f"this is not a callback expression ({reason})", _EXAMPLE)

    def entry(self, node: ast.expr) -> Callback | Choices:
        if not isinstance(node, ast.Call):
            self.fail(f"{self.shown(node)} is not a call of a callback", _EXAMPLE)
        name = self.callback_name(node.func)
        kind = CALLBACKS[name]
        known = [one.name for one in fields(kind)]
        parameters = self.arguments(node, name, known)
        for key, value in self.defaults.items():
            if key in known and parameters.setdefault(key, value) != value:
                self.fail(
                    f"{name} has {key}={parameters[key]!r}, and --{key} says {value!r}",
                    "Give one of the two",
                )
        if any(isinstance(value, (list, range)) for value in parameters.values()):
            return choices(kind, **parameters)
        built: Callback = kind(**parameters)
        return built

    def callback_name(self, node: ast.expr) -> str:
        dotted = self.dotted(node)
        if dotted is None:
            self.fail(f"{self.shown(node)} is not the name of a callback", _EXAMPLE)
        prefix, _, name = dotted.rpartition(".")
        if (prefix and prefix not in _PREFIXES) or name not in CALLBACKS:
            known = ", ".join(CALLBACKS)
            near = nearest_name(name, CALLBACKS)
            self.fail(
                f"{dotted!r} is not a callback that can be replayed{near}",
                f"There are {known}",
            )
        return name

    def dotted(self, node: ast.expr) -> str | None:
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        return ".".join([node.id, *reversed(parts)])

    def arguments(self, call: ast.Call, name: str, known: list[str]) -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        if len(call.args) > len(known):
            self.fail(f"{name} takes {len(known)} arguments, not {len(call.args)}")
        for parameter, node in zip(known, call.args, strict=False):
            parameters[parameter] = self.value(node, f"{name}: {parameter}")
        for keyword in call.keywords:
            if keyword.arg is None:
                self.fail(f"{name}: ** cannot be read", "Write the arguments out")
            if keyword.arg not in known:
                near = nearest_name(keyword.arg, known)
                self.fail(
                    f"{name} has no parameter {keyword.arg!r}{near}",
                    f"It has {', '.join(known)}",
                )
            if keyword.arg in parameters:
                self.fail(f"{name}: {keyword.arg} is given twice")
            place = f"{name}: {keyword.arg}"
            parameters[keyword.arg] = self.value(keyword.value, place)
        return parameters

    def value(self, node: ast.expr, place: str) -> Any:  # noqa: ANN401 - any literal
        if isinstance(node, ast.List):
            return self.axis([self.literal(one, place) for one in node.elts], place)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "range" and not node.keywords:
                return self.axis(self.range(node, place), place)
            if node.func.id == "each" and len(node.args) == 1 and not node.keywords:
                inner = node.args[0]
                if isinstance(inner, (ast.List, ast.Tuple)):
                    listed = [self.literal(one, place) for one in inner.elts]
                    return self.axis(listed, place)
        return self.literal(node, place)

    def axis(self, values: Any, place: str) -> Any:  # noqa: ANN401 - list or range
        if not 0 < len(values) <= _MOST_VALUES:
            self.fail(
                f"{place} has {len(values)} values to try, 1 to {_MOST_VALUES} fit"
            )
        return values

    def range(self, call: ast.Call, place: str) -> range:
        ends = [self.literal(one, place) for one in call.args]
        try:
            tried = range(*ends)
            len(tried)
        except (TypeError, ValueError, OverflowError) as error:
            self.fail(f"{place}: {self.shown(call)} is no range ({error})")
        return tried

    def literal(self, node: ast.expr, place: str) -> Any:  # noqa: ANN401 - any literal
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            self.fail(
                f"{place} is {self.shown(node)}, which is not a literal value",
                "Write the value itself, or [a, b] or range(a, b) to try several",
            )

    def shown(self, node: ast.expr) -> str:
        piece = ast.get_source_segment(self.text.strip(), node) or "this"
        return repr(
            piece if len(piece) <= _SHOWN_PIECE else piece[:_SHOWN_PIECE] + "..."
        )

    def fail(self, problem: str, hint: str = "") -> NoReturn:
        raise ExpressionError(problem, text=self.text, hint=hint)


_SHOWN_PIECE = 60
_EXAMPLE = (
    'Write for example -c "EarlyStopping(patience=range(1, 31), min_delta=0.001)"'
)
