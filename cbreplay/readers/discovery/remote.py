"""Logs behind a URL, copied to a temporary directory and read there."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cbreplay.errors import LogError, MissingExtraError
from cbreplay.readers.discovery.training_files import Seen
from cbreplay.readers.formats import content_format, named_like_a_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import Run

__all__ = ["Fetched", "copied", "fetched"]

# what is looked at before a larger file is fetched as a whole
_BEGINNING = 65_536
_HINT = "Check the URL, and that its protocol needs no further options"


class Fetched(NamedTuple):
    """Logs that were copied here.

    Parameters
    ----------
    path : str
        The file or directory to read.
    url : str
        Where it came from.
    """

    path: str
    url: str

    def renamed(self, text: str) -> str:
        """Put the URL where the copy's path stands."""
        return text.replace(self.path, self.url)

    def named(self, run: Run) -> Run:
        """Return a run as if it had been read at the URL."""
        own = run.name == run.source
        source = self.renamed(run.source)
        return replace(
            run,
            name=source if own else run.name,
            source=source,
            notes=tuple(self.renamed(note) for note in run.notes),
        )


@contextmanager
def copied(content: bytes, source: str) -> Iterator[str]:
    """Hold a content as a temporary file, and give its path."""
    with tempfile.TemporaryDirectory(prefix="cbreplay-") as directory:
        path = os.path.join(directory, "log")
        with open(path, "wb") as file:
            file.write(content)
        try:
            yield path
        except LogError as error:
            raise _moved(error, path, source) from None


@contextmanager
def fetched(url: str, seen: list[Seen]) -> Iterator[Fetched]:
    """Copy what may be a log at a URL to a temporary directory.

    Raises
    ------
    MissingExtraError
        If fsspec, or what it needs for this protocol, is not installed.
    LogError
        If there is nothing at the URL, or it cannot be read.
    """
    system, root = _open_system(url)
    with tempfile.TemporaryDirectory(prefix="cbreplay-") as directory:
        # the last part of the URL names the run
        name = os.path.basename(root.rstrip("/")) or "logs"
        target = os.path.join(directory, _safe(name))
        with _failing(url):
            files = _list(system, root)
            for path, size in files.items():
                place = _place(path, root, target)
                if place is None:
                    seen.append(Seen(path, "not followed", "its name leads out"))
                elif _worth_fetching(system, path, size, single=len(files) == 1):
                    os.makedirs(os.path.dirname(place), exist_ok=True)
                    system.get_file(path, place)
                else:
                    seen.append(Seen(path, "passed by", "no log that is known"))
        local = Fetched(target, url.rstrip("/"))
        if not os.path.exists(target):
            problem = "there is no log at this URL"
            raise LogError(problem, source=url, hint=_HINT)
        n_before = len(seen)
        try:
            yield local
        except LogError as error:
            raise _moved(error, target, local.url) from None
        finally:
            seen[n_before:] = [
                Seen(local.renamed(file.path), file.fate, local.renamed(file.detail))
                for file in seen[n_before:]
            ]


def _open_system(url: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        what = f"reading {url}"
        raise MissingExtraError(what, extra="remote", missing="fsspec") from None
    try:
        system, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        problem = f"fsspec cannot open it ({error})"
        raise LogError(problem, source=url, hint="Install what it names") from None
    except Exception as error:  # noqa: BLE001 - each file system has its own
        raise _cannot_read(url, error) from None
    return system, root


@contextmanager
def _failing(url: str) -> Iterator[None]:
    """Turn whatever a file system raises into the error of the URL."""
    try:
        yield
    except LogError:
        raise
    except Exception as error:  # noqa: BLE001 - each file system has its own
        raise _cannot_read(url, error) from None


def _cannot_read(url: str, error: Exception) -> LogError:
    said = f"{type(error).__name__}: {error}"[:_SHOWN_LETTERS]
    return LogError(f"cannot be read ({said})", source=url, hint=_HINT)


_SHOWN_LETTERS = 200


def _list(system: Any, root: str) -> dict[str, int | None]:  # noqa: ANN401 - fsspec's
    """Return the files at a root with their sizes, as far as they are known."""
    if not root.endswith("/") and system.isfile(root):
        return {root: None}
    found = system.find(root, detail=True)
    return {path: found[path].get("size") for path in sorted(found)}


def _place(path: str, root: str, target: str) -> str | None:
    """Return where a file is copied to; None if its name leads out of there."""
    relative = path[len(root) :].lstrip("/") if path.startswith(root) else path
    if not relative:
        return target
    parts = relative.split("/")
    bad = any(
        part in ("", ".", "..") or "\\" in part or "\0" in part or len(part) > _LONGEST
        for part in parts
    )
    return None if bad else os.path.join(target, *parts)


# more than any file system takes
_LONGEST = 200


def _safe(name: str) -> str:
    kept = "".join(
        letter if letter.isalnum() or letter in "._- " else "_" for letter in name
    )
    return kept.lstrip(".")[-_LONGEST:] or "logs"


def _worth_fetching(
    system: Any,  # noqa: ANN401 - fsspec's
    path: str,
    size: int | None,
    *,
    single: bool,
) -> bool:
    """Tell whether a file may be a log, before a large one is fetched."""
    name = path.rsplit("/", 1)[-1]
    hidden = any(part.startswith(".") for part in path.split("/"))
    if single or "tfevents" in name or name == "run.json":
        return single or not hidden
    if hidden or not named_like_a_log(name):
        return False
    if size is not None and size <= _BEGINNING:
        return True
    if name.endswith(".gz") or name == "logs.csv":
        return True
    return content_format(system.cat_file(path, start=0, end=_BEGINNING)) is not None


_E = TypeVar("_E", bound=LogError)


def _moved(error: _E, local: str, url: str) -> _E:
    """Return an error that names the URL where it named the copy."""
    problem, hint = (text.replace(local, url) for text in (error.problem, error.hint))
    source = error.source.replace(local, url)
    return type(error)(
        problem, source=source, line=error.line, byte=error.byte, hint=hint
    )
