"""A sentence of an answer: words, names, code, and values that stay values."""

from collections.abc import Iterable, Sequence
from string import Formatter
from typing import Any, NamedTuple, TypeAlias, get_args

from cbreplay.wording.claims import Claim
from cbreplay.wording.kinds import Kind, spoken_value
from cbreplay.wording.shown_digits import ValueScale

__all__ = [
    "Code",
    "Fact",
    "Part",
    "Strong",
    "Text",
    "counted",
    "joined",
    "phrase",
    "plain_text",
    "say",
]


class Code(NamedTuple):
    """A name or a piece of code inside a sentence."""

    text: str


class Strong(NamedTuple):
    """Words that are emphasised."""

    text: str


class Fact(NamedTuple):
    """A value inside a sentence; its kind decides how it is written.

    Parameters
    ----------
    value : object
        The value itself; an epoch counts from 0 here.
    kind : Kind
        What it means.
    name : str
        What it is in the answer's data, for example ``"best_epoch"``.
    scale : ValueScale or None
        The decimals that it shares with other values, for example of a table.
    words : str
        What stands for it in the sentence, for example ``"both"`` for 2.
    """

    value: Any
    kind: Kind
    name: str = ""
    scale: ValueScale | None = None
    words: str = ""

    @property
    def text(self) -> str:
        """The value as people read it."""
        return self.words or spoken_value(self.value, self.kind, self.scale)


Part: TypeAlias = str | Code | Strong | Fact


class Text(NamedTuple):
    """A sentence or several: words, names, values, and what they claim.

    Parameters
    ----------
    parts : tuple of Part
        In order.
    claims : tuple of Claim
        What it says about the data.
    stamp : str
        Words before it that must not be separated from it, for example ``"fiction: "``:
        a form that breaks it into lines writes them before every line.
    """

    parts: tuple[Part, ...]
    claims: tuple[Claim, ...] = ()
    stamp: str = ""


def say(*parts: Part | Text, claims: Sequence[Claim] = (), stamp: str = "") -> Text:
    """Return a sentence made of parts; a `Text` among them brings its parts and claims.

    >>> best = say("best at epoch ", Fact(28, "epoch", "best_epoch"))
    >>> plain_text(say(best, " of 60"))
    'best at epoch 29 of 60'
    """
    whole = [part if isinstance(part, Text) else Text((part,)) for part in parts]
    return Text(
        tuple(inner for text in whole for inner in text.parts),
        (*claims, *(claim for text in whole for claim in text.claims)),
        stamp,
    )


def joined(each: Iterable[Part | Text], between: str = ", ") -> Text:
    """Return parts with words between them.

    >>> plain_text(joined([Fact(3, "patience"), Fact(5, "patience")], " or "))
    '3 or 5'
    """
    told = [part for own in each for part in (between, own)]
    return say(*told[1:])


def phrase(
    words: str,
    /,
    *parts: Part | Text,
    claims: Sequence[Claim] = (),
    **named: Any,  # noqa: ANN401 - a value of any kind
) -> Text:
    """Return a sentence that is written out once, with blanks for what it says.

    ``{}`` is the next of the parts, ``{name}`` a part of that name. ``{name:kind}`` is
    a value and its `Kind`, a `Fact` of that name; ``{name:count noun}`` has its noun
    with it, which may be named too (``{n:count {unit}}``), and ``{name:code}`` is
    `Code`. ``{some:of every noun}`` is how many of a number, named too, some are;
    with ``Of`` at the start of a sentence. A number that the answer's data does not
    hold is given as a `Fact` without a name.

    >>> plain_text(phrase("best {at:epoch} of {n:count run}{}", ".", at=28, n=2))
    'best 29 of 2 runs.'
    >>> plain_text(phrase("on {some:of n run}", some=2, n=2))
    'on both runs'
    >>> plain_text(phrase("{some:Of n run} failed", some=3, n=3))
    'All 3 runs failed'
    >>> plain_text(phrase("all {n:count {unit}}.", n=3, unit="group"))
    'all 3 groups.'
    """
    given = iter(parts)
    told: list[Part | Text] = []
    for text, name, form, _ in Formatter().parse(words):
        told.append(text)
        if name is None:
            continue
        part: Any = named[name] if name else next(given)
        # the noun of a count may be a blank itself
        kind, _, noun = (form or "").format(**named).partition(" ")
        if kind in ("of", "Of"):
            every, _, noun = noun.partition(" ")
            some = part if isinstance(part, Fact) else Fact(part, "count", name)
            told.append(_share(kind, some, Fact(named[every], "count", every), noun))
        elif noun:
            told.append(counted(part, noun, name))
        elif kind == "code":
            told.append(Code(part))
        else:
            told.append(Fact(part, _KINDS[kind], name) if kind else part)
    return say(*(each for each in told if each), claims=claims)


# a misspelt kind is an error
_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}


def _share(of: str, some: Fact, every: Fact, noun: str) -> Text:
    """Say how many of all some are: "1 of 3 runs", "all 3 runs", "both", "neither"."""
    word, rest = "" if some.value else "none", say(" of ", every, f" {noun}s")
    if some.value == every.value == 1:
        return say("The " if of == "Of" else "the ", some, f" {noun}")
    if every.value == _PAIR and some.value != 1:
        word, ending = ("both", "s") if some.value else ("neither", "")
        rest = say(f" {noun}{ending}")
    elif some.value == every.value:
        word, rest = "all", say(" ", every, f" {noun}s")
    return say(some._replace(words=word.capitalize() if of == "Of" else word), rest)


_PAIR = 2


def counted(number: int, noun: str, name: str) -> Text:
    """Say a number with its noun; `name` is what it is called in the answer's data.

    >>> plain_text(counted(1, "run", "n_runs")), plain_text(counted(3, "run", "n_runs"))
    ('1 run', '3 runs')
    """
    return say(Fact(number, "count", name), f" {noun}" if number == 1 else f" {noun}s")


def plain_text(text: Text) -> str:
    """Return a sentence without its marks, as people read it.

    >>> plain_text(say(Strong("Patience 5"), " of ", Code("val_loss")))
    'Patience 5 of val_loss'
    """
    words = [part if isinstance(part, str) else part.text for part in text.parts]
    return "".join([text.stamp, *words])
