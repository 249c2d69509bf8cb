"""The README's commands run on the sample logs, and print what it says they print."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

from cbreplay.cli import main as cli_main
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Ask

README = (ROOT / "README.md").read_text()


def blocks_of(page: str, language: str) -> list[str]:
    """Return the fenced blocks of one language; fences open and close in turn."""
    pieces = re.split(r"^```", page, flags=re.MULTILINE)[1::2]
    split = [piece.partition("\n") for piece in pieces]
    return [text for name, _, text in split if name == language]


# a console block holds commands, each with what it prints
CONSOLE, SHELL = blocks_of(README, "console"), blocks_of(README, "")


def split_commands(block: str) -> Iterator[tuple[str, str]]:
    for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = piece.partition("\n")
        yield command, printed


COMMANDS = [pair for block in CONSOLE for pair in split_commands(block)]
QUICK = [pair for pair in COMMANDS if "runs/first" not in pair[0]]


def normal(text: str) -> str:
    """Fold what the installed version of Keras decides, and how lines are broken."""
    return " ".join(re.sub(r"Keras \d[\d.]*\d", "Keras VERSION", text).split())


@pytest.fixture
def beside_sample_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "sample_logs", tmp_path / "sample_logs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("command", "printed"), QUICK, ids=lambda text: text[:60])
def test_a_command_prints_what_the_readme_shows(
    ask: Ask, beside_sample_logs: Path, command: str, printed: str
) -> None:
    program, *words = shlex.split(command)
    answer = ask(*words)
    assert (program, answer.status) == ("cbreplay", 0)
    assert printed.strip(), f"the README shows nothing for: {command}"
    assert normal(answer.out) == normal(printed)
    assert beside_sample_logs.is_dir()


@pytest.mark.keras
@pytest.mark.slow
def test_train_simulate_report_run_one_after_the_other(
    ask: Ask, beside_sample_logs: Path
) -> None:
    block = [command for command, _ in COMMANDS if "runs/first" in command]
    assert len(block) == 3
    for command in block:
        assert ask(*shlex.split(command)[1:]).status == 0, command
    assert (beside_sample_logs / "runs/first/run.json").is_file()
    assert (beside_sample_logs / "first.html").stat().st_size > 10_000


def test_the_installation_is_the_one_that_ci_runs() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    tests = next(block for block in SHELL if "pytest" in block)
    for command in tests.strip().split(" && "):
        assert command in ci
    main_job = next(block for block in SHELL if "simulate" in block)
    assert main_job.strip() in ci


def test_every_command_of_the_program_is_in_the_readme() -> None:
    for name in cli_main.cli.list_commands(None):  # type: ignore[arg-type]
        assert f"`cbreplay {name} " in README


def test_the_command_of_the_picture_is_there() -> None:
    assert (ROOT / "docs" / "report.png").stat().st_size > 10_000
