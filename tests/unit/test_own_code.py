"""``module:MyCallback(...)``: imported, made, tried with several values, or refused."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import ExpressionError, Run, make_grid, parse_callbacks, replay_run
from cbreplay.expressions import parse_recorded
from cbreplay.grid import Choices

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

# a callback needs no Keras, only its hooks
SOURCE = """
class StopBelow:
    def __init__(self, goal, monitor="val_loss", *, last=()):
        self.goal, self.monitor, self.last = goal, monitor, last
    def set_params(self, params): pass
    def set_model(self, model): self.model = model
    def on_train_begin(self, logs=None): pass
    def on_train_end(self, logs=None): pass
    def on_epoch_begin(self, epoch, logs=None): pass
    def on_epoch_end(self, epoch, logs=None):
        print("an epoch")
        if logs[self.monitor] < self.goal:
            self.model.stop_training = True

def strict(): return StopBelow(0.1)
ready = StopBelow(0.5)
def broken(): raise RuntimeError("no licence")
number = 3
"""
RUN = Run.from_logs({"val_loss": loss} for loss in [0.8, 0.45, 0.3, 0.05])


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "my_callbacks.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one])
    yield
    sys.modules.pop("my_callbacks", None)


@pytest.mark.parametrize(
    ("text", "stopped"),
    [
        ("my_callbacks:StopBelow(0.4)", 2),
        ("my_callbacks:StopBelow(goal=0.5, monitor='val_loss')", 1),
        ("my_callbacks:StopBelow(0.4, last=[1, 2])", 2),
        ("my_callbacks:strict()", 3),
        ("my_callbacks:ready", 1),
    ],
)
def test_a_callback_of_your_own_is_imported_and_driven(text: str, stopped: int) -> None:
    callbacks: list[Any] = parse_callbacks(text)
    assert replay_run(RUN, callbacks).stopped_epoch == stopped


def test_its_arguments_can_be_tried() -> None:
    (tried,) = parse_callbacks("my_callbacks:StopBelow(each([0.5, 0.4, 0.1]))")
    assert isinstance(tried, Choices)
    grid = make_grid([tried])
    assert grid.parameters == {"StopBelow.goal": [0.5, 0.4, 0.1]}
    assert [replay_run(RUN, config).stopped_epoch for config in grid] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("my_callbacks:StopBelo(1)", "has no StopBelo; did you mean 'StopBelow'"),
        ("my_callbacks:StopBelow(goal=goal)", "'goal', which is not a literal"),
        ("my_callbacks:StopBelow(1, goal=2)", "goal is given twice"),
        ("my_callbacks:StopBelow()", "raises TypeError"),
        ("my_callbacks:StopBelow(**{})", r"\*\* cannot be read"),
        ("my_callbacks:strict(1)", "takes 0 arguments, not 1"),
        ("my_callbacks:broken()", "raises RuntimeError: no licence"),
        (
            "my_callbacks:ready[0]",
            r"ready\[0\]' is not a call of a callback",
        ),
        ("my_callbacks:Nope(1)", "in 'my_callbacks:Nope.1.': my_callbacks has no Nope"),
        ("my_callbacks:Nope", "It has StopBelow, strict, ready, broken$"),
        ("my_callback:StopBelow(1)", "my_callback cannot be imported"),
    ],
)
def test_what_cannot_be_made_is_refused(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        parse_callbacks(text)


def test_what_is_no_callback_is_refused() -> None:
    with pytest.raises(ValueError, match="3 is not a callback"):
        parse_callbacks("my_callbacks:number")


def test_a_log_imports_nothing_and_opens_no_file(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("EarlyStopping()")
    for text in ("my_callbacks:StopBelow(0.4)", "@list.txt"):
        with pytest.raises(ExpressionError, match="not a callback expression"):
            parse_recorded([text])
    assert "my_callbacks" not in sys.modules


def test_the_terminal_answers_with_it(ask: Ask, tmp_path: Path) -> None:
    rows = "".join(f"{i},{v}\r\n" for i, v in enumerate([0.8, 0.45, 0.3, 0.05]))
    log = tmp_path / "logs.csv"
    log.write_bytes(("epoch,val_loss\r\n" + rows).encode())
    own = "my_callbacks:StopBelow(0.4)"
    answer = ask("simulate", log, "-c", own)
    assert answer.status == 0, answer.err
    assert "an epoch" not in answer.out + answer.err
    # the next command asks of the same as it was typed
    for named in (own, "my_callbacks:ready", "my_callbacks:strict"):
        printed = ask("simulate", log, "-c", named).out.split("Why: ")[1]
        words = shlex.split(printed.splitlines()[0])
        assert words[-1] == named
        assert ask(*words[1:]).status == 0
    explained = ask("explain", log, "-c", own)
    assert "sees val_loss 0.3000: asks for the stop" in explained.out
    assert "stopped at the end of epoch 3 by StopBelow" in explained.out
    assert (
        "StopBelow is replayed by running its own code" in explained.err + explained.out
    )
    assert ask("lint", "-c", own).status == 0
