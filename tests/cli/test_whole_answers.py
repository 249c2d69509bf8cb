"""A law: each form for people has every sentence of the headline and the doubts."""

from __future__ import annotations

import html
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay.cli import written
from cbreplay.document import Notice, plain_text
from cbreplay.errors import as_options
from cbreplay.writers.as_html import write_html
from cbreplay.writers.as_notebook import write_notebook
from tests.conftest import ROOT
from tests.golden.test_answers import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def letters(text: str) -> str:
    """Return a text without what a form adds: line ends, spaces and signs of escape."""
    return re.sub(r"[\s`\\\\*]|#+ ", "", text)


def told(document: Document, left_out: tuple[str, ...]) -> Iterator[str]:
    yield plain_text(document.headline)
    for section in document.sections:
        if section.on not in left_out:
            for block in section.blocks:
                if isinstance(block, Notice):
                    yield from map(plain_text, block.points)


@pytest.mark.parametrize("name", ASKED)
def test_every_form_for_people_has_the_headline_and_the_doubts(
    ask: Ask, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    seen: list[Any] = []
    write_answer = written._written

    def kept(document: Document, output: Any) -> str:
        seen.append(document)
        return write_answer(document, output)

    monkeypatch.setattr(written, "_written", kept)
    typed = shlex.split(ASKED[name])
    shown = [ask(*typed, "--format", form).out for form in ("table", "markdown")]
    document = seen[0]
    on_screen = [as_options(words) for words in told(document, ("page", "asked"))]
    for text in shown:
        assert [
            words for words in on_screen if letters(words) not in letters(text)
        ] == []
    for write in (write_html, write_notebook):
        page = html.unescape(re.sub(r"<[^>]*>", "", write(document)))
        on_page = [*told(document, ())]
        assert [words for words in on_page if letters(words) not in letters(page)] == []
