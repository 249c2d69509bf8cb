from __future__ import annotations

import sys
from subprocess import run as run_process
from typing import TYPE_CHECKING

import matplotlib as mpl
import pytest

from cbreplay import ConfigError, EarlyStopping, OutputError, Replay, Run, replay_run
from cbreplay.plots import plot_replay, save_figure
from cbreplay.system.whole_files import write_whole

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def replay() -> Replay:
    run = Run.from_logs({"val_loss": one} for one in (0.9, 0.5, 0.4, 0.6, 0.7))
    return replay_run(run, EarlyStopping(patience=2), semantics="keras-3.15")


@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PNG", b"\x89PNG")],
)
def test_the_suffix_decides_the_format(
    replay: Replay, tmp_path: Path, suffix: str, start: bytes
) -> None:
    path = save_figure(plot_replay(replay), tmp_path / f"curve{suffix}")
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_replay_gives_the_same_bytes(
    replay: Replay, tmp_path: Path, suffix: str
) -> None:
    paths = [
        save_figure(plot_replay(replay), tmp_path / f"{name}{suffix}") for name in "ab"
    ]
    first, second = (path.read_bytes() for path in paths)
    assert first == second


def test_another_suffix_names_what_is_written(replay: Replay, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"'.gif', where .png, .svg or .pdf is expected"
    ):
        save_figure(plot_replay(replay), tmp_path / "curve.gif")
    assert list(tmp_path.iterdir()) == []


def test_drawing_leaves_the_settings_alone_and_pyplot_out(
    replay: Replay, tmp_path: Path
) -> None:
    before = dict(mpl.rcParams)
    save_figure(plot_replay(replay), tmp_path / "curve.svg")
    assert dict(mpl.rcParams) == before
    program = "import cbreplay.plots, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    # the program is ours
    done = run_process([sys.executable, "-c", program], check=False)  # noqa: S603
    assert done.returncode == 0


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "curve.png"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OutputError, match=r"cannot write .*No space left on device"):
        write_whole(path, b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["curve.png"]
    assert path.read_bytes() == b"old"


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file or directory"):
        write_whole(tmp_path / "absent" / "curve.png", b"new")


def test_a_picture_can_be_read_by_those_who_may_read_new_files(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "curve.png", b"new")
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
