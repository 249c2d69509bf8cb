"""Tables that people made of logs: each is read as it is meant, or refused clearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import LogError, load_runs
from cbreplay.errors import UnknownMonitorError
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.columns.header import sniff_header
from cbreplay.readers.text_tables.csv_logger import CsvLoggerReader

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_line_of_nothing_but_a_byte_order_mark_is_no_title() -> None:
    # found by tests/fuzz/text_logs.py
    content = "poch,loss\n\ufeff\n0,0.5\n1,0.25\n"
    assert sniff_header(content)[0] == ["poch", "loss"]
    assert values(read_one(content), "loss") == [0.5, 0.25]


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


def test_a_table_with_a_line_of_progress_in_it_is_one() -> None:
    run = read_one("epoch,loss\n0,0.5\nEpoch 2/2\n1,0.25\n")
    assert values(run, "loss") == [0.5, 0.25]
    assert run.notes == ("lines of text were left out: line 3",)


def test_a_conflict_in_a_table_of_spaces_is_found_too() -> None:
    rows = "".join(f"{epoch} 0.5\n" for epoch in range(100))
    said = refusal(f"epoch loss\n{rows}<<<<<<< HEAD\n100 1\n")
    assert "line 102: git could not merge" in said


def test_a_conflict_far_below_the_header_is_found_too() -> None:
    rows = "".join(f"{epoch},0.5\n" for epoch in range(100))
    said = refusal(f"epoch,loss\n{rows}<<<<<<< HEAD\n100,1\n", errors="skip")
    assert "line 102: git could not merge" in said


def test_an_empty_file_is_empty_also_if_damage_is_skipped() -> None:
    assert "the file is empty" in refusal("", errors="skip")


def test_numbers_in_place_of_names_are_named_where_they_stand() -> None:
    assert "line 3: here stand numbers" in refusal("# a\n\n0,0.5\n1,0.25\n")
    # with the time of each row in front
    timed = "2026-01-01 10:00:00,0,0.5\n2026-01-01 10:01:00,1,0.25\n"
    assert "line 1: here stand numbers" in refusal(timed)


@pytest.mark.parametrize(
    "word", ["None", "null", "N/A", "n/a", "#N/A", "<NA>", "-", "NULL"]
)
def test_a_word_for_nothing_is_missing_and_noted(word: str) -> None:
    run = read_one(f"epoch,loss,val_loss\n0,0.5,{word}\n1,0.25,0.75\n")
    assert values(run, "val_loss") == [None, 0.75]
    assert run.notes[0].startswith(f"an empty cell, NA or {word} was read as missing")


def test_a_column_of_nothing_but_words_for_it_is_left_out() -> None:
    run = read_one("epoch,loss,val_loss\n0,0.5,None\n")
    assert run.notes == ("left out val_loss: no cell has a value",)


@pytest.mark.parametrize(
    "cell",
    [
        "tensor(0.5)",
        "tensor(0.5000, device='cuda:0', grad_fn=<NllLossBackward0>)",
        "<tf.Tensor: shape=(), dtype=float32, numpy=0.5>",
        "<tf.Variable 'loss:0' shape=() dtype=float32, numpy=0.5>",
        "np.float32(0.5)",
    ],
)
def test_the_number_in_a_printed_tensor_is_read_and_noted(cell: str) -> None:
    run = read_one(f'epoch,loss\n0,0.75\n1,"{cell}"\n')
    assert values(run, "loss") == [0.75, 0.5]
    assert run.notes == (f"the number in cells such as {cell[:40]} was taken",)


@pytest.mark.parametrize(
    "cell", ["tensor([0.5, 0.25])", "tensor(0.5", "tensor()", "float(0.5)", "45%"]
)
def test_what_holds_no_single_number_is_none(cell: str) -> None:
    said = refusal(f'epoch,loss\n0,0.75\n1,"{cell}"\n')
    assert "line 3" in said
    assert "under loss is not a number" in said


def test_decimal_commas_are_read_between_tabs_and_text_beside_them_may_hold_any() -> (
    None
):
    run = read_one("epoch\tloss\tnote\n0\t0,5\tup, down\n1\t0,25\tv. good\n")
    assert values(run, "loss") == [0.5, 0.25]
    assert run.notes[0] == "decimal commas were read as such: a tab separates the cells"


def test_text_with_commas_and_points_makes_no_decimal_commas() -> None:
    run = read_one("epoch;loss;note\n0;0.5;up, down\n1;0.25;v. good\n")
    assert values(run, "loss") == [0.5, 0.25]


@pytest.mark.parametrize(
    "name", ["Epoch #", "epoch_no", "epoch_number", "EpochIdx", "Ep."]
)
def test_an_epoch_by_another_name_is_the_epoch_and_noted(name: str) -> None:
    run = read_one(f"{name},loss\n3,0.5\n5,0.25\n")
    assert (run.first_epoch, values(run, "loss")) == (3, [0.5, None, 0.25])
    assert run.notes[0] == f"{name} was taken as the epoch"


@pytest.mark.parametrize("name", ["n_epochs", "num_epochs", "epoch_count"])
def test_a_plan_in_every_row_is_no_epoch(name: str) -> None:
    run = read_one(f"{name},loss,val_loss\n100,0.5,1\n100,0.25,2\n")
    assert (run.first_epoch, values(run, "loss")) == (0, [0.5, 0.25])


def test_an_index_of_something_else_is_no_epoch() -> None:
    run = read_one("index,loss,val_loss\n32,0.5,1\n64,0.25,2\n")
    assert (run.first_epoch, values(run, "loss")) == (0, [0.5, 0.25])


@pytest.mark.parametrize("name", ["Unnamed: 0", "index"])
def test_an_index_that_pandas_named_is_the_epoch_where_there_is_none(name: str) -> None:
    run = read_one(f"{name},loss,val_loss\n0,0.5,1\n1,0.25,2\n")
    assert (run.first_epoch, list(run.series)) == (0, ["loss", "val_loss"])
    assert run.notes[0] == f"there is no epoch column: {name} was taken as it"


@pytest.mark.parametrize("name", ["LR", "Learning Rate", "learning-rate"])
def test_a_rate_by_another_spelling_is_the_rate_and_noted(name: str) -> None:
    run = read_one(f"epoch,loss,{name}\n0,0.5,0.125\n1,0.25,0.125\n")
    assert run.learning_rate is not None
    assert run.learning_rate.values.tolist() == [0.125, 0.125]
    assert run.notes == (f"{name} was taken as the learning rate",)


@pytest.mark.parametrize(
    "rows",
    [
        "3,0.1\n2,0.2\n1,0.3\n0,0.4\n",
        "2,0.2\n0,0.4\n3,0.1\n1,0.3\n",
    ],
)
def test_rows_that_somebody_sorted_otherwise_are_one_training(rows: str) -> None:
    run = read_one(f"epoch,loss\n{rows}")
    assert (run.first_epoch, values(run, "loss")) == (0, [0.4, 0.3, 0.2, 0.1])
    assert "were sorted" in run.notes[0]


def test_rows_sorted_as_text_are_one_training() -> None:
    rows = "".join(f"{epoch},{epoch / 16}\n" for epoch in sorted(range(12), key=str))
    run = read_one(f"epoch,loss\n{rows}")
    assert values(run, "loss") == [epoch / 16 for epoch in range(12)]


@pytest.mark.parametrize(
    "epochs",
    [
        # a restart repeats an epoch, or begins where no gap is
        (0, 1, 2, 1, 2, 3),
        (5, 6, 7, 2, 3, 4),
        # a gap that is not filled
        (0, 1, 5, 2, 3),
        (1, 0),
    ],
)
def test_restarts_are_not_sorted_away(epochs: tuple[int, ...]) -> None:
    rows = "".join(f"{epoch},0.5\n" for epoch in epochs)
    assert len(read(f"epoch,loss\n{rows}")) == 2


def test_one_list_in_a_column_of_numbers_damages_its_row_only() -> None:
    content = 'epoch,loss\n0,0.5\n1,"[1, 2]"\n2,0.25\n'
    assert "line 3: '[1, 2]' under loss is not a number" in refusal(content)
    run = read_one(content, errors="skip")
    assert values(run, "loss") == [0.5, None, 0.25]


def test_a_column_without_a_name_is_called_by_its_number() -> None:
    run = read_one("epoch,loss,,\n0,0.5,7,\n1,0.25,8,\n")
    assert run.notes == (
        "left out column 3: it has no name",
        "left out column 4: it has no name and no value",
    )


def test_a_table_of_markdown_is_read() -> None:
    run = read_one("| epoch | loss |\n|------:|:----|\n| 0 | 0.5 |\n| 1 | 0.25 |\n")
    assert (run.first_epoch, values(run, "loss")) == (0, [0.5, 0.25])


def test_a_workbook_of_excel_is_called_so() -> None:
    with pytest.raises(LogError, match="a zip archive"):
        read("PK\x03\x04\x14\0\x06\0")


STEPS = "iteration,loss,val_loss\n10,0.9,\n20,0.8,0.75\n30,0.7,\n40,0.6,0.5\n"


def test_rows_by_steps_are_counted_as_the_user_says() -> None:
    plain = read_one(STEPS)
    assert "counts them by iteration" in plain.notes[0]
    assert plain.steps is None
    counted = read_one(STEPS, x_axis="step")
    assert values(counted, "val_loss") == [0.75, 0.5]
    assert counted.steps is not None
    assert counted.steps.tolist() == [20, 40]
    given = read_one(STEPS, x_axis="epoch")
    # 10, 20, 30, 40 count from 1: the tenth is epoch 9
    assert (given.first_epoch, given.horizon) == (9, 39)


def test_rows_that_name_their_epoch_need_no_axis() -> None:
    run = read_one("epoch,loss\n0,0.5\n", x_axis="step")
    assert run.steps is None
    assert run.notes == (
        "its rows are epochs, by their column: the x-axis need not be said",
    )


@pytest.mark.parametrize(
    "epochs", [(0, 1, 0, 2, 1, 3, 2, 4, 3, 4), (0, 0, 1, 1, 2, 2, 3, 3, 4, 4)]
)
def test_two_writers_that_take_turns_leave_two_values(epochs: tuple[int, ...]) -> None:
    # the first writes .0, .1, .2, .3, .4 for its epochs, the second 1, 1.1, 1.2, ...
    met: set[int] = set()
    rows = ""
    for epoch in epochs:
        rows += f"{epoch},{epoch / 10 + (epoch in met)}\n"
        met.add(epoch)
    run = read_one(f"epoch,loss\n{rows}")
    assert values(run, "loss") == [1.0, 1.1, 1.2, 1.3, 1.4]
    assert run.series["loss"].others == {at: (at / 10,) for at in range(5)}


def test_many_writers_that_take_turns_are_refused() -> None:
    rows = "".join(f"{epoch},0.5\n" for epoch in (0, 1, 0, 2, 0, 1, 3, 2, 1, 3, 2, 3))
    said = refusal(f"epoch,loss\n{rows}")
    assert "line 4: epoch 0 has several rows" in said
    assert "several workers wrote the same file" in said


@pytest.mark.parametrize(
    ("epochs", "n_trainings"),
    [
        ((0, 1, 2, 0, 1, 0, 1, 0, 1), 4),
        # resumed again and again from epoch 1
        ((0, 1, 2, 1, 2, 1, 2, 1, 2, 3), 4),
    ],
)
def test_many_restarts_are_no_two_writers(
    epochs: tuple[int, ...], n_trainings: int
) -> None:
    rows = "".join(f"{epoch},0.5\n" for epoch in epochs)
    assert len(read(f"epoch,loss\n{rows}")) == n_trainings


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "epoch,variable,mean,std\n0,loss,0.9,0.1\n0,acc,0.8,0.1\n",
            "line 3: its rows are of several kinds: variable is 'loss' and 'acc'",
        ),
        (
            "epoch,subset,loss\n0,small,0.9\n0,large,0.8\n",
            "line 3: its rows are of several kinds: subset is 'small' and 'large'",
        ),
    ],
)
def test_rows_of_several_kinds_are_no_trainings(content: str, said: str) -> None:
    assert said in refusal(content)


def test_rows_of_several_models_are_trainings() -> None:
    runs = read("model,epoch,loss\na,0,0.9\na,1,0.8\nb,0,0.7\nb,1,0.6\n")
    assert [values(run, "loss") for run in runs] == [[0.9, 0.8], [0.7, 0.6]]
    assert runs[0].notes[0] == "left out model: no cell is a number"


SPELLED = [0.9, 0.7, 0.8]


def test_percent_is_read_where_every_cell_has_it() -> None:
    rows = [f"{at},{loss},{85.5 - at} %" for at, loss in enumerate(SPELLED)]
    run = read_one("\n".join(["epoch,val_loss,val_acc", *rows, ""]))
    assert values(run, "val_acc") == [85.5, 84.5, 83.5]
    assert "val_acc is written in percent: 85.5 % was read as 85.5" in run.notes


@pytest.mark.parametrize(
    "cell", ['"10,000.50"', '"10.000,5"', "1'234.5", "1 234.5", "1.234.567"]
)
def test_thousands_set_apart_are_named(cell: str) -> None:
    said = refusal(f"epoch,loss\n0,0.5\n1,{cell}\n")
    assert f"line 3: {cell.strip(chr(34))!r} under loss is not a plain number" in said
    assert "If thousands are set apart" in said


def test_a_column_of_thousands_beside_metrics_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        'epoch,loss,seen,host\n0,0.5,"1,024,000",192.168.100\n'
        '1,0.25,"2,048,000",192.168.100\n'
    )
    (run,) = load_runs(path)
    assert run.series["loss"].values.tolist() == [0.5, 0.25]
    assert set(run.series) == {"loss"}
    notes = " ".join(run.notes)
    assert "left out seen: no cell is a plain number (1,024,000)" in notes
    assert "left out host: no cell is a plain number (192.168.100)" in notes


@pytest.mark.parametrize(
    "images",
    [
        ("1,024", "2,048"),
        # thousands from the second epoch on, or twice
        ("512", "1,024"),
        ("512,000", "1,024,000"),
    ],
)
def test_thousands_beside_decimal_points_cost_their_column_alone(
    images: tuple[str, str],
) -> None:
    rows = "".join(f'{at},0.5,"{own}"\n' for at, own in enumerate(images))
    (run,) = read(f"epoch,loss,images\n{rows}")
    assert set(run.series) == {"loss"}
    assert "left out images: not every cell is a plain number" in " ".join(run.notes)


@pytest.mark.parametrize(
    "rows",
    [
        # in the only metric, in a column with a point of its own, a decimal comma
        '0,"1,024",0.01\n1,"1,000",0.01\n',
        '0,"1,024",0.01\n1,0.5,0.01\n',
        '0,"0,512",0.01\n1,"0,500",0.01\n',
    ],
)
def test_commas_beside_points_that_may_be_the_loss_are_refused(rows: str) -> None:
    assert "decimal commas stand beside decimal points" in refusal(
        f"epoch,loss,lr\n{rows}"
    )


def test_thousands_in_every_cell_of_the_only_metric_are_named() -> None:
    said = refusal("epoch,loss\n0,1 234.5\n1,1 034.5\n")
    assert "line 2: '1 234.5' under loss is not a plain number" in said


def test_an_address_is_not_said_to_have_thousands() -> None:
    said = refusal("epoch,loss,host\n0,low,192.168.100\n1,high,192.168.100\n")
    assert "'192.168.100' under host is not a plain number" in said
    assert "has its thousands" not in said


def test_percent_beside_plain_numbers_is_not_certain() -> None:
    rows = "0,0.9,85%\n1,0.7,0.86\n2,0.8,87%\n"
    assert "85%" in refusal(f"epoch,val_loss,val_acc\n{rows}")


@pytest.mark.parametrize("form", ["{}/50", "[{}/50]", "Epoch {} of 50"])
def test_an_epoch_is_read_beside_its_plan(form: str) -> None:
    rows = [f"{form.format(at + 1)},{loss}" for at, loss in enumerate(SPELLED)]
    run = read_one("\n".join(["epoch,val_loss", *rows, ""]))
    assert (run.first_epoch, run.n_epochs, run.planned_epochs) == (0, 3, 50)
    assert values(run, "val_loss") == SPELLED


def test_two_plans_are_none() -> None:
    told = refusal("epoch,val_loss\n1/50,0.9\n2/60,0.8\n")
    assert "'1/50' is not a whole number" in told


def test_a_log_of_keras_without_validation_says_how_that_comes() -> None:
    run = read_one("epoch,loss\n0,0.9\n1,0.7\n")
    with pytest.raises(UnknownMonitorError, match="under validation_freq above 1"):
        run.monitored("val_loss")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            "fold,loss,val_loss\n1,.2,.3\n2,.1,.2\n3,.2,.4\n",
            "no epochs: fold is 1 and 2",
        ),
        ("trial,lr,val_loss\n0,.1,.3\n1,.01,.2\n", "no epochs: trial is 0 and 1"),
        ("lr,batch_size,val_loss\n.1,32,.3\n.01,64,.2\n.1,32,.4\n", "batch_size is 32"),
        (
            "seed,val_loss\n1,.3\n1,.2\n1,.4\n2,.3\n2,.2\n2,.4\n",
            "rows are of several trainings: seed is 1 and 2",
        ),
    ],
)
def test_rows_of_what_no_training_changes_are_no_epochs(
    content: str, problem: str
) -> None:
    with pytest.raises(LogError, match=problem):
        read(content)


def test_a_fold_that_stands_in_every_row_is_of_one_training() -> None:
    run = read_one("fold,loss,val_loss\n1,.2,.3\n1,.1,.2\n1,.2,.4\n")
    assert values(run, "val_loss") == [0.3, 0.2, 0.4]


def test_one_epoch_that_stands_twice_is_a_resumed_fit_if_parts_are_joined() -> None:
    text = "epoch,loss\n0,.9\n1,.8\n2,.7\n2,.75\n3,.6\n"
    (run,) = read(text)
    assert run.series["loss"].others == {2: (0.7,)}
    assert not run.seams
    (run,) = read(text, parts="join")
    assert run.series["loss"].values.tolist() == [0.9, 0.8, 0.75, 0.6]
    assert not run.series["loss"].others
    assert run.seams == (2,)


def test_an_epoch_of_two_values_each_is_no_resumed_fit_if_parts_are_joined() -> None:
    text = "epoch,loss\n0,.9\n0,.8\n1,.7\n1,.75\n2,.6\n2,.5\n"
    (run,) = read(text, parts="join")
    assert run.series["loss"].others == {0: (0.9,), 1: (0.7,), 2: (0.6,)}
    assert not run.seams
