"""Callback text: read, never evaluated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import (
    CbreplayError,
    ConfigError,
    EarlyStopping,
    ExpressionError,
    ReduceLROnPlateau,
    Run,
    make_grid,
    replay_run,
)
from cbreplay.expressions import parse_callbacks
from cbreplay.grid import Choices
from cbreplay.rules.bystander import Bystander


@pytest.mark.parametrize(
    ("text", "callbacks"),
    [
        ("EarlyStopping()", [EarlyStopping()]),
        (" EarlyStopping(patience=5) ", [EarlyStopping(patience=5)]),
        ("EarlyStopping('loss', 0.1, 3)", [EarlyStopping("loss", 0.1, 3)]),
        ("keras.callbacks.EarlyStopping()", [EarlyStopping()]),
        ("tf.keras.callbacks.EarlyStopping()", [EarlyStopping()]),
        ("EarlyStopping(min_delta=-1e-3)", [EarlyStopping(min_delta=-1e-3)]),
        ("EarlyStopping(baseline=None)", [EarlyStopping()]),
        (
            "[EarlyStopping(patience=2), ReduceLROnPlateau(factor=0.5)]",
            [EarlyStopping(patience=2), ReduceLROnPlateau(factor=0.5)],
        ),
        ("EarlyStopping(\n  patience=5,  # five\n)", [EarlyStopping(patience=5)]),
    ],
)
def test_keras_code_is_read(text: str, callbacks: list[Any]) -> None:
    assert parse_callbacks(text) == callbacks


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("EarlyStopping(patience=[3, 5])", [3, 5]),
        ("EarlyStopping(patience=range(1, 4))", [1, 2, 3]),
        ("EarlyStopping(patience=range(3))", [0, 1, 2]),
        ("EarlyStopping(patience=range(9, 0, -4))", [9, 5, 1]),
        ("EarlyStopping(patience=each([2, 4]))", [2, 4]),
        ("EarlyStopping(patience=[3, 5, 3])", [3, 5]),
    ],
)
def test_lists_and_ranges_mean_try_each(text: str, values: list[int]) -> None:
    (choice,) = parse_callbacks(text)
    assert isinstance(choice, Choices)
    assert list(choice.varied["patience"]) == values


def test_callbacks_that_decide_nothing_keep_their_place() -> None:
    text = "[CSVLogger('logs.csv', append=True), EarlyStopping(), TensorBoard(**more)]"
    entries = parse_callbacks(text)
    assert entries == [
        Bystander("CSVLogger", "'logs.csv', append=True"),
        EarlyStopping(),
        Bystander("TensorBoard", "**more"),
    ]
    run = Run.from_logs([{"val_loss": 0.5}, {"val_loss": 0.6}])
    replay = replay_run(run, make_grid(entries)[0], semantics="keras-3.15")
    assert (replay.stopped_epoch, replay.stopped_by) == (1, (1,))
    assert "CSVLogger, TensorBoard in the list decide nothing" in replay.notes


def test_a_list_that_decides_nothing_keeps_the_last_epoch() -> None:
    run = Run.from_logs([{"val_loss": 0.5}, {"val_loss": 0.6}])
    replay = replay_run(run, [Bystander("History")], semantics="keras-3.15")
    assert (replay.stopped_epoch, replay.kept_epoch) == (None, 1)
    with pytest.raises(ConfigError, match="History monitors nothing"):
        Bystander("History").resolve_mode(None)  # type: ignore[arg-type]


def test_repeated_texts_make_one_list_in_order() -> None:
    entries = parse_callbacks("ReduceLROnPlateau()", "EarlyStopping()")
    assert entries == [ReduceLROnPlateau(), EarlyStopping()]


def test_defaults_fill_in_where_the_text_is_silent() -> None:
    (callback,) = parse_callbacks("EarlyStopping()", defaults={"monitor": "loss"})
    assert callback == EarlyStopping(monitor="loss")
    same = {"monitor": "loss"}
    assert parse_callbacks("EarlyStopping('loss')", defaults=same) == [callback]
    with pytest.raises(
        ExpressionError, match=r"monitor='loss', and --monitor says 'x'"
    ):
        parse_callbacks("EarlyStopping(monitor='loss')", defaults={"monitor": "x"})


@pytest.mark.parametrize(
    "text",
    [
        "early_stop = EarlyStopping(patience=7)",
        "early_stop = keras.callbacks.EarlyStopping(patience=7)",
        "callbacks=[EarlyStopping(patience=7)],",
        "callbacks = [EarlyStopping(patience=7)]",
        "EarlyStopping(patience=7),",
        "self.stopper = EarlyStopping(patience=7)  # as in the paper",
    ],
)
def test_a_line_of_a_script_is_read_as_it_stands_there(text: str) -> None:
    (callback,) = parse_callbacks(text)
    assert callback == EarlyStopping(patience=7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it holds no callback"),
        ("EarlyStopping", r"its parentheses are missing. Write -c .EarlyStopping\(\)"),
        ("keras.callbacks.CSVLogger", "its parentheses are missing"),
        ("patience=5", r"name no callback. .* -c .EarlyStopping\(patience=5\)"),
        ("mode='min', factor=0.5", "name no callback. .*ReduceLROnPlateau"),
        ("patience=5, delta=0.1", "not a callback expression"),
        ("train.py", "a script is named after an @. Write -c @train.py"),
        ("a), b(", "not a callback expression"),
        ("EarlyStopping(monitor=val_loss)", "not a literal value. .* text in quotes"),
        ("EarlyStopping(", "not a callback expression"),
        ("42", "'42' is not a call"),
        ("print('x')", "'print' is not a callback that can be replayed"),
        ("__import__('os').system('x')", "is not the name of a callback"),
        ("os.system('x')", "'os.system' is not a callback"),
        ("EarlyStoping()", "did you mean 'EarlyStopping'?"),
        ("Mine(n=3)", r"TargetStopping; your own has its module, as my_module:Mine\("),
        ("EarlyStopping(patiense=1)", "did you mean 'patience'?"),
        ("EarlyStopping(patience=n)", "patience is 'n', which is not a literal"),
        ("EarlyStopping(patience=int('5'))", "which is not a literal"),
        ("EarlyStopping(patience=[__import__('os')])", "not a literal"),
        ("EarlyStopping(**{})", r"\*\* cannot be read"),
        ("EarlyStopping(*[1])", "not a literal"),
        ("EarlyStopping(1, 2, 3, 4, 5, 6, 7, 8, 9)", "takes 8 arguments, not 9"),
        ("EarlyStopping('loss', monitor='loss')", "monitor is given twice"),
        ("EarlyStopping(patience=range('a'))", "is no range"),
        ("EarlyStopping(patience=range(5, 1))", "has 0 values"),
        ("EarlyStopping(patience=[])", "has 0 values"),
        ("EarlyStopping(patience=range(10**18))", "not a literal"),
        ("EarlyStopping(patience=range(1000000000000))", "values to try"),
        ("EarlyStopping(patience=range(99999999999999999999))", "is no range"),
        ("lambda: EarlyStopping()", "is not a call"),
        ("[EarlyStopping() for _ in range(9)]", "is not a call"),
        ("x = 5", "'5' is not a call of a callback"),
        ("import os", "'import os' is not a call of a callback"),
        ("x = y", "'y' is not a call of a callback"),
        ("x: int = EarlyStopping()", "is not a call of a callback"),
        ("EarlyStopping()\0", "not a callback expression"),
        ("ModelCheckpoint()", "ModelCheckpoint needs filepath"),
        ("keras.callbacks.SwapEMAWeights()", "is not replayed: SwapEMAWeights changes"),
        ("LearningRateScheduler(f)", "Write the rates as a table, {0: 0.001"),
        ("LearningRateScheduler([0.1, 0.01])", r"is \[0\.1, 0\.01\], and a list"),
        ("LearningRateScheduler(schedule=range(9))", r"\[0, 1, 2, 3, \.\.\.\], and"),
        ("LearningRateScheduler(lambda e: 0.1)", "Write the rates as a table"),
        ("no_such_module:Mine", "no_such_module cannot be imported"),
        ("lightning.EarlyStopping()", "'lightning.EarlyStopping' is not a callback"),
        ("CSVLoger('x')", "did you mean 'CSVLogger'?"),
        ("[" * 99 + "]" * 99, "nested 99 deep"),
        ("EarlyStopping(patience=" + "9" * 30_000 + ")", "characters long"),
    ],
)
def test_anything_else_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        parse_callbacks(text)


@given(st.text(max_size=60))
def test_no_text_does_anything_but_parse_or_refuse(text: str) -> None:
    try:
        entries = parse_callbacks(text)
    except CbreplayError:
        return
    assert isinstance(entries, list)


PIECES = ["EarlyStopping", "(", ")", "[", "]", ",", "=", "patience", "range", "1", "-"]
PIECES += ["each", "'loss'", "**", "*", "None", ".", "keras.callbacks.", "1e999", "{}"]


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_pieces_of_expressions_parse_or_are_refused(pieces: list[str]) -> None:
    try:
        entries = parse_callbacks("".join(pieces))
    except CbreplayError:
        return
    assert isinstance(entries, list)
