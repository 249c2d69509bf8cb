"""Nothing acts because a file lies there: what is read can only be read.

Each command answers in a process whose audit hook sees every import, process, socket
and write that Python makes, while hostile files lie in every channel of input.
"""

from __future__ import annotations

import functools
import gzip
import io
import json
import os
import pickle
import subprocess
import sys
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.conftest import ROOT, VALUES, write_csv
from tests.fuzz.event_files import record
from tests.oracles.tensorboard_loader import event, value, version_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# runs commands under the hook, and prints what it saw besides reading
WATCHER = """
import contextlib, io, json, os, sys

here, allowed, given = sys.argv[1], sys.argv[2], json.load(sys.stdin)
seen = []
# the machine's own: bytecode, matplotlib's list of fonts, and the null device;
# and where a download lies while it is read
OWN = ("/dev/null", os.environ["MPLCONFIGDIR"], os.environ["TMPDIR"] + os.sep)
SERVER = ("127.0.0.1", int(os.environ["SERVER"]))
WRITES = ("os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir",
          "os.chmod", "os.chown", "os.utime", "os.setxattr", "os.truncate",
          "shutil.rmtree", "shutil.move", "shutil.copyfile", "sqlite3.connect")
ACTS = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
        "os.kill", "os.startfile", "pty.", "socket.connect",
        "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
        "socket.gethostbyname", "ctypes.dlopen", "urllib.Request", "ftplib.",
        "smtplib.", "http.client.connect", "webbrowser.open", "pickle.find_class",
        "sys.addaudithook", "ensurepip.", "sys.settrace")

def written(path, folder=-1):
    text = os.fsdecode(path) if not isinstance(path, int) else ""
    if text and folder >= 0:
        # who removes a tree holds its directories open
        text = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)
    text = os.path.abspath(text) if text else ""
    if text and "__pycache__" not in text and not text.startswith(OWN):
        if os.path.dirname(text) != allowed:
            seen.append(["write", text])

def hook(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written(path)
    elif event in WRITES:
        for path in arguments[:2]:
            if isinstance(path, (str, bytes, os.PathLike)):
                folder = arguments[-1]
                written(path, folder if isinstance(folder, int) else -1)
    elif event.startswith(ACTS):
        # matplotlib asks once which fonts there are
        at_server = event == "socket.connect" and arguments[1][:2] == SERVER
        at_server |= event == "socket.getaddrinfo" and arguments[:2] == SERVER
        if arguments[:1] != ("fc-list",) and not at_server:
            seen.append([event, repr(arguments)[:200]])

os.chdir(here)
import click, jinja2, numpy, pandas, rich.console  # not ours
for name in os.environ["TRUSTED"].split():
    __import__(name)
from cbreplay.cli.main import main
sys.addaudithook(hook)
told = []
for words in given:
    seen = []
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(here + os.sep):
            seen.append(["import", name])
    told.append({"status": status, "seen": seen, "words": words})
    if status not in (0, 1, 2):
        told[-1]["said"] = err.getvalue()
print(json.dumps(told))
"""

ACT = "__import__('os').system('touch acted')"
CODE = f"import pathlib\npathlib.Path('acted').write_text('x')\n{ACT}\n"


