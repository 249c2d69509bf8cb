"""A page that moves, in a real browser: every control, and what follows it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import EarlyStopping, Run, Series
from cbreplay.answers.setting_code import setting_code
from cbreplay.report import build_report, write_report
from cbreplay.wording.kinds import spoken_value
from cbreplay.wording.words import spoken_number, spoken_seconds
from cbreplay.writers.as_html import write_html
from tests.browser.conftest import NEEDS_BROWSER
from tests.oracles.moving_page import code_of, look_up

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ask

pytestmark = NEEDS_BROWSER

# what is shown, as a person reads it
SEEN = """
const text = (node) => node === null ? null : node.textContent;
const rows = [...document.querySelectorAll('#moving .rows')].map(box =>
  [...box.querySelectorAll('tbody tr')].filter(row => !row.hidden).map(row =>
    [row.className, ...[...row.children].map(text)]));
return {
  said: text(document.querySelector('#moving .said')),
  code: text(document.querySelector('#moving pre code')),
  codes: [...document.querySelectorAll('pre.python')].filter(
    box => box.offsetParent !== null).map(text),
  rows, hash: location.hash,
  setting: document.querySelector('#moving select').selectedOptions[0].textContent,
  marks: ['stop', 'kept', 'best', 'shade'].map(name =>
    document.querySelector(`#moving svg .${name}`) !== null),
  stop: document.querySelector('#moving svg .stopped')?.getAttribute('x1') ?? null,
  curve: document.querySelector('#moving svg')?.getAttribute('aria-label') ?? null,
};
"""
MOVE = """
const [label, value, done] = arguments;
const labels = [...document.querySelectorAll('#moving label')];
const found = labels.find(one => one.firstChild.textContent === label);
const control = found.querySelector('input, select');
control.value = control.tagName === 'SELECT' && typeof value === 'string'
  ? [...control.options].find(one => one.textContent === value).value : value;
