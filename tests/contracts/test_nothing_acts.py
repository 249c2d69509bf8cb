"""Nothing acts because a file lies there: what is read can only be read.

Each command answers in its own process, whose audit hook sees every import, process,
socket and write that Python makes, while hostile files lie in every channel of input.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, VALUES, write_csv

if TYPE_CHECKING:
    from pathlib import Path

# runs one command under the hook, and prints what it saw besides reading
WATCHER = """
import json, os, sys

here, allowed, words = sys.argv[1], sys.argv[2], sys.argv[3:]
seen = []
# the machine's own: bytecode, matplotlib's list of fonts, and the null device
OWN = ("/dev/null", os.environ["MPLCONFIGDIR"])

def written(path):
    text = os.path.abspath(os.fsdecode(path)) if not isinstance(path, int) else ""
    if text and "__pycache__" not in text and not text.startswith(OWN):
        if os.path.dirname(text) != allowed:
            seen.append(["write", text])

def hook(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written(path)
    elif event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod",
                   "os.link", "os.symlink", "os.truncate", "shutil.rmtree"):
        written(arguments[0])
    elif event.startswith(("subprocess.", "os.system", "os.exec", "os.posix_spawn",
                           "os.spawn", "os.fork", "pty.", "socket.connect",
                           "socket.bind", "socket.getaddrinfo", "socket.sendto",
                           "ctypes.dlopen", "urllib.Request", "webbrowser.open")):
        # matplotlib asks once which fonts there are
        if arguments[:1] != ("fc-list",):
            seen.append([event, repr(arguments)[:200]])

os.chdir(here)
import click, jinja2, numpy, pandas, rich.console  # not ours
from cbreplay.cli.main import main
sys.addaudithook(hook)
status = main(words)
sys.stdout.flush()
for name, module in list(sys.modules.items()):
    file = getattr(module, "__file__", None) or ""
    if file.startswith(here + os.sep):
        seen.append(["import", name])
print(json.dumps({"status": status, "seen": seen}), file=sys.stderr)
"""

ACT = "__import__('os').system('touch acted')"
CODE = f"import pathlib\npathlib.Path('acted').write_text('x')\n{ACT}\n"


def _watched(here: Path, out: Path, *words: str) -> dict[str, object]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "HOME": str(out),
        "MPLCONFIGDIR": str(out / "matplotlib"),
    }
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-P", "-c", WATCHER, str(here), str(out), *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment,
        check=False,
    )
    told: dict[str, object] = json.loads(done.stderr.splitlines()[-1])
    return told


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A downloaded directory in which every channel says what it should not."""
    here = tmp_path / "downloaded"
    here.mkdir()
    write_csv(here / "logs.csv", VALUES, rate=0.01)
    told = {
        "schema": 1,
        "written_by": "cbreplay 0.1.0",
        "experiment": ACT,
        "keras": {"package": "keras", "version": "3.15.1"},
        "fit": {"epochs": 8, "initial_epoch": 0},
        "callbacks": [
            "EarlyStopping(patience=2)",
            "numpy_evil:Own()",
            "@numpy_evil.py",
            ACT,
            "ModelCheckpoint('/tmp/acted.keras')",
            "CSVLogger('acted.csv')",
        ],
    }
    (here / "run.json").write_text(json.dumps(told))
    (here / "numpy_evil.py").write_text(CODE)
    for name in ("sitecustomize", "keras", "tensorflow", "matplotlibrc_", "click_x"):
        (here / f"{name}.py").write_text(CODE)
    (here / "train.py").write_text(
        f"import keras\n{CODE}"
        f"stop = keras.callbacks.EarlyStopping(patience={ACT})\n"
        "model.fit(x, callbacks=[keras.callbacks.EarlyStopping(patience=3), stop])\n"
    )
    (here / "asked.txt").write_text("EarlyStopping(patience=2)\n")
    (here / "evil.txt").write_text(f"EarlyStopping(patience={ACT})\n")
    named = here / "named"
    named.mkdir()
    write_csv(named / "logs.csv", VALUES)
    (named / "run.json").write_text(
        json.dumps(told | {"keras": {"package": "numpy_evil", "version": "3.15.1"}})
    )
    (here / "matplotlibrc").write_text("text.usetex: True\nbackend: module://keras\n")
    return here


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# the exit status that shows that the answer was given, or the refusal
EVERY = [
    ("simulate", "logs.csv"),
    ("simulate", "logs.csv", "--patience", "1:3", "--format", "json"),
    ("simulate", "."),
    ("simulate", "logs.csv", "-c", "@asked.txt"),
    ("simulate", "logs.csv", "-c", "@evil.txt"),
    ("simulate", "logs.csv", "-c", "@train.py"),
    ("simulate", "logs.csv", "-c", f"EarlyStopping(patience={ACT})"),
    ("explain", "."),
    ("explain", "logs.csv", "--patience", "2"),
    ("recommend", "logs.csv"),
    ("recommend", ".", "--current", "train.py"),
    ("lint", "train.py"),
    ("lint", "."),
    ("lint", "logs.csv"),
    ("inspect", ".", "-v"),
    ("plot", "logs.csv", "--patience", "2", "-o", "{out}/a.png"),
    ("report", "logs.csv", "-o", "{out}/a.html"),
    ("report", ".", "-o", "{out}/a.md"),
]


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_no_command_acts_on_what_lies_there(
    hostile: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    before = _contents(hostile)
    told = _watched(hostile, out, *(word.format(out=out) for word in words))
    assert told["seen"] == []
    assert told["status"] in (0, 2)
    assert _contents(hostile) == before


def test_the_watcher_sees_what_acts(hostile: Path, tmp_path: Path) -> None:
    """The user's own word does import: the one expression that may."""
    out = tmp_path / "out"
    out.mkdir()
    told = _watched(hostile, out, "simulate", "logs.csv", "-c", "numpy_evil:Own()")
    seen = json.dumps(told["seen"])
    assert "acted" in seen
    assert "os.system" in seen
    assert '["import", "numpy_evil"]' in seen


REFUSED = [
    "expressions = [\"os:system('touch acted')\"]",
    "callbacks = ['numpy_evil:Own()']",
    "current = 'numpy_evil:Own()'",
    "versus = ['numpy_evil:Own()']",
    "output = 'logs.csv'",
    "out = 'logs.csv'",
    "scheduler = 'tcp://127.0.0.1:1'",
    "paths = ['/']",
    "logs = '/'",
    "run = ['x']",
    "fail-if = ['no-recommendation']",
    "conditions = ['no-recommendation']",
    "patience = '5'",
    "quiet = true",
]


@pytest.mark.parametrize("line", REFUSED)
def test_what_could_act_is_refused_by_name(
    hostile: Path, tmp_path: Path, line: str
) -> None:
    (hostile / "pyproject.toml").write_text(f"[tool.cbreplay]\n{line}\n")
    out = tmp_path / "out"
    out.mkdir()
    for words in (("simulate",), ("report", "-o", f"{out}/a.html"), ("lint", ".")):
        told = _watched(hostile, out, *words)
        assert told == {"status": 2, "seen": []}
    assert list(out.glob("a.*")) == []
    assert _watched(hostile, out, "--no-config", "simulate")["status"] == 0


def test_a_pipe_in_place_of_a_file_does_not_hold_an_answer_up(
    hostile: Path, tmp_path: Path
) -> None:
    os.mkfifo(hostile / "pyproject.toml")
    told = _watched(hostile, tmp_path, "simulate", "logs.csv")
    assert told == {"status": 0, "seen": []}
