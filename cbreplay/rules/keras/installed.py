"""Which Keras is installed, found by the names of directories without an import."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["find_installed"]


def find_installed(
    search_path: Iterable[str], packages: Sequence[str]
) -> tuple[str, str | None] | None:
    """Find Keras by the names of ``*.dist-info`` directories, the first on the path.

    ``importlib.metadata`` alone would cost more than the whole answer.

    Returns
    -------
    named : str
        The package and its version.
    numpy : str or None
        The numpy beside a tf_keras: it may change what that decides.
    """
    found: dict[str, str] = {}
    for directory in search_path:
        for package, version in _packages_in(directory or "."):
            found.setdefault(package, version)
        if "keras" in packages and "keras" in found:
            return f"keras-{found['keras']}", None
    if "tf_keras" not in found:
        return None
    return f"tf_keras-{found['tf_keras']}", found.get("numpy")


def _packages_in(directory: str) -> tuple[tuple[str, str], ...]:
    """Return the version of Keras, tf_keras and numpy that a directory holds."""
    try:
        found = os.stat(directory)  # noqa: PTH116 - pathlib costs more
        return _list_packages(directory, (found.st_ino, found.st_mtime_ns))
    except OSError:
        return ()


@functools.lru_cache(maxsize=64)
def _list_packages(
    directory: str,
    state: tuple[int, int],  # noqa: ARG001
) -> tuple[tuple[str, str], ...]:
    """List a directory, once for each inode and mtime, because every run asks."""
    found = []
    for name in os.listdir(directory):  # noqa: PTH208 - as above
        package, _, version = name.removesuffix(".dist-info").partition("-")
        if package in _INSTALLED and name.endswith(".dist-info"):
            found.append((package, version))
    return tuple(found)


_INSTALLED = ("keras", "tf_keras", "numpy")
