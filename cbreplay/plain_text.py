"""Text and values from outside, fit for a sentence and for every form of answer."""

from __future__ import annotations

__all__ = ["shortened", "shown_value", "well_formed"]

_MOST_LETTERS = 200
_MOST_OF_A_LINE = 2000


def shown_value(value: object) -> str:
    """Write a value into a sentence, whatever it is and however long.

    >>> shown_value(-3), len(shown_value("x" * 1000)), shown_value(16**5000)
    ('-3', 200, 'a number of 20001 bits')
    """
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - somebody's own repr, or thousands of digits
        bits = value.bit_length() if isinstance(value, int) else 0
        text = f"a number of {bits} bits" if bits else f"a {type(value).__name__}"
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 3]}..."


def shortened(line: str) -> str:
    """Leave out the middle of a long line: names, paths and values have any length.

    >>> len(shortened("x" * 9999))
    2007
    """
    half = _MOST_OF_A_LINE // 2
    return line if len(line) <= 2 * half else f"{line[:half]} [...] {line[-half:]}"


def well_formed(text: str) -> str:
    r"""Write out halves of characters, which no encoding takes.

    The name of a file that is not UTF-8 holds them, and so may JSON.

    >>> well_formed("caf\u00e9 \udcff")
    'café \\udcff'
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
