from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pytest

from cbreplay import LogError, TruncatedLogError, load_runs
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.csv_logger import CsvLoggerReader

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay import Run


def read(content: str | bytes, **options: str) -> list[Run]:
    if isinstance(content, str):
        content = content.encode()
    reader = CsvLoggerReader(ReadOptions(**options))  # type: ignore[arg-type]  # literals
    return list(reader.read_content(content, "logs.csv"))


def read_one(content: str | bytes, **options: str) -> Run:
    (run,) = read(content, **options)
    return run


def values(run: Run, name: str) -> list[float]:
    return [float(value) for value in run.series[name].values]


PLAIN = "epoch,loss\r\n0,0.5\r\n1,0.25\r\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace("\r\n", "\n"),
        PLAIN.replace("\r\n", "\r\r\n"),
        PLAIN.replace("\r\n", "\r"),
        PLAIN.replace("\r\n", "\n\n"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", " , "),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.replace("0,0.5", "0.0,0.5"),
        '"epoch","loss"\r\n"0","0.5"\r\n"1","0.25"\r\n',
        "Epoch,loss\n0,.5\n1,2.5e-1\n",
    ],
)
def test_every_way_of_writing_the_same_log_reads_the_same(content: str | bytes) -> None:
    run = read_one(content)
    assert (run.first_epoch, values(run, "loss"), run.notes) == (0, [0.5, 0.25], ())


@pytest.mark.parametrize(
    "text", ["0.1", "0.009999999776482582", "-1e-320", "1E5", "+3", "inf", "-inf"]
)
def test_a_value_is_exactly_what_python_reads(text: str) -> None:
    assert values(read_one(f"epoch,loss\n0,{text}\n"), "loss") == [float(text)]


def test_a_logged_nan_is_recorded() -> None:
    loss = read_one("epoch,loss\n0,nan\n").series["loss"]
    assert loss.recorded.tolist() == [True]
    assert math.isnan(loss.values[0])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0,.9,.8\n1,nan,nan\n2,nan,nan\n3,.7,.6\n", "NaN in 2 epochs, 2, 3 (counted"),
        # a training that failed, and a validation alone
        ("0,.9,.8\n1,nan,nan\n2,nan,nan\n", ""),
        ("0,.9,.8\n1,.8,nan\n2,.7,.6\n", ""),
    ],
)
def test_rows_of_nothing_but_nan_before_numbers_are_doubted(
    rows: str, said: str
) -> None:
    run = read_one("epoch,loss,val_loss\n" + rows)
    doubts = [note for note in run.notes if "all series are NaN" in note]
    assert [said in note for note in doubts] == ([True] if said else [])
    assert run.series["val_loss"].recorded.all()


@pytest.mark.parametrize("cell", ["", "NA"])
def test_an_empty_cell_is_missing_and_noted(cell: str) -> None:
    run = read_one(f"epoch,loss,val_loss\n0,1,{cell}\n1,1,2\n")
    assert run.series["val_loss"].recorded.tolist() == [False, True]
    assert "val_loss: no value in 1 of 2 rows" in run.notes


def test_an_empty_cell_is_nan_on_request() -> None:
    run = read_one("epoch,loss,val_loss\n0,1,\n1,1,2\n", empty="nan")
    assert run.series["val_loss"].recorded.tolist() == [True, True]
    assert run.notes == ("val_loss: 1 empty cell was read as NaN",)


def test_columns_that_keras_only_named_are_left_out() -> None:
    run = read_one(
        "epoch,loss,learning_rate,val_loss,val_learning_rate\n0,1,.5,NA,NA\n"
    )
    assert list(run.series) == ["loss"]
    assert "left out val_loss, val_learning_rate" in run.notes[0]


