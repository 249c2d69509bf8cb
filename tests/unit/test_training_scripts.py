"""What lint reads of a training script: all that can be read, and the rest by name."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cbreplay import EarlyStopping, ExpressionError, read_script_callbacks
from cbreplay.lint.scripts import (
    lint_script,
    unchecked_monitors,
    unchecked_plans,
    unchecked_rates,
)
from cbreplay.scripts.sources import find_scripts
from cbreplay.scripts.training_scripts import TrainingScript, read_training_script

if TYPE_CHECKING:
    from types import FrameType

    from tests.conftest import Ask

HEAD = "import keras\nfrom keras.callbacks import *\n"
N_HEAD = 2


def read(path: Path, text: str) -> TrainingScript:
    script = path / "train.py"
    script.write_text(HEAD + text)
    return read_training_script(str(script))


def held(script: TrainingScript) -> list[list[str]]:
    """Return what each fit may get; what it may not get has a question mark."""
    return [
        [member.code + ("" if member.is_certain else "?") for member in fit.members]
        for fit in script.fits
    ]


def codes(path: Path, text: str, semantics: str = "keras-3.15") -> list[str]:
    found = lint_script(read(path, text), semantics=semantics)
    return [placed.finding.code for placed in found]


SAVE_BEST = "ModelCheckpoint(filepath='best.keras', save_best_only=True)"
STOP, RATE = "EarlyStopping(patience=5)", "ReduceLROnPlateau(patience=3)"
STOP_AND_WAIT = "'EarlyStopping')(patience=5)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"c = [{STOP}]\nif flag:\n    c.append({RATE})\nm.fit(*x, callbacks=c)",
            [f"{STOP}?", f"{RATE}?"],
        ),
        (
            f"for i in range(2):\n    c = [{STOP}]\n    m.fit(*x, callbacks=c)",
            [STOP],
        ),
        (
            f"c = [{STOP}, {RATE}]\nm.fit(*x, callbacks=c[:n])",
            [f"{STOP}?", f"{RATE}?"],
        ),
        (
            f"def make():\n    return [{STOP}]\nm.fit(*x, callbacks=make())",
            [STOP],
        ),
        (
            (
                f"def make(a):\n    if a:\n        return [{STOP}]\n    return []\n"
                "m.fit(*x, callbacks=make(1))"
            ),
            [f"{STOP}?"],
        ),
        (
            (
                "class T:\n    def __init__(self):\n"
                f"        self.callbacks = [{STOP}]\n"
                f"        self.callbacks.append({RATE})\n"
                "    def run(self):\n        m.fit(*x, callbacks=self.callbacks)"
            ),
            [f"{STOP}?", f"{RATE}?"],
        ),
        (
            (
                "class T:\n    def make(self):\n"
                f"        return [{STOP}]\n"
                "    def run(self):\n        m.fit(*x, callbacks=self.make())"
            ),
            [STOP],
        ),
        (
            (
                "def train(model, more=None):\n    model.fit(x, callbacks=more)\n"
                f"train(m, [{STOP}])"
            ),
            [f"{STOP}?"],
        ),
        (f"m.fit(*x, callbacks=[{STOP}] if a else [{RATE}])", [f"{STOP}?", f"{RATE}?"]),
        (
            f"def f(a):\n    if a:\n        return [{STOP}]\nm.fit(callbacks=f(1))",
            [f"{STOP}?"],
        ),
        (
            f"@cached\ndef make():\n    return [{STOP}]\nm.fit(callbacks=make())",
            [f"{STOP}?"],
        ),
        (f"c = [{STOP}]\nm.fit(callbacks=[one for one in c if one])", [f"{STOP}?"]),
        (f"c = {{'a': {STOP}}}\nm.fit(callbacks=list(c.values()))", [f"{STOP}?"]),
        (f"m.fit(*x, callbacks=list([{STOP}]))", [STOP]),
        (f"m.fit(x, y, 32, 10, 1, [{STOP}])", [STOP]),
        (f"m.fit_generator(g, 10, 5, 1, [{STOP}])", [STOP]),
        (
            f"c = [{STOP}]\nc = c + [{RATE}]\nm.fit(*x, callbacks=c)",
            [STOP, RATE],
        ),
        (
            (
                f"class T:\n    c = [{STOP}]\n    def run(self):\n"
                "        m.fit(*x, callbacks=self.c)"
            ),
            [STOP],
        ),
        (f"class C:\n    CALLS = [{STOP}]\nm.fit(*x, callbacks=C.CALLS)", [STOP]),
        (
            (
                f"class T:\n    c = [{STOP}]\n    def run(self):\n"
                f"        self.c.append({RATE})\n        m.fit(*x, callbacks=self.c)"
            ),
            [f"{STOP}?", f"{RATE}?"],
        ),
        (
            (
                f"class T:\n    c = [{STOP}]\nclass U(T):\n    c = []\n"
                "m.fit(*x, callbacks=T.c)"
            ),
            [],
        ),
        (f"m.fit(*x, callbacks=[getattr(keras.callbacks, {STOP_AND_WAIT}])", [STOP]),
        (
            (
                "kinds = {'stop': EarlyStopping, 'rate': ReduceLROnPlateau}\n"
                "m.fit(*x, callbacks=[kinds['stop'](patience=5)])"
            ),
            [STOP],
        ),
        ("m.fit(*x, callbacks=[EarlyStopping(patience=args.p)])", None),
    ],
)
def test_what_a_fit_may_get_is_read(
    tmp_path: Path, text: str, expected: list[str] | None
) -> None:
    if expected is None:
        expected = ["EarlyStopping(patience=args.p)"]
    assert held(read(tmp_path, text)) == [expected]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("c[:1]", [STOP]),
        ("c[1:]", [RATE]),
        ("c[-1:]", [RATE]),
        ("c[:-1]", [STOP]),
        ("c[:N]", [STOP]),
        ("c[::-1]", [RATE, STOP]),
        ("c[0]", [STOP]),
        ("c[-1]", [RATE]),
        ("[c[1]]", [RATE]),
        ("[*c[1:]]", [RATE]),
        ("c[1:] + c[:1]", [RATE, STOP]),
        ("([*c[:1]] + c)[1:]", [STOP, RATE]),
        ("reversed(c)", [RATE, STOP]),
        ("d['rate']", [RATE]),
        ("[d['rate'], d['stop']]", [RATE, STOP]),
        # which are taken, and in which order, is not told
        ("c[7]", [f"{STOP}?", f"{RATE}?"]),
        ("c[n]", [f"{STOP}?", f"{RATE}?"]),
        ("c[::0]", [f"{STOP}?", f"{RATE}?"]),
        ("d[name]", [f"{STOP}?", f"{RATE}?"]),
        ("sorted(c, key=len)", [f"{STOP}?", f"{RATE}?"]),
    ],
)
def test_what_a_subscript_leaves_out_goes_to_no_fit(
    tmp_path: Path, given: str, expected: list[str]
) -> None:
    made = f"N = 1\nc = [{STOP}, {RATE}]\nd = {{'stop': {STOP}, 'rate': {RATE}}}\n"
    assert held(read(tmp_path, f"{made}m.fit(*x, callbacks={given})")) == [expected]


KEEPING = (
    "class T:\n    def __init__(self, c):\n        self.c = c\n"
    "    def f(self):\n        FIT(self.c.n)\n"
)
SETTINGS = "@dataclass\nclass C:\n    n: int = 9\n    k = 3\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SETTINGS}c = C()\nFIT(c.n)", 9),
        (f"{SETTINGS}c = C(n=7)\nFIT(c.n)", 7),
        (f"{SETTINGS}FIT(C().n)", 9),
        ("class C:\n    n = 9\nc = C()\nFIT(c.n)", 9),
        (f"{SETTINGS}def f(c):\n    FIT(c.n)\nf(C(n=7))", 7),
        (f"{SETTINGS}def f(c):\n    FIT(c.n)\nc = C()\nf(c)", 9),
        (f"{SETTINGS}{KEEPING}T(C(n=7)).f()", 7),
        (f"{SETTINGS}{KEEPING}T(C(n=7)).f()\nT(C()).f()", None),
        (f"{SETTINGS}{KEEPING}        fill(self.c)\nT(C(n=7)).f()", None),
        # it may be another value
        (f"{SETTINGS}c = C(7)\nFIT(c.n)", None),
        (f"{SETTINGS}c = C(**read())\nFIT(c.n)", None),
        (f"{SETTINGS}c = C()\nc.n = 7\nFIT(c.n)", None),
        (f"{SETTINGS}c = C()\nsetattr(c, name, 7)\nFIT(c.n)", None),
        (f"{SETTINGS}c = C()\nfill(c)\nFIT(c.n)", None),
        (f"{SETTINGS}    def __post_init__(self): ...\nc = C()\nFIT(c.n)", None),
        ("class C:\n    n = 9\n    def __init__(self): ...\nc = C()\nFIT(c.n)", None),
        ("class C(B):\n    n = 9\nc = C()\nFIT(c.n)", None),
        ("@other\nclass C:\n    n = 9\nc = C()\nFIT(c.n)", None),
        (f"{SETTINGS}def f(c):\n    FIT(c.n)\nf(C(n=7))\nf(C())", None),
    ],
)
def test_an_object_of_settings_has_what_its_class_says(
    tmp_path: Path, text: str, expected: int | None
) -> None:
    fit = re.sub(r"FIT\((.*)\)", rf"m.fit(*x, epochs=\1, callbacks=[{STOP}])", text)
    script = read(tmp_path, f"from dataclasses import dataclass\n{fit}")
    assert [fit.facts.epochs for fit in script.fits] == [expected]


def test_settings_are_no_layer(tmp_path: Path) -> None:
    text = (
        f"from dataclasses import dataclass\n{SETTINGS}c = C()\n"
        "m = keras.Sequential([keras.layers.Dense(1)])\n"
        "m.compile('adam', 'mse', metrics=['accuracy'])\n"
        "m.fit(x, y, validation_split=0.1, epochs=c.n, "
        "callbacks=[EarlyStopping('val_acc', mode='max', restore_best_weights=True)])"
    )
    assert codes(tmp_path, text) == ["absent-monitor"]


@pytest.mark.parametrize("module", ["tensorflow_addons", "sklearn", "own"])
def test_a_metric_of_another_package_has_no_direction_of_keras(
    tmp_path: Path, module: str
) -> None:
    text = (
        f"import {module} as a\nm = keras.Sequential([keras.layers.Dense(1)])\n"
        "m.compile('adam', 'mse', metrics=[{}])\nm.fit(x, y, validation_split=0.1, "
        "callbacks=[EarlyStopping('val_f1_score', restore_best_weights=True)])"
    )
    of_keras = read(tmp_path, text.format("keras.metrics.F1Score()"))
    assert not [*unchecked_monitors(of_keras, ())]
    other = read(tmp_path, text.format("a.metrics.F1Score()"))
    assert "'val_f1_score' is not checked" in " ".join(unchecked_monitors(other, ()))


FIT_TEN = "m.fit(*x, epochs=n, callbacks=c)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"n = 9\nn = 7\n{FIT_TEN}", [7]),
        (f"n = 9\n{FIT_TEN}\nn = 7\n{FIT_TEN}", [9, 7]),
        (f"n = 9\nn = n + 3\n{FIT_TEN}", [12]),
        (f"n, k = 9, 1\nk, n = 2, 7\n{FIT_TEN}", [7]),
        (f"if a:\n    n = 9\n    n = 7\n    {FIT_TEN}", [7]),
        (f"def f(n):\n    n = 7\n    {FIT_TEN}\nf(9)", [7]),
        (f"n = 9\ndef f(n=n):\n    {FIT_TEN}\nn = 7\nf()", ["<=9"]),
        (f"for i in j:\n    n = 9\n    n = 7\n    {FIT_TEN}", [7]),
        (f"n = 9\nfor i in j:\n    n = 7\n    {FIT_TEN}", [7]),
        (f"n = 9\nfor i in j:\n    n = 7\n    {FIT_TEN}\n{FIT_TEN}", ["<=9", "<=9"]),
        (f"n = 9\nfor i in range(n):\n    n = 7\n    {FIT_TEN}", ["<=9"]),
        (f"n = 9\nif a:\n    for i in j:\n        n = 7\n        {FIT_TEN}", [7]),
        (
            f"n = 9\nif a:\n    f(n)\n    if b:\n        n = 7\n        {FIT_TEN}",
            ["<=9"],
        ),
        (f"n = 9\nif a:\n    n = 8\nelse:\n    n = 7\n{FIT_TEN}", ["<=9"]),
        (f"n = 90\nwhile a:\n    n = n - 10\n    {FIT_TEN}", [None]),
        # the loop's later rounds come after the second assignment
        (f"n = 9\nfor i in j:\n    {FIT_TEN}\n    n = 7", ["<=9"]),
        (f"n = 9\nif a:\n    n = 7\n{FIT_TEN}", ["<=9"]),
        (f"n = 9\ndef f():\n    {FIT_TEN}\nf()\nn = 7\nf()", ["<=9"]),
        (f"n = 9\ndef f():\n    global n\n    n = 5\nn = 7\nf()\n{FIT_TEN}", [None]),
        (f"n = 9\nn += 1\n{FIT_TEN}", [None]),
        (f"n = 9\nfrom z import n\n{FIT_TEN}", [None]),
    ],
)
def test_a_name_means_what_was_assigned_to_it_last(
    tmp_path: Path, text: str, expected: list[int | str | None]
) -> None:
    script = read(tmp_path, f"c = [{STOP}]\n{text}")
    facts = [fit.facts for fit in script.fits]
    told = [f"<={own.epochs}" if own.may_be_shorter else own.epochs for own in facts]
    assert told == expected
    assert [bool(fit.facts.plan_doubt) for fit in script.fits] == [
        epochs is None for epochs in expected
    ]


@pytest.mark.parametrize(
    ("patience", "initial", "expected"),
    [
        # epochs 5 to 14 are trained: ten values, and eleven stop patience 10
        (9, "initial_epoch=5", []),
        (10, "initial_epoch=5", ["patience-beyond-plan"]),
        (10, "", []),
        (10, "initial_epoch=h.epoch[-1]", []),
        (10, "initial_epoch=0", []),
    ],
)
def test_a_resumed_fit_trains_what_is_left_of_its_plan(
    tmp_path: Path, patience: int, initial: str, expected: list[str]
) -> None:
    text = (
        f"c = [EarlyStopping(patience={patience}, restore_best_weights=True)]\n"
        f"m.fit(*x, epochs=15, callbacks=c, {initial})"
    )
    assert codes(tmp_path, text) == expected


def test_of_several_plans_the_longest_is_told(tmp_path: Path) -> None:
    fit = "m.fit(*x, epochs={}, callbacks=[c])\n"
    text = "c = EarlyStopping(patience=50, restore_best_weights=True)\n"
    script = read(tmp_path, text + fit.format(20) + fit.format(40))
    (told,) = lint_script(script, semantics="keras-3.15")
    assert told.finding.facts["values_in_plan"] == 40


def test_each_fit_has_the_list_that_was_assigned_last(tmp_path: Path) -> None:
    fit = "m.fit(*x, callbacks=c)\n"
    script = read(tmp_path, f"c = [{STOP}]\n{fit}c = [{RATE}]\n{fit}")
    assert held(script) == [[STOP], [RATE]]


def test_a_name_that_is_assigned_again_is_shown_as_it_is_written(
    tmp_path: Path,
) -> None:
    text = (
        "n = 1\nn = args.n\nopt = 1\nopt = make()\nm.compile(opt)\nLog = a\nLog = b()\n"
        "c = [EarlyStopping(patience=n), Log(n), ReduceLROnPlateau(patience=n)]\n"
        "c = c + [n]\nk = {}\nk = read(c)\nm.fit(*x, callbacks=c, epochs=n, **k)"
    )
    script = read(tmp_path, text)
    told = [
        *(part.problem for part in script.unread),
        *(part.problem for fit in script.fits for part in fit.unread),
        *(code for fit in held(script) for code in fit),
        *unchecked_monitors(script, ()),
        *unchecked_plans(script, None),
        *unchecked_rates(script),
    ]
    assert len(told) > 5
    assert all(sentence.isascii() for sentence in told)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("epochs=args.n", "'args.n' is not a literal"),
        ("epochs=n", ""),
        ("epochs=k", "'k' is assigned more than once (5, 7)"),
        ("**read()", "what **read() gives fit cannot be told"),
        # no plan at all is Keras's own
        ("", ""),
        ("epochs=3", ""),
    ],
)
def test_a_plan_that_is_not_told_is_named(
    tmp_path: Path, given: str, told: str
) -> None:
    text = f"c = [{STOP}]\nif a:\n    n = k = 3\nelse:\n    n, k = 4, z\n"
    script = read(tmp_path, f"{text}m.fit(*x, callbacks=c, {given})")
    spoken = " ".join(unchecked_plans(script, None))
    assert told in spoken
    assert bool(spoken) == bool(told)
    assert not [*unchecked_plans(script, 10)]


@pytest.mark.parametrize(
    "change", ["c.pop()", "del c[0]", "c.insert(0, Draw())", "c[0] = Draw()", "f(c)"]
)
def test_nothing_is_told_of_a_slice_of_a_list_that_is_changed(
    tmp_path: Path, change: str
) -> None:
    text = f"c = [{STOP}, {RATE}]\n{change}\nm.fit(*x, callbacks=c[:1])"
    (fit,) = read(tmp_path, text).fits
    assert fit.unread


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(5)", "EarlyStopping(patience=5)"),
        ("f(p=5)", "EarlyStopping(patience=5)"),
        ("f()", "EarlyStopping(patience=3)"),
        ("f(5)\nf(p=2 + 3)", "EarlyStopping(patience=5)"),
        # not one and the same
        ("f(5)\nf()", "EarlyStopping(patience=p)"),
        ("f(args.p)", "EarlyStopping(patience=p)"),
        ("f(*args)", "EarlyStopping(patience=p)"),
        ("", "EarlyStopping(patience=p)"),
    ],
)
def test_a_parameter_is_what_every_call_of_the_script_gives(
    tmp_path: Path, text: str, expected: str
) -> None:
    define = "def f(p=3):\n    m.fit(*x, callbacks=[EarlyStopping(patience=p)])\n"
    assert held(read(tmp_path, define + text)) == [[expected]]


@pytest.mark.parametrize(
    "text",
    [
        # what the calls give is not all told
        "f(**options)",
        "f(5)\nf(**options)",
        "f(*args)\nf(5)",
        # others may call it
        "f(5)\nrun(f)",
        "f(5)\ng = f\ng(7)",
        "f(5)\ntable = {'f': f}",
        "f(5)\npartial(f, 7)()",
        # another function of the name
        "f(5)\ndef f(p): pass",
        "def go():\n    def f(p): pass\n    f(5)",
    ],
)
def test_a_parameter_is_unknown_where_a_call_of_the_function_is(
    tmp_path: Path, text: str
) -> None:
    define = "def f(p=3):\n    m.fit(*x, callbacks=[EarlyStopping(patience=p)])\n"
    assert held(read(tmp_path, define + text)) == [["EarlyStopping(patience=p)"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("    def go(self): self.f(5)", "EarlyStopping(patience=5)"),
        ("K().f(5)", "EarlyStopping(patience=5)"),
        ("k = K()\nk.f(p=5)", "EarlyStopping(patience=5)"),
        ("k = K()\nk.f(5)\nunknown.f(5)", "EarlyStopping(patience=5)"),
        ("k = K()\nk.f(5)\nunknown.f(7)", "EarlyStopping(patience=p)"),
        ("unknown.f(5)", "EarlyStopping(patience=p)"),
        # a class that has such a method too, and a function of the name
        ("class L:\n    def f(self, p): self.f(7)", "EarlyStopping(patience=p)"),
        (
            "class L:\n    def f(self, p): self.f(7)\nK().f(5)",
            "EarlyStopping(patience=5)",
        ),
        ("def f(p): pass\nf(7)\nK().f(5)", "EarlyStopping(patience=5)"),
        ("    def go(self): run(self.f)\nK().f(5)", "EarlyStopping(patience=p)"),
    ],
)
def test_a_method_is_told_from_others_of_its_name(
    tmp_path: Path, text: str, expected: str
) -> None:
    define = (
        "class K:\n    def f(self, p=3):\n"
        "        m.fit(*x, callbacks=[EarlyStopping(patience=p)])\n"
    )
    assert held(read(tmp_path, define + text)) == [[expected]]


def test_a_default_is_read_where_the_function_stands(tmp_path: Path) -> None:
    text = (
        f"c = [{STOP}]\ndef train(m, given=c):\n    m.fit(*x, callbacks=given)\n"
        "def go(c):\n    train(model)"
    )
    script = read(tmp_path, text)
    assert (held(script), script.unread) == ([[f"{STOP}?"]], ())


def test_what_others_may_give_for_a_list_is_named(tmp_path: Path) -> None:
    text = f"def train(c):\n    m.fit(*x, callbacks=c)\ntrain([{STOP}])\nstart(train)"
    script = read(tmp_path, text)
    assert held(script) == [[f"{STOP}?"]]
    assert script.unread[0].problem == "'c' (line 3) is a parameter of 'train'"


def test_what_two_stars_may_give_is_known_of_no_argument(tmp_path: Path) -> None:
    text = "m.fit(*x, callbacks=[EarlyStopping(**read())])"
    ((member,),) = (fit.members for fit in read(tmp_path, text).fits)
    patience = {callback.code for callback in member.variants}
    assert len(patience) == len(member.variants)
    assert member.code == "EarlyStopping(**read())"


def test_several_fits_are_read_each_with_its_own_plan(tmp_path: Path) -> None:
    text = (
        f"stop = {STOP}\n"
        "a.fit(x, callbacks=[stop], epochs=5)\n"
        f"b.fit(x, callbacks=[stop, {RATE}], epochs=50, validation_freq=2)\n"
    )
    script = read(tmp_path, text)
    assert held(script) == [[STOP], [STOP, RATE]]
    plans = [(fit.facts.epochs, fit.facts.validation_freq) for fit in script.fits]
    assert plans == [(5, None), (50, 2)]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("m.fit(*x, callbacks=[Own()])", 1, "'Own' is not Keras's, and is not checked"),
        ("m.fit(*x, callbacks=made)", 1, "'made' is not assigned in the script"),
        (
            "m.fit(*x, callbacks=[EarlyStopping(patience=p) for p in range(3, 6)])",
            1,
            "EarlyStopping: patience: 'p' (line 3) is not assigned a plain value",
        ),
        (
            "from config import c\nm.fit(*x, callbacks=c)",
            2,
            "'c' (line 3) is imported from config",
        ),
        (
            "s = EarlyStopping()\ns.patience = 9\nm.fit(*x, callbacks=[s])",
            3,
            "'s' is changed in line 4",
        ),
        (
            (
                "c = [EarlyStopping()]\nfor s in c:\n    s.patience = 9\n"
                "m.fit(*x, callbacks=c)"
            ),
            4,
            "'c' is changed in line 5",
        ),
        (
            (
                "c = {'patience': 0}\nfill_in(c)\n"
                "m.fit(*x, callbacks=[EarlyStopping(patience=c['patience'])])"
            ),
            3,
            (
                "EarlyStopping: patience: 'c' is given to code in line 4 that could "
                "change it"
            ),
        ),
        (
            "c = d = [EarlyStopping()]\nd.append(f())\nm.fit(*x, callbacks=c)",
            3,
            "'c' is changed in line 4",
        ),
        (
            "self.s = EarlyStopping()\nself.s.patience = 9\nm.fit(callbacks=self.s)",
            3,
            "'self.s' is changed in line 4",
        ),
        (
            "m.fit(*x, callbacks=[EarlyStopping(patience=p)])",
            1,
            "EarlyStopping: patience: 'p' is not assigned in the script",
        ),
        (
            f"m.fit(*x, callbacks=[LearningRateScheduler(f), {RATE}])",
            1,
            "LearningRateScheduler: schedule is code, which is not run",
        ),
        ("m.fit(**options)", 1, "fit(**...) is not read"),
        (
            "m.fit(callbacks=[getattr(keras.callbacks, name)()])",
            1,
            "what 'getattr(keras.callbacks, name)' stands for is not read",
        ),
        (
            "m.fit(callbacks=[kinds[name]() for name in names])",
            1,
            "what 'kinds[name]' stands for is not read",
        ),
        (
            "class T:\n    c = []\nclass U(T):\n    c = f()\nm.fit(callbacks=T.c)",
            5,
            "what 'T.c' holds is not read",
        ),
        (
            "m.fit(*x, callbacks=[LambdaCallback()])",
            1,
            (
                "'LambdaCallback' is not checked: its functions are code, which is not "
                "read"
            ),
        ),
        (
            "c = []\nd = c\nd.append(EarlyStopping())\nm.fit(*x, callbacks=c)",
            4,
            "'c' is changed in line 5",
        ),
    ],
)
def test_what_is_not_read_is_named_with_its_line_and_passed_by(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    script = read(tmp_path, f"{text}\nother.fit(x, callbacks=[{STOP}])")
    assert script.unread == ((line + N_HEAD, problem),)
    assert held(script)[-1] == [STOP]


def test_what_a_list_may_gain_in_a_try_is_not_certain(tmp_path: Path) -> None:
    text = (
        f"try:\n    c = [{STOP}]\n    risky()\n    c.append({RATE})\n"
        "except E:\n    pass\nm.fit(*x, callbacks=c)"
    )
    assert held(read(tmp_path, text)) == [[f"{STOP}?", f"{RATE}?"]]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"c = [{STOP}]\nhelper(c)", "c"),
        (f"c = [{STOP}]\ntool.start(x, callbacks=c)", "c"),
        (f"c = [{STOP}]\nhelper([c, 1])", "c"),
        (f"c = [{STOP}]\nhelper(c[0])", "c"),
        (f"c = [{STOP}]\nd = c\nhelper(d)", "c"),
        (f"c = [{STOP}]\ntable = {{'a': c}}\nhelper(table)", "c"),
        (f"s = {STOP}\nhelper(s)\nc = [s]", "s"),
        (f"s = {STOP}\nc = [s]\nhelper(*c)", "s"),
        (f"self.c = [{STOP}]\nhelper(self.c)\nc = self.c", "self.c"),
    ],
)
def test_what_is_given_to_code_that_is_not_read_is_not_certain(
    tmp_path: Path, text: str, name: str
) -> None:
    """It may append, or change a setting."""
    script = read(tmp_path, f"{text}\nm.fit(*x, callbacks=c)")
    assert held(script) == [[f"{STOP}?"]]
    assert f"{name!r} is given to code in line" in script.unread[0].problem


@pytest.mark.parametrize(
    "text",
    [
        "print(c)",
        "copy.deepcopy(c)",
        "helper(other)",
        # a function of the script, and what it does with the list, are read
        "def show(given):\n    print(given)\nshow(c)",
        "class K:\n    def show(self, given):\n        print(given)\nK().show(c)",
        # code that calls it has no hold of the names in it
        "def show():\n    print(c)\nhelper(show)",
        "n = 'a'\nhelper(n)",
        "n = c[0].stopped_epoch\nhelper(n)",
        "def go(c): pass\nmodel = go(c)\nn = model.evaluate(x)\nhelper(n)",
    ],
)
def test_what_is_known_to_stay_as_it_is_stays_certain(
    tmp_path: Path, text: str
) -> None:
    script = read(tmp_path, f"c = [{STOP}]\n{text}\nm.fit(*x, callbacks=c)")
    assert (held(script), script.unread) == ([[STOP]], ())


def test_a_function_may_give_back_what_it_gets(tmp_path: Path) -> None:
    text = (
        f"def same(given):\n    return given\nc = [{STOP}]\nd = same(c)\n"
        f"d.append({RATE})\nm.fit(*x, callbacks=c)"
    )
    script = read(tmp_path, text)
    assert script.fits[0].unread[0].problem == "'c' is changed in line 7"


@pytest.mark.parametrize(
    "text",
    [
        # the parameter has the name of the list, and the function gives back a part
        "def show(c):\n    d = {}\n    d.x = 1\n    return d\nd = show(3)\nd.x = 2",
        "class K:\n    def show(self, c):\n        pass\nk = K()\nk.x = 2",
    ],
)
def test_a_name_inside_a_function_is_not_the_one_outside(
    tmp_path: Path, text: str
) -> None:
    script = read(tmp_path, f"c = [{STOP}]\n{text}\nm.fit(*x, callbacks=c)")
    assert (held(script), script.unread) == ([[STOP]], ())


@pytest.mark.parametrize(
    "call", ["plt.plot(h.history)", "np.array(h)", "sns.lineplot(h)"]
)
def test_a_package_that_draws_or_computes_changes_no_callback(
    tmp_path: Path, call: str
) -> None:
    text = (
        "import matplotlib.pyplot as plt, numpy as np, seaborn as sns\n"
        f"c = [{STOP}]\ndef run():\n    return m.fit(*x, callbacks=c)\nh = run()\n"
    )
    assert read(tmp_path, f"{text}{call}").unread == ()
    # it changes the list in place
    assert read(tmp_path, f"{text}np.random.shuffle(c)").unread != ()


NUMBERS = (
    "p = {'n': 3, 'k': 2}\nk, n = p['k'], p['n']\nfor i in range(k):\n    pass\n"
    "for i, name in enumerate(names):\n    pass\n"
)


@pytest.mark.parametrize(
    ("loop", "patience", "values"),
    [
        ("for n, p in [(1, 7), (2, 9)]", "p", [7, 9]),
        ("for (a, b), p in (((1, 2), 7), ((1, 3), 9))", "p", [7, 9]),
        ("for n, p in zip([1, 2, 3], [7, 9])", "p", [7, 9]),
        ("for i, (n, p) in enumerate([(1, 7), (2, 9)])", "p", [7, 9]),
        ("for k, p in {'a': 7, 'b': 9}.items()", "p", [7, 9]),
        ("for p in {'a': 7, 'b': 9}.values()", "p", [7, 9]),
        ("for c in [{'p': 7}, {'p': 9}]", "c['p']", [7, 9]),
        ("for k, c in {'a': {'p': 7}, 'b': {'p': 9}}.items()", "c['p']", [7, 9]),
        # not all values are told
        ("for n, p in [(1, 7), two]", "p", []),
        ("for n, *p in [(1, 7), (2, 9)]", "p", []),
        ("for n, p in zip([1, 2], load())", "p", []),
        ("for k, p in {'a': 7, **more}.items()", "p", []),
        ("for p, q in enumerate(p)", "q", []),
        ("for c in [{'p': 7}, {'q': 9}]", "c['p']", []),
        ("for c in [{'p': 7}]:\n    c['p'] = 8\nfor d in [1]", "c['p']", []),
    ],
)
def test_what_a_loop_gives_is_read_where_all_of_it_is_told(
    tmp_path: Path, loop: str, patience: str, values: list[int]
) -> None:
    fit = f"{loop}:\n    m.fit(*x, callbacks=[EarlyStopping(patience={patience})])"
    ((member,),) = (fit.members for fit in read(tmp_path, fit).fits)
    told = sorted({variant.patience for variant in member.variants})  # type: ignore[attr-defined]
    assert (told if member.is_told else []) == values


# https://github.com/adriangb/scikeras, 0.13: such an estimator splits by itself
WRAPPED = (
    "from scikeras.wrappers import KerasClassifier\nfrom sklearn.base import clone\n"
)
WRAPPED += "base = KerasClassifier(build, validation_split=0.2)\n"


@pytest.mark.parametrize(
    "text",
    [
        "base.set_params(epochs=3).{fit}",
        "e = clone(base)\ne.{fit}",
        "for e in [base, clone(base)]:\n    e.{fit}",
        "models = {{'a': base}}\nfor name, e in models.items():\n    e.{fit}",
        "def make():\n    return KerasClassifier(build)\ne = make()\ne.{fit}",
        # the function that it calls has the same name for its own model
        "def build():\n    base = load()\n    base.compile('adam')\nbase.{fit}",
    ],
)
def test_the_fit_of_an_estimator_is_not_taken_for_that_of_keras(
    tmp_path: Path, text: str
) -> None:
    fit = "fit(a, b, callbacks=[EarlyStopping(restore_best_weights=True)])"
    assert codes(tmp_path, WRAPPED + text.format(fit=fit)) == []
    # Keras's own gets no validation data here
    plain = WRAPPED.replace("KerasClassifier(build, validation_split=0.2)", "load()")
    own = "def make():\n    return keras.Sequential([])\ne = make()\ne.{fit}"
    assert codes(tmp_path, plain + own.format(fit=fit)) == ["absent-monitor"]


# keras_tuner/engine/base_tuner.py, _run_and_update_trial; hypermodel.py, fit
TRIALS = """
class Own({base}):
    def {method}:
        kwargs["epochs"], kwargs["validation_split"] = 50, 0.2
        return super().{call}
