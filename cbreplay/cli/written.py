"""Print an answer on standard output, in the form of ``--format``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cbreplay.cli.progress import watch
from cbreplay.cli.remarks import is_quiet, is_verbose, noted
from cbreplay.cli.terminal import bars, emphasise, mark, terminal_width
from cbreplay.document import Deferred, Notice, Paragraph, Points
from cbreplay.errors import as_options

if TYPE_CHECKING:
    from cbreplay.cli.options import Format
    from cbreplay.document import Block, Document, Text

__all__ = ["print_document"]


def print_document(document: Document, output: Format) -> None:
    """Print an answer: text for people, a table, or JSON for programs."""
    if is_quiet():
        document = document._replace(next=())
    if output == "json":
        from cbreplay.writers.as_json import json_pieces

        for piece in json_pieces(document, noted()):
            sys.stdout.write(piece)
        click.echo()
        return
    with watch("writing the answer"):
        text = _written(document, output)
    click.echo(text)


def _written(document: Document, output: Format) -> str:
    """Return an answer in a form, without a line feed at its end."""
    if output == "csv":
        from cbreplay.writers.as_csv import write_csv

        return write_csv(document).removesuffix("\n")
    if output == "markdown":
        from cbreplay.writers.as_markdown import write_markdown

        # what a terminal shows
        left_out = ("page",) if is_verbose() else ("page", "asked")
        return write_markdown(_spelled(document), left_out=left_out).removesuffix("\n")
    from cbreplay.writers.as_text import write_text

    return write_text(
        _spelled(document),
        width=terminal_width(),
        bars=bars(),
        emphasis=emphasise,
        mark=mark,
        verbose=is_verbose(),
        folds_commands=sys.stdout.isatty(),
    )


def _spelled(document: Document) -> Document:
    """Name options as they are typed at a command line, without Python's arguments."""
    sections = [
        section._replace(blocks=tuple(map(_spelled_block, section.blocks)))
        for section in document.sections
    ]
    return document._replace(
        headline=_spelled_text(document.headline),
        lead=_spelled_text(document.lead),
        sections=tuple(sections),
    )


def _spelled_block(block: Block) -> Block:
    if isinstance(block, Paragraph):
        return block._replace(text=_spelled_text(block.text))
    if isinstance(block, Points | Notice):
        points = block.points
        return block._replace(points=Deferred(lambda: map(_spelled_text, points)))
    return block


def _spelled_text(text: Text) -> Text:
    parts = [as_options(part) if isinstance(part, str) else part for part in text.parts]
    return text._replace(parts=tuple(parts))