@pytest.mark.parametrize(
    ("header", "row", "note"),
    [
        ("epoch,loss,", "0,1,", "left out column 3: it has no name"),
        ("epoch,loss,time", "0,1,noon", "left out time: no cell is a number"),
        ("epoch,loss,acc", "0,1,", "left out acc: every cell is empty"),
        ("epoch,loss,lr,learning_rate", "0,1,2,3", "learning_rate was taken"),
    ],
)
def test_a_column_that_is_no_series_is_left_out_and_noted(
    header: str, row: str, note: str
) -> None:
    run = read_one(f"{header}\n{row}\n")
    assert list(run.series) == ["loss"]
    assert note in run.notes[0]


def test_without_any_whole_row_there_is_no_run() -> None:
    with pytest.raises(LogError, match="no row is whole"):
        read("epoch,loss\n0.5,1\n", errors="skip")


def test_text_cut_inside_a_utf16_letter_is_truncated() -> None:
    with pytest.raises(TruncatedLogError):
        read(PLAIN.encode("utf-16")[:-1])


def test_a_column_of_lists_is_left_out() -> None:
    run = read_one('epoch,loss,f1\r\n0,1,"""[0.1, 0.2]"""\r\n')
    assert list(run.series) == ["loss"]
    assert run.notes == ("left out f1: its cells are lists, not single numbers",)


@pytest.mark.parametrize("name", ["learning_rate", "lr"])
def test_the_rate_is_float32_and_no_metric(name: str) -> None:
    run = read_one(f"epoch,loss,{name}\n0,1,0.01\n")
    assert run.learning_rate is not None
    assert run.learning_rate.values.dtype == np.float32
    assert run.learning_rate.values[0] == np.float32(0.01)
    assert list(run.series) == ["loss"]


def test_a_missing_epoch_is_a_gap() -> None:
    run = read_one("epoch,loss\n2,1\n5,2\n")
    assert (run.first_epoch, run.horizon) == (2, 5)
    assert run.series["loss"].recorded.tolist() == [True, False, False, True]
    assert "no row for 2 of 4 epochs: 4-5 (counted from 1)" in run.notes
    told = "its first epoch in the log is 2, taken as counted from 0: 2 epochs came"
    assert any(told in note for note in run.notes)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("0,1\n1,2\n0,3\n", [[1, 2], [3]]),
        ("0,1\n1,2\n2,3\n1,4\n", [[1, 2, 3], [4]]),
        ("0,1\nepoch,loss\n0,2\n", [[1], [2]]),
    ],
)
def test_a_step_back_begins_another_run(rows: str, found: list[list[float]]) -> None:
    runs = read(f"epoch,loss\n{rows}")
    assert [values(run, "loss") for run in runs] == found
    assert "the log holds 2 trainings" in " ".join(runs[1].notes)


@pytest.mark.parametrize(
    ("below", "found"),
    [
        # the best epoch's row once more, and the best two
        ("2,0.5\n", [[0.9, 0.7, 0.5, 0.6]]),
        ("1,0.7\n2,0.5\n", [[0.9, 0.7, 0.5, 0.6]]),
        # another value, or an epoch beyond
        ("2,0.4\n", [[0.9, 0.7, 0.5, 0.6], [0.4]]),
        ("2,0.5\n4,0.3\n", [[0.9, 0.7, 0.5, 0.6], [0.5, None, 0.3]]),
    ],
)
def test_rows_that_stand_above_too_are_no_training(
    below: str, found: list[list[float | None]]
) -> None:
    runs = read("epoch,loss\n0,0.9\n1,0.7\n2,0.5\n3,0.6\n" + below)
    assert [list(run.series["loss"]) for run in runs] == found


