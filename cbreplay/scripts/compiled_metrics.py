"""Which ``compile`` calls are of the model of a ``fit``, and the metrics they name."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NoReturn

from cbreplay.rules.compiled import Compiled, MetricNames
from cbreplay.rules.keras.metric_directions import find_direction
from cbreplay.rules.keras.metric_names import (
    default_names,
    is_numbered,
    names_before,
    snake_case,
)
from cbreplay.scripts.calls import Unread
from cbreplay.scripts.foreign_code import may_log_own_names
from cbreplay.scripts.keras_classes import metric_class
from cbreplay.scripts.last_compiles import last_before
from cbreplay.scripts.literals import read_literal
from cbreplay.scripts.model_outputs import find_model_class, find_outputs
from cbreplay.scripts.possible_values import given_values, values_if_told
from cbreplay.scripts.syntax import (
    argument_named,
    called_name,
    has_star,
    is_open,
    receiver_of,
    text_of,
    whole_parts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import Mode
    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.model_outputs import Outputs
    from cbreplay.scripts.scopes import Scope

__all__ = ["ModelCompiles"]

_MOST_NAMES = 20


class ModelCompiles:
    """The model that a ``fit`` trains: its names, and the ``compile`` calls of it.

    Attributes
    ----------
    found : list of (ast.Call, Scope)
        The calls of ``compile`` on one of the model's names, or in a function that is
        given it; if there is none, on an expression that is spelled as the model of the
        ``fit`` is.
    is_followed : bool
        Whether these are calls on one of the model's names.
    made_by : list of (ast.expr or None, Scope)
        The values of the model's name, or the expression that ``fit`` is called on.
    nameless : dict of str to list of (ast.Call, ast.Call)
        The metrics whose names Keras numbers, as `read` finds them: for each
        ``compile`` the call that makes it, and that of ``compile``.
    """

    def __init__(self, calls: ScriptCalls, fitting: ast.Call, scope: Scope) -> None:
        self.calls = calls
        receiver = receiver_of(fitting)
        self.model = receiver, scope
        self.written = self._written(receiver)
        # the functions of the script that return it
        self.makers: list[Scope] = []
        self.places, self.is_of_keras_class = self._follow(receiver, scope)
        self.made_by = given_values(calls, receiver, scope) or [(receiver, scope)]
        named = [
            (call, place) for call, place in calls.compiles if self._is_one(call, place)
        ]
        of_places = [*named, *filter(self._is_given, calls.compiles)]
        # which of them is the last is not told
        self.is_unordered = 0 < len(named) < len(of_places)
        if len(of_places) > 1 and receiver is not None:
            fitted = (receiver, scope)
            tree = calls.names.tree
            of_places = last_before(of_places, fitting, fitted, tree, self.makers)
        self.found = of_places or [
            (call, place)
            for call, place in calls.compiles
            if self._written(receiver_of(call)) == self.written
        ]
        self.is_followed = bool(of_places)
        self.nameless: dict[str, list[tuple[ast.Call, ast.Call]]] = {}

    def _written(self, node: ast.expr | None) -> str:
        return "" if node is None else self.calls.written(node)

    def _is_one(self, call: ast.Call, scope: Scope) -> bool:
        return self._place(receiver_of(call), scope) in self.places

    def _is_given(self, compiled: tuple[ast.Call, Scope]) -> bool:
        """Return whether a function compiles the model that it is given."""
        call, scope = compiled
        given = given_values(self.calls, receiver_of(call), scope)
        return not self._is_one(call, scope) and any(
            self._place(*value) in self.places for value in given
        )

    def _place(self, node: ast.expr | None, scope: Scope) -> object:
        """Return a key of a model: the same for two expressions that name the same."""
        if isinstance(node, ast.Name):
            return scope.place(node.id)
        home = scope.enclosing_class()
        return None if node is None else (home, self._written(node))

    def _follow(self, node: ast.expr | None, scope: Scope) -> tuple[list[object], bool]:
        """Return the keys of a model, one for each of its names.

        It is followed into a function of the script that returns it, which has another
        name for it. Also returned is whether it certainly is of a class of Keras's.
        """
        places: list[object] = []
        while len(places) < _MOST_NAMES:
            place = self._place(node, scope)
            if place is None or place in places:
                break
            places.append(place)
            values = given_values(self.calls, node, scope)
            if values and all(
                find_model_class(self.calls, *value) is not None for value in values
            ):
                return places, True
            if len(values) != 1:
                break
            ((node, scope),) = values
            if isinstance(node, ast.Call):
                function = self.calls.function_of(node, scope)
                if function is None or not function.returns_once:
                    break
                node, scope = function.returned[0], function
                self.makers.append(function)
                if find_model_class(self.calls, node, scope) is not None:
                    return places, True
        return places, False

    @property
    def is_keras(self) -> bool:
        """Whether the model is certainly Keras's, and its ``fit`` too."""
        return self.may_be_keras and (bool(self.found) or self.is_of_keras_class)

    @property
    def may_be_keras(self) -> bool:
        """Whether nothing shows that ``fit`` is another package's, or the script's own.

        Such a ``fit`` may split off validation data by itself.
        """
        if self.calls.has_own_fit:
            return False
        made = values_if_told(self.calls, *self.model) or self.made_by
        is_one = self.is_followed or self.is_of_keras_class
        return is_one or not any(self._is_foreign(*value) for value in made)

    def _is_foreign(self, value: ast.expr | None, scope: Scope) -> bool:
        """Return whether a class that is not Keras's (by its capital) made a value.

        sklearn's ``clone(value)`` and ``value.set_params()`` are of the same class.
        """
        if not isinstance(value, ast.Call):
            return False
        name = called_name(value)
        if name in ("clone", "set_params"):
            same = next(iter(value.args), None) if name == "clone" else None
            told = values_if_told(self.calls, same or receiver_of(value), scope)
            return any(self._is_foreign(*made) for made in told)
        path = (self.calls.paths(value.func, scope) or [""])[0].split(".")
        is_model = find_model_class(self.calls, value, scope) is not None
        return path[-1][:1].isupper() and not is_model

    def read(self) -> Compiled | None:
        """Return the names of the metrics; None where they cannot be told."""
        if not self.found or not self.is_keras or self.is_unordered:
            return None
        outputs = find_outputs(self.calls, self.made_by)
        reader = _Metrics(self.calls, outputs)
        try:
            for call, scope in self.found:
                reader.nameless = {}
                reader.add_compile(call, scope)
                for name, made in reader.nameless.items():
                    self.nameless.setdefault(name, []).append((made, call))
        except Unread:
            return None
        known = self.is_followed and self.is_of_keras_class
        several_losses = any(reader.has_losses(*made) for made in self.found)
        may_log_own = not known or may_log_own_names(self.calls, self._names())
        return Compiled(
            " and ".join(self.calls.place(call.lineno) for call, _ in self.found),
            *_named(reader.now),
            MetricNames(*_named(reader.before)),
            {} if reader.names_outputs else reader.directions,
            has_outputs=not known or several_losses or len(outputs) != 1,
            is_whole=not may_log_own,
            is_keras=known,
            kinds=reader.kinds,
            # of several calls of compile, one may give another metric of that name
            texts=reader.texts if len(self.found) == 1 else {},
            names_outputs=reader.names_outputs,
            has_several=len(outputs) > 1
            or (not outputs and (several_losses or (known and reader.may_be_parted))),
        )

    def _names(self) -> set[str]:
        """Return every name in the expressions by which the script calls the model."""
        receivers = [receiver_of(call) for call, _ in self.found]
        written = [self.written, *(self._written(node) for node in receivers)]
        of_places = [place[1] for place in self.places if isinstance(place, tuple)]
        texts = [text for text in (*written, *of_places) if isinstance(text, str)]
        return {name for text in texts for name in re.findall(r"[^\W\d]\w*", text)}


