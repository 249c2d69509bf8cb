"""``cbreplay simulate --versus``: one list of callbacks against another, run by run."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from cbreplay.answers.comparison import comparison_document
from cbreplay.answers.rival_lists import compare_lists
from cbreplay.cli.one_setting import sole_setting
from cbreplay.cli.progress import watch
from cbreplay.cli.remarks import say_notes
from cbreplay.cli.written import print_document
from cbreplay.errors import ConfigError
from cbreplay.rules.parameters import parameters_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.cli.options import Format
    from cbreplay.cli.question import Question
    from cbreplay.grid import Grid
    from cbreplay.rules.base import Callback

__all__ = ["print_versus"]

# patience=20 where a callback is EarlyStopping(patience=20)
_CHANGES = r"\s*\w+\s*=[^=]"


def print_versus(
    question: Question, texts: tuple[str, ...], output: Format | Literal["parquet"]
) -> None:
    """Replay the list of -c and the list of --versus on every run, and compare.

    Raises
    ------
    ConfigError
        If one of the two is not one setting, or they are judged by different series.
    """
    if output == "parquet":
        sentence = "--format parquet is for grids; --versus has --format csv and json"
        raise ConfigError(sentence)
    first = _one_list(question.grid, "the rest of the command")
    rival, imported = _rival_list(question, first, texts)
    judging = question.judging._replace(
        semantics=_version_of_both(question, texts, imported)
    )
    with watch("replaying") as tell:
        lists = compare_lists(question.runs, first, rival, judging, progress=tell)
    print_document(question.about_the_rest(comparison_document(lists)), output)


def _one_list(grid: Grid | None, side: str) -> Sequence[Callback]:
    return sole_setting(
        grid, f"--versus compares one setting with one, and {side} names"
    )


def _rival_list(
    question: Question, first: Sequence[Callback], texts: tuple[str, ...]
) -> tuple[Sequence[Callback], str | None]:
    """Return list B, and the version that its script imports.

    B is the list that is written, or A with changed parameters.
    """
    if all(re.match(_CHANGES, text) for text in texts):
        return _changed(first, ", ".join(texts)), None
    from cbreplay.expressions import read_expressions
    from cbreplay.grid import make_grid

    read = read_expressions(texts, question.monitor_and_mode)
    say_notes(read.notes)
    return _one_list(make_grid(read.entries), "it"), read.semantics


def _version_of_both(
    question: Question, texts: tuple[str, ...], imported: str | None
) -> str | None:
    """Return the version by whose rules both lists are replayed."""
    from cbreplay.rules.families import names_version, resolve_semantics, spoken_version

    version = question.version
    is_named = question.semantics is not None or any(map(names_version, question.runs))
    if is_named or not any(map(_is_of_script, texts)):
        return version
    if not any(map(_is_of_script, question.expressions)):
        return imported
    ours, theirs = (
        resolve_semantics(name).semantics.name for name in (version, imported)
    )
    if ours != theirs:
        sentence = (
            f"A's script trains by the rules of {spoken_version(ours)}, B's by "
            f"those of {spoken_version(theirs)}, and both are replayed by the same. "
            f"Choose with --semantics {ours} or --semantics {theirs}"
        )
        raise ConfigError(sentence)
    return version


def _is_of_script(text: str) -> bool:
    """Return whether a list is written as ``@train.py``."""
    from cbreplay.scripts.sources import is_script

    return text.strip().startswith("@") and is_script(text.strip())


def _changed(first: Sequence[Callback], text: str) -> Sequence[Callback]:
    """Return A with the parameters of ``patience=20, min_delta=0.01``."""
    from cbreplay.expressions import parse_callbacks
    from cbreplay.grid import make_grid

    changed = list(first)
    for name, value in _parameters(text):
        holders = [
            place for place, rule in enumerate(first) if name in parameters_of(rule)
        ]
        if len(holders) != 1:
            there = ", ".join(rule.class_name for rule in first)
            sentence = (
                f"--versus changes {name!r}, which {len(holders) or 'none'} of the "
                f"callbacks of -c have ({there}). Write B as a list, for example "
                '--versus "EarlyStopping(patience=10)"'
            )
            raise ConfigError(sentence)
        rule = changed[holders[0]]
        typed = parse_callbacks(f"{rule.class_name}({name}={value})")
        (read,) = _one_list(make_grid(typed), "it")
        given = parameters_of(read)[name]
        # every rule is a dataclass; a plain class cannot say so
        changed[holders[0]] = replace(rule, **{name: given})  # type: ignore[type-var]
    return changed


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    try:
        call = ast.parse(f"_({text})", mode="eval").body
    except SyntaxError:
        call = None
    if not isinstance(call, ast.Call) or call.args:
        sentence = (
            f"--versus is {text!r}, where changes of A are expected, as "
            "patience=20, or a list as -c has it"
        )
        raise ConfigError(sentence)
    given = [keyword.arg for keyword in call.keywords]
    for keyword in call.keywords:
        if given.count(keyword.arg) > 1:
            sentence = f"--versus gives {keyword.arg} twice. Give it once"
            raise ConfigError(sentence)
        yield str(keyword.arg), ast.unparse(keyword.value)
