"""The files behind a URL, with limits on the bytes sent and on the server's silence."""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cbreplay.errors import LogError, MissingExtraError
from cbreplay.readers.sizes import spoken_size
from cbreplay.wording.plain_text import shown_url, without_secrets

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator

    from cbreplay.readers.base import ReadOptions

__all__ = ["FileServer", "RemoteFile"]

_T = TypeVar("_T")
_HINT = "Check the URL, and that its protocol needs no further options"
# fewer bytes than these in a whole time-out count as silence
_LEAST_BYTES = 1024
# a server that sends a little at a time is given up too: after so many time-outs, which
# are left to small answers, it must have sent so many bytes a second
_LEAST_SPEED, _TIMEOUTS = 1024, 5
_MOST_ENTRIES = 20_000
_LARGEST_PAGE = 1 << 23
_DEEPEST = 20
_SHOWN_LETTERS = 200


class RemoteFile(NamedTuple):
    """A file behind a URL, and what is said to be its size, if anything is.

    The path is that of its file system, and may hold secrets. Below the URL it has a
    relative name, empty for the URL itself.
    """

    path: str
    relative: str
    size: int | None


class FileServer:
    """The file system behind a URL, with limits on size and silence.

    No message or name holds what is secret in the URL.

    Raises
    ------
    MissingExtraError
        If fsspec is not installed.
    LogError
        If there is no such file system, or from any method: if it sends more, or is
        silent for longer, than the limits allow, or whatever it fails with.
    """

    def __init__(self, url: str, options: ReadOptions) -> None:
        self.shown = shown_url(url)
        self._holds_secrets = self.shown != url
        self._most_bytes, self._timeout = options.max_bytes, options.timeout
        self._n_received, self._waited = 0, 0.0
        # how many bytes are wanted of the file that is looked at; 0 for pages
        self._wanted = 0
        self._refusal: LogError | None = None
        self._given_up = False
        try:
            import fsspec  # noqa: F401 - the error of a thread would have no name
        except ImportError:
            what = f"reading {self.shown}"
            raise MissingExtraError(what, extra="remote", missing="fsspec") from None
        self._system, self._root = self._ask(lambda: self._open(url))
        self._is_http = self._root.startswith(_HTTP)
        self._base = re.split("[?#]", self._root)[0] if self._is_http else self._root

    def files(self) -> list[RemoteFile]:
        """Return the file at the URL, or those below it, in order of their names."""
        root, base = self._root, self._base
        if not base.endswith("/") and self._ask(lambda: self._system.isfile(root)):
            return [RemoteFile(root, "", None)]
        if self._is_http:
            found = self._walk_pages()
        else:
            details = self._ask(lambda: self._system.find(root, detail=True))
            found = {path: own.get("size") for path, own in details.items()}
        return [
            RemoteFile(path, self._relative(path), found[path])
            for path in sorted(found)
        ]

    def read_beginning(self, file: RemoteFile, size: int) -> bytes:
        """Return the first bytes of a file."""
        self._wanted = size
        try:
            beginning: bytes = self._ask(
                lambda: self._system.cat_file(file.path, start=0, end=size)
            )
        finally:
            self._wanted = 0
        return beginning[:size]

    def fetch(self, file: RemoteFile, place: str) -> None:
        """Copy a file to a local path."""
        begun = self._n_received

        def heard(size: int | None, value: int, **_: object) -> None:
            self._receive(begun + value - self._n_received)
            self._announce(begun + (size or 0))

        def copy() -> None:
            from fsspec.callbacks import Callback

            self._announce(begun + (file.size or 0))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            counting = Callback(hooks={"count": heard})
            self._system.get_file(file.path, place, callback=counting)
            # some file systems copy without reporting progress
            self._receive(max(0, begun + os.path.getsize(place) - self._n_received))

        self._ask(copy)

    def _open(self, url: str) -> tuple[Any, str]:
        from fsspec.core import filesystem, url_to_fs

        if re.search(r"(?:^|::)reference:", url):
            # a reference file names other files anywhere, and could hold code
            problem = "a reference to other files is not followed"
            self._refusal = LogError(problem, source=self.shown, hint=_HINT)
            raise self._refusal
        # our own copy is kept until it is read, whatever cache the URL asks for
        url = re.sub(r"^(?:(?:simplecache|filecache|blockcache|cached)::)+", "", url)
        names = re.findall(r"(?:^|::)(https?)://", url)
        options = {
            name: _http_options(self._take_piece, self._timeout) for name in names
        }
        if url.startswith(_HTTP):
            # "::" is no chain there, an IPv6 host may hold it
            system = filesystem("http", skip_instance_cache=True, **options[names[0]])
            return system, url
        system, root = url_to_fs(url, skip_instance_cache=True, **options)
        return system, root

    def _walk_pages(self) -> dict[str, int | None]:
        """Return what the pages below a directory of a web server link to."""
        files: dict[str, int | None] = {}
        # what opens the first page opens those below it
        query = self._root.removeprefix(self._base)
        above = self._base.rstrip("/") + "/"
        seen, waiting = set[str](), [above]
        while waiting:
            page = waiting.pop()
            for entry in self._ask(partial(self._system.ls, page + query)):
                # fsspec puts a link behind the page's query
                link = entry["name"].removeprefix((page + query).rstrip("/") + "/")
                path = entry["name"] if "://" in link else page + link
                if not path.startswith(above) or not self._relative(path):
                    continue
                if len(seen) > _MOST_ENTRIES:
                    raise self._too_many()
                if entry["type"] != "directory":
                    files[path if "?" in link else path + query] = entry.get("size")
                elif (
                    path not in seen and path.count("/") <= above.count("/") + _DEEPEST
                ):
                    waiting.append(path)
                seen.add(path)
        return files

    def _relative(self, path: str) -> str:
        below = path.removeprefix(self._base)
        return (re.split("[?#]", below)[0] if self._is_http else below).lstrip("/")

    def _ask(self, question: Callable[[], _T]) -> _T:
        """Return the answer to a question, unless it takes too long.

        What the file system raises stays in a thread of its own: it may hold the URL.
        """
        answers: list[_T] = []
        errors: list[BaseException] = []
        done = threading.Event()

        def work() -> None:
            try:
                answers.append(question())
            except BaseException as error:  # noqa: BLE001 - each system has its own
                errors.append(error)
            finally:
                done.set()

        with _discreet_logs():
            threading.Thread(target=work, daemon=True).start()
            try:
                self._wait(done)
            except BaseException:
                self._given_up = True
                raise
        if answers:
            return answers[0]
        raise self._refusal or self._cannot_read(errors[0])

    def _wait(self, done: threading.Event) -> None:
        heard, begun = self._n_received, time.monotonic()
        while not done.wait(self._timeout):
            if self._n_received - heard < _LEAST_BYTES:
                told = f"was silent for {self._timeout:g} s"
                raise self._too_slow(told)
            heard = self._n_received
            self._check_speed(self._waited + time.monotonic() - begun)
        self._waited += time.monotonic() - begun
        self._check_speed(self._waited)

    def _check_speed(self, waited: float) -> None:
        """Refuse a server that sends so slowly that it would take days."""
        if waited > _TIMEOUTS * self._timeout + self._n_received / _LEAST_SPEED:
            told = f"sent {self._n_received:,} bytes in {waited:.0f} s"
            raise self._too_slow(told)

    def _too_slow(self, told: str) -> LogError:
        hint = "Try again, or wait longer with --timeout or timeout="
        return LogError(f"its server {told}", source=self.shown, hint=hint)

    def _take_piece(self, n_bytes: int, n_so_far: int) -> bool:
        """Count a piece of a page or of a beginning, and tell whether it is enough."""
        self._receive(n_bytes)
        if self._wanted:
            # many servers send the whole file although a part was asked for
            return n_so_far >= self._wanted
        if n_so_far > _LARGEST_PAGE:
            self._refusal = self._too_many()
            raise self._refusal
        return False

    def _receive(self, n_bytes: int) -> None:
        """Count the bytes that came, and end a request that nobody waits for."""
        if self._given_up:
            raise TimeoutError
        self._n_received += n_bytes
        self._announce(self._n_received)

    def _announce(self, n_bytes: int) -> None:
        if n_bytes > self._most_bytes:
            problem = f"it holds more than {spoken_size(self._most_bytes)}"
            hint = "Name a part of it, or allow more with --max-size or max_bytes="
            self._refusal = LogError(problem, source=self.shown, hint=hint)
            raise self._refusal

    def _too_many(self) -> LogError:
        problem = f"there are more than {_MOST_ENTRIES:,} files and directories"
        hint = "Give the URL of a directory further down"
        return LogError(problem, source=self.shown, hint=hint)

    def _cannot_read(self, error: BaseException) -> LogError:
        """Return the message of an error, as far as it can hold no secret."""
        hint = "Install what it names" if isinstance(error, ImportError) else _HINT
        if isinstance(error, FileNotFoundError):
            return LogError("there is nothing there", source=self.shown, hint=hint)
        said = type(error).__name__
        if isinstance(status := getattr(error, "status", None), int):
            # aiohttp's, beside the whole URL and what the server likes to say
            said = f"{said}, status {status}"
        elif not self._holds_secrets or isinstance(error, ImportError):
            words = " ".join(without_secrets(str(error)).split())
            said = f"{said}: {words}"[:_SHOWN_LETTERS]
        return LogError(f"cannot be read ({said})", source=self.shown, hint=hint)


