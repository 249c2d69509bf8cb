"""``simulate --scheduler``: logs are read and swept by the workers of a cluster."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal

from cbreplay.answers.swept_logs import left_out, swept_document
from cbreplay.cli.progress import watch
from cbreplay.cli.refusals import named_settings, refuse_beside
from cbreplay.cli.remarks import say
from cbreplay.cli.written import print_document
from cbreplay.document import plain_text
from cbreplay.errors import ConfigError, MissingExtraError
from cbreplay.wording.plain_text import is_url, shown_url, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.cli.options import Format
    from cbreplay.cli.question import Question
    from cbreplay.grid import Grid

__all__ = ["print_swept"]

_WAIT_SECONDS = 10
# the last two come from a busy machine that starts dask's thread too late
_NO_CLIENT = (OSError, ValueError, TypeError, RuntimeError, AssertionError)


def print_swept(
    question: Question, address: str, output: Format | Literal["parquet"]
) -> None:
    """Sweep every log below the paths on a cluster, and print one line a cell.

    The paths are sent, not the logs. `address` is the scheduler's, for example
    ``tcp://host:8786``.

    Raises
    ------
    ConfigError
        If something is asked that cannot be asked of a cluster, or nothing answers at
        the address.
    MissingExtraError
        If dask is not installed.
    """
    question = replace(question, reads_logs=False)
    grid = _asked(question, output)
    from cbreplay.distributed import sweep_logs

    paths = list(_logs_below(question.paths or (".",)))
    with _connected(address) as client, watch("sweeping logs") as tell:
        sweep = sweep_logs(
            paths,
            grid,
            executor=client.get_executor(),
            **asdict(question.reading),
            judging=question.judging,
            progress=tell,
        )
    if output == "parquet":
        from cbreplay.cli.parquet import write_frame

        write_frame(sweep.to_frame())
    else:
        print_document(swept_document(sweep), output)
    if output != "table":
        # CSV, Markdown and Parquet have no place for this
        say(*(f"left out: {plain_text(text)}" for text in left_out(sweep)))


def _asked(question: Question, output: str) -> Grid:
    """Return the settings that are asked about; refuse what needs the logs here."""
    refuse_beside(
        "--scheduler",
        "sweeps every run that the workers find, each as a fresh fit",
        {"--run": question.run, "--resume": question.resume != "fresh"},
    )
    grid = named_settings(question.grid, "--scheduler")
    if output == "json":
        sentence = "--scheduler has no JSON. Choose --format csv or parquet"
        raise ConfigError(sentence)
    if question.version != question.semantics:
        sentence = (
            f"the script trains under {question.version}, and a log may name another "
            "version, which --scheduler does not look up. Say whose rules decide: "
            f"--semantics {question.version}, or the logs'"
        )
        raise ConfigError(sentence)
    return grid


def _logs_below(paths: tuple[str, ...]) -> Iterator[str]:
    """Yield what each worker reads by itself: the entries of a directory of runs."""
    for path in paths:
        if is_url(path):
            yield path
            continue
        # a run directory holds its own log, and is read as a whole
        inner = sorted(os.listdir(path)) if os.path.isdir(path) else []  # noqa: PTH112, PTH208
        below = [
            place
            for name in inner
            if os.path.isdir(place := os.path.join(path, name))  # noqa: PTH112, PTH118
        ]
        is_run = {"logs.csv", "run.json", "tensorboard", "train"} & set(inner)
        yield from [os.path.abspath(run) for run in below if not is_run] or [  # noqa: PTH100
            os.path.abspath(path)  # noqa: PTH100 - workers stand elsewhere
        ]


def _connected(address: str) -> Any:  # noqa: ANN401 - dask has no types
    try:
        from distributed import Client
    except ImportError as error:
        what = "--scheduler"
        raise MissingExtraError(what, extra="dask", missing="dask") from error
    try:
        connect: Any = Client
        return connect(address, timeout=_WAIT_SECONDS)
    except _NO_CLIENT as error:
        said = without_secrets(str(error))
    shown = shown_url(address)
    why = f" ({said})" if shown == address else ""
    sentence = (
        f"no scheduler answers at {shown!r}{why}. "
        "Give one as --scheduler tcp://host:8786"
    )
    # no `from error`: its text may hold the password
    raise ConfigError(sentence)
