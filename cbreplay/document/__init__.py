"""An answer as one document: what it says, once, for every form that is written of it.

An answer builds a document from its own values (``answers/``, one module a question),
and a writer turns any document into one form (``writers/``, one module a form). Nothing
here is text that was cut, aligned or escaped for a form: a table holds values and says
of what kind each column is, and a number in a sentence is a `Fact`, so that every form,
and every test, finds the value itself.
"""

from __future__ import annotations

from cbreplay.claims import Claim
from cbreplay.document.blocks import (
    Block,
    CodeBlock,
    Command,
    Deferred,
    Document,
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
    facts_of,
    plain_text,
    say,
)
from cbreplay.document.tables import (
    Cell,
    ColumnRows,
    MadeColumn,
    Pair,
    Row,
    Span,
    Table,
    TableColumn,
    spoken_cells,
)

__all__ = [
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
    "MadeColumn",
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
    "facts_of",
    "footnotes",
    "plain_text",
    "say",
    "spoken_cells",
]
