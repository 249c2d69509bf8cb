"""Which Keras decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import SemanticsError
from cbreplay.callbacks.semantics import resolve_semantics
from cbreplay.run_metadata import RunMetadata

if TYPE_CHECKING:
    from pathlib import Path


def installed(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / f"{name}.dist-info").mkdir()
    return ["/does/not/exist", str(folder)]


def test_a_patch_release_takes_its_minor_row_and_keeps_its_name() -> None:
    resolved = resolve_semantics("keras-3.15.1")
    assert (resolved.semantics.name, resolved.semantics.row) == (
        "keras-3.15.1",
        "keras-3.15",
    )
    assert resolved.notes == ()


def test_run_json_comes_before_the_installed_keras(tmp_path: Path) -> None:
    path = installed(tmp_path, "keras-2.0.0")
    metadata = RunMetadata(keras_version="keras-3.15.0")
    resolved = resolve_semantics(None, metadata=metadata, search_path=path)
    assert resolved.semantics.name == "keras-3.15.0"


def test_the_installed_keras_is_found_by_its_directory(tmp_path: Path) -> None:
    path = installed(tmp_path, "keras-3.15.1", "keras_tuner-1.0")
    assert resolve_semantics(None, search_path=path).semantics.name == "keras-3.15.1"


def test_without_any_keras_the_newest_known_one_decides(tmp_path: Path) -> None:
    path = installed(tmp_path, "numpy-2.0.0")
    assert resolve_semantics(None, search_path=path).semantics.name == "keras-3.15"


@pytest.mark.parametrize("name", ["keras-3.16.0", "keras-4.0", "keras-3.16.0.dev20"])
def test_a_newer_keras_takes_the_newest_row_and_says_so(name: str) -> None:
    resolved = resolve_semantics(name)
    assert resolved.semantics.row == "keras-3.15"
    assert name in resolved.notes[0]
    assert "newer" in resolved.notes[0]


@pytest.mark.parametrize(
    "name",
    ["keras-3.14.1", "keras-2.15.0", "tf_keras-2.21.0", "keras-3.15+numpy-backend"],
)
def test_what_was_not_measured_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(SemanticsError, match=r"not known.*--semantics keras-3.15"):
        resolve_semantics(name)


@pytest.mark.parametrize("name", ["", "keras", "3.15", "torch-2.0", "keras-x.y"])
def test_what_is_no_version_is_refused(name: str) -> None:
    with pytest.raises(SemanticsError, match="is not a Keras version"):
        resolve_semantics(name)
