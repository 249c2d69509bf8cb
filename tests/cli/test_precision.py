"""``--precision``: how many digits people are shown, and that programs get them all."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay.monitor import Comparison
from cbreplay.wording.kinds import spoken_value
from cbreplay.wording.shown_digits import scale_of, showing_digits
from cbreplay.wording.spoken_comparisons import spoken_comparison, spoken_float
from tests.conftest import write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

# the third is best: .234567891234
VALUES = [0.98765432198765, 0.345678912345, 0.234567891234, 0.3, 0.31, 0.32, 0.33]
COMMANDS = [
    ("simulate",),
    ("simulate", "--patience", "1,2"),
    ("simulate", "--patience", "1", "--versus-patience", "3"),
    ("explain", "--patience", "1"),
    ("recommend",),
    ("inspect",),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "log.csv", VALUES)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("form", ["json", "csv"])
def test_programs_get_every_digit_whatever_is_asked(
    ask: Ask, log: Path, words: tuple[str, ...], form: str
) -> None:
    command, *options = words
    asked: tuple[str | Path, ...] = (command, log, *options, "--format", form)
    assert ask(*asked, "--precision", "2").out == ask(*asked).out


@pytest.mark.parametrize("words", COMMANDS[:3], ids=" ".join)
@pytest.mark.parametrize("form", ["table", "markdown"])
@pytest.mark.parametrize(("digits", "best"), [("2", "0.23"), ("7", "0.2345679")])
def test_people_get_so_many_digits(  # noqa: PLR0917 - fixtures and cases
    ask: Ask, log: Path, words: tuple[str, ...], form: str, digits: str, best: str
) -> None:
    command, *options = words
    told = ask(command, log, *options, "--format", form, "--precision", digits)
    assert told.status == 0
    assert re.search(rf"(?<![\d.]){re.escape(best)}(?!\d)", told.out)
    assert ("0.2346" in told.out) == best.startswith("0.2346")


def test_a_trace_and_a_page_have_them_too(ask: Ask, log: Path, tmp_path: Path) -> None:
    trace = ask("explain", log, "--patience", "1", "--precision", "7").out
    assert "0.3456789 is below 0.9876543" in trace
    page = tmp_path / "page.html"
    assert ask("report", log, "-o", page, "--precision", "7").status == 0
    assert "0.2345679" in page.read_text()


@pytest.mark.parametrize(("digits", "best"), [("2", "0.23"), ("7", "0.2345679")])
def test_the_labels_of_a_picture_have_them_too(
    ask: Ask, log: Path, tmp_path: Path, digits: str, best: str
) -> None:
    picture = tmp_path / "curve.svg"
    asked = ("plot", log, "--patience", "3", "-o", picture, "--precision", digits)
    assert ask(*asked).status == 0
    assert f">keeps epoch 3: {best}<" in picture.read_text()


def test_it_holds_for_one_command_only(ask: Ask, log: Path) -> None:
    usual = ask("simulate", log).out
    ask("simulate", log, "--precision", "9")
    assert ask("simulate", log).out == usual
    assert ask("simulate", log, "--precision", "4").out == usual


def test_a_pyproject_may_hold_it(
    ask: Ask, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.cbreplay]\nprecision = 7\n")
    told = ask("simulate", log)
    assert "0.2345679" in told.out
    assert "--precision 7 comes from pyproject.toml here" in told.err


@pytest.mark.parametrize("digits", ["0", "18", "2.5"])
def test_what_no_number_has_is_refused(ask: Ask, log: Path, digits: str) -> None:
    told = ask("simulate", log, "--precision", digits)
    assert told.status == 2
    assert "--precision" in told.err


# six digits at most, so that no logarithm is rounded across a power of ten
sizes = st.builds(
    lambda whole, places: whole / 10**places, st.integers(1, 999_999), st.integers(0, 8)
)


@given(sizes, st.integers(1, 17))
def test_no_value_loses_more_than_its_last_digit(size: float, digits: int) -> None:
    with showing_digits(digits):
        texts = [spoken_value(size, "value", scale_of([size])), spoken_float(size)]
        texts.append(spoken_value(size, "number"))
    half = Decimal(10) ** (1 - digits) / 2
    for text in texts:
        # a float is spoken of by its shortest text
        for exact in (Decimal(size), Decimal(repr(size))):
            apart = abs(Decimal(text) - exact)
            if apart <= half * exact:
                break
        else:
            pytest.fail(f"{text} is not {size} to {digits} digits")


@given(sizes, sizes, st.integers(1, 17))
def test_a_comparison_shows_what_was_decided_at_any_precision(
    value: float, reference: float, digits: int
) -> None:
    comparison = Comparison("min", 0.0, "value", "float64", flush_subnormals=False)
    with showing_digits(digits):
        told = spoken_comparison(comparison, value, reference)
    if value == reference:
        assert "only equals" in told
        return
    left, right = re.split(r" is (?:not )?below ", told)
    assert (Decimal(left) < Decimal(right)) == (value < reference)
    assert ("is not" in told) == (value > reference)
