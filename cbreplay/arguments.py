"""What a public function is given is what its annotations say, or is refused.

`checked` reads the annotations themselves, so that a parameter has no check of its type
beside them: a value of another type would fail deep inside, in words of Python's.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, TypeVar, cast

from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["checked", "is_iterable", "read_argument", "shown_value"]

_Function = TypeVar("_Function", bound="Callable[..., Any]")

_MOST_LETTERS = 200


def shown_value(value: object) -> str:
    """Write a value into a sentence, whatever it is and however long.

    >>> shown_value(-3), len(shown_value("x" * 1000)), shown_value(16**5000)
    ('-3', 200, 'a number of 20001 bits')
    """
    try:
        text = " ".join(repr(value).split("\n"))
    except Exception:  # noqa: BLE001 - somebody's own repr, or thousands of digits
        bits = value.bit_length() if isinstance(value, int) else 0
        text = f"a number of {bits} bits" if bits else f"a {type(value).__name__}"
    if " at 0x" in text:
        # an address says nothing, and is another one each time
        text = f"an object of {type(value).__name__}"
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 3]}..."


def checked(function: _Function) -> _Function:
    """Let a function be called only with what its annotations say.

    It gets Python's own numbers and texts where numpy's or an Enum's were given, and a
    list where a sequence was asked for and something else to go through was given.

    >>> @checked
    ... def doubled(number: int) -> int:
    ...     return 2 * number
    >>> doubled("5")
    Traceback (most recent call last):
    cbreplay.errors.ConfigError: number is '5', where a whole number is expected
    """
    code, annotations = function.__code__, function.__annotations__
    names = code.co_varnames[: code.co_argcount]
    # where more are given than have names, they are those of *names, or one too many
    rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount :][:1] or ("",)

    def read(name: str, value: object) -> Any:  # noqa: ANN401 - of any type
        return read_argument(name, value, annotations.get(name, "Any"))

    @wraps(function)
    def call(*given: object, **options: object) -> Any:  # noqa: ANN401
        more = rest * (len(given) - len(names))
        plain = map(read, (*names, *more), given)
        return function(*plain, **{name: read(name, options[name]) for name in options})

    return cast("_Function", call)


def read_argument(name: str, value: object, annotation: str) -> Any:  # noqa: ANN401
    """Return a value as an annotation wants it.

    Raises
    ------
    ConfigError
        If it is of another type.

    Examples
    --------
    >>> read_argument("seams", {5}, "Iterable[int]")
    [5]
    """
    kinds = _types_of(annotation)
    for kind in kinds:
        read = kind.read(value)
        if read is not _OTHER:
            return read
    *first, last = [kind.words for kind in kinds if kind.words] or ["None"]
    wanted = f"{', '.join(first)} or {last}" if first else last
    sentence = f"{name} is {shown_value(value)}, where {wanted} is expected"
    raise ConfigError(sentence)


# what a reader returns of a value that is not of its kind
_OTHER: Any = object()


class _Wanted(NamedTuple):
    """One of the types that an annotation names.

    Parameters
    ----------
    read : callable
        Returns the value as it is wanted, or `_OTHER`.
    words : str
        What is expected, with its article; empty where another one says it.
    several : str
        The same for the values of a list.
    """

    read: Callable[[Any], Any]
    words: str
    several: str = ""


@cache
def _types_of(annotation: str) -> tuple[_Wanted, ...]:
    """Return the types that an annotation allows: ``int | None`` has two."""
    parts: list[str] = []
    for part in annotation.split(" | "):
        if parts and parts[-1].count("[") > parts[-1].count("]"):
            parts[-1] += f" | {part}"
        else:
            parts.append(part)
    if "os.PathLike[str]" in parts:
        parts = [part for part in parts if part != "str"]
    return tuple(map(_type_of, parts))


def _type_of(annotation: str) -> _Wanted:
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    head, _, inner = annotation.removesuffix("]").partition("[")
    if head == "Literal":
        return _literal(tuple(part.strip("\"' ") for part in inner.split(",")))
    if head in ("Iterable", "Sequence", "Collection", "tuple"):
        return _several(inner.removesuffix(", ..."), ordered=head != "Iterable")
    if head == "Mapping":
        return _mapping(inner.partition(", ")[2])
    if head in ("Callable", "type"):
        wanted = "a function" if head == "Callable" else "a class"
        return _Wanted(_if(callable), wanted)
    return _instance(head)


def _if(test: Callable[[Any], bool]) -> Callable[[Any], Any]:
    return lambda value: value if test(value) else _OTHER


def _whole(value: Any) -> Any:  # noqa: ANN401
    try:
        return _OTHER if isinstance(value, bool) else operator.index(value)
    except (TypeError, DeprecationWarning):
        return _OTHER


def _number(value: Any) -> Any:  # noqa: ANN401
    from numbers import Complex, Integral, Real

    imaginary = isinstance(value, Complex) and not isinstance(value, Real)
    if isinstance(value, bool | str) or imaginary:
        return _OTHER
    try:
        plain = float(value) if isinstance(value, SupportsFloat) else _OTHER
    except (TypeError, ValueError, OverflowError, DeprecationWarning):
        return _OTHER
    return int(value) if isinstance(value, Integral) else plain


def _flag(value: Any) -> Any:  # noqa: ANN401
    try:
        plain = isinstance(value, Hashable) and value in (True, False)
    except TypeError:
        # pandas's NA is neither
        return _OTHER
    return bool(value) if plain else _OTHER


def _text(value: object) -> Any:  # noqa: ANN401
    # str(...) of a member of an Enum would be its name
    return str.__str__(value) if isinstance(value, str) else _OTHER


def _path(value: object) -> Any:  # noqa: ANN401
    return value if isinstance(value, str | os.PathLike) else _OTHER


def _literal(allowed: Sequence[str]) -> _Wanted:
    *first, last = map(repr, allowed)
    words = f"{', '.join(first)} or {last}" if first else last
    return _Wanted(
        lambda value: word if (word := _text(value)) in allowed else _OTHER, words
    )


def _several(inner: str, *, ordered: bool) -> _Wanted:
    """Return the type of a list: what has keys or no order is none, nor is a text.

    Where the order does not matter, the keys of a dict are a list too.
    """
    several = [kind.several for kind in _types_of(inner) if kind.several]
    others = (str, bytes, Mapping, AbstractSet) if ordered else (str, bytes)

    def read(given: Any) -> Any:  # noqa: ANN401
        if isinstance(given, others) or not is_iterable(given):
            return _OTHER
        if inner in _READ_LATER:
            return given if isinstance(given, Sequence) or not ordered else [*given]
        return _read_each(given, inner)

    return _Wanted(read, f"a list of {' or '.join(several)}" if several else "a list")


def is_iterable(value: object) -> bool:
    """Return whether there is something to go through, as in no array of one number."""
    try:
        return isinstance(value, Iterable) and iter(value) is not None
    except TypeError:
        return False


def _read_each(values: Iterable[Any], annotation: str) -> Any:  # noqa: ANN401
    kinds = _types_of(annotation)
    read = [
        next((own for kind in kinds if (own := kind.read(value)) is not _OTHER), _OTHER)
        for value in values
    ]
    return _OTHER if any(own is _OTHER for own in read) else read


def _mapping(inner: str) -> _Wanted:
    def read(given: Any) -> Any:  # noqa: ANN401
        if not isinstance(given, Mapping):
            return _OTHER
        if inner in _READ_LATER:
            return given
        values = _read_each(given.values(), inner)
        return values if values is _OTHER else dict(zip(given, values, strict=True))

    several = [kind.several for kind in _types_of(inner) if kind.several]
    return _Wanted(read, f"a dict of {several[0]}" if several else "a dict")


def _instance(name: str) -> _Wanted:
    """Return the type of a class, by its name: where it lies is not imported here."""
    bearers = {name, *_BEARERS.get(name, ())}
    made = f", as {_MADE_BY[name]} returns it," if name in _MADE_BY else ""
    return _Wanted(
        _if(lambda value: any(own.__name__ in bearers for own in type(value).__mro__)),
        f"{'an' if name[0] in 'AEIOU' else 'a'} {name}{made}",
        f"{name} objects",
    )


# what is checked by what reads it: a source of runs, a callback, four words together
_ANYTHING = ("Any", "object", "Source", "Callback", "Unpack[JudgingOptions]")
# in a list, where what reads it tells in which place another one stands
_READ_LATER = (*_ANYTHING, "Mapping[str, Any]")
_PLAIN = {
    "None": _Wanted(_if(lambda value: value is None), ""),
    "bool": _Wanted(_flag, "True or False"),
    "float": _Wanted(_number, "a number", "numbers"),
    "int": _Wanted(_whole, "a whole number", "whole numbers"),
    "os.PathLike[str]": _Wanted(_path, "a path", "paths"),
    "str": _Wanted(_text, "a text", "texts"),
    **dict.fromkeys(_ANYTHING, _Wanted(_if(lambda _: True), "anything")),
}
# the classes that have what a protocol asks for
_BEARERS = {"Described": ("Run", "SweptRun")}
_MADE_BY = {
    "Costs": "measure_costs",
    "Described": "load_runs",
    "Document": "build_report",
    "Figure": "plot_replay",
    "Grid": "make_grid",
    "LearningCurvePoints": "learning_curve_points",
    "LearningRatePoints": "learning_rate_points",
    "MapPoints": "map_points",
    "Recommendation": "recommend_config",
    "Replay": "replay_run",
    "Run": "load_runs",
    "Sweep": "sweep_runs",
    "TradeOffPoints": "trade_off_points",
}
