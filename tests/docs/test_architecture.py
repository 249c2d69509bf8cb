"""The page on the architecture is true: what it names is there, and is walked through."""  # noqa: E501

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import cbreplay
from cbreplay.cli.main import cli
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (ROOT / "docs" / "architecture.md").read_text()
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
PACKAGE = Path(cbreplay.__file__).parent
LOG = str(ROOT / "sample_logs" / "overfit.csv")
NAMED = re.compile(r"`([^`\n]+)`")
# a file, and the functions and classes in it that are named behind it
FILE_AND_NAMES = re.compile(r"`([\w/]+\.py)`((?:,?\s+`(?![\w.]*\.py)[\w.]+`)+)")

# in a process of its own, so that what is imported on the way is seen too
WATCH = """
import inspect, json, sys
from pathlib import Path
import cbreplay
package = Path(cbreplay.__file__).parent
seen = {}
def watch(frame, event, _):
    path = Path(frame.f_code.co_filename)
    # the body of a module or a class is no function
    is_function = frame.f_code.co_flags & inspect.CO_OPTIMIZED
    if event == "call" and is_function and path.is_relative_to(package):
        name = frame.f_code.co_qualname.removesuffix(".__init__")
        seen.setdefault((str(path.relative_to(package)), name))
from cbreplay.cli.main import main
words = json.loads(sys.argv[1])
sys.setprofile(watch)
if words:
    main(words)
else:
    cbreplay.load_runs(sys.argv[2])
sys.setprofile(None)
print(json.dumps(list(seen)), file=sys.stderr)
"""

PATIENCE = "`--patience 3:10`, from the command line to a decision"
KERNEL = "The same settings in the kernel"
ROW = "One row of a CSV, to a value in a `Series`"
ASKED = {
    PATIENCE: ["simulate", LOG, "--patience", "3:10"],
    KERNEL: ["simulate", LOG, "--patience", "3:60"],
    ROW: [],
}
# named tuples and dataclasses are made without code of their own
MADE_UNSEEN = {("sweep/table.py", "Sweep"), ("series.py", "Series"), ("run.py", "Run")}


def steps_of(title: str) -> list[tuple[str, str]]:
    """Return the files and functions that a walk names, in order."""
    told = PAGE.split(f"## {title}", 1)[1].split("\n## ", 1)[0]
    steps = [
        (path, name)
        for path, names in FILE_AND_NAMES.findall(told)
        for name in NAMED.findall(names)
    ]
    return [step for step in steps if step not in MADE_UNSEEN]


@functools.cache
def walk(title: str) -> list[tuple[str, str]]:
    """Return the files and functions that the question really goes through."""
    words = [sys.executable, "-c", WATCH, json.dumps(ASKED[title]), LOG]
    done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603
    return [(path, name) for path, name in json.loads(done.stderr.splitlines()[-1])]


@pytest.mark.slow
@pytest.mark.parametrize("title", ASKED)
def test_a_walk_goes_through_what_the_page_names(title: str) -> None:
    steps, walked = steps_of(title), walk(title)
    assert len(steps) > 10
    assert [step for step in steps if step not in walked] == []


@pytest.mark.slow
@pytest.mark.parametrize("title", ASKED)
def test_the_steps_stand_in_the_order_in_which_they_are_taken(title: str) -> None:
    walked = walk(title)
    places = [walked.index(step) for step in steps_of(title)]
    assert places == sorted(places)


def test_every_function_that_is_named_is_in_its_file() -> None:
    for path, names in FILE_AND_NAMES.findall(PAGE + GUIDE):
        source = (PACKAGE / path).read_text()
        for name in NAMED.findall(names):
            last = name.rpartition(".")[2]
            assert re.search(rf"^ *(def|class) {last}\b", source, re.MULTILINE), name


def test_every_option_stands_in_the_table_of_options() -> None:
    told = PAGE.partition("## What an option changes")[2]
    context = click.Context(cli)
    named = (cli.get_command(context, name) for name in cli.list_commands(context))
    options = {
        option
        for command in (cli, *named)
        if command is not None
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    assert "--patience" in options
    assert sorted(name for name in options if f"`{name}`" not in told) == []


def paths_in(text: str) -> Iterator[str]:
    """Yield what is written like a path of the project."""
    for name in NAMED.findall(text):
        if re.fullmatch(r"[\w./-]+(\.py|\.md|/)|\.ci/run", name):
            yield name


def is_there(name: str) -> bool:
    """Return whether a file or folder of the project ends in a path."""
    if (PACKAGE / name).exists() or (ROOT / name).exists():
        return True
    # inside a row of the table, a path is one in its layer
    return "/" not in name.rstrip("/") and any(PACKAGE.rglob(name.rstrip("/")))


@pytest.mark.parametrize("text", [PAGE, GUIDE], ids=["architecture", "contributing"])
def test_every_path_that_is_named_is_there(text: str) -> None:
    named = list(paths_in(text))
    assert len(named) > 10
    assert [name for name in named if not is_there(name)] == []


def test_the_guide_has_the_layers_in_the_order_of_their_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    layers = contracts["importlinter"]["contracts"][0]["layers"]
    table = GUIDE.partition("| layer |")[2].partition("\n\n")[0].splitlines()
    first_cells = [row.split("|")[1] for row in table if row.startswith("| `")]
    places = []
    for name in re.findall(r"\w+", " ".join(layers)):
        written = {f"{name}/", f"{name}.py"}
        rows = [
            at
            for at, cell in enumerate(first_cells)
            if written & {*NAMED.findall(cell)}
        ]
        assert rows, f"{name} is in no row of the table"
        places.append(rows[0])
    assert places == sorted(places)
