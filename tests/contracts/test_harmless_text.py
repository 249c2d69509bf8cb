"""Names out of a log go out whole and inert, in every form of every answer.

Each form is read by a parser of its own kind, which has to find the names as they are
and nothing that acts: no tag, no link, no formula, no control character.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import shlex
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt

from cbreplay.cli.main import cli
from cbreplay.wording.words import visible_text
from tests.conftest import VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markdown_it.token import Token

    from tests.conftest import Ask

NAMES = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "x\t=1",
    "\N{FULLWIDTH EQUALS SIGN}1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt;",
    "{{7*7}}",
    "[click](http://evil.example)",
    "![x](http://evil.example/x.png)",
    "`x`",
    "``x",
    "a|b",
    "a\nb",
    "a\r\n\r\n# b",
    "<http://evil.example>",
    "http://evil.example/x",
    "www.evil.example",
    "me@evil.example",
    "# head",
    "- item",
    "1. one",
    "1) one",
    "> quote",
    "***bold***",
    "~~gone~~",
    "\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe",
    "zero\u200bwidth",
    "\ufeffbom",
    "\x1b[31mred\x07",
    "\x9b31m",
    "\U000e0041tag",
    "line\u2028feed",
    "$x^2$",
    "$\\frac{1",
    "a\\b",
    "a\\nb",
    "'one'",
    '"two"',
    "'''",
    "it's",
    'say "it\'s"',
    "end\\",
    "$(touch acted)",
    "`touch acted`",
    "'; touch acted #",
    "a; touch acted",
    "!!",
    "~",
    "a,b",
    "--format",
    "\N{GRINNING FACE}",
    "%0A::error::x",
    "::error::x",
    "a ::add-mask::e",
    "##[set-output name=a;]b",
    "x ###vso[task.setvariable variable=PATH]b",
    "\\##teamcity[buildStop]",
    "a::b :: c ## d",
    "{name}",
    "%s",
    "*",
    "_x_",
]
# what a form cannot take a series' name for: it is an option's value all the same
LOSSES = {"val_loss": VALUES, "loss": [1.0] * len(VALUES)}
ids = [visible_text(name) for name in NAMES]


def write_log(path: Path, name: str) -> Path:
    held = {"epoch": list(range(len(VALUES))), name: VALUES, "loss": LOSSES["loss"]}
    path.write_text(json.dumps(held))
    return path


@pytest.fixture(params=NAMES, ids=ids)
def name(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


@pytest.fixture
def about(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The options that ask about a series of that name."""
    monkeypatch.chdir(tmp_path)
    log = write_log(tmp_path / "log.json", name)
    return [log.name, f"--monitor={name}", "--mode", "min"]


def assert_steers_nothing(text: str) -> None:
    """No terminal, and no build whose log shows it: GitHub's, Azure's, TeamCity's."""
    assert [sign for sign in text if not sign.isprintable() and sign != "\n"] == []
    for line in text.splitlines():
        assert not line.strip().startswith("::")
        assert not any(order in line for order in ("##[", "##vso[", "##teamcity["))


def test_a_terminal_shows_it(ask: Ask, name: str, about: list[str]) -> None:
    shown = visible_text(name)
    for command in (
        ["simulate"],
        ["simulate", "--patience", "1,2"],
        ["simulate", "--patience", "1", "--versus", "patience=2"],
        ["explain", "--patience", "1"],
        ["recommend"],
    ):
        answer = ask(command[0], *about, *command[1:])
        assert answer.status == 0, answer.err
        assert_steers_nothing(answer.out + answer.err)
        unbroken = " ".join(answer.out.split())
        assert " ".join(shown.split()) in unbroken


def test_csv_holds_it_as_a_cell_that_is_no_formula(
    ask: Ask, name: str, about: list[str]
) -> None:
    held = []
    for command in (
        ["inspect", about[0]],
        ["simulate", *about],
        ["explain", *about, "--patience", "1"],
        ["simulate", *about, "--patience", "1,2"],
    ):
        answer = ask(*command, "--format", "csv")
        assert answer.status == 0, answer.err
        assert_steers_nothing(answer.out)
        rows = list(csv.reader(io.StringIO(answer.out), strict=True))
        assert {len(row) for row in rows} == {len(rows[0])}
        held += [cell for row in rows for cell in row]
    for cell in held:
        assert is_number(cell) or not cell.startswith(tuple("=+-@\t\r\uff1d"))
    shown = visible_text(name)
    assert any(shown in cell for cell in held)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_json_holds_it_as_it_is(ask: Ask, name: str, about: list[str]) -> None:
    answer = ask("simulate", *about, "--format", "json")
    assert answer.out.isascii()
    assert_steers_nothing(answer.out)
    assert json.loads(answer.out)["objective"]["name"] == name


