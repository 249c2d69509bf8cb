"""``cbreplay record``: the script as it is, and what is refused before it begins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

from cbreplay.cli.main import main
from cbreplay.record import launch
from cbreplay.record.recording import FitChanges, WatchedModels
from tests.run_schema import check_schema


class Closing(Protocol):
    def __call__(self, out: str, *made: str, **options: Any) -> str: ...


def write_notebook(path: Path, *cells: str) -> None:
    text = [{"cell_type": "markdown", "source": ["!no code"]}]
    code = [{"cell_type": "code", "source": cell.splitlines(True)} for cell in cells]
    path.write_text(json.dumps({"cells": text + code}))


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
        assert options["out"] == "runs/package.train"

    def test_does_not_get_what_we_set_for_ourselves(
        self, became: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from cbreplay.cli.process import spare_threads

        monkeypatch.setattr("cbreplay.cli.process._set_here", [])
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

    def test_is_decided_alike_where_the_directory_is_numbered(
        self, became: list[Any]
    ) -> None:
        for _ in range(12):
            words = ["--without", "EarlyStopping", "--share", "0.5", "train.py"]
            assert main(["record", *words]) == 0
            (Path(became[-1][0]["out"]) / "kept").touch()
        assert became[-1][0]["out"] == "runs/train-12"
        assert len({bool(options["without"]) for options, *_ in became}) == 1

    def test_of_no_class_is_refused(
        self, became: list[Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["record", "--share", "0.5", "train.py"]) == 2
        assert became == []
        assert "--without leaves a class out, and none is named" in (
            capsys.readouterr().err
        )

    def test_of_nothing_and_of_all_is_none_and_every_one(
        self, became: list[Any]
    ) -> None:
        for share in ("0", "1"):
            words = ["--without", "EarlyStopping", "--share", share, "train.py"]
            assert main(["record", *words]) == 0
        assert [options["without"] for options, *_ in became] == [[], ["EarlyStopping"]]


@pytest.mark.parametrize(
    "line",
    ["!pip install keras --upgrade -q", "%pip install a", "!python -m pip install a"],
)
def test_what_a_notebook_installs_is_left_out_and_said(
    became: list[Any], capsys: pytest.CaptureFixture[str], line: str
) -> None:
    write_notebook(Path("a.ipynb"), f"{line}\nx = 1")
    assert main(["record", "a.ipynb"]) == 0
    assert len(became) == 1
    assert f"not run: {line}" in capsys.readouterr().err


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ([], "Give a script, a notebook, or -m MODULE."),
            (["absent.py"], "'absent.py' is not there"),
            (["--out", ".", "train.py"], "the directory is not empty"),
            (["shell.ipynb"], "code cell 1 of 'shell.ipynb': only IPython runs '!ls'"),
            (["timed.ipynb"], "timed.ipynb': only IPython runs 'took = %time fit()'"),
            (["late.ipynb"], "code cell 2 of 'late.ipynb': this is not Python"),
            (["broken.ipynb"], "'broken.ipynb' cannot be read: it is no notebook"),
            (["more.ipynb"], "only IPython runs '!pip install a; ls'"),
        ],
    )
    def test_come_before_anything_is_run(
        self,
        became: list[Any],
        capsys: pytest.CaptureFixture[str],
        words: list[str],
        sentence: str,
    ) -> None:
        write_notebook(Path("shell.ipynb"), "x = 1\n!ls")
        write_notebook(Path("timed.ipynb"), "took = %time fit()")
        write_notebook(Path("late.ipynb"), "train()", "x = (")
        write_notebook(Path("more.ipynb"), "!pip install a; ls")
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


PROBE = """
import sys
def f(x: int): ...
print(f.__annotations__, "numpy" in sys.modules, sys.path[:2], __file__)
"""


class TestAScriptWithoutKeras:
    @pytest.mark.parametrize("safe", [[], ["-P"]])
    def test_finds_python_as_it_does_without(
        self, tmp_path: Path, safe: list[str]
    ) -> None:
        """No future statement of ours, no numpy before its own, its own first path."""
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "train.py").write_text(PROBE)
        for words in (["folder/train.py"], ["-m", "folder.train"]):
            plain = run(tmp_path, *safe, *words)
            watched = run(tmp_path, *safe, "-m", "cbreplay", "record", *words)
            assert "{'x': <class 'int'>} False" in plain.stdout or safe
            assert watched.stdout == plain.stdout

    def test_may_be_a_notebook(self, tmp_path: Path) -> None:
        write_notebook(tmp_path / "a.ipynb", "%%time\ny = '\\\n!text'", PROBE)
        watched = run(tmp_path, "-m", "cbreplay", "record", "a.ipynb")
        assert "{'x': <class 'int'>} False" in watched.stdout


OLD_KERAS = """
from keras import callbacks
__version__ = "2.15.0"
class Model:
    def fit(self, *words): print("own fit", *words)
