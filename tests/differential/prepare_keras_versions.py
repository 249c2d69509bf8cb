"""Fetch every Keras that the differential tests drive.

From the root of the repository, with the tests' environment active:

    python -m tests.differential.prepare_keras_versions

It downloads some forty wheels with pip and unpacks each into a directory of its own
below CBREPLAY_KERAS_VERSIONS, or the user's cache; what is there already stays. A
version is imported by putting its directory before the installed packages on
PYTHONPATH. Keras 2.15 needs its own TensorFlow, which takes 1.7 GB and exists for
Python 3.11 and older only; without it the tests of that version are skipped.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.oracles.keras_versions import TENSORFLOW_2_15, VERSIONS, prepared_directory


def prepare() -> None:
    """Fetch what is missing, one directory for each part."""
    target = prepared_directory()
    target.mkdir(parents=True, exist_ok=True)
    parts = dict.fromkeys(part for version in VERSIONS for part in version.parts)
    for part in parts:
        if (target / part).is_dir():
            continue
        if part == TENSORFLOW_2_15 and sys.version_info >= (3, 12):
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
    prepare()
