"""What is secret in a URL that is typed appears in no form of any answer."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.oracles.hostile_server import HostileServer, hostile_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Ask

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")
SECRETS = ("S3cr3t", "wh0", "k3y")


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with hostile_server() as told:
        yield told


@pytest.fixture
def asked(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ask]:
    """Ask with the words as the process's own, from which a page takes its command."""
    monkeypatch.chdir(tmp_path)

    def typed(*words: str) -> object:
        monkeypatch.setattr(sys, "argv", ["cbreplay", *words])
        return ask(*words)

    return typed  # type: ignore[return-value]  # the same but for what is set


LOG, RUNS = "http://wh0:S3cr3t@{}/logs.csv?sig=k3y", "http://wh0:S3cr3t@{}/runs/?k3y"
CUT = "http://wh0:S3cr3t@{}/forbidden/logs.csv?sig=k3y"
EVERY = [
    *(("simulate", url, "--format", form) for url in (LOG, RUNS)
      for form in ("table", "json", "csv", "markdown")),
    ("simulate", LOG, "--patience", "1,2"),
    ("simulate", LOG, "--patience", "1", "--versus", "patience=2"),
    ("explain", LOG, "--patience", "1"),
    ("explain", LOG, "--patience", "1", "--format", "json"),
    ("inspect", RUNS, "-v"),
    ("inspect", RUNS, "-v", "--format", "json"),
    ("recommend", LOG),
    ("recommend", RUNS),
    ("recommend", RUNS, "--format", "json"),
    ("lint", LOG, "--patience", "1"),
    ("plot", LOG, "-o", "a.svg"),
    ("plot", LOG, "-o", "a.png"),
    ("plot", LOG),
    ("report", LOG, "-o", "a.html"),
    ("report", RUNS, "-o", "a.md"),
    ("report", LOG),
    # refused, in every place that a URL may be typed at
    ("simulate", CUT),
    ("simulate", CUT, "--errors", "skip"),
    ("simulate", LOG, RUNS, CUT),
    ("simulate", LOG + "#S3cr3t"),
    ("simulate", LOG, "--run", LOG),
    ("simulate", LOG, "--monitor", LOG),
    ("simulate", LOG, "--patience", LOG),
    ("simulate", LOG, "--nope", LOG),
    ("simulate", f"--nope={LOG}"),
    ("simulate", LOG, "-c", f"@{LOG}"),
    ("simulate", LOG, "-c", f"@{LOG}.py"),
    ("simulate", LOG, "-c", f"EarlyStopping(monitor='{LOG}')"),
    ("simulate", LOG, "--patience", "1", "--versus", f"@{LOG}"),
    ("simulate", LOG, "--patience", "1", "--versus", LOG),
    ("simulate", LOG, "--patience", "1", "--scheduler", "tcp://wh0:S3cr3t@[::1]:1/?k3y"),
    ("simulate", LOG, "--patience", "1", "--scheduler", "nope://wh0:S3cr3t@h"),
    ("simulate", LOG, "--patience", "1", "--scheduler", "wh0:S3cr3t@127.0.0.1:1"),
    ("recommend", RUNS, "--current", f"@{LOG}"),
    ("recommend", RUNS, "--current", LOG),
    ("recommend", RUNS, "--fail-if", LOG),
    ("recommend", RUNS, "--group-by", LOG),
    ("report", LOG, "-o", LOG),
    ("report", LOG, "-o", LOG + ".html"),
    ("plot", LOG, "-o", LOG + ".png"),
    ("plot", LOG, "--kind", LOG),
    ("explain", RUNS, "--run", LOG),
    ("lint", LOG),
    ("lint", f"@{LOG}"),
    ("lint", "-c", LOG),
    (LOG,),
    (LOG, "simulate"),
    ("train", LOG),
    ("simulate", LOG.replace("http://", "http:")),
    ("simulate", LOG.replace("http://", "//")),
    ("inspect", LOG.replace("http://", "://")),
    ("report", LOG.replace("http:", "")),
    ("simulate", "http://wh0:S3cr3t with 'k3y'@{}/logs.csv", "--nope", "1"),
]  # fmt: skip


