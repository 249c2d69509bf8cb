"""Fixtures that several tests share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from coverage import Coverage
from hypothesis import settings

from cbreplay.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

ROOT = Path(__file__).parent.parent
# no test asserts a time
settings.register_profile("cbreplay", deadline=None)
settings.load_profile("cbreplay")


# lines that a test has for the end of the session
SUMMARY = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SUMMARY] = []


# where cases are drawn, a thousand of them to a test
DRAWN = {"differential", "fuzz", "property"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave drawn cases out of the coverage, which would take three times as long.

    What they alone reach is held by no named case, and so is not to count. A case that
    does the same some thousand times says so itself.
    """
    for item in items:
        drawn = DRAWN.intersection(item.path.relative_to(ROOT).parts)
        if drawn or item.get_closest_marker("hypothesis"):
            item.add_marker(pytest.mark.no_cover)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Leave their fixtures out as well: pytest-cov looks at the marker in a call."""
    coverage = Coverage.current() if item.get_closest_marker("no_cover") else None
    if coverage is not None:
        coverage.stop()
    try:
        yield
    finally:
        if coverage is not None:
            coverage.start()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash[SUMMARY]:
        terminalreporter.write_line(line)


def corpus_files(pattern: str) -> list[Path]:
    """Return files of a collection of other people's logs, if one is named.

    CBREPLAY_CORPUS names its directory; none is part of the project.
    """
    named = os.environ.get("CBREPLAY_CORPUS")
    return sorted(Path(named).rglob(pattern)) if named else []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files"
    )
    parser.addoption(
        "--all-keras-cases",
        action="store_true",
        help="drive every prepared Keras through all cases, most of an hour",
    )
    parser.addoption(
        "--all-sweep-cells",
        action="store_true",
        help="compare 1,200 sweeps with the scalar replay, some minutes",
    )


@dataclass
class Answer:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


class Ask(Protocol):
    def __call__(self, *words: str | Path) -> Answer: ...


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command in this process."""

    def run(*words: str | Path) -> Answer:
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(status, captured.out, captured.err)

    return run


@pytest.fixture
def sample_logs() -> Path:
    """The real logs that ship with the project."""
    return ROOT / "sample_logs"


def corpus_root() -> Path | None:
    """Return where the logs of public projects lie; None where they are not."""
    named = os.environ.get("CBREPLAY_CORPUS")
    return Path(named) if named and (Path(named) / "manifest.tsv").exists() else None


@pytest.fixture
def corpus() -> Path:
    """The logs of public projects, which are no part of this one."""
    root = corpus_root()
    if root is None:
        pytest.skip(
            "CBREPLAY_CORPUS names no directory with the logs of other projects"
        )
    return root


def table_lines(markdown: str) -> list[str]:
    """Return the lines of the tables in Markdown: titles, rules and rows."""
    return [line for line in markdown.splitlines() if line.startswith("|")]


def write_csv(
    path: Path, values: Iterable[float], *, rate: float | None = None
) -> Path:
    """Write a small CSVLogger file with val_loss, and a rate if one is given."""
    header = "epoch,loss,val_accuracy,val_loss" + (",learning_rate" if rate else "")
    rows = [header]
    for epoch, value in enumerate(values):
        row = f"{epoch},1.0,{1 - value},{value}"
        rows.append(f"{row},{rate}" if rate else row)
    path.write_text("\r\n".join(rows) + "\r\n", newline="")
    return path


def start_workers(n_workers: int) -> Any:
    """Start workers of a cluster on this machine; use it in a ``with``.

    The port of the dashboard is one that is free: tests run side by side, and the
    usual port has room for one cluster, a second one warns.
    """
    distributed = pytest.importorskip("distributed")
    return distributed.LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    )


VALUES = [0.8, 0.6, 0.5, 0.5, 0.52, 0.49, 0.5, 0.51]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A small CSVLogger file."""
    return write_csv(tmp_path / "log.csv", VALUES)


@pytest.fixture
def rated_log(tmp_path: Path) -> Path:
    """A small CSVLogger file with a constant learning rate."""
    return write_csv(tmp_path / "rated.csv", VALUES, rate=0.01)
