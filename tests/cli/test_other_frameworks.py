"""An answer about another framework's log says by whose rules it is."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

import pytest

from cbreplay import load_runs
from tests.conftest import VALUES, write_csv
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

_LOSSES = [0.9, 0.7, 0.8, 0.85, 0.9]


@pytest.fixture
def lightning(tmp_path: Path) -> Path:
    place = tmp_path / "lightning_logs" / "version_0"
    place.mkdir(parents=True)
    # at a NaN, which none of these decides by, it may part from Keras
    trained = ["nan", *[1.0] * 4]
    rows = [
        row
        for epoch, loss in enumerate(_LOSSES)
        for row in (
            f"{epoch},{4 * epoch + 3},,{trained[epoch]}",
            f"{epoch},{4 * epoch + 3},{loss},",
        )
    ]
    header = "epoch,step,val_loss,train_loss"
    (place / "metrics.csv").write_text("\n".join([header, *rows, ""]))
    return place / "metrics.csv"


@pytest.fixture
def trainer(tmp_path: Path) -> Path:
    history = [
        {"epoch": float(epoch), "step": 10 * epoch, "eval_loss": loss}
        for epoch, loss in enumerate(_LOSSES, start=1)
    ]
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": history, "global_step": 50}))
    return path


@pytest.mark.parametrize(
    ("log", "framework"), [("lightning", "Lightning"), ("trainer", "Hugging Face")]
)
@pytest.mark.parametrize(
    "words",
    [
        ["simulate"],
        ["simulate", "--patience", "1,2"],
        ["simulate", "--patience", "1", "--versus", "patience=2"],
        ["explain", "--patience", "1"],
    ],
    ids=["staircase", "settings", "versus", "explain"],
)
def test_the_headline_says_by_whose_rules(
    ask: Ask,
    request: pytest.FixtureRequest,
    log: str,
    framework: str,
    words: list[str],
) -> None:
    path = request.getfixturevalue(log)
    command, *options = words
    answer = ask(command, path, *options)
    assert answer.status == 0, answer.err
    headline = " ".join(answer.out.split("\n\n")[0].split())
    assert headline.endswith(f"By Keras's rules: {framework} may decide otherwise.")
    footnote = " ".join(answer.out.split())
    assert (
        f"Where {framework} may decide otherwise: docs/patience-in-every-framework.md."
    ).lower() in footnote.lower()
    told = json.loads(ask(command, path, *options, "--format", "json").out)
    assert [run["framework"] for run in told["runs"]] == [framework]


def test_lightning_is_not_called_different_where_it_decides_alike(
    ask: Ask, lightning: Path
) -> None:
    lightning.write_text(lightning.read_text().replace("nan", "1.0"))
    told = " ".join(ask("simulate", lightning).out.split())
    assert "otherwise" not in told
    assert (
        "Lightning's EarlyStopping of the same patience stops at the same epochs on "
        "such a log" in told
    )


@pytest.mark.parametrize("first_epoch", [0, 3])
def test_lightning_resumes_with_the_counts_of_its_checkpoint(
    ask: Ask, lightning: Path, first_epoch: int
) -> None:
    """Its EarlyStopping has a load_state_dict; Keras's begins anew."""
    header, *rows = lightning.read_text().replace("nan", "1.0").splitlines()
    kept = [row for row in rows if int(row.partition(",")[0]) >= first_epoch]
    lightning.write_text("\n".join([header, *kept, ""]))
    seam = ["--seam", str(first_epoch or 2)]
    told = " ".join(ask("simulate", lightning, *seam).out.split())
    assert "By Keras's rules: Lightning may decide otherwise." in told
    assert "stops at the same epochs" not in told


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_a_page_says_so_too(
    ask: Ask, lightning: Path, tmp_path: Path, suffix: str
) -> None:
    page = tmp_path / f"page{suffix}"
    assert ask("report", lightning, "-o", page).status == 0
    told = html.unescape(page.read_text())
    assert "By Keras's rules: Lightning may decide otherwise" in told
    assert "Where Lightning may decide otherwise: " in told


def test_event_files_know_who_trained(tmp_path: Path) -> None:
    points = [
        (float(at), 4 * at + 3, tag, value)
        for at, loss in enumerate(_LOSSES)
        for tag, value in (("epoch", float(at)), ("val_loss", loss))
    ]
    write_events(tmp_path / "version_0" / "events.out.tfevents.1.host.1.0", points)
    (run,) = load_runs(tmp_path / "version_0")
    assert run.framework == "Lightning"


def test_a_log_of_keras_says_nothing_of_it(ask: Ask, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "logs.csv", VALUES)
    (run,) = load_runs(path)
    assert run.framework == ""
    told = json.loads(ask("simulate", path, "--format", "json").out)
    assert told["runs"][0]["framework"] is None
    assert "By Keras's rules" not in ask("simulate", path).out


def test_an_answer_without_a_changing_rate_says_nothing_about_its_reading(
    ask: Ask, tmp_path: Path
) -> None:
    """What is always so with such a log is told by inspect alone."""
    header = "epoch,train/box_loss,metrics/mAP50(B),val/box_loss,val/cls_loss,lr/pg0"
    rows = [
        f"{epoch},1.0,0.5,{loss},{loss},{0.01 / epoch:.5f}"
        for epoch, loss in enumerate(_LOSSES, start=1)
    ]
    log = tmp_path / "results.csv"
    log.write_text("\n".join([header, *rows, ""]))
    watching = ("--monitor", "val/box_loss", "--mode", "min")
    stopping = ask("simulate", log, *watching).out
    assert "taken as" not in stopping
    reducing = ask("simulate", log, "-c", _PLATEAU).out
    assert "lr/pg0 was taken as the learning rate" in reducing
    assert "lr/pg0 was taken as the learning rate" in ask("inspect", log).out
    # neither of the two losses is nearer to val_loss
    refused = ask("simulate", log)
    assert "did you mean" not in refused.err
    assert "it has train/box_loss" in refused.err


def test_what_was_noted_of_an_error_rate_is_about_no_learning_rate(
    ask: Ask, tmp_path: Path
) -> None:
    log = tmp_path / "logs.csv"
    log.write_text("epoch,word error rate\n0,0.9\n1,\n2,0.5\n3,0.6\n4,0.7\n")
    watching = ("--monitor", "word error rate", "--mode", "min", "--empty", "nan")
    told = " ".join(ask("simulate", log, *watching).out.split())
    assert "Word error rate: 1 empty cell was read as NaN." in told


_PLATEAU = "ReduceLROnPlateau(monitor='val/box_loss', mode='min', patience=9)"


def test_lint_knows_a_validation_by_another_name(ask: Ask, trainer: Path) -> None:
    told = ask("lint", "-c", "EarlyStopping(patience=50)", trainer).out
    assert "the log has no 'val_loss', and has 'eval_loss'" in told
    assert "validated" not in told
