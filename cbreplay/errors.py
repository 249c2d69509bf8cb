"""Every exception of cbreplay.

    CbreplayError
    ├── LogError             (ValueError)   a log cannot be read, or only by guessing
    │   └── TruncatedLogError               it ends in the middle of something
    ├── UnknownMonitorError  (KeyError)     a series that the run does not hold
    ├── ConfigError          (ValueError)   an impossible parameter or option
    │   └── RefusedValueError               one that Keras itself refuses too
    ├── ExpressionError      (ValueError)   callback text that cannot be read
    ├── SemanticsError       (ValueError)   a Keras version that is not known
    ├── EvidenceError        (ValueError)   the log cannot carry the question
    ├── OutputError          (OSError)      a file that cannot be written
    └── MissingExtraError    (ImportError)  an optional dependency is missing

Each takes facts as keywords and writes its own sentence. Everything here is the
user's to mend, so the command line prints it in one line and exits with status 2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cbreplay.near_series import nearest_series
from cbreplay.series_names import is_validation, suggest_monitor, watch_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Self

__all__ = [
    "NO_LOG_IN_DIRECTORY",
    "WHAT_TO_WATCH",
    "CbreplayError",
    "ConfigError",
    "EvidenceError",
    "ExpressionError",
    "LogError",
    "MissingExtraError",
    "OutputError",
    "RefusedValueError",
    "SemanticsError",
    "TruncatedLogError",
    "UnknownMonitorError",
    "as_arguments",
    "as_options",
    "without_monitor",
]

NO_LOG_IN_DIRECTORY = "there is no log in this directory"
_QUOTED = r"'[^']*'|\"[^\"]*\""
_OPTION = rf"(?:--[a-z][a-z-]*|-c)(?: (?:{_QUOTED}|(?!or\b)[^\s;:,()'\"-][^\s;:,()]*))?"
_ARGUMENT = rf"[a-z_]+=(?:{_QUOTED}|\[[^\]]*\]|[\w.]*\w)?"
# "--errors skip or errors='skip'": what to do, for a terminal and for Python
_EITHER = rf"({_OPTION}(?: {_OPTION})*) or ({_ARGUMENT}(?:, {_ARGUMENT})*)"
_WATCHED = rf"(?<=\S) --monitor (?:{_QUOTED}|\S+) --mode (?:min|max)"


def as_options(text: str) -> str:
    """Keep only the option where a sentence offers an option or an argument.

    >>> as_options("Keep what is whole with --errors skip or errors='skip'")
    'Keep what is whole with --errors skip'
    """
    return re.sub(_EITHER, r"\1", text) if " or " in text else text


def without_monitor(text: str) -> str:
    """Leave monitor and mode out of a hint, for a command that does not take them.

    >>> without_monitor("If so: --x-axis epoch --monitor val/loss --mode min")
    'If so: --x-axis epoch'
    """
    return re.sub(_WATCHED, "", text).replace(WHAT_TO_WATCH, "")


# where no name tells which series is meant, nor which way it improves
WHAT_TO_WATCH = "; name what to watch, as monitor, and its direction, as mode, too"


def as_arguments(text: str) -> str:
    """Keep only the argument where a sentence offers an option or an argument.

    >>> as_arguments("Keep what is whole with --errors skip or errors='skip'")
    "Keep what is whole with errors='skip'"
    """
    return re.sub(_EITHER, r"\2", text) if " or " in text else text


class CbreplayError(Exception):
    """Base of everything that cbreplay raises on purpose."""

    def __str__(self) -> str:
        """Return the sentence itself; ``KeyError`` would print its repr."""
        return as_arguments(self.sentence)

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, at a terminal and in Python."""
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the finished sentence: the class takes facts, not a sentence."""
        return _as_it_was, (type(self), self.args), vars(self)


def _as_it_was(kind: type[CbreplayError], args: tuple[Any, ...]) -> CbreplayError:
    error = kind.__new__(kind)
    error.args = args
    return error


class LogError(CbreplayError, ValueError):
    """A log that cannot be read, or could only be read by guessing.

    Parameters
    ----------
    problem : str
        What is wrong, with the value that was found.
    source : str
        The file or object it was found in.
    line, byte : int, optional
        Where in the file: a one-based line, or a zero-based byte offset.
    hint : str
        What would have been right, and what to do.
    """

    def __init__(
        self,
        problem: str,
        *,
        source: str = "",
        line: int | None = None,
        byte: int | None = None,
        hint: str = "",
    ) -> None:
        self.problem, self.source, self.hint = problem, source, hint
        self.line, self.byte = line, byte
        place = source
        if line is not None:
            place += f", line {line}"
        if byte is not None:
            place += f", byte {byte}"
        sentence = f"{place}: {problem}" if place else problem
        super().__init__(_with_hint(sentence, hint))

    def changed(self, **parts: str) -> Self:
        """Return the same error with another `problem`, `source` or `hint`."""
        own = {"problem": self.problem, "source": self.source, "hint": self.hint}
        return type(self)(**own | parts, line=self.line, byte=self.byte)


class TruncatedLogError(LogError):
    """A log that ends in the middle of a row or of a record."""


class UnknownMonitorError(CbreplayError, KeyError):
    """A series that a callback or an option names and the run does not hold.

    Parameters
    ----------
    monitor : str
        The name that was asked for.
    run : str
        The name of the run.
    available : iterable of str
        The series that the run holds.
    option : str
        The option by which another one is chosen.
    left_out : mapping of str to str, optional
        The series that the log names and that were not read, each with the reason.
    """

    def __init__(
        self,
        monitor: str,
        *,
        run: str,
        available: Iterable[str],
        option: str = "monitor",
        left_out: Mapping[str, str] | None = None,
    ) -> None:
        self.monitor, self.run, self.available = monitor, run, tuple(available)
        self.option = option
        reasons = left_out or {}
        reason = reasons.get(monitor, "")
        held = ", ".join(self.available[:_SHOWN_NAMES]) or "no series at all"
        more = len(self.available) - _SHOWN_NAMES
        held += f" and {more:,} more" if more > 0 else ""
        near = "" if reason else nearest_series(monitor, self.available)
        why = f" The log's {monitor} was left out: {reason}." if reason else ""
        has_validation = any(map(is_validation, self.available))
        others = [name for name in reasons if is_validation(name)]
        if others and not reason and not has_validation and is_validation(monitor):
            reason = reasons[others[0]]
            names = ", ".join(name for name in others if reasons[name] == reason)
            why = f" Left out was {names}: {reason}."
        if not near and not reason and is_validation(monitor):
            why = _no_validation(self.available)
        meant = f"; did you mean {near!r}? It" if near else "; it"
        choice = _choose_series(option, [near] if near else self.available)
        if reason:
            choice = choice.replace("Choose one", "Choose another", 1)
        super().__init__(
            f"run {run!r} has no series {monitor!r}{meant} has {held}.{why} {choice}"
        )


def _no_validation(available: Sequence[str]) -> str:
    """Say why a Keras log may have no validation series; empty where it has one."""
    if "loss" not in available or any(map(is_validation, available)):
        return ""
    return (
        " No series is a validation's: fit had no validation data, or Keras 2's "
        "CSVLogger ran under validation_freq above 1, which writes no val_ column "
        "then (the History and TensorBoard's event files have it)."
    )


def _choose_series(option: str, available: Sequence[str]) -> str:
    """Say how to choose another series, and its direction where a name tells it."""
    if "_" in option:
        # a parameter that is one rule's own has no option
        return f"Choose one with {option}=."
    options, arguments = suggest_monitor(available, option)
    if not options and len(available) == 1:
        options, arguments = watch_options(available[0], "min", option)
        larger = "or max in place of min where larger is better"
        return f"Watch that one, as{options} or{arguments[1:]}, {larger}."
    if not options:
        way = "mode" if option == "monitor" else f"{option}_mode"
        direction = f"--{way.replace('_', '-')} min|max or {way}="
        return (
            f"Choose one with --{option} or {option}=, and its direction with "
            f"{direction} where its name does not tell."
        )
    return f"Choose one, as{options} or{arguments[1:]}."


_SHOWN_NAMES = 50


class ConfigError(CbreplayError, ValueError):
    """A parameter or an option whose value is impossible or contradicts another."""


class RefusedValueError(ConfigError):
    """A value that Keras itself does not take, where a callback is made with it.

    Parameters
    ----------
    callback, parameter : str
        Which parameter of which callback has it.
    shown : str
        The value, as it is written.
    wanted : str
        What Keras wants there: ``"a number below 1"``.
    outcome : str
        What Keras does with it: ``"raises ValueError for"``.
    fails_at_once : bool
        Whether Keras's constructor raises, so that other arguments do not matter.
    instead : str
        What to write.
    near : str
        The word that may be meant, as `nearest_name` says it.
    """

    def __init__(
        self,
        *,
        callback: str,
        parameter: str,
        shown: str,
        wanted: str,
        outcome: str = "raises ValueError for",
        fails_at_once: bool = True,
        instead: str,
        near: str = "",
    ) -> None:
        self.callback, self.parameter, self.shown = callback, parameter, shown
        self.wanted, self.outcome, self.instead = wanted, outcome, instead
        self.fails_at_once = fails_at_once
        super().__init__(
            f"{callback}: {parameter} is {shown}, where {wanted} is expected{near}"
        )


class ExpressionError(CbreplayError, ValueError):
    """Callback text that is not a callback expression.

    Parameters
    ----------
    problem : str
        What is wrong, with the piece of text it concerns.
    text : str
        The whole expression.
    hint : str
        What to write instead.
    """

    def __init__(self, problem: str, *, text: str, hint: str = "") -> None:
        self.problem, self.text, self.hint = problem, text, hint
        shown = text if len(text) <= _SHOWN_TEXT else text[: _SHOWN_TEXT - 3] + "..."
        super().__init__(_with_hint(f"in {shown!r}: {problem}", hint))


_SHOWN_TEXT = 200


class SemanticsError(CbreplayError, ValueError):
    """A Keras version whose decisions are not known."""


class EvidenceError(CbreplayError, ValueError):
    """A log that cannot carry the question at all."""


class OutputError(CbreplayError, OSError):
    """A file that could not be written; nothing half written is left.

    Parameters
    ----------
    path : str
        The file.
    reason : str
        What the system said, or which rule forbids it.
    hint : str
        What to do.
    """

    def __init__(self, path: str, reason: str, *, hint: str = "") -> None:
        self.path, self.reason, self.hint = path, reason, hint
        super().__init__(_with_hint(f"cannot write {path}: {reason}", hint))


class MissingExtraError(CbreplayError, ImportError):
    """A part of cbreplay whose optional dependencies are not installed.

    Parameters
    ----------
    what : str
        The command or function that needs them.
    extra : str
        The name of the extra.
    missing : str
        The module that could not be imported.
    """

    def __init__(self, what: str, *, extra: str, missing: str) -> None:
        self.what, self.extra, self.missing = what, extra, missing
        super().__init__(
            f"{what} needs {missing}, which is not installed: "
            f'pip install "cbreplay[{extra}]", or in a clone pip install ".[{extra}]"'
        )


def _with_hint(sentence: str, hint: str) -> str:
    """Join what was wrong and what to do about it."""
    if not hint:
        return sentence
    return f"{sentence} {hint}" if sentence.endswith("?") else f"{sentence}. {hint}"
