"""A replay is held against a training, and what differs is found."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from cbreplay import ConfigError, EarlyStopping, Run, load_runs, parse_callbacks
from cbreplay.answers.confirmation import confirmation_document
from cbreplay.cli.main import main
from cbreplay.record import train_experiment
from cbreplay.record.confirming import Retrainer
from cbreplay.replay import replay_run
from cbreplay.writers.as_csv import write_csv
from cbreplay.writers.as_text import write_text

if TYPE_CHECKING:
    from cbreplay.record.confirming import Confirmation

pytestmark = [pytest.mark.keras, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # full batches at this rate: the loss rises now and then
    return train_experiment(
        "diabetes",
        out=tmp_path_factory.mktemp("runs") / "run",
        epochs=8,
        batch_size=512,
        learning_rate=0.2,
    )


@pytest.fixture(scope="module")
def model(folder: Path) -> Retrainer:
    (run,) = load_runs(folder)
    return Retrainer(run)


def verdicts(confirmation: Confirmation) -> dict[str, str]:
    return {entry.name: entry.verdict for entry in confirmation.items}


def test_a_stop_and_the_weights_that_are_put_back_are_confirmed(
    model: Retrainer,
) -> None:
    setting = EarlyStopping(patience=1, restore_best_weights=True)
    confirmation = model.confirm(setting)
    assert confirmation.replay.evidence == "exact"
    assert confirmation.trained.stopped
    assert verdicts(confirmation) == dict.fromkeys(
        [
            "curve",
            "learning rates",
            "stop",
            "kept weights",
            "kept value",
            "best value",
            "best epoch",
        ],
        "held",
    )


def test_the_weights_in_a_file_are_those_of_the_epoch_that_was_predicted(
    model: Retrainer,
) -> None:
    text = "ModelCheckpoint('there/w.weights.h5', save_weights_only=True)"
    confirmation = model.confirm(parse_callbacks(text))
    assert verdicts(confirmation)["file there/w.weights.h5"] == "held"
    # nothing is written where the setting says
    assert not Path("there").exists()


def test_loggers_of_a_list_stand_by_as_they_do_in_a_recorded_one(
    model: Retrainer,
) -> None:
    texts = "EarlyStopping(patience=1)", "CSVLogger('logs.csv')", "TensorBoard('tb')"
    confirmation = model.confirm(parse_callbacks(*texts))
    assert confirmation.held
    assert confirmation.trained.stopped
    assert not Path("logs.csv").exists()
    assert not model.confirm(parse_callbacks(texts[1])).trained.stopped


def test_files_of_one_name_in_several_directories_are_several(
    model: Retrainer, tmp_path: Path
) -> None:
    saved = "save_best_only=True, mode"
    paths = ["a/best.keras", "b/best.keras", "../best.keras", f"{tmp_path}/best.h5"]
    modes = ["min", "max", "min", "max"]
    texts = [
        f"ModelCheckpoint({path!r}, {saved}={mode!r})"
        for path, mode in zip(paths, modes, strict=True)
    ]
    confirmation = model.confirm(parse_callbacks(*texts))
    files = {
        entry.name: (entry.predicted, entry.trained)
        for entry in confirmation.items
        if entry.name.startswith("file ")
    }
    # the epoch of the least loss and of the largest, each twice
    losses = model.run.series["val_loss"].values.tolist()
    least, largest = losses.index(min(losses)), losses.index(max(losses))
    assert files == {
        f"file {path}": (epoch, epoch)
        for path, epoch in zip(paths, [least, largest] * 2, strict=True)
    }
    assert not list(tmp_path.iterdir())


def test_a_prediction_that_is_wrong_fails_with_what_was_true(model: Retrainer) -> None:
    from cbreplay.record.confirming import _SideBySide

    lie = replay_run(model.run, EarlyStopping(patience=1))
    truth = model.confirm(EarlyStopping(patience=50)).trained
    items = {
        entry.name: entry
        for entry in _SideBySide(model.run, lie, model.again, truth).items()
    }
    assert items["stop"].verdict == "failed"
    assert (items["stop"].predicted, items["stop"].trained) == (lie.stopped_epoch, None)
    assert items["kept weights"].verdict == "failed"
    assert items["kept weights"].trained == 7


def test_past_a_change_of_the_rate_nothing_is_promised(model: Retrainer) -> None:
    text = "ReduceLROnPlateau(patience=1, factor=0.5, min_delta=100.0)"
    confirmation = model.confirm(parse_callbacks(text))
    # no epoch improves by so much: the third is the first at another rate
    assert confirmation.replay.divergence_epoch == 2
    assert confirmation.held
    assert verdicts(confirmation)["stop"] == "fiction"
    assert verdicts(confirmation)["curve"] == "held"
    # people read words that say it without a glossary, programs the same as ever
    document = confirmation_document(confirmation)
    text = write_text(document)
    assert re.search(r"^ curve  .* same$", text, re.MULTILINE)
    assert re.search(r"^ stop  .* no promise$", text, re.MULTILINE)
    assert "fiction" not in text
    assert ",fiction," in write_csv(document)


def test_a_run_that_trains_to_other_numbers_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    for name in ("logs.csv", "run.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    text = (tmp_path / "run.json").read_text()
    (tmp_path / "run.json").write_text(text.replace('"seed": 0', '"seed": 1'))
    (run,) = load_runs(tmp_path)
    with pytest.raises(ConfigError, match="has another loss from epoch 1 on"):
        Retrainer(run)


def test_what_keras_objects_to_in_a_record_is_one_sentence(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "logs.csv").write_bytes((folder / "logs.csv").read_bytes())
    told = json.loads((folder / "run.json").read_text())
    told["callbacks"] = ["EarlyStopping(monitor='no_such')"]
    (tmp_path / "run.json").write_text(json.dumps(told))
    (run,) = load_runs(tmp_path)
    with pytest.raises(ConfigError, match=r"does not train under .*ValueError.*such"):
        Retrainer(run)


def test_a_log_that_no_experiment_wrote_is_refused() -> None:
    run = Run.from_logs([{"loss": 1.0}])
    with pytest.raises(ConfigError, match="that can be read"):
        Retrainer(run)


def test_the_command_says_it_side_by_side(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert main(["confirm", "run", "--patience", "1", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["command"] == "confirm"
    assert {entry["verdict"] for entry in answer["confirmation"]} == {"held"}
    monkeypatch.setattr("cbreplay.record.confirming.Confirmation.held", False)
    assert main(["confirm", "run", "--patience", "1"]) == 1
    assert "what " in capsys.readouterr().out


# the rate is another one within the second fit
SCHEDULE = parse_callbacks("LearningRateScheduler({0: 0.2, 6: 0.1})")


@pytest.fixture(scope="module", params=["plan", "interrupt"])
def resumed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Retrainer:
    """A run of two fits; the first ended by its plan, or was broken off."""
    out = tmp_path_factory.mktemp("resumed") / "run"
    shape: dict[str, Any] = {"batch_size": 512, "callbacks": SCHEDULE}

    def break_off(epoch: int, _logs: object) -> None:
        if epoch == 3 and request.param == "interrupt":
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        train_experiment(
            "diabetes",
            out=out,
            epochs=8 if request.param == "interrupt" else 4,
            learning_rate=0.2,
            on_epoch=break_off,
            **shape,
        )
    (run,) = load_runs(
        train_experiment("diabetes", out=out, epochs=8, append=True, **shape)
    )
    assert run.seams == (4,)
    return Retrainer(run)


@pytest.mark.no_cover
@pytest.mark.parametrize("resume", ["fresh", "carried"])
def test_a_resumed_run_is_resumed_in_the_training_that_confirms(
    resumed: Retrainer, resume: Literal["fresh", "carried"]
) -> None:
    # the loss falls too slowly for it: no epoch but the first improves
    setting = EarlyStopping("loss", min_delta=10.0, patience=5)
    confirmation = resumed.confirm([*SCHEDULE, setting], resume=resume)
    # five more epochs are waited in neither fit: the wait begins anew
    assert confirmation.replay.stopped_epoch is None
    assert confirmation.held
    assert verdicts(confirmation)["curve"] == "held"
    assert verdicts(confirmation)["learning rates"] == "held"
    assert len(confirmation.trained.logs) == 8


def test_a_stop_in_the_first_fit_ends_the_training(resumed: Retrainer) -> None:
    setting = EarlyStopping("loss", min_delta=10.0, patience=2)
    confirmation = resumed.confirm([*SCHEDULE, setting])
    assert confirmation.replay.stopped_epoch == 2
    assert confirmation.held
    assert len(confirmation.trained.logs) == 3


def test_a_callback_of_ones_own_is_copied_before_it_trains(model: Retrainer) -> None:
    from tests.custom_callbacks import StopAtMinimum

    stopper = StopAtMinimum(patience=1)
    confirmation = model.confirm(stopper)
    assert confirmation.held
    assert confirmation.replay.stopped_epoch is not None
    assert not {"wait", "best"} & set(vars(stopper))
