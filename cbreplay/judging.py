"""How an answer is judged: whose rules, from which rate, by which series.

Where no series is named, and none is called ``val_loss`` as Keras calls it,
`find_sole_loss` finds the one that is meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from cbreplay.arguments import checked, read_argument
from cbreplay.errors import ConfigError
from cbreplay.series_names import PARTS_OF_CAMEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.run import Mode, Run

__all__ = [
    "Judging",
    "JudgingOptions",
    "find_sole_loss",
    "read_judging",
]


class Judging(NamedTuple):
    """How to judge, carried whole from the question to the decision.

    Every function that answers takes these four as keywords, or the whole as
    ``judging=``.

    Parameters
    ----------
    semantics : str, optional
        Which version decides, for example ``"keras-3.15.1"``. By default the one in
        ``run.json``, else the installed one, else the newest known.
    initial_learning_rate : float, optional
        The rate of the first epoch, where the log does not record one.
    objective : str, optional
        The series that outcomes are judged by. By default the monitor of the first
        EarlyStopping, else of the first callback that monitors, else ``val_loss``.
    objective_mode : {"min", "max"}, optional
        Its direction, where neither a callback nor its name tells it.

    Examples
    --------
    >>> Judging(objective="val_accuracy")
    Judging(objective='val_accuracy')
    """

    semantics: str | None = None
    initial_learning_rate: float | None = None
    objective: str | None = None
    objective_mode: Mode | None = None

    def __repr__(self) -> str:
        given = ", ".join(
            f"{name}={value!r}"
            for name, value in self._asdict().items()
            if value is not None
        )
        return f"Judging({given})"


class JudgingOptions(TypedDict, total=False):
    """The keywords of a function that judges: the four of `Judging`, or the whole."""

    semantics: str | None
    initial_learning_rate: float | None
    objective: str | None
    objective_mode: Mode | None
    judging: Judging


def read_judging(options: JudgingOptions) -> Judging:
    """Return what the keywords of a call say.

    Raises
    ------
    ConfigError
        If ``judging=`` is given together with one of the four, or one cannot be.
    TypeError
        If there is another keyword.

    Examples
    --------
    >>> read_judging({"semantics": "keras-3.15"})
    Judging(semantics='keras-3.15')
    """
    given: Mapping[str, Any] = options
    named = {name: value for name, value in given.items() if name != "judging"}
    unknown = [name for name in named if name not in Judging._fields]
    if unknown:
        message = (
            f"unexpected keyword argument {unknown[0]!r}: beside those of its own the "
            f"function takes {', '.join(Judging._fields)} and judging; what a rule "
            "is to be set to stands in a callback"
        )
        raise TypeError(message)
    whole = options.get("judging")
    if whole is None:
        return _judged(**named)
    if named:
        sentence = (
            f"judging= holds {', '.join(Judging._fields)} already, and "
            f"{', '.join(named)} stands beside it. Give one of the two"
        )
        raise ConfigError(sentence)
    return _judged(**read_argument("judging", whole, "Judging")._asdict())


@checked
def _judged(
    *,
    semantics: str | None = None,
    initial_learning_rate: float | None = None,
    objective: str | None = None,
    objective_mode: Literal["min", "max"] | None = None,
) -> Judging:
    return Judging(semantics, initial_learning_rate, objective, objective_mode)


_USUAL = "val_loss"
# in this order: some people call their validation data a test
_VALIDATIONS = (
    {"val", "valid", "validate", "validation", "eval", "evaluate", "evaluation"},
    {"test", "dev"},
)
_LOSS = {"loss", "losses", "error"}


def find_sole_loss(runs: Sequence[Run]) -> str | None:
    """Return the validation loss of logs without val_loss, if every run has that one.

    Its name holds a word for validation and one for a loss, as ``eval_loss``,
    ``Loss/val`` and ``losses/eval.total_loss`` do; or for a test, where none is called
    a validation. None where a run has ``val_loss``, or none or several such series.
    """
    if any(run.holds(_USUAL) for run in runs):
        return None
    for words in _VALIDATIONS:
        candidates = {name for run in runs for name in _losses(run, words)}
        if len(candidates) == 1:
            (name,) = candidates
            return name if all(run.holds(name) for run in runs) else None
        if candidates:
            return None
    return None


def _losses(run: Run, validation: set[str]) -> list[str]:
    named = [
        (name, set(re.split(r"[\W_]+", re.sub(PARTS_OF_CAMEL, "_", name).lower())))
        for name in run.series
    ]
    return [
        name
        for name, words in named
        # a best value so far is no loss of an epoch
        if words & validation and words & _LOSS and "best" not in words
    ]
