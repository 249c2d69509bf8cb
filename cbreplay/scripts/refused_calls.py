"""Why Python or Keras would refuse a call of a callback."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.arguments import shown_value
from cbreplay.errors import CbreplayError, RefusedValueError
from cbreplay.rules.registry import rule_named
from cbreplay.scripts.stand_ins import UNKNOWN, stand_ins

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator, Mapping

__all__ = ["RefusedCall", "find_refused_calls", "find_refused_values"]


class RefusedCall(NamedTuple):
    """Why a call of a callback raises an error, whichever values it gives.

    Parameters
    ----------
    problem : str
        What is wrong, as the end of a sentence about the callback.
    reason : str
        What the callback takes.
    instead : str
        What to write instead.
    older_take : bool
        Whether older versions, which had more parameters, accept the call.
    in_fit : bool
        Whether the callback is made all the same, and fails in the fit.
    """

    problem: str
    reason: str
    instead: str
    older_take: bool = False
    in_fit: bool = False


def find_refused_calls(
    call: ast.Call, known: list[str], kind: type[Any], untold: list[str]
) -> Iterator[RefusedCall]:
    """Yield why a call raises TypeError, whichever values it gives."""
    n_given, named = len(call.args), {word.arg for word in call.keywords}
    # older versions take the parameters of `n_older_by_place` too
    most = len(known) + kind.n_older_by_place
    if n_given > len(known):
        older_take = n_given <= most
        yield RefusedCall(
            f"raises TypeError: {n_given} arguments are given without a name",
            f"it takes {len(known)} so; older versions take {most}"
            if older_take
            else f"it takes {most} so, and no more",
            "their names before the values",
            older_take,
        )
    for name in known[:n_given]:
        if name in named:
            yield RefusedCall(
                f"raises TypeError: {name} is given twice, by place and by name",
                f"argument {known.index(name) + 1} is {name}",
                f"{name} once",
            )
    for parameter in fields(kind):
        name = parameter.name
        is_given = name in known[:n_given] or name in named or name in untold
        if parameter.default is MISSING and not is_given:
            yield RefusedCall(
                f"raises TypeError: {name} is not given",
                f"{name} has no default",
                _EXAMPLES.get(name, f"{name}="),
            )


_EXAMPLES = {
    "filepath": 'filepath="best.weights.h5"',
    "schedule": "schedule=, a function of the epoch that returns the rate",
}


def _no_numbers(
    kind: type[Any], parameters: Mapping[str, Any]
) -> Iterator[RefusedValueError]:
    """Yield the arguments that have to be numbers and are not."""
    for name, when in {**kind.on_no_number, **kind.on_text}.items():
        value = parameters.get(name, 0)
        if isinstance(value, (str, bytes)) or (
            name in kind.on_no_number
            and (value is None or isinstance(value, _NO_NUMBERS))
        ):
            error = "TypeError" if name in kind.on_no_number else "an error"
            yield RefusedValueError(
                callback=kind.__name__,
                parameter=name,
                shown=shown_value(value),
                wanted="a number",
                outcome=f"raises {error}, {when}, for"
                if when
                else f"raises {error} for",
                fails_at_once=not when,
                instead=f"a number, such as {name}={_number_in(value, name)}",
            )


_NO_NUMBERS = (list, tuple, dict, set)
_NUMBERS = {"baseline": "0.5", "factor": "0.5", "min_delta": "0.001", "min_lr": "1e-6"}
_NUMBERS |= {"verbose": "1"}


def _number_in(value: object, name: str) -> str:
    """Return the number in a text, else an example for the parameter."""
    text = value.strip() if isinstance(value, str) else ""
    is_plain = re.fullmatch(r"\d{1,9}(\.\d{1,9})?(e-\d{1,2})?", text) is not None
    return text if is_plain else _NUMBERS.get(name, "5")


def find_refused_values(
    name: str, parameters: Mapping[str, Any], call: ast.Call
) -> tuple[RefusedValueError, ...]:
    """Return which arguments a callback of Keras refuses."""
    row, given = rule_named(name), dict(parameters)
    refused: list[RefusedValueError] = []
    if row.family:
        refused += _no_numbers(row.load(), parameters)
        given |= {error.parameter: UNKNOWN for error in refused}
    for _ in given if row.family else ():
        unknown = [key for key, value in given.items() if value is UNKNOWN]
        try:
            row.load()(**given | stand_ins(unknown, 0, call))
        except RefusedValueError as error:
            refused.append(error)
            given[error.parameter] = UNKNOWN
        except CbreplayError:
            # only a replay refuses it: `make_callback` says so
            return ()
    return tuple(refused)
