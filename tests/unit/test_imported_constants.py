"""What a script imports from its own modules: numbers and texts are read there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import read_script_callbacks
from cbreplay.scripts.training_scripts import read_training_script

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """import os
EPOCHS = 5
RATE: float = -1e-3
_HIDDEN = 5
TWICE = 5
TWICE = 5
COMPUTED = int(os.environ["EPOCHS"])
LATER = 5
def change():
    global LATER
    LATER = 6
class Config:
    '''What is trained.'''
    epochs = 5
"""
FIT = "m.fit(x, validation_data=v, epochs={}, callbacks=[EarlyStopping(patience=7)])"


def planned(folder: Path, script: str, epochs: str) -> int | None:
    path = folder / "train.py"
    path.write_text(
        f"from keras.callbacks import EarlyStopping\n{script}\n{FIT.format(epochs)}\n"
    )
    (fit,) = read_training_script(str(path)).fits
    return fit.facts.epochs


@pytest.mark.parametrize(
    ("script", "epochs", "expected"),
    [
        ("from config import EPOCHS", "EPOCHS", 5),
        ("from .config import EPOCHS", "EPOCHS", 5),
        ("from config import EPOCHS as n, os", "n", 5),
        ("from config import Config as C", "C.epochs", 5),
        ("from config import *", "EPOCHS", 5),
        ("from config import *", "Config.epochs", 5),
        # the script's own assignment is the last
        ("from config import *\nEPOCHS = 9", "EPOCHS", 9),
        ("from config import *\nfrom other import *", "EPOCHS", 3),
        # what is no number there, or may be another one
        ("from config import COMPUTED", "COMPUTED", None),
        ("from config import TWICE", "TWICE", None),
        ("from config import LATER", "LATER", None),
        ("from config import absent", "absent", None),
        ("from config import *", "_HIDDEN", None),
        ("from config import *\nfrom computed import *", "EPOCHS", None),
        ("from listed import *", "EPOCHS", None),
        # nothing beside the script, or nothing that is read
        ("from configs import EPOCHS", "EPOCHS", None),
        ("from broken import EPOCHS", "EPOCHS", None),
    ],
)
def test_a_number_of_a_module_beside_the_script_is_known(
    tmp_path: Path, script: str, epochs: str, expected: int | None
) -> None:
    modules = {
        "config": CONFIG,
        "other": "EPOCHS = 3\n",
        "computed": "EPOCHS = read()\n",
        "listed": "__all__ = []\nEPOCHS = 5\n",
        "broken": "EPOCHS = 5\nif\n",
    }
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(text)
    assert planned(tmp_path, script, epochs) == expected


def test_a_package_may_stand_above_the_script(tmp_path: Path) -> None:
    training = tmp_path / "project" / "training"
    configs = tmp_path / "project" / "configs"
    training.mkdir(parents=True)
    configs.mkdir()
    (configs / "config.py").write_text(CONFIG)
    (configs.parent / "plain.py").write_text(CONFIG)
    script = "from project.configs.config import EPOCHS"
    assert planned(training, script, "EPOCHS") == 5
    assert planned(training, "from ..configs.config import EPOCHS", "EPOCHS") == 5
    # Python looks for a module of one name beside the script alone
    assert planned(training, "from plain import EPOCHS", "EPOCHS") is None


def test_a_replay_reads_the_same_number(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("PATIENCE = 4\n")
    script = tmp_path / "train.py"
    script.write_text(
        "from keras.callbacks import EarlyStopping\nfrom config import PATIENCE\n"
        "m.fit(x, callbacks=[EarlyStopping(patience=PATIENCE)])\n"
    )
    (stop,) = read_script_callbacks(str(script)).callbacks
    assert "patience=4," in repr(stop)