tuner.search(a, b, epochs=10, callbacks=[EarlyStopping(patience=20)])
"""


@pytest.mark.parametrize(
    ("base", "method", "call"),
    [
        ("kt.HyperModel", "fit(self, hp, m, *a, **kwargs)", "fit(hp, m, *a, **kwargs)"),
        ("kt.RandomSearch", "run_trial(self, t, **kwargs)", "run_trial(t, **kwargs)"),
    ],
)
def test_what_runs_the_trials_of_a_search_may_choose_how(
    tmp_path: Path, base: str, method: str, call: str
) -> None:
    text = "import keras_tuner as kt\n"
    text += TRIALS.format(base=base, method=method, call=call)
    assert codes(tmp_path, text) == []
    (told,) = unchecked_plans(read(tmp_path, text), None)
    assert "of the script may choose the epochs of each trial" in told
    # without it, the search hands its own arguments to each fit
    plain = text.replace("fit(self", "other(self").replace(
        "run_trial(self", "other(self"
    )
    assert codes(tmp_path, plain) == ["absent-monitor"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("p = {'n': 3}\nn = p.get('n', 50)", ""),
        # looping over numbers links no names
        (f"{NUMBERS}names.remove('id')", ""),
        # what is changed, or not known, is the table
        ("p = {'n': 3}\np['n'] = 4\nn = p.get('n', 50)", "'p' is changed in line 4"),
        ("p = {'n': 3}\nn = p.get('m', 50)", "\"p.get('m', 50)\" is not a literal"),
    ],
)
def test_an_entry_is_read_where_its_table_is(
    tmp_path: Path, text: str, told: str
) -> None:
    fit = f"{text}\nm.fit(*x, epochs=n, callbacks=[{STOP}])"
    script = read(tmp_path, fit)
    assert told in " ".join(unchecked_plans(script, None))
    assert script.fits[0].facts.epochs == (None if told else 3)


def test_locals_that_is_only_looked_into_changes_no_name(tmp_path: Path) -> None:
    text = f"c = [{STOP}]\nm.fit(*x, callbacks=c)\n"
    assert read(tmp_path, f"{text}if 'c' in locals(): print(c)").unread == ()
    assert read(tmp_path, f"{text}locals().update(c=[])").unread != ()


def test_a_number_is_not_changed_by_what_shares_its_table(tmp_path: Path) -> None:
    # as in a published script: epochs = int(params["epochs"]), out["n"] = epochs
    text = (
        "p = json.load(f)\nn = int(p['n'])\nout = {'n': n}\nout['k'] = {}\n"
        f"out['k']['l'] = n\nm.fit(*x, epochs=n, callbacks=[{STOP}])"
    )
    (told,) = unchecked_plans(read(tmp_path, text), None)
    assert "\"int(p['n'])\" is not a literal" in told


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f"def m(tf): return tf.keras.callbacks.{STOP}\nm.fit(*x, callbacks=m(tf))",
            "is not checked: 'tf' (line 3) is a parameter of 'm'",
        ),
        (
            "m.fit(*x, callbacks=[keras.optimizers.schedules.CosineDecay(0.1, 9)])",
            "is no callback of Keras's, and is not checked",
        ),
    ],
)
def test_what_is_no_callback_that_is_known_is_not_called_foreign(
    tmp_path: Path, text: str, problem: str
) -> None:
    (part,) = read(tmp_path, text).unread
    assert part.problem.endswith(problem)


def test_the_longest_of_several_plans_is_the_most_that_there_may_be(
    tmp_path: Path,
) -> None:
    text = (
        f"if gpu:\n    n = 3\nelse:\n    n = 4\nm.fit(*x, validation_data=v, epochs=n, "
        f"callbacks=[{EARLY}])"
    )
    (found,) = lint_script(read(tmp_path, text), semantics="keras-3.15")
    assert found.finding.code == "patience-beyond-plan"
    assert found.finding.reason.startswith("at most 4 epochs are planned")
    (found,) = lint_script(read(tmp_path, text), epochs=2, semantics="keras-3.15")
    assert found.finding.reason.startswith("2 epochs are planned")
    # in one of them it may stop
    longer = read(tmp_path, text.replace("n = 4", "n = 9"))
    assert lint_script(longer, semantics="keras-3.15") == ()


def test_a_method_of_the_script_may_change_what_it_gets(tmp_path: Path) -> None:
    text = (
        f"class K:\n    def grow(self, given):\n        given.append({RATE})\n"
        f"c = [{STOP}]\nK().grow(c)\nm.fit(*x, callbacks=c)"
    )
    script = read(tmp_path, text)
    assert script.fits[0].unread[0].problem == "'c' is changed in line 5"


@pytest.mark.parametrize(
    "listed",
    ["LearningRateScheduler(f)", f"LearningRateScheduler(lambda e: 0.1), {RATE}"],
)
def test_a_schedule_that_meets_no_other_rate_or_only_the_epoch_is_no_doubt(
    tmp_path: Path, listed: str
) -> None:
    assert read(tmp_path, f"m.fit(*x, callbacks=[{listed}])").unread == ()


TUNER = (
    "tuner = kt.{kind}(build, max_epochs=90)\n"
    f"tuner.search(x, epochs=3, validation_split=0.1, callbacks=[{STOP}])"
)


def test_a_tuner_keeps_the_best_weights_and_hyperband_chooses_the_epochs(
    tmp_path: Path,
) -> None:
    # SaveBestEpoch and Hyperband.run_trial of keras_tuner
    assert codes(tmp_path, TUNER.format(kind="RandomSearch")) == [
        "patience-beyond-plan"
    ]
    text = TUNER.format(kind="Hyperband")
    assert codes(tmp_path, text) == []
    (told,) = unchecked_plans(read(tmp_path, text), None)
    assert "Hyperband chooses the epochs of each trial" in told


def test_what_is_put_into_a_list_is_changed_with_what_the_list_holds(
    tmp_path: Path,
) -> None:
    text = (
        f"s = {STOP}\nc = []\nif a:\n    c.append(s)\nfor each in c:\n"
        "    each.patience = 9\nm.fit(*x, callbacks=[s])"
    )
    script = read(tmp_path, text)
    assert script.fits[0].unread[0].problem == "'s' is changed in line 8"


def test_a_name_that_a_function_assigns_as_global_is_not_certain(
    tmp_path: Path,
) -> None:
    define = f"c = [{STOP}]\ndef f():\n    global c\n"
    fit = "f()\nm.fit(*x, callbacks=c)"
    script = read(tmp_path, f"{define}    c = []\n{fit}")
    assert held(script) == [[f"{STOP}?"]]
    assert "another function too" in script.unread[0].problem
    # one that only looks at it leaves it as it is
    assert held(read(tmp_path, f"{define}    print(c)\n{fit}")) == [[STOP]]


def test_of_several_assigned_lists_one_may_grow_by_another_name(
    tmp_path: Path,
) -> None:
    text = f"c = {STOP}\nc = (d := [])\nd.insert(0, {RATE})\nm.fit(*x, callbacks=c)"
    assert read(tmp_path, text).fits[0].unread[0].problem == "'c' is changed in line 5"


# --- only what holds whatever is not read is found

PLATEAU_LATE = "ReduceLROnPlateau(patience=10, min_delta=0)"
EARLY = "EarlyStopping(patience=5, restore_best_weights=True)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # an argument that cannot be told: the mode is wrong whatever the patience
        (
            (
                "m.fit(*x, callbacks=[EarlyStopping('val_loss', patience=p, "
                "mode='max', restore_best_weights=True)])"
            ),
            ["mode-against-metric"],
        ),
        (f"m.fit(*x, callbacks=[{PLATEAU_LATE}, {EARLY}])", ["reduce-after-stop"]),
        (
            (
                "m.fit(*x, callbacks=[ReduceLROnPlateau(patience=p, min_delta=0), "
                f"{EARLY}])"
            ),
            [],
        ),
        # the stop may not be there
        (
            (
                f"c = [{PLATEAU_LATE}]\nif a:\n    c.append({EARLY})\n"
                "m.fit(*x, callbacks=c)"
            ),
            [],
        ),
        # one of two, never both
        (f"m.fit(*x, callbacks=[{EARLY}] if a else [{PLATEAU_LATE}])", []),
        # code that nobody has read may take a stop back
        (f"m.fit(*x, callbacks=[{PLATEAU_LATE}, {EARLY}, Own()])", []),
        (
            (
                "from wandb.keras import WandbMetricsLogger\n"
                f"m.fit(*x, callbacks=[{PLATEAU_LATE}, {EARLY}, WandbMetricsLogger()])"
            ),
            ["reduce-after-stop"],
        ),
        # what keeps the best weights may be the part that is not read
        ("m.fit(*x, callbacks=[EarlyStopping(patience=5)])", ["keeps-later-weights"]),
        ("m.fit(*x, callbacks=[EarlyStopping(patience=5), Own()])", []),
        (
            (
                "m.fit(*x, callbacks=[EarlyStopping(patience=5), "
                "ModelCheckpoint(path, save_best_only=best)])"
            ),
            [],
        ),
        # two arguments that cannot be told need not be one, nor far apart
        (
            (
                "m.fit(*x, callbacks=["
                "EarlyStopping(patience=a, restore_best_weights=True), "
                "EarlyStopping(patience=b, restore_best_weights=True)])"
            ),
            [],
        ),
        (
            (
                "m.fit(*x, callbacks=[ReduceLROnPlateau(patience=a, min_delta=0), "
                "EarlyStopping(patience=b, restore_best_weights=True)])"
            ),
            [],
        ),
        (f"m.fit(*x, callbacks=[{EARLY}, {EARLY}])", ["identical-callbacks"]),
        ("train(m, [EarlyStopping(patience=5)])", []),
        ("train(m, [EarlyStopping(patience=2.5)])", ["fractional-patience"]),
        # 0 is what EarlyStopping has where nothing is written
        ("train(m, [EarlyStopping(patience=0)])", ["patience-zero-is-one"]),
        ("train(m, [EarlyStopping('val_loss', 0, 0)])", ["patience-zero-is-one"]),
        ("train(m, [EarlyStopping()])", []),
        # Keras ignores it; what else the call would then do is not what is meant
        ("train(m, [ReduceLROnPlateau(patiance=0)])", ["unknown-parameter"]),
        ("train(m, [EarlyStopping(montior='loss')])", ["unknown-parameter"]),
        ("train(m, [EarlyStopping(montior=a, patience=0)])", ["unknown-parameter"]),
        # those of an older Keras, which 3 has no longer
        ("train(m, [ReduceLROnPlateau(epsilon=0.1)])", ["unknown-parameter"]),
        (
            "train(m, [ModelCheckpoint('{epoch}.keras', period=2)])",
            ["unknown-parameter"],
        ),
        # what may stand in it is not known, and what is given to a logger not read
        ("train(m, [EarlyStopping(**options, patience=2)])", []),
        ("train(m, [TensorBoard(logdir='a')])", []),
        # two files that cannot be told need not be one
        (
            (
                "m.fit(*x, callbacks=["
                "ModelCheckpoint(a, 'val_loss', save_best_only=True), "
                "ModelCheckpoint(b, 'loss', save_best_only=True)])"
            ),
            [],
        ),
        # a comment sets it aside
        (
            (
                "m.fit(*x, callbacks=[\n"
                "  EarlyStopping(patience=2.5,  # cbreplay: ignore\n"
                "  restore_best_weights=True)])"
            ),
            [],
        ),
        (
            (
                f"m.fit(*x, callbacks=[\n  {PLATEAU_LATE},\n"
                "  # cbreplay: ignore[reduce-after-stop]\n"
                f"  {EARLY}])"
            ),
            ["reduce-after-stop"],
        ),
        (
            (
                f"m.fit(*x, callbacks=[\n  {PLATEAU_LATE}, "
                f"# cbreplay: ignore[steep-factor, reduce-after-stop]\n  {EARLY}])"
            ),
            [],
        ),
        # only the rules that are named, and only what is said of rules
        *(
            (
                (f"m.fit(*x, callbacks=[\n  {PLATEAU_LATE}, # {comment}\n  {EARLY}])"),
                expected,
            )
            for comment, expected in (
                ("cbreplay: ignore [reduce-after-stop]", []),
                ("cbreplay: ignore [steep-factor]", ["reduce-after-stop"]),
                ("cbreplay: ignore[]", ["reduce-after-stop"]),
                ("cbreplay: ignore[steep-factor", ["reduce-after-stop"]),
                ("cbreplay: ignored", ["reduce-after-stop"]),
                ("cbreplay: ignore-me", ["reduce-after-stop"]),
                ("cbreplay: ignore, it is meant", []),
            )
        ),
    ],
)
def test_findings_hold_whatever_is_not_read(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    assert codes(tmp_path, text) == expected


BOTH = "EarlyStopping(patience=3, mode='min')"


@pytest.mark.parametrize(
    ("text", "expected", "unread"),
    [
        # what Python gives the call; of what may be another dict nothing is told
        ("d = dict(patience=3)", "EarlyStopping(patience=3)", False),
        ("d = {'patience': 3}", "EarlyStopping(patience=3)", False),
        ("b = {'patience': 3}\nd = {**b, 'patience': 4}", "(patience=4)", False),
        ("D = {'e': {'patience': 3}}\nd = D['e']", "(patience=3)", False),
        ("p = 3\nd = dict(patience=p)", "EarlyStopping(patience=3)", False),
        ("d = dict(patience=3)\nprint(d)", "EarlyStopping(patience=3)", False),
        ("d = dict(patience=3)\nd['patience'] = 4", "EarlyStopping(**d)", True),
        ("d = dict(patience=3)\nd.update(patience=4)", "EarlyStopping(**d)", True),
        ("d = dict(patience=3)\nd |= {'patience': 4}", "EarlyStopping(**d)", True),
        ("d = dict(patience=3)\nhelp_out(d)", "EarlyStopping(**d)", True),
        ("d = e = dict(patience=3)\ne['patience'] = 4", "EarlyStopping(**d)", True),
        ("d = dict(patience=4)\nd = dict(patience=3)", "(patience=3)", False),
        ("d = read()", "EarlyStopping(**d)", True),
        ("b = dict(mode='min', patience=4)\nd = dict(b, patience=3)", BOTH, False),
        ("b = {'mode': 'min', 'patience': 4}\nd = b | {'patience': 3}", BOTH, False),
        ("b = dict(patience=4)\nb['mode'] = 'max'\nd = dict(b)", "(**d)", True),
        (
            "b = dict(patience=4)\nd = dict(b, **dict(patience=3))",
            "(patience=3)",
            False,
        ),
        ("b = dict(patience=4)\nd = dict(b, mode='min', **b)", "(**d)", True),
        ("d, e = dict(patience=3), 5", "(patience=3)", False),
        ("d, e = dict(patience=3), 5\nd['patience'] = 4", "(**d)", True),
        ("e = {'patience': 3}\nd, e = e, dict(patience=4)", "(patience=3)", False),
        ("d, *e = dict(patience=3), 5, 6", "(**d)", True),
        ("d = dict([('patience', 3)])", "(**d)", True),
        ("a = b = {}\nd = dict(a, b)", "(**d)", True),
        ("def dict(**_):\n    return {}\nd = dict(patience=3)", "(**d)", True),
    ],
)
def test_a_dict_that_is_written_once_is_followed_through_two_stars(
    tmp_path: Path, text: str, expected: str, *, unread: bool
) -> None:
    told = read(tmp_path, f"{text}\nm.fit(*x, callbacks=[EarlyStopping(**d)])")
    ((held_one,),) = held(told)
    assert held_one.endswith(expected)
    said = [part.problem for part in told.unread]
    assert ("EarlyStopping: what **d gives cannot be told" in said) is unread


@pytest.mark.parametrize(
    ("more", "is_read"),
    [
        ("", True),
        ("    def later(self):\n        self.es['patience'] = 9\n", False),
        ("    def later(self):\n        self.es = dict(patience=9)\n", False),
        ("    def later(self):\n        change(self.es)\n", False),
        ("    def later(self):\n        setattr(self, 'es', {})\n", False),
        ("    def later(self):\n        self.__dict__.update(more)\n", False),
        ("T.es = dict(patience=9)\n", False),
        (
            "    def __init__(self, d):\n        self.es = d\nT(dict(patience=3))\n",
            False,
        ),
        ("one = T()\none.es['patience'] = 9\n", False),
    ],
)
def test_a_dict_of_an_object_is_followed_where_nothing_else_gets_it(
    tmp_path: Path, more: str, *, is_read: bool
) -> None:
    text = (
        "class T:\n    def __init__(self):\n        self.es = {'patience': 3}\n"
        "    def run(self):\n        m.fit(*x, callbacks=[EarlyStopping(**self.es)])\n"
        f"{more}"
    )
    ((code,),) = held(read(tmp_path, text))
    assert code == f"EarlyStopping({'patience=3' if is_read else '**self.es'})"
    with pytest.raises(ExpressionError, match="cannot be read"):
        read_script_callbacks(str(tmp_path / "train.py"))


def test_two_stars_do_not_give_what_a_name_means_elsewhere(tmp_path: Path) -> None:
    text = (
        "p = 3\nd = dict(patience=p)\n"
        "def make(p):\n    return EarlyStopping(**d)\n"
        "m.fit(*x, callbacks=[make(9)])\n"
        "m.fit(*x, callbacks=[EarlyStopping(**d, patience=4)])\n"
    )
    # the second is an error of Python's, which is not told
    assert held(read(tmp_path, text)) == [
        ["EarlyStopping(**d)"],
        ["EarlyStopping(**d, patience=4)"],
    ]


def test_a_fit_gets_what_stands_in_a_dict(tmp_path: Path) -> None:
    told = read(tmp_path, f"d = dict(epochs=4, callbacks=[{STOP}])\nm.fit(*x, **d)")
    assert held(told) == [[STOP]]
    assert told.fits[0].facts.epochs == 4
    assert told.unread == ()


def test_what_one_star_gives_is_not_taken_for_the_defaults(tmp_path: Path) -> None:
    """A star may give another patience than 0, which is Keras's default."""
    text = f"m.fit(*x, callbacks=[{RATE}, EarlyStopping('val_loss', *given)])"
    assert [part.problem for part in read(tmp_path, text).unread] == [
        "EarlyStopping: what *given gives cannot be told"
    ]
    assert codes(tmp_path, text) == []
    without = codes(tmp_path, text.replace(", *given", ""))
    assert without == ["reduce-rarely-before-stop"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"mk = lambda: {STOP}\nm.fit(*x, callbacks=[mk(), {RATE}])", [STOP, RATE]),
        (f"mk = lambda: [{STOP}, {RATE}]\nm.fit(*x, callbacks=mk())", [STOP, RATE]),
        (f"mk = lambda f: {STOP} if f else None\nm.fit(callbacks=mk(1))", [f"{STOP}?"]),
        (
            "mk = lambda p: EarlyStopping(patience=p)\nm.fit(callbacks=mk(1))",
            ["EarlyStopping(patience=p)"],
        ),
        ("p = lambda: 5\nm.fit(callbacks=EarlyStopping(patience=p()))", [STOP]),
    ],
)
def test_a_lambda_is_followed_as_a_function_is(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    assert held(read(tmp_path, text)) == [expected]


def test_what_is_stored_is_not_said_to_be_changed(tmp_path: Path) -> None:
    kept = "self.cbs = []"
    text = (
        f"class T:\n    def __init__(self):\n        {kept}\n"
        "    def add(self, cb):\n        self.cbs.append(cb)\n"
        "    def run(self):\n        m.fit(*x, callbacks=self.cbs)\n"
        f"t = T()\nt.add({STOP})\nt.run()\n"
    )
    told = read(tmp_path, text)
    assert held(told) == [[f"{STOP}?"]]
    assert told.unread == ()
    # that of its own object is no callback's
    own = read(tmp_path, text.replace(kept, f"{kept}; self.best = 0"))
    assert own.unread == ()
    # what sets an attribute may set the callback's
    told = read(tmp_path, text.replace(kept, f"{kept}; other.best = 0"))
    assert [part.problem for part in told.unread] == [
        "'cb' is stored in 'self.cbs' in line 7, and may be changed"
    ]


@pytest.mark.parametrize("gain", ["c += more", "c.extend(more)", "c.append(more)"])
def test_what_a_list_gains_is_doubted_once(tmp_path: Path, gain: str) -> None:
    # a list does not change what it gains: that `more` is not told is all there is
    text = (
        f"def train(more):\n    c = [{STOP}]\n    if more:\n        {gain}\n"
        "    m.fit(*x, callbacks=c)\n"
    )
    (part,) = read(tmp_path, text).unread
    assert part.problem == "'more' (line 3) is a parameter of 'train'"


def test_names_of_an_older_keras_are_taken_by_tf_keras_alone(
    ask: Ask, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "from tf_keras.callbacks import ReduceLROnPlateau\n"
        "model.fit(x, y, callbacks=[ReduceLROnPlateau(epsilon=0.1)])\n"
    )
    told = ask("lint", script, "--semantics", "tf_keras-2.18").out
    assert "unknown-parameter" not in told
    assert "'epsilon' is of older versions, and is not read" in told
    told = ask("lint", script, "--semantics", "keras-3.15").out
    assert "ReduceLROnPlateau has no parameter 'epsilon'" in told
    assert "Keras 3 ignores it; tf_keras takes it for min_delta" in told
    assert "instead  min_delta" in told
    # it is said once
    assert "of older versions" not in told


@pytest.mark.keras
def test_keras_3_ignores_or_refuses_the_names_of_an_older_one() -> None:
    keras = pytest.importorskip("keras")
    plateau = keras.callbacks.ReduceLROnPlateau
    assert plateau(epsilon=0.1).min_delta == plateau().min_delta != 0.1
    with pytest.raises(TypeError, match="period"):
        keras.callbacks.ModelCheckpoint("{epoch}.keras", period=2)


MODEL = "m = keras.Sequential([keras.layers.Dense(1)])\n"


@pytest.mark.parametrize(
    ("monitor", "expected"),
    [
        ("val_Loss", "monitor='val_loss'"),
        ("Loss", "monitor='loss'"),
        ("val_loss", None),
        ("val_Accuracy", None),
        ("val_my_loss", None),
    ],
)
def test_a_loss_in_other_letters_is_found_whatever_compiled_the_model(
    tmp_path: Path, monitor: str, expected: str | None
) -> None:
    text = (
        "m = keras.models.load_model('m.keras')\nm.fit(*x, validation_data=v, "
        f"callbacks=[EarlyStopping('{monitor}', mode='min', patience=3)])"
    )
    found = [placed.finding for placed in lint_script(read(tmp_path, text))]
    fixes = [finding.fix for finding in found if finding.code == "absent-monitor"]
    assert fixes == ([] if expected is None else [expected])
    if expected:
        assert "unless a metric of the model is called 'Loss'" in found[-1].message


@pytest.mark.parametrize(
    ("compiled", "monitor", "expected"),
    [
        ("metrics=['accuracy']", "val_accuracy", None),
        ("metrics=['accuracy']", "val_acc", "monitor='val_accuracy'"),
        ("metrics=['acc']", "val_accuracy", "monitor='val_acc'"),
        ("metrics=[keras.metrics.AUC(name='auc')]", "val_AUC", "monitor='val_auc'"),
        ("metrics=[keras.metrics.AUC()]", "val_auc_1", None),
        ("metrics=['mae']", "val_mean_absolute_error", "monitor='val_mae'"),
        ("metrics=['accuracy']", "val_f1", "a monitor that is logged"),
        # the val_ that both have makes val_loss no likeness
        ("metrics=['accuracy']", "val_sens", "a monitor that is logged"),
        (
            "metrics=[keras.metrics.Recall(name='sensitivity')]",
            "val_sens",
            "monitor='val_sensitivity'",
        ),
        ("", "val_accuracy", "monitor='val_loss'"),
        ("loss='mse'", "val_loss", None),
        ("metrics=[dice]", "val_dice", None),
        ("metrics=[imported]", "val_dice", None),
        ("metrics=METRICS", "val_precison", "monitor='val_precision'"),
        ("metrics=['mae', *METRICS]", "val_precison", "monitor='val_precision'"),
        ("**options", "val_acc", None),
    ],
)
def test_a_monitor_that_compile_does_not_give_is_found(
    tmp_path: Path, compiled: str, monitor: str, expected: str | None
) -> None:
    text = (
        "def dice(a, b):\n    return a\n"
        "METRICS = ['accuracy', keras.metrics.Precision()]\n"
        f"{MODEL}m.compile('adam', {compiled})\n"
        f"m.fit(*x, validation_data=v, callbacks=[EarlyStopping('{monitor}', 'max',"
        "restore_best_weights=True)])".replace("'max'", "mode='max'")
    )
    found = lint_script(read(tmp_path, text), semantics="keras-3.15")
    fixes = [
        placed.finding.fix
        for placed in found
        if placed.finding.code == "absent-monitor"
    ]
    assert fixes == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("model", "fit", "monitor", "found"),
    [
        # a model of the user's own may log what it likes
        ("m = Own()", "", "val_f1", False),
        ("m = Own()", "", "val_acc", False),
        # several outputs: their names stand before the metric's
        ("m = keras.Model(a, b)", "", "val_head_accuracy", False),
        ("m = keras.Model(a, b)", "", "val_f1", True),
        (MODEL, "", "val_head_accuracy", True),
        # a step of its own, or a callback that nobody has read
        (f"def train_step(self): ...\n{MODEL}", "", "val_f1", False),
        (MODEL, ", Own()", "val_f1", False),
        (MODEL, ", Own()", "val_acc", True),
        (f"logs['val_acc'] = 1\n{MODEL}", ", Own()", "val_acc", False),
        # a layer that may track a metric of its own
        ("from layers import L\nm = keras.Sequential([L()])", "", "val_f1", False),
        ("import layers\nm = keras.Sequential([layers.L()])", "", "val_f1", False),
        (f"class L(keras.layers.Layer): pass\n{MODEL}", "", "val_f1", False),
        (f"class L(Base): pass\n{MODEL}", "", "val_f1", False),
        (f"{MODEL}m.add_metric(a, name='f1')", "", "val_f1", False),
        (f"{MODEL}m.train_step = own", "", "val_f1", False),
        (f"{MODEL}m.metrics_names.append('f1')", "", "val_f1", False),
        ("m = keras.Sequential([load_model('a')])", "", "val_f1", False),
        (f"from own import *\n{MODEL}", "", "val_f1", False),
        # of these none is a layer
        (f"class L(keras.callbacks.Callback): pass\n{MODEL}", "", "val_f1", True),
        (f"class L(NamedTuple): pass\n{MODEL}", "", "val_f1", True),
        (f"from config import N\nn = N.a + N['b']\n{MODEL}", "", "val_f1", True),
        (f"import numpy as np\nimport json\nnp.zeros(3)\n{MODEL}", "", "val_f1", True),
        # a plain slip of the name is one whatever the layers are
        ("from layers import L\nm = keras.Sequential([L()])", "", "val_acc", True),
        ("from a import L\nm = keras.Sequential([L('acc')])", "", "val_acc", False),
        (f"{MODEL}plot(h.history['val_acc'])", "", "val_acc", True),
        # a model that a function makes, and one of another name
        (
            (
                "def make():\n    n = keras.Sequential()\n"
                "    n.compile('adam', metrics=['mae'])\n    return n\nm = make()"
            ),
            "",
            "val_f1",
            True,
        ),
        ("def make():\n    return keras.Model(a, b)\nm = make()", "", "val_f1", True),
        # another model of the script
        (f"{MODEL}m = load()", "", "val_f1", False),
        # one that a function of the script gets
        (f"{MODEL}def go(m):\n  pass\ngo(m)", "", "val_f1", True),
    ],
)
def test_only_what_compile_certainly_does_not_give_is_found(
    tmp_path: Path, model: str, fit: str, monitor: str, *, found: bool
) -> None:
    text = (
        f"{model}\nm.compile('adam', metrics=['accuracy'])\n"
        f"m.fit(*x, validation_data=v, callbacks=[EarlyStopping('{monitor}', "
        f"mode='max', restore_best_weights=True){fit}])"
    )
    assert ("absent-monitor" in codes(tmp_path, text)) is found


