"""A law: each form for people has every sentence, and a page every row of a table."""

from __future__ import annotations

import html
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest

import cbreplay.report
from cbreplay.cli import written
from cbreplay.document import Gallery, Notice, Paragraph, Points, Table, plain_text
from cbreplay.document.tables import spoken_cells
from cbreplay.writers.as_html import write_html
from cbreplay.writers.as_markdown import write_markdown
from cbreplay.writers.as_notebook import write_notebook
from cbreplay.writers.as_text import write_text
from tests.conftest import ROOT
from tests.golden.test_answers import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cbreplay.document import Document
    from tests.conftest import Ask

ASKED = {
    **{name: typed for name, typed in COMMANDS.items() if "json" not in name},
    "simulate-one": "simulate sample_logs/overfit.csv --patience 3",
    "simulate-checkpoint": (
        "simulate sample_logs/overfit.csv -c 'ModelCheckpoint(\"m.keras\")'"
    ),
    "versus": (
        "simulate sample_logs/digits-mlp -c 'EarlyStopping(patience=2)' "
        "--versus 'EarlyStopping(patience=5)'"
    ),
    "inspect-one": "inspect sample_logs/diabetes-nan -v",
}


# pages, whose documents go to a file alone
REPORTS = {
    "report-one": "report sample_logs/overfit.csv",
    "report-setting": "report sample_logs/digits-mlp-both --patience 3",
    "report-stopped-seed": "report sample_logs/diabetes-nan --patience 30",
    "report-settings": "report sample_logs/digits-mlp --patience 2,9",
    "report-advice": "report sample_logs/digits-mlp",
    "report-setting-on-many": "report sample_logs/digits-mlp --patience 4",
}
WIDTHS = (40, 80, 200)


def letters(text: str) -> str:
    """Return a text without what a form adds: line ends, spaces and signs of escape."""
    return re.sub(r"[\s`\\\\*|]|#+ ", "", text)


def told(document: Document, left_out: tuple[str, ...]) -> Iterator[str]:
    """Yield every sentence that stands outside of tables; footnotes go with columns."""
    yield from map(plain_text, (document.headline, document.lead))
    for section in document.sections:
        # the legend of small pictures goes where these go
        has_pictures = any(isinstance(block, Gallery) for block in section.blocks)
        if section.on in left_out or has_pictures:
            continue
        for block in section.blocks:
            if isinstance(block, Paragraph):
                yield plain_text(block.text)
            elif isinstance(block, Notice | Points):
                # a footnote goes with its column
                is_footnote = isinstance(block, Points) and block.columns
                yield from map(plain_text, () if is_footnote else block.points)


def rows_of(document: Document) -> Iterator[str]:
    """Yield every row of every table, its cells in the words that people read."""
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                yield from map("".join, spoken_cells(block.for_people()))


def lacking(said: Iterable[str], text: str) -> list[str]:
    """Return what a form does not say."""
    shown = letters(text)
    return [words for words in said if letters(words) not in shown]


def without_tags(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page))


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ASKED)
def test_every_form_for_people_says_every_sentence(
    ask: Ask, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    seen: list[Any] = []
    write_answer = written._written

    def kept(document: Document, output: Any) -> str:
        seen.append(document)
        return write_answer(document, output)

    monkeypatch.setattr(written, "_written", kept)
    ask(*shlex.split(ASKED[name]))
    document = seen[0]
    # on a screen options are spelled as they are typed
    spelled = written._spelled(document)
    on_screen = [*told(spelled, ("page", "asked"))]
    assert lacking(on_screen, write_markdown(spelled, left_out=("page", "asked"))) == []
    for width in WIDTHS:
        assert lacking(on_screen, write_text(spelled, width=width)) == []
    for write in (write_html, write_notebook):
        assert lacking(told(document, ()), without_tags(write(document))) == []
    assert lacking(rows_of(document), write_markdown(document)) == []
    assert lacking(rows_of(document), without_tags(write_html(document))) == []


@pytest.mark.no_cover
@pytest.mark.parametrize("name", REPORTS)
def test_a_page_says_the_same_in_both_forms_and_as_text(
    ask: Ask, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    seen: list[Any] = []

    def kept(document: Document, path: Path) -> Path:
        seen.append(document)
        return path

    monkeypatch.setattr(cbreplay.report, "write_report", kept)
    assert ask(*shlex.split(REPORTS[name]), "-o", tmp_path / "page.md").status == 0
    (document,) = seen
    said = [*told(document, ())]
    for page in (write_markdown(document), without_tags(write_html(document))):
        assert lacking([*said, *rows_of(document)], page) == []
    on_screen = [*told(document, ("page", "asked"))]
    for width in WIDTHS:
        assert lacking(on_screen, write_text(document, width=width)) == []