const kind = control.tagName === 'SELECT' ? 'change' : 'input';
control.dispatchEvent(new Event(kind, { bubbles: true }));
// what is shown is drawn with the next frame, and the address a little later
requestAnimationFrame(() => setTimeout(done, 250));
"""


def noisy_run(number: int, n_epochs: int = 60) -> Run:
    rng = np.random.default_rng(number)
    trend = np.exp(-np.arange(n_epochs) / 12) + 0.004 * np.arange(n_epochs)
    losses = np.round(trend + rng.normal(0, 0.03, n_epochs), 4)
    rows = [
        {"loss": 0.1, "val_loss": float(loss), "val_accuracy": float(1 - loss / 3)}
        for loss in losses
    ]
    return Run.from_logs(rows, name=f"width{number % 2}/seed{number}")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of one run and a page of several."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, runs in {
        "one": [noisy_run(3)],
        "several": [noisy_run(number) for number in range(12)],
    }.items():
        document = build_report(runs, semantics="keras-3.15")
        made[name] = write_report(document, folder / f"{name}.html")
    return made


@pytest.fixture
def moving(show: Callable[..., Any], pages: dict[str, Path]) -> Callable[..., Any]:
    def load(name: str, **how: Any) -> Moved:
        browser = show(pages[name], **how)
        return Moved(browser, answers_of(pages[name]))

    return load


def answers_of(path: Path) -> dict[str, Any]:
    found = re.search(r'id="moving-answers">(.*?)</script>', path.read_text())
    assert found is not None
    page: dict[str, Any] = json.loads(found[1])
    return page


class Moved:
    """A page whose controls can be moved."""

    def __init__(self, browser: Any, answers: dict[str, Any]) -> None:
        self.browser, self.answers = browser, answers

    def move(self, label: str, value: Any) -> dict[str, Any]:
        self.browser.execute_async_script(MOVE, label, value)
        return self.seen()

    def click(self, selector: str) -> dict[str, Any]:
        self.browser.execute_async_script(
            "document.querySelector(arguments[0]).click();"
            "requestAnimationFrame(() => setTimeout(arguments[1], 250))",
            selector,
        )
        return self.seen()

    def seen(self) -> dict[str, Any]:
        held: dict[str, Any] = self.browser.execute_script(SEEN)
        assert self.browser.get_log("browser") == []
        return held


def test_every_control_moves_mark_table_and_code(moving: Callable[..., Any]) -> None:
    page = moving("one")
    at_first = page.seen()
    assert at_first["setting"].endswith(": enough on this run")
    patience = at_first["said"].split(",")[0].removeprefix("Patience ")
    assert f"patience={patience}," in at_first["code"]
    # the code of the page's own setting stands above, and is not shown twice
    assert at_first["codes"] == [at_first["code"]]
    moved = page.move("patience", 1)
    assert moved["said"].startswith("Patience 1, min_delta 0: stops at epoch ")
    assert "patience=1," in moved["code"]
    assert moved["codes"] == [at_first["code"], moved["code"]]
    assert moved["stop"] != at_first["stop"]
    assert moved["setting"] == "your own"
    marked = [row[1] for row in moved["rows"][0] if row[0] == "marked"]
    assert marked == [moved["rows"][0][0][1]]
    other = page.move("min_delta", 12)
    value = page.answers["views"][0]["min_delta"][12][1]
    assert f"min_delta={value}," in other["code"]
    assert other["rows"] != moved["rows"]
    watched = page.move("Monitor", "val_accuracy")
    assert 'monitor="val_accuracy",' in watched["code"]
    reduced = page.move("Callbacks", "ReduceLROnPlateau")
    assert "ReduceLROnPlateau(" in reduced["code"]
    assert "from there on it says nothing" in reduced["said"]
    # kept is nothing where the log is silent, and what it is silent about is shaded
    assert reduced["marks"] == [False, False, True, True]
    assert page.click("#moving .controls button") == at_first


def test_what_is_shown_is_what_the_engine_answered(moving: Callable[..., Any]) -> None:
    page = moving("one")
    view, _, _ = page.answers["named"][0]
    draw = np.random.default_rng(5)
    deltas = page.answers["views"][view]["min_delta"]
    last = page.answers["views"][view]["last"]
    for _ in range(40):
        delta, patience = int(draw.integers(len(deltas))), int(draw.integers(last + 1))
        page.move("min_delta", delta)
        seen = page.move("patience", patience)
        told = look_up(page.answers, 0, view, delta, patience)
        assert seen["code"] == code_of(page.answers, view, delta, patience)
        assert (told.stopped_epoch is None) == (not seen["marks"][0])
        if told.evidence == "exact":
            assert told.stopped_epoch is not None
            assert f"stops at epoch {told.stopped_epoch + 1} of 60" in seen["said"]
        assert told.kept_epoch is not None
        assert f"keeps epoch {told.kept_epoch + 1}" in seen["said"]
        (row,) = [row for row in seen["rows"][0] if row[0] == "marked"]
        ends = [int(end) for end in re.findall(r"\d+", row[1])]
        assert ends[0] <= patience <= (ends[-1] if "or more" not in row[1] else last)


EVERY_STATE = """
const [deltas, patience] = arguments;
window.requestAnimationFrame = (work) => { work(); return 0; };
const ranges = [...document.querySelectorAll('#moving input[type=range]')];
const put = (slider, value) => {
  slider.value = value;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
};
const body = document.querySelector('#moving .rows tbody');
const states = [];
for (let delta = 0; delta < deltas; delta += 1) {
  put(ranges[1], delta);
  for (let at = 0; at <= patience; at += 1) {
    put(ranges[0], at);
    states.push([...body.rows].map(row =>
      [...row.cells].slice(1).map(cell => cell.textContent)));
  }
}
return states;
"""


def test_in_every_state_the_table_says_what_the_engine_says(
    moving: Callable[..., Any],
) -> None:
    page = moving("several")
    answers, (number, *_) = page.answers, page.answers["named"][0]
    view, decimals = answers["views"][number], answers["decimals"]
    shown = page.browser.execute_script(
        EVERY_STATE, len(view["min_delta"]), view["last"]
    )
    states = [
        (delta, patience)
        for delta in range(len(view["min_delta"]))
        for patience in range(view["last"] + 1)
    ]
    assert len(shown) == len(states)
    for (delta, patience), rows in zip(states, shown, strict=True):
        for row, cells in enumerate(rows):
            told = look_up(answers, row, number, delta, patience)
            if told.evidence != "exact":
                assert cells == ["-"] * 5 + [told.brief]
                continue
            assert cells == [
                spoken_value(told.stopped_epoch, "epoch"),
                spoken_value(told.kept_epoch, "epoch"),
                spoken_number(told.kept_value, decimals),
                spoken_number(told.regret, decimals),
                str(answers["runs"][row][2] - told.shown_epochs),
                # the plan of these runs is read off their logs
                "by the plan" if told.stopped_epoch is None else "exact",
            ]


@pytest.mark.parametrize(
    "value", [0.125, 0.375, 2.5, 0.0, 1e-9, 3e9, 0.15, 1.005, 0.1 + 0.2, 8.5, 0.5]
)
def test_numbers_are_written_as_in_the_rest_of_the_report(
    show: Callable[..., Any], tmp_path: Path, value: float
) -> None:
    # kept is the value before the last ones, by patience 1
    rows = [{"val_loss": value + 3}, {"val_loss": value}]
    rows += [{"val_loss": value + more} for more in (5.0, 6.0)]
    setting = [EarlyStopping(patience=1, restore_best_weights=True)]
    document = build_report(
        [Run.from_logs(rows, name=name) for name in "ab"],
        callbacks=setting,
        semantics="keras-3.15",
    )
    path = write_report(document, tmp_path / "page.html")
    answers = answers_of(path)
    page = Moved(show(path), answers)
    page.browser.execute_async_script("requestAnimationFrame(() => arguments[0]())")
    seen = page.move("patience", 1)
    expected = spoken_number(value, answers["decimals"])
    assert seen["rows"][0][0][4] == expected


def test_the_address_holds_what_is_chosen(moving: Callable[..., Any]) -> None:
    page = moving("several")
    assert page.seen()["hash"] == ""
    page.move("min_delta", 10)
    page.move("patience", 4)
    page.move("Runs", "width1")
    page.move("Monitor", "val_accuracy")
    seen = page.click("#moving .rows tbody tr:nth-child(4) button")
    assert seen["hash"]
    fragment = seen["hash"]
    again = moving("several", fragment=fragment)
    again.browser.execute_async_script(
        "requestAnimationFrame(() => setTimeout(arguments[0], 250))"
    )
    assert again.seen() == seen
    # and back
    cleared = again.click("#moving .controls button")
    assert cleared["hash"] == ""


def test_a_page_opens_on_a_run_that_did_not_fail(
    show: Callable[..., Any], tmp_path: Path
) -> None:
    failed = Run.from_logs([{"val_loss": math.nan}] * 9, name="failed")
    document = build_report([failed, noisy_run(1)], semantics="keras-3.15")
    path = write_report(document, tmp_path / "a.html")
    page = Moved(show(path), answers_of(path))
    seen = page.seen()
    assert noisy_run(1).name in seen["curve"]
    assert seen["hash"] == ""
    again = page.click("#moving .rows tbody tr:nth-child(1) button")
    assert "run=failed" in again["hash"]


# the ring's and the square's height by the ticks of the axis; what is said to be cut
HEIGHTS = """
const texts = [...document.querySelectorAll('#moving svg text')];
const ticks = texts.filter(node => node.getAttribute('text-anchor') === 'end'
  && node.getAttribute('x') === '51').map(node =>
    [Number(node.textContent), Number(node.getAttribute('y')) - 4]);
