"""No form writes a heading over nothing, whatever an answer puts there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from cbreplay.document import Document, Gallery, Notice, Paragraph, Points, Section, say
from cbreplay.writers.as_html import write_html
from cbreplay.writers.as_markdown import write_markdown
from cbreplay.writers.as_notebook import write_notebook
from cbreplay.writers.as_text import write_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from cbreplay.document import Block


@pytest.mark.parametrize("on", ["both", "asked"])
@pytest.mark.parametrize("blocks", [(), (Notice(()),), (Points(()), Gallery(()))])
@pytest.mark.parametrize("form", [write_html, write_markdown, write_notebook])
def test_a_section_without_content_has_no_heading(
    form: Callable[[Document], str],
    blocks: tuple[Block, ...],
    on: Literal["both", "asked"],
) -> None:
    full = (*blocks, Paragraph(say("a sentence")))
    told = Section("What there is", full, on=on)
    empty = Section("Before you trust it", blocks, on=on)
    written = form(Document("simulate", say("It is."), say("Of it."), (empty, told)))
    assert "What there is" in written
    assert "Before you trust it" not in written
    assert "<ul></ul>" not in written


def test_a_terminal_has_no_heading_over_nothing() -> None:
    empty = Section("Before you trust it", (Notice(()), Points(())))
    document = Document("simulate", say("It is."), say("Of it."), (empty,))
    assert write_text(document) == "It is.\n\nOf it."
