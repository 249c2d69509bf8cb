"""Any text goes through every writer whole and inert, whatever stands in it."""

from __future__ import annotations

import ast
import csv
import io
import subprocess

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cbreplay import EarlyStopping
from cbreplay.answers.setting_code import setting_code
from cbreplay.document import (
    Document,
    Paragraph,
    Points,
    Row,
    Section,
    Table,
    TableColumn,
    say,
)
from cbreplay.wording.plain_text import shell_words
from cbreplay.wording.words import visible_text
from cbreplay.writers.as_csv import table_as_csv
from cbreplay.writers.as_html import write_html
from cbreplay.writers.as_markdown import table_as_markdown, write_markdown
from cbreplay.writers.as_text import write_text
from tests.contracts.test_harmless_text import (
    HARMLESS,
    NAMES,
    TAGS,
    Page,
    inline,
    parsed,
    spoken,
)

SIGNS = "=+-@\t\r\n|`*_~<>[](){}!#&;:/\\'\"$%^,.0123456789 aw\u202e\u200b\x1b\x9b\ufeff"
NAME = st.one_of(
    st.sampled_from(NAMES),
    st.text(SIGNS, min_size=1, max_size=12),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
)


def table_of(names: list[str]) -> Table:
    columns = (TableColumn("run", "run", "name"), TableColumn("n", "n", "count"))
    rows = tuple(Row((name, -number)) for number, name in enumerate(names))
    return Table(columns, rows, "Every run", is_answer=True)


@given(st.lists(NAME, min_size=1, max_size=5))
def test_csv_reads_back_what_it_shows(names: list[str]) -> None:
    text = table_as_csv(table_of(names))
    head, *rows = csv.reader(io.StringIO(text), strict=True)
    assert head == ["run", "n"]
    assert [int(number) for _, number in rows] == [-at for at in range(len(names))]
    for (cell, _), name in zip(rows, names, strict=True):
        shown = visible_text(name)
        assert cell in (shown, f"'{shown}")
        assert not cell.startswith(tuple("=+-@\t\r\n"))


@given(st.lists(NAME, min_size=1, max_size=5))
def test_a_cell_of_markdown_reads_back_what_it_shows(names: list[str]) -> None:
    tokens = parsed(table_as_markdown(table_of(names)))
    assert {token.type for token in tokens} <= HARMLESS
    cells = [token for token in tokens if token.type == "inline"]
    read = [spoken([*inline([cell])]) for cell in cells[2::2]]
    # a cell's own blanks at its ends are none of Markdown's
    assert read == [visible_text(name).strip() for name in names]


@given(NAME)
@example("    indented")
@example("__0__")
@example("a__0_b")
def test_a_sentence_of_markdown_is_one_paragraph(name: str) -> None:
    # in a headline that would end its first sentence, which alone is the heading
    assume(". " not in name)
    sections = (
        Section("S", (Paragraph(say(name, " is.")), Points((say(name, "!"),)))),
    )
    document = Document("q", say(name), say("of ", name), sections)
    markdown = write_markdown(document)
    tree = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    kinds = [token.type for token in tree if token.type.endswith("_open")]
    headings, point = ["heading_open"], ["bullet_list_open", "list_item_open"]
    paragraph = ["paragraph_open"]
    assert kinds == [
        *headings, *paragraph, *headings, *paragraph, *point, *paragraph,
    ]  # fmt: skip
    assert {token.type for token in inline(tree)} <= HARMLESS


@given(NAME, st.integers(40, 200))
def test_no_line_of_text_steers_a_terminal(name: str, width: int) -> None:
    section = Section(name, (Paragraph(say(name)), table_of([name, name])))
    text = write_text(Document("q", say(name), say(name), (section,)), width=width)
    assert all(sign.isprintable() or sign == "\n" for sign in text)


@settings(max_examples=30)
@given(NAME)
def test_a_page_holds_the_name_as_text(name: str) -> None:
    section = Section(name, (Paragraph(say(name)), table_of([name])))
    page = Page(write_html(Document("q", say(name), say(name), (section,))))
    assert page.tags <= TAGS
    assert not [key for key, _ in page.attributes if key.startswith("on")]
    assert page.words.count(visible_text(name)) >= 4


@given(NAME)
def test_code_to_paste_builds_what_it_names(name: str) -> None:
    (assigned,) = ast.parse(setting_code([EarlyStopping(monitor=name)])).body
    calls = [node for node in ast.walk(assigned) if isinstance(node, ast.Call)]
    (call,) = calls
    monitor = next(word for word in call.keywords if word.arg == "monitor")
    assert ast.literal_eval(monitor.value) == name


@settings(max_examples=20)
@given(st.lists(NAME.filter(lambda name: "\0" not in name), min_size=1, max_size=8))
def test_a_shell_takes_each_word_as_it_is(names: list[str]) -> None:
    line = f"printf '%s\\0' {shell_words(names)}"
    assert visible_text(line) == line
    done = subprocess.run(  # noqa: S603 - quoted words
        ["/bin/bash", "-c", line],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8"},
    )
    assert done.stdout.decode().split("\0")[:-1] == names
