"""Every exception of cbreplay.

::

    CbreplayError
    ├── LogError             (ValueError)   a log cannot be read, or not rightly
    │   └── TruncatedLogError               it ends in the middle of something
    ├── UnknownMonitorError  (KeyError)     a series that the run does not hold
    ├── ConfigError          (ValueError)   a parameter or option that cannot be
    ├── ExpressionError      (ValueError)   callback text that cannot be read
    ├── SemanticsError       (ValueError)   a Keras version that is not known
    ├── EvidenceError        (ValueError)   the log cannot carry the question
    ├── OutputError          (OSError)      a file that cannot be written
    └── MissingExtraError    (ImportError)  an optional dependency is missing

Each takes facts as keywords and writes its own sentence. Everything here is the
user's to mend, so the command line prints it in one line and exits with status 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CbreplayError",
    "ConfigError",
    "EvidenceError",
    "ExpressionError",
    "LogError",
    "MissingExtraError",
    "OutputError",
    "SemanticsError",
    "TruncatedLogError",
    "UnknownMonitorError",
    "nearest_name",
]


class CbreplayError(Exception):
    """Base of everything that cbreplay raises on purpose."""

    def __str__(self) -> str:
        """Return the sentence itself; ``KeyError`` would print its repr."""
        return str(self.args[0]) if self.args else ""


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
    reason : str
        Why a series that the log names was not read.
    """

    def __init__(
        self,
        monitor: str,
        *,
        run: str,
        available: Iterable[str],
        option: str = "monitor",
        reason: str = "",
    ) -> None:
        self.monitor, self.run, self.available = monitor, run, tuple(available)
        held = ", ".join(self.available[:_SHOWN_NAMES]) or "no series at all"
        more = len(self.available) - _SHOWN_NAMES
        held += f" and {more:,} more" if more > 0 else ""
        # a parameter that is one rule's own has no option
        choice = f"{option}=" if "_" in option else f"--{option} or {option}="
        left_out = f" The log's {monitor} was left out: {reason}." if reason else ""
        super().__init__(
            f"run {run!r} has no series {monitor!r}; it has {held}.{left_out} "
            f"Choose one with {choice}."
        )


_SHOWN_NAMES = 50


class ConfigError(CbreplayError, ValueError):
    """A parameter or an option with a value that cannot be, or that contradicts."""


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


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'patience'?"`` where a known name is near, else ''.

    >>> nearest_name("patiense", ["monitor", "patience"])
    "; did you mean 'patience'?"
    """
    import difflib

    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