"""


def test_keras_2_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text(OLD_KERAS)
    (tmp_path / "keras" / "callbacks.py").write_text("class Callback: pass\n")
    (tmp_path / "train.py").write_text("import keras\nkeras.Model().fit(1, 2)\n")
    done = run(tmp_path, "-m", "cbreplay", "record", "train.py")
    assert done.returncode == 0
    assert done.stdout == "own fit 1 2\n"
    assert done.stderr == (
        "cbreplay: nothing is recorded: recording needs Keras 3, and this is Keras "
        "2.15.0; pip install 'cbreplay[train]' brings it\n"
    )


class TestTheClosingLines:
    @pytest.fixture
    def closing(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> Closing:
        def close(out: str, *made: str, **options: Any) -> str:
            monkeypatch.chdir(tmp_path)
            finder = launch._KerasFinder({"out": out, "named": [], **options})
            finder.watched = WatchedModels(finder.root, FitChanges())
            finder.watched.n_fits = len(made) or options.get("n_fits", 0)
            finder.watched.n_in_part = options.get("n_in_part", 0)
            finder.watched.names = {"EarlyStopping"}
            finder.watched.directories = [Path(path).absolute() for path in made]
            elsewhere = tmp_path / "elsewhere"
            elsewhere.mkdir()
            monkeypatch.chdir(elsewhere)
            elsewhere.rmdir()
            launch._report(finder, "train.py", os.getpid())
            return capsys.readouterr().err

        return close

    def test_are_said_by_no_copy_of_the_process_that_the_script_forked(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        finder = launch._KerasFinder({"out": str(tmp_path), "named": []})
        launch._report(finder, "train.py", os.getpid() + 1)
        assert capsys.readouterr().err == ""

    def test_lead_to_the_runs_from_where_the_command_was_given(
        self, closing: Closing
    ) -> None:
        """The script went to another directory, and removed that one."""
        told = closing("my runs", "my runs/fit1", "my runs/fit2")
        assert told == (
            "cbreplay: recorded 2 fits in 'my runs'\n"
            "next: cbreplay simulate 'my runs'\n"
        )

    def test_name_the_directories_of_a_script_that_records_itself(
        self, closing: Closing
    ) -> None:
        told = closing("runs", "own/a", "own/b")
        assert told.endswith("next: cbreplay simulate own/a own/b\n")

    def test_name_a_directory_elsewhere_in_full(
        self, closing: Closing, tmp_path: Path
    ) -> None:
        far = str(tmp_path.parent / "far")
        assert f"simulate {far}/fit1\n" in closing(far, f"{far}/fit1")

    def test_say_that_a_class_was_in_no_fit(self, closing: Closing) -> None:
        told = closing("runs", "runs/fit1", named=["EarlyStoping", "EarlyStopping"])
        assert told.startswith(
            "cbreplay: --without EarlyStoping: no fit had a callback of this class; "
            "did you mean 'EarlyStopping'?\ncbreplay: recorded 1 fit"
        )

    def test_say_which_fits_are_recorded_in_part(self, closing: Closing) -> None:
        assert closing("runs", "runs/fit1", n_in_part=1).startswith(
            "cbreplay: recorded 1 fit in runs/fit1, not to the end, as said above\n"
        )

    def test_count_the_fits_that_are_recorded_in_part(self, closing: Closing) -> None:
        assert closing("runs", "runs/fit1", "runs/fit2", n_in_part=1).startswith(
            "cbreplay: recorded 2 fits in runs, 1 of them not to the end, as said above"
        )

    def test_do_not_say_that_nothing_was_trained_where_it_was(
        self, closing: Closing
    ) -> None:
        told = closing("runs", n_fits=2)
        assert told == (
            "cbreplay: nothing is recorded of train.py: its 2 fits were not recorded, "
            "as said above\n"
        )


OWN_RECORD = TRAINING.replace(
    "callbacks=stop)", "callbacks=cbreplay.recorded([stop], 'own'))"
).replace("import sys\n", "import os, sys, cbreplay, importlib.util\n")


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


@pytest.mark.keras
@pytest.mark.slow
def test_a_script_that_records_itself_is_changed_too(tmp_path: Path) -> None:
    """It also asks where Keras is, before it is imported, and leaves its directory."""
    script = OWN_RECORD.replace(
        "import keras\n",
        'assert importlib.util.find_spec("keras")\nimport keras\n',
    )
    (tmp_path / "train.py").write_text(script + "os.chdir('own')\n")
    words = ["record", "--without", "EarlyStopping", "--epochs", "3", "train.py", "5"]
    done = run(tmp_path, "-m", "cbreplay", *words)
    assert done.returncode == 0
    contents = json.loads((tmp_path / "own" / "run.json").read_text())
    assert contents["ended"] == {"by": "plan", "epoch": 2}
    assert contents["without"] == ["EarlyStopping"]
    assert contents["callbacks"] == [
        "CSVLogger('logs.csv')",
        "TensorBoard('tensorboard')",
    ]
    assert done.stderr.endswith(
        "cbreplay: recorded 1 fit in own\nnext: cbreplay simulate own\n"
    )


def test_a_script_that_trains_nothing_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import sys\nsys.exit(4)\n")
    done = run(tmp_path, "-m", "cbreplay", "record", "train.py")
    assert done.returncode == 4
    assert "train.py trained nothing with fit of Keras 3" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("words", [[], ["-m", "cbreplay", "record"]])
def test_an_interrupted_script_ends_as_it_does_without(
    tmp_path: Path, words: list[str]
) -> None:
    """A shell that runs several goes on after status 1, and not after the signal."""
    script = tmp_path / "train.py"
    script.write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    ended = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *words, str(script)],
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert ended.returncode == -signal.SIGINT
