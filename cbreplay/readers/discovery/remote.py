"""Logs behind a URL, copied to a temporary directory and read there."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.errors import LogError
from cbreplay.readers.discovery.file_server import FileServer
from cbreplay.readers.discovery.found_logs import placed
from cbreplay.readers.discovery.training_files import Seen
from cbreplay.readers.entries import is_hidden
from cbreplay.readers.formats import LOGS_CSV, content_format, named_like_a_log
from cbreplay.system.whole_files import passing_directory
from cbreplay.wording.note import reworded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.discovery.file_server import RemoteFile
    from cbreplay.run import Run

__all__ = ["Fetched", "copied", "fetched"]

# the first bytes of a larger file that are looked at before it is fetched
_BEGINNING = 65_536
_HINT = "Check the URL"


class Fetched(NamedTuple):
    """Logs that were copied here.

    `url` is where they came from, without what is secret in that.
    """

    path: str
    url: str

    def renamed(self, text: str) -> str:
        """Replace the path of the copy by the URL."""
        return text.replace(self.path, self.url)

    def named(self, run: Run) -> Run:
        """Return a run as if it had been read at the URL."""
        return replace(
            placed(run, self.renamed(run.source)),
            notes=tuple(reworded(note, self.renamed(note)) for note in run.notes),
        )


@contextmanager
def copied(content: bytes, source: str) -> Iterator[str]:
    """Write a content to a temporary file, and yield its path."""
    with passing_directory() as directory:
        path = os.path.join(directory, "log")
        with open(path, "wb") as file:
            file.write(content)
        try:
            yield path
        except LogError as error:
            raise _moved(error, path, source) from None


@contextmanager
def fetched(address: str, options: ReadOptions, seen: list[Seen]) -> Iterator[Fetched]:
    """Copy what may be a log at a URL to a temporary directory.

    Raises
    ------
    MissingExtraError
        If fsspec, or what it needs for this protocol, is not installed.
    LogError
        If there is nothing at the URL, or it cannot be read within the limits.
    """
    server = FileServer(address, options)
    with passing_directory() as directory:
        url = server.shown.rstrip("/")
        local = Fetched(os.path.join(directory, _name(url)), url)
        _fetch_logs(server, local, seen)
        if not os.path.exists(local.path):
            problem = "there is no log at this URL"
            raise LogError(problem, source=server.shown, hint=_HINT)
        n_before = len(seen)
        try:
            yield local
        except LogError as error:
            raise _moved(error, local.path, local.url) from None
        finally:
            seen[n_before:] = [
                Seen(local.renamed(file.path), file.fate, local.renamed(file.detail))
                for file in seen[n_before:]
            ]


def _fetch_logs(server: FileServer, local: Fetched, seen: list[Seen]) -> None:
    files = server.files()
    for file in files:
        place = _place(file.relative, local.path)
        shown = f"{local.url}/{file.relative}"
        if place is None:
            seen.append(Seen(shown, "not followed", "its name leads out"))
        elif _worth_fetching(server, file, single=len(files) == 1):
            server.fetch(file, place)
        else:
            seen.append(Seen(shown, "passed by", "no log that is known"))


def _name(shown: str) -> str:
    """Return the last part of a URL, which names the run and its copy here."""
    first = shown.partition("::")[0].rpartition("/")[2]
    kept = "".join(
        letter if letter.isalnum() or letter in "._- " else "_" for letter in first
    )
    return kept.lstrip(".")[-_LONGEST:] or "logs"


def _place(relative: str, target: str) -> str | None:
    """Return where a file is copied to; None if its name leads out of there."""
    if not relative:
        return target
    parts = relative.split("/")
    bad = any(
        part in ("", ".", "..")
        or "\\" in part
        or "\0" in part
        or len(part) > _LONGEST
        # on Windows, "D:x" leads to another drive
        or os.path.splitdrive(part)[0]
        for part in parts
    )
    return None if bad else os.path.join(target, *parts)


# more than any file system takes
_LONGEST = 200


def _worth_fetching(server: FileServer, file: RemoteFile, *, single: bool) -> bool:
    """Tell whether a file may be a log, before a large one is fetched."""
    name = file.relative.rsplit("/", 1)[-1]
    hidden = any(is_hidden(part) for part in file.relative.split("/"))
    if single or "tfevents" in name or name == "run.json":
        return single or not hidden
    if hidden or not named_like_a_log(name):
        return False
    if file.size is not None and file.size <= _BEGINNING:
        return True
    if name.endswith(".gz") or name in LOGS_CSV:
        return True
    return content_format(server.read_beginning(file, _BEGINNING)) is not None


def _moved(error: LogError, local: str, url: str) -> LogError:
    """Return an error that names the URL in place of the copy."""
    return error.changed(
        problem=error.problem.replace(local, url),
        source=error.source.replace(local, url),
        hint=error.hint.replace(local, url),
    )
