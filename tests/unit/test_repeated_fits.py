"""One callback for the models of several fits: what it brings from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.lint.scripts import lint_script
from cbreplay.scripts.training_scripts import read_training_script

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "import keras\nfrom keras.callbacks import *\nfrom other import build\n"
SAVE = "ModelCheckpoint('b.keras', save_best_only=True)"
STOP = "EarlyStopping(patience=5, restore_best_weights=True)"
RATE = "ReduceLROnPlateau(patience=5)"
NEW = "model = keras.Sequential()"
FIT = "model.fit(*x, validation_data=v, callbacks=[c])"
LOOP = f"for i in folds:\n    {NEW}\n    {FIT}"


def carried(path: Path, text: str, semantics: str = "keras-3.15") -> bool:
    """Return whether a script has the finding."""
    script = path / "train.py"
    script.write_text(HEAD + text)
    found = lint_script(read_training_script(str(script)), semantics=semantics)
    return "best-of-earlier-fit" in {placed.finding.code for placed in found}


@pytest.mark.parametrize(
    ("callback", "semantics", "expected"),
    [
        # the releases whose on_train_begin leaves best as it is
        (SAVE, "keras-2.15", True),
        (SAVE, "tf_keras-2.16", True),
        (SAVE, "keras-3.15", True),
        ("ModelCheckpoint('b.keras')", "keras-3.15", False),
        (STOP, "keras-2.15", False),
        (STOP, "keras-3.0", True),
        (STOP, "keras-3.7", False),
        (STOP, "keras-3.11", True),
        (STOP, "keras-3.15", False),
        (RATE, "keras-3.10", False),
        (RATE, "keras-3.11", True),
        (RATE, "keras-3.15", False),
        ("TerminateOnNaN()", "keras-3.15", False),
    ],
)
def test_a_best_is_carried_where_this_keras_does_not_reset_it(
    tmp_path: Path, callback: str, semantics: str, *, expected: bool
) -> None:
    assert carried(tmp_path, f"c = {callback}\n{LOOP}", semantics) is expected


@pytest.mark.parametrize(
    "text",
    [
        f"c = {SAVE}\nfor i in folds:\n    model = build()\n    {FIT}",
        f"c = {SAVE}\nwhile n:\n    model = keras.models.clone_model(m)\n    {FIT}",
        (
            f"def make():\n    m = keras.Sequential()\n    m.add(x)\n    return m\n"
            f"c = {SAVE}\nfor i in folds:\n    model = make()\n    {FIT}"
        ),
        (
            f"class M(keras.Model):\n    pass\nc = {SAVE}\nfor i in folds:\n"
            f"    model = M()\n    {FIT}"
        ),
        # weights that are read after the fit are of no other fit
        f"c = {SAVE}\n{LOOP}\n    model.load_weights('b.keras')",
        (
            f"c = {SAVE}\ncs = [c]\nfor i in folds:\n    {NEW}\n"
            "    model.fit(*x, validation_data=v, callbacks=cs)"
        ),
        f"def get():\n    return [{SAVE}]\nc = get()\n{LOOP}",
        (
            f"def main():\n    c = {SAVE}\n    for i in folds:\n        {NEW}\n"
            f"        {FIT}"
        ),
        (
            f"for n in sizes:\n    c = {SAVE}\n    for i in folds:\n        {NEW}\n"
            f"        {FIT}"
        ),
        # each fold goes on with its own model, the callback with that of the others
        (
            f"c = {SAVE}\nfor i in folds:\n    {NEW}\n    for part in parts:\n"
            f"        {FIT}"
        ),
        f"def run(i):\n    {NEW}\n    {FIT}\nc = {SAVE}\nfor i in folds:\n    run(i)",
        (
            f"def run(model, c):\n    {FIT}\nd = {SAVE}\nfor i in folds:\n"
            "    run(keras.Sequential(), d)"
        ),
        # a default is made once, where the function is defined
        f"def run(i, c={SAVE}):\n    {NEW}\n    {FIT}\nfor i in folds:\n    run(i)",
        (
            f"c = {SAVE}\nfor i in folds:\n    if a:\n        {NEW}\n    else:\n"
            f"        model = build()\n    {FIT}"
        ),
        # each trial of a search runs the function anew
        f"c = {SAVE}\ndef go(trial):\n    {NEW}\n    {FIT}\nstudy.optimize(go, 9)",
        (
            f"def main():\n    c = {SAVE}\n    def go(trial):\n        {NEW}\n"
            f"        {FIT}\n    study.optimize(lambda trial: go(trial), 9)"
        ),
        # an object has one list for all of its fits
        (
            f"class T:\n    def __init__(self):\n        self.c = [{SAVE}]\n"
            "    def run(self, x):\n        self.model = keras.Sequential()\n"
            "        self.model.fit(x, validation_data=v, callbacks=self.c)\n"
            "t = T()\nfor i in folds:\n    t.run(i)"
        ),
        # two fits in a row
        f"c = {SAVE}\n{NEW}\n{FIT}\n{NEW}\n{FIT}",
        (
            f"c = {SAVE}\na = keras.Sequential()\nb = keras.Sequential()\n"
            f"{FIT.replace('model', 'a')}\nif more:\n    {FIT.replace('model', 'b')}"
        ),
    ],
)
def test_one_checkpoint_for_models_that_a_loop_makes_is_found(
    tmp_path: Path, text: str
) -> None:
    assert carried(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        f"for i in folds:\n    c = {SAVE}\n    {NEW}\n    {FIT}",
        f"def go(trial):\n    c = {SAVE}\n    {NEW}\n    {FIT}\nstudy.optimize(go, 9)",
        f"c = {SAVE}\n{NEW}\ndef go(trial):\n    {FIT}\nstudy.optimize(go, 9)",
        # an object for each round, and a list that each run makes anew
        (
            f"class T:\n    def __init__(self):\n        self.c = [{SAVE}]\n"
            "    def run(self, x):\n        self.model = keras.Sequential()\n"
            "        self.model.fit(x, validation_data=v, callbacks=self.c)\n"
            "for i in folds:\n    T().run(i)"
        ),
        (
            f"class T:\n    def __init__(self):\n        self.c = [{SAVE}]\n"
            f"    def run(self, x):\n        self.c = [{SAVE}]\n"
            "        self.model = keras.Sequential()\n"
            "        self.model.fit(x, validation_data=v, callbacks=self.c)\n"
            "t = T()\nfor i in folds:\n    t.run(i)"
        ),
        # the same model again, and fits of which each has a callback of its own
        f"c = {SAVE}\n{NEW}\n{FIT}\nmodel.compile('sgd')\n{FIT}",
        f"def get():\n    return {SAVE}\n" + 2 * f"c = get()\n{NEW}\n{FIT}\n",
        f"c = {SAVE}\nif a:\n    {NEW}\n    {FIT}\nelse:\n    {NEW}\n    {FIT}",
        f"c = {SAVE}\n{NEW}\n{FIT}\nmodel = get_model()\n{FIT}",
        f"c = {SAVE}\nmodel = get_model()\n{FIT}\n{NEW}\n{FIT}",
        f"for i in folds:\n    {NEW}\n    {FIT.replace('[c]', f'[{SAVE}]')}",
        (
            f"def get():\n    return {SAVE}\n"
            f"for i in folds:\n    c = get()\n    {NEW}\n    {FIT}"
        ),
        (
            f"def run(i):\n    c = {SAVE}\n    {NEW}\n    {FIT}\n"
            "for i in folds:\n    run(i)"
        ),
        (
            f"def run(model, c):\n    {FIT}\nfor i in folds:\n"
            f"    run(keras.Sequential(), {SAVE})"
        ),
        # one fit
        f"c = {SAVE}\n{NEW}\n{FIT}",
        f"c = {SAVE}\n{LOOP}\n    break",
        # the same model goes on
        f"c = {SAVE}\n{NEW}\nfor i in parts:\n    {FIT}",
        (
            f"c = {SAVE}\nmodel = None\nfor i in parts:\n    if model is None:\n"
            f"        {NEW}\n    {FIT}"
        ),
        f"c = {SAVE}\nfor i in parts:\n    if i == 0:\n        {NEW}\n    {FIT}",
        (
            f"c = {SAVE}\nfor i in parts:\n"
            f"    model = keras.models.load_model('b.keras')\n    {FIT}"
        ),
        (
            f"c = {SAVE}\nfor i in parts:\n    {NEW}\n"
            f"    model.load_weights('b.keras')\n    {FIT}"
        ),
        f"c = {SAVE}\nfor i in parts:\n    model = models[i]\n    {FIT}",
        (
            f"m = keras.Sequential()\ndef make():\n    return m\nc = {SAVE}\n"
            f"for i in parts:\n    model = make()\n    {FIT}"
        ),
        f"c = {SAVE}\nfor i in parts:\n    model = get_model()\n    {FIT}",
        # a callback for each round, and one whose best is set by hand
        f"cs = [{SAVE} for i in folds]\nfor c in cs:\n    {NEW}\n    {FIT}",
        (
            f"cs = [{SAVE}, ModelCheckpoint('c.keras', save_best_only=True)]\n"
            f"for i in range(2):\n    {NEW}\n    {FIT.replace('[c]', '[cs[i]]')}"
        ),
        f"c = {SAVE}\nfor i in folds:\n    c.best = None\n    {NEW}\n    {FIT}",
    ],
)
def test_no_best_is_carried_where_a_round_has_its_own_callback_or_one_model_goes_on(
    tmp_path: Path, text: str
) -> None:
    assert not carried(tmp_path, text)


def test_keras_itself_saves_nothing_of_a_second_model_that_is_worse() -> None:
    import keras

    from tests.oracles.played_fit import play_fit

    checkpoint = keras.callbacks.ModelCheckpoint("b.keras", save_best_only=True)
    # the best of the first fit is 0.3; of the second only 0.2 is better
    first = play_fit([{"val_loss": value} for value in (0.5, 0.3)], [checkpoint])
    again = play_fit([{"val_loss": value} for value in (0.9, 0.8, 0.2)], [checkpoint])
    assert [epoch for epoch, _ in first.saves] == [0, 1]
    assert [epoch for epoch, _ in again.saves] == [2]


AUC = "m.compile('sgd', 'binary_crossentropy', metrics=[keras.metrics.AUC({})])"
MAKE = "def make():\n    m = keras.Sequential()\n    {}\n    return m\n"
WATCH = "EarlyStopping('val_auc', mode={}, patience=5, restore_best_weights=True)"
ANEW = (
    "for i in folds:\n    m = make()\n    m.fit(*x, validation_data=v, callbacks=[{}])"
)
HERE = f"for i in folds:\n    m = keras.Sequential()\n    {AUC.format('')}\n"
HERE += "    m.fit(*x, validation_data=v, callbacks=[{}])"


def found_in(path: Path, text: str) -> dict[str, str]:
    """Return the reason of each finding of a script, by its code."""
    script = path / "train.py"
    script.write_text("import keras\nfrom keras.callbacks import *\n" + text)
    found = lint_script(read_training_script(str(script)), semantics="keras-3.15")
    return {placed.finding.code: placed.finding.reason for placed in found}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            MAKE.format(AUC.format("")) + ANEW.format(WATCH.format("'max'")),
            "never acts",
        ),
        # a new callback has to ask the model of each fit for the direction
        (
            MAKE.format(AUC.format("")) + ANEW.format(WATCH.format("'auto'")),
            "ValueError",
        ),
        (HERE.format(WATCH.format("'max'")), "never acts"),
    ],
)
def test_a_metric_without_a_name_is_numbered_from_the_second_round_on(
    tmp_path: Path, text: str, reason: str
) -> None:
    assert reason in found_in(tmp_path, text)["absent-monitor"]


def test_no_best_is_carried_where_the_later_fits_have_no_value(tmp_path: Path) -> None:
    """As real fits of Keras 3.15: each epoch of the second is saved, without a best."""
    save = (
        "c = ModelCheckpoint('b.keras', 'val_auc', mode='max', save_best_only=True)\n"
    )
    text = MAKE.format(AUC.format("")) + save + ANEW.format("c")
    found = found_in(tmp_path, text)
    assert found["absent-monitor"].endswith("and saves those all the same")
    assert "best-of-earlier-fit" not in found


@pytest.mark.parametrize(
    "text",
    [
        MAKE.format(AUC.format("name='auc'")) + ANEW,
        MAKE.format("keras.backend.clear_session(); " + AUC.format("")) + ANEW,
        # one object for all models keeps its name
        "a = [keras.metrics.AUC()]\n"
        + MAKE.format("m.compile('sgd', metrics=a)")
        + ANEW,
        MAKE.format(AUC.format("")) + ANEW.replace("for i in folds", "if folds"),
    ],
)
def test_a_metric_that_keeps_its_name_is_no_finding(tmp_path: Path, text: str) -> None:
    found = found_in(tmp_path, text.replace("[{}]", f"[{WATCH.format(repr('max'))}]"))
    assert "absent-monitor" not in found


FIRST = f"m = keras.Sequential()\n{AUC.format('')}\n"
CALLED = f"m.fit(*x, validation_data=v, callbacks=[{WATCH.format(repr('max'))}])\n"


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        # fine-tuning compiles once more
        (f"{FIRST}{CALLED}{AUC.format('')}\n{CALLED}", True),
        (f"{FIRST}m.fit(*x)\nm = keras.Sequential()\n{AUC.format('')}\n{CALLED}", True),
        (f"{FIRST}m.fit(*x)\n{AUC.format('name=' + repr('auc'))}\n{CALLED}", False),
        (f"{FIRST}{CALLED}keras.backend.clear_session()\n{FIRST}{CALLED}", False),
        # it may not run
        (f"if a:\n    b = keras.metrics.AUC()\n{FIRST}{CALLED}", False),
        (f"a = [keras.metrics.AUC()]\nm = keras.Sequential()\n{CALLED}", False),
        (f"{FIRST}{CALLED}", False),
    ],
)
def test_the_second_metric_of_a_class_is_numbered(
    tmp_path: Path, text: str, *, is_found: bool
) -> None:
    """Keras 3.15 logs auc, and auc_1 in the second of two such fits."""
    assert ("absent-monitor" in found_in(tmp_path, text)) is is_found


@pytest.mark.keras
@pytest.mark.filterwarnings("ignore:Early stopping conditioned on metric")
def test_keras_logs_no_val_auc_in_the_second_round() -> None:
    import keras
    import numpy as np

    x, y = np.ones((4, 1)), np.array([0, 1, 0, 1])

    def fit(mode: str) -> bool:
        model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy", metrics=[keras.metrics.AUC()])
        stop = keras.callbacks.EarlyStopping("val_auc", mode=mode)
        fitted = model.fit(x, y, validation_data=(x, y), callbacks=[stop], verbose=0)
        return "val_auc" in fitted.history

    keras.backend.clear_session()
    assert [fit("max"), fit("max")] == [True, False]
    with pytest.raises(ValueError, match="isn't able to automatically determine"):
        fit("auto")


LOG = "model.fit(*x, callbacks=[CSVLogger('log.csv')])"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{LOG}\n{LOG}", True),
        (f"if a:\n    {LOG}\n    {LOG}", True),
        (f"{LOG}\nif a:\n    {LOG}", True),
        # one of the two fits runs
        (f"if a:\n    {LOG}\nelse:\n    {LOG}", False),
        (f"if a:\n    {LOG}\nelif b:\n    {LOG}", False),
        (f"try:\n    {LOG}\nexcept E:\n    {LOG}", False),
        (f"match a:\n case 1:\n    {LOG}\n case _:\n    {LOG}", False),
        # which is the first need not be told
        (f"def train():\n    {LOG}\ndef again():\n    {LOG}", False),
        # another file, or one that is read in between
        (f"{LOG}\n{LOG.replace('log', 'other')}", False),
        # a round after another, of folds or of one training
        (f"for fold in range(5):\n    {LOG}", True),
        (f"def run(fold):\n    {LOG}\nfor fold in range(5):\n    run(fold)", True),
        (
            f"def run(i):\n    if i:\n        return\n    {LOG}\nfor i in x: run(i)",
            False,
        ),
        (f"for fold in folds:\n    {LOG}\n    if late:\n        return", False),
        (
            f"def run():\n    {NEW}\n    {LOG}\nfor fold in folds:\n    run()",
            True,
        ),
        (
            "c = CSVLogger('log.csv')\nfor i in x:\n    model.fit(*x, callbacks=[c])",
            True,
        ),
        # one round, perhaps; a file for each, or one that is read
        (f"for seed in [42]:\n    {LOG}", False),
        (f"for fold in range(1):\n    {LOG}", False),
        (f"for fold in folds:\n    if fold == 2:\n        {LOG}", False),
        (f"for fold in folds:\n    if fold:\n        continue\n    {LOG}", False),
        (f"while True:\n    {LOG}", False),
        (
            "for i in x:\n    model.fit(*x, callbacks=[CSVLogger(f'{i}.csv')])",
            False,
        ),
        (f"for i in range(5):\n    {LOG}\n    keep('log.csv')", False),
        (f"for i in range(5):\n    os.chdir(folders[i])\n    {LOG}", False),
        (f"{LOG}\nplot('log.csv')\n{LOG}", False),
        (
            f"path = 'log.csv'\n{LOG}\nplot(path)\n{LOG}".replace(
                "'log.csv')]", "path)]"
            ),
            False,
        ),
    ],
)
def test_a_log_is_written_over_only_where_both_fits_run(
    tmp_path: Path, text: str, *, expected: bool
) -> None:
    script = tmp_path / "train.py"
    script.write_text(HEAD + text)
    found = lint_script(read_training_script(str(script)), semantics="keras-3.15")
    codes = {placed.finding.code for placed in found}
    assert ("overwrites-log" in codes) is expected


def test_a_second_call_is_named_as_what_repeats_the_fit(tmp_path: Path) -> None:
    """It was named as the one before, whose log it writes over."""
    script = tmp_path / "train.py"
    script.write_text(f"{HEAD}def run():\n    {NEW}\n    {LOG}\nrun()\nrun()")
    second = len(script.read_text().splitlines())
    found = lint_script(read_training_script(str(script)), semantics="keras-3.15")
    (told,) = (each.finding for each in found if each.finding.code == "overwrites-log")
    assert f"what the run before it (line {second} repeats it) logged" in told.message
