"""Servers that send without end, or nothing, or lies; and secrets that stay secret."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import EarlyStopping, LogError, load_runs
from cbreplay.distributed import sweep_logs
from cbreplay.readers.discovery import file_server
from tests.oracles.hostile_server import LOG, HostileServer, hostile_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

fsspec: Any = pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")
SECRETS = ("S3cr3t", "wh0", "k3y", "fr4gment")


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as told:
        yield told


@pytest.fixture(autouse=True)
def own_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where downloads go, so that what stays behind is seen."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return scratch


ENDLESS = [
    # asked for, the options, what is said
    ("forever.csv", {"max_bytes": 300_000}, "holds more than 300 kB"),
    ("forever/", {"max_bytes": 300_000}, "holds more than 300 kB"),
    ("forever/", {}, "more than 20,000 files"),
    ("huge.csv", {}, "holds more than 256 MiB"),
    ("silent.csv", {"timeout": 0.5}, r"its server was silent for 0\.5 s"),
    ("silent/", {"timeout": 0.5}, r"its server was silent for 0\.5 s"),
    ("drip.csv", {"timeout": 0.5}, r"its server was silent for 0\.5 s"),
    ("drip/", {"timeout": 0.5}, r"its server was silent for 0\.5 s"),
    ("short.csv", {}, "cannot be read"),
    ("little.csv", {}, "cannot be read|no log|no row"),
    ("circle.csv", {}, "cannot be read|nothing there"),
    ("circle/", {}, "cannot be read"),
    ("bomb.csv", {"max_bytes": 1_000_000}, "holds more than 1 MB"),
    ("bomb/", {"max_bytes": 1_000_000}, "holds more than 1 MB"),
    ("wait.csv", {"timeout": 0.5}, r"its server was silent for 0\.5 s"),
    ("fields.csv", {"timeout": 0.5}, "cannot be read|silent|nothing there"),
    ("missing.csv", {}, "there is nothing there"),
    ("wide/", {}, "more than 20,000 files"),
]


@pytest.mark.parametrize(("name", "limits", "said"), ENDLESS)
def test_no_server_holds_an_answer_up(
    server: HostileServer,
    own_scratch: Path,
    name: str,
    limits: dict[str, Any],
    said: str,
) -> None:
    with pytest.raises(LogError, match=said):
        load_runs(f"{server.url}/{name}", **limits)
    assert list(own_scratch.iterdir()) == []


@pytest.mark.parametrize("name", ["forever.csv", "forever/"])
def test_all_that_is_sent_has_a_least_speed(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # none sends a gigabyte a second, and no read is silent
    monkeypatch.setattr(file_server, "_LEAST_SPEED", 1 << 30)
    monkeypatch.setattr(file_server, "_TIMEOUTS", 0)
    with pytest.raises(LogError, match=r"its server sent [\d,]+ bytes in \d+ s"):
        load_runs(f"{server.url}/{name}", timeout=0.2)


def test_pages_that_link_ever_deeper_end(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two links a page, and a way up: the depth ends it, or the number."""
    monkeypatch.setattr(file_server, "_MOST_ENTRIES", 50)
    with pytest.raises(LogError, match="more than 50 files"):
        load_runs(f"{server.url}/deep/")
    monkeypatch.setattr(file_server, "_DEEPEST", 3)
    with pytest.raises(LogError, match="no log at this URL"):
        load_runs(f"{server.url}/deep/")
    assert all(path.startswith("/deep/") for path in server.asked)


def test_a_limit_can_be_raised(server: HostileServer) -> None:
    url = f"{server.url}/logs.csv"
    (run,) = load_runs(url, max_bytes=len(LOG))
    assert run.n_epochs == 3
    with pytest.raises(LogError, match="max_bytes="):
        load_runs(url, max_bytes=len(LOG) - 1)


def test_the_limit_counts_all_that_is_fetched(server: HostileServer) -> None:
    assert len(load_runs(f"{server.url}/runs/", max_bytes=1000)) == 2
    with pytest.raises(LogError, match="max_bytes="):
        load_runs(f"{server.url}/runs/", max_bytes=2 * len(LOG) - 1)


def test_only_the_beginning_of_what_may_be_no_log_is_loaded(
    server: HostileServer,
) -> None:
    """Of a server that sends the whole file whatever was asked for."""
    with pytest.raises(LogError, match="no log at this URL"):
        load_runs(f"{server.url}/tables/", max_bytes=2_000_000)


def test_a_page_that_links_itself_and_its_sorting_is_read_once(
    server: HostileServer,
) -> None:
    assert len(load_runs(f"{server.url}/indexed/")) == 1
    assert server.asked.count("/indexed/") == 1


def test_what_nobody_waits_for_any_more_ends(server: HostileServer) -> None:
    before = threading.active_count()
    with pytest.raises(LogError, match="silent"):
        load_runs(f"{server.url}/drip.csv", timeout=0.3)
    ends = time.monotonic() + 5
    # the server has a thread for each connection
    while threading.active_count() > before + 3 and time.monotonic() < ends:
        time.sleep(0.05)
    assert threading.active_count() <= before + 3


def secret_url(server: HostileServer, path: str) -> str:
    return f"http://wh0:S3cr3t%40@{server.host}/{path}?sig=k3y#fr4gment"


