"""What cannot be trained again is refused before anything is imported to train it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from cbreplay import ConfigError, load_runs
from cbreplay.record.confirming import Retrainer
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("callbacks", ["MyOwn(3)"], "its run.json lists the callback 'MyOwn(3)', whic"),
        ("callbacks", ["EarlyStopping(patience="], "'EarlyStopping(patience=', which"),
        ("experiment", None, "its run.json names no experiment"),
        (None, None, "it has no run.json that can be read"),
    ],
)
def test_a_run_json_that_cannot_be_read_costs_no_import_of_a_framework(
    key: str | None,
    value: object,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = tmp_path / "run"
    shutil.copytree(ROOT / "sample_logs" / "digits-mlp-both", run)
    told = json.loads((run / "run.json").read_text())
    text = "{" if key is None else json.dumps(told | {key: value})
    (run / "run.json").write_text(text)

    def imported() -> None:
        message = "TensorFlow would be imported"
        raise AssertionError(message)

    monkeypatch.setattr("cbreplay.record.retraining.import_training", imported)
    (loaded,) = load_runs(run)
    with pytest.raises(ConfigError) as refused:
        Retrainer(loaded)
    assert said in str(refused.value)