def test_trainings_under_one_header_are_doubted_and_noted() -> None:
    # the second fit logged loss and mae, and CSVLogger wrote them under acc and loss
    runs = read("epoch,acc,loss\n0,.5,2\n0,2,.1\n")
    assert all("would stand under wrong names" in run.notes[0] for run in runs)
    (first, _) = read("epoch,acc,loss\n0,.5,2\nepoch,acc,loss\n0,.5,3\n")
    assert not any("share one header" in note for note in first.notes)
    # CSVLogger does not write in which fold a fit was
    rows = "".join(f"{fold},{epoch},.5,2\n" for fold in "01" for epoch in "012")
    (first, _) = read(f"fold,epoch,acc,loss\n{rows}")
    assert not any("share one header" in note for note in first.notes)


def test_a_header_once_more_with_epochs_going_on_is_a_seam() -> None:
    run = read_one("epoch,loss\n0,1\nepoch,loss\n1,2\n")
    assert values(run, "loss") == [1, 2]
    assert "a fit was resumed at epoch 2 (counted from 1)" in run.notes[-1]


def test_rows_without_epochs_are_counted() -> None:
    run = read_one("loss,val_loss\n0.5,1\n0.25,2\n")
    assert (run.first_epoch, values(run, "loss")) == (0, [0.5, 0.25])
    assert "no epoch column" in run.notes[0]


def test_the_nameless_index_of_pandas_is_the_epoch() -> None:
    run = read_one(",loss\n3,0.5\n4,0.25\n")
    assert (run.first_epoch, list(run.series)) == (3, ["loss"])


def test_text_that_is_not_utf8_is_noted() -> None:
    run = read_one("epoch,präzision\n0,0.5\n".encode("latin-1"))
    assert values(run, "präzision") == [0.5]
    assert run.notes == ("not UTF-8 at byte 8: the text was read as Latin-1",)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "the file is empty, as of a fit that has not ended its first epoch"),
        ("\n\n", "only blank lines"),
        ("epoch,loss\n", "there is no row under the header epoch, loss"),
        (
            "epoch,loss",
            (
                "there is no row under the header epoch, loss, as of a fit that has "
                "not ended its first epoch"
            ),
        ),
        (b"\x89PNG\0\0", "this is a picture"),
        (b"\xff\x00\xfe", "this is not text"),
        (b"\xf8\x01\x02\n", "this is not text"),
        ("0,0.5\n1,0.4\n", "numbers, not column names"),
        ('{"loss": [1]}', "this is JSON"),
        ("version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("epoch,loss\n0,a\n1,b\n", "no cell of a metric is a number"),
        ("epoch,lr\n0,1\n", "there is no metric; the columns are epoch, lr"),
        ("name,loss\nx,1\nx,2\n", "no epoch column; the columns are name, loss"),
        (",loss\n0,a\n1,b\n", "a number; the columns are (nameless), loss"),
        ("loss,acc\nx,1\n2,2\n", "no epoch column"),
        ("epoch,loss\n0,1\n1,x\n", "line 3: 'x' under loss is not a number"),
        ("epoch,loss\n0,1\n1,1_0\n", "line 3: '1_0' under loss"),
        ("epoch,loss\n0,1\n1,\u0661\n", "line 3: '\u0661' under loss"),
        ("epoch,loss\n0,1\n1.5,1\n", "line 3: the epoch '1.5'"),
        ("epoch,loss\n0,1\n-1,1\n", "line 3: the epoch '-1' is below 0"),
        ("epoch,loss\n0,1\n,1\n", "line 3: the epoch ''"),
        ("epoch,loss\n0,1\n-,1\n2,1\n", "line 3: the epoch '-'"),
        ("epoch,loss\n0,1\n1e300,1\n", "the epoch '1e+300'"),
        ("epoch,loss\n0,1\n9999999999,1\n", "the epochs run from 0 to 9999999999"),
        ("epoch,loss\n0,1,2,3\n1,1\n", "line 2: 4 cells under 2 columns"),
        ("epoch,loss\n0,0,5\n1,0,4\n", "3 cells under 2 columns, as with decimal"),
        ('epoch,loss\n0,"1,500"\n', "line 2: '1,500' has a decimal comma, or one of"),
        ('"epoch,loss"\n"0,1"\n', "line 1: the whole line stands in quotes"),
        ('epoch,loss\n"0,1"\n', "line 2: the whole line stands in quotes"),
        ('epoch,loss,acc\n0,"0,5",0.1\n', "line 2: decimal commas stand beside"),
        ("epoch,loss\n0,1\n1,1e400\n", "line 3: '1e400' under loss is not a number"),
        ("epoch,loss\n0,1\n1e20,1\n", "line 3: the epoch '1e+20' is too large"),
        ("epoch;loss;acc\n0;0,5;0.1\n", "line 2: decimal commas stand beside"),
        ("epoch,loss\n0,1\nepoch,acc\n1,2\n", "line 3: from here on another header"),
        ("epoch,loss,loss\n0,1,2\n", "two columns are named 'loss'"),
        ('epoch,loss\n0,"1\n1,2\n', "cannot be cut into cells"),
        ("epoch,loss\n0,1\n0,2\n0,3\n1,1\n1,2\n1,3\n", "several workers"),
        ("epoch,loss\n0,1\n0,2\n0,3\n", "every row is epoch 0. If fits of one epoch"),
        ("epoch,loss\n3,1\n4,1\n50,2\n1,2\n", "line 4: the epoch 50 does not follow"),
    ],
)
def test_what_is_no_log_is_refused_in_one_sentence(
    content: str | bytes, sentence: str
) -> None:
    with pytest.raises(LogError) as caught:
        read(content)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("logs.csv")
    assert caught.value.hint


