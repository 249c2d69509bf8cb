"""The public names, and what importing them loads."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import cbreplay

NAMES = """
    Answer ask CbreplayError ConfigError EarlyStopping EmaStopping EvidenceError
    ExpressionError
    Judging LearningRateScheduler LogError MeanStopping MissingExtraError
    ModelCheckpoint OutputError
    PrecheltGL PrecheltPQ PrecheltUP Recommendation Recorder ReduceLROnPlateau Replay
    Run SemanticsError Series Sweep TargetStopping TerminateOnNaN TruncatedLogError
    UnknownMonitorError
    __version__ build_staircase choices compare_replays confirm_replay
    explain_replay
    lint_callbacks load_runs make_grid pair_choices parse_callbacks
    read_script_callbacks recommend_config recorded recording replay_fits
    replay_run sweep_runs write_keras_code
"""
HEAVY = ["click", "jinja2", "keras", "matplotlib", "numpy", "pandas", "rich"]
HEAVY += ["google_crc32c", "tensorboard", "tensorflow"]


def test_the_public_names_are_these() -> None:
    assert sorted(cbreplay.__all__) == sorted(NAMES.split())


def test_every_public_name_is_there_and_listed() -> None:
    for name in cbreplay.__all__:
        assert getattr(cbreplay, name) is not None
        assert name in dir(cbreplay)
    for name in ("distributed", "plots", "readers", "record", "report"):
        assert getattr(cbreplay, name).__name__ == f"cbreplay.{name}"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'replay_runs'"):
        _ = cbreplay.replay_runs


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after some code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    modules = json.loads(done.stdout.splitlines()[-1])
    return {name.partition(".")[0] for name in modules}


@pytest.mark.slow
def test_importing_cbreplay_loads_nothing_third_party() -> None:
    assert loaded_by("import cbreplay").isdisjoint(HEAVY)


@pytest.mark.slow
def test_help_loads_click_alone() -> None:
    loaded = loaded_by("from cbreplay.cli.main import main; main(['--help'])")
    assert loaded & set(HEAVY) == {"click"}


@pytest.mark.slow
def test_an_answer_about_one_csv_loads_click_and_numpy_alone() -> None:
    code = (
        "import sys, tempfile, pathlib\n"
        "from cbreplay.cli.main import main\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    path = pathlib.Path(folder, 'logs.csv')\n"
        "    path.write_text('epoch,val_loss\\n0,0.5\\n1,0.4\\n2,0.6\\n')\n"
        "    assert main(['simulate', str(path)]) == 0\n"
    )
    assert loaded_by(code) & set(HEAVY) == {"click", "numpy"}