@pytest.mark.parametrize("monitor", ["val_los", "val_lsos", "foo"])
@pytest.mark.parametrize("mode", ["mode='min', ", ""])
def test_a_monitor_is_absent_whatever_code_gives_the_data(
    tmp_path: Path, monitor: str, mode: str
) -> None:
    """Compile gives the loss alone, so fit logs loss and val_loss."""
    text = (
        "from own import load, focal, plot\nx, y = load()\n"
        f"{MODEL}m.compile('adam', focal)\nh = m.fit(x, y, validation_split=0.2, "
        f"callbacks=[EarlyStopping('{monitor}', {mode}patience=5)])\nplot(h)"
    )
    script = tmp_path / "train.py"
    # without a star import, a name that nothing defines is one that is not read
    for written in (text, text.replace("x, y = load()\n", "")):
        script.write_text(
            f"import keras\nfrom keras.callbacks import EarlyStopping\n{written}"
        )
        read_script = read_training_script(str(script))
        found = lint_script(read_script, semantics="keras-3.15")
        assert [placed.finding.code for placed in found] == ["absent-monitor"]
        assert list(unchecked_monitors(read_script, found)) == []


@pytest.mark.parametrize(
    ("meets", "found"),
    [
        ("", True),
        ("own.seed(1)\n", True),
        ("own.extend(m)\n", False),
        ("parts = [m]\nown.extend(parts)\n", False),
        ("def go(a):\n    extend(a)\ngo(m)\n", False),
        ("m.add(extend())\n", False),
        ("for layer in m.layers:\n    extend(layer)\n", False),
        ("with extend(m) as n:\n    pass\n", False),
        ("match m:\n    case n:\n        extend(n)\n", False),
        ("class T:\n    held = m\n    def go(self):\n        extend(self)\n", False),
        ("h = m.fit(x, callbacks=[extend(m)])\n", False),
        ("def go():\n    return extend()\nm.add(go())\n", False),
    ],
)
def test_what_meets_the_model_may_make_it_log_more(
    tmp_path: Path, meets: str, *, found: bool
) -> None:
    text = (
        f"import own\nfrom own import extend, load\nx = load()\n{MODEL}{meets}"
        "m.compile('adam', 'mse')\nm.fit(x, validation_split=0.2, callbacks=["
        "EarlyStopping('val_kl', mode='min', restore_best_weights=True)])"
    )
    script = read(tmp_path, text)
    placed = lint_script(script, semantics="keras-3.15")
    codes_found = [one.finding.code for one in placed]
    assert ("absent-monitor" in codes_found) is found
    told = list(unchecked_monitors(script, placed))
    assert len(told) == (not found)
    assert found or "may log more than compile" in told[0]
    assert found or "'val_kl' is not checked" in told[0]


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ("go()", ["patience-beyond-plan"]),
        ("go(epochs=5)\ngo()", ["patience-beyond-plan"]),
        ("go(epochs=20)\ngo()", []),
        ("", []),
    ],
)
def test_the_plan_is_followed_to_every_call_of_its_function(
    tmp_path: Path, run: str, found: list[str]
) -> None:
    text = (
        f"{MODEL}m.compile('adam', 'mse')\ndef go(epochs=5):\n    m.fit(x, y, "
        "epochs=epochs, validation_data=v, callbacks=[EarlyStopping(patience=8, "
        f"restore_best_weights=True)])\n{run}"
    )
    assert codes(tmp_path, text) == found


