"""Which Keras decides."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from cbreplay import SemanticsError
from cbreplay.rules.keras.framework import KERAS
from cbreplay.rules.keras.semantics import SEMANTICS
from cbreplay.run_metadata import RunMetadata

if TYPE_CHECKING:
    from pathlib import Path


def install(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.dist-info").mkdir()


def resolved_on(
    monkeypatch: pytest.MonkeyPatch, *path: Path, metadata: RunMetadata | None = None
) -> str:
    """Return the version that decides where Keras is looked for on this path."""
    with monkeypatch.context() as patched:
        patched.setattr(sys, "path", ["/does/not/exist", *map(str, path)])
        return str(KERAS.resolve(None, metadata=metadata).semantics.name)


def test_a_patch_release_takes_its_minor_row_and_keeps_its_name() -> None:
    resolved = KERAS.resolve("keras-3.15.1")
    assert (resolved.semantics.name, resolved.semantics.row) == (
        "keras-3.15.1",
        "keras-3.15",
    )
    assert resolved.notes == ()


def test_run_json_comes_before_the_installed_keras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "keras-2.0.0")
    metadata = RunMetadata(keras_version="keras-3.15.0")
    assert resolved_on(monkeypatch, tmp_path, metadata=metadata) == "keras-3.15.0"


def test_the_installed_keras_is_found_by_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "keras-3.15.1", "keras_tuner-1.0")
    assert resolved_on(monkeypatch, tmp_path) == "keras-3.15.1"


def test_a_keras_that_is_installed_later_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "numpy-2.0.0")
    assert resolved_on(monkeypatch, tmp_path) == "keras-3.15"
    install(tmp_path, "keras-3.6.0")
    assert resolved_on(monkeypatch, tmp_path) == "keras-3.6.0"


def test_without_any_keras_the_newest_known_one_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "numpy-2.0.0")
    assert resolved_on(monkeypatch, tmp_path) == "keras-3.15"


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("keras-3.16.0", "keras-3.15"),
        ("keras-4.0", "keras-3.15"),
        ("keras-3.16.0.dev20", "keras-3.15"),
        ("tf_keras-2.22.0", "tf_keras-2.21"),
        ("tf_keras-2.22.0+numpy1", "tf_keras-2.21+numpy1"),
    ],
)
def test_a_newer_version_takes_the_newest_row_of_its_package_and_says_so(
    name: str, row: str
) -> None:
    resolved = KERAS.resolve(name)
    assert resolved.semantics.row == row
    assert name in resolved.notes[0]
    assert "newer" in resolved.notes[0]


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("keras-2.14.0", "keras-2.15"),
        ("keras-1.2", "keras-2.15"),
        ("keras-2.16", "keras-2.15"),
        ("tf_keras-2.14.1", "tf_keras-2.15"),
    ],
)
def test_an_older_version_is_refused_with_the_way_out(name: str, way_out: str) -> None:
    with pytest.raises(SemanticsError, match=f"not known.*semantics='{way_out}'"):
        KERAS.resolve(name)


def test_the_refusal_names_the_first_and_last_of_what_is_known() -> None:
    with pytest.raises(SemanticsError) as caught:
        KERAS.resolve("keras-2.3")
    spans = (
        "known: keras-2.15, keras-3.0 to keras-3.15, tf_keras-2.15 to tf_keras-2.21."
    )
    assert spans in str(caught.value)
    keras = [f"keras-3.{minor}" for minor in range(16)]
    tf_keras = [f"tf_keras-2.{minor}" for minor in range(15, 22)]
    assert tuple(SEMANTICS) == ("keras-2.15", *keras, *tf_keras)


@pytest.mark.parametrize(
    "name",
    [
        "keras-3.15+numpy1",
        "keras-2.15+numpy-backend",
        "tf_keras-2.21+torch-backend",
        "keras-3.15+jax-backend",
        "keras-3.15+abc",
    ],
)
def test_a_suffix_that_says_nothing_there_is_refused(name: str) -> None:
    bare, _, suffix = name.partition("+")
    message = rf"'\+{suffix}' does not go with {bare} .*semantics='{bare}'"
    with pytest.raises(SemanticsError, match=message):
        KERAS.resolve(name)


def test_the_numpy_backend_compares_in_float64() -> None:
    on_numpy = KERAS.resolve("keras-3.15.1+numpy-backend").semantics
    assert on_numpy.early_stopping.precision == "float64"
    assert on_numpy.reduce_lr_on_plateau.precision == "float64"
    plain = KERAS.resolve("keras-3.15.1").semantics
    assert plain.early_stopping.precision == "float32"


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_an_unmeasured_backend_takes_the_rules_of_tensorflow_and_says_so(
    backend: str,
) -> None:
    resolved = KERAS.resolve(f"keras-3.15.1+{backend}-backend")
    plain = KERAS.resolve("keras-3.15.1").semantics
    assert resolved.semantics[2:] == plain[2:]
    assert f"not measured on the {backend} backend" in resolved.notes[0]


@pytest.mark.parametrize(
    ("version", "backend", "numpy", "name"),
    [
        ("keras-3.15.1", "tensorflow", "1.26.4", "keras-3.15.1"),
        ("keras-3.15.1", "jax", "2.4.6", "keras-3.15.1"),
        ("keras-3.15.1", "numpy", "2.4.6", "keras-3.15.1+numpy-backend"),
        ("keras-3.15.1", "torch", "2.4.6", "keras-3.15.1+torch-backend"),
        ("tf_keras-2.18.0", "tensorflow", "1.26.4", "tf_keras-2.18.0+numpy1"),
        ("tf_keras-2.18.0", "tensorflow", "2.0.2", "tf_keras-2.18.0"),
        ("tf_keras-2.18.0", None, None, "tf_keras-2.18.0"),
        # there numpy 1 is the only one, and changes nothing
        ("tf_keras-2.17.0", None, "1.26.4", "tf_keras-2.17.0"),
        ("keras-2.15.0", "tensorflow", "1.26.4", "keras-2.15.0"),
    ],
)
def test_backend_and_numpy_of_run_json_choose_the_suffix(
    version: str, backend: str | None, numpy: str | None, name: str
) -> None:
    metadata = RunMetadata(
        keras_version=version, backend=backend, raw={"keras": {"numpy": numpy}}
    )
    resolved = KERAS.resolve(None, metadata=metadata)
    assert resolved.semantics.name == name
    # the name alone leads to the same rules again
    assert KERAS.resolve(name).semantics == resolved.semantics


def test_keras_comes_before_tf_keras_where_both_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    install(first, "tf_keras-2.21.0")
    assert resolved_on(monkeypatch, first) == "tf_keras-2.21.0"
    install(second, "keras-3.6.0")
    assert resolved_on(monkeypatch, first, second) == "keras-3.6.0"


def test_an_installed_tf_keras_is_taken_on_the_installed_numpy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "tf_keras-2.18.0", "numpy-1.26.4")
    assert resolved_on(monkeypatch, tmp_path) == "tf_keras-2.18.0+numpy1"


@pytest.mark.parametrize("name", ["", "keras", "3.15", "torch-2.0", "keras-x.y"])
def test_what_is_no_version_is_refused(name: str) -> None:
    with pytest.raises(SemanticsError, match="is not a Keras version"):
        KERAS.resolve(name)
