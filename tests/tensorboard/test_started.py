"""TensorBoard itself with the tab, in both of its ways to load, over 1 and 200 runs."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.browser.conftest import CHROMIUM, DRIVER, FLAGS
from tests.oracles.tensorboard_loader import write_events
from tests.unit.tensorboard_plugin.test_tab import LOSSES, write_run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# as tensorboard.main, without the ten seconds that TensorFlow takes to import
START = (
    "import sys, types;"
    "sys.modules['tensorboard.compat.notf'] = types.ModuleType('notf');"
    "from tensorboard.main import run_main; run_main()"
)


class Started(NamedTuple):
    """A TensorBoard that runs."""

    address: str
    logdir: Path

    def get(self, path: str) -> tuple[str, Any]:
        asked = urllib.request.urlopen(f"{self.address}{path}", timeout=120)  # noqa: S310 - of this machine
        with asked as answer:
            return answer.read().decode(), answer.headers

    def listed(self) -> Any:
        return json.loads(self.get("/data/plugins_listing")[0])["cbreplay"]


def python_path(folder: Path) -> str:
    """Return where the package and its entry point are found."""
    group = importlib.metadata.entry_points(group="tensorboard_plugins")
    if "cbreplay" not in {entry.name for entry in group}:
        # an older install of this clone does not have it yet
        home = folder / "cbreplay_tab-0.dist-info"
        home.mkdir()
        (home / "METADATA").write_text("Metadata-Version: 2.1\nName: cbreplay-tab\n")
        text = (ROOT / "pyproject.toml").read_text()
        entry = re.search(
            r'(?m)^cbreplay = "(cbreplay\.tensorboard_plugin:\w+)"$', text
        )
        assert entry is not None
        listed = f"[tensorboard_plugins]\ncbreplay = {entry[1]}\n"
        (home / "entry_points.txt").write_text(listed)
    return os.pathsep.join([str(ROOT), str(folder)])


def start(
    logdir: Path, *options: str, folder: Path, named: str = "--logdir"
) -> Iterator[Started]:
    environment = {**os.environ, "PYTHONPATH": python_path(folder)}
    command = [sys.executable, "-c", START, named, str(logdir), "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - a server on this machine, for the test
        [*command, "--host", "127.0.0.1", *options],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    said = process.stderr
    assert said is not None
    try:
        told = []
        for line in said:
            told.append(line)
            found = re.search(r"at (http://[\d.]+:\d+)/", line)
            if found:
                break
        else:
            pytest.fail("".join(told))
        # what it says later is read, so that it never waits for a reader
        threading.Thread(target=said.read, daemon=True).start()
        yield Started(found[1], logdir)
    finally:
        process.terminate()
        process.wait()
        said.close()


@pytest.fixture(scope="module", params=[1, 200])
def logdir(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    for number in range(request.param):
        losses = [loss + number / 1000 + 0.001 * (number % 7) for loss in LOSSES]
        write_run(folder / f"seed{number}", losses)
    return folder


@pytest.fixture(scope="module", params=["true", "false"], ids=["fast", "slow"])
def started(
    request: pytest.FixtureRequest,
    logdir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("path")
    yield from start(logdir, f"--load_fast={request.param}", folder=folder)


def test_the_tab_is_there_and_answers_about_every_run(started: Started) -> None:
    listed = started.listed()
    assert listed["enabled"]
    assert listed["tab_name"] == "Replay"
    module = listed["loading_mechanism"]["module_path"]
    assert "export function render" in started.get(f"{module}")[0]
    page, headers = started.get("/data/plugin/cbreplay/page")
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert 'id="moving-answers"' in page
    answers = json.loads(
        page.partition('id="moving-answers">')[2].partition("</script>")[0]
    )
    runs = sorted(path.name for path in started.logdir.iterdir())
    assert len(answers["runs"]) == len(runs)
    if len(runs) > 1:
        assert sorted(name for name, *_ in answers["runs"]) == runs


def test_it_follows_a_training_that_goes_on(started: Started) -> None:
    before, _ = started.get("/data/plugin/cbreplay/version")
    assert before == started.get("/data/plugin/cbreplay/version")[0]
    path = started.logdir / "seed0/validation/events.out.tfevents.1.host"
    kept = path.read_bytes()
    try:
        more = [*LOSSES, 0.45, 0.46, 0.47]
        points = [(1.0 + at, at, "epoch_loss", loss) for at, loss in enumerate(more)]
        write_events(path, points)
        assert started.get("/data/plugin/cbreplay/version")[0] != before
        page, _ = started.get("/data/plugin/cbreplay/page")
        text = page.partition('id="moving-answers">')[2].partition("</script>")[0]
        lengths = {name: epochs for name, _, epochs, _ in json.loads(text)["runs"]}
        assert max(lengths.values()) == len(more)
    finally:
        path.write_bytes(kept)


@pytest.mark.parametrize("kept", ["0", "1000"])
def test_without_a_directory_of_its_own_it_reads_what_tensorboard_holds(
    tmp_path: Path, kept: str
) -> None:
    """Of several directories none is the log directory, as of one that is remote."""
    for name in "ab":
        write_run(tmp_path / name, [*LOSSES, 0.5 + ord(name) / 1000])
    spec = Path(f"first:{tmp_path}/a,second:{tmp_path}/b")
    options = ("--load_fast=false", f"--samples_per_plugin=scalars={kept}")
    folder = tmp_path / "path"
    folder.mkdir()
    for tensorboard in start(spec, *options, folder=folder, named="--logdir_spec"):
        page = ""
        for _ in range(60):
            page, _headers = tensorboard.get("/data/plugin/cbreplay/page")
            # the points are read after TensorBoard has begun to answer
            if kept != "0" or "the points that TensorBoard holds" in page:
                break
            time.sleep(0.5)
        if kept == "0":
            text = page.partition('id="moving-answers">')[2].partition("</script>")[0]
            assert [run[0] for run in json.loads(text)["runs"]] == ["first", "second"]
        else:
            assert "--samples_per_plugin=scalars=0" in page


def test_without_scalars_it_is_not_active(tmp_path: Path) -> None:
    logdir = tmp_path / "logs"
    logdir.mkdir()
    for tensorboard in start(logdir, "--load_fast=false", folder=tmp_path):
        assert not tensorboard.listed()["enabled"]


@pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="no browser here: apt-get install chromium chromium-driver",
)
def test_it_is_shown_in_the_colours_of_tensorboard(
    started: Started, tmp_path: Path
) -> None:
    from selenium import webdriver
    from selenium.webdriver.support.wait import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    try:
        driver.get(f"{started.address}/#cbreplay")
        wait = WebDriverWait(driver, 90, ignored_exceptions=[Exception])

        def inside(script: str) -> Any:
            driver.switch_to.default_content()
            for _ in range(2):
                driver.switch_to.frame(driver.find_element("css selector", "iframe"))
            return driver.execute_script(f"return {script}")

        said = "document.querySelector('#moving .said').textContent"
        assert wait.until(lambda _: inside(said)).startswith("Patience ")
        ground = "getComputedStyle(document.body).backgroundColor"
        assert inside(ground) == "rgb(255, 255, 255)"
        driver.switch_to.default_content()
        driver.execute_script("document.body.classList.add('dark-mode')")
        wait.until(lambda _: inside(ground) == "rgb(20, 25, 31)")
    finally:
        driver.quit()
