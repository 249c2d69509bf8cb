from __future__ import annotations

import base64
import hashlib
import html
import itertools
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import ConfigError, OutputError, Run
from cbreplay.document import (
    Code,
    Figure,
    Gallery,
    Paragraph,
    Row,
    Section,
    Strong,
    Table,
    TableColumn,
    plain_text,
    say,
    spoken_cells,
)
from cbreplay.report import Document, build_report, write_html, write_markdown
from cbreplay.report import write_report as write_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOSSES = [0.8, 0.6, 0.4, 0.5, 0.52, 0.49, 0.5, 0.51]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "{{ 7 * 7 }}",
    "a|b`c`[d](javascript:e)",
    "\x1b[31m\u202egnp.exe\u200b",
]


def page_of(*names: str) -> Document:
    logs = [{"val_loss": one, "val_<b>": one} for one in LOSSES]
    runs = [Run.from_logs(logs, name=name) for name in names]
    return build_report(runs, semantics="keras-3.15", command="cbreplay report '<i>'")


class Page(HTMLParser):
    """What a browser would make of a page: its tags, attributes and text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("n_runs", [1, 2])
def test_a_name_from_a_log_is_only_ever_text(name: str, n_runs: int) -> None:
    page = Page(write_html(page_of(*[name] * n_runs)))
    plain = Page(write_html(page_of(*["plain"] * n_runs)))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    attributes = {key for _, attrs in page.tags for key in attrs}
    assert not [one for one in attributes if one.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u200b]", page.text)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_cannot_leave_its_cell_in_markdown(name: str) -> None:
    text = write_markdown(page_of(name))
    outside_code = re.sub(r"```.*?```|`+[^`\n]+`+", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)[<>]", outside_code)
    assert "\x1b" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for previous, row in itertools.pairwise(rows):
        if ":---" in row:
            assert len(cells(previous)) == len(cells(row))


def cells(row: str) -> list[str]:
    return re.split(r"(?<!\\)\|", row)


def test_the_page_needs_nothing_and_allows_nothing() -> None:
    source = write_html(page_of("seed0", "seed1"))
    page = Page(source)
    policies = [
        attrs["content"]
        for tag, attrs in page.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    digest = hashlib.sha256(script_of(source).encode()).digest()
    allowed = f"'sha256-{base64.b64encode(digest).decode()}'"
    styles = "style-src 'unsafe-inline'; img-src data:"
    assert policies == [f"default-src 'none'; {styles}; script-src {allowed}"]
    # one that is run, and the data that it reads
    kinds = [attrs.get("type") for tag, attrs in page.tags if tag == "script"]
    assert kinds == ["application/json", None]
    assert not {"link", "iframe", "object"} & {tag for tag, _ in page.tags}
    addresses = [
        attrs.get("src") or attrs.get("srcset")
        for tag, attrs in page.tags
        if tag in {"img", "source"}
    ]
    assert addresses
    assert all(one is not None and one.startswith("data:image/") for one in addresses)


def script_of(source: str) -> str:
    """Return what a browser takes for the script of a page."""
    return source.partition("<script>")[2].partition("</script>")[0]


def test_a_page_on_which_nothing_moves_allows_no_script() -> None:
    source = write_html(page_of("seed0")._replace(moving=None))
    assert "<script" not in source
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:\">" in source


def test_what_moves_adds_itself_and_changes_nothing_else() -> None:
    document = page_of("seed0")
    moves = write_html(document)
    still = write_html(document._replace(moving=None))
    moves = re.sub(r"<script.*?</script>\n", "", moves, flags=re.DOTALL)
    moves = re.sub(r"; script-src '[^']*'", "", moves)
    moves = moves.replace('<section id="moving" hidden></section>\n', "")
    moves = moves.replace('<section class="still">', "<section>")
    style = re.compile(r"<style>.*</style>", re.DOTALL)
    assert style.sub("", moves) == style.sub("", still)


def test_the_page_can_be_used_by_everyone() -> None:
    page = Page(write_html(page_of("seed0")))
    tags = dict(page.tags[:3])
    assert tags["html"] == {"lang": "en"}
    for tag, attrs in page.tags:
        if tag == "img":
            assert attrs["alt"]
        if tag == "th":
            assert attrs["scope"] in {"row", "col"}
    media = {attrs.get("media") for tag, attrs in page.tags if tag == "source"}
    assert media == {
        "(max-width: 620px) and (prefers-color-scheme: dark)",
        "(max-width: 620px)",
        "(prefers-color-scheme: dark)",
    }


def texts(document: Document, *, pictured: bool) -> Iterator[str]:
    """Yield every table cell and heading of a tree, of pictures only if asked."""
    yield plain_text(document.headline)
    for section in document.sections:
        if pictured or not any(
            isinstance(block, Gallery)
            or (isinstance(block, Figure) and block.table is None)
            for block in section.blocks
        ):
            yield section.title
        for block in section.blocks:
            if isinstance(block, Table):
                shown = [one for one in block.columns if one.shown != "programs"]
                yield from (column.title for column in shown)
                yield from (cell for row in spoken_cells(block) for cell in row)


def test_both_formats_hold_every_heading_and_cell_of_the_tree() -> None:
    document = page_of("seed0", "seed1")
    page = Page(write_html(document)).text
    markdown = re.sub(r"\\(.)", r"\1", write_markdown(document))
    assert all(text in page for text in texts(document, pictured=True))
    assert all(text in markdown for text in texts(document, pictured=False))
    titles = set(texts(document, pictured=True)) - set(texts(document, pictured=False))
    assert titles
    assert not any(f"## {title}" in markdown for title in titles)


def small(*parts: Any) -> Document:
    sections = (Section("s", (Paragraph(say(*parts)),)),)
    return Document("q", say("t"), say("lead"), sections)


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        (("1. no list",), r"1\. no list"),
        (("- no list",), r"\- no list"),
        (("# no heading",), r"\# no heading"),
        (("val_loss_1",), "val_loss_1"),
        (("_em_ *em*",), r"\_em\_ \*em\*"),
        ((Code("a`b"),), "`` a`b ``"),
        ((Strong("so"), " it is"), "**so** it is"),
    ],
)
def test_plain_text_stays_plain_in_markdown(parts: Any, written: str) -> None:
    assert write_markdown(small(*parts)).splitlines()[-1] == written


def test_a_short_row_ends_in_a_cell_that_spans_the_rest() -> None:
    columns = tuple(TableColumn(name, name, "count") for name in "abc")
    rows = (Row((1, 2, 3)), Row((4, None, None), say("nothing")))
    table = Table(columns, rows, "caption")
    document = Document("q", say("t"), say("l"), (Section("s", (table,)),))
    assert '<td class="left" colspan="2">nothing</td>' in write_html(document)
    assert "| 4 | nothing |  |" in write_markdown(document)


@pytest.mark.parametrize(("name", "start"), [("r.html", "<!doctype"), ("r.md", "# On")])
def test_the_suffix_decides_the_format(tmp_path: Path, name: str, start: str) -> None:
    path = write_document(page_of("seed0"), tmp_path / name)
    assert path.read_text(encoding="utf-8").startswith(start)
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_another_suffix_names_the_two(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'.pdf', where .html or .md is expected"):
        write_document(page_of("seed0"), tmp_path / "r.pdf")


def test_a_failed_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_document(page_of("seed0"), tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []


def test_the_title_is_the_answer() -> None:
    source = write_html(page_of("seed0"))
    title = re.search("<title>(.*)</title>", source)
    assert title is not None
    assert html.unescape(title[1]) == plain_text(page_of("seed0").headline)