def test_nothing_is_said_of_the_values_that_a_monitor_does_not_have(
    tmp_path: Path,
) -> None:
    fit = "m.fit(x, y, epochs=5, {}callbacks=[EarlyStopping(patience=8)])"
    text = f"{MODEL}m.compile('adam', 'mse')\n" + fit
    assert codes(tmp_path, text.format("")) == ["absent-monitor"]
    # it never stops, so that no stop keeps later weights either
    assert codes(tmp_path, text.format("validation_data=v, ")) == [
        "patience-beyond-plan"
    ]


# a fit of Keras 3.15.1 of a model with the outputs age and kind, compiled so: it logs
# val_age_mae and val_kind_accuracy, and with mode='auto' it raises ValueError for
# these, and none for val_accuracy, which it then warns of in each epoch
OF_OUTPUTS = (
    "m = keras.Model(a, [b, c])\n"
    "m.compile('adam', metrics={'age': ['mae'], 'kind': 'accuracy'})\n"
    "m.fit(*x, validation_data=v, callbacks=[EarlyStopping('{}', {}"
    "restore_best_weights=True)])"
)


@pytest.mark.parametrize(
    ("monitor", "mode", "found"),
    [
        ("val_age_mae", "mode='min', ", []),
        ("val_age_mae", "", [("auto-unknown", "mode='min'")]),
        ("val_kind_accuracy", "", [("auto-unknown", "mode='max'")]),
        ("val_kind_loss", "mode='min', ", []),
        ("val_loss", "", []),
        (
            "val_accuracy",
            "",
            [("absent-monitor", "monitor='val_kind_accuracy', and mode='max'")],
        ),
        (
            "val_accuracy",
            "mode='max', ",
            [("absent-monitor", "monitor='val_kind_accuracy'")],
        ),
        ("val_age_accuracy", "mode='max', ", [("absent-monitor", None)]),
        (
            "val_kind_acc",
            "mode='max', ",
            [("absent-monitor", "monitor='val_kind_accuracy'")],
        ),
    ],
)
def test_metrics_of_several_outputs_have_their_names_and_no_direction(
    tmp_path: Path, monitor: str, mode: str, found: list[tuple[str, str | None]]
) -> None:
    text = OF_OUTPUTS.replace("{}", monitor, 1).replace("{}", mode, 1)
    told = lint_script(read(tmp_path, text), semantics="keras-3.15")
    assert [placed.finding.code for placed in told] == [code for code, _ in found]
    for placed, (_, fix) in zip(told, found, strict=True):
        assert fix in (placed.finding.fix, None)
        if monitor == "val_accuracy":
            assert placed.finding.reason.endswith("so it never acts")


@pytest.mark.parametrize(
    ("losses", "found"),
    [
        # Keras 3.15.1 logs val_kind_mae with these, and no val_mae
        ("loss={'age': 'mse', 'kind': 'mse'}", ["absent-monitor"]),
        ("{'age': 'mse', 'kind': 'mse'}", ["absent-monitor"]),
        # of one output val_mae, without its name
        ("loss={'kind': 'mse'}", []),
        ("loss='mse'", []),
        ("loss=measured", []),
    ],
)
# the outputs of the model are not told here
def test_the_losses_tell_that_there_are_several_outputs(
    tmp_path: Path, losses: str, found: list[str]
) -> None:
    text = OF_OUTPUTS.replace("{}", "val_mae", 1).replace("{}", "mode='min', ", 1)
    text = text.replace(
        "metrics={'age': ['mae'], 'kind': 'accuracy'}",
        f"{losses}, metrics={{'kind': ['mae']}}",
    )
    told = lint_script(read(tmp_path, text.replace("[b, c]", "b")))
    assert [placed.finding.code for placed in told] == found
    # where they are told, the losses tell nothing new (Keras 3.15.1 logs val_kind_mae)
    told = lint_script(read(tmp_path, text))
    assert [placed.finding.code for placed in told] == ["absent-monitor"]


SCHEDULES = "keras.optimizers.schedules"


