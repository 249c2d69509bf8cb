"""Texts such as ``EarlyStopping(patience=[3, 5])`` become callbacks and choices.

By their syntax tree; nothing is evaluated. ``@train.py`` is read by `script`.
"""

from __future__ import annotations

import ast
import itertools
import keyword
import re
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError, ExpressionError
from cbreplay.grid import Choices, choices
from cbreplay.rules.families import known_families, stands_by
from cbreplay.rules.registry import known_rules, rule_named
from cbreplay.scripts.call_arguments import (
    bystander,
    check_schedules,
    is_known,
    literal_hint,
    named_parameters,
    problem_with_name,
    read_call,
)
from cbreplay.scripts.script import read_script_callbacks
from cbreplay.scripts.sources import is_script, read_text
from cbreplay.scripts.syntax import dotted_name, parsed
from cbreplay.wording.plain_text import quoted_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.run import Mode

__all__ = ["Expressions", "parse_callbacks", "parse_recorded", "read_expressions"]

_LONGEST_TEXT = 20_000
_DEEPEST_NESTING = 50
_MOST_VALUES = 1_000_000
_MODULE_NAME = r"\s*([A-Za-z_][\w.]*):([A-Za-z_]\w*)\s*(\(|$)"


class Expressions(NamedTuple):
    """What texts say.

    Parameters
    ----------
    entries : list of Callback or Choices
        One callbacks list, in order.
    notes : tuple of str
        What was not read, and what was assumed.
    written : tuple of frozenset of str
        Which parameters the text of each entry gives.
    semantics : str or None
        The Keras version of the first script that tells it.
    epochs, validation_freq : int or None
        As ``fit`` of the last script gets them, as in `ScriptCallbacks`.
    later_fits : tuple of int
        With which epochs fits of the last script begin, as there.
    schedule : str or None
        The LearningRateSchedule of the last script's optimizer, as there.
    directions : mapping of str to {"min", "max"}
        Those of the last script's compiled metrics, as there.
    """

    entries: list[Callback | Choices]
    notes: tuple[str, ...]
    written: tuple[frozenset[str], ...]
    semantics: str | None = None
    epochs: int | None = None
    validation_freq: int | None = None
    later_fits: tuple[int, ...] = ()
    schedule: str | None = None
    directions: Mapping[str, Mode] = MappingProxyType({})


