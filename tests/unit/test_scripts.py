"""Training scripts: read by their syntax tree, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay import (
    CbreplayError,
    EarlyStopping,
    ExpressionError,
    ModelCheckpoint,
    ReduceLROnPlateau,
    parse_callbacks,
    read_script_callbacks,
)
from cbreplay.rules.bystander import Bystander
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.scripts.flows import Flow, _Graph
from cbreplay.scripts.scopes import Binding, Scope
from cbreplay.scripts.training_scripts import read_training_script

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay.expressions import ScriptCallbacks

FIT = "m.fit(x, callbacks=[EarlyStopping(patience=P)])"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "train.py"


def read(script: Path, text: str) -> ScriptCallbacks:
    script.write_text(text)
    return read_script_callbacks(str(script))


@pytest.mark.parametrize(
    "text",
    [
        (
            "from keras.callbacks import EarlyStopping as ES\n"
            "model.fit(x, callbacks=[ES(patience=5)])"
        ),
        (
            "import tensorflow as tf\n"
            "model.fit(x, callbacks=[tf.keras.callbacks.EarlyStopping(patience=5)])"
        ),
        (
            "from tensorflow import keras\n"
            "model.fit(x, callbacks=keras.callbacks.EarlyStopping(patience=5))"
        ),
        (
            "from tensorflow.keras import callbacks as cb\n"
            "stop = cb.EarlyStopping(patience=5)\nmodel.fit(x, callbacks=[stop])"
        ),
        (
            "import keras.callbacks as kc\n"
            "every = [kc.EarlyStopping(patience=5)]\nmodel.fit(x, callbacks=every)"
        ),
        (
            "import keras\nES = keras.callbacks.EarlyStopping\n"
            "model.fit(x, callbacks=[ES(patience=5)])"
        ),
        (
            "from keras.callbacks import *\n"
            "model.fit(x, callbacks=[EarlyStopping(patience=5)])"
        ),
        (
            "try:\n    from tensorflow.keras.callbacks import EarlyStopping\n"
            "except ImportError:\n    from keras.callbacks import EarlyStopping\n"
            "model.fit(x, callbacks=[EarlyStopping(patience=5)])"
        ),
        "PATIENCE: int = 5\nmodel.fit(x, callbacks=[EarlyStopping(patience=PATIENCE)])",
        (
            "def train(model):\n    stop = EarlyStopping(patience=5)\n"
            "    model.fit(x, callbacks=[*[stop]] + [])"
        ),
        (
            "for seed in range(3):\n"
            "    make(seed).fit(x, callbacks=[EarlyStopping(patience=5)])"
        ),
        (
            "a.fit(x, callbacks=[EarlyStopping(patience=5)])\n"
            "b.fit(x, callbacks=[EarlyStopping('val_loss', patience=5)])"
        ),
        "scaler.fit(x)\nm.fit(x, callbacks=[[EarlyStopping(patience=5)], None])",
        (
            "p, (stop, other) = 5, [EarlyStopping(patience=5), 7]\n"
            "m.fit(x, callbacks=[stop])"
        ),
        "p, q = 5, 6\nm.fit(x, callbacks=[EarlyStopping(patience=p)])",
        (
            "b, over = dict(patience=9), {'patience': 5}\n"
            "m.fit(x, callbacks=[EarlyStopping(**dict(b, **over))])"
        ),
        (
            "def make(x):\n    stop = EarlyStopping(patience=5)\n    c = [stop]\n"
            "    return c\nm.fit(x, callbacks=make(1))"
        ),
    ],
)
def test_the_callbacks_of_a_script_are_found(script: Path, text: str) -> None:
    assert read(script, text).callbacks == (EarlyStopping(patience=5),)


def test_the_order_is_that_of_the_list_and_the_lines_those_of_the_calls(
    script: Path,
) -> None:
    text = (
        "from keras.callbacks import CSVLogger, EarlyStopping, ReduceLROnPlateau\n"
        "late = EarlyStopping(patience=3)\n"
        "model.fit(x, callbacks=[\n"
        "    ReduceLROnPlateau(factor=0.5),\n"
        "    CSVLogger(path / 'logs.csv'),\n"
        "    late,\n"
        "])\n"
    )
    found = read(script, text)
    assert found.callbacks == (
        ReduceLROnPlateau(factor=0.5),
        Bystander("CSVLogger", "path / 'logs.csv'"),
        EarlyStopping(patience=3),
    )
    assert found.lines == (4, 5, 2)
    assert found.notes == ()


@pytest.mark.parametrize(
    ("argument", "head", "expected"),
    [
        ("2 + 3", "", 5),
        ("int(p / 4)", "p = 50", 12),
        ("q + 1", "p = 20\nq = p // 5", 5),
        ("-(-5)", "", 5),
        ("max(2, 5)", "", 5),
        ("math.ceil(4.5)", "import math", 5),
        ("np.sqrt(0.25)", "import numpy as np", 0.5),
        ("sqrt(0.25)", "from math import sqrt", 0.5),
        ("C['p']", "C = {'p': 5, 'q': 3}", 5),
        ("C['p']['q']", "C = {'p': {'q': 5}}", 5),
        ("Config.P", "class Config:\n    P = 5", 5),
        ("Config.P // 2", "class Config:\n    P: int = 11", 5),
        ("C['p']", "C = {'p': 5}\nC['p'] = 6", None),
        ("C['p']", "C = {'p': 5}\nC.update(p=6)", None),
        ("C['p']", "C = {'p': 5, **more}", None),
        ("C['p']", "C = {'p': 5, 'p': 6}", None),
        ("C['p']", "C = {'q': 5}", None),
        ("C['p']", "C = load()", None),
        ("Config.P", "class Config:\n    P = 5\nConfig.P = 6", None),
        ("Config.P", "class Config:\n    P = 5\nsetattr(Config, name, 6)", None),
        ("Config.P", "class Config:\n    P = 5\n    P = 6", None),
        ("Config.P", "class Config(Base):\n    P = 5", None),
        ("Config.P", "@wrapped\nclass Config:\n    P = 5", None),
        # what a run may give, and nothing else
        ("p / 4", "p = args.p", None),
        ("int(p)", "def int(a): return 7\np = 5", 7),
        ("int(p)", "from tools import int\np = 5", None),
        # what its one class, its one call or its one loop gives
        ("c.p", "class C:\n    p = 5\nc = C()", 5),
        ("c.p", "class C:\n    p = 5\nc = C(p=6)", 6),
        ("c.p", "class C:\n    p = 5\nc = C()\nc.p = 6", None),
        ("c.p", "class C:\n    p = 5\nc = C()\nfor c in load(): pass", None),
        ("p", "def f(p=5): return p\np = f()", 5),
        ("p", "for p in [5, 6]: pass", None),
        ("max(2, 5)", "from numpy import *", None),
        ("sqrt(0.25)", "", None),
        ("1 / 0", "", None),
        ("2 ** 9", "", 512),
        ("4 ** 0.5", "", 2),
        ("2 ** 65", "", None),
        ("10 ** 10 ** 10", "", None),
        ("(-8) ** 0.5", "", None),
        ("10 * 10000000000000000000000", "", None),
        ("1e308 * 10", "", None),
        ("p", "p = 1\np = p + 1", None),
        ("p", "p = q\nq = p + 1", None),
        ("True + 1", "", None),
        ("'5' * 2", "", None),
    ],
)
def test_arithmetic_of_literals_is_worked_out(
    script: Path, argument: str, head: str, expected: float | None
) -> None:
    text = f"{head}\nm.fit(x, callbacks=[EarlyStopping(patience={argument})])"
    if expected is None:
        with pytest.raises(ExpressionError):
            read(script, text)
    else:
        (built,) = read(script, text).callbacks
        assert built == EarlyStopping(patience=expected)


def test_that_code_which_is_not_read_gets_a_setting_is_noted(script: Path) -> None:
    text = "class C:\n    p = 5\nc = C()\nfill(c)\n"
    found = read(script, f"{text}m.fit(x, callbacks=[EarlyStopping(patience=c.p)])")
    assert found.callbacks == (EarlyStopping(patience=5),)
    (note,) = found.notes
    assert "line 4: c is given to something that is not read" in note


@pytest.mark.parametrize(
    "text",
    [
        # a number that is counted on is another number
        f"P = 5\nq = P\nq += 1\n{FIT}",
        # a function that changes something of its own
        f"def f(P):\n    P = []\n    P.append(1)\nP = 5\nf(1)\n{FIT}",
        # a function that looks
        (
            "def show(given):\n    print(given)\nc = [EarlyStopping(patience=5)]\n"
            "show(c)\nm.fit(x, callbacks=c)"
        ),
    ],
)
def test_what_another_name_does_not_change_is_read(script: Path, text: str) -> None:
    assert read(script, text).callbacks == (EarlyStopping(patience=5),)


def test_what_goes_to_no_fit_is_said(script: Path) -> None:
    text = "spare = EarlyStopping()\nm.fit(x, callbacks=[EarlyStopping(patience=2)])"
    found = read(script, text)
    assert found.callbacks == (EarlyStopping(patience=2),)
    (note,) = found.notes
    assert note.startswith("line 1: this EarlyStopping goes to no fit")


def test_without_a_fit_the_calls_are_taken_in_order_and_that_is_said(
    script: Path,
) -> None:
    found = read(script, "train(model, [EarlyStopping()])\nb = ReduceLROnPlateau()")
    assert found.callbacks == (EarlyStopping(), ReduceLROnPlateau())
    assert "no fit(callbacks=...) stands in it" in found.notes[0]
    found = read(script, "m.fit(**options)\nEarlyStopping()")
    assert found.notes[0] == "line 1: fit(**...) is not read"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"P = args.p\n{FIT}", r"line 2: EarlyStopping: patience is 'args.p', which"),
        (FIT, "line 1: EarlyStopping: patience: 'P' is not assigned in the script"),
        (f"P = 1\nP = 2\n{FIT}", r"'P' is assigned more than once \(1, 2\)"),
        (f"P = 1\nP += 1\n{FIT}", "'P' is assigned more than once"),
        (f"P = 1\ndef f():\n    global P\n    P = 2\n{FIT}", "more than once|plain"),
        (f"for P in (1, 2):\n    {FIT}", r"'P' \(line 1\) is not assigned a plain"),
        (f"def f(P):\n    {FIT}", r"'P' \(line 1\) is a parameter of 'f'"),
        (f"P = 3\nruns = [{FIT} for P in (1, 2)]", "is not assigned a plain value"),
        ("m.fit(x, callbacks=make())", r"line 1: 'make' is not Keras's, and is not"),
        (
            "c = []\nif a:\n    c.append(EarlyStopping())\nm.fit(x, callbacks=c)",
            "line 4: 'c' is changed in line 3; append, extend and .= are read where",
        ),
        (
            "c = []\nm.fit(x, callbacks=c)\nc.append(EarlyStopping())",
            "line 2: 'c' is changed in line 3",
        ),
        (
            "c = []\nshow(c)\nc += [EarlyStopping()]\nm.fit(x, callbacks=c)",
            r"'c' is assigned more than once \(1, 3\); append, extend and",
        ),
        (
            (
                "def go(): m.fit(x, callbacks=c)\nc = []\ngo()\n"
                "c.append(EarlyStopping())\ngo()"
            ),
            "line 1: 'c' is changed in line 4",
        ),
        (
            "c = []\nc.append(EarlyStopping())\nc.sort()\nm.fit(x, callbacks=c)",
            "line 4: 'c' is changed in line 3",
        ),
        (
            "s = EarlyStopping()\ns.patience = 9\nm.fit(x, callbacks=[s])",
            "'s' is changed in line 2",
        ),
        (
            "s = EarlyStopping()\nsetattr(s, 'patience', 9)\nm.fit(x, callbacks=[s])",
            "'s' is changed in line 2",
        ),
        (
            "c = [EarlyStopping()]\nc[0].patience = 9\nm.fit(x, callbacks=c)",
            "'c' is changed in line 2",
        ),
        (
            (
                "c = [EarlyStopping()]\nsetattr(c[0], 'patience', 9)\n"
                "m.fit(x, callbacks=c)"
            ),
            "'c' is changed in line 2",
        ),
        (
            "c = [EarlyStopping()]\ns = c[0]\ns.patience = 9\nm.fit(x, callbacks=c)",
            "'c' is changed in line 3",
        ),
        (
            (
                "c = [EarlyStopping()]\nfor i, s in enumerate(c):\n"
                "    s.patience = 9\nm.fit(x, callbacks=c)"
            ),
            "'c' is changed in line 3",
        ),
        # by another of its names
        (
            "c = []\nd = c\nd.append(EarlyStopping())\nm.fit(x, callbacks=c)",
            "line 4: 'c' is changed in line 3",
        ),
        (
            "c = []\nd = c\nd += [EarlyStopping()]\nm.fit(x, callbacks=c)",
            "line 4: 'c' is changed in line 3",
        ),
        (
            "s = EarlyStopping()\nt = s\nt.patience = 9\nm.fit(x, callbacks=[s])",
            "'s' is changed in line 3",
        ),
        # by a function of the script
        (
            (
                "def more(given):\n    given.append(EarlyStopping())\n"
                "c = []\nmore(c)\nm.fit(x, callbacks=c)"
            ),
            "line 5: 'c' is changed in line 2",
        ),
        (
            (
                "def more(given):\n    given.append(EarlyStopping())\n"
                "def most(given):\n    more(given)\n"
                "c = []\nmost(given=c)\nm.fit(x, callbacks=c)"
            ),
            "line 7: 'c' is changed in line 2",
        ),
        # by the body of a class, which sees the name before it has one of its own
        (
            (
                "c = [EarlyStopping()]\nclass K:\n    c += [EarlyStopping()]\n"
                "m.fit(callbacks=c)"
            ),
            "line 4: 'c' is changed in line 3",
        ),
        (
            "c = [EarlyStopping()]\nclass K:\n    m.fit(callbacks=c)\n    c = []",
            "line 3: 'c' is assigned in the class and in line 1",
        ),
        # of a function that may return another one
        (
            (
                "def f(a):\n    return [EarlyStopping(patience=a)]\n"
                "m.fit(callbacks=f(1))\nm.fit(callbacks=f(2))"
            ),
            r"line 2: EarlyStopping: patience: 'a' \(line 1\) is a parameter",
        ),
        (
            "def f():\n  if a:\n    return [EarlyStopping()]\nm.fit(callbacks=f())",
            "line 4: 'f' is not Keras's but defined in line 1",
        ),
        (
            (
                "def f():\n    c = []\n    if a:\n        c.append(EarlyStopping())\n"
                "    return c\nm.fit(callbacks=f())"
            ),
            "line 5: 'c' is changed in line 4",
        ),
        (
            (
                "def f():\n    return [EarlyStopping()]\nc = f()\nc[0].patience = 9\n"
                "m.fit(callbacks=c)"
            ),
            "line 5: 'c' is changed in line 4",
        ),
        (
            "def f():\n    yield 1\n    return [EarlyStopping()]\nm.fit(callbacks=f())",
            "line 4: 'f' is not Keras's but defined in line 1",
        ),
        ("def f():\n    return f()\nm.fit(callbacks=f())", "names lead in circles"),
        ("m.fit(x, callbacks=[1])", "line 1: '1' is no callback and no list"),
        (
            (
                "from pytorch_lightning.callbacks import EarlyStopping\n"
                "m.fit(x, callbacks=[EarlyStopping()])"
            ),
            "not Keras's but imported from pytorch_lightning.callbacks",
        ),
        (
            "class EarlyStopping: pass\nm.fit(x, callbacks=[EarlyStopping()])",
            "not Keras's but defined in line 1",
        ),
        (
            (
                "from keras.callbacks import SwapEMAWeights as MC\n"
                "m.fit(x, callbacks=[MC('a')])"
            ),
            "line 2: 'MC' is not replayed: ",
        ),
        (
            "m.fit(x, callbacks=[EarlyStopping(patience=a), EarlyStopping(q=1)])",
            "line 1: .*'a' is not assigned.*; line 1: EarlyStopping has no parameter",
        ),
        (
            "m.fit(x, callbacks=[EarlyStopping(patience=[3, 5])])",
            r"line 1: EarlyStopping: patience is \[3, 5\], where a number",
        ),
        (
            "m.fit(x, callbacks=[EarlyStopping()])\nm.fit(x, callbacks=[])",
            r"get different callbacks: line 1: \[EarlyStopping\(\)\]; line 2: \[\]",
        ),
        ("a = b\nb = a\nm.fit(x, callbacks=a)", "names lead in circles"),
        ("m.fit(x, y)", "builds no callback that a fit gets"),
        ("m.fit(x", "line 1: this is not Python"),
        ("x = '\0'", "this is not Python"),
        ("x = " + "-" * 100_000 + "1", "nested too deeply|not Python"),
        ("x = " + "a." * 100_000 + "b", "nested too deeply|not Python"),
        ("x = " + "1 + " * 50_000 + "1", "nested too deeply|not Python"),
        ("x = 1\n" * 200_000, "longer than 300000 bytes"),
    ],
    ids=lambda text: text[:30],
)
def test_what_cannot_be_read_is_refused_with_its_line(
    script: Path, text: str, message: str
) -> None:
    with pytest.raises(ExpressionError, match=message):
        read(script, text)


@pytest.mark.parametrize(
    ("given", "filepath"),
    [
        ("f'{name}.keras'", "….keras"),
        ("os.path.join(folder, 'best-{epoch}.keras')", "…best-{epoch}.keras"),
        ("folder / 'a.weights.h5'", "…a.weights.h5"),
        # each epoch may have a file of its own, or none
        ("f'{{epoch}}-{name}.keras'", None),
        ("folder", None),
    ],
)
def test_of_the_path_of_a_file_its_end_is_enough(
    script: Path, given: str, filepath: str | None
) -> None:
    text = (
        f"def listed(name, folder):\n    return [ModelCheckpoint({given})]\n"
        "m.fit(x, callbacks=listed(a(), b()))\n"
    )
    if filepath is None:
        with pytest.raises(ExpressionError, match="ModelCheckpoint: filepath"):
            read(script, text)
    else:
        (rule,) = read(script, text).callbacks
        assert rule == ModelCheckpoint(filepath)


def test_a_fit_that_begins_where_the_text_does_not_tell_is_noted(script: Path) -> None:
    text = (
        "c = [EarlyStopping()]\nh = m.fit(x, epochs=5, callbacks=c)\n"
        "m.fit(x, epochs=9, initial_epoch={}, callbacks=c)\n"
    )
    (note,) = read(script, text.format("len(h.epoch)")).notes
    assert note.startswith("line 3: initial_epoch is 'len(h.epoch)', which is not a")
    told = read(script, text.format("5"))
    assert (told.notes, told.later_fits) == ((), (5,))
    assert read(script, text.format("0")).notes == ()


def test_fits_that_differ_in_what_they_log_alone_share_their_callbacks(
    script: Path,
) -> None:
    """A fine-tuning goes on in the log of the fit before it."""
    text = (
        "stop = EarlyStopping(patience=3)\n"
        "m.fit(x, epochs=5, callbacks=[stop, CSVLogger('log.csv')])\n"
        "m.fit(x, epochs=9, callbacks=[stop, CSVLogger('log.csv', append=True)])\n"
    )
    found = read(script, text)
    assert [rule.class_name for rule in found.callbacks if rule.acts_at] == [
        "EarlyStopping"
    ]


def test_what_two_fits_share_is_told_once(script: Path) -> None:
    script.write_text(
        "from keras.callbacks import *\n"
        "def made(rates):\n"
        "    c = list(rates)\n"
        "    c.append(EarlyStopping())\n"
        "    return c\n"
        "model.fit(x, callbacks=made(a))\n"
        "model.fit(x, callbacks=made(b))\n"
    )
    with pytest.raises(ExpressionError) as caught:
        read_script_callbacks(script)
    assert str(caught.value).count("line 5: 'c' is changed") == 1


def test_names_that_multiply_are_refused_before_they_take_long(script: Path) -> None:
    lines = [f"a{i} = [*a{i + 1}, *a{i + 1}]" for i in range(60)]
    text = "\n".join([*lines, "a60 = []", "m.fit(x, callbacks=a0)"])
    with pytest.raises(ExpressionError, match="circles"):
        read(script, text)


def test_a_script_is_never_run(script: Path, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    text = (
        f"open({str(witness)!r}, 'w')\n"
        f"m.fit(x, callbacks=[EarlyStopping(patience=open({str(witness)!r}, 'w'))])"
    )
    with pytest.raises(ExpressionError, match="which is not a literal"):
        read(script, text)
    assert not witness.exists()


def test_an_expression_may_name_a_script_or_a_file(script: Path) -> None:
    read(script, "m.fit(x, callbacks=[EarlyStopping(patience=5)])")
    (found,) = parse_callbacks(f"@{script}", defaults={"monitor": "loss"})
    assert found == EarlyStopping("loss", patience=5)
    listed = script.with_suffix(".txt")
    listed.write_text(
        "# first the rate\nReduceLROnPlateau(factor=0.5)  # half\n\n"
        "EarlyStopping(\n    patience=5,\n)\n[CSVLogger('x'), EarlyStopping()]\n"
    )
    assert parse_callbacks(f" @{listed}", "EarlyStopping()") == [
        ReduceLROnPlateau(factor=0.5),
        EarlyStopping(patience=5),
        Bystander("CSVLogger", "'x'"),
        EarlyStopping(),
        EarlyStopping(),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it holds no callback"),
        (b"# only a comment\n", "it holds no callback"),
        (b"EarlyStopping()\npatience = 5\n", "line 2: '5' is not a call"),
        (b"EarlyStopping()\nprint(1)\n", "line 2: 'print' is not a callback"),
        (b"EarlyStopping(\n", "line 1: this is not a callback expression"),
        (b"\xff\xfe\x00", "is not text"),
        (b"# coding: klingon\n", "is not text"),
        (b"#" * 30_000, "longer than 20000 bytes"),
    ],
)
def test_a_file_of_expressions_is_refused_with_its_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "callbacks.txt"
    path.write_bytes(content)
    with pytest.raises(ExpressionError, match=message):
        parse_callbacks(f"@{path}")


@pytest.mark.parametrize("path", ["", ".", "nope.txt", "nope.py", "/dev/zero", "\0"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(ExpressionError, match=r"no such file|not a file|no file is"):
        parse_callbacks(f"@{path}")


PIECES = ["EarlyStopping", "ES", "m.fit", "callbacks=", "(", ")", "[", "]", ",", "="]
PIECES += [
    "\n",
    "\n    ",
    "def f(a):",
    "lambda a:",
    "for a in b:",
    "class C:",
    "a",
    "b",
]
PIECES += ["import keras", "from keras.callbacks import *", "global a", "a.append(b)"]
PIECES += ["1", "'x'", "*", "**", ":", ";", "+", ".", "(yield)", "match a:", "case b:"]


TRAINER = """
from keras.callbacks import EarlyStopping, ReduceLROnPlateau
class Trainer:
    def __init__(self):
        self.callbacks = [EarlyStopping(patience=3), ReduceLROnPlateau(patience=2)]
    def train(self):
        self.model.fit(x, validation_data=v, epochs=9, callbacks=self.callbacks)