@pytest.mark.parametrize(
    ("compiled", "found"),
    [
        (f"m.compile(keras.optimizers.Adam({SCHEDULES}.CosineDecay(1, 2)))", True),
        (
            (
                f"r = {SCHEDULES}.CosineDecay(1, 2)\no = keras.optimizers.SGD(r)\n"
                "m.compile(optimizer=o)"
            ),
            True,
        ),
        (
            (
                f"class Warm({SCHEDULES}.LearningRateSchedule):\n    pass\n"
                "m.compile(keras.optimizers.Adam(learning_rate=Warm()))"
            ),
            True,
        ),
        (
            (
                "from keras.optimizers.schedules import ExponentialDecay as D\n"
                "m.compile(keras.optimizers.Adam(D(1, 2)))"
            ),
            True,
        ),
        (
            (
                "from tensorflow.keras.optimizers import *\n"
                "from tensorflow.keras.optimizers.schedules import *\n"
                "m.compile(Adam(ExponentialDecay(1, 2)))"
            ),
            True,
        ),
        ("from own import *\nm.compile(keras.optimizers.Adam(CosineDecay(1)))", False),
        (
            (
                "import tensorflow as tf\n"
                "m.compile(tf.keras.optimizers.Adam(tf.keras.experimental.CosineDecay(1)))"
            ),
            True,
        ),
        # another model's
        (
            (
                f"n.compile(keras.optimizers.Adam({SCHEDULES}.CosineDecay(1, 2)))\n"
                "m.compile('adam')"
            ),
            False,
        ),
        ("m.compile(keras.optimizers.Adam(0.1))", False),
        ("m.compile(keras.optimizers.Adam(rate))", False),
        ("m.compile('adam')", False),
    ],
)
def test_a_schedule_of_the_optimizer_is_found_beside_a_plateau(
    tmp_path: Path, compiled: str, *, found: bool
) -> None:
    text = (
        f"{MODEL}{compiled}\nm.fit(*x, validation_data=v, "
        "callbacks=[ReduceLROnPlateau()])"
    )
    expected = ["schedule-beside-plateau"] if found else []
    assert codes(tmp_path, text) == expected
    # what a scheduler sets is code, and so is not read: that it sets it is enough
    other = text.replace("ReduceLROnPlateau()", "LearningRateScheduler(drop)")
    expected = ["schedule-beside-scheduler"] if found else []
    assert codes(tmp_path, other) == expected
    # Keras 2.15 sets it, and the schedule sets its own at the next step
    assert codes(tmp_path, other, "keras-2.15") == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def train(r):\n{fit}train({S}.CosineDecay(1, 2))", True),
        ("def train(*, r=0.1):\n{fit}train(r={S}.CosineDecay(1, 2))", True),
        # one of the two trainings would go well
        ("def train(r):\n{fit}train({S}.CosineDecay(1, 2))\ntrain(0.1)", False),
        ("def train(r=0.1):\n{fit}train()", False),
        # it may be run from elsewhere
        ("def train(r):\n{fit}", False),
        ("def train(r):\n{fit}    train(r)\ntrain({S}.CosineDecay(1, 2))", True),
        ("def rate(n):\n    return {S}.CosineDecay(1, n)\nr = rate(3)\n{top}", True),
        (
            (
                "def rate(n):\n    if n:\n        return {S}.CosineDecay(1, n)\n"
                "    return 0.1\nr = rate(3)\n{top}"
            ),
            False,
        ),
        (
            "r = {S}.CosineDecay(1, 2) if warm else {S}.PolynomialDecay(1, 2)\n{top}",
            True,
        ),
        ("r = {S}.CosineDecay(1, 2) if warm else 0.1\n{top}", False),
        (
            (
                "class T:\n    def __init__(self, rate):\n        self.rate = rate\n"
                "    def run(self):\n        r = self.rate\n    {fit}"
                "T({S}.CosineDecay(1, 2)).run()"
            ),
            True,
        ),
        (
            (
                "class T:\n    def __init__(self, rate):\n        self.rate = rate\n"
                "    def run(self):\n        r = self.rate\n    {fit}"
                "t = T({S}.CosineDecay(1, 2))\nt.rate = 0.1\nt.run()"
            ),
            False,
        ),
    ],
)
def test_a_schedule_is_followed_to_where_the_optimizer_gets_it(
    tmp_path: Path, text: str, *, found: bool
) -> None:
    top = (
        "m.compile(keras.optimizers.Adam(r), 'mse'); "
        "m.fit(*x, validation_data=v, callbacks=[ReduceLROnPlateau()])\n"
    )
    indent = "        " if text.startswith("class") else "    "
    fit = f"{indent.removeprefix('    ' if '    {fit}' in text else '')}{top}"
    script = MODEL + text.format(S=SCHEDULES, top=top, fit=fit)
    assert codes(tmp_path, script) == (["schedule-beside-plateau"] if found else [])


ADAM = "keras.optimizers.Adam"
COSINE = f"{SCHEDULES}.CosineDecay(1, 2)"


def beside_schedules(path: Path, text: str) -> tuple[list[str], list[str]]:
    """Return the findings beside a ReduceLROnPlateau, and what is not read of rates."""
    fit = "m.fit(*x, validation_data=v, callbacks=[ReduceLROnPlateau()])"
    script = read(path, f"{MODEL}{text}\n{fit}")
    found = lint_script(script, semantics="keras-3.15")
    return [placed.finding.code for placed in found], list(unchecked_rates(script))


@pytest.mark.parametrize(
    "text",
    [
        # every optimizer that the name means has the schedule
        (
            f"o = {ADAM}({COSINE})\no = keras.optimizers.LossScaleOptimizer(o)\n"
            "m.compile(o)"
        ),
        (
            f"if a:\n    o = {ADAM}({COSINE})\nelse:\n    o = {ADAM}({COSINE})\n"
            "m.compile(o)"
        ),
        f"o = [{ADAM}({COSINE}), {ADAM}(0.1)]\nm.compile(o[0])",
        f"o = {{'a': {ADAM}({COSINE}), 'b': {ADAM}(0.1)}}\nm.compile(o['a'])",
        f"o = {{'a': {ADAM}({COSINE}), 'b': {ADAM}({COSINE})}}\nm.compile(o[kind])",
        f"m.compile(o := {ADAM}({COSINE}))",
        f"d = dict(optimizer={ADAM}({COSINE}), loss='mse')\nm.compile(**d)",
        f"d = {{'learning_rate': {COSINE}}}\nm.compile({ADAM}(**d))",
        (
            f"class Warm({SCHEDULES}.LearningRateSchedule):\n    pass\n"
            f"class Slow(Warm):\n    pass\nm.compile({ADAM}(Slow()))"
        ),
        (
            "class T:\n    def __init__(self):\n        self.o = None\n"
            f"    def go(self):\n        self.o = {ADAM}({COSINE})\n"
            "        m.compile(self.o)"
        ),
    ],
)
def test_a_schedule_is_followed_to_every_optimizer_that_compile_may_get(
    tmp_path: Path, text: str
) -> None:
    assert beside_schedules(tmp_path, text) == (["schedule-beside-plateau"], [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            f"from own import make\no = {ADAM}({COSINE})\no = make(o)\nm.compile(o)",
            "'make(o)' is not followed",
        ),
        (
            f"o = {ADAM}(0.1)\no.learning_rate = {COSINE}\nm.compile(o)",
            "'o' is changed",
        ),
        (
            f"m.compile('adam')\nm.optimizer.learning_rate = {COSINE}",
            "'m.optimizer.learning_rate' is set in line",
        ),
        (
            f"m.compile('adam')\nsetattr(m.optimizer, 'lr', {COSINE})",
            "'m.optimizer.lr' is set in line",
        ),
        (f"r = 0.1\nif warm:\n    r = {COSINE}\nm.compile({ADAM}(r))", "it may be"),
        (f"for r in [0.1, {COSINE}]:\n    m.compile({ADAM}(r))", "it may be"),
        # none of them is in the script
        ("from own import load\nm = load()", "no compile of"),
        (f"from own import Warm\nm.compile({ADAM}(Warm(1)))", "'Warm(1)' is not"),
        (f"import own\nm.compile({ADAM}(own.RATE))", "'own.RATE' is not followed"),
        ("from own import make\no, _ = make()\nm.compile(o)", "'o' is not assigned"),
        (
            f"def go(rate):\n    m.compile({ADAM}(rate))",
            "'rate' is a parameter of 'go'",
        ),
        ("from own import options\nm.compile(**options)", "what 'options' gives"),
        # Keras 3 refuses to set a rate that is a function, too (AttributeError)
        (f"m.compile({ADAM}(lambda: 0.1))", "'lambda: 0.1' is a function"),
        (f"def r():\n    return 0.1\nm.compile({ADAM}(r))", "'r' is a function"),
    ],
)
def test_a_rate_that_may_be_a_schedule_is_named_as_not_read(
    tmp_path: Path, text: str, why: str
) -> None:
    found, (told,) = beside_schedules(tmp_path, text)
    assert found == []
    assert f"has a LearningRateSchedule is not read ({why}" in told
    assert told.endswith("ReduceLROnPlateau is not checked beside one")


@pytest.mark.parametrize(
    "text",
    [
        "m.compile('adam')",
        "m.compile()",
        f"m.compile({ADAM}())",
        f"m.compile({ADAM}(0.1))",
        f"r = 0.1\nr = r / 2\nm.compile({ADAM}(r))",
        f"r = 0.1\nr *= 2\nm.compile({ADAM}(r))",
        # settings are texts and numbers
        f"import argparse\na = argparse.Namespace(lr=0.1)\nm.compile({ADAM}(a.lr))",
        f"import yaml\nc = yaml.safe_load(f)\nm.compile({ADAM}(c['lr']))",
        f"def build(hp):\n    m.compile({ADAM}(hp.Choice('lr', [0.1, 0.2])))\n",
        f"for r in (0.1, 0.2):\n    m.compile({ADAM}(r))",
        f"def go(r=0.1):\n    m.compile({ADAM}(r))\ngo()",
        "m.compile('adam')\nm.optimizer.learning_rate = 0.1",
        # a schedule that is imported, and never used
        f"from keras.optimizers.schedules import CosineDecay\nm.compile({ADAM}(a.lr))",
    ],
)
def test_a_rate_that_no_code_can_make_a_schedule_is_not_named(
    tmp_path: Path, text: str
) -> None:
    if "from keras" in text or "yaml" in text:
        text = f"a = f = open('a')\n{text}"
    assert beside_schedules(tmp_path, text) == ([], [])


def test_an_argument_is_followed_through_an_object_of_the_script(
    tmp_path: Path,
) -> None:
    text = (
        f"{MODEL}class T:\n    def __init__(self, wait=5):\n        self.wait = wait\n"
        "    def run(self):\n        m.fit(*x, validation_data=v, callbacks=["
        "EarlyStopping(patience=self.wait, restore_best_weights=True)])\n"
    )
    assert codes(tmp_path, text + "T(-3).run()") == ["negative-patience"]
    assert codes(tmp_path, text + "T(-3).run(); T().run()") == []
    assert codes(tmp_path, text + "t = T(-3); t.wait = 4; t.run()") == []


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("", True),
        ("validation_split=0.0", True),
        ("validation_data=None", True),
        ("validation_split=0.2", False),
        ("validation_data=(a, b)", False),
        ("validation_data=maybe", False),
        ("**options", False),
    ],
)
def test_a_fit_without_validation_logs_no_val(
    tmp_path: Path, given: str, *, found: bool
) -> None:
    text = (
        f"{MODEL}m.compile('adam', 'mse')\nm.fit(x, callbacks=["
        f"EarlyStopping(patience=3, restore_best_weights=True)], {given})"
    )
    assert ("absent-monitor" in codes(tmp_path, text)) is found


@pytest.mark.parametrize(
    ("optimizer", "more", "found"),
    [
        ("keras.optimizers.Adam(1e-3)", "", True),
        ("keras.optimizers.SGD(learning_rate=R)", "R = 1e-3\n", True),
        ("keras.optimizers.Adam(0.1)", "", False),
        ("keras.optimizers.Adam(rate)", "", False),
        # float(keras.optimizers.get("adam").learning_rate) is 0.001, of "sgd" 0.01
        ("keras.optimizers.Adam()", "", True),
        ("'adam'", "", True),
        ("'SGD'", "", True),
        ("keras.optimizers.Adadelta()", "", True),
        ("keras.optimizers.get('adam')", "", True),
        ("keras.optimizers.get(keras.optimizers.Adam(1e-3))", "", True),
        (
            "keras.optimizers.get({'class_name': 'Adam', 'config': {'lr': 1.0}})",
            "",
            False,
        ),
        ("'ftrl'", "", True),
        # of this one the oldest versions with rules have another, or none
        ("keras.optimizers.Lion()", "", False),
        ("Adam()", "from other import Adam\n", False),
        # the first argument of another package's may be the decay of the weights
        ("tfa.optimizers.AdamW(1e-3)", "import tensorflow_addons as tfa\n", False),
        ("keras.optimizers.Adam(1e-3)", "m.optimizer.learning_rate = 0.1\n", False),
        ("keras.optimizers.Adam(1e-3)", "more.append(Warmup())\n", False),
    ],
)
def test_the_rate_that_compile_gives_tells_that_a_floor_is_above_it(
    tmp_path: Path, optimizer: str, more: str, *, found: bool
) -> None:
    text = (
        f"{MODEL}more = []\n{more}m.compile({optimizer}, 'mse')\n"
        "cut = ReduceLROnPlateau(factor=0.5, min_lr=0.01)\n"
        "m.fit(x, validation_data=v, callbacks=[cut, *more])\n"
    )
    # only a rate above min_lr is reduced, and 0.001 is not above 0.01
    assert codes(tmp_path, text) == (["floor-above-rate"] if found else [])


@pytest.mark.parametrize(
    ("made", "given", "found"),
    [
        # the call itself shows it, whatever is known of the model and its compile
        ("from models import build\nm = build()\n", "x, y, epochs=15", True),
        ("", "x, y, epochs=15", True),
        ("def train(m):\n  ", "x, y, epochs=15", True),
        # by its place validation_data may stand there, and ** may hold it
        ("from models import build\nm = build()\n", "*data, epochs=15", False),
        ("m = build()\n", "x, epochs=15, **options", False),
        # AutoKeras parts a fifth of the data off by itself; so may a fit of one's own
        ("import autokeras as a\nm = a.ImageClassifier()\n", "x, y, epochs=15", False),
        ("class T:\n  def fit(self, x):\n    f(x)\nm = f()\n", "x, epochs=15", False),
    ],
)
def test_a_fit_shows_by_itself_that_it_validates_nothing(
    tmp_path: Path, made: str, given: str, *, found: bool
) -> None:
    stop = "EarlyStopping(patience=30, restore_best_weights=True)"
    told = codes(tmp_path, f"{made}m.fit({given}, callbacks=[{stop}])")
    # without a value there is nothing that a patience of 14 could count
    assert told == (["absent-monitor"] if found else ["patience-beyond-plan"])


@pytest.mark.parametrize(
    ("metric", "semantics", "expected"),
    [
        # Keras 3.15 asks the metric: a function has no direction, AUC has one
        ("dice", "keras-3.15", "auto-unknown"),
        ("keras.metrics.AUC(name='dice')", "keras-3.15", None),
        # before, the name decides
        ("keras.metrics.AUC(name='dice')", "keras-2.15", "auto-mode-against-metric"),
    ],
)
def test_the_direction_of_a_compiled_metric_is_known(
    tmp_path: Path, metric: str, semantics: str, expected: str | None
) -> None:
    text = (
        "def dice(a, b):\n    return a\n"
        f"{MODEL}m.compile('adam', 'mse', metrics=[{metric}])\n"
        "m.fit(*x, validation_data=v, callbacks=["
        "EarlyStopping('val_dice', patience=3, restore_best_weights=True)])"
    )
    assert codes(tmp_path, text, semantics) == ([expected] if expected else [])


def test_a_comprehension_over_monitors_gives_each_of_them(tmp_path: Path) -> None:
    text = (
        f"{MODEL}m.compile('adam', 'mse', metrics=['mae'])\n"
        "m.fit(*x, validation_data=v, callbacks=[EarlyStopping(name, patience=3, "
        "mode='max', restore_best_weights=True) for name in ['val_mae', 'val_loss']])"
    )
    assert codes(tmp_path, text) == ["mode-against-metric"]


@pytest.mark.parametrize(
    ("metric", "found"),
    [
        ("keras.metrics.AUC(name='skill')", True),
        ("keras.metrics.SparseTopKCategoricalAccuracy(name='skill')", True),
        # may be far below 0; in percent; a function that may be anything
        ("keras.metrics.R2Score(name='skill')", False),
        ("keras.metrics.MeanAbsolutePercentageError(name='skill')", False),
        ("skill", False),
    ],
)
def test_a_class_tells_that_a_metric_lies_between_0_and_1_whatever_its_name(
    tmp_path: Path, metric: str, *, found: bool
) -> None:
    text = (
        "def skill(a, b):\n    return a\n"
        f"{MODEL}m.compile('adam', 'mse', metrics=[{metric}])\n"
        "m.fit(*x, validation_data=v, callbacks=[EarlyStopping('val_skill', "
        "mode='auto', min_delta=1, patience=3, restore_best_weights=True)])"
    )
    mode = "min" if "Percentage" in metric else "max"
    told = codes(tmp_path, text.replace("auto", mode))
    assert told == (["min-delta-beyond-range"] if found else [])


def test_the_search_of_a_tuner_is_a_fit(tmp_path: Path) -> None:
    # keras_tuner hands the arguments of `search` to the `fit` of each trial
    text = (
        "import re\nfound = re.search('a', 'b')\n"
        "stop = EarlyStopping(patience=60, restore_best_weights=True)\n"
        "tuner.search(*x, epochs=50, validation_data=v, callbacks=[stop])\n"
    )
    assert codes(tmp_path, text) == ["patience-beyond-plan"]
    assert not read(tmp_path, text).unread


@pytest.mark.parametrize(
    ("given", "checkpoint", "found"),
    [
        ("initial_epoch=10", "ModelCheckpoint('b.keras', save_best_only=True)", True),
        (
            "initial_epoch=first.epoch[-1]",
            "ModelCheckpoint('b.keras', save_best_only=True)",
            True,
        ),
        (
            "initial_epoch=len(first.epoch)",
            "ModelCheckpoint('b.keras', save_best_only=True)",
            True,
        ),
        # what is no history, and one whose last epoch is the first
        *(
            (
                f"initial_epoch={epoch}",
                "ModelCheckpoint('b.keras', save_best_only=True)",
                False,
            )
            for epoch in ("args.epoch", "short.epoch[-1]", "unknown.epoch[-1]")
        ),
        ("initial_epoch=0", "ModelCheckpoint('b.keras', save_best_only=True)", False),
        ("initial_epoch=n", "ModelCheckpoint('b.keras', save_best_only=True)", False),
        ("", "ModelCheckpoint('b.keras', save_best_only=True)", False),
        (
            "initial_epoch=10",
            "ModelCheckpoint('{epoch}.keras', save_best_only=True)",
            False,
        ),
        (
            "initial_epoch=10",
            (
                "ModelCheckpoint('b.keras', save_best_only=True, "
                "initial_value_threshold=0.3)"
            ),
            False,
        ),
    ],
)
def test_a_resumed_fit_that_overwrites_the_best_file_is_found(
    tmp_path: Path, given: str, checkpoint: str, *, found: bool
) -> None:
    text = (
        "first = m.fit(*x, epochs=5)\nshort = m.fit(*x, epochs=1)\n"
        f"m.fit(*x, callbacks=[{checkpoint}], validation_data=v, {given})"
    )
    assert codes(tmp_path, text) == (["overwrites-after-resume"] if found else [])


