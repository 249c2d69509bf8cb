"""Which version of Keras decides: the one that is named, recorded or installed."""

from __future__ import annotations

import functools
import os
import re
import sys
from typing import TYPE_CHECKING

from cbreplay.arguments import shown_value
from cbreplay.by_key import by_key
from cbreplay.errors import SemanticsError
from cbreplay.rules.keras.semantics import (
    SEMANTICS,
    UNMEASURED,
    Semantics,
    has_backends,
    on_platform,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run_metadata import RunMetadata

__all__ = [
    "find_tf_keras",
    "is_keras_version",
    "resolve_keras",
    "spoken_semantics",
]

# the rows of each package, the oldest first
_ROWS = by_key(SEMANTICS, lambda row: row.rpartition("-")[0])
_VERSION = (
    r"(?a)(keras|tf_keras)-(\d{1,4})\.(\d{1,4})((?:\.\w{1,40}){0,4})(\+[\w-]{1,40})?"
)


def is_keras_version(name: str) -> bool:
    """Return whether this is how a Keras version is written, known or not."""
    return re.fullmatch(_VERSION, name) is not None


def spoken_semantics(name: str) -> str:
    """Write the name of a Keras version as people do.

    >>> spoken_semantics("keras-3.15.1"), spoken_semantics("tf_keras-2.21")
    ('Keras 3.15.1', 'tf_keras 2.21')
    """
    package, _, version = name.partition("-")
    return f"{'Keras' if package == 'keras' else package} {version}"


def resolve_keras(
    name: str | None, *, metadata: RunMetadata | None = None
) -> tuple[Semantics, tuple[str, ...]]:
    """Find the Keras whose decisions are asked for, with what to say of that choice.

    Parameters
    ----------
    name : str or None
        For example ``"keras-3.15"``, ``"keras-3.15.1"`` or ``"tf_keras-2.18"``, with
        one suffix if it applies: ``+numpy1`` for tf_keras on numpy 1,
        ``+numpy-backend`` or ``+torch-backend`` for Keras 3 on another backend than
        TensorFlow or JAX. None takes the version in the run's ``run.json`` (its
        backend and numpy choose the suffix), else the Keras that is installed
        (``keras`` before ``tf_keras`` where both are), else the newest known one.
    metadata : RunMetadata, optional
        The run's ``run.json``.

    Raises
    ------
    SemanticsError
        If the version is older than every known one, or is not a version, or if the
        suffix does not go with it.
    """
    if name is not None:
        return _resolve(name, asked_by="--semantics")
    if metadata is not None and metadata.keras_version is not None:
        named = metadata.keras_version + _recorded_suffix(metadata)
        return _resolve(named, asked_by="run.json")
    installed = _installed_keras()
    if installed is not None:
        return _resolve(installed, asked_by="the installed Keras")
    return SEMANTICS[_ROWS["keras"][-1]], ()


@functools.lru_cache(maxsize=64)
def _resolve(name: str, *, asked_by: str) -> tuple[Semantics, tuple[str, ...]]:
    matched = re.fullmatch(_VERSION, str(name))
    if matched is None:
        sentence = (
            f"{shown_value(name)} (from {asked_by}) is not a Keras version such as "
            f"'keras-3.15.1'; known: {_spoken_known()}. "
            "Choose one with --semantics or semantics=."
        )
        raise SemanticsError(sentence)
    package, major, minor, patch, suffix = matched.groups(default="")
    row = f"{package}-{major}.{minor}"
    newest = _ROWS[package][-1]
    if row in SEMANTICS:
        plain, notes = SEMANTICS[row]._replace(name=row + patch), []
    elif (int(major), int(minor)) > _minor_version(newest):
        newer = f"{name} is newer than the newest version that was measured: "
        newer += f"replayed by the rules of {newest}"
        plain, notes = SEMANTICS[newest], [newer]
    else:
        raise _unknown(name, package, asked_by)
    semantics = on_platform(plain, suffix)
    if semantics is None:
        bare = name.removesuffix(suffix)
        sentence = (
            f"{suffix!r} does not go with {bare} (from {asked_by}): +numpy1 goes with "
            "tf_keras and Keras 2; +numpy-backend and +torch-backend go with Keras 3. "
            f"Choose it without, by --semantics {bare} or semantics={bare!r}."
        )
        raise SemanticsError(sentence)
    if suffix in UNMEASURED:
        backend = suffix.removeprefix("+").removesuffix("-backend")
        notes.append(
            f"decisions were not measured on the {backend} backend: replayed by the "
            "rules of TensorFlow"
        )
    return semantics, tuple(notes)


def _minor_version(row: str) -> tuple[int, int]:
    major, minor = row.rpartition("-")[2].split(".")
    return int(major), int(minor)


def _unknown(name: str, package: str, asked_by: str) -> SemanticsError:
    oldest = _ROWS[package][0]
    sentence = (
        f"the decisions of {name} (from {asked_by}) are not known; known: "
        f"{_spoken_known()}. Choose one with --semantics {oldest} or "
        f"semantics={oldest!r}, which replays by that version's rules instead."
    )
    return SemanticsError(sentence)


def _spoken_known() -> str:
    """Name the known versions, from the first to the last of each major one."""
    majors = by_key(SEMANTICS, lambda row: row.rpartition(".")[0]).values()
    return ", ".join(" to ".join(dict.fromkeys((rows[0], rows[-1]))) for rows in majors)


def _recorded_suffix(metadata: RunMetadata) -> str:
    """Return the suffix that a run.json's backend and numpy ask for."""
    version, backend = metadata.keras_version or "", metadata.backend
    if has_backends(version):
        suffix = f"+{backend}-backend"
        return suffix if suffix in ("+numpy-backend", *UNMEASURED) else ""
    written = metadata.raw.get("keras")
    numpy = written.get("numpy") if isinstance(written, dict) else None
    return _numpy_suffix(version, numpy)


def _numpy_suffix(version: str, numpy: object) -> str:
    """Return +numpy1 where that changes what a version decides."""
    matched = re.fullmatch(_VERSION, version)
    row = (
        None if matched is None else SEMANTICS.get("{}-{}.{}".format(*matched.groups()))
    )
    changes = row is None or row.factor_precision == "float32"
    return "+numpy1" if changes and str(numpy).startswith("1.") else ""


def find_tf_keras() -> str:
    """Return the tf_keras that is installed, else the newest known one."""
    return _installed_keras(("tf_keras",)) or _ROWS["tf_keras"][-1]


def _installed_keras(packages: Sequence[str] = ("keras", "tf_keras")) -> str | None:
    """Find Keras by the names of ``*.dist-info`` directories, the first on the path.

    ``importlib.metadata`` alone would cost more than the whole answer.
    """
    found: dict[str, str] = {}
    for directory in sys.path:
        for package, version in _packages_in(directory or "."):
            found.setdefault(package, version)
        if "keras" in packages and "keras" in found:
            return f"keras-{found['keras']}"
    if "tf_keras" not in found:
        return None
    named = f"tf_keras-{found['tf_keras']}"
    return named + _numpy_suffix(named, found.get("numpy"))


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
        if name.endswith(".dist-info"):
            package, _, version = name.removesuffix(".dist-info").partition("-")
            if package in _INSTALLED:
                found.append((package, version))
    return tuple(found)


_INSTALLED = frozenset(("keras", "tf_keras", "numpy"))
