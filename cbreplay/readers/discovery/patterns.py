"""What a glob pattern matches, without going in circles."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING

from cbreplay.errors import LogError
from cbreplay.readers.discovery.training_files import as_people_count

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["expand_pattern"]

_ANY_DEPTH = "**"
# a pattern through a whole system would meet hundreds of thousands in /proc and /sys
_MOST_DIRECTORIES = 100_000
_HINT = "Name a directory nearer to the logs"


def expand_pattern(pattern: str) -> list[str]:
    """Return the paths that match a pattern, in order.

    As ``glob.glob`` with ``recursive=True``, but ``**`` does not follow links to
    directories, which may lead in circles, and goes through so many directories only.

    Raises
    ------
    LogError
        If there are more, or if the system takes no such path.
    """
    try:
        return sorted(_Search(pattern).below("", pattern), key=as_people_count)
    except (OSError, ValueError) as error:
        if isinstance(error, LogError):
            raise
        problem = f"this pattern cannot be followed ({error})"
        raise LogError(problem, source=pattern, hint=_HINT) from None


class _Search:
    """One pattern on its way through directories."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.visited = 0

    def below(self, base: str, pattern: str) -> Iterator[str]:
        """Yield what matches in a directory, whose own name is no pattern."""
        parts = pattern.split(os.sep)
        if _ANY_DEPTH not in parts:
            yield from glob.glob(glob.escape(base) + pattern)
            return
        at = parts.index(_ANY_DEPTH)
        head, rest = os.sep.join(parts[:at]), os.sep.join(parts[at + 1 :])
        roots = [base]
        if head or at:
            roots = glob.glob(glob.escape(base) + head + os.sep)
        taken: dict[str, None] = {}
        for root in roots:
            for directory in self.directories(root):
                found = self.below(directory, rest) if rest else _whole(directory)
                taken.update(dict.fromkeys(found))
        yield from taken

    def directories(self, root: str) -> Iterator[str]:
        """Yield a directory and all below it, each with its separator at the end."""
        pending = [root]
        while pending:
            directory = pending.pop()
            self.visited += 1
            if self.visited > _MOST_DIRECTORIES:
                problem = f"** goes through more than {_MOST_DIRECTORIES:,} directories"
                raise LogError(problem, source=self.pattern, hint=_HINT)
            yield directory
            pending += sorted(_inner(directory), reverse=True)


def _whole(directory: str) -> Iterator[str]:
    """Yield a directory, and what stands in it and is none: that is found itself."""
    if directory:
        yield directory.rstrip(os.sep) or os.sep
    for path in glob.iglob(f"{glob.escape(directory)}*"):
        if not os.path.isdir(path):
            yield path


def _inner(directory: str) -> list[str]:
    """Return the directories in one, without links and hidden ones."""
    try:
        with os.scandir(directory or os.curdir) as entries:
            return [
                os.path.join(directory, entry.name, "")
                for entry in entries
                if not entry.name.startswith(".")
                and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        # as glob does, what cannot be listed matches nothing
        return []
