"""The tab of TensorBoard, without one: what it serves, and what it leaves alone."""

from __future__ import annotations

import itertools
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.data.provider import ScalarDatum
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

import cbreplay.tensorboard_plugin as plugin
from cbreplay.tensorboard_plugin.held_points import HeldPoints
from cbreplay.tensorboard_plugin.page import LogdirPage
from cbreplay.writers.as_html import script_digest
from tests.conftest import write_csv
from tests.oracles.tensorboard_loader import write_events

LOSSES = [0.9, 0.5, 0.4, 0.42, 0.41, 0.44, 0.43]


def write_run(folder: Path, losses: list[float]) -> None:
    points = [(1.0 + at, at, "epoch_loss", loss) for at, loss in enumerate(losses)]
    write_events(folder / "validation" / "events.out.tfevents.1.host", points)


def tab_of(logdir: Path) -> Any:
    return plugin.ReplayLoader().load(base_plugin.TBContext(logdir=str(logdir)))


class Held:
    """A data provider that holds points, as TensorBoard's own answer."""

    def __init__(self, points: dict[str, dict[str, list[float]]]) -> None:
        self.points = points

    def read_scalars(self, _: Any, **asked: Any) -> Any:
        assert asked["plugin_name"] == "scalars"
        assert asked["downsample"] > 1_000_000
        return {
            run: {
                tag: [
                    ScalarDatum(step=at, wall_time=100.0 + at, value=value)
                    for at, value in enumerate(values)
                ]
                for tag, values in series.items()
            }
            for run, series in self.points.items()
        }


def page_of(logdir: str, held: Held | None = None, kept: int | None = None) -> Any:
    hints = None if kept is None else {"scalars": kept}
    context = base_plugin.TBContext(
        logdir=logdir, data_provider=held, sampling_hints=hints
    )
    return LogdirPage(logdir, HeldPoints(context))


def ask(tab: Any, route: str, method: str = "GET", query: str = "") -> Any:
    client = Client(tab.get_plugin_apps()[route])
    return client.open(route, method=method, query_string=query)


def test_a_tab_that_cannot_be_loaded_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "cbreplay.tensorboard_plugin.tab", None)
    with caplog.at_level(logging.ERROR):
        assert tab_of(tmp_path) is None
    assert "the tab of cbreplay is left out" in caplog.text


