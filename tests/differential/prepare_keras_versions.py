"""Fetch the other versions of Keras that the differential tests drive.

From the root of the repository, with the tests' environment active:

    python -m tests.differential.prepare_keras_versions
    python -m tests.differential.prepare_keras_versions --quick
    python -m tests.differential.prepare_keras_versions keras-3.6 tf_keras-2.21+numpy1

Without a name, every version: some forty wheels. With `--quick`, one version for every
set of rules that goes with the installed TensorFlow: 130 MB. Each wheel is fetched with
pip and unpacked into a directory of its own below CBREPLAY_KERAS_VERSIONS, or the
user's cache; what is there already stays. A version is imported by putting its
directory before the installed packages on PYTHONPATH. Keras 2.15 needs its own
TensorFlow, which takes 1.7 GB and exists for Python 3.11 and older only; the first
versions of Keras 3 need numpy 1, which exists for Python 3.12 and older. Without them
the tests of those versions are skipped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.oracles.keras_versions import (
    NUMPY_1,
    QUICK,
    TENSORFLOW_2_15,
    VERSIONS,
    prepared_directory,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.oracles.keras_versions import KerasVersion

# the last Python that a wheel exists for
LAST_PYTHON = {TENSORFLOW_2_15: (3, 11), NUMPY_1: (3, 12)}


def main() -> None:
    names = [one.semantics for one in VERSIONS]
    parser = argparse.ArgumentParser(description="Fetch other versions of Keras.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help=", ".join(QUICK))
    asked = parser.parse_args()
    unknown = set(asked.names) - set(names)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; -h names all")
    wanted = {*asked.names, *(QUICK if asked.quick else ())}
    prepare(one for one in VERSIONS if not wanted or one.semantics in wanted)


def prepare(versions: Iterable[KerasVersion]) -> None:
    """Fetch what is missing, one directory for each part."""
    target = prepared_directory()
    target.mkdir(parents=True, exist_ok=True)
    parts = dict.fromkeys(part for version in versions for part in version.parts)
    for part in parts:
        if (target / part).is_dir():
            continue
        if sys.version_info[:2] > LAST_PYTHON.get(part, sys.version_info[:2]):
            say(f"skipped {part}: there is none for this Python")
            continue
        # complete or not there at all
        with tempfile.TemporaryDirectory(dir=target) as scratch:
            whole = Path(scratch) / "whole"
            if part == TENSORFLOW_2_15:
                install(part, whole)
            else:
                unpack(part, Path(scratch), whole)
            whole.rename(target / part)
        say(f"prepared {part}")
    say(f"all in {target}")


def requirement(part: str) -> str:
    return "==".join(part.rsplit("-", 1))


def unpack(part: str, scratch: Path, whole: Path) -> None:
    pip("download", "--no-deps", "--only-binary=:all:", "-d", scratch, part)
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(whole)


def install(part: str, whole: Path) -> None:
    pip("install", "--target", whole, part)


def pip(command: str, *words: str | Path) -> None:
    *options, part = map(str, words)
    subprocess.run(  # noqa: S603 - pip, with the names above
        [sys.executable, "-m", "pip", command, "-q", *options, requirement(part)],
        check=True,
    )


def say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201 - a script's progress


if __name__ == "__main__":
    main()
