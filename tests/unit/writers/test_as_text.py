"""Text for a terminal: nothing is broken inside, whatever the width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cbreplay.document import (
    Cell,
    Command,
    Document,
    Fact,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
    TableColumn,
    Trend,
    plain_text,
    say,
)
from cbreplay.writers.as_csv import write_csv
from cbreplay.writers.as_markdown import write_markdown
from cbreplay.writers.as_text import write_text
from tests.facts import facts_of

COLUMNS = (
    TableColumn("patience", "patience", "patience", shown="people"),
    TableColumn("first_patience", "", "patience", shown="programs"),
    TableColumn("stopped_epoch", "stops at", "epoch"),
    TableColumn("kept_value", "val_loss", "value"),
    TableColumn("regret", "above best", "difference", fold=1),
    TableColumn("val_accuracy", "val_accuracy", "value", fold=2),
    TableColumn("epochs_saved", "saved", "count"),
)
ROWS = (
    Row((Span(4, 6), 4, Span(23, 25), 0.1269, Cell(0.0051), 0.9677, 76)),
    Row((Span(7, 71), 7, Span(35, 99), 0.1217, 0.0, 0.9644, Cell(64, "upper"))),
    Row((Span(72, None), 72, None, None, None, None, None), say("not in the log")),
)
TABLE = Table(COLUMNS, ROWS, "What every patience does", is_answer=True)
DOCUMENT = Document(
    "simulate",
    say("Patience ", Fact(7, "patience", "patience"), " was enough"),
    say("overfit.csv: 100 epochs"),
    (
        Section(
            "Steps",
            (
                Trend("val_loss", [3.0, 1.0, 2.0], say("best 1 at epoch 2")),
                TABLE,
                Paragraph(say("One run describes itself.")),
            ),
            untitled=True,
        ),
    ),
    (
        Command("Why", "cbreplay explain overfit.csv"),
        Command("A page", "cbreplay report"),
    ),
)


def test_a_wide_terminal_has_every_column() -> None:
    assert write_text(DOCUMENT, width=80) == (
        "Patience 7 was enough\n\noverfit.csv: 100 epochs\n\n"
        "val_loss  █▁▅  best 1 at epoch 2\n\n"
        " patience    stops at  val_loss  above best  val_accuracy  saved\n"
        " 4-6            24-26    0.1269      0.0051        0.9677     76\n"
        " 7-71          36-100    0.1217           0        0.9644  <= 64\n"
        " 72 or more  not in the log\n\n"
        " One run describes itself.\n\n"
        " Why:    cbreplay explain overfit.csv\n"
        " A page: cbreplay report"
    )


def test_columns_fold_away_by_their_weight_and_are_named() -> None:
    lines = write_text(DOCUMENT, width=55).splitlines()
    assert " patience    stops at  val_loss  above best  saved" in lines
    assert " (columns left out: val_accuracy; --format csv has all)" in lines


def test_where_nothing_more_folds_rows_become_records() -> None:
    text = write_text(DOCUMENT, width=24)
    record = (
        " patience 4-6\n   stops at 24-26\n   val_loss 0.1269\n"
        "   above best 0.0051\n   val_accuracy 0.9677\n   saved 76\n"
    )
    assert record in text


@given(
    width=st.integers(20, 200),
    value=st.floats(allow_nan=False),
    epoch=st.integers(0, 9999),
)
def test_no_cell_is_broken_at_any_width(width: int, value: float, epoch: int) -> None:
    row = Row((Span(4, 6), 4, epoch, value, value, value, epoch))
    table = Table(COLUMNS, (row,), "caption")
    document = DOCUMENT._replace(sections=(Section("", (table,), untitled=True),))
    words = write_text(document, width=width).split()
    assert str(epoch + 1) in words
    assert all(word in words for word in ("4-6", str(epoch)))


def test_programs_count_from_zero_and_read_every_digit() -> None:
    assert write_csv(DOCUMENT).splitlines() == [
        "first_patience,stopped_epoch,kept_value,regret,val_accuracy,epochs_saved",
        "4,23-,0.1269,0.0051,0.9677,76",
        "7,35-,0.1217,0.0,0.9644,64",
        "72,,,,,",
    ]


def test_no_text_of_a_log_acts_in_a_spreadsheet_or_a_terminal() -> None:
    columns = (TableColumn("run", "run", "name"), TableColumn("n", "n", "number"))
    rows = (Row(("=cmd()", -1.5)), Row(("a\x1b[31m", 2)))
    table = Table(columns, rows, "", is_answer=True)
    document = DOCUMENT._replace(sections=(Section("", (table,)),))
    assert write_csv(document) == "run,n\n'=cmd(),-1.5\na\\x1b[31m,2\n"
    assert "\x1b" not in write_text(document)
    assert "\x1b" not in write_markdown(document)


def test_a_number_in_a_sentence_is_found_as_it_is() -> None:
    sentence = say(
        "stops at ", Fact(35, "epoch", "stopped_epoch"), ", saves ", Fact(64, "count")
    )
    assert plain_text(sentence) == "stops at 36, saves 64"
    assert facts_of(sentence) == {"stopped_epoch": 35}


def test_a_long_command_goes_on_in_the_next_line_as_a_shell_reads_it() -> None:
    line = "cbreplay explain runs/a -c 'EarlyStopping(patience=3, min_delta=0.5)' -v"
    document = DOCUMENT._replace(next=(Command("Why", line),))
    lines = write_text(document, width=50, folds_commands=True).split("\n\n")[-1]
    assert lines.splitlines() == [
        " Why: cbreplay explain runs/a -c \\",
        "    'EarlyStopping(patience=3, min_delta=0.5)' \\",
        "    -v",
    ]
    assert f" Why: {line}" in write_text(document, width=50)