def inline(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from inline(token.children or [])


def parsed(markdown: str) -> list[Token]:
    """Parse as GitHub does, but for its links of bare addresses."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return list(inline(reader.parse(markdown)))


HARMLESS = {
    "inline",
    "text",
    "text_special",
    "softbreak",
    "code_inline",
    "fence",
    "strong_open",
    "strong_close",
    *(
        f"{kind}_{end}"
        for kind in (
            "paragraph",
            "heading",
            "bullet_list",
            "list_item",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        )
        for end in ("open", "close")
    ),
}


def assert_inert_markdown(markdown: str) -> list[Token]:
    tokens = parsed(markdown)
    assert {token.type for token in tokens} <= HARMLESS
    words = re.sub(r"(?s)```.*?```|`[^`]*`", "", markdown)
    # what GitHub would make links of
    assert not re.search(r"(?i)\w://|\bwww\.|\w@\w", words)
    return tokens


def spoken(tokens: list[Token]) -> str:
    kinds = ("text", "text_special", "code_inline")
    return "".join(token.content for token in tokens if token.type in kinds)


def test_markdown_shows_it(ask: Ask, name: str, about: list[str]) -> None:
    shown = visible_text(name)
    answer = ask("inspect", about[0], "--format", "markdown")
    tokens = assert_inert_markdown(answer.out)
    assert shown in spoken(tokens)
    rows = [0]
    for token in tokens:
        if token.type == "tr_open":
            rows.append(0)
        rows[-1] += token.type in ("td_open", "th_open")
    assert len(set(rows[1:])) == 1
    for command in (["simulate"], ["explain", "--patience", "1"]):
        answer = ask(command[0], *about, *command[1:], "--format", "markdown")
        assert answer.status == 0
        assert_inert_markdown(answer.out)


class _Monitored:
    """Stands in for Keras's callbacks: remembers what it is given."""

    def __init__(self, **parameters: Any) -> None:
        self.monitor = parameters["monitor"]


class _Keras:
    class callbacks:  # noqa: N801 - as Keras names it
        EarlyStopping = _Monitored


def test_a_page_of_markdown_holds_code_that_names_it(
    ask: Ask, name: str, about: list[str], tmp_path: Path
) -> None:
    assert ask("report", *about, "-o", "page.md").status == 0
    page = (tmp_path / "page.md").read_text()
    assert_steers_nothing(page)
    tokens = assert_inert_markdown(page)
    assert visible_text(name) in spoken(tokens)
    headings = sum(token.type == "heading_open" for token in tokens)
    assert headings == len(re.findall(r"(?m)^##? ", page))
    (code,) = [t.content for t in tokens if t.type == "fence" and t.info == "python"]
    assert monitored(code) == name


def monitored(code: str) -> str:
    """Run code to paste, which only builds callbacks, and return what they watch."""
    tree = ast.parse(code)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names <= {"keras", "callbacks"}
    held: dict[str, Any] = {"keras": _Keras}
    exec(compile(tree, "pasted", "exec"), held)  # noqa: S102 - nothing else is in it
    watched: str = held["callbacks"][0].monitor
    return watched


def test_a_command_to_copy_names_it_to_a_shell(
    ask: Ask, name: str, about: list[str], tmp_path: Path
) -> None:
    answer = ask("simulate", *about)
    lines = re.findall(r"(?m)^ \w[\w ]*: +cbreplay (.*)$", answer.out)
    assert lines
    for line in lines:
        script = f"printf '%s\\0' {line}"
        done = subprocess.run(  # noqa: S603 - what was said to be typed
            ["/bin/bash", "-c", script], capture_output=True, check=True, cwd=tmp_path
        )
        words = done.stdout.decode().split("\0")
        assert name in [word.removeprefix("--monitor=") for word in words]
        assert words[0] in cli.list_commands(None)  # type: ignore[arg-type]
    assert not (tmp_path / "acted").exists()


class Page(HTMLParser):
    """Collects the tags, attributes and words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(key, value or "") for key, value in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


TAGS = set(
    re.findall(
        r"\w+",
        "html head meta title style body header main section h1 h2 p code pre strong "
        "ul li figure picture source img figcaption div table caption thead tbody tr "
        "th td details summary script",
    )
)
TELLING = [
    '"><img src=x onerror=alert(1)>',
    "a\nb",
    "$\\frac{1",
    "\x1b[31mred\x07",
    "\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe",
    "</style><script>alert(1)</script>",
    "]]>&nbsp;<a href='http://evil.example'>",
]


@pytest.mark.parametrize("name", TELLING, ids=map(visible_text, TELLING))
def test_a_page_and_its_pictures_show_it(
    ask: Ask, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = write_log(tmp_path / "log.json", name)
    about = [log.name, f"--monitor={name}", "--mode", "min"]
    assert ask("report", *about, "-o", "page.html").status == 0
    text = (tmp_path / "page.html").read_text()
    page = Page(text)
    assert page.tags <= TAGS
    # the script of the page and the data that it reads, which a name cannot end
    assert text.count("<script") == text.count("</script") == text.count("<script>") * 2
    assert not [key for key, _ in page.attributes if key.startswith("on")]
    assert {key for key, _ in page.attributes}.isdisjoint({"href", "style", "srcdoc"})
    sources = [value for key, value in page.attributes if key in ("src", "srcset")]
    assert all(value.startswith("data:image/") for value in sources)
    assert visible_text(name) in page.words
    assert ask("plot", *about, "-o", "a.svg").status == 0
    assert_inert_picture((tmp_path / "a.svg").read_bytes())


def assert_inert_picture(content: bytes) -> None:
    root = ET.fromstring(content)  # noqa: S314 - it was written here
    for node in root.iter():
        tag = node.tag.rpartition("}")[2]
        assert tag not in ("script", "foreignObject", "a", "image", "iframe")
        for key, value in node.attrib.items():
            assert not key.lower().startswith("on")
            assert "javascript:" not in value
            if key.endswith("href"):
                assert value.startswith("#")


def test_the_names_of_runs_are_as_harmless(ask: Ask, tmp_path: Path) -> None:
    """Directories may be called anything but what holds a slash or a zero byte."""
    runs = tmp_path / "runs"
    names = [name for name in NAMES if "/" not in name]
    for number, name in enumerate(names):
        (runs / name).mkdir(parents=True)
        values = [value + number / 64 for value in VALUES]
        rows = [f"{epoch},{value}" for epoch, value in enumerate(values)]
        log = "\r\n".join(["epoch,val_loss", *rows, ""])
        (runs / name / "logs.csv").write_text(log, newline="")
    for command in ("simulate", "inspect", "recommend"):
        text = ask(command, runs).out
        assert_steers_nothing(text)
        table = ask(command, runs, "--format", "csv").out
        assert_steers_nothing(table)
        for row in csv.reader(io.StringIO(table), strict=True):
            assert all(
                is_number(cell) or not cell.startswith(tuple("=+-@")) for cell in row
            )
        assert_inert_markdown(ask(command, runs, "--format", "markdown").out)
    told = json.loads(ask("inspect", runs, "--format", "json").out)
    assert {run["name"] for run in told["runs"]} == set(names)
    listed = ask("inspect", runs, "--format", "csv").out
    cells = {row[0].removeprefix("'") for row in csv.reader(io.StringIO(listed))}
    assert {visible_text(name).removeprefix("'") for name in names} <= cells
    page = tmp_path / "page.md"
    assert ask("report", runs, "-o", page).status == 0
    assert_inert_markdown(page.read_text())


def test_a_path_that_is_written_to_is_echoed_harmless(ask: Ask, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.json", "val_loss")
    page = tmp_path / "a\x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}b.md"
    answer = ask("report", log, "-o", page)
    assert answer.status == 0
    assert_steers_nothing(answer.out)
    assert shlex.split(visible_text(str(page)).replace("\\", "\\\\"))[0] in answer.out
