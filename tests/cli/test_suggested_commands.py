"""What a message says to type can be typed as it stands, and answers."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Ask
    from tests.oracles.tensorboard_loader import Point

LOSSES = [0.9, 0.7, 0.6, 0.5, 0.55, 0.58, 0.6, 0.57]
OPTIONS = re.compile(r"--[a-z][a-z-]* (?:'[^']*'|[^\s;,.)]+(?:\.[^\s;,.)]+)*)")
COMMAND = re.compile(r"^ .*?: +(cbreplay .*)$", re.MULTILINE)
EVENTS = "events.out.tfevents.1.host.1.0"


def in_steps(train: str, validation: str, per_epoch: int = 4) -> list[Point]:
    """A training value a step; a validation at the end of each epoch, by its number."""
    points = []
    for epoch, loss in enumerate(LOSSES):
        first = epoch * per_epoch
        points += [(float(at), at, train, loss) for at in range(first, first + 4)]
        points.append((float(first + per_epoch) - 0.5, epoch, validation, loss))
    return points


def csv_of(header: str, row: Callable[[int, float], str]) -> str:
    rows = (row(epoch, loss) for epoch, loss in enumerate(LOSSES))
    return "\n".join([header, *rows, ""])


SHAPES: dict[str, str] = {
    "steps.csv": "step,train_loss,val_loss\n"
    + "".join(f"{at},1,{LOSSES[at // 4] if at % 4 == 3 else ''}\n" for at in range(32)),
    "tests.csv": "iteration,train_loss,test_loss\n"
    + "".join(f"{at},1,{LOSSES[at // 4] if at % 4 == 3 else ''}\n" for at in range(32)),
    "batches.csv": "epoch,batch,loss\n"
    + "".join(f"{at // 4},{at % 4},{LOSSES[at // 4]}\n" for at in range(32)),
    "several.csv": "epoch,loss,val_loss\n"
    + "".join(f"{at // 4},{at / 64},{LOSSES[at // 4]}\n" for at in range(32)),
    "score.csv": csv_of("epoch,loss,valid acc", lambda at, loss: f"{at},{loss},{loss}"),
    "train.csv": csv_of("epoch,train_loss", lambda at, loss: f"{at},{loss}"),
    "one.csv": csv_of("epoch,RMSE", lambda at, loss: f"{at},{loss}"),
    "without.csv": csv_of("epoch,loss", lambda at, loss: f"{at},{loss}"),
    "glued.csv": csv_of("epoch,val_loss", lambda at, loss: f"{at},{loss}")
    + "oops,not a row\n8,0.6\n",
    "every.csv": csv_of("epoch,val_loss", lambda _, loss: f"0,{loss}"),
    "sample.csv": "_step,_runtime,val_loss\n"
    + "".join(f"{at * at},{at},{LOSSES[at % 8]}\n" for at in range(1, 30)),
}
TRAININGS = {
    "loops": ("train/loss", "val/loss"),
    "spaces": ("Train loss", "Validation loss"),
    "plain": ("loss", "accuracy"),
    "tests": ("Loss/train", "Loss/test"),
}


def place(tmp_path: Path, name: str) -> str:
    if name in SHAPES:
        (tmp_path / name).write_text(SHAPES[name])
    else:
        write_events(tmp_path / name / EVENTS, in_steps(*TRAININGS[name]))
    return name


def suggestions(message: str) -> Iterator[list[str]]:
    """Yield the options that a message names, those that stand together at once."""
    for found in re.finditer(rf"{OPTIONS.pattern}(?: {OPTIONS.pattern})*", message):
        yield shlex.split(found[0])


@pytest.mark.parametrize("name", [*SHAPES, *TRAININGS])
def test_every_option_of_a_refusal_leads_to_an_answer(
    ask: Ask, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = ask("simulate", place(tmp_path, name))
    assert refused.status == 2
    # a word of Python's helps nobody at a terminal
    assert not re.search(r"\b[a-z_]+='", refused.err)
    options = list(suggestions(refused.err))
    assert options, refused.err
    for named in options:
        words = list(named)
        answer = ask("simulate", name, *words)
        while answer.status == 2:
            # one more thing may be needed, and that is named too
            more = next(suggestions(answer.err), None)
            assert more is not None, (words, answer.err)
            assert not {*more} <= {*words}, (words, answer.err)
            words.extend(more)
            answer = ask("simulate", name, *words)
        assert answer.status == 0, (words, answer.err)


@pytest.mark.parametrize("name", ["loops", "steps.csv", "score.csv", "plain"])
def test_every_next_command_of_an_answer_runs(
    ask: Ask, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = ask("simulate", place(tmp_path, name))
    (words, *_) = suggestions(refused.err)
    answer = ask("simulate", name, *words)
    commands = COMMAND.findall(answer.out)
    assert commands
    for line in commands:
        followed = ask(*shlex.split(line)[1:])
        assert followed.status == 0, (line, followed.err)


@pytest.mark.parametrize("command", ["simulate", "recommend"])
def test_of_several_logs_the_one_that_is_left_is_asked_about_next(
    ask: Ask, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "whole.csv").write_text(
        csv_of("epoch,val_loss", lambda at, loss: f"{at},{loss}")
    )
    answer = ask(command, place(tmp_path, "without.csv"), "whole.csv")
    told = " ".join((answer.out + answer.err).split())
    assert re.search(r"without\.csv\W+(it )?has no val_loss", told)
    commands = COMMAND.findall(answer.out)
    assert commands
    for line in commands:
        followed = ask(*shlex.split(line)[1:])
        assert followed.status == 0, (line, followed.err)