def test_credentials_and_query_are_sent_and_not_shown(server: HostileServer) -> None:
    (run,) = load_runs(secret_url(server, "logs.csv").removesuffix("#fr4gment"))
    assert server.credentials[0] == "wh0:S3cr3t@"
    assert server.asked[-1] == "/logs.csv?sig=k3y"
    assert (run.name, run.source) == ("logs.csv", f"{server.url}/logs.csv")
    assert_discreet(repr(run), *run.notes)


def test_a_listing_behind_a_key_is_read(server: HostileServer) -> None:
    runs = load_runs(f"http://wh0:S3cr3t@{server.host}/runs/?sig=k3y")
    assert [run.source for run in runs] == [
        f"{server.url}/runs/a.csv",
        f"{server.url}/runs/b.csv",
    ]
    assert_discreet(*(note for run in runs for note in run.notes))


@pytest.mark.parametrize(
    "path",
    ["logs.csv", "forever.csv", "silent.csv", "drip.csv", "huge.csv", "short.csv",
     "circle.csv", "elsewhere.csv", "forbidden.csv", "forbidden/", "missing.csv",
     "runs/"],
)  # fmt: skip
def test_no_error_tells_a_secret(server: HostileServer, path: str) -> None:
    with pytest.raises(LogError) as caught:
        load_runs(secret_url(server, path), max_bytes=200_000, timeout=0.5)
    error: BaseException | None = caught.value
    while error is not None:
        assert_discreet(repr(error), str(error), repr(vars(error)))
        error = error.__cause__ or error.__context__
    # the last line is the test's own, with the URL nowhere but in a variable
    assert_discreet("".join(traceback.format_exception(caught.value)))


def test_a_document_that_names_other_files_is_not_followed(
    server: HostileServer,
) -> None:
    for url in ("reference://x", "reference::{}/logs.csv", "dir::reference::{}/x"):
        with pytest.raises(LogError, match="other files is not followed"):
            load_runs(url.format(server.url))
    assert server.asked == []


def test_a_redirect_tells_no_secret_of_another(server: HostileServer) -> None:
    with pytest.raises(LogError, match=r"status|403|nothing there") as caught:
        load_runs(f"{server.url}/elsewhere/")
    assert_discreet(str(caught.value))


def test_what_a_server_says_of_an_error_is_not_repeated(
    server: HostileServer,
) -> None:
    with pytest.raises(
        LogError, match=r"\(ClientResponseError, status 401\)"
    ) as caught:
        load_runs(f"{server.url}/denied/logs.csv")
    assert_discreet(str(caught.value))


def test_no_log_record_tells_a_secret(
    server: HostileServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        load_runs(secret_url(server, "logs.csv").removesuffix("#fr4gment"))
    assert server.host in caplog.text
    assert_discreet(caplog.text)


def test_a_log_that_a_sweep_leaves_out_is_named_without_secrets(
    server: HostileServer,
) -> None:
    good, bad = (
        f"http://wh0:S3cr3t@{server.host}/{path}?sig=k3y"
        for path in ("logs.csv", "forbidden/logs.csv")
    )
    sweep = sweep_logs([good, bad], [[EarlyStopping(patience=1)]])
    assert [failure.source for failure in sweep.failures] == [
        f"{server.url}/forbidden/logs.csv"
    ]
    assert_discreet(repr(sweep.failures), repr(sweep.runs))
    with pytest.raises(LogError, match="none of 1 logs could be swept") as caught:
        sweep_logs([bad], [[EarlyStopping(patience=1)]])
    assert_discreet(str(caught.value), repr(caught.value.__context__))


ODD = [
    "simplecache::http://wh0:S3cr3t@{host}/logs.csv",
    "filecache::http://wh0:S3cr3t@{host}/logs.csv?k3y=1",
    "zip://fr4gment.csv::http://wh0:S3cr3t@{host}/a.zip?k3y",
    "nope://wh0:S3cr3t@{host}/logs.csv",
    "simplecache::nope://wh0:S3cr3t@{host}/logs.csv",
    "http://wh0:S3cr3t/a@{host}/logs.csv",
    "http://wh0:S3cr3t#a@{host}/logs.csv",
    "http://wh0:S3cr3t?a@{host}/logs.csv",
    "http://wh0:S3cr3t@[::1]:1/logs.csv",
    "http://wh0:S3cr3t@[::1/logs.csv",
    "http:/wh0:S3cr3t@{host}/logs.csv",
    "ftp://wh0:S3cr3t@127.0.0.1:1/logs.csv",
    "http://wh0:S3cr3t@\N{SNOWMAN}.invalid/logs.csv",
    "http://wh0:S3cr3t@{host}/\r\nX-Injected: yes",
]


@pytest.mark.parametrize("written", ODD)
def test_no_odd_url_tells_a_secret(server: HostileServer, written: str) -> None:
    url = written.format(host=server.host)
    try:
        runs = load_runs(url, timeout=2)
    except LogError as error:
        assert_discreet(str(error), repr(error.__cause__), repr(error.__context__))
    else:
        assert_discreet(repr(runs), *(run.name + run.source for run in runs))


def assert_discreet(*texts: str) -> None:
    for text in texts:
        held = [secret for secret in SECRETS if secret in text]
        if held != ["fr4gment"] or "zip://" not in text:
            assert held == [], text