@pytest.mark.parametrize("words", EVERY, ids=lambda words: " ".join(words)[:80])
def test_no_secret_is_said_or_written(
    server: HostileServer, asked: Ask, tmp_path: Path, words: tuple[str, ...]
) -> None:
    # neither a format nor a replacement for the words that hold braces of their own
    filled = [word.replace("{}", server.host) for word in words]
    answer = asked(*filled)
    assert answer.status in (0, 1, 2)
    said = answer.out + answer.err
    for path in tmp_path.rglob("*"):
        said += str(path.relative_to(tmp_path))
        if path.is_file():
            said += path.read_bytes().decode("latin-1")
    assert [secret for secret in SECRETS if secret in said] == []


HELD = [
    "-c", "CSVLogger('http://wh0:S3cr3t@h/x.csv?k3y')",
    "-c", "TensorBoard(log_dir='http://wh0:S3cr3t@h/x?k3y')",
    "-c", "ModelCheckpoint('http://wh0:S3cr3t@h/x?k3y=.keras')",
    "-c", "EarlyStopping(patience=1)",
]  # fmt: skip
TRIED = [
    "-c",
    "ModelCheckpoint(each(['http://wh0:S3cr3t@h/x?k3y=.keras', 'b.keras']))",
]


@pytest.mark.parametrize(
    "words",
    [
        ("lint", *HELD),
        *(
            ("lint", *HELD, *HELD, "--format", form)
            for form in ("json", "csv", "markdown", "github")
        ),
        ("lint", "train.py", "-v"),
        ("lint", "train.py", "--format", "json"),
        *(
            (command, "logs.csv", *HELD, "--format", form)
            for command in ("simulate", "explain")
            for form in ("table", "json", "csv", "markdown")
        ),
        ("simulate", "logs.csv", *HELD, "--versus", "patience=2"),
        ("simulate", "logs.csv", *HELD, "--keras-code"),
        *(
            ("simulate", "logs.csv", *TRIED, "--format", form)
            for form in ("table", "json", "csv")
        ),
        ("report", "logs.csv", *HELD, "-o", "a.html"),
        ("report", "logs.csv", *HELD, "-o", "a.md"),
        ("plot", "logs.csv", *HELD, "-o", "a.svg"),
    ],
    ids=lambda words: " ".join(words)[:80],
)
def test_no_secret_of_a_callback_is_said_or_written(
    asked: Ask, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """That of an argument; the callback's class and the URL's host are shown."""
    log, script = tmp_path / "logs.csv", tmp_path / "train.py"
    log.write_text("epoch,loss,val_loss\n0,1.0,1.0\n1,0.9,0.8\n2,0.8,0.9\n3,0.7,1.1\n")
    listed = ", ".join(HELD[1::2])
    script.write_text(
        f"from keras.callbacks import *\nmodel.fit(x, y, callbacks=[{listed}])\n"
    )
    answer = asked(*words)
    assert answer.status == 0, answer.err
    said = answer.out + answer.err
    for path in {*tmp_path.iterdir()} - {log, script}:
        said += path.read_bytes().decode("latin-1")
    assert [secret for secret in SECRETS if secret in said] == []
    assert '-c "CSVLogger' not in answer.out


def test_no_secret_of_a_callback_is_in_a_parquet_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    log = tmp_path / "logs.csv"
    log.write_text("epoch,loss,val_loss\n0,1.0,1.0\n1,0.9,0.8\n")
    done = subprocess.run(  # noqa: S603
        [
            *(sys.executable, "-m", "cbreplay"),
            *("simulate", str(log), *TRIED, "--format", "parquet"),
        ],
        capture_output=True,
        check=True,
    )
    assert b"http://h/x" in done.stdout
    assert [secret for secret in SECRETS if secret.encode() in done.stdout] == []


def test_the_host_of_a_callback_is_shown(asked: Ask) -> None:
    answer = asked("lint", *HELD, "--format", "json")
    assert "CSVLogger('http://h/x.csv')" in answer.out


def test_a_next_command_is_not_suggested_where_it_could_not_be_whole(
    server: HostileServer, asked: Ask
) -> None:
    held = asked("simulate", f"http://{server.host}/logs.csv")
    assert "cbreplay report http" in held.out
    kept = asked("simulate", f"http://wh0:S3cr3t@{server.host}/logs.csv")
    assert "cbreplay report" not in kept.out


def test_a_page_says_that_its_command_is_not_whole(
    server: HostileServer, asked: Ask, tmp_path: Path
) -> None:
    asked("report", LOG.replace("{}", server.host), "-o", "a.md")
    page = (tmp_path / "a.md").read_text()
    assert f"http://{server.host}/logs.csv" in page
    assert "a URL's user, password and query are left out" in page
