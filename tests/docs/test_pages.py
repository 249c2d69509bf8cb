"""The pages of docs/: their commands print what they show, and no public name lacks."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import cbreplay
from cbreplay import distributed, plots, recommend, record, report
from tests.conftest import ROOT
from tests.docs.test_readme import blocks_of, normal, split_commands

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from tests.conftest import Ask

DOCS = ROOT / "docs"
PAGES = {path.stem: path.read_text() for path in sorted(DOCS.glob("*.md"))}
# a page for each of these
ASKED = ["gallery", "one-log", "pipeline", "resumed-training", "several-seeds", "sweep"]
SHOWN = [
    (name, command, printed)
    for name, text in PAGES.items()
    for block in blocks_of(text, "console")
    for command, printed in split_commands(block)
]
PICTURES = [
    line
    for block in blocks_of(PAGES["gallery"], "sh")
    for line in block.splitlines()
    if line.startswith("cbreplay plot")
]


def test_there_is_a_page_for_each_question_and_it_shows_an_answer() -> None:
    assert set(ASKED) <= {name for name, _, _ in SHOWN}


@pytest.fixture
def beside_sample_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "sample_logs", tmp_path / "sample_logs")
    (tmp_path / "docs" / "gallery").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("beside_sample_logs")
@pytest.mark.parametrize(("name", "command", "printed"), SHOWN)
def test_a_command_prints_what_its_page_shows(
    ask: Ask, name: str, command: str, printed: str
) -> None:
    program, *words = shlex.split(command)
    answer = ask(*words)
    assert (program, answer.status) == ("cbreplay", 0), name
    assert normal(answer.out) == normal(printed)


@pytest.mark.parametrize("command", PICTURES)
def test_a_picture_of_the_gallery_is_made_by_its_command(
    ask: Ask, beside_sample_logs: Path, command: str
) -> None:
    words = shlex.split(command)[1:]
    assert ask(*words).status == 0
    name = words[-1]
    # a picture that was drawn before its plot changed has another size
    with Image.open(beside_sample_logs / name) as made, Image.open(ROOT / name) as held:
        assert made.size == held.size
    assert (ROOT / name).stat().st_size > 10_000
    assert f"]({name.removeprefix('docs/')})" in PAGES["gallery"]


def test_every_picture_of_the_gallery_is_shown() -> None:
    held = {f"docs/gallery/{path.name}" for path in (DOCS / "gallery").iterdir()}
    assert held == {shlex.split(command)[-1] for command in PICTURES}


def names_of(module: ModuleType) -> set[str]:
    """Return what a module lists, by the names that people import it by."""
    return {f"{module.__name__}.{name}" for name in module.__all__}


def test_every_public_name_stands_on_a_page_of_the_reference() -> None:
    pages = "\n".join(path.read_text() for path in (DOCS / "reference").glob("*.md"))
    told = re.findall(r"^::: ([\w.]+)$", pages, re.MULTILINE)
    (listed,) = re.findall(r"^      members: \[(.*)\]$", pages, re.MULTILINE)
    told += [f"cbreplay.{name}" for name in listed.split(", ")]
    assert len(told) == len(set(told))
    public = set.union(
        *map(names_of, (cbreplay, distributed, plots, recommend, record, report))
    )
    # the same under a shorter name
    public -= {
        "cbreplay.recommend.Recommendation",
        "cbreplay.recommend.recommend_config",
    }
    assert set(told) - {"cbreplay.errors"} == public - {"cbreplay.__version__"}
