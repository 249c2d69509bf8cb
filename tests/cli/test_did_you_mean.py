"""A misspelt path, run or value is answered with the nearest one there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.wording.near_names import nearest_path
from tests.conftest import VALUES, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "overfit").mkdir()
    write_csv(tmp_path / "overfit" / "logs.csv", VALUES)
    (tmp_path / "train.py").write_text("print(1)\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("overfi", "overfit"),
        ("overfit/log.csv", "overfit/logs.csv"),
        # what is wrong is the directory: the file below it is there
        ("overfi/logs.csv", "overfit/logs.csv"),
        ("overfi/other.csv", "overfit"),
        ("./trian.py", "train.py"),
        ("overfit/logs.csv/x", "overfit/logs.csv"),
        # an ending that both have is no likeness
        ("nofile.py", None),
        ("trains.csv", None),
        ("train.txt", "train.py"),
        ("zzz", None),
        ("zzz/logs.csv", None),
    ],
)
@pytest.mark.usefixtures("here")
def test_the_nearest_entry_of_the_deepest_directory_is_meant(
    typed: str, meant: str | None
) -> None:
    assert nearest_path(typed) == (f"; did you mean {meant!r}?" if meant else "")


@pytest.mark.parametrize(
    "command", ["simulate", "explain", "recommend", "report", "plot", "inspect"]
)
@pytest.mark.usefixtures("here")
def test_every_command_on_logs_says_what_may_be_meant(ask: Ask, command: str) -> None:
    answer = ask(command, "overfi")
    assert answer.status == 2
    assert (
        "overfi: there is no such file or directory; did you mean 'overfit'? Give"
        in (answer.err)
    )


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["lint", "trian.py"], "'train.py'? Give"),
        (["record", "trian.py"], "'train.py'? Give"),
        (["simulate", "overfit", "-c", "@trian.py"], "'train.py'? Give"),
        (["simulate", "overfit", "--run", "overfot"], "'overfit'? There is overfit"),
        (["simulate", "overfit", "--format", "jsn"], "Did you mean 'json'?"),
        (["simulate", "overfit", "--keep", "bst"], "Did you mean 'best'?"),
        (["train", "digits-mpl"], "Did you mean 'digits-mlp'?"),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_misspelt_word_is_answered_with_the_nearest(
    ask: Ask, words: list[str], meant: str
) -> None:
    answer = ask(*words)
    assert answer.status == 2
    assert meant in answer.err


@pytest.mark.usefixtures("here")
def test_quiet_keeps_the_doubts_and_leaves_out_the_next_command(ask: Ask) -> None:
    told, quiet = ask("simulate", "overfit"), ask("simulate", "overfit", "-q")
    assert "cbreplay report overfit" in told.out
    assert "cbreplay report" not in quiet.out
    # all else stands: an answer without its doubts would say more than is known
    assert (
        quiet.out.rstrip()
        == told.out.split("\n Why:")[0].split("\n A page:")[0].rstrip()
    )
