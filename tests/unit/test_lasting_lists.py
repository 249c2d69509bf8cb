"""A callbacks list that is made once and grows with each fit, as `lint` finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.lint.scripts import lint_script
from cbreplay.scripts.training_scripts import read_training_script

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay.rules.checks import Finding

HEAD = "import keras\nfrom keras.callbacks import *\nmodel = keras.Sequential()\n"
SAVE = "ModelCheckpoint(f'{i}.keras', save_best_only=True)"
FIT = "model.fit(*x, validation_data=v, callbacks=cs)"
GROW = f"cs.append({SAVE})"
CLASS = f"""
class Trainer:
    def __init__(self):
        self.cs = []
    def run(self, i):
        self.{GROW}
        {FIT.replace("=cs", "=self.cs")}
"""
OF_CLASS = CLASS.replace("def __init__(self)", "if True").replace("self.cs = ", "cs = ")
RUN = f"def run(i):\n    {GROW}\n    {FIT}\n"


def staying(path: Path, text: str, semantics: str = "keras-3.15") -> list[Finding]:
    script = path / "train.py"
    script.write_text(HEAD + text)
    found = lint_script(read_training_script(str(script)), semantics=semantics)
    return [
        placed.finding for placed in found if placed.finding.code == "stays-in-list"
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"cs = []\nfor i in folds:\n    {GROW}\n    {FIT}",
        f"cs = []\nfor i in folds:\n    cs += [{SAVE}]\n    {FIT}",
        f"cs = list()\nfor i in folds:\n    cs.extend([{SAVE}])\n    {FIT}",
        f"cs = [EarlyStopping()]\nfor i in folds:\n    cs.insert(0, {SAVE})\n    {FIT}",
        f"cs = []\nfor i in folds:\n    c = {SAVE}\n    cs.append(c)\n    {FIT}",
        f"cs = ()\nfor i in folds:\n    cs += ({SAVE},)\n    {FIT}",
        f"cs = []\nfor i in folds:\n    cs = cs + [{SAVE}]\n    {FIT}",
        # held by an object, or by its class
        f"{CLASS}trainer = Trainer()\nfor i in folds:\n    trainer.run(i)",
        (
            f"{CLASS}    def all(self):\n        for i in x:\n            self.run(i)\n"
            "Trainer().all()"
        ),
        f"{OF_CLASS}trainer = Trainer()\nfor i in folds:\n    trainer.run(i)",
        f"cs = get()\nfor i in folds:\n    {GROW}\n    {FIT}",
        # one list by another name, and a list that holds the one that grows
        f"a = []\nfor i in folds:\n    cs = a\n    {GROW}\n    {FIT}",
        (
            f"a = []\nfor i in folds:\n    a.append({SAVE})\n"
            f"    cs = [*a, EarlyStopping()]\n    {FIT}"
        ),
        f"for n in sizes:\n    cs = []\n    for i in x:\n        {GROW}\n        {FIT}",
        f"if a:\n    cs = []\n    for i in folds:\n        {GROW}\n        {FIT}",
        # through functions
        f"cs = []\n{RUN}for i in folds:\n    run(i)",
        f"cs = []\n{RUN}for i in folds:\n    {GROW}\n    run(i)",
        f"cs = []\n{RUN}run(1)\nrun(2)",
        f"{RUN.replace('(i)', '(i, cs=[])', 1)}for i in folds:\n    run(i)",
        f"{RUN.replace('(i)', '(i, cs=[])', 1)}run(1)\nrun(2)",
        f"{RUN.replace('(i)', '(i, cs)', 1)}b = []\nfor i in folds:\n    run(i, b)",
        f"cs = []\n{RUN}study.optimize(run, 20)",
        f"def main():\n    cs = []\n    for i in folds:\n        {GROW}\n        {FIT}",
    ],
)
def test_callbacks_that_later_fits_have_too_are_found(
    tmp_path: Path, text: str
) -> None:
    assert [finding.severity for finding in staying(tmp_path, text)][:1] == ["warning"]


@pytest.mark.parametrize(
    "text",
    [
        # a list for each round
        f"for i in folds:\n    cs = []\n    {GROW}\n    {FIT}",
        f"a = []\nfor i in folds:\n    cs = list(a)\n    {GROW}\n    {FIT}",
        f"a = []\nfor i in folds:\n    cs = [*a, {SAVE}]\n    {FIT}",
        f"a = []\nfor i in folds:\n    cs = a.copy()\n    {GROW}\n    {FIT}",
        f"for i in folds:\n    cs = get()\n    {GROW}\n    {FIT}",
        f"def run(i):\n    cs = []\n    {GROW}\n    {FIT}\nfor i in x:\n    run(i)",
        (
            f"def run(i, cs=None):\n    cs = cs or []\n    {GROW}\n    {FIT}\n"
            "for i in x:\n    run(i)"
        ),
        f"{RUN.replace('(i)', '(i, cs)', 1)}for i in folds:\n    run(i, [])",
        f"{RUN.replace('(i)', '(i, cs=[])', 1)}run(1)\nrun(2, [])",
        # it is emptied, or may be
        f"cs = []\nfor i in folds:\n    cs.clear()\n    {GROW}\n    {FIT}",
        f"cs = []\nfor i in folds:\n    {GROW}\n    {FIT}\n    cs.pop()",
        f"cs = []\nfor i in folds:\n    {GROW}\n    {FIT}\n    del cs[:]",
        f"cs = []\nfor i in folds:\n    {GROW}\n    {FIT}\n    cs = []",
        f"cs = []\nfor i in folds:\n    {GROW}\n    {FIT}\n    tidy(cs)",
        f"{CLASS}        self.cs.clear()\na = Trainer()\nfor i in x:\n    a.run(i)",
        f"{CLASS}        del self.cs[:]\na = Trainer()\nfor i in x:\n    a.run(i)",
        f"{CLASS}        self.cs = []\na = Trainer()\nfor i in x:\n    a.run(i)",
        f"{CLASS}for i in folds:\n    trainer = Trainer()\n    trainer.run(i)",
        f"{CLASS}Trainer().run(0)\nTrainer().run(1)",
        # another list each time
        f"a = []\nfor i in folds:\n    cs = a\n    cs = cs + [{SAVE}]\n    {FIT}",
        (
            f"def run(i, cs=[]):\n    cs = cs + [{SAVE}]\n    {FIT}\n"
            "for i in folds:\n    run(i)"
        ),
        # it grows once
        f"cs = []\nfor i in folds:\n    if not cs:\n        {GROW}\n    {FIT}",
        f"cs = []\nfor i in folds:\n    {GROW}\n    {FIT}\n    break",
        f"cs = []\nfor i in [1]:\n    {GROW}\n    {FIT}",
        f"cs = []\n{RUN}run(1)",
        f"cs = []\n{RUN}if a:\n    run(1)\nelse:\n    run(2)",
        f"cs = []\n{GROW}\nfor i in folds:\n    {FIT}",
        (
            f"cs = []\ndef run(i):\n    if cs:\n        return\n    {GROW}\n    {FIT}\n"
            "for i in folds:\n    run(i)"
        ),
        # one fit has it, or the last entry only
        f"cs = []\nfor i in folds:\n    {GROW}\n{FIT}",
        f"cs = []\nfor i in folds:\n    {GROW}\n    if i == 4:\n        {FIT}",
        (
            f"a = []\nfor i in folds:\n    c = {SAVE}\n    a.append(c)\n"
            "    model.fit(*x, callbacks=[c])"
        ),
        f"a = []\nfor i in folds:\n    a.append({SAVE})\n    cs = a[-1:]\n    {FIT}",
        f"a = []\nfor i in folds:\n    a.append({SAVE})\n    cs = [a[-1]]\n    {FIT}",
        (
            f"a = []\nfor i in folds:\n    a.append({SAVE})\n"
            f"    cs = [c for c in a if is_new(c)]\n    {FIT}"
        ),
        # by another name of it
        f"cs = b = []\nfor i in folds:\n    {GROW}\n    {FIT}\n    b.clear()",
        (
            f"a = []\nb = a\nfor i in folds:\n    cs = a\n    {GROW}\n    {FIT}\n"
            "    b.pop()"
        ),
        (
            f"{RUN.replace('(i)', '(i, cs)', 1)}b = []\nfor i in folds:\n"
            "    run(i, b)\n    b.clear()"
        ),
        # made once: another fault
        f"c = TensorBoard()\ncs = []\nfor i in folds:\n    cs.append(c)\n    {FIT}",
    ],
)
def test_callbacks_of_one_fit_are_not_said_to_stay(tmp_path: Path, text: str) -> None:
    assert staying(tmp_path, text) == []


@pytest.mark.parametrize(
    ("callback", "semantics", "severity"),
    [
        ("TerminateOnNaN()", "keras-3.15", "remark"),
        ("EarlyStopping(patience=3)", "keras-3.15", "remark"),
        # the earlier one still compares with the best of another fit
        ("EarlyStopping(patience=3)", "keras-3.11", "warning"),
        ("EarlyStopping(patience=i)", "keras-3.15", "warning"),
        ("ModelCheckpoint('a.keras', save_best_only=True)", "keras-3.15", "remark"),
        ("ReduceLROnPlateau(patience=3)", "keras-3.15", "warning"),
        ("LearningRateScheduler(lambda e, lr: lr / 2)", "keras-3.15", "warning"),
        ("CSVLogger(f'{i}.csv')", "keras-3.15", "warning"),
        ("TensorBoard(f'{i}')", "keras-3.15", "warning"),
    ],
)
def test_it_is_a_remark_where_the_earlier_ones_add_nothing(
    tmp_path: Path, callback: str, semantics: str, severity: str
) -> None:
    text = f"cs = []\nfor i in folds:\n    cs.append({callback})\n    {FIT}"
    (found,) = staying(tmp_path, text, semantics)
    assert found.severity == severity
    assert ("adds nothing" in found.message) == (severity == "remark")


def test_the_list_and_the_loop_are_named(tmp_path: Path) -> None:
    text = f"cs = []\nfor i in folds:\n    {GROW}\n    {FIT}"
    (found,) = staying(tmp_path, text)
    assert found.reason == (
        "the list of line 4 is made once, and the loop in line 5 adds to it again"
    )