"""


def test_a_list_that_an_object_keeps_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(TRAINER)
    found = read_script_callbacks(str(path))
    listed = (EarlyStopping(patience=3), ReduceLROnPlateau(patience=2))
    assert (found.callbacks, found.lines, found.epochs) == (listed, (5, 5), 9)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("    def more(self):\n        self.callbacks.append(own)\n", "gains entries"),
        ("    def more(self):\n        self.callbacks = []\n", "more than once"),
        ("    def more(self):\n        run(self.callbacks)\n", "could change it"),
        ("    def more(self):\n        self.callbacks[0].patience = 9\n", "is changed"),
    ],
)
def test_a_list_that_an_object_keeps_and_may_change_is_refused(
    tmp_path: Path, more: str, problem: str
) -> None:
    path = tmp_path / "train.py"
    path.write_text(TRAINER + more)
    with pytest.raises(ExpressionError, match=problem):
        read_script_callbacks(str(path))


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join) | st.text())
def test_any_text_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.py"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        found = read_script_callbacks(str(path))
    except CbreplayError:
        return
    assert len(found.callbacks) == len(found.lines)


STATEMENTS = [
    "import keras",
    "import keras.callbacks as k",
    "from keras.callbacks import EarlyStopping as E",
    "E = k.EarlyStopping",
    "a = E(patience=p)",
    "a = [E(), b]",
    "b = E(patience=3)",
    "b = a",
    "p = 5",
    "a.append(b)",
    "a += [b]",
    "def f(p): m.fit(x, callbacks=a)",
    "m.fit(x, callbacks=a)",
    "m.fit(x, callbacks=[a, b])",
    "m.fit(**o)",
    "del p",
    "[m.fit(x, callbacks=a) for a in p]",
    "class C: a = b",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(STATEMENTS), max_size=12))
def test_any_program_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, statements: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "program.py"
    path.write_text("\n".join(statements))
    try:
        found = read_script_callbacks(str(path))
    except CbreplayError:
        return
    # a callback is found only where a patience that the script sets makes it
    assert {one.patience for one in found.callbacks} <= {0, 3, 5}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "lines",
    [
        "c = []; c.append(A); c.append(B); FIT",
        "c = list(); c.append(A); c += [B]; FIT",
        "c = [A]; c.extend([B]); FIT",
        "c: list = [A]; c.extend((B,)); FIT",
        "c = [A]; x = 3; b = B; c.append(b); FIT",
        "more = [B]; c = [] + [A]; c += more; FIT",
        "c = []; c.append([A]); c.extend([B]); FIT; FIT",
    ],
)
@pytest.mark.parametrize("place", ["{}", "def go(data):\n{}", "with scope():\n{}"])
def test_a_list_that_grows_in_its_own_block_is_what_python_makes_it(
    script: Path, lines: str, place: str
) -> None:
    """Python itself is the oracle: the list is built by running the same lines."""
    built = lines.replace("A", "EarlyStopping(patience=3)")
    built = built.replace("B", "ReduceLROnPlateau(patience=2)")
    statements = built.replace("FIT", "m.fit(x, callbacks=c)").split("; ")
    indent = "" if place == "{}" else "    "
    text = place.format("\n".join(f"{indent}{one}" for one in statements))
    names = {"EarlyStopping": EarlyStopping, "ReduceLROnPlateau": ReduceLROnPlateau}
    for one in statements:
        if "fit" not in one:
            exec(one, names)  # noqa: S102 - the lines above
    expected = read_callbacks(names["c"]).callbacks
    assert read(script, text).callbacks == expected


def test_another_variable_of_the_name_does_not_hinder(script: Path) -> None:
    text = (
        "def train(c):\n    return c\n"
        "c = []\nc.append(EarlyStopping(patience=3))\nm.fit(x, callbacks=c)"
    )
    found = read(script, text)
    assert (found.callbacks, found.lines) == ((EarlyStopping(patience=3),), (4,))


A, B = "EarlyStopping(patience=3)", "ReduceLROnPlateau(patience=2)"
BEGUN, GAIN = f"    c = [{A}]\n", f"    c.append({B})\n"
FIT_BELOW, FIT_INSIDE = "m.fit(x, callbacks=c)", "    m.fit(x, callbacks=c)\n"


@pytest.mark.parametrize(
    "text",
    [
        f"try:\n{BEGUN}    risky()\n{GAIN}except E:\n    pass\n{FIT_BELOW}",
        f"try:\n{BEGUN}{GAIN}except E:\n    m.fit(x, callbacks=c)",
        f"try:\n{BEGUN}{GAIN}finally:\n    m.fit(x, callbacks=c)",
        f"try:\n  if a:\n{BEGUN}{GAIN}except E:\n    pass\n{FIT_BELOW}",
        f"with suppress(E):\n{BEGUN}    risky()\n{GAIN}{FIT_BELOW}",
        f"with own:\n{BEGUN}{GAIN}{FIT_BELOW}",
        f"for i in r:\n{BEGUN}    if i:\n        break\n{GAIN}{FIT_BELOW}",
        f"for i in r:\n{BEGUN}    if i: continue\n{GAIN}{FIT_BELOW}",
        f"while a:\n{BEGUN}    break\n{GAIN}{FIT_BELOW}",
        (
            f"for i in r:\n{BEGUN}    for j in i: pass\n    else: break\n"
            f"{GAIN}{FIT_BELOW}"
        ),
    ],
)
def test_a_list_that_may_be_left_before_it_gains_is_refused(
    script: Path, text: str
) -> None:
    with pytest.raises(ExpressionError, match="'c' is changed in line"):
        read(script, text)


@pytest.mark.parametrize(
    "text",
    [
        # what uses the list is reached after all of it only
        f"try:\n{BEGUN}    risky()\n{GAIN}{FIT_INSIDE}except E:\n    pass",
        f"for i in r:\n{BEGUN}    if i: continue\n{GAIN}{FIT_INSIDE}",
        f"with suppress(E):\n{BEGUN}{GAIN}{FIT_INSIDE}",
        # nothing leaves the block, or it ends the script
        f"with strategy.scope():\n{BEGUN}{GAIN}{FIT_BELOW}",
        f"for i in r:\n{BEGUN}    for j in i: break\n{GAIN}{FIT_BELOW}",
        f"if a:\n{BEGUN}    if b: raise SystemExit\n{GAIN}{FIT_BELOW}",
    ],
)
def test_a_list_that_has_gained_all_where_it_is_used_is_read(
    script: Path, text: str
) -> None:
    expected = (EarlyStopping(patience=3), ReduceLROnPlateau(patience=2))
    assert read(script, text).callbacks == expected


def test_what_a_script_says_a_thousand_times_is_followed_once() -> None:
    scope = Scope(None)
    for name in "ab":
        scope.bind(name, Binding(1))
    graph = _Graph([Flow(scope, "a", "holds", scope, "b")] * 1000)
    assert graph.beside((scope, "a"), 1, is_deep=True) == [((scope, "b"), 1, True)]


@pytest.mark.no_cover
def test_a_script_whose_names_mean_too_much_is_refused(script: Path) -> None:
    """Each of its 5,000 entries could be any of 3,000 values."""
    meanings = "if some: kept += [kept]\n" * 3000
    entries = "kept, " * 5000
    script.write_text(f"kept = []\n{meanings}m.fit(x, callbacks=[{entries}])")
    with pytest.raises(ExpressionError, match="too much to follow"):
        read_training_script(str(script))


def test_a_script_whose_calls_could_run_too_many_functions_is_refused(
    script: Path,
) -> None:
    """600 calls of any of 600 functions are more pairs than are followed."""
    text = "def f(a): return a\n" * 600 + "f(b)\n" * 600
    with pytest.raises(ExpressionError, match="too much to follow"):
        read(script, f"{text}{FIT}")
