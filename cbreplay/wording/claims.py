"""What sentences claim about the data, by name, so that a test can check them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

__all__ = ["Claim", "Said", "Told", "claim", "tell"]


class Claim(NamedTuple):
    """What a sentence says about the data, for a check that knows only the data.

    Parameters
    ----------
    predicate : str
        For example ``"is_best"``, ``"first"`` or ``"at_least"``.
    about : mapping
        The arguments of the predicate, by name: ``{"epoch": 7}``.
    """

    predicate: str
    about: Mapping[str, Any]


class Told(NamedTuple):
    """Words, and what they claim.

    Parameters
    ----------
    words : str
        What is said.
    claims : tuple of Claim
        What it says about the data.
    """

    words: str
    claims: tuple[Claim, ...] = ()


# plain text claims nothing
Said: TypeAlias = str | Told


def claim(predicate: str, **about: Any) -> tuple[Claim, ...]:  # noqa: ANN401 - any value
    """Return one claim, as sentences carry them.

    >>> claim("stops_at", epoch=7)
    (Claim(predicate='stops_at', about={'epoch': 7}),)
    """
    return (Claim(predicate, about),)


def tell(*parts: Said, claims: Sequence[Claim] = ()) -> Told:
    """Join texts and their claims; `claims` are added at the end.

    >>> tell("stopped", Told(" at epoch 8", claim("stops_at", epoch=7))).words
    'stopped at epoch 8'
    """
    words: list[str] = []
    held: list[Claim] = []
    for part in parts:
        if isinstance(part, Told):
            words.append(part.words)
            held.extend(part.claims)
        else:
            words.append(part)
    return Told("".join(words), (*held, *claims))