def _named(
    metrics: Sequence[tuple[str, ...]],
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return how each metric is logged, and all the names that they may have."""
    logged = dict.fromkeys(names[0] for names in metrics)
    return ("loss", *logged), frozenset(name for names in metrics for name in names)


def _outputs_of(found: ast.expr) -> list[str]:
    """Return the outputs that a dict names; none if it is no dict of texts."""
    keys = found.keys if isinstance(found, ast.Dict) else []
    outputs = [text for key in keys if (text := text_of(key)) is not None]
    return outputs if len(set(outputs)) == len(keys) else []


def _entries_of(found: ast.expr) -> list[ast.expr]:
    """Return the entries of a dict or list; none if they are not all written out."""
    if isinstance(found, ast.Dict):
        return found.values
    is_whole = isinstance(found, (ast.List, ast.Tuple)) and not has_star(found.elts)
    return (whole_parts(found) or []) if is_whole else []


class _Metrics:
    """Collects the names of the metrics in calls of ``compile``."""

    def __init__(self, calls: ScriptCalls, outputs: Outputs) -> None:
        self.calls, self.outputs = calls, outputs
        # the names that each metric may have: by Keras 3, and by Keras 2
        self.now: list[tuple[str, ...]] = []
        self.before: list[tuple[str, ...]] = []
        self.directions: dict[str, Mode | None] = {}
        # the default names of the classes of objects
        self.kinds: dict[str, str] = {}
        # the metrics that a text stands for, by their names
        self.texts: dict[str, str] = {}
        # the calls that make metrics without a name of the script's
        self.nameless: dict[str, ast.Call] = {}
        # the prefix of the metrics of one of several outputs
        self.output = ""
        # of the metrics of one compile: where they begin, whether these are weighted
        self.first, self.is_weighted = 0, False
        self.by_output: list[bool] = []
        # whether the entries of a list or dict may be those of several outputs
        self.may_be_parted = False

    @property
    def names_outputs(self) -> bool:
        """Whether all metrics are given by output, of which there are several."""
        return bool(self.by_output) and all(self.by_output)

    def add_compile(self, call: ast.Call, scope: Scope) -> None:
        """Add the metrics of a ``compile``.

        Raises
        ------
        Unread
            If one of them cannot be told.
        """
        words = {word.arg: word.value for word in call.keywords}
        # what the third positional argument of compile is differs by version
        if is_open(call) or len(call.args) > len(("optimizer", "loss")):
            self.fail(call)
        has_several = self.has_losses(call, scope)
        self.first = len(self.now)
        for name in ("metrics", "weighted_metrics"):
            self.is_weighted = name == "weighted_metrics"
            if name in words:
                self.add_all(words[name], scope, has_several=has_several)

    def has_losses(self, call: ast.Call, scope: Scope) -> bool:
        """Return whether a ``compile`` certainly has losses for several outputs."""
        losses = filter(None, [*call.args[1:2], argument_named(call, "loss")])
        told = [self.calls.followed_if_told(loss, scope) for loss in losses]
        return any(
            len(_outputs_of(found)) > 1
            or (isinstance(found, (ast.List, ast.Tuple)) and len(found.elts) > 1)
            for found, _ in filter(None, told)
        )

    def add_all(self, node: ast.expr, scope: Scope, *, has_several: bool) -> None:
        """Add the metrics of a model: a list, or those of several outputs.

        A dict has them by the outputs' names, a list in the outputs' order. A dict of
        one output is of several if the loss is (`has_several`), or the model has them;
        where the model has one, a dict names nothing that is logged.
        """
        found, place = self.calls.followed(node, scope)
        outputs, parts = _outputs_of(found), _entries_of(found)
        lists = (ast.List, ast.Tuple)
        is_list = isinstance(found, lists)
        # Keras 2 gives every output all metrics of a list without lists
        is_parted = is_list and any(isinstance(part, lists) for part in parts)
        told = [name for name in self.outputs if name is not None]
        if is_parted and len(parts) == len(told) == len(self.outputs):
            outputs = told
        has_several = has_several or len(outputs) > 1 or len(self.outputs) > 1
        several = bool(outputs) and len(self.outputs) != 1 and has_several
        self.by_output.append(several)
        if not several:
            # of several outputs, Keras 3 refuses a list with one entry
            is_one = is_list and len(parts) == 1
            may_be_parted = isinstance(found, (*lists, ast.Dict, ast.BinOp))
            self.may_be_parted |= may_be_parted and not is_one
            self.add(node, scope)
            return
        for output, part in zip(outputs, parts, strict=True):
            self.output = f"{output}_"
            self.add(part, place)
        self.output = ""

    def add(self, node: ast.expr, scope: Scope) -> None:
        """Add a metric, or a list of them."""
        self.calls.count_step()
        parts = node.values if isinstance(node, ast.Dict) else whole_parts(node)
        if isinstance(node, ast.Name):
            self.add_named(node, scope)
        elif isinstance(node, ast.Constant):
            self.add_constant(node)
        elif isinstance(node, ast.Call):
            self.add_object(node, scope)
        elif parts is None:
            self.fail(node)
        for part in parts or ():
            self.add(part, scope)

    def add_constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.add_names((node.value,), names_before(node.value))
            self.texts[self.now[-1][0]] = node.value
            if default_names(node.value):
                self.directions[node.value] = find_direction(node.value, {})
        elif node.value is not None:
            self.fail(node)

    def add_named(self, node: ast.Name, scope: Scope) -> None:
        inner = scope.defined_as(node)
        function = None if inner is None else inner.definition
        if isinstance(function, ast.FunctionDef) and not function.decorator_list:
            # keras/src/utils/naming.py, get_object_name; Keras 2 left it as it is
            name = snake_case(function.name)
            self.add_names((name,), (function.name,))
            self.directions |= dict.fromkeys((name, function.name))
            return
        self.add(*self.calls.followed(node, scope))

    def add_object(self, call: ast.Call, scope: Scope) -> None:
        """Add an object of one of Keras's metric classes."""
        kind = metric_class(self.calls, call, scope)
        names = default_names(kind)
        # a text by place may be a name; what ** gives may be too
        doubted = argument_named(call, None) is not None or any(
            not isinstance(given, ast.Constant) or isinstance(given.value, str)
            for given in call.args
        )
        if not names or doubted:
            self.fail(call)
        named = argument_named(call, "name")
        if named is not None:
            given = read_literal(self.calls, named, scope)
            names = (given,) if isinstance(given, str) else names
        elif is_numbered(kind):
            self.nameless.setdefault(self.output + names[0], call)
        self.add_names(names, names)
        self.directions[names[0]] = find_direction(kind, {})
        self.kinds[self.output + names[0]] = default_names(kind)[0]

    def add_names(self, now: tuple[str, ...], before: tuple[str, ...]) -> None:
        """Add the names that one metric may have, the likeliest first.

        A weighted metric whose name is taken is logged as ``weighted_accuracy``.
        """
        for names, given in ((self.now, now), (self.before, before)):
            taken = {known[0] for known in names[self.first :]}
            output = self.output
            if self.is_weighted and output + given[0] in taken:
                output += "weighted_"
                # Keras 3 asks a metric by its own name, and finds none of this one
                self.directions |= dict.fromkeys(output + name for name in given)
            names.append(tuple(output + name for name in given))

    def fail(self, node: ast.expr) -> NoReturn:
        self.calls.unread(node, f"{self.calls.shown(node)} is no metric that is known")
