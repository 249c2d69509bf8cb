"""What is handed out is the package and what is to be read about it, no more."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from cbreplay import __version__
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NAME = f"cbreplay-{__version__}"
READ = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "pyproject.toml",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and the source distribution, as the build backend makes them."""
    place = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(place)]
    subprocess.run(build, check=True, cwd=ROOT, capture_output=True)  # noqa: S603 - ours
    return place


@pytest.fixture(scope="module")
def package() -> set[str]:
    """The files of the package, as git knows them."""
    listing = ["git", "ls-files", "-co", "--exclude-standard", "cbreplay"]
    listed = subprocess.run(  # noqa: S603 - our own words
        listing, check=True, cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    return {path for path in listed if (ROOT / path).is_file()}


def test_the_package_holds_code_and_its_few_files_of_data(package: set[str]) -> None:
    others = sorted(path for path in package if not path.endswith(".py"))
    assert [path for path in others if not path.startswith("cbreplay/schemas/")] == [
        "cbreplay/generalization/prior.json",
        "cbreplay/py.typed",
        "cbreplay/tensorboard_plugin/frame.js",
        "cbreplay/writers/moving.js",
        "cbreplay/writers/page.html.j2",
    ]
    kinds = (".py", ".json", ".j2", ".js", "py.typed")
    assert all(path.endswith(kinds) for path in package)


def test_the_wheel_is_the_package(built: Path, package: set[str]) -> None:
    with zipfile.ZipFile(built / f"{NAME}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
    about = {
        f"{NAME}.dist-info/{name}"
        for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")
    }
    assert names == package | about | {f"{NAME}.dist-info/licenses/LICENSE"}


def test_the_source_is_the_package_and_what_to_read(
    built: Path, package: set[str]
) -> None:
    with tarfile.open(built / f"{NAME}.tar.gz") as source:
        members = source.getmembers()
    names = {member.name.removeprefix(f"{NAME}/") for member in members}
    assert names == package | READ | {".gitignore", "PKG-INFO"}
    assert all(member.isfile() for member in members)