const [[low, bottom], [high, top]] = [ticks[0], ticks[ticks.length - 1]];
const ring = document.querySelector('#moving svg .kept');
const square = document.querySelector('#moving svg .stop');
const value = (at) => low + (at - bottom) / (top - bottom) * (high - low);
return {
  kept: value(Number(ring.getAttribute('cy'))),
  stop: square && value(Number(square.getAttribute('y')) + 4.5),
  outside: [...document.querySelectorAll('#moving svg .outside')].map(
    node => node.textContent),
};
"""


@pytest.mark.parametrize("extreme", [1.4556, 1.6])
def test_marks_stand_at_their_values_and_what_is_cut_is_named(
    show: Callable[..., Any], tmp_path: Path, extreme: float
) -> None:
    rest = 1.481 + 0.001 * np.sin(np.arange(59))
    values = [1.48, extreme, *rest]
    run = Run.from_logs([{"val_loss": float(value)} for value in values])
    document = build_report([run], semantics="keras-3.15")
    path = write_report(document, tmp_path / "a.html")
    page = Moved(show(path), answers_of(path))
    marked = set()
    for patience in (1, 2, 5, 20, 59):
        row = page.move("patience", patience)["said"]
        stop, kept = map(int, re.findall(r"(?:stops at|keeps) epoch (\d+)", row))
        seen = page.browser.execute_script(HEIGHTS)
        # a pixel of the widest axis
        near = 0.15 / 240
        assert seen["kept"] == pytest.approx(values[kept - 1], abs=near)
        assert seen["stop"] == pytest.approx(values[stop - 1], abs=near)
        is_marked = 2 in (stop, kept)
        assert len(seen["outside"]) == (0 if is_marked else 1)
        assert all("↑ 1.6" in said and "epoch 2" in said for said in seen["outside"])
        marked.add(is_marked)
    # the lowest value is kept by all that go on to it, the highest is one's stop
    assert marked == ({True} if extreme < min(rest) else {True, False})


# the epochs whose ticks stand where the crosses do
CROSSES = """
const ticks = [...document.querySelectorAll('#moving svg text')].filter(
  node => node.getAttribute('text-anchor') === 'middle');
