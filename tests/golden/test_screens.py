"""What the README's commands print at each width of a terminal, kept as files.

``--update-golden`` rewrites, review reads. The width of a pipe stands in the README.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cbreplay.cli import terminal
from tests.conftest import ROOT
from tests.docs.test_readme import QUICK

if TYPE_CHECKING:
    from tests.conftest import Ask

SCREENS = Path(__file__).parent / "screens"
# what is advised is reviewed in answers/, and its widths are held by a law
COMMANDS = [command for command, _ in QUICK if " recommend " not in command]


@pytest.mark.parametrize("width", [50, 60, 80, 120, 200])
def test_a_screen_reads_as_it_was_reviewed(
    ask: Ask,
    width: int,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(terminal, "_IN_A_PIPE", width)
    screens = []
    for command in COMMANDS:
        words = [*shlex.split(command)[1:], "--semantics", "keras-3.15"]
        answer = ask(*words)
        assert answer.status == 0
        screens.append(f"$ {command}\n{answer.out}")
    shown = "\n".join(screens)
    path = SCREENS / f"{width}.txt"
    if request.config.getoption("--update-golden"):
        path.write_text(shown)
    assert shown == path.read_text()
