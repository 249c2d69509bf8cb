"""At every width of a terminal: no number or name broken, no line too long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cbreplay.cli import terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

WIDTHS = (40, 50, 60, 80, 120, 200)


def widths_of(number: int) -> tuple[int, ...]:
    """Return the narrowest and two others: all are met by three that are asked."""
    return (WIDTHS[0], *sorted(WIDTHS[1 + (number + by) % 5] for by in (0, 2)))


PLATEAU = "ReduceLROnPlateau(patience=3, cooldown=2, min_lr=1e-5)"
# on a run, each after its path
QUESTIONS: dict[str, list[str]] = {
    "explain-recorded": ["explain", "--only", "decisions"],
    "explain-patience": ["explain", "--patience", "5"],
    "explain-fiction": ["explain", "-c", PLATEAU, "--hypothetical"],
    "lint-recorded": ["lint"],
    "lint-named": ["lint", "-c", PLATEAU, "-c", "EarlyStopping()"],
    "every-patience": ["simulate"],
    "keep-last": ["simulate", "--keep", "last"],
    "one-setting": ["simulate", "--patience", "5"],
    "pick": ["recommend"],
    "settings": ["simulate", "--patience", "3,5,500"],
    "settings-reducing": ["simulate", "-c", PLATEAU, "-c", "EarlyStopping()"],
    "versus": ["simulate", "--patience", "3", "--versus", "EarlyStopping(patience=9)"],
    "inspect": ["inspect"],
    "inspect-files": ["inspect", "-v"],
}
# what people read as one: a number, the name of a file or a series
_TOKEN = re.compile(r"[\w./+-]*\d[\w./+-]*|\w+_\w+")


def runs_of(sample_logs: Path) -> list[Path]:
    return sorted(path.parent for path in sample_logs.rglob("run.json"))


def sentences(text: str) -> str:
    """Return the words without the line ends, and without what a line repeats."""
    return " ".join(text.replace("fiction: ", "").split())


def is_copied(line: str) -> bool:
    """Return whether a line is a command, code to paste, or ends in one long word."""
    _, _, last = line.rpartition(" ")
    return "cbreplay " in line or bool(_CODE.fullmatch(line)) or len(last) > _LONG_WORD


_CODE = re.compile(r" \w+\(.*\)")
# the name of an event file, or a path below the temporary directory
_LONG_WORD = 34


@pytest.mark.no_cover
@pytest.mark.parametrize("question", QUESTIONS)
def test_nothing_is_broken_inside_at_any_width(
    ask: Ask, sample_logs: Path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    command, *options = QUESTIONS[question]
    paths: list[Path] = [*runs_of(sample_logs), sample_logs / "overfit.csv"]
    n_answered = 0
    for number, path in enumerate(paths, list(QUESTIONS).index(question)):
        shown = {}
        for width in (500, *widths_of(number)):
            monkeypatch.setattr(terminal, "_IN_A_PIPE", width)
            answer = ask(command, path, *options)
            shown[width] = answer.out
            if answer.status != 0:
                # the three CSVs alone do not name their callbacks
                assert "Name" in answer.err or "--initial-lr" in answer.err
                break
            n_answered += 1
            for line in answer.out.splitlines():
                assert len(line) <= width or is_copied(line), (width, line)
        if len(shown) > 1:
            whole = set(_TOKEN.findall(sentences(shown[500])))
            for width in widths_of(number):
                tokens = set(_TOKEN.findall(sentences(shown[width])))
                assert tokens <= whole
                # where room is short, a wide table says which columns it left out
                folds = "--format csv has all" in sentences(shown[width])
                # where each row stands alone, a column without a value is left out
                undecided = {"val_loss"} if "decides 0 of" in shown[500] else set()
                assert whole - tokens <= undecided or folds
    # of the recorded lists, three decide something
    assert n_answered >= 4 * 3


# on all runs together, each after the directory
OF_MANY: dict[str, list[str]] = {
    "every-patience": ["simulate"],
    "settings": ["simulate", "--patience", "3,10"],
    "settings-each": ["simulate", "--patience", "3,10", "--each"],
    "settings-reducing": [
        *("simulate", "-c", "ReduceLROnPlateau(patience=[2,5])"),
        *("-c", "EarlyStopping(patience=[3,9])", "--each"),
        *("--run", "digits-mlp/seed0"),
        *("--run", "digits-mlp/seed1", "--run", "digits-mlp-plateau"),
    ],
    "files": [
        *("simulate", "-c", "ModelCheckpoint('m-{epoch:02d}.keras')"),
        *("-c", "EarlyStopping(patience=5)"),
    ],
    "versus": ["simulate", "--patience", "3", "--versus", "patience=9"],
    "pick": ["recommend"],
    "inspect": ["inspect"],
}


@pytest.mark.no_cover
@pytest.mark.parametrize("question", OF_MANY)
def test_many_runs_are_shown_at_every_width(
    ask: Ask, sample_logs: Path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    command, *options = OF_MANY[question]
    shown = {}
    for width in (500, *WIDTHS):
        monkeypatch.setattr(terminal, "_IN_A_PIPE", width)
        answer = ask(command, sample_logs, *options)
        assert answer.status == 0
        shown[width] = answer.out
        for line in answer.out.splitlines():
            assert len(line) <= width or is_copied(line), (width, line)
    whole = set(_TOKEN.findall(sentences(shown[500])))
    names = {str(path.relative_to(sample_logs)) for path in runs_of(sample_logs)}
    for width in WIDTHS:
        tokens = set(_TOKEN.findall(sentences(shown[width])))
        assert tokens <= whole
        folds = "--format csv has all" in sentences(shown[width])
        assert tokens == whole or folds
        # a summary names the run that loses most where there is room for it
        assert question == "settings" or whole & names <= tokens
