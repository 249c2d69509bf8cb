"""Tables with sentences: they wrap beside their row, or stand below it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cbreplay.document import (
    Cell,
    Document,
    Fact,
    Paragraph,
    Points,
    Row,
    Section,
    Table,
    TableColumn,
    Text,
    footnotes,
    say,
)
from cbreplay.writers.as_csv import table_as_csv
from cbreplay.writers.as_markdown import table_as_markdown
from cbreplay.writers.as_text import write_text
from cbreplay.writers.text_tables import table_lines

TRACE = Table(
    (
        TableColumn("epoch", "epoch", "epoch", once=True),
        TableColumn("callback", "callback", "name"),
        TableColumn("why", "why", "sentence"),
    ),
    (
        Row((8, "EarlyStopping", say("0.5 is below 0.6: improvement, wait 0 of 5"))),
        Row((9, "EarlyStopping", say("0.6 is not below 0.5; wait 1 of 5"))),
        Row((9, "ReduceLROnPlateau", say("0.6 is not below 0.5", stamp="fiction: "))),
    ),
    "The trace",
)
FINDINGS = Table(
    (
        TableColumn("severity", "severity", "name"),
        TableColumn("code", "finding", "name"),
        TableColumn("line", "line", "number"),
        TableColumn("message", "what", "sentence"),
        TableColumn("fix", "instead", "sentence"),
    ),
    (
        Row(("warning", "cooldown-of-one", 7, "cooldown 1 acts as 0", "cooldown=2")),
        Row(("remark", "negative-patience", None, "it acts as 1", "patience=1")),
    ),
    "Findings",
)


def test_a_sentence_at_the_end_wraps_under_its_own_beginning() -> None:
    assert table_lines(TRACE, 60).lines == [
        " epoch  callback           why",
        "     9  EarlyStopping      0.5 is below 0.6: improvement,",
        "                           wait 0 of 5",
        "    10  EarlyStopping      0.6 is not below 0.5; wait 1 of 5",
        "        ReduceLROnPlateau  fiction: 0.6 is not below 0.5",
    ]


def test_without_room_beside_its_row_a_sentence_stands_below_it() -> None:
    assert table_lines(TRACE, 40).lines == [
        " epoch 9  EarlyStopping",
        "   0.5 is below 0.6: improvement, wait 0",
        "   of 5",
        " epoch 10  EarlyStopping",
        "   0.6 is not below 0.5; wait 1 of 5",
        " epoch 10  ReduceLROnPlateau",
        "   fiction: 0.6 is not below 0.5",
    ]


def test_several_sentences_stand_below_their_row_with_their_titles() -> None:
    assert table_lines(FINDINGS, 80).lines == [
        " warning  cooldown-of-one  line 7",
        "   what     cooldown 1 acts as 0",
        "   instead  cooldown=2",
        "",
        " remark  negative-patience",
        "   what     it acts as 1",
        "   instead  patience=1",
    ]


def test_a_stamp_stands_on_every_line_of_its_sentence() -> None:
    fiction = say(*(f"word{number} " for number in range(30)), stamp="fiction: ")
    table = TRACE._replace(rows=(Row((0, "EarlyStopping", fiction)),))
    section = Section("", (Paragraph(fiction), Points((fiction,)), table))
    document = Document("explain", fiction, say(), (section,))
    for width in (40, 80):
        lines = write_text(document, width=width).splitlines()
        told = [line for line in lines if "word" in line]
        assert len(told) > 8
        assert all(line.count("fiction: ") == 1 for line in told)
    assert table_as_csv(table).count("fiction: ") == 1
    assert table_as_markdown(table).count("fiction: ") == 1


NAMES = st.text("abc /.-", min_size=1, max_size=30).map(lambda t: f"x{t}x")


@given(
    width=st.integers(40, 120),
    names=st.lists(NAMES, min_size=1, max_size=5),
    value=st.floats(allow_nan=False),
)
def test_no_name_and_no_number_in_a_sentence_is_broken(
    width: int, names: list[str], value: float
) -> None:
    parts: list[str | Fact] = ["there is "]
    for name in names:
        parts += [Fact(name, "name"), " with ", Fact(value, "number"), " and "]
    sentence = Text(tuple(parts))
    row = Row((1, "EarlyStopping", sentence))
    section = Section("", (Paragraph(sentence), TRACE._replace(rows=(row,))))
    text = write_text(Document("inspect", sentence, say(), (section,)), width=width)
    lines = text.splitlines()
    for part in parts:
        if isinstance(part, Fact):
            assert sum(part.text in line for line in lines) >= 3
    widest = max(len(part.text) for part in parts if isinstance(part, Fact))
    # a name that is longer than the line stays whole
    assert all(len(line) <= max(width, widest + 28) for line in lines)


def test_a_part_of_a_whole_and_a_row_for_programs() -> None:
    columns = (
        TableColumn("name", "name", "name"),
        TableColumn("n_groups", "groups", "count"),
    )
    rows = (
        Row(("chosen", Cell(6, of=7))),
        Row(("again", Cell(6, of=7)), shown="programs"),
    )
    table = Table(columns, rows, "Settings")
    assert table_lines(table, 80).lines == [" name    groups", " chosen  6 of 7"]
    assert "again" not in table_as_markdown(table)
    assert table_as_csv(table).splitlines() == ["name,n_groups", "chosen,6", "again,6"]


def test_a_footnote_goes_where_its_column_goes() -> None:
    columns = (
        TableColumn("name", "name", "name"),
        TableColumn("score", "a score", "number", fold=1),
        TableColumn("rest", "rest", "number"),
    )
    table = Table(columns, (Row(("the first one", 1.5, 2.5)),), "Two numbers")
    notes = footnotes(
        [("", say("of one run")), ("a score", say("a score: less is better"))]
    )
    section = Section("Numbers", (table, notes), untitled=True)
    document = Document("simulate", say("An answer."), say("A lead."), (section,))
    wide, narrow = (write_text(document, width=width) for width in (60, 24))
    assert "of one run" in wide
    assert "a score: less is better" in wide
    assert "(columns left out: a" in narrow
    assert "of one run" in narrow
    assert "less is better" not in narrow
