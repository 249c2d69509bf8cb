"""The callbacks that a training script builds, read from its text; it is never run."""

from __future__ import annotations

import ast
import warnings
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from cbreplay.errors import ConfigError, ExpressionError
from cbreplay.expressions.calls import (
    bystander,
    fill_in,
    problem_with_name,
    read_arguments,
    require_all,
)
from cbreplay.expressions.files import read_text
from cbreplay.expressions.growing_lists import join_growing_lists
from cbreplay.expressions.names import Names, read_names
from cbreplay.rules.base import format_callback
from cbreplay.rules.registry import find_rule, rule_named, stands_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cbreplay.expressions.scopes import Binding, Scope
    from cbreplay.rules.base import Callback

__all__ = ["ScriptCallbacks", "read_script_callbacks"]

_LONGEST_SCRIPT = 1_000_000
_MOST_STEPS = 20_000
_SHOWN_PIECE, _SHOWN_PROBLEMS = 60, 5
_ROOTS = ("keras", "tensorflow", "tf", "tf_keras")
_FITS = ("fit", "fit_generator")
_GROWS = (
    "; append, extend and += are read where they stand in one block with the list, "
    "below it and above what uses it"
)
_INSTEAD = "Write the callbacks that fit got out with -c or callbacks="


class ScriptCallbacks(NamedTuple):
    """The callbacks list that a training script gives to ``fit``.

    Parameters
    ----------
    source : str
        The script.
    callbacks : tuple of Callback
        The list, in order.
    lines : tuple of int
        The one-based line in which each is built.
    notes : tuple of str
        What was not read, and what was taken in a way that a reader should know.
    epochs, validation_freq : int or None
        As ``fit`` gets them; None where it does not, where they cannot be told, or
        where several fits get different ones.
    schedule : str or None
        The class of the LearningRateSchedule that every ``compile`` gives the
        optimizer.
    """

    source: str
    callbacks: tuple[Callback, ...]
    lines: tuple[int, ...]
    notes: tuple[str, ...]
    epochs: int | None = None
    validation_freq: int | None = None
    schedule: str | None = None


