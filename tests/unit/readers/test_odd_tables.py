"""Tables that people made of logs: each is read as it is meant, or refused clearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import LogError
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.csv_logger import CsvLoggerReader

if TYPE_CHECKING:
    from cbreplay import Run


def read(content: str, **options: str) -> list[Run]:
    reader = CsvLoggerReader(ReadOptions(**options))  # type: ignore[arg-type]  # literals
    return list(reader.read_content(content.encode(), "logs.csv"))


def read_one(content: str, **options: str) -> Run:
    (run,) = read(content, **options)
    return run


def values(run: Run, name: str) -> list[float | None]:
    return list(run.series[name])


def refusal(content: str, **options: str) -> str:
    with pytest.raises(LogError) as caught:
        read(content, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "epoch loss\n0 0.5\n1 0.25\n",
        "epoch   loss\n    0   0.5\n    1  0.25\n",
        "# epoch loss\n0.000e+00 5.0e-01\n1.000e+00 2.5e-01\n",
    ],
)
def test_spaces_separate_cells_where_nothing_else_does(content: str) -> None:
    run = read_one(content)
    assert (run.first_epoch, values(run, "loss")) == (0, [0.5, 0.25])


def test_a_name_with_a_space_is_no_table_of_spaces() -> None:
    assert values(read_one("val loss\n0.5\n0.25\n"), "val loss") == [0.5, 0.25]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "\ufeffsep=;"])
def test_excels_line_about_the_delimiter_is_no_header(first: str) -> None:
    run = read_one(f"{first}\nepoch;loss\n0;0,5\n1;0,25\n")
    assert values(run, "loss") == [0.5, 0.25]


@pytest.mark.parametrize("title", ["My training", "// run 3", "model,resnet", "% a,b"])
def test_a_title_above_the_header_is_left_out_and_noted(title: str) -> None:
    run = read_one(f"{title}\nepoch,loss\n0,0.5\n1,0.25\n")
    assert values(run, "loss") == [0.5, 0.25]
    assert run.notes == ("above the column names, left out: line 1",)


def test_rows_above_a_header_are_no_title() -> None:
    # 0.5 may be a loss of another training, whose names stand above it
    assert "line 3: from here on another header" in refusal(
        "loss,acc\n0.5,1\nepoch,loss\n0,0.5\n"
    )


def test_two_columns_of_one_name_are_one_if_they_hold_the_same() -> None:
    run = read_one("epoch,loss,epoch,loss\n0,0.5,0,0.5\n1,nan,1,nan\n")
    assert list(run.series) == ["loss"]
    assert run.notes == (
        "epoch stands there twice with the same values: it was read once",
        "loss stands there twice with the same values: it was read once",
    )


@pytest.mark.parametrize("second", ["0.26", "", "x"])
@pytest.mark.parametrize("errors", ["strict", "skip"])
def test_two_columns_of_one_name_that_differ_are_refused(
    second: str, errors: str
) -> None:
    said = refusal(f"epoch,loss,loss\n0,0.5,0.5\n1,0.25,{second}\n", errors=errors)
    assert "line 3: two columns are named 'loss', and they differ here" in said
    assert "Rename or delete one of them" in said


@pytest.mark.parametrize("errors", ["strict", "skip"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "Epoch 1/2\n10/10 [====] - loss: 0.5000\nEpoch 2/2\n",
            "line 1: this is what Keras prints while it trains",
        ),
        (
            "<<<<<<< HEAD\nepoch,loss\n0,1\n=======\n",
            "line 1: git could not merge this file",
        ),
        (
            "epoch,loss\n0,1\n<<<<<<< HEAD\n1,2\n=======\n1,3\n>>>>>>> theirs\n",
            "line 3: git could not merge this file",
        ),
    ],
)
def test_what_is_known_to_be_no_table_is_called_by_its_name(
    content: str, said: str, errors: str
) -> None:
    assert said in refusal(content, errors=errors)


def test_a_conflict_far_below_the_header_is_found_too() -> None:
    rows = "".join(f"{epoch},0.5\n" for epoch in range(100))
    said = refusal(f"epoch,loss\n{rows}<<<<<<< HEAD\n100,1\n", errors="skip")
    assert "line 102: git could not merge" in said


def test_an_empty_file_is_empty_also_if_damage_is_skipped() -> None:
    assert "the file is empty" in refusal("", errors="skip")


def test_numbers_in_place_of_names_are_named_where_they_stand() -> None:
    assert "line 3: here stand numbers" in refusal("# a\n\n0,0.5\n1,0.25\n")
