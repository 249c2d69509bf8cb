"""Make text from outside fit to print: cut, escaped, without secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "is_url",
    "made_visible",
    "quoted_code",
    "shell_words",
    "shortened",
    "shown_url",
    "shown_word",
    "well_formed",
    "without_secrets",
]

_MOST_OF_A_LINE = 2000


def shortened(line: str) -> str:
    """Leave out the middle of a long line: names, paths and values have any length.

    >>> len(shortened("x" * 9999))
    2007
    """
    half = _MOST_OF_A_LINE // 2
    return line if len(line) <= 2 * half else f"{line[:half]} [...] {line[-half:]}"


def well_formed(text: str) -> str:
    r"""Write out lone surrogates, which no encoding takes.

    The name of a file that is not UTF-8 holds them, and so may JSON.

    >>> well_formed("caf\u00e9 \udcff")
    'café \\udcff'
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def shell_words(words: Iterable[str]) -> str:
    r"""Quote words for a shell, so that each is taken as it is and can be seen.

    What cannot be printed is written as bash and zsh read it.

    >>> print(shell_words(["my logs.csv", "--monitor", "a\nb's"]))
    'my logs.csv' --monitor $'a\x0ab\'s'
    """
    return " ".join(map(_shell_word, words))


def _shell_word(word: str) -> str:
    # nearly every word is of such signs alone
    letters = word.translate(_HARMLESS)
    if letters.isascii() and letters.isalnum():
        return word
    from shlex import quote

    return quote(word) if _is_inert(word) else f"$'{_quoted(word)}'"


_HARMLESS = str.maketrans("", "", "-_@%+=,./")


def quoted_code(code: str) -> str:
    """Quote an expression for a shell, legibly where that is possible.

    >>> print(quoted_code("EarlyStopping(monitor='val_loss')"))
    "EarlyStopping(monitor='val_loss')"
    >>> print(quoted_code("@train.py"))
    @train.py
    """
    plain = shell_words([code])
    is_legible = _is_inert(code) and not _ACTS_IN_QUOTES.intersection(code)
    return f'"{code}"' if is_legible and plain != code else plain


_ACTS_IN_QUOTES = frozenset('"$`\\!')


def _quoted(word: str) -> str:
    return made_visible(re.sub(r"[\\']", r"\\\g<0>", word), _shell_escape)


def _shell_escape(sign: str) -> str:
    if "\udc80" <= sign <= "\udcff":
        # how Python holds a byte of a file name that is no UTF-8
        return f"\\x{ord(sign) - 0xDC00:02x}"
    return f"\\x{ord(sign):02x}" if sign < "\x7f" else f"\\U{ord(sign):08x}"


def made_visible(text: str, escape: Callable[[str], str]) -> str:
    r"""Write out every sign that could steer what shows a text.

    A terminal obeys what cannot be printed. The log of a build obeys a line that begins
    with ``::`` or holds ``##[`` or ``##vso[``, which sets variables and hides words.
    `escape` returns how a sign is written out.

    >>> print(made_visible("val\u202eloss ##[group]", ascii))
    val'\u202e'loss '#'#[group]
    """
    if _is_inert(text):
        return text
    shown = "".join(sign if sign.isprintable() else escape(sign) for sign in text)
    return re.sub(_ORDER, lambda found: escape(found[0]), shown)


def _is_inert(text: str) -> bool:
    return text.isprintable() and not (
        ("::" in text or "##" in text) and re.search(_ORDER, text)
    )


# the first sign of a command to GitHub, Azure or TeamCity; it may stand at the start of
# any word, because a line may be broken there
_ORDER = r"(?<!\S):(?=:\S)|#(?=#(?i:vso|teamcity)?\[)"


def without_secrets(text: str) -> str:
    """Return text with every URL in it as `shown_url` writes it.

    >>> without_secrets("403 at https://me:pw@host/logs.csv?signature=0 (Forbidden)")
    '403 at https://host/logs.csv (Forbidden)'
    >>> without_secrets("--log=https://me:pa'ss@host/x")
    '--log=https://host/x'
    >>> without_secrets("http:me:pw@host/x and //me:pw@host/x: no such file")
    'http:host/x and //host/x: no such file'
    """
    if ":/" in text:
        text = re.sub(_URL, lambda found: shown_url(found[0]), text)
    return re.sub(_MISTYPED, r"\1\2", text) if "@" in text else text


def is_url(path: str) -> bool:
    """Tell whether a path names a file system of its own: ``s3://bucket/runs``.

    >>> is_url("s3://bucket/runs"), is_url("zip::s3://a/b.zip"), is_url("C:/runs")
    (True, True, False)
    """
    scheme, mark, _ = path.partition("://")
    word = scheme.replace("+", "").replace("::", "")
    return bool(mark) and len(scheme) > 1 and word.isalnum()


def shown_word(word: str) -> str:
    """Return a word of a command line as `shown_url` writes the URL that is in it."""
    return shown_url(word) if is_url(word) else without_secrets(word)


def shown_url(url: str) -> str:
    """Return a URL without what may be secret: user, password, query and fragment.

    The number of a training in the log stays. Of a URL that can be read in two ways
    (``me:p/w@host/x``) no host is shown, for it may be a piece of the password.

    >>> shown_url("simplecache::https://me:pw@[::1]:8000/logs.csv?key=0#2")
    'simplecache::https://[::1]:8000/logs.csv#2'
    """
    return "::".join(map(_shown_link, re.split(_BETWEEN_LINKS, url)))


# one slash is enough, because pathlib drops the other; a scheme of one letter would be
# a Windows drive; without a longest scheme, a long word would take quadratic time; a
# quote ends a URL, except in a password, which an @ follows
_URL = r"""[A-Za-z][A-Za-z0-9+.\-]{1,40}:/+(?:[^\s<>]{0,2000}@)?[^\s"'<>`]*"""
# a URL whose slash or scheme was forgotten; other names may hold an @ too
_MISTYPED = (
    r"(?<![^\s'\"=(])((?:https?|s?ftp|ssh|s3|gs):/{0,3}|:?//)"
    r"[^\s/@:]{0,200}:[^\s@]{0,200}@([^\s?#'\"<>]*)(?:[?#][^\s'\"<>]*)?"
)
_BETWEEN_LINKS = r"::(?=[A-Za-z][A-Za-z0-9+.\-]*(?::/|::))"


def _shown_link(link: str) -> str:
    """Return one URL of a chain; a mere host has no scheme."""
    start = re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:/+", link)
    scheme = start[0] if start else ""
    part = re.search(r"#\d{1,4}$", link)
    rest = link[len(scheme) :].removesuffix(part[0] if part else "")
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    path = re.split("[?#]", rest[len(host) :], maxsplit=1)[0]
    if _is_ambiguous(host, rest[len(host) :], path):
        behind = re.split("[?#]", rest.rpartition("@")[2], maxsplit=1)[0]
        _, slash, name = behind.rpartition("/")
        return f"{scheme}...{f'/{name}' if slash else ''}"
    return f"{scheme}{host.rpartition('@')[2]}{path}{part[0] if part else ''}"


def _is_ambiguous(host: str, rest: str, path: str) -> bool:
    """Tell whether a password may reach beyond what stands for the host."""
    usual = re.fullmatch(r"(?:\[[\w:.%]*\]|[^:\[\]]*)(:\d*)?", host.rpartition("@")[2])
    if usual is None:
        return True
    return "@" in rest if "@" in host else usual[1] is not None and "@" in path