_HTTP = ("http://", "https://")


def _http_options(
    take_piece: Callable[[int, int], bool], timeout: float
) -> dict[str, Any]:
    """Return the options of fsspec's HTTP under which every page is counted too."""
    import aiohttp

    class CountedPage(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            page = bytearray()
            async for piece in self.content.iter_any():
                page += piece
                if take_piece(len(piece), len(page)):
                    self.close()
                    break
            self._body = bytes(page)
            return self._body

    # the caller's own time-out comes first; this one ends a request that nobody waits
    # for any more
    silence = timeout + 5
    limits = aiohttp.ClientTimeout(total=None, sock_connect=silence, sock_read=silence)
    return {"client_kwargs": {"response_class": CountedPage, "timeout": limits}}


@contextmanager
def _discreet_logs() -> Iterator[None]:
    """Keep the secrets of URLs out of what the libraries log meanwhile."""
    from logging import getLogger

    loggers = [getLogger(name) for name in ("fsspec", "fsspec.http", "asyncio")]
    for logger in loggers:
        logger.addFilter(_leave_out_secrets)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_leave_out_secrets)


def _leave_out_secrets(record: logging.LogRecord) -> bool:
    record.msg, record.args = without_secrets(record.getMessage()), None
    record.exc_info = None
    return True
