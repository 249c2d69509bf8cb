"""What a script changes after it was written is refused, or doubted, with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import EarlyStopping, ExpressionError, read_script_callbacks

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay.expressions import ScriptCallbacks

STOP = "stop = EarlyStopping(patience=1)"
LIST = "cbs = [EarlyStopping(patience=1)]"


def read(path: Path, text: str) -> ScriptCallbacks:
    script = path / "train.py"
    script.write_text(f"from keras.callbacks import *\n{text}\n")
    return read_script_callbacks(str(script))


@pytest.mark.parametrize(
    "change",
    [
        "n = [stop]\nn[0].patience = 8",
        "n = {'a': stop}\nn['a'].patience = 8",
        "n, m = [stop], 1\nn[0].patience = 8",
        "n = {}\nn['a'] = stop\nn['a'].patience = 8",
        "n = {}\nn['a'] = stop\nfor c in n.values():\n    c.patience = 8",
        "n = K()\nn.a = [stop]\nk = n.a\nk[0].patience = 8",
        "(n := stop).patience = 8",
        "for n in [stop]:\n    n.patience = 8",
        "[setattr(n, 'patience', 8) for n in [stop]]",
        "with stop as n:\n    n.patience = 8",
        "match stop:\n    case n:\n        n.patience = 8",
        "def f(z):\n    z.patience = 8\nf(z=stop)",
        "def f(*z):\n    z[0].patience = 8\nf(stop)",
        "def f(**z):\n    z['q'].patience = 8\nf(q=stop)",
        "def f(z):\n    return z\nf(stop).patience = 8",
        "def f():\n    return stop\nf().patience = 8",
        "class K:\n    n = stop\nK.n.patience = 8",
        "class K:\n    stop.patience = 8\n    stop = 1",
        "(lambda z: z.__setattr__('patience', 8))(stop)",
        "stop.__dict__['patience'] = 8",
        "stop.__dict__.update(patience=8)",
        "vars(stop)['patience'] = 8",
    ],
)
def test_a_changed_callback_is_refused_with_the_line(
    tmp_path: Path, change: str
) -> None:
    line = 2 + len(change.splitlines())
    fit = "m.fit(x, callbacks=[stop])"
    with pytest.raises(ExpressionError, match=r"'stop' is changed in line \d") as told:
        read(tmp_path, f"{STOP}\n{change}\n{fit}")
    assert f"line {line + 1}: 'stop'" in str(told.value)


@pytest.mark.parametrize(
    "change",
    [
        "n = cbs or 1\nn.append(ReduceLROnPlateau())",
        "n = m = cbs\nn.append(ReduceLROnPlateau())",
        "n = (cbs, 1)\nn[0].append(ReduceLROnPlateau())",
        "n = dict(a=cbs)\nn['a'].append(ReduceLROnPlateau())",
        "n = {}\nn['a'] = cbs\nn['a'].append(ReduceLROnPlateau())",
        "n = [*cbs]\nn[0].patience = 8",
        "n = cbs + []\nn[0].patience = 8",
        "n = cbs.copy()\nn[0].patience = 8",
        "add = cbs.append\nadd(ReduceLROnPlateau())",
        "list.append(cbs, ReduceLROnPlateau())",
        "cbs.__iadd__([ReduceLROnPlateau()])",
        "(lambda z: z.append(ReduceLROnPlateau()))(cbs)",
        "[cbs.append(ReduceLROnPlateau()) for _ in range(2)]",
    ],
)
def test_a_changed_list_is_refused_with_the_line(tmp_path: Path, change: str) -> None:
    with pytest.raises(ExpressionError, match=r"'cbs' is changed in line \d"):
        read(tmp_path, f"{LIST}\n{change}\nm.fit(x, callbacks=cbs)")


@pytest.mark.parametrize("kept", ["c.stopped_epoch", "c.monitor", "c", "cbs"])
def test_what_is_put_into_something_is_not_changed_by_that(
    tmp_path: Path, kept: str
) -> None:
    told = f"n = {{}}\nfor c in cbs:\n    n['a'] = {kept}\n    n['b'] = 1"
    read_list = read(tmp_path, f"{LIST}\n{told}\nm.fit(x, callbacks=cbs)").callbacks
    assert read_list == (EarlyStopping(patience=1),)


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        ("helper(cbs)", "cbs is given to something that is not read"),
        ("tools.helper(1, c=cbs)", "cbs is given to something that is not read"),
        ("class K: ...\nK(cbs)", "cbs is given to something that is not read"),
        ("exec(text)", "exec() may change what a name means, and is not read"),
        ("globals()['cbs'] = []", "globals() may change what a name means"),
    ],
)
def test_what_may_change_a_list_unseen_is_doubted(
    tmp_path: Path, line: str, doubt: str
) -> None:
    found = read(tmp_path, f"{LIST}\n{line}\nm.fit(x, callbacks=cbs)")
    assert found.callbacks == (EarlyStopping(patience=1),)
    assert [note for note in found.notes if doubt in note]


@pytest.mark.parametrize(
    "line",
    [
        "print(cbs, len(cbs), list(cbs), *cbs)",
        "m.evaluate(x, callbacks=cbs)\nm.predict(x, callbacks=cbs)",
        "P = 3\nbuild(P)\nn = [P]\nn[0] = 4",
        "def f(z):\n    print(z)\nf(cbs)",
        "n = [ReduceLROnPlateau()]\nn[0].patience = 8",
        "history = m.compile()\nhistory.history['x'] = 1",
        "import os\nos.environ['A'] = 'b'",
        "if vars(args)['quiet']:\n    pass",
    ],
)
def test_what_changes_nothing_is_no_doubt(tmp_path: Path, line: str) -> None:
    found = read(tmp_path, f"{LIST}\n{line}\nm.fit(x, callbacks=cbs)")
    assert found.callbacks == (EarlyStopping(patience=1),)
    assert not [note for note in found.notes if "not read" in note]


@pytest.mark.parametrize("gain", ["cbs.extend(other)", "cbs += other"])
def test_a_list_that_another_has_copied_does_not_grow_in_it(
    tmp_path: Path, gain: str
) -> None:
    """A run gives two callbacks to fit: the third comes when they are copied."""
    other = "other = [EarlyStopping(patience=2)]"
    later = "other.append(EarlyStopping(patience=3))"
    text = f"{LIST}\n{other}\n{gain}\n{later}\nm.fit(x, callbacks=cbs)"
    with pytest.raises(ExpressionError, match="'other' is changed in line 5"):
        read(tmp_path, text)


def test_thousands_of_growing_lists_are_read_in_their_own_time(tmp_path: Path) -> None:
    lines = [f"c{i} = []\nc{i}.append(EarlyStopping())" for i in range(4000)]
    found = read(tmp_path, "\n".join([*lines, "m.fit(x, callbacks=c7)"]))
    assert found.callbacks == (EarlyStopping(),)
    many = "\n".join(["cbs.append(EarlyStopping(patience=2))"] * 3000)
    found = read(tmp_path, f"{LIST}\n{many}\nm.fit(x, callbacks=cbs)")
    assert len(found.callbacks) == 3001
