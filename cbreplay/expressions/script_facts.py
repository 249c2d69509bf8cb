"""What a script tells of a training: its plan, its validation and its metrics."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from cbreplay.expressions.script_calls import Unread
from cbreplay.rules.checks import Compiled, TrainingFacts
from cbreplay.rules.keras.metric_names import (
    default_names,
    find_class_direction,
    snake_case,
)

if TYPE_CHECKING:
    from cbreplay.expressions.scopes import Scope
    from cbreplay.expressions.script_calls import ScriptCalls
    from cbreplay.run import Mode

__all__ = ["FitCall", "find_fits", "find_schedule", "read_facts"]

# which argument the callbacks are where they stand without their name
_FITS = {"fit": 5, "fit_generator": 4}
# a fit with more arguments by place than these may get validation data among them
_MOST_BY_PLACE = {"fit": 6, "fit_generator": 5}
# how the logs of a training may hold more than is compiled
_OWN_STEPS = {"add_metric", "test_step", "train_step"}
_KERAS_MODELS = {"Functional", "Model", "Sequential"}


class FitCall(NamedTuple):
    """A call of ``fit`` that gets callbacks.

    Parameters
    ----------
    call : ast.Call
        The call.
    scope : Scope
        Where it stands.
    given : ast.expr
        What it gets as ``callbacks``.
    """

    call: ast.Call
    scope: Scope
    given: ast.expr


def find_fits(calls: ScriptCalls) -> tuple[list[FitCall], list[int]]:
    """Return the calls of ``fit`` that get callbacks, and the lines of unread ones."""
    fits, unread = [], []
    for call, scope in calls.names.calls:
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method not in _FITS:
            continue
        given = _given_to_fit(call, _FITS[method])
        if given is not None:
            fits.append(FitCall(call, scope, given))
        elif any(word.arg is None for word in call.keywords):
            unread.append(call.lineno)
    return fits, unread


def _given_to_fit(call: ast.Call, place: int) -> ast.expr | None:
    named = [word.value for word in call.keywords if word.arg == "callbacks"]
    by_place = call.args[: place + 1]
    starred = any(isinstance(given, ast.Starred) for given in by_place)
    if not named and len(by_place) > place and not starred:
        named = by_place[place:]
    return named[0] if named else None


def read_facts(calls: ScriptCalls, fit: FitCall) -> TrainingFacts:
    """Return what can be told of the training that a ``fit`` is."""
    compiled = _Compiles(calls, fit)
    return TrainingFacts(
        calls.place(fit.call.lineno),
        _positive(calls, fit, "epochs"),
        _positive(calls, fit, "validation_freq"),
        _is_validated(calls, fit) if compiled.is_keras else None,
        _resumes(calls, fit),
        find_schedule(calls),
        compiled.read(),
    )


def _word(fit: FitCall, name: str) -> ast.expr | None:
    return next((word.value for word in fit.call.keywords if word.arg == name), None)


def _positive(calls: ScriptCalls, fit: FitCall, name: str) -> int | None:
    given = _word(fit, name)
    if given is None:
        return None
    try:
        number = calls.literal(given, fit.scope)
    except Unread:
        return None
    return number if type(number) is int and number > 0 else None


def _resumes(calls: ScriptCalls, fit: FitCall) -> bool:
    """Return whether a fit certainly begins later than with the first epoch."""
    given = _word(fit, "initial_epoch")
    if given is None:
        return False
    try:
        number = calls.literal(given, fit.scope)
    except Unread:
        # history.epoch[-1] or len(history.epoch): after what was trained before
        return ".epoch" in calls.written(given)
    return type(number) is int and number > 0


def _is_validated(calls: ScriptCalls, fit: FitCall) -> bool | None:
    """Return whether a fit gets validation data; None where that cannot be told."""
    method = fit.call.func.attr if isinstance(fit.call.func, ast.Attribute) else ""
    starred = any(isinstance(given, ast.Starred) for given in fit.call.args)
    doubted = any(word.arg is None for word in fit.call.keywords)
    if starred or doubted or len(fit.call.args) > _MOST_BY_PLACE[method]:
        return None
    for name in ("validation_data", "validation_split"):
        given = _word(fit, name)
        if given is None:
            continue
        try:
            if calls.literal(given, fit.scope):
                return True
        except Unread as unread:
            del unread
            return True
    return False


def find_schedule(calls: ScriptCalls) -> str | None:
    """Return the schedule that every optimizer is built with, if there is one."""
    found = {
        _schedule_of(calls, call, scope)
        for call, scope in calls.names.calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "compile"
    }
    return found.pop() if len(found) == 1 else None


def _schedule_of(calls: ScriptCalls, compiling: ast.Call, scope: Scope) -> str | None:
    """Return the schedule that a ``compile`` gives its optimizer, if it is one."""
    try:
        built, scope = _given_call(calls, compiling, scope, ("optimizer",))
        rate, scope = _given_call(calls, built, scope, ("learning_rate", "lr"))
    except (LookupError, Unread):
        return None
    paths = calls.paths(rate.func, scope)
    scheduled = bool(paths) and all(".schedules." in path for path in paths)
    return paths[0].rpartition(".")[2] if scheduled else None


def _given_call(
    calls: ScriptCalls, call: ast.Call, scope: Scope, names: tuple[str, ...]
) -> tuple[ast.Call, Scope]:
    """Return the call that stands for an argument, the first or one by name.

    Raises
    ------
    LookupError
        If it is not given, or is no call.
    """
    named = [word.value for word in call.keywords if word.arg in names]
    found, holder = calls.followed([*named, *call.args][0], scope)
    if isinstance(found, ast.Call):
        return found, holder
    raise LookupError


class _Compiles:
    """The calls of ``compile`` of the model that a ``fit`` trains."""

    def __init__(self, calls: ScriptCalls, fit: FitCall) -> None:
        self.calls, self.fit = calls, fit
        self.receiver = _receiver(fit.call)
        written = self.written(self.receiver)
        self.found = [
            (call, scope)
            for call, scope in calls.names.calls
            if isinstance(call.func, ast.Attribute)
            and call.func.attr == "compile"
            and self.written(_receiver(call)) == written
        ]
        self.models = self.classes(self.receiver, fit.scope)

    def written(self, node: ast.expr | None) -> str:
        return "" if node is None else self.calls.written(node)

    @property
    def is_keras(self) -> bool:
        """Whether what is trained is a model of Keras, with Keras's own ``fit``."""
        own_fit = any(
            "fit" in scope.bindings and scope.of_class
            for _, scope in self.calls.names.calls
        )
        return (bool(self.found) or bool(self.models)) and not own_fit

    def read(self) -> Compiled | None:
        """Return the names of the metrics; None where they cannot be told."""
        if not self.found or not self.is_keras:
            return None
        reader = _Metrics(self.calls)
        try:
            for call, scope in self.found:
                reader.add_compile(call, scope)
        except Unread:
            return None
        same_place = all(
            self.place(_receiver(call), scope)
            == self.place(self.receiver, self.fit.scope)
            for call, scope in self.found
        )
        models = set(self.models)
        is_whole = (
            same_place and bool(models) and models <= _KERAS_MODELS | {"applications"}
        )
        return Compiled(
            " and ".join(self.calls.place(call.lineno) for call, _ in self.found),
            ("loss", *reader.names),
            frozenset(reader.spellings),
            reader.directions,
            has_outputs=models != {"Sequential"} or not same_place,
            is_whole=is_whole and not self.has_own_steps(),
        )

    def place(self, node: ast.expr | None, scope: Scope) -> object:
        """Return what tells the models of a script apart."""
        if isinstance(node, ast.Name):
            return scope.place(node.id)
        return (scope.enclosing_class(), self.written(node))

    def has_own_steps(self) -> bool:
        """Return whether the script may log what it does not compile."""
        names = self.calls.names
        defined = {name for _, scope in names.calls for name in scope.bindings}
        called = {
            call.func.attr
            for call, _ in names.calls
            if isinstance(call.func, ast.Attribute)
        }
        return bool(_OWN_STEPS & (defined | called))

    def classes(self, node: ast.expr | None, scope: Scope) -> list[str]:
        """Return the Keras classes that a model may be of; empty if one is unknown."""
        place = scope.place(node.id) if isinstance(node, ast.Name) else None
        if place is None:
            return []
        holder, name = place
        found = []
        for binding in holder.bindings[name]:
            value = binding.value
            if not isinstance(value, ast.Call):
                return []
            path = (self.calls.paths(value.func, holder) or [""])[0].split(".")
            if path[0] == "?":
                path = ["keras", *path[1:]] if path[-1] == "Sequential" else path
            known = path[0] in ("keras", "tensorflow", "tf", "tf_keras")
            if known and path[-1] in _KERAS_MODELS:
                found.append(path[-1])
            elif known and "applications" in path[:-1]:
                found.append("applications")
            else:
                return []
        return found