return [...document.querySelectorAll('#moving svg .cross')].map(cross => {
  const x = Number(/M([0-9.]+)/.exec(cross.getAttribute('d'))[1]) + 3.5;
  return ticks.filter(tick => Math.abs(tick.getAttribute('x') - x) < 0.5).map(
    tick => Number(tick.textContent))[0];
});
"""


def test_values_without_a_height_are_crosses(
    show: Callable[..., Any], tmp_path: Path
) -> None:
    values = [0.9, math.nan, 0.5, math.inf, 0.6, 0.7, 0.8]
    run = Run.from_logs([{"val_loss": value} for value in values])
    path = write_report(
        build_report([run], semantics="keras-3.15"), tmp_path / "a.html"
    )
    page = Moved(show(path), answers_of(path))
    assert page.browser.execute_script(CROSSES) == [2, 4]
    key = "Cross: NaN or infinite."
    assert page.browser.find_element("css selector", "#moving").text.count(key) == 1


def test_one_table_of_every_patience_is_shown_and_says_above_what(
    moving: Callable[..., Any],
) -> None:
    page = moving("one")
    heads = page.browser.execute_script(
        "return [...document.querySelectorAll('#moving thead th')].map("
        "one => [one.innerText, one.scrollWidth <= one.clientWidth])"
    )
    assert ["above best val_loss", True] in heads
    still = page.browser.find_elements("css selector", ".still")
    assert [one.is_displayed() for one in still] == [False, False]


@pytest.mark.parametrize(
    "fragment",
    [
        "#patience=-3",
        "#patience=1e99&min_delta=NaN&callbacks=77&monitor=__proto__&run=constructor",
        "#patience=%3Cimg%20src=x%20onerror=alert(1)%3E&runs=%3Cb%3E",
        "#%E0%A4%A",
        "#runs=.*%5B(&min_delta=Infinity",
    ],
)
def test_no_address_breaks_the_page(moving: Callable[..., Any], fragment: str) -> None:
    page = moving("several", fragment=fragment)
    page.browser.execute_async_script("requestAnimationFrame(() => arguments[0]())")
    seen = page.seen()
    assert seen["said"].startswith("Patience ")
    assert "NaN" not in seen["code"]
    assert page.browser.execute_script("return document.images.length") > 0


def test_runs_are_filtered_and_counted_anew(moving: Callable[..., Any]) -> None:
    page = moving("several")
    everything = page.seen()
    assert len(everything["rows"][0]) == 12
    part = page.move("Runs", "WIDTH1 ")
    names = [row[1] for row in part["rows"][0]]
    assert names == [f"width1/seed{number}" for number in (1, 3, 5, 7, 9, 11)]
    assert "of 6 runs tell" in part["said"] or "6 of 6" in part["said"]
    none = page.move("Runs", "no such run")
    assert none["said"].endswith("No run has this in its name.")
    assert page.move("Runs", "") == everything


def test_means_are_over_exact_runs_alone(moving: Callable[..., Any]) -> None:
    page = moving("several")
    view, _, _ = page.answers["named"][0]
    for patience in (0, 2, 5, 9, 20):
        seen = page.move("patience", patience)
        told = [look_up(page.answers, row, view, 0, patience) for row in range(12)]
        exact = [one for one in told if one.evidence == "exact"]
        assert f": {len(exact)} of 12 runs tell what this does" in seen["said"]
        regrets = [one.regret for one in exact if one.regret is not None]
        worst = max(regrets, default=0.0)
        if worst:
            decimals = page.answers["decimals"]
            mean = sum(regrets) / len(regrets)
            assert f"{mean:.{decimals}f} val_loss above best on average" in seen["said"]
            assert f"at worst {worst:.{decimals}f} " in seen["said"]


@pytest.mark.parametrize("each", [0.5, 30.0, 900.0])
def test_the_time_saved_is_said_where_it_is_recorded(
    show: Callable[..., Any], tmp_path: Path, each: float
) -> None:
    runs = [
        replace(
            noisy_run(number),
            epoch_seconds=Series.from_optional([None, *[each] * 59]),
        )
        for number in (1, 2)
    ]
    path = write_report(build_report(runs, semantics="keras-3.15"), tmp_path / "a.html")
    page = Moved(show(path), answers_of(path))
    seen = page.move("patience", 2)
    told = [look_up(page.answers, row, 0, 0, 2) for row in range(2)]
    saved = [60 - one.shown_epochs for one in told]
    assert f"epochs saved ({spoken_seconds(sum(saved) * each)})" in seen["said"]
    assert f"of 60 epochs ({spoken_seconds(saved[0] * each)})" in seen["curve"]


def test_a_click_and_the_arrows_on_the_map_move_the_sliders(
    moving: Callable[..., Any],
) -> None:
    from selenium.webdriver import ActionChains, Keys

    page = moving("one")
    canvas = page.browser.find_element("css selector", "#moving canvas")
    page.browser.execute_script("arguments[0].scrollIntoView()", canvas)
    page.browser.execute_script("arguments[0].focus()", canvas)
    before = page.seen()["hash"]
    ActionChains(page.browser).send_keys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT).perform()
    page.browser.execute_async_script("setTimeout(arguments[0], 300)")
    moved = page.seen()
    assert moved["hash"] != before
    assert "min_delta=1e-06" in moved["hash"]
    size = canvas.size
    offset = (-size["width"] // 2 + 80, -size["height"] // 2 + 8)
    ActionChains(page.browser).move_to_element_with_offset(
        canvas, *offset
    ).click().perform()
    page.browser.execute_async_script("setTimeout(arguments[0], 300)")
    clicked = page.seen()
    assert clicked["said"].startswith("Patience ")
    assert "min_delta 0:" in clicked["said"]
    assert clicked["hash"] != moved["hash"]


def test_a_row_of_the_staircase_chooses_its_patience(
    moving: Callable[..., Any],
) -> None:
    page = moving("one")
    rows = page.seen()["rows"][0]
    seen = page.click("#moving .rows tbody tr:nth-child(2) button")
    first = re.findall(r"\d+", rows[1][1])[0]
    assert seen["said"].startswith(f"Patience {first},")
    assert seen["rows"][0][1][0] == "marked"


def test_without_scripts_it_is_the_page_as_it_was(
    show: Callable[..., Any], pages: dict[str, Path], browser: Any
) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(pages["one"])
        found = browser.find_elements("css selector", "#moving, .still")
        # the curve and the table of every patience stand in place of the controls
        assert [one.is_displayed() for one in found] == [False, True, True]
        assert "The decisions on the curve" in browser.page_source
    finally:
        browser.execute_cdp_cmd(
            "Emulation.setScriptExecutionDisabled", {"value": False}
        )


def test_in_a_browser_that_lacks_something_it_is_the_page_as_it_was(
    show: Callable[..., Any], pages: dict[str, Path], browser: Any
) -> None:
    command = "Page.addScriptToEvaluateOnNewDocument"
    lacking = "window.URLSearchParams = undefined"
    added = browser.execute_cdp_cmd(command, {"source": lacking})
    try:
        show(pages["one"])
        found = browser.find_elements("css selector", "#moving, .still")
        # the curve and the table of every patience stand in place of the controls
        assert [one.is_displayed() for one in found] == [False, True, True]
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
        browser.get_log("browser")


@pytest.mark.parametrize("name", ["one", "several"])
@pytest.mark.parametrize("width", [1200, 420])
def test_nothing_is_wider_than_the_page_and_no_number_is_cut(
    moving: Callable[..., Any], name: str, width: int
) -> None:
    page = moving(name, width=width)
    wide, cut = page.browser.execute_script(
        "return [document.documentElement.scrollWidth,"
        " [...document.querySelectorAll('#moving td')].filter(cell =>"
        "   cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)]"
    )
    assert wide <= width
    assert cut == []
    # a table of a dozen rows is whole, however many lines its heading takes
    hidden = page.browser.execute_script(
        "return [...document.querySelectorAll('#moving .rows')].map(box =>"
        " [box.querySelectorAll('tr:not([hidden])').length,"
        "  box.scrollHeight - box.clientHeight])"
    )
    assert hidden
    assert [rest for rows, rest in hidden if rows <= 13] == [0] * len(hidden)


LABELS = """
const svg = document.querySelector('#moving svg'), room = svg.getBoundingClientRect();
return [...svg.querySelectorAll('text:not(.outside)')].map(node => {
  const { left, right, top } = node.getBoundingClientRect();
  return [node.textContent, left - room.left, room.right - right, top];
});
"""
LONG = "val_metrics/a_long_name_of_a_nested_module/mean_absolute_percentage_error"


@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize(
    "curve",
    [(1e-12, "val_loss", "4.0e-13"), (1e30, "val_loss", "4.0e+29"), (1, LONG, "0.4")],
)
def test_no_label_of_the_curve_is_cut_or_written_over(
    show: Callable[..., Any], tmp_path: Path, width: int, curve: tuple[float, str, str]
) -> None:
    scale, name, height = curve
    losses = [scale * (abs(epoch - 9) / 12 + 0.2) for epoch in range(20)]
    run = Run.from_logs([{name: loss} for loss in losses], name="run")
    document = build_report([run], monitor=name, mode="min", semantics="keras-3.15")
    browser = show(write_report(document, tmp_path / "page.html"), width=width)
    labels = browser.execute_script(LABELS)
    assert height in [label[0] for label in labels]
    for _, before, behind, _ in labels:
        assert min(before, behind) >= 0
    texts = [label[0] for label in labels]
    assert len({*texts}) == len(texts)
    # the last line has the name on the left, and what it is drawn over on the right
    epoch = labels[texts.index("epoch")]
    (watched,) = [own for own in labels if own[3] == epoch[3] and own is not epoch]
    assert watched[0][:5] == name[:5]
    assert (
        watched[2]
        > browser.execute_script(
            "return document.querySelector('#moving svg').clientWidth"
        )
        - epoch[1]
    )


def test_every_control_has_a_name_and_tells_its_value(
    moving: Callable[..., Any],
) -> None:
    page = moving("several")
    controls = page.browser.execute_script(
        "return [...document.querySelectorAll("
        "'#moving input, #moving select, #moving button, #moving canvas')]"
        ".map(one => [one.tagName, one.labels?.[0]?.textContent.trim()"
        " || one.getAttribute('aria-label') || one.textContent,"
        " one.type === 'range' ? one.getAttribute('aria-valuetext') : '',"
        " one.tabIndex])"
    )
    for tag, label, value, tab in controls:
        assert label, tag
        assert value is not None
        assert tab == 0
    status = page.browser.find_element("css selector", "#moving [role=status]")
    assert status.text.startswith("Patience ")


def test_paper_shows_every_row_and_no_control(moving: Callable[..., Any]) -> None:
    page = moving("several")
    media = {"media": "print"}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    asks, controls, contained, shown = page.browser.execute_script(
        "return [[...document.querySelectorAll('#moving p')].some("
        "  (each) => each.checkVisibility() && /click|address/i.test(each.innerText)),"
        " document.querySelector('.controls').checkVisibility(),"
        " getComputedStyle(document.querySelector('.rows')).contain,"
        " document.querySelector('.rows').scrollHeight <="
        " document.querySelector('.rows').clientHeight]"
    )
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert (controls, contained, shown) == (False, "none", True)
    # nobody clicks on paper
    assert not asks


def test_hostile_names_are_text(show: Callable[..., Any], tmp_path: Path) -> None:
    name = "</script><script>document.title='x'</script>{patience}\u202e"
    series = "val_<img src=x onerror=\"document.title='x'\">"
    rows = [{series: loss} for loss in (0.5, 0.4, 0.45, 0.44, 0.47, 0.5)]
    runs = [Run.from_logs([*rows[:-1], {series: last}], name=name) for last in (1.0, 2)]
    setting = [EarlyStopping(series, patience=2, mode="min")]
    document = build_report(runs, callbacks=setting, semantics="keras-3.15")
    path = tmp_path / "page.html"
    path.write_text(write_html(document))
    page = Moved(show(path), answers_of(path))
    page.browser.execute_async_script("requestAnimationFrame(() => arguments[0]())")
    seen = page.move("patience", 1)
    assert page.browser.title != "x"
    assert "{patience}\\u202e" in seen["rows"][0][0][1]
    assert seen["code"] == setting_code([EarlyStopping(series, patience=1, mode="min")])
    images = page.browser.execute_script(
        "return document.querySelectorAll('#moving img').length"
    )
    assert images == 0


def test_settings_beside_each_other_are_offered_by_name(
    ask: Ask, sample_logs: Path, tmp_path: Path, show: Callable[..., Any]
) -> None:
    path = tmp_path / "page.html"
    logs = sample_logs / "digits-mlp"
    assert ask("report", logs, "--patience", "5,10", "-o", path).status == 0
    page = Moved(show(path), answers_of(path))
    page.browser.execute_async_script("requestAnimationFrame(() => arguments[0]())")
    first = page.seen()
    assert first["setting"] == "patience=5"
    second = page.move("Setting", "patience=10")
    assert second["said"].startswith("Patience 10, min_delta 0: ")
    assert "patience=10," in second["code"]
    assert second["rows"][0] != first["rows"][0]


def test_the_command_writes_such_a_page(
    ask: Ask, sample_logs: Path, tmp_path: Path, show: Callable[..., Any]
) -> None:
    path = tmp_path / "page.html"
    assert ask("report", sample_logs / "digits-mlp", "-o", path).status == 0
    page = Moved(show(path), answers_of(path))
    page.browser.execute_async_script("requestAnimationFrame(() => arguments[0]())")
    assert page.seen()["setting"].endswith(": recommended")
