"""What `lint` says of files that a second fit writes anew, by Keras's own fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.oracles.trained_scripts import findings_in, run_script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]

HEAD = """
import keras
import numpy as np
x = y = np.ones((4, 1), "float32")
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "relu")])
model.compile("sgd", "mse")
"""
# the second fit is worse in its first epoch: the model is set back, on other values
SECOND = "model.layers[0].set_weights([np.full((1, 1), 9.0), np.full(1, 9.0)])\n"
FIT = "model.fit(x, y, epochs=3, verbose=0, callbacks=[HELD])\n"
AGAIN = FIT.replace("epochs=3", "initial_epoch=3, epochs=4")
LOG = "keras.callbacks.CSVLogger('log.csv'MORE)"
BEST = "keras.callbacks.ModelCheckpoint('best.keras', 'loss', save_best_only=True)"


@pytest.mark.parametrize(
    ("more", "between", "rows", "is_found"),
    [
        ("", "", ["3"], True),
        (", append=False", "", ["3"], False),  # what is written out is intended
        (", append=True", "", ["0", "1", "2", "3"], False),
        ("", "kept = open('log.csv').read()\n", ["3"], False),  # it was read
    ],
)
def test_a_log_is_said_to_be_lost_only_where_keras_writes_over_it(  # noqa: PLR0917
    more: str,
    between: str,
    rows: list[str],
    is_found: bool,  # noqa: FBT001 - a case of the test
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = LOG.replace("MORE", more)
    text = HEAD + FIT.replace("HELD", log) + between + AGAIN.replace("HELD", log)
    codes = run_and_lint(text, tmp_path, monkeypatch)
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == rows
    assert ("overwrites-log" in codes) is is_found


@pytest.mark.parametrize(
    ("held", "is_overwritten"),
    [
        (f"first, second = {BEST}, {BEST}\n", True),
        # one object remembers its best
        (f"first = second = {BEST}\n", False),
    ],
)
def test_a_best_file_is_said_to_be_lost_only_where_keras_saves_worse_over_it(
    held: str,
    is_overwritten: bool,  # noqa: FBT001 - a case of the test
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = HEAD + held + FIT.replace("HELD", "first")
    text += SECOND + FIT.replace("HELD", "second").replace("epochs=3", "epochs=1")
    assert is_lost(text, tmp_path, monkeypatch) is is_overwritten


@pytest.mark.parametrize(("held", "is_overwritten"), [(BEST, True), ("once", False)])
def test_a_best_file_of_a_loop_is_said_to_be_lost_only_where_keras_saves_worse(
    held: str,
    is_overwritten: bool,  # noqa: FBT001 - a case of the test
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # without an error in the first round, and worse in the second
    text = f"{HEAD}once = {BEST}\nfor turn in range(2):\n"
    text += f"    {SECOND.replace('9.0', '9.0 * turn + (turn == 0)', 1)}"
    text = text.replace("np.full(1, 9.0)", "np.full(1, 9.0 * turn)")
    text += f"    {FIT.replace('HELD', held).replace('epochs=3', 'epochs=1')}"
    assert is_lost(text, tmp_path, monkeypatch) is is_overwritten


def is_lost(text: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether the file of the best is worse, which `lint` has to say alike."""
    codes = run_and_lint(text, path, monkeypatch)
    import keras
    import numpy as np

    saved = keras.models.load_model(path / "best.keras")
    is_worse = abs(saved.predict(np.ones((1, 1)), verbose=0)[0, 0] - 1) > 1
    assert ("overwrites-after-resume" in codes) == is_worse
    return bool(is_worse)


def run_and_lint(text: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    monkeypatch.chdir(path)
    run_script(text)
    found = findings_in(path, text)
    return {finding.code for finding in found}


@pytest.mark.parametrize(
    "folds",
    [
        "for fold in range(2):\n    {}",
        "def run(fold):\n    {}for fold in range(2):\n    run(fold)\n",
        "def run(fold):\n    {}run(0)\nrun(1)\n",
    ],
)
def test_a_log_of_folds_is_said_to_be_lost_where_keras_writes_over_it(
    folds: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = FIT.replace("epochs=3", "epochs=3 - fold").replace(
        "HELD", LOG.replace("MORE", "")
    )
    codes = run_and_lint(f"{HEAD}{folds.format(fold)}", tmp_path, monkeypatch)
    # of three epochs and two, the last fold's are left
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["0", "1"]
    assert "overwrites-log" in codes
