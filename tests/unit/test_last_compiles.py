"""Of several ``compile`` of one model, the last before a ``fit`` is that of the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.lint.scripts import lint_script
from cbreplay.scripts.training_scripts import read_training_script

if TYPE_CHECKING:
    from pathlib import Path

HEAD = (
    "import keras\nfrom keras.callbacks import EarlyStopping, ReduceLROnPlateau\n"
    "m = keras.Sequential([keras.layers.Dense(1)])\n"
)
SCHEDULE = "m.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1)))"
NUMBER = "m.compile(keras.optimizers.Adam(0.01))"
FIT = "m.fit(*x, validation_data=v, callbacks=[ReduceLROnPlateau()])"
MADE = "def build():\n    m = keras.Sequential()\n    COMPILE\n    return m\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # a fit under a number, and one after it under a schedule, where Keras raises
        (f"{NUMBER}\n{FIT}\n{SCHEDULE}\n{FIT}", [7]),
        (f"{SCHEDULE}\n{FIT}\n{NUMBER}\n{FIT}", [5]),
        (f"{NUMBER}\n{SCHEDULE}\nfor i in n:\n    {FIT}", [7]),
        (f"for i in n:\n    {NUMBER}\n    {FIT}\n    {SCHEDULE}\n    {FIT}", [8]),
        (f"def go():\n    {NUMBER}\n    {SCHEDULE}\n    {FIT}\ngo()", [7]),
        # the compile below the fit is the last before the second round
        (f"{SCHEDULE}\nfor i in n:\n    {FIT}\n    {NUMBER}", []),
        # only some trainings come by the second
        (f"{SCHEDULE}\nif c:\n    {NUMBER}\n{FIT}", []),
        (f"{NUMBER}\nif c:\n    {SCHEDULE}\n{FIT}", []),
        # what a function compiles before it returns the model is replaced
        (f"{MADE.replace('COMPILE', SCHEDULE)}m = build()\n{NUMBER}\n{FIT}", []),
        (f"{MADE.replace('COMPILE', NUMBER)}m = build()\n{SCHEDULE}\n{FIT}", [10]),
        (f"{MADE.replace('COMPILE', SCHEDULE)}m = build()\n{FIT}", [9]),
        # another model may stand in the name's place
        (f"{NUMBER}\n{SCHEDULE}\nif c:\n    m = other()\n{FIT}", []),
    ],
)
def test_the_last_compile_before_a_fit_decides(
    tmp_path: Path, text: str, found: list[int]
) -> None:
    script = tmp_path / "train.py"
    script.write_text(HEAD + text)
    findings = lint_script(read_training_script(str(script)), semantics="keras-3.15")
    assert [
        placed.member.call.lineno
        for placed in findings
        if placed.finding.code == "schedule-beside-plateau"
    ] == found


def test_a_fine_tuning_is_checked_by_its_own_metrics_and_rate(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        f"{HEAD}"
        "m.compile(keras.optimizers.Adam(1e-3), 'mse', metrics=['mae'])\n"
        "m.fit(x, y, validation_data=(a, b), callbacks=[\n"
        "    ReduceLROnPlateau(min_lr=1e-5),\n"
        "    EarlyStopping('val_mae', 0, 5, mode='min', restore_best_weights=True)])\n"
        "m.compile(keras.optimizers.Adam(1e-5), 'mse', metrics=['accuracy'])\n"
        "m.fit(x, y, validation_data=(a, b), callbacks=[\n"
        "    ReduceLROnPlateau(min_lr=1e-5),\n"
        "    EarlyStopping('val_mae', 0, 5, mode='min', restore_best_weights=True)])\n"
    )
    findings = lint_script(read_training_script(str(script)), semantics="keras-3.15")
    assert [
        (placed.member.call.lineno, placed.finding.code) for placed in findings
    ] == [
        (10, "floor-above-rate"),
        (11, "absent-monitor"),
    ]