def test_a_checkpoint_of_an_earlier_fit_may_know_its_best(tmp_path: Path) -> None:
    text = (
        "best = ModelCheckpoint('b.keras', save_best_only=True)\n"
        "m.fit(*x, callbacks=[best], validation_data=v, epochs=5)\n"
        "m.fit(*x, callbacks=[best], validation_data=v, initial_epoch=5)"
    )
    assert codes(tmp_path, text) == []


# --- classes that a script changes


@pytest.mark.parametrize(
    "change",
    [
        "keras.callbacks.EarlyStopping = Own",
        "keras.callbacks = own",
        "setattr(keras.callbacks, 'EarlyStopping', Own)",
        "setattr(keras.callbacks, name, Own)",
        "k = keras.callbacks\nk.EarlyStopping = Own",
        "EarlyStopping.on_epoch_end = own",
        "keras.callbacks.EarlyStopping.__init__ = own",
        "keras.callbacks.Callback.set_model = own",
        "EarlyStopping.__init__.__defaults__ = (None, 9)",
        "keras.callbacks.EarlyStopping.__init__.__kwdefaults__ = own",
        "from keras import callbacks as kc\nkc.EarlyStopping, other = Own, 1",
        "import tensorflow as tf\ntf.keras.callbacks.EarlyStopping = Own",
        "del EarlyStopping.on_train_end",
        "patch('keras.callbacks.EarlyStopping', Own)",
        "patch.object(EarlyStopping, 'on_epoch_end', own)",
        "monkeypatch.setattr(keras.callbacks, 'EarlyStopping', Own)",
        "class EarlyStopping(keras.callbacks.EarlyStopping): pass",
        "def EarlyStopping(**k): return Own()",
        "EarlyStopping = partial(EarlyStopping, patience=9)",
    ],
)
def test_a_class_that_the_script_changes_is_not_taken_for_keras_s(
    tmp_path: Path, change: str
) -> None:
    fit = "m.fit(*x, callbacks=[EarlyStopping(patience=-1)])"
    script = read(tmp_path, f"{change}\n{fit}")
    assert not lint_script(script)
    assert script.unread
    with pytest.raises(ExpressionError, match=r"is changed|not Keras's|more than once"):
        read_script_callbacks(script.source.path)


def test_what_a_script_sets_elsewhere_changes_no_class(tmp_path: Path) -> None:
    text = (
        "keras.backend.image_format = 'a'\nself.model = m\ncfg.patience_of = 3\n"
        f"m.fit(*x, callbacks=[{STOP}])"
    )
    assert held(read(tmp_path, text)) == [[STOP]]


# --- callbacks of the script's own that only watch

WATCHING = {
    "old super": (
        "def __init__(self):\n        super(Own, self).__init__()\n"
        "        self.count = 0\n"
        "    def on_epoch_end(self, epoch, logs=None):\n        self.count += 1"
    ),
    "prints": "def on_epoch_end(self, epoch, logs=None):\n        print(epoch, logs)",
    "keeps": (
        "def __init__(self, every=2):\n        super().__init__()\n"
        "        self.every, self.seen = every, []\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        logs = logs or {}\n"
        "        if epoch % self.every == 0:\n"
        "            self.seen.append(logs.get('loss'))"
    ),
    "predicts": (
        "def on_epoch_end(self, epoch, logs=None):\n"
        "        guess = self.model.predict(1)\n"
        "        print(f'{np.mean(guess):.2f} {logs[\"loss\"]}')"
    ),
    "writes": (
        "def on_epoch_end(self, epoch, logs=None):\n"
        "        with open('a', 'a') as file:\n"
        "            file.write(str(logs))"
    ),
}
DECIDING = {
    "stops": "def on_epoch_end(self, e, l):\n        self.model.stop_training = True",
    "sets": (
        "def on_epoch_end(self, e, logs):\n"
        "        self.model.optimizer.learning_rate.assign(0.1)"
    ),
    "logs": "def on_epoch_end(self, e, logs):\n        logs['val_f1'] = 1",
    "merges": "def on_epoch_end(self, e, logs):\n        logs |= {'a': 1}",
    "merges alias": (
        "def on_epoch_end(self, e, logs):\n        seen = logs or {}\n"
        "        seen |= {'a': 1}"
    ),
    "updates": "def on_epoch_end(self, e, logs):\n        logs.update(a=1)",
    "renames": (
        "def on_epoch_end(self, e, logs):\n        m = self.model\n"
        "        m.stop_training = True"
    ),
    "hands": "def on_epoch_end(self, e, logs):\n        finish(self)",
    "gets": (
        "def on_epoch_end(self, e, logs):\n"
        "        getattr(self, 'mo' + 'del').stop_training = True"
    ),
    "raises": "def on_epoch_end(self, e, logs):\n        raise KeyboardInterrupt",
    "exits": "def on_epoch_end(self, e, logs):\n        exit()",
    "global": "def on_epoch_end(self, e, logs):\n        model.stop_training = True",
    "weights": "def on_epoch_end(self, e, logs):\n        self.model.set_weights(1)",
    "trains": "def on_epoch_end(self, e, logs):\n        self.model.fit(1)",
    "hooks": "def set_model(self, model):\n        model.stop_training = True",
    "stores": "stop = stopper.on_epoch_end",
    "dunder": (
        "def on_epoch_end(self, e, logs):\n"
        "        self.__dict__['_model'].stop_training = True"
    ),
}


@pytest.mark.parametrize("body", WATCHING.values(), ids=WATCHING)
def test_an_own_callback_that_only_watches_is_left_out_with_a_note(
    tmp_path: Path, body: str
) -> None:
    text = (
        f"import numpy as np\nclass Own(keras.callbacks.Callback):\n    {body}\n"
        f"m.fit(*x, callbacks=[Own(), {STOP}])"
    )
    script = read(tmp_path, text)
    assert not script.unread
    read_for_replay = read_script_callbacks(script.source.path)
    assert [callback.code for callback in read_for_replay.callbacks] == ["Own()", STOP]
    assert (
        "Own is not Keras's, and is taken for one that only"
        in (read_for_replay.notes[-1])
    )


@pytest.mark.parametrize("body", DECIDING.values(), ids=DECIDING)
def test_an_own_callback_that_may_decide_is_never_left_out(
    tmp_path: Path, body: str
) -> None:
    text = (
        f"class Own(keras.callbacks.Callback):\n    {body}\n"
        f"m.fit(*x, callbacks=[Own(), {STOP}])"
    )
    script = read(tmp_path, text)
    assert [part.problem[:5] for part in script.unread] == ["'Own'"]
    with pytest.raises(ExpressionError, match="'Own' is not Keras's but defined in"):
        read_script_callbacks(script.source.path)


@pytest.mark.parametrize(
    "head",
    [
        "class Own(EarlyStopping):",
        "class Own(keras.callbacks.Callback, Mixin):",
        "@wrapped\nclass Own(keras.callbacks.Callback):",
        "class Own(Base):",
    ],
)
def test_an_own_callback_on_another_base_is_never_left_out(
    tmp_path: Path, head: str
) -> None:
    text = f"{head}\n    pass\nm.fit(*x, callbacks=[Own(), {STOP}])"
    with pytest.raises(ExpressionError, match="'Own' is not Keras's"):
        read_script_callbacks(read(tmp_path, text).source.path)


def test_another_package_s_logger_is_left_out_with_a_note(tmp_path: Path) -> None:
    text = (
        "import wandb\nfrom tqdm.keras import TqdmCallback\n"
        f"m.fit(*x, callbacks=[wandb.keras.WandbCallback(), TqdmCallback(), {STOP}])"
    )
    found = read_script_callbacks(read(tmp_path, text).source.path)
    assert [callback.class_name for callback in found.callbacks] == [
        "WandbCallback",
        "TqdmCallback",
        "EarlyStopping",
    ]
    assert len(found.notes) == len(["wandb", "tqdm"])


@pytest.mark.parametrize(
    "made", ["recorded([{}], 'runs/a')", "[{}, Recorder('runs/a')]"]
)
def test_a_fit_that_this_package_records_is_read_like_any_other(
    tmp_path: Path, made: str
) -> None:
    listed = "EarlyStopping(patience=4), ReduceLROnPlateau(patience=8, min_delta=0)"
    text = (
        "from cbreplay import recorded, Recorder\nimport cbreplay\n"
        "from keras.callbacks import EarlyStopping, ReduceLROnPlateau\n"
        f"m.fit(*x, validation_data=y, epochs=50, callbacks={made.format(listed)})"
    )
    named = text.replace("[EarlyStopping(patience=4)", "[es")
    named = named.replace("m.fit", "es = EarlyStopping(patience=4)\nm.fit")
    named = named.replace("=recorded", "=cbreplay.recorded")
    for spelled in (text, named):
        script = read(tmp_path, spelled).source.path
        rules = read_script_callbacks(script).callbacks
        assert [rule.class_name for rule in rules][:2] == [
            "EarlyStopping",
            "ReduceLROnPlateau",
        ]
        # what another list may hold is not told of it
        told = read_script_callbacks(script).notes
        assert not [note for note in told if "Recorder" not in note]


# --- notebooks


def notebook(path: Path, *cells: str) -> str:
    written = path / "train.ipynb"
    listed = [
        {"cell_type": "markdown", "source": ["# EarlyStopping(patience=-1)"]},
        *({"cell_type": "code", "source": cell} for cell in cells),
    ]
    written.write_text(json.dumps({"cells": listed, "nbformat": 4}))
    return str(written)


def test_a_notebook_is_read_cell_by_cell(tmp_path: Path) -> None:
    path = notebook(
        tmp_path,
        "%matplotlib inline\n!pip install keras\nimport keras",
        "%%time\nstop = keras.callbacks.EarlyStopping(patience=-1)\nstop?",
        "%%bash\nrm -r $HOME",
        "files = !ls\nif files:\n    !ls\n",
        "model.fit(x,\n  callbacks=[stop, Own()])",
        "this is no Python",
    )
    script = read_training_script(path)
    (placed,) = lint_script(script)
    assert placed.finding.code == "negative-patience"
    place = script.source.place
    assert place(placed.member.call.lineno) == "code cell 2, line 2"
    assert [place(part.line) for part in script.unread] == ["code cell 5, line 2"]
    assert script.source.notes == ("code cell 6: it is not Python, and is not read",)


def test_a_notebook_is_replayed_as_a_script_is(tmp_path: Path) -> None:
    path = notebook(tmp_path, "import keras", f"m.fit(*x, callbacks=[{STOP}])")
    assert [one.code for one in read_script_callbacks(path).callbacks] == [STOP]
    path = notebook(tmp_path, "import keras", "m.fit(*x, callbacks=[Own()])")
    with pytest.raises(ExpressionError, match="code cell 2, line 1: 'Own'"):
        read_script_callbacks(path)


def test_of_a_notebook_only_so_much_code_is_read(tmp_path: Path) -> None:
    path = notebook(tmp_path, *["x = 1\n" * 20_000] * 3)
    with pytest.raises(ExpressionError, match="its code is longer than 300000"):
        read_script_callbacks(path)


def test_a_link_is_no_script_of_a_directory(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "private.py").write_text("EarlyStopping(patience=7)")
    (inside / "link.py").symlink_to(tmp_path / "private.py")
    (inside / "loop.py").symlink_to("loop.py")
    (inside / "above").symlink_to(tmp_path, target_is_directory=True)
    (inside / "own.py").write_text("EarlyStopping(patience=7)")
    assert [Path(path).name for path in find_scripts(str(inside))] == ["own.py"]


def test_no_more_of_a_directory_is_looked_through_than_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cbreplay.scripts.sources._MOST_BYTES", 100_000)
    for number in range(3):
        with (tmp_path / f"{number}.ipynb").open("wb") as file:
            # a file may declare any size, and take no room
            file.truncate(40_000)
    with pytest.raises(ExpressionError, match="it holds more than 512 MiB of scripts"):
        find_scripts(str(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_among_scripts_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    (tmp_path / "b.py").write_text(f"{HEAD}m.fit(*x, callbacks=[{STOP}])\n")
    assert [Path(path).name for path in find_scripts(str(tmp_path))] == ["b.py"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"cells": 3}', '{"cells": [{}]}', "{" * 100_000]
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    with pytest.raises(ExpressionError, match=r"it is no (whole )?notebook: "):
        read_training_script(str(path))


def test_a_cell_may_be_indented_as_a_whole(tmp_path: Path) -> None:
    # IPython 7 and 8 took the spaces of the first line away; 9 takes those of all lines
    cell = f" {HEAD}\n stop = {STOP}\nm.fit(*x, callbacks=[stop])"
    (fit,) = read_training_script(notebook(tmp_path, cell)).fits
    assert len(fit.members) == 1


# --- no text takes for ever

GROWN = "c = []\nif a:\n" + f"    c.append({STOP})\n" * 150


# several times what the largest of them takes
MOST_CALLS = 20_000_000


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "text",
    [
        GROWN + "m.fit(callbacks=c)\n" * 5,
        "".join(f"a{i} = [*a{i + 1}, *a{i + 1}]\n" for i in range(60))
        + "m.fit(callbacks=a0)",
        "".join(f"def f{i}():\n    return f{i + 1}() + f{i + 1}()\n" for i in range(60))
        + "m.fit(callbacks=f0())",
        f"m.fit(callbacks=[{STOP}])\n" * 3_000,
        "c = c + c\nc = c * 2\nm.fit(callbacks=c)",
        "def f(c):\n    f(c)\n    m.fit(callbacks=c)\nf(c)",
    ],
)
def test_what_grows_is_read_or_refused_in_few_steps(tmp_path: Path, text: str) -> None:
    """Twice sixty times doubled, nobody would see its end."""
    n_calls = 0

    def count_call(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal n_calls
        n_calls += event == "call"
        assert n_calls < MOST_CALLS, "it goes through what doubles"

    sys.setprofile(count_call)
    try:
        with contextlib.suppress(ExpressionError):
            lint_script(read(tmp_path, text), semantics="keras-3.15")
    finally:
        sys.setprofile(None)


# --- partials, and what Keras does not take

PARTIAL = "from functools import partial\nimport functools\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("make = partial(EarlyStopping, patience=5)\nc = make()", [STOP]),
        # what the call gives takes the place of what the partial has
        ("make = partial(EarlyStopping, patience=9)\nc = make(patience=5)", [STOP]),
        ("c = functools.partial(EarlyStopping, patience=5)()", [STOP]),
        (
            (
                "first = partial(EarlyStopping, 'loss')\n"
                "make = partial(first, patience=5)\nc = make(0.1)"
            ),
            ["EarlyStopping(monitor='loss', min_delta=0.1, patience=5)"],
        ),
        (
            (
                "def build():\n    make = partial(EarlyStopping, patience=5)\n"
                "    return [make(), make(monitor='loss')]\nc = build()"
            ),
            [STOP, "EarlyStopping(patience=5, monitor='loss')"],
        ),
        (
            (
                "P = 5\nmake = partial(EarlyStopping, patience=P)\n"
                "def build():\n    return make()\nc = build()"
            ),
            [STOP],
        ),
        ("make = partial(CSVLogger, 'a.csv')\nc = make()", ["CSVLogger('a.csv')"]),
        # what is not certain stays unread
        ("make = partial(EarlyStopping)\nmake = partial(X)\nc = make()", []),
        ("make = partial(EarlyStopping)\nmake.keywords['a'] = 1\nc = make()", []),
        ("make = partial(*anything)\nc = make()", []),
        ("c = partial()()", []),
        (
            (
                "make = partial(EarlyStopping, patience=P)\n"
                "def build(P):\n    return make()\nP = 5\nc = build(7)"
            ),
            [],
        ),
        ("def partial(f, **a): ...\nc = partial(EarlyStopping)()", []),
        (
            (
                "class A:\n    make = partial(EarlyStopping)\n"
                "    def build(self):\n        return make()\nc = A().build()"
            ),
            [],
        ),
    ],
)
def test_a_partial_of_a_callback_is_followed(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    script = read(tmp_path, f"{PARTIAL}{text}\nm.fit(*x, callbacks=c)")
    (members,) = held(script)
    written = [sorted(re.split(r"[(,)] ?", code)) for code in members]
    assert written == [sorted(re.split(r"[(,)] ?", code)) for code in expected]


def test_a_partial_is_placed_where_it_is_called(tmp_path: Path) -> None:
    text = "make = partial(EarlyStopping, patience=-1)\nm.fit(*x, callbacks=[make()])"
    (placed,) = lint_script(read(tmp_path, f"{PARTIAL}{text}"))
    assert placed.finding.code == "negative-patience"
    assert placed.member.call.lineno == N_HEAD + 4


def test_a_partial_is_followed_by_a_replay_too(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    text = "make = partial(EarlyStopping, patience=9)\n"
    script.write_text(f"{HEAD}{PARTIAL}{text}m.fit(*x, callbacks=[make(patience=5)])")
    (callback,) = read_script_callbacks(str(script)).callbacks
    assert callback == EarlyStopping(patience=5)


def test_many_calls_of_a_long_partial_take_no_time(tmp_path: Path) -> None:
    long = ", ".join(map(str, range(2_000)))
    calls = "make(), " * 2_000
    text = f"make = partial(EarlyStopping, [{long}])\nm.fit(*x, callbacks=[{calls}])"
    began = time.perf_counter()
    read(tmp_path, f"{PARTIAL}{text}")
    assert time.perf_counter() - began < 10


# that Keras does so stands in test_lint_claims.py
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("ReduceLROnPlateau(factor=1.5)", "raises ValueError for factor=1.5"),
        ("ReduceLROnPlateau(factor=1)", "raises ValueError for factor=1"),
        (
            "ModelCheckpoint('{epoch}.keras', save_freq='batch')",
            "raises ValueError for save_freq='batch'",
        ),
        (
            "EarlyStopping(mode='maximum', patience=1)",
            "takes 'auto', with a warning, for mode='maximum'",
        ),
        (
            "EarlyStopping(patience=1, verbose='1', restore_best_weights=True)",
            "raises TypeError, when it stops training, for verbose='1'",
        ),
        (
            "ModelCheckpoint('{epoch}.keras', verbose=None)",
            "raises TypeError, when it first saves, for verbose=None",
        ),
        (
            "ReduceLROnPlateau(patience=2, min_lr=None)",
            "never reduces, and raises no error, for min_lr=None",
        ),
        (
            "ModelCheckpoint('a.keras', 'loss', 0, True, initial_value_threshold='5')",
            "in the first epoch with its monitor, for initial_value_threshold='5'",
        ),
        (
            "EarlyStopping(patience=1, restore_best_weights='False')",
            "takes True for restore_best_weights='False'",
        ),
        (
            "ModelCheckpoint('{epoch}.keras', save_weights_only='')",
            "takes False for save_weights_only=''",
        ),
    ],
)
def test_what_keras_does_not_take_is_a_finding(
    tmp_path: Path, call: str, expected: str
) -> None:
    found = lint_script(read(tmp_path, f"m.fit(*x, callbacks=[{call}])"))
    assert [placed.finding.code for placed in found] == ["refused-value"]
    assert found[0].finding.message.endswith(expected)


