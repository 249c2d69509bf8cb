"""How large a page that moves is, and how soon a slider is answered in Chromium.

    python benchmarks/moving_page.py [RUNS] [EPOCHS]

The time is what the page's thread works from the event of a slider to the end of the
layout that follows it (its processor's time, which other programs do not lengthen), at
one state after the other; the peer is the same page with a table that is not contained.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cbreplay import Run
from cbreplay.report import build_report, write_report

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

N_MOVES = 200
LOOSEN = """
for (const box of document.querySelectorAll('#moving .rows')) {
  box.style.contain = 'none';
  box.style.maxHeight = 'none';
  box.querySelector('table').style.tableLayout = 'auto';
}
"""
MOVE = """
const [value, done] = arguments;
const label = [...document.querySelectorAll('#moving label')].find(one =>
  one.firstChild.textContent === 'patience');
const slider = label.querySelector('input');
slider.value = 1 + value % (Number(slider.max) - 1);
slider.dispatchEvent(new Event('input', { bubbles: true }));
requestAnimationFrame(() => { document.body.getBoundingClientRect(); done(); });
"""
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


def draw_runs(n_runs: int, n_epochs: int) -> list[Run]:
    """Return trainings that fall, overfit and are noisy, in float32 as Keras logs."""
    rng = np.random.default_rng(0)
    epochs = np.arange(n_epochs)
    runs = []
    for number in range(n_runs):
        fall = np.exp(-epochs / rng.uniform(8, n_epochs / 3))
        rise = 0.002 * np.maximum(0, epochs - rng.integers(20, n_epochs))
        losses = (fall + rise + rng.normal(0, 0.02, n_epochs)).astype(np.float32)
        logs = [{"loss": 0.1, "val_loss": float(loss)} for loss in losses]
        runs.append(Run.from_logs(logs, name=f"width{number % 9}/seed{number}"))
    return runs


def measure_size(n_runs: int, n_epochs: int) -> float:
    """Return how many megabytes a monitor adds to a page, both lists together."""
    moving = build_report(draw_runs(n_runs, n_epochs)).moving
    members = moving.members() if moving is not None else None
    return len(json.dumps(members, separators=(",", ":"))) / 1e6


def time_moves(driver: Chrome, page: Path, *, contained: bool) -> tuple[float, float]:
    """Return the median and the 95th percentile in milliseconds."""
    driver.get("about:blank")
    driver.get(page.as_uri())
    if not contained:
        driver.execute_script(LOOSEN)
    driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    times = []
    before = read_work(driver)
    for move in range(N_MOVES):
        driver.execute_async_script(MOVE, move * 7)
        after = read_work(driver)
        times.append(1000 * (after - before))
        before = after
    driver.execute_cdp_cmd("Performance.disable", {})
    # the first ones compile the script
    return float(np.median(times[10:])), float(np.percentile(times[10:], 95))


def read_work(driver: Chrome) -> float:
    """Return the seconds that the page's thread has worked."""
    told = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(sum(each["value"] for each in told if each["name"] in WORK))


def begin_browser(folder: str) -> Chrome:
    """Return a browser without a window."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless", "--no-sandbox", "--disable-gpu"):
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={folder}")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options, service)
    driver.set_window_size(1280, 900)
    driver.set_script_timeout(120)
    return driver


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    n_runs, n_epochs = [*given, *(500, 100)[len(given) :]]
    for size in (100, 200):
        told = measure_size(100, size)
        print(f"100 runs of {size} epochs: {told:.2f} MB for a monitor")
    with tempfile.TemporaryDirectory() as folder:
        document = build_report(draw_runs(n_runs, n_epochs))
        page = write_report(document, Path(folder) / "page.html")
        driver = begin_browser(folder)
        try:
            for contained in (True, False):
                median, late = time_moves(driver, page, contained=contained)
                name = "contained" if contained else "a plain table"
                print(
                    f"{n_runs} runs of {n_epochs} epochs, {name}: "
                    f"median {median:.1f} ms, 95th percentile {late:.1f} ms"
                )
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