@pytest.mark.parametrize("errors", ["strict", "skip"])
def test_a_last_row_of_keras_without_line_end_is_left_out(
    errors: Literal["strict", "skip"],
) -> None:
    # a training may be writing it: no damage
    run = read_one(PLAIN[:-2], errors=errors)
    assert values(run, "loss") == [0.5]
    assert run.notes[0] == (
        "the last row (line 3) has no line end, as if it were just being written: it "
        "was left out"
    )


@pytest.mark.parametrize("last", ["0.25", "0.1", "1e-05", "inf", '"0.25"'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_last_row_with_all_its_cells_is_kept_and_noted(last: str, end: str) -> None:
    # CRLF with names that Keras does not sort so: another writer leaves the end out
    run = read_one(f"epoch,train_loss{end}0,0.5{end}1,{last}")
    assert values(run, "train_loss") == [0.5, float(last.strip('"'))]
    assert run.notes[0] == (
        "the last row (line 3) has no line end: it was kept, and may be cut in its "
        "last number"
    )


# as 0.0909, 0.5041 and 3.25 begin, of which only so much is written yet
@pytest.mark.parametrize("last", ["0.0", "0.", "3"])
@pytest.mark.parametrize("above", [["0.1127"], ["0.3127", "0.1041"]])
def test_a_last_number_with_fewer_signs_than_all_above_is_left_out(
    last: str, above: list[str]
) -> None:
    rows = [f"{epoch},{own}\n" for epoch, own in enumerate(above)]
    run = read_one("".join(["epoch,train_loss\n", *rows, f"{len(above)},{last}"]))
    assert values(run, "train_loss") == [float(own) for own in above]
    assert "put a line end behind it" in run.notes[0]


@pytest.mark.parametrize("last", ["1", "1,", "1,-", "1,0.5,", '1,"[0'])
def test_a_last_row_without_all_its_cells_is_left_out(last: str) -> None:
    run = read_one(f"epoch,loss\n0,0.5\n{last}")
    assert values(run, "loss") == [0.5]
    assert "the last row (line 3) has no line end" in run.notes[0]


@pytest.mark.parametrize("bad", ["1,x", "1", "1,2,3,4", "x,1"])
def test_a_damaged_row_is_dropped_on_request(bad: str) -> None:
    run = read_one(f"epoch,loss\n0,1\n{bad}\n2,3\n", errors="skip")
    assert run.series["loss"].recorded.tolist() == [True, False, True]
    assert "dropped as damaged: line 3" in run.notes[0]


def test_rows_below_another_header_are_never_read_under_the_first() -> None:
    run = read_one("epoch,loss\n0,1\nepoch,acc\n1,2\n", errors="skip")
    assert values(run, "loss") == [1]
    assert "line 3 (from here on another header holds: epoch, acc)" in run.notes[0]


def test_decimal_commas_are_read_where_semicolons_separate() -> None:
    run = read_one("epoch;loss;acc\n0;0,5;1\n1;2,5e-1;,75\n")
    assert values(run, "loss") == [0.5, 0.25]
    assert values(run, "acc") == [1, 0.75]
    assert run.notes == ("decimal commas were read as such: ; separates the cells",)


def test_decimal_commas_are_read_where_they_stand_in_quotes() -> None:
    # 0,5 and 2,5e-1 are no thousands, so that 1,500 is one and a half too
    run = read_one('epoch,loss,acc\n0,"0,5",1\n1,"2,5e-1","1,500"\n')
    assert values(run, "loss") == [0.5, 0.25]
    assert values(run, "acc") == [1, 1.5]
    assert run.notes == ("decimal commas were read as such: they stand in quotes",)


@pytest.mark.parametrize("above", ["epoch,loss\n", "epoch,loss\n" * 2, "epoch,a,b,c\n"])
def test_a_header_without_rows_above_another_is_left_out(above: str) -> None:
    run = read_one(f"{above}epoch,loss,val_loss\n0,3,4\n1,1,2\n")
    assert values(run, "val_loss") == [4, 2]
    line = above.count("\n") + 1
    assert run.notes == (f"above line {line}, left out: a header without rows",)


def test_comments_and_remarks_are_left_out_and_noted() -> None:
    run = read_one("# a try\nepoch,loss\n0,1\n# worse\n\nstopped for lunch\n1,2\n")
    assert values(run, "loss") == [1, 2]
    assert run.notes == (
        "2 comment lines were left out",
        "lines of text were left out: line 6",
    )


def test_a_header_in_a_comment_is_one_above_nothing_but_numbers() -> None:
    run = read_one("# made by numpy.savetxt\n# epoch,loss\n0,1\n1,2\n")
    assert values(run, "loss") == [1, 2]
    assert run.notes[0] == "the column names were taken from a comment line"


def test_a_header_in_the_last_of_many_comments_is_found() -> None:
    run = read_one("# noise\n" * 5000 + "# epoch,loss\n0,1\n1,2\n")
    assert values(run, "loss") == [1, 2]
    assert "5001 comment lines were left out" not in run.notes
    assert "5000 comment lines were left out" in run.notes


def test_a_csv_of_keras_without_a_validation_in_its_first_epoch_counts_from_0() -> None:
    # as CSVLogger of Keras 3.15.1 writes fit(initial_epoch=1, validation_freq=3)
    log = "epoch,loss,wer,val_loss,val_wer\n1,.5,.4,NA,NA\n2,.3,.2,.4,.3\n"
    assert read_one(log.replace("\n", "\r\n")).first_epoch == 1


def test_blank_cells_that_one_row_alone_has_beside_the_columns_are_damage() -> None:
    # a fit was killed after "4,.35", and the next wrote "3,.4,.3,," behind that
    log = "epoch,loss,acc,val_loss,val_acc\n1,.5,.1,,\n2,.4,.2,.5,.1\n"
    glued = "3,.4,.3,,\n4,.353,.4,.3,,\n4,.3,.4,.4,.2\n"
    with pytest.raises(LogError, match="line 5: 6 cells under 5 columns"):
        read_one(log + glued)


def test_blank_cells_that_several_rows_have_beside_the_columns_are_none() -> None:
    # spreadsheets write them for blocks of rows, where a text stands in one
    run = read_one("epoch,loss\n0,4\n1,3,\n2,2,here\n3,1,\n")
    assert values(run, "loss") == [4, 3, 2, 1]


def test_text_beside_the_columns_is_left_out_and_noted() -> None:
    run = read_one("epoch,loss\n0,1,first try\n1,2,\n2,3\n")
    assert values(run, "loss") == [1, 2, 3]
    assert run.notes == ("text beside the columns was left out in 1 row",)


@pytest.mark.parametrize("cut", ["2,", "2,0.", "2,0.5,", "2,0.5,0.2"])
def test_a_header_behind_a_row_that_breaks_off_begins_a_fit(cut: str) -> None:
    header = "epoch,loss,val_loss\n"
    text = f"{header}0,4,5\n1,3,4\n{cut}{header}2,2,3\n3,1,2\n"
    with pytest.raises(LogError, match="line 4: a row breaks off, and the header st"):
        read_one(text)
    run = read_one(text, errors="skip")
    assert values(run, "loss") == [4, 3, 2, 1]
    assert run.seams == (2,)


def test_cells_of_only_delimiters_are_a_blank_line() -> None:
    assert values(read_one("epoch,loss\n0,1\n,\n1,2\n,\n"), "loss") == [1, 2]


def test_a_name_that_begins_with_a_number_sign_is_one() -> None:
    run = read_one("epoch,# loss,val_loss,\n0,1,2,9\n1,0.5,1.5,9\n")
    assert values(run, "# loss") == [1, 0.5]
    assert run.notes == ("left out column 4: it has no name",)


@pytest.mark.parametrize("names", [["val_loss"], ["val_loss", "loss"]])
def test_an_epoch_of_nothing_but_nan_that_pandas_wrote_moves_no_other(
    names: list[str],
) -> None:
    losses = [0.5, math.nan, 0.4, math.nan, math.nan, 0.6, math.nan]
    text = pd.DataFrame(dict.fromkeys(names, losses)).to_csv(index=False)
    for written in (text, text.replace("\n", "\r\n")):
        run = read_one(written)
        series = run.series["val_loss"]
        assert run.epochs[np.isfinite(series.values)].tolist() == [0, 2, 5]
        assert series.values[np.isfinite(series.values)].tolist() == [0.5, 0.4, 0.6]


@pytest.mark.parametrize("name", ["Epochs", "Step", "_step", "epoch_no", "Unnamed: 0"])
def test_a_blank_line_below_any_name_that_numbers_rows_says_nothing(name: str) -> None:
    assert values(read_one(f"{name},loss\n0,1\n,\n1,2\n"), "loss") == [1, 2]


def test_a_blank_line_below_a_header_stands_apart() -> None:
    text = "loss,val_loss\n,\n1,.5\n.9,.4\n"
    for run in read(text * 2):
        assert values(run, "val_loss") == [0.5, 0.4]


def test_utf16_without_a_mark_and_a_mark_within_are_read() -> None:
    assert values(read_one(PLAIN.encode("utf-16-le")), "loss") == [0.5, 0.25]
    assert values(read_one("epoch,loss\n0,1\n\ufeffepoch,loss\n1,2\n"), "loss") == [
        1,
        2,
    ]


def test_names_in_another_encoding_do_not_hide_the_numbers() -> None:
    # GBK, whose bytes are control characters in Latin-1
    run = read_one("epoch,\u635f\u5931\n0,0.5\n".encode("gbk"))
    (name,) = run.series
    assert values(run, name) == [0.5]
    assert "read as Latin-1" in run.notes[0]


def test_rows_of_an_appended_fit_with_other_metrics_are_dropped_by_line() -> None:
    text = "epoch,loss\n0,1\n1,2\n2,.9,3\n3,.9,4\n"
    with pytest.raises(LogError, match="CSVLogger appended with other metrics") as one:
        read(text)
    assert one.value.line == 4
    run = read_one(text, errors="skip")
    assert values(run, "loss") == [1, 2]
    assert "line 4 (3 cells under 2 columns); line 5" in run.notes[0].replace(
        ", as with decimal commas or two rows in one line", ""
    )


def test_two_rows_glued_at_the_epoch_are_dropped_on_request() -> None:
    # 5 was cut behind its epoch, and the resumed fit began with epoch 0: 50,2
    run, resumed = read("epoch,loss\n3,1\n4,1\n50,2\n1,3\n2,4\n", errors="skip")
    assert run.horizon == 4
    assert values(resumed, "loss") == [3, 4]
    assert "two rows seem to be glued to one" in run.notes[1]


@pytest.mark.parametrize("first", [0, 1])
def test_an_epoch_cut_inside_its_number_and_resumed_far_earlier_is_glued(
    first: int,
) -> None:
    # of 13 the 1 was written, and the next fit began at the first epoch: 10 or 11
    above = "".join(f"{at},{13 - at}\n" for at in range(first, 13))
    below = "".join(f"{at},{20 - at}\n" for at in range(first, 4))
    run, resumed = read(f"epoch,loss\n{above}1{below}", errors="skip")
    assert values(run, "loss") == [*range(13 - first, 0, -1)]
    assert values(resumed, "loss") == [*range(19 - first, 16, -1)]
    assert any("two rows seem to be glued to one" in note for note in run.notes)


def test_a_resumed_fit_of_one_epoch_is_no_glued_row() -> None:
    above = "".join(f"{at},{13 - at}\n" for at in range(1, 13))
    runs = read(f"epoch,loss\n{above}10,5\n1,9\n2,8\n")
    assert [values(run, "loss") for run in runs][1:] == [[5], [9, 8]]


def test_an_epoch_that_jumps_ahead_for_good_is_a_gap() -> None:
    run = read_one("epoch,loss\n4,1\n50,2\n51,3\n")
    # 4 to 51, of which three have a row
    assert (run.n_epochs, run.recorded_epochs) == (48, 3)


def test_the_first_epoch_that_stands_twice_is_a_restart() -> None:
    assert len(read("epoch,loss\n0,1\n0,2\n1,1\n2,1\n3,1\n")) == 2


def test_one_epoch_that_stands_twice_has_two_values() -> None:
    run = read_one("epoch,loss,acc\n0,1,.5\n1,2,.5\n1,3,.5\n2,4,.5\n")
    assert values(run, "loss") == [1, 3, 4]
    assert run.series["loss"].others == {1: (2.0,)}
    # the same value twice is one
    assert run.series["acc"].others == {}
    assert (
        "loss: several values in 1 epoch, 2 (counted from 1); the last of each stands"
    ) in run.notes


@pytest.mark.parametrize("n_rows", [4095, 4096, 4097, 8192, 8193])
def test_a_long_log_is_read_to_its_end(n_rows: int) -> None:
    rows = "".join(f"{i},,{i / 7!r}\r\n" for i in range(n_rows))
    content = f"epoch,acc,loss\r\n{rows}{n_rows},1,1\r\n"
    run = read_one(content)
    expected = [*(i / 7 for i in range(n_rows)), 1.0]
    assert values(run, "loss") == expected
    assert run.series["acc"].recorded.tolist() == [False] * n_rows + [True]
    cut = read_one(content[:-2])
    assert cut.n_epochs == n_rows
    assert f"the last row (line {n_rows + 2})" in cut.notes[0]


def test_a_letter_far_below_that_is_not_utf8_changes_no_number() -> None:
    rows = "".join(f"{i},{i / 7!r}\n" for i in range(60_000))
    content = f"epoch,loss\n{rows}".encode() + b"# caf\xe9\n"
    run = read_one(content)
    assert run.horizon == 59_999
    assert float(run.series["loss"].values[-1]) == 59_999 / 7


def test_a_damaged_row_far_below_is_named_by_its_line() -> None:
    rows = "".join(f"{i},{i}\n" for i in range(9000))
    with pytest.raises(LogError, match="'x' under loss") as caught:
        read(f"epoch,loss\n{rows}9000,x\n9001,1\n")
    assert caught.value.line == 9002


def test_an_underscore_within_a_number_is_no_number() -> None:
    rows = "".join(f"{i},{i}\n" for i in range(5000))
    with pytest.raises(LogError, match="'1_0' under loss"):
        read(f"epoch,loss\n{rows}5000,1_0\n")


@pytest.mark.parametrize(
    ("last", "n_epochs"), [("0.", 2), ("0.93", 2), ("0.9531", 3), ("1.0", 3)]
)
def test_a_last_number_that_is_shorter_than_all_others_is_cut(
    last: str, n_epochs: int
) -> None:
    """The file broke off within 0., which is no accuracy; 1.0 may be a whole one."""
    rows = "epoch,loss,val_acc\n0,0.5,0.8125\n1,0.25,0.9375\n"
    assert read_one(f"{rows}2,0.125,{last}").n_epochs == n_epochs


@pytest.mark.parametrize(
    ("rows", "last", "n_epochs"),
    [
        # epoch 2 may tie with epoch 1, whose number begins so; or it is the better one
        (["0.5", "0.51235"], "0.51", 2),
        (["0.5", "0.51235"], "0.51235", 3),
        (["0.5", "0.51235"], "0.52", 3),
        # 3.3e-05 is better than all, and 3.3 is worse
        (["0.5", "4.1e-05"], "3.3", 2),
        (["0.5", "4.1e-05"], "3.3e-0", 2),
        (["0.5", "4.1e-05"], "3.3e-05", 3),
        (["0.5", "4.1e-05"], "0.33", 3),
        (["0.5", "0.4"], "3.3e-0", 2),
    ],
)
def test_a_last_number_whose_lacking_digits_would_decide_is_left_out(
    rows: list[str], last: str, n_epochs: int
) -> None:
    above = "".join(f"{epoch},{loss}\n" for epoch, loss in enumerate(rows))
    assert read_one(f"epoch,val_loss\n{above}2,{last}").n_epochs == n_epochs


# typed by hand, or by a writer that ends no last line
UNENDED = "epoch,val_loss\n1,0.91\n2,0.85\n3,0.8"


def test_a_short_last_number_is_kept_where_no_file_of_its_writer_ends(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_text(UNENDED)
    (tmp_path / "b.csv").write_text("epoch,val_loss\n1,0.81\n2,0.75\n3,0.72")
    # what is of another writer says nothing
    (tmp_path / "c.csv").write_text("epoch,loss,val_loss\n1,0.81,0.9\n")
    (run,) = load_runs(tmp_path / "a.csv")
    assert list(run.series["val_loss"]) == [0.91, 0.85, 0.8]
    assert any("as in each file of this header there" in note for note in run.notes)


@pytest.mark.parametrize(
    "other",
    [
        # it ends its rows; it is cut itself; nothing is there
        "epoch,val_loss\n1,0.81\n2,0.75\n3,0.72\n",
        "epoch,val_loss\n1,0.81\n2,0.75\n3,0.",
        "epoch,val_loss\n1,0.81\n2,0.75\n3",
        "epoch,val_loss",
        None,
    ],
)
def test_a_short_last_number_is_left_out_where_nothing_shows_that_it_is_whole(
    tmp_path: Path, other: str | None
) -> None:
    (tmp_path / "a.csv").write_text(UNENDED)
    if other is not None:
        (tmp_path / "b.csv").write_text(other)
    (run,) = load_runs(tmp_path / "a.csv")
    assert list(run.series["val_loss"]) == [0.91, 0.85]
    assert any("if it is whole, put a line end behind it" in note for note in run.notes)
