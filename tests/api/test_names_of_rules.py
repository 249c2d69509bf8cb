"""A rule is named where it is defined and registered, and asked everywhere else."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING

import pytest

from cbreplay.rules.registry import known_rules
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "cbreplay"
NAMES = re.compile(r"\b(" + "|".join(row.name for row in known_rules()) + r")\b")
# the folder of a family holds the files of its rules
HOMES = (
    "rules/registry.py",
    "rules/keras/",
    "rules/prechelt/",
    "rules/beyond_patience/",
)
# what is listed here is said to people or read from files, and decides nothing in code
REASONS = {
    "__init__.py": "the public names",
}
# Keras's own text, which these show to people: inside a sentence, never a name alone
SENTENCES = ("answers/", "cli/", "expressions/text.py")


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def docstring_lines(text: str) -> set[int]:
    """Return the lines of docstrings, which may tell of any rule."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            continue
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            lines |= set(range(first.lineno, (first.end_lineno or 0) + 1))
    return lines


def named_in(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield the rules that a file names in its code: line, token, and if in words."""
    text = path.read_text()
    told = docstring_lines(text)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind not in ("NAME", "STRING", "FSTRING_MIDDLE"):
            continue
        if token.start[0] in told or not NAMES.search(token.string):
            continue
        words = token.string.strip("fr\"'")
        spoken = kind != "NAME" and NAMES.fullmatch(words) is None
        yield token.start[0], token.string, spoken


@pytest.mark.parametrize(
    "path", sources(), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_code_names_a_rule(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    if place.startswith(HOMES) or place in REASONS:
        return
    found = [
        (line, token)
        for line, token, spoken in named_in(path)
        if not (spoken and place.startswith(SENTENCES))
    ]
    assert found == []


@pytest.mark.parametrize("place", [*REASONS, *HOMES, *SENTENCES])
def test_every_exception_is_needed(place: str) -> None:
    path = PACKAGE / place
    files = [path] if path.suffix else sorted(path.rglob("*.py"))
    assert any(named for file in files for named in named_in(file))


def test_the_rules_of_keras_do_not_name_those_that_keras_lacks() -> None:
    lacked = [row.name for row in known_rules() if not row.family]
    for path in sorted((PACKAGE / "rules" / "keras").rglob("*.py")):
        named = [token for _, token, _ in named_in(path)]
        assert not any(name in token for name in lacked for token in named), path