def _watched(
    here: Path, out: Path, *given: Sequence[str], server: int = 0, trusted: str = ""
) -> list[dict[str, Any]]:
    """Return the exit status of each command and what was seen while it answered."""
    scratch = out / "scratch"
    scratch.mkdir(exist_ok=True)
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "HOME": str(out),
        "MPLCONFIGDIR": str(out / "matplotlib"),
        "TMPDIR": str(scratch),
        "SERVER": str(server),
        "TRUSTED": trusted,
    }
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-P", "-c", WATCHER, str(here), str(out)],
        capture_output=True,
        text=True,
        input=json.dumps(given),
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert [*scratch.iterdir()] == []
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A downloaded directory in which every channel says what it should not."""
    elsewhere = str(tmp_path / "acted.keras")
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
            f"ModelCheckpoint({elsewhere!r})",
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
    (here / "script.py").write_text(CODE)
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
    """Return what is in a downloaded directory, and what it may name beside it."""
    files = [*folder.rglob("*"), *folder.parent.glob("acted*")]
    return {path: path.read_bytes() for path in files if path.is_file()}


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


def test_no_command_acts_on_what_lies_there(hostile: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    before = _contents(hostile)
    given = [[word.format(out=out) for word in words] for words in EVERY]
    for told in _watched(hostile, out, *given):
        assert told["seen"] == [], told
        assert told["status"] in (0, 2), told
    assert _contents(hostile) == before


# what each command is given a path of; {it} is the channel
COMMANDS: dict[str, list[tuple[str, ...]]] = {
    "simulate": [
        ("simulate", "{it}"),
        ("simulate", "{it}", "--patience", "1:3", "--format", "json"),
        ("simulate", "{it}", "--errors", "skip", "--format", "markdown"),
        ("simulate", "logs.csv", "-c", "@{it}"),
        ("simulate", "logs.csv", "--patience", "2", "--versus", "@{it}"),
        ("simulate", "{it}", "--patience", "2", "--keras-code"),
    ],
    "explain": [("explain", "{it}"), ("explain", "{it}", "--patience", "2")],
    "recommend": [
        ("recommend", "{it}"),
        ("recommend", "logs.csv", "--current", "{it}"),
    ],
    "lint": [("lint", "{it}"), ("lint", "-c", "@{it}", "--format", "github")],
    "inspect": [("inspect", "{it}", "-v"), ("inspect", "{it}", "--format", "json")],
    "plot": [
        ("plot", "{it}", "--patience", "2", "-o", "{out}/a.png"),
        ("plot", "{it}", "-o", "{out}/a.svg"),
    ],
    "report": [
        ("report", "{it}", "-o", "{out}/a.html"),
        ("report", "{it}", "--patience", "1:3", "-o", "{out}/a.md"),
    ],
    # who trains writes where it was told to, and not where something lies
    "train": [
        ("train", "diabetes", "--epochs", "1", "--out", "{it}"),
        ("train", "diabetes", "--epochs", "1", "--append", "--out", "{it}"),
    ],
    "record": [("record", "--out", "{it}", "script.py")],
    "confirm": [
        ("confirm", "{it}", "--patience", "2"),
        ("confirm", "{it}", "--patience", "2", "--script", "no such file.py"),
    ],
}


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(name, marks=pytest.mark.keras) if name == "confirm" else name
        for name in COMMANDS
    ],
)
def test_no_command_acts_on_any_channel(
    hostile: Path, tmp_path: Path, command: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    channels = _lay_channels(hostile)
    before = _contents(hostile)
    given = [
        [word.format(out=out, it=channel) for word in words]
        for channel in channels
        for words in COMMANDS[command]
    ]
    # what a run of a bundled experiment is trained with acts while it is imported
    trusted = "tensorflow keras sklearn.datasets tensorboard"
    trusted = trusted if command == "confirm" else ""
    for told in _watched(hostile, out, *given, trusted=trusted):
        assert told["seen"] == [], told
        assert told["status"] in (0, 1, 2), told
    assert _contents(hostile) == before
    assert not (tmp_path / "acted").exists()


def test_no_command_acts_on_what_a_server_sends(hostile: Path, tmp_path: Path) -> None:
    """Nothing but the server itself is asked."""
    pytest.importorskip("aiohttp")
    out = tmp_path / "out"
    out.mkdir()
    channels = _lay_channels(hostile)
    before = _contents(hostile)
    handler = functools.partial(_Silent, directory=str(hostile))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        # looks often whether it is to end, for which every test waits
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        at = f"http://127.0.0.1:{server.server_port}"
        given = [
            [word.format(out=out, it=f"{at}/{channel}") for word in words]
            for channel in ["named/", *channels]
            for words in SENT
        ]
        seen = _watched(hostile, out, *given, server=server.server_port)
        server.shutdown()
    for told in seen:
        assert told["seen"] == [], told
        assert told["status"] in (0, 2), told
    assert _contents(hostile) == before


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


SENT = [
    ("simulate", "{it}", "--errors", "skip"),
    ("report", "{it}", "-o", "{out}/a.html"),
    ("simulate", "logs.csv", "-c", "@{it}"),
]


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch acted",)


def _lay_channels(here: Path) -> list[str]:
    """Lay a hostile file or directory into every way in, and return their names."""
    folder = here / "channels"
    for name, content in _hostile_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    linked = folder / "links"
    linked.mkdir()
    (linked / "logs.csv").symlink_to(here / "logs.csv")
    (linked / "run.json").symlink_to("/etc/passwd")
    (linked / "tensorboard").symlink_to(here)
    waiting = folder / "pipes"
    waiting.mkdir()
    for name in ("logs.csv", "run.json", "run.lock", "events.out.tfevents.1.a"):
        os.mkfifo(waiting / name)
    tops = sorted({path.name for path in folder.iterdir()})
    return [f"channels/{name}" for name in tops] + ["channels", "script.py"]


def _hostile_files() -> dict[str, str | bytes]:
    """Return the content of each channel: names and values that say what to do."""
    text = ACT.replace('"', "'")
    losses = [1 / (epoch + 1) + (epoch % 3) / 10 for epoch in range(9)]
    table = [{"epoch": n, text: one, "val_loss": one} for n, one in enumerate(losses)]
    rows = [f"epoch,{text},val_loss", *(f"{n},1,{v}" for n, v in enumerate(losses))]
    plain = "\n".join(rows)
    told = {
        "schema": 1,
        "experiment": "diabetes",
        "keras": {"package": "numpy_evil", "version": ACT},
        "fit": {"epochs": 9, "initial_epoch": 0},
        "callbacks": ["numpy_evil:Own()", f"LambdaCallback({ACT})", "@script.py"],
        "ended": {"by": ACT, "epoch": 8},
    }
    state: dict[str, Any] = {
        "log_history": [{**row, "eval_loss": 1.0, "step": 1} for row in table]
    }
    state |= {"best_model_checkpoint": "$(touch acted)", "trial_params": ACT}
    wandb = [{"_step": n, "_runtime": n, **row} for n, row in enumerate(table)]
    mlflow = [
        {"run_id": ACT, "key": "val_loss", "value": one, "step": n, "timestamp": n}
        for n, one in enumerate(losses)
    ]
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "source": ["!touch acted\n", "%run script.py\n", CODE],
            },
            {"cell_type": "code", "source": ["%%bash\n", "touch acted\n"]},
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    script = f"import numpy_evil, keras\n{CODE}\nkeras.callbacks.EarlyStopping({ACT})\n"
    events = [
        event(0.0, n, value(text, one, "simple_value")) for n, one in enumerate(losses)
    ]
    events += [
        event(0.0, n, value("epoch_loss", one, "simple_value"))
        for n, one in enumerate(losses)
    ]
    content = b"".join(map(record, [version_event(), *events]))
    array = io.BytesIO()
    np.save(array, np.array([_Bomb()], dtype=object), allow_pickle=True)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("history.npy", array.getvalue())
        packed.writestr("../../acted", "x")
        packed.writestr("archive/data.pkl", pickle.dumps(_Bomb()))
    database = f"SQLite format 3\0{ACT}".encode()
    yaml = f"!!python/object/apply:os.system ['touch acted']\nmetrics: {ACT}\n"
    page = f"<html><script>{ACT}</script><a href='file:///etc/passwd'>runs</a></html>"
    return {
        "a.csv": plain,
        "a.tsv": plain.replace(",", "\t"),
        "a.csv.gz": gzip.compress(plain.encode()),
        f"{text}.csv": plain,
        "$(touch acted).csv": plain,
        "keras.log": "".join(
            f"Epoch {n + 1}/9\n1/1 - 0s - loss: {v} - val_loss: {v} - {text}: 1\n"
            for n, v in enumerate(losses)
        ),
        "trainer_state.json": json.dumps(state),
        "wandb.jsonl": "\n".join(map(json.dumps, wandb)),
        "mlflow.json": json.dumps({"metrics": mlflow}),
        "mlflow.csv": "run_id,key,value,step,timestamp\n"
        + "".join(
            f"$(touch acted),val_loss,{v},{n},{n}\n" for n, v in enumerate(losses)
        ),
        "history.json": json.dumps({"val_loss": losses, text: losses}),
        "frame.json": json.dumps({"columns": [text, "val_loss"], "data": [[1, 2]]}),
        "deep.json": "[" * 5000,
        "script.py": script,
        "odd.py": b"# coding: unicode_escape\n" + script.encode(),
        "notebook.ipynb": json.dumps(notebook),
        "asked.txt": f"EarlyStopping(patience={ACT})\nnumpy_evil:Own()\n@script.py\n",
        "import.txt": "os:system('touch acted')\n",
        "model.pkl": pickle.dumps(_Bomb()),
        "model.joblib": pickle.dumps({"history": _Bomb()}),
        "array.npy": array.getvalue(),
        "arrays.npz": archive.getvalue(),
        "model.keras": archive.getvalue(),
        "model.pt": archive.getvalue(),
        "logs.zip": archive.getvalue(),
        "runs.tar": b"../../acted" + bytes(600),
        "table.parquet": b"PAR1" + plain.encode() + b"PAR1",
        "mlflow.db": database,
        "config.yaml": yaml,
        "index.html": page,
        "events.out.tfevents.1.host": content,
        "damaged.tfevents": content[:-3] + b"\xff" * 9,
        "run/logs.csv": plain,
        "run/run.json": json.dumps(told),
        "run/run.lock": json.dumps({"process": 1, "host": ACT}),
        "run/resume.keras": archive.getvalue(),
        "run/tensorboard/train/events.out.tfevents.1.host": content,
        "run/conftest.py": CODE,
        "run/pyproject.toml": f"[tool.cbreplay]\ncallbacks = ['{text[:10]}']\n",
        "store/meta.yaml": yaml,
        "store/metrics/val_loss": "".join(
            f"{n} {v} {n}\n" for n, v in enumerate(losses)
        ),
        "store/params/callbacks": ACT,
        "store/wandb-metadata.json": json.dumps(
            {"program": "script.py", "args": [ACT]}
        ),
    }


def test_the_watcher_sees_what_acts(hostile: Path, tmp_path: Path) -> None:
    """The user's own word does import: the one expression that may."""
    out = tmp_path / "out"
    out.mkdir()
    words = ("simulate", "logs.csv", "-c", "numpy_evil:Own()")
    (told,) = _watched(hostile, out, words)
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
    every = _watched(
        hostile,
        out,
        ("simulate",),
        ("report", "-o", f"{out}/a.html"),
        ("lint", "."),
        ("--no-config", "simulate"),
    )
    assert [told["status"] for told in every] == [2, 2, 2, 0]
    assert [told["seen"] for told in every] == [[]] * 4
    assert list(out.glob("a.*")) == []


def test_a_pipe_in_place_of_a_file_does_not_hold_an_answer_up(
    hostile: Path, tmp_path: Path
) -> None:
    os.mkfifo(hostile / "pyproject.toml")
    (told,) = _watched(hostile, tmp_path, ("simulate", "logs.csv"))
    assert (told["status"], told["seen"]) == (0, [])