def test_what_tensorboard_imports_takes_nothing_in_that_may_be_broken() -> None:
    script = (
        "import sys, cbreplay.tensorboard_plugin;"
        "print(*[name for name in sys.modules if name.startswith('cbreplay.')"
        " or name in ('matplotlib', 'pandas', 'jinja2')])"
    )
    done = subprocess.run(  # noqa: S603 - written here
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "cbreplay.tensorboard_plugin" in loaded
    assert not loaded & {"matplotlib", "pandas", "jinja2", "cbreplay.report"}


def test_the_loader_is_short() -> None:
    home = Path(plugin.__file__).parent
    for name in ("__init__.py", "tab.py", "page.py", "held_points.py", "frame.js"):
        assert len((home / name).read_text().splitlines()) <= 150


def test_it_is_active_where_scalars_are(tmp_path: Path) -> None:
    tab = tab_of(tmp_path)
    assert tab.data_plugin_names() == ("scalars",)
    assert not tab.is_active()
    metadata = tab.frontend_metadata()
    assert metadata.es_module_path in tab.get_plugin_apps()
    assert metadata.tab_name == "Replay"


def test_the_page_is_served_with_leave_for_its_script_alone(tmp_path: Path) -> None:
    write_run(tmp_path / "a", LOSSES)
    answer = ask(tab_of(tmp_path), "/page")
    assert answer.status_code == 200
    assert f"'sha256-{script_digest()}'" in answer.headers["Content-Security-Policy"]
    assert (
        "'unsafe-inline'"
        not in (answer.headers["Content-Security-Policy"].partition("script-src")[2])
    )
    assert "Try other settings" in answer.text
    assert "patience 1 was enough" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("route", ["/page", "/version", "/frame.js"])
def test_nothing_but_reading_is_answered(
    tmp_path: Path, route: str, method: str
) -> None:
    answer = ask(tab_of(tmp_path), route, method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_no_question_names_a_file(tmp_path: Path) -> None:
    logdir = tmp_path / "logs"
    write_run(logdir / "a", LOSSES)
    write_csv(tmp_path / "secret.csv", [0.125] * 9)
    tab = tab_of(logdir)
    plain = ask(tab, "/page").text
    for query in ("path=../secret.csv", "logdir=..", "run=../secret.csv", "../"):
        assert ask(tab, "/page", query=query).text == plain


def test_what_a_link_leads_to_outside_is_not_shown(tmp_path: Path) -> None:
    logdir = tmp_path / "logs"
    write_run(logdir / "inside", LOSSES)
    outside = tmp_path / "elsewhere"
    write_run(outside / "unseen", [0.1, 0.2, 0.3, 0.4])
    (logdir / "link").symlink_to(outside, target_is_directory=True)
    text = ask(tab_of(logdir), "/page").text
    assert "unseen" not in text
    assert "inside" in text


def test_a_page_is_made_anew_only_when_a_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = itertools.count(1)
    monkeypatch.setattr(LogdirPage, "_make", lambda _: f"page {next(numbers)}")
    write_run(tmp_path / "a", LOSSES)
    page = page_of(str(tmp_path))
    first = page.version()
    assert page.source()[0] == page.source()[0] == "page 1"
    write_run(tmp_path / "a", [*LOSSES, 0.5])
    assert page.version() != first
    assert page.source()[0] == "page 2"


def test_a_directory_that_is_none_says_what_is_read(tmp_path: Path) -> None:
    held = Held({"a/validation": {"epoch_loss": LOSSES}})
    for logdir in ("", "gs://bucket/logs", str(tmp_path / "<img src=x>")):
        for page in (page_of(logdir), page_of(logdir, held), page_of(logdir, held, 9)):
            text, _ = page.source()
            assert "is no directory on this machine" in text
            assert "--samples_per_plugin=scalars=0" in text
            assert "<img" not in text


def test_where_tensorboard_holds_every_point_those_are_read() -> None:
    """As the files would be, and float32 values as they are."""
    losses = [float(np.float32(loss)) for loss in LOSSES]
    points = {
        f"{name}/{part}": {"epoch_loss": [loss + more for loss in losses]}
        for name, more in (("a", 0.0), ("b", 0.25))
        for part in ("train", "validation")
    }
    held = Held(points)
    page = page_of("gs://bucket/logs", held, 0)
    text, _ = page.source()
    assert "the points that TensorBoard holds" in text
    assert "2 runs" in text
    runs = HeldPoints(
        base_plugin.TBContext(data_provider=held, sampling_hints={"scalars": 0})
    ).read_runs()
    assert [run.name for run in runs] == ["a", "b"]
    assert [list(run.series) for run in runs] == [["loss", "val_loss"]] * 2
    assert runs[0].series["val_loss"].values.tolist() == losses
    before = page.version()
    assert page.version() == before
    held.points["a/train"]["epoch_loss"].append(0.5)
    assert page.version() != before


def test_before_there_is_a_point_no_path_of_this_machine_is_named() -> None:
    text, _ = page_of("", Held({}), 0).source()
    assert "TensorBoard has not read a scalar yet" in text


@pytest.mark.parametrize(
    "name",
    ["a" * 1000, "\ud800\udcff", "a\0b\n\x1b[2J", "\u202e<script>alert(1)</script>"],
)
def test_a_run_of_tensorboard_has_any_name(name: str) -> None:
    held = Held({name: {"epoch_loss": LOSSES}, f"{name}b": {"epoch_loss": [0.5, 0.4]}})
    context = base_plugin.TBContext(data_provider=held, sampling_hints={"scalars": 0})
    assert len(HeldPoints(context).read_runs()) == 2
    # the sentence names what there is
    assert "<script>alert" not in page_of("", held, 0).source()[0]


def test_a_path_that_the_system_does_not_take_is_a_sentence() -> None:
    held = Held({"/".join(["a" * 100] * 100): {"epoch_loss": LOSSES}})
    text, _ = page_of("", held, 0).source()
    assert "The runs cannot be read here: File name too long." in text


def test_a_run_of_tensorboard_names_no_path(tmp_path: Path) -> None:
    held = Held(
        {
            f"../../{tmp_path}/out/validation": {"epoch_loss": LOSSES},
            "..": {"epoch_loss": LOSSES},
        }
    )
    page_of("", held, 0).source()
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_here_is_read_itself(tmp_path: Path) -> None:
    write_run(tmp_path / "seen", LOSSES)
    held = Held({"held/validation": {"epoch_loss": LOSSES}})
    text, _ = page_of(str(tmp_path), held, 0).source()
    assert "seen" in text
    assert "held/validation" not in text


def test_a_directory_without_an_answer_says_why(tmp_path: Path) -> None:
    text, _ = page_of(str(tmp_path)).source()
    assert "<script" not in text
    assert str(tmp_path.name) in text
    write_csv(tmp_path / "logs.csv", [0.5])
    header = (tmp_path / "logs.csv").read_text().replace("val_loss", "val_other")
    (tmp_path / "logs.csv").write_text(header)
    text, _ = page_of(str(tmp_path)).source()
    assert "val_loss" in text


def test_a_file_that_goes_while_it_is_looked_at_breaks_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    assert page_of(str(tmp_path)).version()
