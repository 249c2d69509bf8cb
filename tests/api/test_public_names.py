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


def modules_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has after some code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {*json.loads(done.stdout.splitlines()[-1])}


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after some code."""
    return {name.partition(".")[0] for name in modules_after(code)}


@pytest.mark.slow
def test_importing_cbreplay_loads_nothing_third_party() -> None:
    assert loaded_by("import cbreplay").isdisjoint(HEAVY)


@pytest.mark.slow
def test_help_loads_click_alone() -> None:
    loaded = loaded_by("from cbreplay.cli.main import main; main(['--help'])")
    assert loaded & set(HEAVY) == {"click"}


ASK_ABOUT_ONE_CSV = """
import sys, tempfile, pathlib
from cbreplay.cli.main import main
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, 'logs.csv')
    path.write_text('epoch,val_loss\\n0,0.5\\n1,0.4\\n2,0.6\\n')
    assert main(['simulate', str(path)]) == 0
"""


@pytest.mark.slow
def test_an_answer_about_one_csv_loads_click_and_numpy_alone() -> None:
    assert loaded_by(ASK_ABOUT_ONE_CSV) & set(HEAVY) == {"click", "numpy"}


@pytest.mark.slow
def test_an_answer_about_a_plain_csv_loads_nothing_for_odd_ones() -> None:
    # each costs a millisecond or two of the quarter of a second that the answer takes
    for_others = {
        "csv",
        "decimal",
        "locale",
        "numpy.typing",
        "shlex",
        "cbreplay.loading.recorded_rates",
        "cbreplay.readers.columns.numbered_names",
        "cbreplay.readers.columns.cell_by_cell",
        "cbreplay.readers.building.odd_epochs",
        "cbreplay.replay.choices",
        "cbreplay.rules.keras.reduce_lr_on_plateau",
        "cbreplay.staircase.rate_history",
    }
    assert modules_after(ASK_ABOUT_ONE_CSV) & for_others == set()


@pytest.mark.slow
def test_lint_of_a_script_loads_click_alone() -> None:
    code = """
import tempfile, pathlib
from cbreplay.cli.main import main
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, 'train.py')
    path.write_text('from keras.callbacks import EarlyStopping\\n'
        'model.fit(x, epochs=9, callbacks=[EarlyStopping(patience=3)])\\n')
    assert main(['lint', str(path)]) == 0
"""
    assert loaded_by(code) & set(HEAVY) == {"click"}


@pytest.mark.slow
def test_numpy_is_imported_where_the_stack_is_low() -> None:
    # 37 calls up, Python 3.11 mapped memory 540 times more often, which took 10 ms;
    # with up to 24 plain calls above the bottom of the stack it did so never
    watch = """
import sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            global depth
            depth, frame = 0, sys._getframe(1)
            while frame := frame.f_back:
                depth += 1
sys.meta_path.insert(0, Watch())
"""
    code = f"{watch}{ASK_ABOUT_ONE_CSV}\nassert depth < 24, depth"
    assert "numpy" in loaded_by(code)


@pytest.mark.slow
def test_without_keras_every_name_is_there_and_only_recording_is_refused() -> None:
    script = (
        "import sys; sys.modules['keras'] = None\n"
        "from cbreplay import *\nimport cbreplay, pydoc\n"
        "assert 'Recorder' in pydoc.render_doc(cbreplay)\n"
        "def record(): \n    with recording('r'): pass\n"
        "for use in (lambda: Recorder('r'), lambda: recorded([], 'r'), record):\n"
        "    try: use()\n"
        "    except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    refused = done.stdout.splitlines()
    assert len(refused) == 3
    assert all(line.startswith("recording a training needs keras") for line in refused)
