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
TWICE = 4
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
        ("from config import TWICE", "TWICE", 5),
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


# --- callbacks, fits and models in several modules

TOOLS = """import os
from keras.callbacks import EarlyStopping, ReduceLROnPlateau
import settings
extra = []
extra.append(ReduceLROnPlateau(patience=settings.WAIT))
def get_callbacks(patience):
    return [EarlyStopping(patience=patience), *extra]
def train(model, given):
    model.fit(x, validation_data=v, epochs=settings.EPOCHS, callbacks=given)
if __name__ == "__main__":
    train(build(), get_callbacks(2))
"""
SETTINGS = "EPOCHS, WAIT = 30, 5\n"
MODEL = """import keras
def build():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model
"""


def project(folder: Path, **scripts: str) -> list[str]:
    modules = {"tools": TOOLS, "settings": SETTINGS, "model": MODEL} | scripts
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    return [str(folder / f"{name}.py") for name in scripts]


@pytest.mark.parametrize(
    "script",
    [
        """
from tools import get_callbacks, train
from model import build
train(build(), get_callbacks(7))
""",
        "import tools, model\ntools.train(model.build(), tools.get_callbacks(7))",
        """
import tools as t
from model import build as b
def main():
    m = b()
    t.train(m, t.get_callbacks(patience=7))
main()
""",
        "from tools import *\nfrom model import *\ntrain(build(), get_callbacks(7))",
        # names that the script has too
        """
from tools import get_callbacks, train
import model as m
extra = settings = EPOCHS = keras = 1
train(m.build(), get_callbacks(7))
""",
        """
def main():
    from tools import get_callbacks as g, train
    import model
    train(model.build(), g(7))
""",
    ],
)
def test_a_script_and_its_modules_are_read_as_one(tmp_path: Path, script: str) -> None:
    (path,) = project(tmp_path, run=script)
    read = read_training_script(path)
    (fit,) = read.fits
    assert [member.code for member in fit.members] == [
        "EarlyStopping(patience=7)",
        "ReduceLROnPlateau(patience=5)",
    ]
    assert fit.facts.epochs == 30
    assert fit.facts.validated
    compiled = fit.facts.compiled
    assert compiled is not None
    assert compiled.is_whole
    assert compiled.may_log("mae")
    assert not compiled.may_log("accuracy")
    places = [read.source.place(member.call.lineno) for member in fit.members]
    assert places == ["line 7 of tools.py", "line 5 of tools.py"]
    # the callbacks of a module that no fit of the script gets are read with that module
    assert not read.loose


@pytest.mark.parametrize(
    "change",
    ["settings.EPOCHS = 5", "setattr(settings, 'EPOCHS', 5)", "change(settings)"],
)
def test_what_is_set_in_a_module_from_outside_is_not_told(
    tmp_path: Path, change: str
) -> None:
    script = f"import settings\n{change}\n"
    fit = FIT.format("settings.EPOCHS")
    own = f"from keras.callbacks import *\n{script}{fit}"
    other = (
        f"{script}from tools import train, get_callbacks\ntrain(m, get_callbacks(3))"
    )
    for path in project(tmp_path, own=own, other=other):
        (read,) = read_training_script(path).fits
        assert read.facts.epochs is None


def test_modules_that_import_each_other_are_read_once(tmp_path: Path) -> None:
    script = "from tools import get_callbacks\nm.fit(x, callbacks=get_callbacks(7))"
    (path, _) = project(tmp_path, run=script, settings=f"import run, tools\n{SETTINGS}")
    (fit,) = read_training_script(path).fits
    assert len(fit.members) == 2


def test_a_file_of_the_name_of_keras_is_not_the_scripts_own(tmp_path: Path) -> None:
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "callbacks.py").write_text("class EarlyStopping:\n    pass\n")
    assert planned(tmp_path, "", "5") == 5


def test_a_script_with_too_much_beside_it_is_read_alone(tmp_path: Path) -> None:
    count = 2_500
    chain = "".join(f"def f{n}():\n    return f{n + 1}()\n" for n in range(count))
    (tmp_path / "big.py").write_text(chain)
    imports = "".join(f"from big import f{n}\n" for n in range(count))
    assert planned(tmp_path, imports, "5") == 5
