"""A document as HTML for a cell of a notebook.

It needs no style and no script: if a page strips them, headings, tables and lists
remain. The few styles inherit the page's colours, so it is legible on light and dark
pages.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from cbreplay.document import (
    Code,
    CodeBlock,
    Figure,
    Gallery,
    Notice,
    Paragraph,
    Points,
    Strong,
    Table,
    Trend,
    spoken_cells,
)
from cbreplay.wording.words import count, visible_text
from cbreplay.writers.lines import draw_sparkline
from cbreplay.writers.text_tables import choose_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Block, Document, Section, Text

__all__ = ["write_notebook"]

_MOST_ROWS = 60
_LINE = "1px solid rgba(128,128,128,.35)"
_CELL = f"padding:3px 14px 3px 0;border-bottom:{_LINE};vertical-align:top"
_MUTED = "opacity:.75;font-size:90%"
_CODE = "background:none;padding:0;font-family:monospace"
_INLINE_CODE = "background:none;padding:0"
_TREND = 60


def write_notebook(document: Document) -> str:
    """Return the answer as HTML for a cell of a notebook."""
    parts = [
        f'<p style="font-size:115%"><strong>{_text(document.headline)}</strong></p>',
        f'<p style="{_MUTED}">{_text(document.lead)}</p>',
    ]
    # sparklines only where there is no picture
    trends = not any(map(_is_picture, document.sections))
    for section in sorted(document.sections, key=_rank):
        blocks = _blocks(section, trends=trends or section.on == "asked")
        if not blocks:
            continue
        if section.on == "asked":
            summary = f"<summary>{_plain(section.title)}</summary>"
            parts.append(f"<details>{summary}{blocks}</details>")
            continue
        if section.title and not section.untitled:
            parts.append(f"<p><strong>{_plain(section.title)}</strong></p>")
        parts.append(blocks)
    body = "\n".join(part for part in parts if part)
    return f'<div class="cbreplay" style="max-width:960px">\n{body}\n</div>'


def _rank(section: Section) -> int:
    """Return a sort key: tables first, then pictures, doubts, and optional sections."""
    if section.on == "asked":
        return 3
    if any(isinstance(block, Notice) for block in section.blocks):
        return 2
    return int(_is_picture(section))


def _is_picture(section: Section) -> bool:
    return any(isinstance(block, Figure) for block in section.blocks)


def _blocks(section: Section, *, trends: bool = True) -> str:
    blocks = (
        block for block in section.blocks if trends or not isinstance(block, Trend)
    )
    return "\n".join(filter(None, map(_block, blocks)))


def _block(block: Block) -> str:
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, CodeBlock):
        lines = "\n".join(map(_plain, block.code.split("\n")))
        return f'<pre style="{_CODE}">{lines}</pre>'
    if isinstance(block, Trend):
        line = draw_sparkline(block.values, _TREND)
        caption = _text(block.caption)
        return f"<p><code>{_plain(block.label)}</code> {line} {caption}</p>"
    if isinstance(block, Figure):
        return _picture(block)
    if isinstance(block, Gallery):
        return "\n".join(map(_picture, block.figures))
    return _sentences(block)


def _sentences(block: Paragraph | Points | Notice) -> str:
    if isinstance(block, Paragraph):
        style = f' style="{_MUTED}"' if block.small else ""
        return f"<p{style}>{_text(block.text)}</p>"
    points = "".join(f"<li>{_text(point)}</li>" for point in block.points)
    return f"<ul>{points}</ul>" if points else ""


def _text(text: Text) -> str:
    return "".join([_plain(text.stamp), *_parts(text)])


def _parts(text: Text) -> Iterator[str]:
    for part in text.parts:
        if isinstance(part, Code):
            yield f'<code style="{_INLINE_CODE}">{_plain(part.text)}</code>'
        elif isinstance(part, Strong):
            yield f"<strong>{_plain(part.text)}</strong>"
        else:
            yield _plain(part if isinstance(part, str) else part.text)


def _plain(text: str) -> str:
    """Return text with HTML escaped and invisible characters written out."""
    return escape(visible_text(text))


def _table(table: Table) -> str:
    """Write a table; of a long one only the rows of the least rank."""
    table = table.for_people()
    rows, n_hidden = choose_rows(table.rows, min(_MOST_ROWS, table.most_on_screen))
    chosen = table._replace(rows=tuple(rows))
    sides = ["left", *(column.align for column in table.columns[1:])]
    head = _row("th", [column.title for column in table.columns], sides)
    body = "\n".join(
        _row("td", cells, sides, marked=row.marked)
        for row, cells in zip(rows, spoken_cells(chosen), strict=True)
    )
    more = f"{count(n_hidden, 'more row')}: .to_frame() has all" if n_hidden else ""
    note = f'<p style="{_MUTED}">{more}</p>' if more else ""
    caption = f'<caption style="display:none">{_plain(table.caption)}</caption>'
    style = 'style="border-collapse:collapse"'
    return (
        f"<table {style}>{caption}\n<thead>{head}</thead>\n<tbody>{body}</tbody>"
        f"</table>{note}"
    )


def _row(
    tag: str, cells: Sequence[str], sides: Sequence[str], *, marked: bool = False
) -> str:
    wide = ""
    if len(cells) < len(sides):
        # a sentence in place of the other cells
        wide, sides = f' colspan="{len(sides) - 1}"', [sides[0], "left"]
    written = []
    for place, (cell, side) in enumerate(zip(cells, sides, strict=True)):
        shown = f"<strong>{_plain(cell)}</strong>" if marked else _plain(cell)
        style = f"text-align:{side};{_CELL}"
        written.append(f'<{tag}{wide * (place > 0)} style="{style}">{shown}</{tag}>')
    return f"<tr>{''.join(written)}</tr>"


def _picture(figure: Figure) -> str:
    """Write a light picture; `picture_html` inverts it in a dark notebook."""
    from cbreplay.plots.in_notebook import picture_html
    from cbreplay.plots.picture import draw_points, figure_bytes
    from cbreplay.plots.style import LIGHT

    drawing = draw_points(figure.points(), look=LIGHT, small=figure.small)
    shown = picture_html(
        figure_bytes(drawing, "png"),
        width=270 if figure.small else 760,
        alternative=visible_text(figure.alternative),
    )
    return f'<p>{shown}</p><p style="{_MUTED}">{_plain(figure.words_below)}</p>'