def _receiver(call: ast.Call) -> ast.expr | None:
    return call.func.value if isinstance(call.func, ast.Attribute) else None


class _Metrics:
    """Collects the names of metrics, as they stand in calls of ``compile``."""

    def __init__(self, calls: ScriptCalls) -> None:
        self.calls = calls
        self.names: list[str] = []
        self.spellings: set[str] = set()
        self.directions: dict[str, Mode | None] = {}

    def add_compile(self, call: ast.Call, scope: Scope) -> None:
        """Add the metrics of a ``compile``.

        Raises
        ------
        Unread
            If one of them cannot be told.
        """
        words = {word.arg: word.value for word in call.keywords}
        if None in words or any(isinstance(given, ast.Starred) for given in call.args):
            self.fail(call)
        # compile(optimizer, loss, ...): what follows by its place differs by version
        if len(call.args) > len(("optimizer", "loss")):
            self.fail(call)
        for name in ("metrics", "weighted_metrics"):
            if name in words:
                self.add(words[name], scope)

    def add(self, node: ast.expr, scope: Scope) -> None:
        """Add a metric, or a list of them."""
        self.calls.count_step()
        if isinstance(node, ast.Name):
            self.add_named(node, scope)
        elif isinstance(node, ast.Constant):
            self.add_constant(node)
        elif isinstance(node, (ast.List, ast.Tuple, ast.Dict)):
            for part in node.values if isinstance(node, ast.Dict) else node.elts:
                self.add(part, scope)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            self.add(node.left, scope)
            self.add(node.right, scope)
        elif isinstance(node, ast.Call):
            self.add_object(node, scope)
        else:
            self.fail(node)

    def add_constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.add_name(node.value, snake_case(node.value))
        elif node.value is not None:
            self.fail(node)

    def add_named(self, node: ast.Name, scope: Scope) -> None:
        holder = scope.holder(node.id)
        bindings = [] if holder is None else holder.bindings[node.id]
        inner = bindings[0].inner if len(bindings) == 1 else None
        function = None if inner is None else inner.definition
        if isinstance(function, ast.FunctionDef) and not function.decorator_list:
            self.add_name(function.name, snake_case(function.name))
            self.directions[function.name] = None
            return
        self.add(*self.calls.followed(node, scope))

    def add_object(self, call: ast.Call, scope: Scope) -> None:
        """Add an object of one of Keras's metric classes."""
        paths = [path.split(".") for path in self.calls.paths(call.func, scope)]
        kinds = {path[-1] for path in paths if "metrics" in path[:-1]}
        kind = kinds.pop() if len(kinds) == 1 and len(paths) >= 1 else ""
        names = default_names(kind)
        by_place = [given for given in call.args if isinstance(given, ast.Constant)]
        named = [word.value for word in call.keywords if word.arg == "name"]
        doubted = any(word.arg is None for word in call.keywords)
        texts = any(isinstance(given.value, str) for given in by_place)
        if not names or doubted or texts or len(by_place) < len(call.args):
            self.fail(call)
        if named:
            given = self.calls.literal(named[0], scope)
            names = (given,) if isinstance(given, str) else names
        self.add_name(*names)
        self.directions[names[0]] = find_class_direction(kind)

    def add_name(self, *spellings: str) -> None:
        self.names.append(spellings[0])
        self.spellings.update(spellings)

    def fail(self, node: ast.expr) -> NoReturn:
        self.calls.unread(node, f"{self.calls.shown(node)} is no metric that is known")
