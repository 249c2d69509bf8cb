"""Numbers, epochs, names and sentences as people read them, on every surface."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from cbreplay.wording.plain_text import made_visible, without_secrets
from cbreplay.wording.shown_digits import shown_digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.run import Run

__all__ = [
    "as_sentence",
    "count",
    "list_first",
    "list_names",
    "spoken_counting",
    "spoken_number",
    "spoken_range",
    "spoken_rows",
    "spoken_seam",
    "spoken_seconds",
    "visible_text",
]

_LARGEST_PLAIN = 1e7
_WITHOUT_DECIMALS = 1e6
_LEAST_PLAIN = 1e-4


def spoken_number(value: float | None, decimals: int) -> str:
    """Write a number with its column's decimals; '-' for None.

    >>> [spoken_number(value, 4) for value in (0.3121, 0.0, None, 2e-9, 3e9)]
    ['0.3121', '0', '-', '2.0e-09', '3.000e+09']
    >>> spoken_number(0.0002, 3), spoken_number(7671004.19824, 5)
    ('0.0002', '7671004')
    """
    if value is None:
        return "-"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if value == 0:
        return "0"
    if abs(value) >= _LARGEST_PLAIN:
        return f"{value:.{shown_digits() - 1}e}"
    if abs(value) >= _WITHOUT_DECIMALS:
        # a training that diverged: decimals would only widen the column
        decimals = 0
    text = f"{value:.{decimals}f}"
    if float(text) != 0:
        return text
    # a difference too small for the column is still not zero
    return f"{value:.1g}" if abs(value) >= _LEAST_PLAIN else f"{value:.1e}"


def spoken_range(first: int, last: int | None) -> str:
    """Write both ends of a range, or one if they are equal.

    >>> spoken_range(3, 3), spoken_range(2, 4), spoken_range(59, None)
    ('3', '2-4', '59 or more')
    """
    if last is None:
        return f"{first} or more"
    return str(first) if first == last else f"{first}-{last}"


def count(number: float, noun: str) -> str:
    """Write a number with its noun.

    >>> count(1, "epoch"), count(3, "epoch"), count(2.0, "value")
    ('1 epoch', '3 epochs', '2 values')
    """
    spoken = f"{number}" if isinstance(number, int) else f"{number:g}"
    return f"{spoken} {noun}" if number == 1 else f"{spoken} {noun}s"


def spoken_seam(seam: int) -> str:
    """Say what to give for a fit that was resumed, without a number to count from.

    >>> spoken_seam(20)
    '--seam 20 or seams=[20] (20 epochs come before it)'
    """
    before = "1 epoch comes" if seam == 1 else f"{seam} epochs come"
    return f"--seam {seam} or seams=[{seam}] ({before} before it)"


def spoken_rows(text: str, run: Run) -> str:
    """Say "evaluation" for "epoch" in a sentence on a run whose rows are evaluations.

    A sentence that speaks of both, and names such as ``val_epoch``, stay as they are.
    """
    if run.steps is None or "evaluation" in text:
        return text
    return re.sub(_EPOCH, lambda found: _EVALUATION[found[1]] + found[2], text)


_EPOCH = r"""(?<![\w/{<."'-])([Ee])poch(s?)(?![\w/}>="'-])"""
_EVALUATION = {"e": "evaluation", "E": "Evaluation"}


def spoken_counting(runs: Iterable[Run]) -> str:
    """Say whether epochs or evaluations count from 1, and what patience counts."""
    counts_steps = {run.steps is not None for run in runs}
    if counts_steps == {True}:
        return "patience counts evaluations, which count from 1"
    if True in counts_steps:
        return (
            "epochs count from 1; of some runs an epoch here is an evaluation, and "
            "patience counts evaluations"
        )
    return "epochs count from 1"


def spoken_seconds(seconds: float) -> str:
    """Write a duration in its own unit.

    >>> spoken_seconds(3.21), spoken_seconds(320), spoken_seconds(32000)
    ('3.2 s', '5.3 min', '8.9 h')
    """
    for limit, divisor, unit in ((90, 1, "s"), (5400, 60, "min")):
        if seconds < limit:
            return f"{seconds / divisor:.1f} {unit}"
    return f"{seconds / 3600:.1f} h"


def as_sentence(words: str, names: Iterable[str] = ()) -> str:
    """Begin with a capital, unless with a name, and end with a full stop.

    `names` are those that look like ordinary words.

    >>> as_sentence("one run alone"), as_sentence("val_loss is missing")
    ('One run alone.', 'val_loss is missing.')
    >>> as_sentence("loss is missing", ["loss"]), as_sentence("epochs 0, 1, ...")
    ('loss is missing.', 'Epochs 0, 1, ...')
    """
    first = re.split(r"[\s,:;]", words, maxsplit=1)[0]
    if first.isalpha() and first not in names:
        words = words[:1].upper() + words[1:]
    return words if words.endswith("...") else f"{words.rstrip('.')}."


def list_first(names: Sequence[str], most: int) -> str:
    """List at most `most` names, and show that there are more.

    >>> list_first(["a", "b"], 2), list_first(["a", "b", "c", "d"], 2)
    ('a, b', 'a, b, ...')
    """
    return ", ".join([*names[:most], *(["..."] if len(names) > most else [])])


def list_names(names: Sequence[str], most: int) -> str:
    """List at most `most` names, and say how many more there are.

    >>> list_names(["a", "b"], 2), list_names(["a", "b", "c", "d"], 2)
    ('a, b', 'a, b and 2 more')
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def visible_text(text: str) -> str:
    r"""Write out what a reader could not see, and what could steer who shows it.

    Control characters, bidi marks and zero-width characters are escaped, and commands
    to a build server. What may be secret in a URL is left out, for answers are shown to
    others.

    >>> visible_text("val\u202eloss\x1b[31m")
    'val\\u202eloss\\x1b[31m'
    >>> visible_text("::error::x"), visible_text("a::b ##vso[task.complete]")
    ('\\x3a:error::x', 'a::b \\x23#vso[task.complete]')
    >>> visible_text("CSVLogger('https://me:pw@host/logs.csv?token=1')")
    "CSVLogger('https://host/logs.csv')"
    """
    return made_visible(without_secrets(text), _escape)


def _escape(sign: str) -> str:
    if sign.isprintable():
        # unicode_escape writes out only what is not ASCII
        return f"\\x{ord(sign):02x}"
    return sign.encode("unicode_escape").decode("ascii")
