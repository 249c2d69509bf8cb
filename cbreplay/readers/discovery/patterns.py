"""The paths that a glob pattern matches; links that lead in circles are no problem."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING

from cbreplay.errors import LogError
from cbreplay.readers.base import UnreadableError
from cbreplay.readers.discovery.training_files import as_people_count
from cbreplay.readers.entries import list_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.base import Damage

__all__ = ["expand_pattern"]

_ANY_DEPTH = "**"
# a pattern through a whole system would meet hundreds of thousands in /proc and /sys
_MOST_DIRECTORIES = 100_000
_HINT = "Name a directory nearer to the logs"


def expand_pattern(pattern: str, damage: Damage) -> list[str]:
    """Return the paths that match a pattern, in order.

    As ``glob.glob`` with ``recursive=True``, but ``**`` does not follow links to
    directories, which may lead in circles, and goes through so many directories only;
    and one that cannot be listed is damage, where glob would say nothing.

    Raises
    ------
    LogError
        If there are more, if one cannot be listed and that is an error, or if the
        system takes no such path.
    """
    try:
        return sorted(_Search(pattern, damage).below("", pattern), key=as_people_count)
    except (OSError, ValueError) as error:
        if isinstance(error, LogError):
            raise
        problem = f"this pattern cannot be followed ({error})"
        raise LogError(problem, source=pattern, hint=_HINT) from None


class _Search:
    """The walk of one pattern through directories."""

    def __init__(self, pattern: str, damage: Damage) -> None:
        self.pattern, self.damage = pattern, damage
        self.visited = 0

    def below(self, base: str, pattern: str) -> Iterator[str]:
        """Yield what matches in a directory, whose own name is no pattern."""
        parts = pattern.split(os.sep)
        if _ANY_DEPTH not in parts:
            self.look_through(glob.escape(base), parts)
            yield from glob.glob(glob.escape(base) + pattern)
            return
        at = parts.index(_ANY_DEPTH)
        head, rest = os.sep.join(parts[:at]), os.sep.join(parts[at + 1 :])
        roots = [base]
        if head or at:
            self.look_through(glob.escape(base), parts[:at])
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
            pending += sorted(self.inner(directory), reverse=True)

    def inner(self, directory: str) -> list[str]:
        """Return the directories in one, without links and hidden ones."""
        return [
            os.path.join(directory, entry.name, "")
            for entry in self.entries(directory)
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        ]

    def look_through(self, base: str, parts: list[str]) -> None:
        """Report the directories that a pattern without ``**`` cannot look into."""
        for at in range(1, len(parts)):
            if not glob.has_magic("".join(parts[:at])):
                continue
            for directory in glob.glob(base + os.sep.join([*parts[:at], ""])):
                # if the next name is no pattern, the directory need not be listed
                if glob.has_magic(parts[at]) or not os.access(directory, os.X_OK):
                    self.entries(directory)

    def entries(self, directory: str) -> list[os.DirEntry[str]]:
        """Return the entries of a directory; report one that cannot be listed."""
        try:
            return list_entries(directory.rstrip(os.sep) or directory or os.curdir)
        except UnreadableError as error:
            self.damage.remember(error)
            return []


def _whole(directory: str) -> Iterator[str]:
    """Yield a directory and its files; directories in it are yielded by themselves."""
    if directory:
        yield directory.rstrip(os.sep) or os.sep
    for path in glob.iglob(f"{glob.escape(directory)}*"):
        if not os.path.isdir(path):
            yield path
