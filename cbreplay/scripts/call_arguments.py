"""What a call of a callback says: which one it is, and its arguments."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from cbreplay.rules.bystander import Bystander
from cbreplay.rules.families import known_families, stands_by
from cbreplay.rules.registry import find_rule, known_rules
from cbreplay.scripts.reassigned_names import without_marks
from cbreplay.wording.near_names import nearest_name

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ArgumentReader",
    "bystander",
    "check_schedules",
    "fill_in",
    "is_known",
    "literal_hint",
    "named_parameters",
    "problem_with_name",
    "read_arguments",
    "read_call",
    "require_all",
    "written_arguments",
]

_RATES = "Write the rates as a table, {0: 0.001, 80: 0.0001}: each from that epoch on"
_SHOWN_RATES = 4


class ArgumentReader(Protocol):
    """Reads an argument's value, and complains in its own words about a place."""

    def value(self, node: ast.expr, place: str) -> Any:  # noqa: ANN401 - any literal
        """Return what an argument says."""
        ...

    def fail(self, problem: str, hint: str = "") -> NoReturn:
        """Raise an ExpressionError."""
        ...


def is_known(name: str) -> bool:
    """Return whether a callback of this name has a rule, or decides nothing."""
    return find_rule(name) is not None or stands_by(name)


def problem_with_name(name: str, written: str) -> tuple[str, str] | None:
    """Say why a class cannot be replayed, and what to do; None if it can.

    `written` is the name as the text has it, with its module:
    ``keras.callbacks.CSVLogger``.
    """
    if is_known(name):
        return None
    names = [row.name for row in known_rules()]
    known = f"There are {', '.join(names)}"
    for family in known_families():
        if name in family.not_replayed:
            return f"{written!r} is not replayed: {family.not_replayed[name]}", known
        names += family.bystanders
    near = nearest_name(name, names)
    own = f"your own has its module, as my_module:{name or 'MyCallback'}(...)"
    problem = f"{written!r} is not a callback that can be replayed{near}"
    return problem, f"{known}; {own}"


def bystander(name: str, call: ast.Call) -> Bystander:
    """Return a callback that decides nothing; its arguments are not read."""
    is_private = not stands_by(name) or any(
        name in family.sending for family in known_families()
    )
    return Bystander(without_marks(name), written_arguments(call), is_private)


def written_arguments(call: ast.Call) -> str:
    """Return the code of a call's arguments, or ``...`` where that is too much."""
    try:
        given = [ast.unparse(part) for part in [*call.args, *call.keywords]]
    except (RecursionError, ValueError):
        # too deep, or a number of thousands of digits
        return "..."
    return without_marks(", ".join(given))


def read_arguments(
    call: ast.Call, name: str, known: Sequence[str], reader: ArgumentReader
) -> dict[str, Any]:
    """Return the arguments of a call by the names of the parameters."""
    parameters: dict[str, Any] = {}
    if len(call.args) > len(known):
        reader.fail(f"{name} takes {len(known)} arguments, not {len(call.args)}")
    for parameter, node in zip(known, call.args, strict=False):
        parameters[parameter] = reader.value(node, f"{name}: {parameter}")
    for keyword in call.keywords:
        if keyword.arg is None:
            reader.fail(f"{name}: ** cannot be read", "Write the arguments out")
        if keyword.arg not in known:
            near = nearest_name(keyword.arg, known)
            reader.fail(
                f"{name} has no parameter {keyword.arg!r}{near}",
                f"It has {', '.join(known)}",
            )
        if keyword.arg in parameters:
            reader.fail(f"{name}: {keyword.arg} is given twice")
        place = f"{name}: {keyword.arg}"
        parameters[keyword.arg] = reader.value(keyword.value, place)
    return parameters


def read_call(
    call: ast.Call,
    kind: type[Any],
    defaults: Mapping[str, Any],
    reader: ArgumentReader,
) -> dict[str, Any]:
    """Return the parameters of a rule as a call gives them, else as options do."""
    name, known = kind.__name__, [parameter.name for parameter in fields(kind)]
    parameters = read_arguments(call, name, known, reader)
    fill_in(parameters, defaults, name, known, reader)
    require_all(parameters, kind, reader)
    return parameters


def named_parameters(call: ast.Call, known: Sequence[str]) -> frozenset[str]:
    """Return the parameters that a call gives, and keywords that are no parameters."""
    by_place = known[: len(call.args)]
    return frozenset([*by_place, *(word.arg for word in call.keywords if word.arg)])


def literal_hint(place: str) -> str:
    """Return a hint on what to write instead, for a schedule; else an empty text."""
    return _RATES if place.endswith(": schedule") else ""


def check_schedules(name: str, tried: object, reader: ArgumentReader) -> None:
    """Fail if a schedule is a list of numbers: a list means that each is tried."""
    if not isinstance(tried, (list, range)) or all(
        isinstance(rates, Mapping) for rates in tried
    ):
        return
    shown = ", ".join(map(repr, tried[:_SHOWN_RATES]))
    more = ", ..." if len(tried) > _SHOWN_RATES else ""
    reader.fail(
        f"{name}: schedule is [{shown}{more}], and a list means that "
        "each is tried: a rate alone is no schedule",
        _RATES,
    )


def require_all(
    parameters: Mapping[str, Any], kind: type[Any], reader: ArgumentReader
) -> None:
    """Fail where a parameter without a default is not given."""
    for parameter in fields(kind):
        if parameter.default is MISSING and parameter.name not in parameters:
            reader.fail(f"{kind.__name__} needs {parameter.name}")


def fill_in(
    parameters: dict[str, Any],
    defaults: Mapping[str, Any],
    name: str,
    known: Sequence[str],
    reader: ArgumentReader,
) -> None:
    """Add the parameters that options give; fail if the call says otherwise."""
    for key, value in defaults.items():
        if key in known and parameters.setdefault(key, value) != value:
            reader.fail(
                f"{name} has {key}={parameters[key]!r}, and --{key} says {value!r}",
                "Give one of the two",
            )
