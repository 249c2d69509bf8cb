"""``cbreplay record``: the script as it is, and what is refused before it begins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cbreplay.cli.main import main
from tests.run_schema import check_schema


class Became(Exception):  # noqa: N818 - no error: what a process turned into
    """The process was turned into another program."""


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Catch what the process would turn into: its words and its environment."""
    seen: list[Any] = []

    def become(_program: str, words: list[str], environment: dict[str, str]) -> None:
        seen.append((json.loads(words[2]), words[3:], environment))

    monkeypatch.setattr(os, "execve", become)
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text("print('here')\n")
    return seen


class TestTheScript:
    def test_gets_its_own_words_and_options(self, became: list[Any]) -> None:
        assert main(["record", "--epochs", "9", "train.py", "--out", "x", "-m"]) == 0
        ((options, words, _),) = became
        assert words == ["train.py", "--out", "x", "-m"]
        assert options["epochs"] == 9
        assert (options["kind"], options["out"]) == ("script", "runs/train")

    def test_may_be_a_module(self, became: list[Any]) -> None:
        assert main(["record", "-m", "package.train", "--fast"]) == 0
        ((options, words, _),) = became
        assert (options["kind"], words) == ("module", ["package.train", "--fast"])

    def test_does_not_get_what_we_set_for_ourselves(
        self, became: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from cbreplay.cli.threads import spare_threads

        monkeypatch.setattr("cbreplay.cli.threads._set_here", [])
        monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
        spare_threads()
        assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
        assert main(["record", "train.py"]) == 0
        assert "OPENBLAS_NUM_THREADS" not in became[0][2]
        monkeypatch.delenv("OPENBLAS_NUM_THREADS")

    def test_is_recorded_beside_an_earlier_recording(self, became: list[Any]) -> None:
        Path("runs/train").mkdir(parents=True)
        Path("runs/train/kept").touch()
        assert main(["record", "train.py"]) == 0
        assert became[0][0]["out"] == "runs/train-2"


class TestAShare:
    def test_is_decided_by_name_and_arguments_alone(self, became: list[Any]) -> None:
        chosen = []
        for seed in range(200):
            for _ in range(2):
                words = ["--without", "EarlyStopping", "--share", "0.2", "train.py"]
                assert main(["record", "--out", "r", *words, str(seed)]) == 0
            first, again = became[-2][0]["without"], became[-1][0]["without"]
            assert first == again
            chosen.append(bool(first))
        # two standard deviations of 200 draws at 0.2 are 11
        assert abs(sum(chosen) - 40) <= 11

    def test_of_nothing_and_of_all_is_none_and_every_one(
        self, became: list[Any]
    ) -> None:
        for share in ("0", "1"):
            words = ["--without", "EarlyStopping", "--share", share, "train.py"]
            assert main(["record", *words]) == 0
        assert [options["without"] for options, *_ in became] == [[], ["EarlyStopping"]]


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ([], "Give a script, a notebook, or -m MODULE."),
            (["absent.py"], "'absent.py' is not there"),
            (["--out", ".", "train.py"], "the directory is not empty"),
            (["shell.ipynb"], "cell 2 of 'shell.ipynb' is no Python: '!ls'"),
            (["broken.ipynb"], "'broken.ipynb' is not a notebook that can be read"),
        ],
    )
    def test_come_before_anything_is_run(
        self,
        became: list[Any],
        capsys: pytest.CaptureFixture[str],
        words: list[str],
        sentence: str,
    ) -> None:
        cells = [
            {"cell_type": "markdown", "source": ["!not code"]},
            {"cell_type": "code", "source": ["x = 1\n", "!ls"]},
        ]
        Path("shell.ipynb").write_text(json.dumps({"cells": cells}))
        Path("broken.ipynb").write_text("{}")
        assert main(["record", *words]) == 2
        assert sentence in capsys.readouterr().err.replace("\n", " ")
        assert became == []


TRAINING = """
import sys
import keras
import numpy as np
keras.utils.set_random_seed(int(sys.argv[1]))
X = np.ones((8, 1))
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
stop = keras.callbacks.EarlyStopping("loss", patience=1, min_delta=100)
model.fit(X, X, epochs=4, verbose=0, callbacks=stop)
print(float(model.get_weights()[0][0, 0]).hex(), sys.argv, __name__, __file__)
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *words],
        capture_output=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root, "TF_CPP_MIN_LOG_LEVEL": "3"},
        text=True,
    )


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return a process's lines on stderr without those of native code and of ours."""
    lines = done.stderr.splitlines()
    first = next((n for n, line in enumerate(lines) if "Traceback" in line), len(lines))
    return [line for line in lines[first:] if not line.startswith(("cbreplay", "next"))]


@pytest.mark.keras
@pytest.mark.slow
class TestARecordedScript:
    def test_prints_ends_and_fails_as_without(self, tmp_path: Path) -> None:
        script = TRAINING + "def fail():\n    return 1 / 0\nfail()\n"
        (tmp_path / "train.py").write_text(script)
        plain = run(tmp_path, "train.py", "5")
        watched = run(tmp_path, "-m", "cbreplay", "record", "train.py", "5")
        assert watched.stdout == plain.stdout
        assert (watched.returncode, plain.returncode) == (1, 1)
        assert "ZeroDivisionError" in plain.stderr
        assert errors(watched) == errors(plain)
        check_schema(tmp_path / "runs/train/fit1/run.json")
        assert "cbreplay: recorded 1 fit in runs/train/fit1" in watched.stderr

    def test_is_recorded_whole_without_its_stopping(self, tmp_path: Path) -> None:
        cell = {"cell_type": "code", "source": ["%matplotlib inline\n", TRAINING]}
        (tmp_path / "train.ipynb").write_text(json.dumps({"cells": [cell]}))
        words = ["record", "--without", "EarlyStopping", "--epochs", "3"]
        done = run(tmp_path, "-m", "cbreplay", *words, "train.ipynb", "5")
        assert done.returncode == 0
        contents = json.loads((tmp_path / "runs/train/fit1/run.json").read_text())
        assert contents["ended"] == {"by": "plan", "epoch": 2}
        assert contents["without"] == ["EarlyStopping"]


def test_a_script_that_trains_nothing_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import sys\nsys.exit(4)\n")
    done = run(tmp_path, "-m", "cbreplay", "record", "train.py")
    assert done.returncode == 4
    assert "train.py trained nothing with fit of Keras 3" in done.stderr
