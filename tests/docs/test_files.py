"""The page of all files says of each what the file says of itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import cbreplay
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

PACKAGE = Path(cbreplay.__file__).parent
PAGE = ROOT / "docs" / "files.md"
HEAD = """\
# Every module in a line

What the docstring of each module below `cbreplay/` begins with, package by package:
look here for the one that has a behaviour. [How an answer comes
about](architecture.md) has the way through them, and where to change what. A test
writes this page (`pytest tests/docs/test_files.py --update-golden`), and holds it to
the modules.
"""


def first_line(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(said.split("\n\n", 1)[0].split())


def packages() -> Iterator[tuple[str, list[Path]]]:
    """Yield each package, those nearest to the top first, and its files."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        found.setdefault(path.parent.relative_to(PACKAGE).as_posix(), []).append(path)
    yield from found.items()


def all_files() -> str:
    parts = [HEAD]
    for name, files in packages():
        inside = [path for path in files if path.name != "__init__.py"]
        said = first_line(files[0].parent / "__init__.py")
        title = "cbreplay/" if name == "." else f"{name}/"
        parts.append(f"\n## `{title}`\n\n{said}\n\n")
        parts += [f"- `{path.name}`: {first_line(path)}\n" for path in inside]
    return "".join(parts)


def test_the_page_has_every_file(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PAGE.write_text(all_files())
    assert PAGE.read_text() == all_files()


def test_each_file_says_what_is_in_it_in_one_sentence() -> None:
    unsaid = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if not first_line(path).endswith((".", "?"))
    ]
    assert unsaid == []


def test_a_package_names_modules_and_functions_that_are_there() -> None:
    sources = [path.read_text() for path in PACKAGE.rglob("*.py")]
    there = {path.stem for path in PACKAGE.rglob("*")}
    there.update(re.findall(r"^ *def (\w+)", "\n".join(sources), re.MULTILINE))
    for path in PACKAGE.rglob("__init__.py"):
        said = ast.get_docstring(ast.parse(path.read_text())) or ""
        named = re.findall(r"(?<!`)`([a-z]\w+)`(?!`)", said)
        assert [name for name in named if name not in there] == [], path
