"""The report in a real browser: nothing fetched, nothing foreign run, nothing cut."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay.cli.main import main
from tests.browser.conftest import NEEDS_BROWSER
from tests.conftest import ROOT, write_csv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = NEEDS_BROWSER

HOSTILE = '<script>document.title="x"</script>" onerror="document.title=1'


@pytest.fixture(scope="module")
def write_page(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Write a report of one run, of a directory, or of a log with hostile names."""

    @cache
    def write(kind: str) -> Path:
        folder = tmp_path_factory.mktemp("page")
        source = ROOT / "sample_logs" / ("overfit.csv" if kind == "one run" else "")
        if kind == "hostile names":
            source = folder / "<img src=x onerror=alert(1)>"
            source.mkdir()
            log = write_csv(source / "logs.csv", [0.5, 0.4, 0.6, 0.7])
            header, _, rows = log.read_text().partition("\n")
            quoted = '"' + HOSTILE.replace('"', '""') + '"'
            log.write_text(header.replace("val_accuracy", f"{quoted}") + "\n" + rows)
        path = folder / "report.html"
        assert main(["report", str(source), "-o", str(path)]) == 0
        return path

    return write


@pytest.fixture(params=["one run", "many runs", "hostile names"])
def page(request: pytest.FixtureRequest, write_page: Callable[[str], Path]) -> Path:
    return write_page(request.param)


@pytest.mark.parametrize("width", [1200, 420])
def test_no_page_scrolls_sideways_and_every_picture_is_there(
    page: Path, show: Callable[..., Any], width: int
) -> None:
    browser = show(page, width=width)
    seen = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth,"
        " [...document.images].filter(one => one.naturalWidth == 0).length,"
        " document.images.length]"
    )
    assert seen[0] <= seen[1] == width
    assert seen[2] == 0
    assert seen[3] >= 1


def test_nothing_is_run_fetched_or_complained_about(
    page: Path, show: Callable[..., Any]
) -> None:
    browser = show(page)
    assert browser.get_log("browser") == []
    # its own script, and the data that it reads
    scripts, handlers, fetched = browser.execute_script(
        "return [[...document.scripts].map(script => script.type),"
        " document.querySelectorAll('[onerror], [onload], [onclick]').length,"
        " performance.getEntriesByType('resource').map(one => one.name)"
        "   .filter(name => !name.startsWith('data:'))]"
    )
    assert (scripts, handlers, fetched) == (["application/json", ""], 0, [])
    assert browser.title not in ("x", "1")


def test_the_content_security_policy_forbids_a_script(
    page: Path, show: Callable[..., Any], tmp_path: Path
) -> None:
    tampered = tmp_path / "tampered.html"
    script = "<script>document.title = 'run'</script></body>"
    tampered.write_text(page.read_text().replace("</body>", script))
    browser = show(tampered)
    assert browser.title != "run"
    assert any(
        "Content Security" in one["message"] for one in browser.get_log("browser")
    )


def test_dark_and_light_are_readable(page: Path, show: Callable[..., Any]) -> None:
    backgrounds = []
    for scheme in ("light", "dark"):
        browser = show(page, scheme=scheme)
        colours = browser.execute_script(
            "const style = getComputedStyle(document.body);"
            "return [style.backgroundColor, style.color]"
        )
        background, text = (luminance(colour) for colour in colours)
        lighter, darker = max(background, text), min(background, text)
        # WCAG 2.2, success criterion 1.4.6
        assert (lighter + 0.05) / (darker + 0.05) >= 7
        backgrounds.append(background)
    assert backgrounds[0] > 0.8
    assert backgrounds[1] < 0.1


@pytest.mark.parametrize("width", [1200, 420])
def test_several_runs_have_a_map_and_a_trade_off_that_open_without_a_script(
    write_page: Callable[[str], Path], show: Callable[..., Any], width: int
) -> None:
    browser = show(write_page("many runs"), width=width)
    pictures = browser.execute_script(
        "return [...document.images].map(one => [one.alt.split(':')[0],"
        " one.clientWidth, one.naturalWidth])"
    )
    sizes = {name: (shown, own) for name, shown, own in pictures}
    for name in (
        "Map of patience and min_delta",
        "What is lost against what is trained",
    ):
        shown, own = sizes[name]
        # as large as there is room, and its letters no smaller than half their size
        assert shown >= 0.85 * min(width, 1120)
        assert shown >= own / 2
    sees = "return document.querySelector('details table').checkVisibility()"
    assert not browser.execute_script(sees)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.execute_script(sees), "paper cannot be opened"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert not browser.execute_script(sees)
    browser.execute_script("document.querySelector('details summary').click()")
    assert browser.execute_script(sees)


def test_no_checksum_leaves_the_paper(page: Path, show: Callable[..., Any]) -> None:
    browser = show(page, width=720)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    widest = browser.execute_script(
        "return Math.max(...[...document.querySelectorAll('.checksum')].map("
        "  (cell) => cell.getBoundingClientRect().right))"
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert 0 < widest <= 720


def luminance(colour: str) -> float:
    """Return the relative luminance of ``rgb(r, g, b)``, as WCAG defines it."""
    numbers = colour[colour.index("(") + 1 : -1].split(",")[:3]
    linear = []
    for one in numbers:
        share = float(one) / 255
        low = share <= 0.04045
        linear.append(share / 12.92 if low else ((share + 0.055) / 1.055) ** 2.4)
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
