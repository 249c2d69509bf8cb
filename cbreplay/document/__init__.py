"""An answer as one document, from which every form of it is written.

``answers/`` builds a document for each question, and ``writers/`` turns any document
into one form. No text here is cut, aligned or escaped for a form: a table holds values
and the kind of each column, and a number in a sentence is a `Fact`, so that every form,
and every test, finds the value itself.
"""

from __future__ import annotations

from cbreplay.document.blocks import (
    Block,
    CodeBlock,
    Command,
    Deferred,
    Document,
    Figure,
    Gallery,
    Moving,
    Notice,
    Paragraph,
    Points,
    Section,
    Trend,
    footnotes,
)
from cbreplay.document.sentences import (
    Code,
    Fact,
    Part,
    Strong,
    Text,
    counted,
    joined,
    phrase,
    plain_text,
    say,
)
from cbreplay.document.tables import (
    EVERY_ROW,
    Cell,
    ColumnRows,
    MadeColumn,
    Pair,
    Row,
    Span,
    Table,
    TableColumn,
    keyed_row,
    spoken_cells,
)
from cbreplay.wording.claims import Claim

__all__ = [
    "EVERY_ROW",
    "Block",
    "Cell",
    "Claim",
    "Code",
    "CodeBlock",
    "ColumnRows",
    "Command",
    "Deferred",
    "Document",
    "Fact",
    "Figure",
    "Gallery",
    "MadeColumn",
    "Moving",
    "Notice",
    "Pair",
    "Paragraph",
    "Part",
    "Points",
    "Row",
    "Section",
    "Span",
    "Strong",
    "Table",
    "TableColumn",
    "Text",
    "Trend",
    "counted",
    "footnotes",
    "joined",
    "keyed_row",
    "phrase",
    "plain_text",
    "say",
    "spoken_cells",
]