@pytest.mark.parametrize(
    "call",
    [
        # either may be meant
        "ReduceLROnPlateau(factor=1.5 if flag else 0.5)",
        "ReduceLROnPlateau(factor=args.factor)",
        # batches; a log of epochs cannot replay them, and Keras takes them
        "ModelCheckpoint('{epoch}.keras', save_freq=100)",
        "ModelCheckpoint('{epoch}.keras', save_freq=True)",
    ],
)
def test_what_keras_takes_is_none(tmp_path: Path, call: str) -> None:
    assert codes(tmp_path, f"m.fit(*x, callbacks=[{call}])") == []


def test_what_is_refused_leaves_the_other_findings(tmp_path: Path) -> None:
    """Keras takes 'auto' for another mode, and goes on."""
    text = "c = [ReduceLROnPlateau('loss', 0.5, -1, mode='m')]\nm.fit(*x, callbacks=c)"
    assert codes(tmp_path, text) == ["negative-patience", "refused-value"]


# that the wrapped optimizer does as the bare one stands in test_lint_claims.py
@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ("keras.optimizers.LossScaleOptimizer(inner)", 1),
        ("keras.mixed_precision.LossScaleOptimizer(inner_optimizer=inner)", 1),
        ("keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.1))", 0),
        ("keras.optimizers.LossScaleOptimizer(unknown)", 0),
        ("keras.optimizers.LossScaleOptimizer()", 0),
        ("other.LossScaleOptimizer(inner)", 0),
    ],
)
def test_a_schedule_is_found_inside_a_loss_scale_optimizer(
    tmp_path: Path, optimizer: str, expected: int
) -> None:
    text = (
        "import other\nrate = keras.optimizers.schedules.CosineDecay(0.1, 9)\n"
        "inner = keras.optimizers.Adam(learning_rate=rate)\n"
        f"m = keras.Sequential()\nm.compile({optimizer}, 'mse')\n"
        "m.fit(*x, validation_data=v, callbacks=[ReduceLROnPlateau()])"
    )
    assert codes(tmp_path, text).count("schedule-beside-plateau") == expected


# --- what a file's name holds

COMPILED = (
    "m = keras.Sequential([keras.layers.Dense(1)])\n"
    "m.compile('adam', 'mse', metrics=['accuracy'])\n"
)
OWN = (
    "class Own(Callback):\n    def on_epoch_end(self, epoch, logs):\n"
    "        logs['{}'] = 1\n"
)
VALIDATED = "m.fit(*x, validation_split=0.2, callbacks=[{}])"


# that Keras raises KeyError there, and only there, stands in test_lint_claims.py
@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        (VALIDATED.format("ModelCheckpoint('{epoch}-{val_acc}.keras')"), True),
        (VALIDATED.format("ModelCheckpoint('{epoch}-{batch}.keras')"), True),
        ("m.fit(x, callbacks=[ModelCheckpoint('{epoch}-{val_loss}.keras')])", True),
        ("m.fit(x, callbacks=[ModelCheckpoint('{epoch}-{loss:.2f}.keras')])", False),
        (VALIDATED.format("ModelCheckpoint('{epoch}-{val_accuracy}.keras')"), False),
        # a number of batches may be meant
        (
            VALIDATED.format("ModelCheckpoint('{batch}.keras', save_freq=every)"),
            False,
        ),
        (VALIDATED.format("ModelCheckpoint('{batch}.keras', **options)"), False),
        # the rate is in logs where a callback writes it there
        (VALIDATED.format("ModelCheckpoint('{epoch}-{lr}.keras')"), True),
        (
            VALIDATED.format(
                "ReduceLROnPlateau(), ModelCheckpoint('{learning_rate}.keras')"
            ),
            False,
        ),
        # code that is not read may write what it likes
        (
            OWN.format("val_acc")
            + VALIDATED.format("Own(), ModelCheckpoint('{epoch}-{val_acc}.keras')"),
            False,
        ),
        (VALIDATED.format("*more, ModelCheckpoint('{epoch}-{val_acc}.keras')"), False),
    ],
)
def test_a_name_of_a_file_holds_what_is_logged(
    tmp_path: Path, *, text: str, is_found: bool
) -> None:
    assert ("absent-field" in codes(tmp_path, COMPILED + text)) == is_found


def test_a_reduction_without_its_monitor_is_not_late(tmp_path: Path) -> None:
    """Neither the stop nor the reduction comes."""
    pair = "EarlyStopping(patience=3), ReduceLROnPlateau(patience=9)"
    told = codes(tmp_path, f"{COMPILED}m.fit(x, callbacks=[{pair}])")
    assert told.count("absent-monitor") == 2
    assert "reduce-rarely-before-stop" not in told
    told = codes(tmp_path, COMPILED + VALIDATED.format(pair))
    assert "reduce-rarely-before-stop" in told


# --- calls that are refused

BY_PLACE = "ModelCheckpoint('a.keras', 'loss', 0, True, False, 'min', 'epoch', None, 0)"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("EarlyStopping('loss', monitor='loss', patience=0)", ["refused-call"]),
        ("EarlyStopping('loss', 0, monitor='loss', patience='5')", ["refused-call"]),
        ("EarlyStopping(min_delta='0.1', patience=0)", ["refused-value"]),
        ("EarlyStopping(min_delta='0.1', patience='5')", ["refused-value"]),
        ("ReduceLROnPlateau(factor=2, cooldown=1)", ["refused-value"]),
        # it fails later, or never
        ("ReduceLROnPlateau(cooldown='2', min_lr='1e-6')", ["refused-value"] * 2),
        ("EarlyStopping(mode='most', patience=0)", 2),
        (BY_PLACE, ["refused-call"]),
    ],
)
def test_beside_a_call_that_fails_at_once_nothing_later_is_told(
    tmp_path: Path, call: str, expected: list[str] | int
) -> None:
    told = codes(tmp_path, f"m.fit(*x, callbacks=[{call}])")
    told = [code for code in told if code != "keeps-later-weights"]
    assert told == expected or len(told) == expected


def test_an_argument_by_place_is_of_the_version_that_takes_it(tmp_path: Path) -> None:
    """As the eighth, tf_keras has options, and the threshold as the ninth."""
    text = f"m.fit(*x, initial_epoch=3, callbacks=[{BY_PLACE}])"
    assert codes(tmp_path, text) == ["refused-call"]
    assert codes(tmp_path, text, "tf_keras-2.21") == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", ["patience-zero-is-one"]),
        ("class B(T):\n    WAIT = 9\n", []),
        ("class B(T):\n    def later(self):\n        self.WAIT = 9\n", []),
        ("T.WAIT = 9\n", []),
        ("setattr(T, name, 9)\n", []),
    ],
)
def test_a_constant_of_a_class_is_read_through_self(
    tmp_path: Path, more: str, expected: list[str]
) -> None:
    text = (
        "class T:\n    WAIT = 0\n    def run(self):\n"
        "        c = [ReduceLROnPlateau(factor=0.5, patience=self.WAIT)]\n"
        "        m.fit(*x, callbacks=c)\n"
    )
    assert codes(tmp_path, text + more) == expected


@pytest.mark.parametrize(
    ("fit", "epochs"),
    [
        ("m.fit(x, y, 32, 10, callbacks=[EarlyStopping()])", 10),
        ("m.fit(x, y, 32, callbacks=[EarlyStopping()])", None),
        ("m.fit(x, y, *rest, 10, callbacks=[EarlyStopping()])", None),
        ("m.fit_generator(g, 100, 7, callbacks=[EarlyStopping()])", 7),
        # no model that is known to be Keras's
        ("other.fit(x, y, 32, 10, callbacks=[EarlyStopping()])", None),
    ],
)
def test_epochs_are_read_by_their_place(
    tmp_path: Path, fit: str, epochs: int | None
) -> None:
    (told,) = read(tmp_path, f"{COMPILED}{fit}").fits
    assert told.facts.epochs == epochs


# which names a fit of Keras 3.15.1 logs stands in test_compiled_names.py
@pytest.mark.parametrize(
    ("model", "compiled", "monitor", "told"),
    [
        # of two outputs a and b: a_mae and b_mape, and no mae
        (
            "keras.Model(i, [f, g])",
            "['mse', 'mse'], metrics=[['mae'], ['mape']]",
            "mae",
            1,
        ),
        ("keras.Model(i, [f, g])", "'mse', metrics=['mae', 'mape']", "mae", 1),
        (
            "keras.Model(i, {'a': f, 'b': g})",
            "'mse', metrics=['mae', 'mape']",
            "mae",
            1,
        ),
        (
            "keras.Model(i, outputs=o)",
            "['mse', 'mse'], metrics=['mae', 'mape']",
            "mae",
            1,
        ),
        ("keras.Model(i, o)", "'mse', metrics=[['mae'], ['mape']]", "mae", 1),
        ("keras.Model(i, [f, g])", "'mse'", "loss", 0),
        # of one output the same names stand alone
        ("keras.Sequential()", "'mse', metrics=[['mae'], ['mape']]", "mae", 0),
        ("keras.Model(i, [f])", "'mse', metrics=[['mae']]", "mae", 0),
        ("keras.Sequential()", "'mse', metrics=(own := ['mae'])", "mae", 0),
        (
            "keras.Model(i, keras.layers.Dense(1)(f))",
            "metrics=[['mae'], ['mape']]",
            "mae",
            0,
        ),
        ("keras.applications.VGG16()", "metrics=['mae', 'mape']", "mae", 0),
        ("keras.Model(i, o)", "'mse', metrics=['mae', 'mape']", "mae", 1),
        # of several outputs Keras 3 refuses it
        ("keras.Model(i, o)", "'mse', metrics=['mae']", "mae", 0),
        ("keras.Model(i, f)", "'mse', metrics=['mae', 'mape']", "mae", 0),
    ],
)
def test_metrics_of_several_outputs_do_not_log_their_own_names(
    tmp_path: Path, model: str, compiled: str, monitor: str, told: int
) -> None:
    text = (
        f"i = f = g = keras.Input((4,))\no = [f for _ in n]\nm = {model}\n"
        f"m.compile('adam', {compiled})\nm.fit(*x, validation_data=v, callbacks=["
        f"EarlyStopping('val_{monitor}', mode='min', restore_best_weights=True)])"
    )
    script = read(tmp_path, text)
    found = lint_script(script, semantics="keras-3.15")
    assert [placed.finding.code for placed in found] == []
    said = "which outputs the model has is not read: 'val_mae' is not checked"
    assert [line.partition(": ")[2] for line in unchecked_monitors(script, found)] == (
        [said] * told
    )


def test_an_output_with_another_name_of_its_metric_has_no_direction(
    tmp_path: Path,
) -> None:
    """Keras raises ValueError for it, as for any name that it does not find."""
    text = (
        "from other import X, Y, Z\na = keras.Input((3,))\n"
        "b = keras.layers.Dense(1, name='b')(a)\n"
        "m = keras.Model(a, [b, b])\n"
        "m.compile('adam', loss=['mse', 'mse'], metrics={{'b': 'acc'}})\n"
        "m.fit(X, Y, validation_data=Z, callbacks=[ReduceLROnPlateau('val_b_{}')])"
    )
    # it logs val_b_acc and no val_b_accuracy, which is said before any mode
    assert codes(tmp_path, text.format("accuracy")) == ["absent-monitor"]
    assert codes(tmp_path, text.format("acc")) == ["auto-unknown"]


OLD_COPY = "tensorflow.python.keras"


# that it decides otherwise stands in test_lint_claims.py
@pytest.mark.parametrize(
    ("imported", "made"),
    [
        (f"from {OLD_COPY}.callbacks import EarlyStopping", "EarlyStopping"),
        (f"from {OLD_COPY}.callbacks import *", "EarlyStopping"),
        (f"from {OLD_COPY} import callbacks as c", "c.EarlyStopping"),
        ("import tensorflow as tf", "tf.python.keras.callbacks.EarlyStopping"),
    ],
)
def test_the_old_keras_inside_tensorflow_is_not_taken_for_keras(
    tmp_path: Path, imported: str, made: str
) -> None:
    script = tmp_path / "train.py"
    script.write_text(f"{imported}\nm.fit(*x, callbacks=[{made}(patience=0)])\n")
    told = read_training_script(str(script))
    assert held(told) == [[]]
    (part,) = told.unread
    assert part.problem.startswith(f"{made!r} is not Keras's")
    with pytest.raises(ExpressionError, match="not Keras's"):
        read_script_callbacks(str(script))


@pytest.mark.parametrize("call", ["ModelCheckpoint('a')", "ModelCheckpoint('{lr_}')"])
def test_nothing_is_said_of_a_file_whose_name_is_refused(
    tmp_path: Path, call: str
) -> None:
    text = f"{COMPILED}m.fit(*x, callbacks=[{call}])"
    assert codes(tmp_path, text) == ["refused-filepath"]


def test_a_script_without_a_run_is_not_told_what_its_run_json_lacks(
    tmp_path: Path,
) -> None:
    text = (
        "a = keras.Input((3,))\nb = keras.layers.Dense(1, name='b')(a)\n"
        "m = keras.Model(a, [b, b])\n"
        "m.compile('adam', 'mse', metrics=[[keras.metrics.MeanSquaredError()], []])\n"
        "stop = EarlyStopping('val_b_mean_squared_error')\n"
        "m.fit(X, Y, validation_data=Z, callbacks=[stop])"
    )
    (told,) = lint_script(read(tmp_path, text))
    assert told.finding.code == "auto-unknown"
    assert "run.json" not in told.finding.reason


@pytest.mark.parametrize(
    "monitor", ["Val_loss", "VAL_LOSS", "valLoss", "validation_loss"]
)
def test_the_validation_data_are_meant_in_other_letters_too(
    tmp_path: Path, monitor: str
) -> None:
    text = (
        f"{MODEL}m.compile('adam', 'mse', metrics=['mae'])\n"
        "m.fit(*x, validation_split=.2, callbacks=[ModelCheckpoint('m.keras', "
        f"'{monitor}', save_best_only=True, mode='min')])"
    )
    found = [placed.finding for placed in lint_script(read(tmp_path, text))]
    (absent,) = [finding for finding in found if finding.code == "absent-monitor"]
    # it advised the loss of the training data
    assert absent.fix == "monitor='val_loss'"
    assert "gives 'val_loss', 'val_mae'" in absent.message


TRAINER = """\
class Trainer:
    def __init__(self, folder, verbose=1):
        self.folder, self.patience = folder, 9
        self.verbose = verbose
        self.model = self.build(int(self.width))

    def build(self, width):
        file = self.folder + "best.keras"
        stop = EarlyStopping(patience=5)
        save = ModelCheckpoint(filepath=file, save_best_only=True)
        self.callbacks = [stop, save]
        return keras.Sequential()

    def fit(self, x):
        self.model.fit(x, callbacks=self.callbacks)
"""


def test_what_an_object_of_the_script_holds_beside_its_list_changes_no_callback(
    tmp_path: Path,
) -> None:
    script = read(tmp_path, TRAINER)
    assert [[member.is_certain for member in fit.members] for fit in script.fits] == [
        [True, True]
    ]
    assert script.unread == ()


