"""A command as it was typed, and what of it a suggested next command repeats."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cbreplay.cli.refusals import option_name
from cbreplay.cli.remarks import noted
from cbreplay.readers.base import ReadOptions
from cbreplay.wording.plain_text import quoted_code, shell_words, shown_word

if TYPE_CHECKING:
    from cbreplay.cli.question import Question

__all__ = ["command_line", "typed_logs", "typed_setting"]

# what a suggested next command has to repeat, where it is not the default
_REPEATED = (
    *("errors", "empty", "planned_epochs", "validation_freq", "x_axis", "first_epoch"),
    *("parts", "resume", "max_bytes", "timeout", "monitor", "mode", "keep"),
    *("objective", "objective_mode"),
)


def command_line() -> str:
    """Return the command as it was typed, and as comments what it took from elsewhere.

    What is secret in a URL is left out.
    """
    words = ["cbreplay", *sys.argv[1:]]
    shown = list(map(shown_word, words))
    left_out = ["a URL's user, password and query are left out"]
    remarks = noted() if shown == words else [*noted(), *left_out]
    return "\n".join([shell_words(shown), *(f"# {line}" for line in remarks)])


def typed_logs(question: Question) -> str | None:
    """Return the paths and options that a suggested next command repeats.

    None if it would have to hold the secrets of a URL.
    """
    given = (*question.paths, *question.expressions)
    if any(shown_word(text) != text for text in given):
        return None
    # a path that begins with - would be taken for an option
    words = [
        f"./{path}" if path[:1] == "-" != path else path for path in question.paths
    ]
    for name in question.run:
        words += ["--run", name]
    held = vars(question.reading) | vars(question)
    usual = vars(ReadOptions()) | vars(type(question)())
    for name in _REPEATED:
        if held[name] != usual[name]:
            option = "--max-size" if name == "max_bytes" else option_name(name)
            words += [option, str(held[name])]
    # the next command may write the settings out, and not name the script
    if question.version is not None:
        words += ["--semantics", question.version]
    for seam in question.reading.seams:
        words += ["--seam", str(seam)]
    return shell_words(words)


def typed_setting(question: Question) -> str:
    """Return the options that name a setting, for a next command."""
    words = [f"-c {quoted_code(text)}" for text in question.expressions]
    for parameter, text in question.shorthands.items():
        words.append(shell_words([option_name(parameter), text]))
    return " ".join(words)