def read_script_callbacks(
    path: str, *, defaults: Mapping[str, Any] | None = None
) -> ScriptCallbacks:
    """Find the callbacks list of a training script by its syntax tree.

    The script is not run. Callbacks are known by where they are imported from; lists,
    callbacks and constants are followed through names that are assigned once, and a
    list through the ``append``, ``extend`` and ``+=`` that stand in one block with it.

    Parameters
    ----------
    path : str
        The script.
    defaults : mapping, optional
        Parameters for every callback that does not set them itself.

    Raises
    ------
    ExpressionError
        If it is no Python, if a callback or an argument cannot be told from its text
        (the lines are named), or if several ``fit`` calls get different callbacks.
    """
    text = read_text(path, most=_LONGEST_SCRIPT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        join_growing_lists(tree)
        return _Script(path, text, read_names(tree), defaults or {}).read()
    except (SyntaxError, ValueError) as error:
        if isinstance(error, (ExpressionError, ConfigError)):
            raise
        line, reason = None, str(error)
        if isinstance(error, SyntaxError):
            line, reason = error.lineno, error.msg
        where = f"line {line}: " if line else ""
        problem = f"{where}this is not Python ({reason})"
        raise ExpressionError(problem, text=path, hint=_INSTEAD) from None
    except (RecursionError, MemoryError):
        problem = "it is nested too deeply, or its names lead in circles"
        raise ExpressionError(problem, text=path, hint=_INSTEAD) from None


class _Unread(Exception):  # noqa: N818 - caught in this file, never shown as it is
    """A piece of the script that cannot be told from its text."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line, self.problem = line, problem


class _Built(NamedTuple):
    callback: Callback
    line: int


class _Script:
    """One script under reading."""

    def __init__(
        self, path: str, text: str, names: Names, defaults: Mapping[str, Any]
    ) -> None:
        self.path, self.text, self.names, self.defaults = path, text, names, defaults
        self.steps = 0
        self.used: set[int] = set()
        self.given: dict[str, int] = {}

    def read(self) -> ScriptCallbacks:
        fits = [
            (call, scope, given)
            for call, scope in self.names.calls
            if (given := _given_to_fit(call)) is not None
        ]
        problems: list[_Unread] = []
        read: list[tuple[int, list[_Built]]] = []
        for call, scope, given in fits:
            built = list(self.entries(given, scope, problems))
            read.append((call.lineno, built))
        notes = list(self.unread_fits())
        if not fits:
            read = [(0, list(self.every_call(problems)))]
            notes.append(
                "no fit(callbacks=...) stands in it: the callbacks that it builds are "
                "taken in the order of their lines"
            )
        self.refuse(problems)
        built = self.agreed(read)
        if not built:
            problem = "it builds no callback that a fit gets"
            raise ExpressionError(problem, text=self.path, hint=_INSTEAD)
        notes += self.unused()
        notes += self.doubts()
        return ScriptCallbacks(
            self.path,
            tuple(entry.callback for entry in built),
            tuple(entry.line for entry in built),
            tuple(notes),
            epochs=self.agreed_number(fits, "epochs"),
            validation_freq=self.agreed_number(fits, "validation_freq"),
            schedule=self.agreed_schedule(),
        )

    def agreed_schedule(self) -> str | None:
        """Return the schedule that every optimizer is built with, if there is one."""
        found = {
            self.schedule_of(call, scope)
            for call, scope in self.names.calls
            if isinstance(call.func, ast.Attribute) and call.func.attr == "compile"
        }
        return found.pop() if len(found) == 1 else None

    def schedule_of(self, compiling: ast.Call, scope: Scope) -> str | None:
        """Return the schedule that a ``compile`` gives its optimizer, if it is one."""
        try:
            built, scope = self.given_call(compiling, scope, ("optimizer",))
            rate, scope = self.given_call(built, scope, ("learning_rate", "lr"))
        except (LookupError, _Unread):
            return None
        paths = self.paths(rate.func, scope)
        scheduled = bool(paths) and all(".schedules." in path for path in paths)
        return paths[0].rpartition(".")[2] if scheduled else None

    def given_call(
        self, call: ast.Call, scope: Scope, names: tuple[str, ...]
    ) -> tuple[ast.Call, Scope]:
        """Return the call that stands for an argument, the first or one by name.

        Raises
        ------
        LookupError
            If it is not given, or is no call.
        """
        named = [word.value for word in call.keywords if word.arg in names]
        found, holder = self.followed([*named, *call.args][0], scope)
        if isinstance(found, ast.Call):
            return found, holder
        raise LookupError

    def agreed_number(
        self, fits: list[tuple[ast.Call, Scope, ast.expr]], name: str
    ) -> int | None:
        """Return a positive integer that every fit gets by name, if there is one."""
        numbers = set()
        for call, scope, _ in fits:
            given = [keyword.value for keyword in call.keywords if keyword.arg == name]
            try:
                value = _Arguments(self, call, scope).value(given[0], name)
            except (IndexError, _Unread):
                return None
            numbers.add(value)
        known = [number for number in numbers if type(number) is int and number > 0]
        return known[0] if len(numbers) == len(known) == 1 else None

    def refuse(self, problems: list[_Unread]) -> None:
        if not problems:
            return
        told = [
            f"line {problem.line}: {problem.problem}"
            for problem in problems[:_SHOWN_PROBLEMS]
        ]
        if len(problems) > len(told):
            told.append(f"and {len(problems) - len(told)} more")
        raise ExpressionError("; ".join(told), text=self.path, hint=_INSTEAD)

    def agreed(self, read: list[tuple[int, list[_Built]]]) -> list[_Built]:
        """Return the one list that all fits get."""
        written = {
            line: ", ".join(format_callback(entry.callback) for entry in built)
            for line, built in read
        }
        if len(set(written.values())) > 1:
            shown = "; ".join(
                f"line {line}: [{callbacks}]" for line, callbacks in written.items()
            )
            problem = f"its fits get different callbacks: {shown}"
            hint = "Write the ones you mean with -c or callbacks="
            raise ExpressionError(problem, text=self.path, hint=hint)
        return read[0][1]

    def unread_fits(self) -> Iterator[str]:
        for call, _ in self.names.calls:
            starred = any(keyword.arg is None for keyword in call.keywords)
            if _is_fit(call) and starred and _given_to_fit(call) is None:
                yield f"line {call.lineno}: fit(**...) is not read"

    def unused(self) -> Iterator[str]:
        for call, scope in self.names.calls:
            name = self.keras_name(call.func, scope)
            if id(call) not in self.used and find_rule(name or "") is not None:
                yield (
                    f"line {call.lineno}: this {name} goes to no fit that was read, "
                    "and is left out"
                )

    def doubts(self) -> Iterator[str]:
        """Say what could change what was read, and is not read itself."""
        for name, line in self.names.unread.items():
            yield f"line {line}: {name}() may change what a name means, and is not read"
        for name, line in self.given.items():
            yield (
                f"line {line}: {name} is given to something that is not read, and "
                "could change it"
            )

    def every_call(self, problems: list[_Unread]) -> Iterator[_Built]:
        for call, scope in self.names.calls:
            name = self.keras_name(call.func, scope)
            if name is not None and name not in ("Callback", "CallbackList"):
                yield from self.entries(call, scope, problems)

    def entries(
        self, node: ast.expr, scope: Scope, problems: list[_Unread]
    ) -> Iterator[_Built]:
        """Yield the callbacks of a list; what cannot be read goes to the problems."""
        try:
            node, scope = self.followed(node, scope)
            if isinstance(node, (ast.List, ast.Tuple)):
                for element in node.elts:
                    inner = (
                        element.value if isinstance(element, ast.Starred) else element
                    )
                    # Keras flattens lists in lists, so a star changes nothing
                    yield from self.entries(inner, scope, problems)
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
                yield from self.entries(node.left, scope, problems)
                yield from self.entries(node.right, scope, problems)
            elif isinstance(node, ast.Call):
                yield self.built(node, scope)
            elif not (isinstance(node, ast.Constant) and node.value is None):
                self.unread(node, f"{self.shown(node)} is no callback and no list")
        except _Unread as problem:
            problems.append(problem)

    def built(self, call: ast.Call, scope: Scope) -> _Built:
        name = self.callback_name(call, scope)
        self.used.add(id(call))
        if stands_by(name):
            return _Built(bystander(name, call), call.lineno)
        kind = rule_named(name).load()
        known = [parameter.name for parameter in fields(kind)]
        reader = _Arguments(self, call, scope)
        parameters = read_arguments(call, name, known, reader)
        fill_in(parameters, self.defaults, name, known, reader)
        require_all(parameters, kind, reader)
        try:
            return _Built(kind(**parameters), call.lineno)
        except ConfigError as error:
            self.unread(call, str(error))

    def callback_name(self, call: ast.Call, scope: Scope) -> str:
        name = self.keras_name(call.func, scope)
        written = self.written(call.func)
        if name is None:
            where = self.origin(call.func, scope)
            self.unread(call, f"{written!r} is not Keras's{where}, and is not replayed")
        problem = problem_with_name(name, written)
        if problem is not None:
            self.unread(call, problem[0])
        return name

    def keras_name(self, node: ast.expr, scope: Scope) -> str | None:
        """Return the class in ``keras.callbacks`` that a node names; None if none."""
        paths = [path.split(".") for path in self.paths(node, scope)]
        names = {_callback_of(path) for path in paths}
        return names.pop() if len(names) == 1 else None

    def paths(self, node: ast.expr, scope: Scope) -> list[str]:
        """Return what a dotted name means, through imports and plain assignments."""
        self.count_step()
        if isinstance(node, ast.Attribute):
            return [f"{base}.{node.attr}" for base in self.paths(node.value, scope)]
        if not isinstance(node, ast.Name):
            return []
        holder = scope.holder(node.id)
        if holder is None:
            # not bound at all, as in a piece of a script or after `import *`
            return [node.id if "." in node.id else f"?.{node.id}"]
        bindings = holder.bindings[node.id]
        imported = [binding.path for binding in bindings if binding.path is not None]
        if len(imported) == len(bindings):
            return imported
        if len(bindings) == 1 and bindings[0].value is not None:
            return self.paths(bindings[0].value, holder)
        return []

    def origin(self, node: ast.expr, scope: Scope) -> str:
        """Say where a name that is not Keras's comes from."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        holder = scope.holder(root.id) if isinstance(root, ast.Name) else None
        if holder is None or not isinstance(root, ast.Name):
            return ""
        first = holder.bindings[root.id][0]
        if first.path is not None:
            return f" but imported from {first.path.rpartition('.')[0] or first.path}"
        return f" but defined in line {first.line}"

    def followed(self, node: ast.expr, scope: Scope) -> tuple[ast.expr, Scope]:
        """Return what a name stands for, where the text tells it."""
        while isinstance(node, ast.Name):
            self.count_step()
            holder = scope.holder(node.id)
            if holder is None:
                self.unread(node, f"{node.id!r} is not assigned in the script")
            value = self.only_value(node, holder, holder.bindings[node.id])
            line = self.names.given.get((holder, node.id))
            if line is not None and isinstance(value, (ast.List, ast.BinOp, ast.Call)):
                self.given.setdefault(node.id, line)
            node, scope = value, holder
        return node, scope

    def only_value(
        self, node: ast.Name, holder: Scope, bindings: list[Binding]
    ) -> ast.expr:
        lines = sorted({binding.line for binding in bindings if binding.line})
        if len(bindings) > 1:
            spoken = ", ".join(map(str, lines))
            problem = f"{node.id!r} is assigned more than once ({spoken})"
            first = bindings[0].value
            grows = _GROWS if isinstance(first, (ast.List, ast.BinOp)) else ""
            self.unread(node, problem + grows)
        if bindings[0].value is None:
            self.unread(
                node, f"{node.id!r} (line {lines[0]}) is not assigned a plain value"
            )
        changed = self.names.changed.get((holder, node.id))
        # a constant is given another meaning, and never changed
        if changed is not None and not isinstance(bindings[0].value, ast.Constant):
            self.unread(node, f"{node.id!r} is changed in line {changed}{_GROWS}")
        return bindings[0].value

    def count_step(self) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise RecursionError

    def written(self, node: ast.expr) -> str:
        try:
            return ast.unparse(node)[:_SHOWN_PIECE]
        except (RecursionError, ValueError):
            return "this"

    def shown(self, node: ast.expr) -> str:
        return repr(self.written(node))

    def unread(self, node: ast.expr, problem: str) -> NoReturn:
        raise _Unread(node.lineno, problem)


class _Arguments:
    """Reads the arguments of one call; constants are followed through names."""

    def __init__(self, script: _Script, call: ast.Call, scope: Scope) -> None:
        self.script, self.call, self.scope = script, call, scope

    def value(self, node: ast.expr, place: str) -> Any:  # noqa: ANN401 - any literal
        try:
            found, _ = self.script.followed(node, self.scope)
        except _Unread as unread:
            raise _Unread(node.lineno, f"{place}: {unread.problem}") from None
        try:
            return ast.literal_eval(found)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            problem = f"{place} is {self.script.shown(found)}, which is not a literal"
            raise _Unread(node.lineno, problem) from None

    def fail(self, problem: str, hint: str = "") -> NoReturn:  # noqa: ARG002 - one hint for all
        raise _Unread(self.call.lineno, problem)


def _is_fit(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in _FITS


def _given_to_fit(call: ast.Call) -> ast.expr | None:
    """Return what a call of fit gets as ``callbacks``; None if it is no such call."""
    if not _is_fit(call):
        return None
    named = [keyword.value for keyword in call.keywords if keyword.arg == "callbacks"]
    return named[0] if named else None


def _callback_of(path: list[str]) -> str | None:
    """Return the class that a dotted path names in Keras; None if it is not Keras's."""
    known = problem_with_name(path[-1], path[-1]) is None
    if path[0] == "?":
        inner = path[1:]
        if inner == [path[-1]]:
            # a name that nothing binds is taken for Keras's if Keras has such a class
            return path[-1] if known else None
        path = ["keras", *inner] if inner[0] == "callbacks" else inner
    return path[-1] if path[0] in _ROOTS and "callbacks" in path[:-1] else None