def test_a_name_that_is_deleted_afterwards_is_read(tmp_path: Path) -> None:
    text = f"for i in folds:\n    c = {STOP}\n    m.fit(*x, callbacks=[c])\n    del c"
    script = read(tmp_path, text)
    assert held(script) == [[STOP]]
    assert script.unread == ()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("folder + 'a.hdf5'", "…a.hdf5"),
        ("f'{folder}/a.{n}.hdf5'", "….hdf5"),
        ("f'{folder}/{n}' + '.hdf5'", "….hdf5"),
        ("'%s/a_%03d.hdf5' % (folder, n)", "….hdf5"),
        ("'{}/a_{:03d}.hdf5'.format(folder, n)", "….hdf5"),
        ("os.path.join(folder, 'a.hdf5')", "…a.hdf5"),
        ("str(pathlib.Path(folder) / 'a.hdf5')", "…a.hdf5"),
        # with the whole model a name may end so, with weights alone it may not
        ("folder + 'a.h5'", None),
        ("folder + '.h5'", None),
        ("folder + '.keras'", None),
        ("folder", None),
        ("'a.hdf5' + folder", None),
        ("f'a.hdf5{n}'", None),
        ("'_'.join(folder)", None),
        ("'{}'.format(folder)", None),
    ],
)
def test_a_file_whose_name_certainly_ends_as_keras_refuses_is_found(
    tmp_path: Path, path: str, shown: str | None
) -> None:
    save = f"ModelCheckpoint({path}, save_best_only=True)"
    text = f"import os, pathlib\nm.fit(*x, validation_data=v, callbacks=[{save}])"
    found = lint_script(read(tmp_path, text), semantics="keras-3.15")
    said = [placed.finding.message for placed in found]
    told = f"ModelCheckpoint raises ValueError for {shown!r}: with save_weights_only="
    assert said == (
        [] if shown is None else [f"{told}False it has to end in .keras or .h5"]
    )
    assert codes(tmp_path, text, "tf_keras-2.18") == []


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("_weights.h5", ["refused-filepath"]),
        ("{epoch}.h5", ["refused-filepath"]),
        # what comes before may be ``best.weights``
        (".h5", []),
        ("h5", []),
        (".weights.h5", []),
    ],
)
def test_what_comes_before_may_complete_the_ending_that_keras_wants(
    tmp_path: Path, ending: str, expected: list[str]
) -> None:
    save = (
        f"ModelCheckpoint(n + {ending!r}, save_weights_only=True, save_best_only=True)"
    )
    text = f"m.fit(*x, validation_data=v, callbacks=[{save}])"
    assert codes(tmp_path, text) == expected


def test_a_field_of_a_file_is_checked_where_only_its_end_is_told(
    tmp_path: Path,
) -> None:
    save = "ModelCheckpoint(n + '-{val_acc:.2f}.keras', save_best_only=True)"
    text = (
        "m = keras.Sequential([keras.layers.Dense(1)])\n"
        "m.compile('adam', 'mse', metrics=['mae'])\n"
        f"m.fit(x, y, validation_data=v, callbacks=[{save}])"
    )
    assert codes(tmp_path, text) == ["absent-field"]


def test_a_finding_names_its_fit_where_the_callback_acts_in_another(
    tmp_path: Path,
) -> None:
    text = (
        "m = keras.Sequential()\nm.compile('adam', 'mse')\n"
        "plan = LearningRateScheduler(lambda epoch: 0.1)\n"
        "cut = ReduceLROnPlateau(patience=5)\n"
        "m.fit(x, validation_data=v, callbacks=[cut, plan])\n"
    )
    found = lint_script(read(tmp_path, text), semantics="keras-3.15")
    assert [placed.finding.message[-18:] for placed in found] == ["a rate that it set"]
    again = "m.fit(x, validation_data=v, callbacks=[cut])\n"
    found = lint_script(read(tmp_path, text + again), semantics="keras-3.15")
    # without the schedule it reduces the rate
    (message,) = [placed.finding.message for placed in found]
    assert message.startswith("in the fit of line 7: ReduceLROnPlateau")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("make()", "EarlyStopping(patience=7)"),
        ("make(2)", "EarlyStopping(patience=6)"),
        ("make(n)", "EarlyStopping(patience=p + 4)"),
        ("make(2) if a else make()", "EarlyStopping(patience=p + 4)"),
    ],
)
def test_a_number_is_worked_out_of_what_all_calls_give(
    tmp_path: Path, call: str, expected: str
) -> None:
    text = "def make(p=3):\n    return [EarlyStopping(patience=p + 4)]\n"
    script = read(tmp_path, f"{text}m.fit(*x, callbacks={call})")
    ((member, *_),) = (fit.members for fit in script.fits)
    assert member.code == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("(30, 40)", ["patience-beyond-plan"]),
        ("PATIENCES", ["patience-beyond-plan"]),
        # a finding has to hold for each of them
        ("(5, 40)", []),
        ("(30, n)", []),
        ("given", []),
    ],
)
def test_the_values_of_a_loop_are_told(
    tmp_path: Path, values: str, expected: list[str]
) -> None:
    stop = "keras.callbacks.EarlyStopping(patience=p, restore_best_weights=True)"
    text = (
        f"PATIENCES = [25, 50]\nfor p in {values}:\n    m = build()\n"
        f"    m.fit(x, validation_data=v, epochs=20, callbacks=[{stop}])"
    )
    assert codes(tmp_path, text) == expected
    is_told = values not in ("(30, n)", "given")
    assert (read(tmp_path, text).unread == ()) is is_told


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("[STOP for p in (5, 40)]", ["patience-beyond-plan"]),
        ("[STOP for p in (5, 0)]", ["patience-zero-is-one"]),
        ("[STOP for p in (30, 0)]", ["patience-beyond-plan", "patience-zero-is-one"]),
        ("list(STOP for p in (5, 40))", ["patience-beyond-plan"]),
        # which of them are made is not told
        ("[STOP for p in (5, 40) if p < n]", []),
        ("[STOP if n else other for p in (5, 40)]", []),
        ("[STOP for p in ((5, 40) if n else (6, 7))]", []),
        ("[STOP for p in (5, n)]", []),
    ],
)
def test_each_callback_of_a_comprehension_is_looked_at(
    tmp_path: Path, listed: str, expected: list[str]
) -> None:
    stop = "keras.callbacks.EarlyStopping(patience=p, restore_best_weights=True)"
    given = listed.replace("STOP", stop)
    text = f"m.fit(x, validation_data=v, epochs=20, callbacks={given})"
    assert codes(tmp_path, text) == expected


def test_a_compiled_rate_is_none(tmp_path: Path) -> None:
    text = (
        f"{MODEL}m.compile('adam', 'mse', metrics=['mae'])\n"
        "m.fit(*x, validation_data=v, callbacks=[ReduceLROnPlateau(patience=5), "
        "EarlyStopping('learning_rate', patience=3, restore_best_weights=True)])"
    )
    assert codes(tmp_path, text) == ["auto-unknown"]


@pytest.mark.parametrize(
    ("given", "semantics", "expected"),
    [
        ("ExponentialDecay(1e-3, 100, 0.9)", "keras-3.15", ["refused-call"]),
        ("schedule=decay", "keras-3.0", ["refused-call"]),
        # Keras 2 takes a tensor
        ("decay", "keras-2.15", []),
        ("decay", "tf_keras-2.21", []),
        ("lambda epoch: 1e-3", "keras-3.15", []),
        ("warm", "keras-3.15", ["refused-call"]),
        ("warm", "keras-2.15", []),
        ("lambda epoch, lr: lr * tf.exp(-0.1)", "keras-3.15", ["refused-call"]),
        ("lambda epoch, lr: lr * keras.ops.exp(-0.1)", "keras-3.15", ["refused-call"]),
        ("lambda e, lr: lr * keras.ops.size(e)", "keras-3.15", []),
        ("lambda epoch, lr: float(lr * tf.exp(-0.1))", "keras-3.15", []),
        ("lambda epoch, lr: tf.exp(-0.1).numpy()", "keras-3.15", []),
    ],
)
def test_a_schedule_that_returns_a_tensor_is_found(
    tmp_path: Path, given: str, semantics: str, expected: list[str]
) -> None:
    """Keras 3.15.1 raised ValueError: the output should be a float."""
    text = (
        "import tensorflow as tf\n"
        "from keras.optimizers.schedules import ExponentialDecay\n"
        "def warm(epoch, lr):\n    return lr if epoch < 5 else lr * tf.exp(-0.1)\n"
        "decay = ExponentialDecay(1e-3, 100, 0.9)\n"
        f"{MODEL}m.compile('adam', 'mse')\n"
        f"m.fit(*x, validation_data=v, callbacks=[LearningRateScheduler({given})])"
    )
    assert codes(tmp_path, text, semantics) == expected
    # it is made, and what its fit raises first is told too
    beside = codes(tmp_path, text.replace("'adam'", "keras.optimizers.Adam(decay)"))
    assert "schedule-beside-scheduler" in beside


@pytest.mark.parametrize(
    "text",
    [
        "s = EarlyStopping(patience=0)\ns.patience = 3",
        "s = EarlyStopping(patience=0)\nsetattr(s, 'patience', 3)",
        (
            "class T:\n def make(self):\n  self.s = EarlyStopping(patience=0)\n"
            "  self.s.patience = 3"
        ),
    ],
)
def test_nothing_is_said_of_a_callback_that_is_changed_and_goes_to_no_fit(
    tmp_path: Path, text: str
) -> None:
    plain = "s = EarlyStopping(patience=0)\nt.patience = 3"
    assert codes(tmp_path, plain) == ["patience-zero-is-one"]
    assert codes(tmp_path, text) == []


@pytest.mark.parametrize(
    ("metrics", "more", "found"),
    [
        ("", "", True),
        ("", "h.history['val_f1']", True),
        ("metrics=['f1']", "", False),  # compile may give it
        ("metrics=unknown", "", False),
        ("", "print('val_f1')", False),  # other code names it too
    ],
)
def test_a_value_is_said_to_come_late_only_where_nothing_else_may_log_it(
    tmp_path: Path,
    metrics: str,
    more: str,
    found: bool,  # noqa: FBT001 - a case of the test
) -> None:
    text = (
        "class Own(keras.callbacks.Callback):\n def on_epoch_end(self, epoch, logs):\n"
        "  logs['val_f1'] = f(self.model)\n"
        "m = keras.Sequential([keras.layers.Dense(1)])\n"
        f"m.compile('sgd', 'mse', {metrics})\n"
        "stop = EarlyStopping('val_f1', mode='max', restore_best_weights=True)\n"
        f"h = m.fit(x, y, validation_data=v, callbacks=[stop, Own()])\n{more}\n"
    )
    assert ("absent-monitor" in codes(tmp_path, text)) is found


BASE = "class Base:\n    def train(self):\n        m.fit(*x, callbacks=self.held)\n"
SETS = "    def __init__(self):\n        self.held = {}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{BASE}class A(Base):\n{SETS.format([1])}", [STOP]),
        # the fit of a class that extends the one which sets the list
        (
            (
                f"class Base:\n{SETS.format([1])}class Mid(Base): pass\n"
                "class A(Mid):\n    def train(self):\n"
                "        m.fit(*x, callbacks=self.held)"
            ),
            [STOP],
        ),
        # one of two, or what an object of another class has
        (
            (
                f"{BASE}class A(Base):\n{SETS.format([1])}class B(Base):\n"
                f"{SETS.format([2])}"
            ),
            [f"{STOP}?", f"{RATE}?"],
        ),
        (f"{BASE}class A:\n{SETS.format([1])}", []),
    ],
)
def test_what_a_class_keeps_is_followed_to_those_it_extends(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    text = text.replace("[1]", f"[{STOP}]").replace("[2]", f"[{RATE}]")
    assert held(read(tmp_path, text)) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"fit = m.fit\nfit(*x, callbacks=[{STOP}])", [[STOP]]),
        (f"def go(m):\n    run = m.fit\n    run(*x, callbacks=[{STOP}])", [[STOP]]),
        # another model's, or another function
        (f"fit = m.fit\nif c:\n    fit = n.fit\nfit(*x, callbacks=[{STOP}])", []),
        (f"fit = m.train\nfit(*x, callbacks=[{STOP}])", []),
    ],
)
def test_a_fit_is_known_by_another_name(
    tmp_path: Path, text: str, expected: list[list[str]]
) -> None:
    assert held(read(tmp_path, text)) == expected


@pytest.mark.parametrize(
    ("maker", "found"),
    [
        ("from keras.optimizers.schedules import CosineDecay as make", True),
        # another package's, which may return a number
        ("from tools.schedules import make", False),
        ("from tensorflow.compat.v1.train import exponential_decay as make", False),
    ],
)
def test_a_schedule_is_one_of_keras_s(
    tmp_path: Path,
    maker: str,
    found: bool,  # noqa: FBT001 - a case of the test
) -> None:
    text = f"{maker}\nm.compile(keras.optimizers.Adam(make(0.1, 9)))\n"
    text += "m.fit(*x, callbacks=[ReduceLROnPlateau()])\n"
    assert ("schedule-beside-plateau" in codes(tmp_path, text)) is found


def test_a_later_fit_asks_for_no_direction(tmp_path: Path) -> None:
    """Keras 3.15.1 trained five epochs in each of the two fits, without a ValueError.

    A new EarlyStopping for the second raised it: no compiled metric is an accuracy.
    """
    fit = "m.fit(*x, validation_data=v, epochs=9, callbacks=[{}])\n"
    made = "EarlyStopping('val_accuracy', patience=3, restore_best_weights=True)"
    text = f"stop = {made}\n{MODEL}m.compile('adam', 'mse', metrics=['accuracy'])\n"
    text += fit.format("stop") + "m.compile('adam', 'mse', metrics=['mae'])\n"
    for given, raises in (("stop", False), (made, True)):
        told = lint_script(read(tmp_path, text + fit.format(given)))
        (placed,) = (each for each in told if each.finding.code == "absent-monitor")
        assert ("ValueError" in placed.finding.reason) is raises
        assert "auto-unknown" not in [each.finding.code for each in told]


@pytest.mark.parametrize("given", ["lr=0.1", "dict(lr=0.1)", "{'lr': 0.1}"])
def test_a_rate_that_own_code_logs_may_be_the_monitor(
    tmp_path: Path, given: str
) -> None:
    """Keras 3.15.1 stopped in the third of four epochs, by the lr of the function."""
    own = f"LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update({given}))"
    stop = "EarlyStopping('lr', mode='min', patience=2, restore_best_weights=True)"
    text = f"{MODEL}m.compile('adam', 'mse')\nm.fit(*x, callbacks=[{{}}{stop}])\n"
    assert "absent-monitor" in codes(tmp_path, text.format(""))
    assert "absent-monitor" not in codes(
        tmp_path, text.format(f"keras.callbacks.{own}, ")
    )


@pytest.mark.parametrize(
    ("monitor", "found"),
    [
        ("f'val_{NAME}'", True),
        ("'val_' + NAME", True),
        ("f'{PART}_{NAME}'", True),
        # how these are written is not worked out
        ("f'val_{NAME!s}'", False),
        ("'val_%s' % NAME", False),
        ("f'val_{args.name}'", False),
        ("f'val_{OTHER}'", False),
    ],
)
def test_a_monitor_is_put_together_of_texts(
    tmp_path: Path, monitor: str, *, found: bool
) -> None:
    text = (
        f"{MODEL}NAME, PART, OTHER = 'acc', 'val', 'accuracy'\n"
        "m.compile('adam', 'mse', metrics=['accuracy'])\n"
        f"stop = EarlyStopping({monitor}, mode='max', restore_best_weights=True)\n"
        "m.fit(x, y, validation_data=v, callbacks=[stop])\n"
    )
    assert codes(tmp_path, text) == (["absent-monitor"] if found else [])


def test_what_own_code_logs_may_be_put_together_of_texts(tmp_path: Path) -> None:
    text = (
        f"{MODEL}NAME = 'kappa'\n"
        "class Own(keras.callbacks.Callback):\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        logs[f'val_{NAME}'] = 1.0\n"
        "m.compile('adam', 'mse', metrics=['mae'])\n"
        "stop = EarlyStopping(f'val_{NAME}', mode='max', restore_best_weights=True)\n"
        "m.fit(x, y, validation_data=v, callbacks=[Own(), stop])\n"
    )
    assert codes(tmp_path, text) == []


def test_a_rate_that_nothing_logs_before_a_callback_is_not_advised(
    tmp_path: Path,
) -> None:
    cut = "ReduceLROnPlateau(factor=0.5)"
    stop = "EarlyStopping('lr', mode='min', restore_best_weights=True)"
    fixes = {}
    for listed in (f"[{stop}, {cut}]", f"[{cut}, {stop}]"):
        text = f"m.fit(x, y, validation_data=v, callbacks={listed})\n"
        script = read(tmp_path, f"{MODEL}m.compile('adam', 'mse')\n{text}")
        (placed,) = lint_script(script, semantics="keras-3.15")
        fixes[listed] = placed.finding.fix
    # only behind a callback that sets it is the rate in what a callback is given
    assert [*fixes.values()] == ["one of these before it", "monitor='learning_rate'"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        # a copy knows no best of the round before, and saves over its file
        ("copy.deepcopy(base)", "overwrites-after-resume"),
        ("base", "best-of-earlier-fit"),
    ],
)
def test_each_round_that_copies_a_list_has_callbacks_of_its_own(
    tmp_path: Path, given: str, found: str
) -> None:
    text = (
        "import copy\nbase = [ModelCheckpoint('best.keras', save_best_only=True)]\n"
        f"for fold in folds:\n    {MODEL}    m.compile('adam', 'mse')\n"
        f"    m.fit(x, y, validation_data=v, callbacks={given})\n"
    )
    assert codes(tmp_path, text) == [found]
    assert held(read(tmp_path, text)) == [[SAVE_BEST]]
    callbacks = read_script_callbacks(tmp_path / "train.py").callbacks
    assert [callback.code for callback in callbacks] == [SAVE_BEST]
