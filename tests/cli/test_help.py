"""The help of a command: every option once, in groups, the rare ones last."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from cbreplay.cli.main import cli
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

GROUPED = [
    "confirm",
    "explain",
    "inspect",
    "lint",
    "plot",
    "recommend",
    "report",
    "simulate",
]
TITLES = ["What is asked:", "How it is judged:", "Output:", "How a log is read:"]


@pytest.mark.parametrize("name", GROUPED)
def test_every_option_stands_in_one_group(ask: Ask, name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    shown = ask(name, "--help").out
    titles = [line for line in shown.splitlines() if line in TITLES]
    assert titles == [title for title in TITLES if title in titles]
    assert titles[-1] == "How a log is read:"
    for option in command.params:
        if isinstance(option, click.Option):
            longest = max(option.opts, key=len)
            assert len(re.findall(rf"^  .*{longest}\b(?!-)", shown, re.MULTILINE)) >= 1
    assert shown.count("--help") == 1


def test_flags_may_stand_after_the_command(ask: Ask) -> None:
    assert ask("-V").out == ask("--version").out
    words = (ROOT / "sample_logs/overfit.csv", "--monitor", "val_loss")
    assert ask("simulate", *words, "-q").out == ask("-q", "simulate", *words).out


@pytest.mark.parametrize("command", [*GROUPED, "record", "train"])
def test_no_line_of_a_help_is_wider_than_a_terminal(
    ask: Ask, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = ask(command, "--help").out.splitlines()
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("command", [*GROUPED, "record", "train"])
def test_every_command_has_an_example_and_can_be_quiet(ask: Ask, command: str) -> None:
    shown = ask(command, "--help").out
    assert re.search(rf"^  cbreplay {command} ", shown, re.MULTILINE)
    assert re.search("^  -q, --quiet", shown, re.MULTILINE)


@pytest.mark.parametrize("command", ["explain", "confirm"])
def test_a_command_of_one_setting_offers_one_value(ask: Ask, command: str) -> None:
    shown = " ".join(ask(command, "--help").out.split())
    assert "--patience N Of an EarlyStopping." in shown
    assert "try each" not in shown
    assert "A:B" not in shown.partition("--epochs")[0]


def completed(shell: str, *words: str) -> list[str]:
    """Return what the program offers for the last word, as a shell asks it."""
    asked = {
        "COMP_WORDS": " ".join(("cbreplay", *words)),
        "COMP_CWORD": str(len(words)),
        "_CBREPLAY_COMPLETE": f"{shell}_complete",
    }
    done = subprocess.run(
        [sys.executable, "-m", "cbreplay"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stderr
    return done.stdout.split()


def test_a_shell_completes_commands_options_and_paths() -> None:
    assert completed("bash", "sim") == ["plain,simulate"]
    assert completed("bash", "simulate", "--pat") == ["plain,--patience"]
    # the shell's own business
    assert completed("bash", "simulate", "sample") == ["file,sample"]
    assert completed("zsh", "sim")[:2] == ["plain", "simulate"]
    assert completed("zsh", "lint", "train")[:2] == ["file", "train"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_itself_completes_by_the_line_of_the_readme(tmp_path: Path) -> None:
    """As after `cbreplay simulate --pat` and the tabulator key."""
    program = tmp_path / "cbreplay"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m cbreplay "$@"\n')
    program.chmod(0o755)
    script = (
        'eval "$(_CBREPLAY_COMPLETE=bash_source cbreplay)"\n'
        "complete -p cbreplay\n"
        "COMP_WORDS=(cbreplay simulate --pat); COMP_CWORD=2\n"
        '_cbreplay_completion cbreplay; echo "${COMPREPLY[*]}"\n'
    )
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    done = subprocess.run(  # noqa: S603 - written here
        ["bash", "--norc", "-c", script],  # noqa: S607 - found above
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].split() == ["--patience"]
    assert "_cbreplay_completion cbreplay" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_line_of_the_readme_installs_completion(shell: str) -> None:
    line = f"{shell}_source"
    assert line in (ROOT / "README.md").read_text()
    done = subprocess.run(
        [sys.executable, "-m", "cbreplay"],
        env=os.environ | {"_CBREPLAY_COMPLETE": line},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cbreplay" in done.stdout
    program = shutil.which(shell)
    if program is not None:
        checks = [program, "-n"]
        subprocess.run(checks, input=done.stdout, text=True, check=True)  # noqa: S603
