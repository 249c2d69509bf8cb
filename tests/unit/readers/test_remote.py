"""Logs behind URLs, on fsspec's file systems in memory and over HTTP."""

from __future__ import annotations

import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import LogError, MissingExtraError
from cbreplay.loading import load_runs
from tests.unit.readers.test_discovery import write_board, write_csv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

fsspec: Any = pytest.importorskip("fsspec")
PLAIN = b"epoch,loss\r\n0,0.5\r\n1,0.25\r\n"


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    yield system
    system.rm("/", recursive=True)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A directory over HTTP, on a port of this machine."""
    pytest.importorskip("aiohttp")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        # looks often whether it is to end, for which every test waits
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_is_read_under_its_url(memory: Any) -> None:
    memory.pipe("/bucket/exp/logs.csv", PLAIN)
    (run,) = load_runs("memory://bucket/exp/logs.csv")
    assert run.series["loss"].values.tolist() == [0.5, 0.25]
    assert run.source == "memory://bucket/exp/logs.csv"
    assert run.name == "logs.csv"


def test_a_directory_is_read_as_if_it_were_here(memory: Any, tmp_path: Path) -> None:
    write_csv(tmp_path / "a" / "logs.csv", (0.1, 0.3))
    write_board(tmp_path / "a" / "tensorboard", (0.1, 0.3))
    write_csv(tmp_path / "b" / "logs.csv")
    memory.put(str(tmp_path), "/bucket/runs", recursive=True)
    runs = load_runs("memory://bucket/runs")
    assert [run.name for run in runs] == [run.name for run in load_runs(tmp_path)]
    assert "one training" in runs[0].notes[0]
    assert [run.source for run in runs] == [
        "memory://bucket/runs/a",
        "memory://bucket/runs/b/logs.csv",
    ]


def test_a_part_of_a_remote_log_has_an_address(memory: Any) -> None:
    memory.pipe("/bucket/logs.csv", b"epoch,loss\n0,1\n0,2\n")
    (run,) = load_runs("memory://bucket/logs.csv#2")
    assert (run.name, run.series["loss"].values.tolist()) == ("logs.csv#2", [2.0])


def test_only_what_may_be_a_log_is_fetched(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/bucket/logs.csv", PLAIN)
    memory.pipe("/bucket/table.csv", b"x,y\n" + b"1,2\n" * 50_000)
    memory.pipe("/bucket/model.h5", b"\0" * 100_000)
    fetched: list[str] = []
    whole = type(memory).get_file

    def get_file(self: Any, path: str, *more: object, **options: Any) -> None:
        fetched.append(path)
        whole(self, path, *more, **options)

    monkeypatch.setattr(type(memory), "get_file", get_file)
    assert len(load_runs("memory://bucket")) == 1
    assert fetched == ["/bucket/logs.csv"]


def test_an_error_names_the_url_and_no_copy(memory: Any) -> None:
    memory.pipe("/bucket/logs.csv", b"epoch,loss\n0,x\n1,1\n")
    with pytest.raises(LogError, match=r"^memory://bucket/logs.csv, line 2") as caught:
        load_runs("memory://bucket/logs.csv")
    assert "cbreplay-" not in str(caught.value)
    with pytest.raises(LogError, match="no log at this URL"):
        load_runs("memory://absent")


def test_a_name_that_leads_out_is_not_followed(memory: Any, tmp_path: Path) -> None:
    memory.store["/bucket/../../evil.csv"] = memory.store.get("x") or _file(memory)
    memory.pipe("/bucket/logs.csv", PLAIN)
    assert len(load_runs("memory://bucket")) == 1
    assert not list(tmp_path.rglob("evil.csv"))


def _file(memory: Any) -> Any:
    memory.pipe("/elsewhere.csv", PLAIN)
    return memory.store["/elsewhere.csv"]


def test_series_of_other_epochs_at_two_addresses_stay_apart(
    served: str, tmp_path: Path
) -> None:
    for name, n_epochs in (("loss", 3), ("val_loss", 5)):
        rows = [f"{epoch},{1 / (epoch + 1)}" for epoch in range(n_epochs)]
        (tmp_path / f"{name}.csv").write_text("\n".join([f"epoch,{name}", *rows, ""]))
    runs = load_runs(f"{served}/loss.csv", f"{served}/val_loss.csv")
    assert [run.n_epochs for run in runs] == [3, 5]


def test_logs_at_addresses_that_fill_each_others_gaps_stay_apart(
    served: str, tmp_path: Path
) -> None:
    for name, first in (("a", 0), ("b", 1)):
        rows = [f"{epoch},{1 / (epoch + 1)}" for epoch in range(first, 20, 2)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["epoch,loss", *rows, ""]))
    assert [run.n_epochs for run in load_runs(tmp_path)] == [20]
    runs = load_runs(f"{served}/a.csv", f"{served}/b.csv")
    assert [run.name for run in runs] == ["a.csv", "b.csv"]


def test_a_log_over_http_is_read(served: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "a" / "logs.csv")
    (run,) = load_runs(f"{served}/a/logs.csv")
    assert run.series["loss"].values.tolist() == [0.5, 0.25]
    assert [one.name for one in load_runs(f"{served}/a/")] == ["a"]
    with pytest.raises(LogError, match=served):
        load_runs(f"{served}/absent.csv")


def test_an_unknown_protocol_is_one_sentence() -> None:
    with pytest.raises(LogError, match="nope://x: cannot be read") as caught:
        load_runs("nope://x")
    assert "\n" not in str(caught.value)


def test_without_fsspec_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"cbreplay\[remote\]"):
        load_runs("memory://bucket/logs.csv")
