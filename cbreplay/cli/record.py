"""``cbreplay record``: run a training script as it is, and record every fit."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from cbreplay.cli.help import CheckedCommand
from cbreplay.cli.option_values import Share
from cbreplay.cli.process import users_environment
from cbreplay.cli.remarks import is_quiet, quiet_option, say
from cbreplay.errors import ConfigError, OutputError
from cbreplay.record.launch import Program
from cbreplay.record.run_directory import check_vacant, make_run_directory
from cbreplay.scripts.notebook_cells import is_python, read_cells
from cbreplay.wording.near_names import nearest_path

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["command", "read_program"]


@click.command(
    "record",
    cls=CheckedCommand,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("-m", "module", metavar="MODULE", help="Run a module, as python -m does.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Where the run directories are made, fit1, fit2, ...: a new or empty "
    "directory.  [default: runs/SCRIPT]",
)
@click.option(
    "--without",
    multiple=True,
    metavar="CLASS",
    help="Leave callbacks of this class out of every fit: --without EarlyStopping "
    "records the whole curve.",
)
@click.option(
    "--share",
    type=Share(0, 1),
    metavar="X|P%",
    default=1.0,
    help="Leave them out in this share of runs only. The name (of --out, else of "
    "SCRIPT) and ARGS decide, so the same run is always treated alike.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    help="Train so many in every fit, whatever it is given.",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT [ARGS]...")
@quiet_option
def command(**asked: Any) -> None:  # noqa: ANN401 - as `_find_program` takes them
    """Run a training script as it is, and record every fit of Keras 3.

    SCRIPT is a Python file or a notebook. Options of record stand before it: what is
    behind it is its ARGS, as for python itself. Its output, exit status and weights are
    those that it has without.

    \b
    cbreplay record train.py
    cbreplay record --out runs/seed7 --without EarlyStopping train.py --seed 7
    cbreplay record -m my_package.train
    """
    program = _find_program(**asked)
    directory = _choose_directory(asked["out"], _name(program))
    _become(program.words(directory, quiet=is_quiet()))


def read_program(words: Sequence[str]) -> Program:
    """Return the program of a command line that follows ``cbreplay record``.

    Raises
    ------
    click.UsageError, ConfigError
        As the command.
    """
    return _find_program(**command.make_context("record", list(words)).params)


def _find_program(
    *,
    module: str | None,
    out: Path | None,
    without: tuple[str, ...],
    share: float,
    epochs: int | None,
    words: Sequence[str],
) -> Program:
    if share != 1 and not without:
        sentence = (
            "--share says in how many runs --without leaves a class out, and none is "
            "named. Name one, as --without EarlyStopping, or leave --share out"
        )
        raise ConfigError(sentence)
    kind, target, arguments = _find_target(module, words)
    program = Program(
        kind,
        target,
        tuple(arguments),
        named=without,
        epochs=epochs,
        environment=users_environment(),
    )
    # not the name of the new directory: it gets a number if there was a recording
    name = _name(program) if out is None else out.absolute().name
    chosen = _is_chosen(share, name, arguments)
    return program._replace(without=without if chosen else ())


def _name(program: Program) -> str:
    return program.target if program.kind == "module" else Path(program.target).stem


def _find_target(
    module: str | None, words: Sequence[str]
) -> tuple[Literal["script", "module", "notebook"], str, Sequence[str]]:
    """Return what kind of program is to be run, its name, and its arguments."""
    if module is not None:
        return "module", module, words
    if not words:
        message = "Give a script, a notebook, or -m MODULE."
        raise click.UsageError(message)
    script = Path(words[0])
    if not script.is_file():
        raise ConfigError(_no_file(script))
    if script.suffix.lower() in _LOGS:
        sentence = f"{words[0]!r} is no script: it is called as a log. {_WANTED}"
        raise ConfigError(sentence)
    if script.suffix != ".ipynb":
        return "script", words[0], words[1:]
    _refuse_options_behind(words)
    for line in _check_notebook(script):
        say(f"not run: {line}")
    return "notebook", words[0], words[1:]


def _refuse_options_behind(words: Sequence[str]) -> None:
    """Refuse options of record behind a notebook, which would not act there."""
    own = {name for parameter in command.params for name in parameter.opts}
    for word in words[1:]:
        name = word.partition("=")[0]
        if name.startswith("-") and name in own:
            sentence = (
                f"{name} behind {words[0]!r} would go to the notebook. Give it before "
                f"the notebook: cbreplay record {name} ... {words[0]}"
            )
            raise ConfigError(sentence)


_LOGS = (".csv", ".tsv", ".json", ".jsonl", ".log")
_WANTED = "Give a Python file, a notebook, or -m MODULE"


def _no_file(script: Path) -> str:
    what = "a directory" if script.is_dir() else "not there"
    near = "" if script.is_dir() else nearest_path(str(script))
    return f"{str(script)!r} is {what}{near or '.'} {_WANTED}"


def _check_notebook(path: Path) -> list[str]:
    """Refuse a notebook that runs more than Python, before anything is run.

    The lines that install something are returned. They are not run: if it is missing,
    its import fails.
    """
    left_out = []
    try:
        cells = read_cells(path.read_text(encoding="utf-8"))
    except ValueError as error:
        sentence = f"{str(path)!r} cannot be read: {error}"
        raise ConfigError(sentence) from None
    for cell in cells:
        installing = [line for line in cell.magics if re.fullmatch(_INSTALLS, line)]
        left_out += installing
        acting = [
            line
            for line in cell.magics
            if line not in installing and line.split()[0] not in _HARMLESS
        ]
        if acting:
            problem = f"only IPython runs {acting[0]!r}"
        elif not is_python(cell.lines):
            problem = "this is not Python"
        else:
            continue
        sentence = (
            f"code cell {cell.number} of {str(path)!r}: {problem}. Take it out, or "
            "record the script that jupyter nbconvert --to script makes"
        )
        raise ConfigError(sentence)
    return left_out


# an install, and no other command after it
_INSTALLS = r"[!%]\s*(python3? -m )?pip3? install [^;&|<>`$]*"
# magics about how a notebook shows, times or reloads: they need not be run
_HARMLESS = (
    "%matplotlib",
    "%config",
    "%load_ext",
    "%autoreload",
    "%reload_ext",
    "%tensorboard",
    "%%time",
    "%%capture",
)


def _choose_directory(out: Path | None, name: str) -> Path:
    """Create and return the empty directory for the run directories."""
    if out is None:
        first = Path("runs") / name
        later = (first.with_name(f"{first.name}-{n}") for n in itertools.count(2))
        out = next(path for path in itertools.chain([first], later) if _is_vacant(path))
    check_vacant(out)
    make_run_directory(out)
    return out


def _is_vacant(path: Path) -> bool:
    try:
        check_vacant(path)
    except OutputError:
        return not path.parent.is_dir()
    return True


def _is_chosen(share: float, name: str, arguments: Sequence[str]) -> bool:
    """Tell whether a run is in the share: by a hash of its name and arguments only."""
    called = os.fsencode("\0".join([name, *arguments]))
    drawn = int.from_bytes(hashlib.sha256(called).digest()[:4], "big")
    return drawn < share * 2**32


def _become(program: list[str]) -> None:
    """Replace this process by a new Python that runs the program."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(program[0], program, users_environment())  # noqa: S606 - the user asked for it