@checked
def parse_callbacks(
    *texts: str, defaults: Mapping[str, Any] | None = None
) -> list[Callback | Choices]:
    """Read callback expressions into one callbacks list.

    Parameters
    ----------
    *texts : str
        Each one call, or a list of calls, as Keras code: literal arguments, where a
        list or a ``range`` means "try each", and ``each([...])`` says so explicitly.
        ``keras.callbacks.`` before a name is fine, and so is ``name =`` before a call,
        as in a line of a script. ``@file`` reads expressions from a file, with
        comments; ``@train.py`` and ``@train.ipynb`` are `read_script_callbacks`.
        ``package.module:MyCallback(...)`` imports your own callback, and nothing else
        imports anything.
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
    return read_expressions(texts, defaults or {}).entries


def parse_recorded(
    texts: Sequence[str], *, defaults: Mapping[str, Any] | None = None
) -> list[Callback | Choices]:
    """Read the callbacks of a ``run.json``: calls of Keras's callbacks, and no others.

    A log is not trusted, so ``@file`` opens no file and ``module:name`` imports
    nothing here.

    Raises
    ------
    ExpressionError, ConfigError
        As `parse_callbacks`.
    """
    given = defaults or {}
    return [entry for text in texts for entry in _Expression(text, given).recorded()]


def read_expressions(texts: Sequence[str], defaults: Mapping[str, Any]) -> Expressions:
    """Read texts as `parse_callbacks`, and say what a script left unread."""
    entries: list[Callback | Choices] = []
    notes: list[str] = []
    written: list[frozenset[str]] = []
    told = Expressions(entries, (), ())
    for text in texts:
        path = text.strip().removeprefix("@")
        if path == text.strip():
            expression = _Expression(text, defaults)
            entries.extend(expression.entries())
            written.extend(expression.written)
        elif is_script(path):
            script = read_script_callbacks(path, defaults=defaults)
            entries.extend(script.callbacks)
            written.extend(script.written)
            notes.extend(f"{path}: {note}" for note in script.notes)
            told = told._replace(
                semantics=told.semantics or script.semantics,
                epochs=script.epochs,
                validation_freq=script.validation_freq,
                later_fits=script.later_fits,
                schedule=script.schedule,
                directions=script.directions,
            )
        else:
            held = read_text(path, most=_LONGEST_TEXT)
            expression = _Expression(held, defaults, path=path)
            entries.extend(expression.statements())
            written.extend(expression.written)
    return told._replace(notes=tuple(notes), written=tuple(written))


class _Expression:
    """One text that is read; errors show it, or the line in its file."""

    def __init__(self, text: str, defaults: Mapping[str, Any], path: str = "") -> None:
        self.text, self.defaults, self.path = text.strip(), defaults, path
        if path:
            # not stripped, so that the lines of errors count from the top of the file
            self.text = text
        self.line = 0
        self.module = ""
        # which parameters each entry names
        self.written: list[frozenset[str]] = []

    def entries(self) -> list[Callback | Choices]:
        named = re.match(_MODULE_NAME, self.text)
        if named is not None and not keyword.iskeyword(named[1]):
            return [self.own(named[1], named[2])]
        return self.statements()

    def recorded(self) -> list[Callback | Choices]:
        root = self.parse("eval").body
        try:
            return self.listed(root)
        except ConfigError:
            if self.text.endswith("(...)"):
                # a schedule that is a function, for example
                self.fail("its arguments could not be recorded", _EXAMPLE)
            raise

    def own(self, module: str, name: str) -> Callback | Choices:
        from cbreplay.expressions.own_code import read_own

        written = _Expression(self.text.partition(":")[2], self.defaults)
        written.module = module
        node = written.parse("eval").body
        if not isinstance(node, (ast.Call, ast.Name)):
            written.refuse(node)
        call = node if isinstance(node, ast.Call) else None
        self.written.append(frozenset())
        return read_own(module, name, call, self.defaults, written)

    def statements(self) -> list[Callback | Choices]:
        entries: list[Callback | Choices] = []
        for statement in self.parse("exec").body:
            if self.path:
                self.line = statement.lineno
            # `stop = EarlyStopping()`, as a line of a script
            if not isinstance(statement, (ast.Expr, ast.Assign)):
                self.refuse(statement)
            entries.extend(self.listed(statement.value))
        if not entries:
            self.fail("it holds no callback", _EXAMPLE)
        return entries

    def listed(self, root: ast.expr) -> list[Callback | Choices]:
        if isinstance(root, ast.Tuple) and len(root.elts) == 1:
            # a trailing comma, copied from the arguments of fit
            return self.listed(root.elts[0])
        if isinstance(root, (ast.List, ast.Tuple)):
            return [self.entry(node) for node in root.elts]
        return [self.entry(root)]

    def parse(self, mode: str) -> Any:  # noqa: ANN401 - an expression, or statements
        if len(self.text) > _LONGEST_TEXT:
            self.fail(
                f"it is {len(self.text)} characters long, {_LONGEST_TEXT} at most"
            )
        steps = ((each in "([{") - (each in ")]}") for each in self.text)
        deepest = max(itertools.accumulate(steps), default=0)
        if deepest > _DEEPEST_NESTING:
            self.fail(f"it is nested {deepest} deep, {_DEEPEST_NESTING} at most")
        try:
            return parsed(self.text, mode)
        except _NOT_PARSED as error:
            line, reason = None, str(error)
            if isinstance(error, SyntaxError):
                line, reason = error.lineno, error.msg
            self.line = line or 0 if self.path else 0
            problem = f"this is not a callback expression ({reason})"
            self.fail(*(_meant(self.text) or (problem, _EXAMPLE)))

    def refuse(self, node: ast.AST) -> NoReturn:
        """Fail at what is no call, and say what it may be meant as."""
        problem = f"{self.shown(node)} is not a call of a callback"
        self.fail(*(_meant(self.text) or (problem, _EXAMPLE)))

    def entry(self, node: ast.expr) -> Callback | Choices:
        if self.path:
            self.line = node.lineno
        if not isinstance(node, ast.Call):
            self.refuse(node)
        name = self.callback_name(node.func)
        if stands_by(name):
            self.written.append(frozenset())
            return bystander(name, node)
        kind = rule_named(name).load()
        known = [parameter.name for parameter in fields(kind)]
        self.written.append(named_parameters(node, known))
        parameters = read_call(node, kind, self.defaults, self)
        check_schedules(name, parameters.get("schedule"), self)
        if any(isinstance(value, (list, range)) for value in parameters.values()):
            return choices(kind, **parameters)
        built: Callback = kind(**parameters)
        return built

    def callback_name(self, node: ast.expr) -> str:
        dotted = dotted_name(node)
        if dotted is None:
            self.fail(f"{self.shown(node)} is not the name of a callback", _EXAMPLE)
        prefix, _, name = dotted.rpartition(".")
        foreign = bool(prefix) and not any(
            prefix in family.prefixes for family in known_families()
        )
        problem = problem_with_name("" if foreign else name, dotted)
        if problem is not None:
            self.fail(*problem)
        return name

    def value(self, node: ast.expr, place: str) -> Any:  # noqa: ANN401 - any literal
        if isinstance(node, ast.List):
            return self.axis(self.listed_once(node, place), place)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "range" and not node.keywords:
                return self.axis(self.range(node, place), place)
            if node.func.id == "each" and len(node.args) == 1 and not node.keywords:
                inner = node.args[0]
                if isinstance(inner, (ast.List, ast.Tuple)):
                    return self.axis(self.listed_once(inner, place), place)
        return self.literal(node, place)

    def listed_once(self, node: ast.List | ast.Tuple, place: str) -> list[Any]:
        values = [self.literal(element, place) for element in node.elts]
        try:
            # with their types, because 1 and True are equal
            once = dict.fromkeys((type(value), value) for value in values)
        except TypeError:
            # a list in the list: the callback refuses it
            return values
        return [value for _, value in once]

    def axis(self, values: Any, place: str) -> Any:  # noqa: ANN401 - list or range
        if not 0 < len(values) <= _MOST_VALUES:
            self.fail(
                f"{place} has {len(values)} values to try, 1 to {_MOST_VALUES} fit"
            )
        return values

    def range(self, call: ast.Call, place: str) -> range:
        ends = [self.literal(end, place) for end in call.args]
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
                literal_hint(place)
                or "Write the value itself, a text in quotes, or [a, b] or range(a, b) "
                "to try several",
            )

    def shown(self, node: ast.AST) -> str:
        piece = ast.get_source_segment(self.text, node) or "this"
        return repr(
            piece if len(piece) <= _SHOWN_PIECE else piece[:_SHOWN_PIECE] + "..."
        )

    def fail(self, problem: str, hint: str = "") -> NoReturn:
        if self.line:
            problem = f"line {self.line}: {problem}"
        raise ExpressionError(
            problem,
            text=self.path or f"{self.module}:{self.text}".lstrip(":"),
            hint=hint,
        )


def _meant(text: str) -> tuple[str, str] | None:
    """Say what a text without a call lacks, and what to write; None if unknown."""
    if is_script(text):
        return "a script is named after an @", f"Write -c {quoted_code(f'@{text}')}"
    try:
        call = parsed(f"_({text})", "eval").body
    except _NOT_PARSED:
        return None
    if not isinstance(call, ast.Call):
        return None
    named = "".join(dotted_name(node) or "" for node in call.args)
    if is_known(named.rpartition(".")[2]):
        written = quoted_code(f"{text}()")
        return (
            "its parentheses are missing",
            f"Write -c {written}, with its settings inside",
        )
    given = {word.arg for word in call.keywords}
    for rule in known_rules():
        if (
            given
            and not call.args
            and given <= {own.name for own in fields(rule.load())}
        ):
            written = quoted_code(f"{rule.name}({text})")
            return "these settings name no callback", f"Write for example -c {written}"
    return None


_NOT_PARSED = (SyntaxError, ValueError, MemoryError, RecursionError)
_SHOWN_PIECE = 60
_EXAMPLE = (
    'Write for example -c "EarlyStopping(patience=range(1, 31), min_delta=0.001)"'
)
