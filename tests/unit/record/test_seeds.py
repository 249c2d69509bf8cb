"""The seeds of an experiment, in any number of processes; what is whole is kept."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import OutputError, load_runs
from cbreplay.record import train_experiment
from cbreplay.record.seeds import train_seeds
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau
from cbreplay.run_metadata import Ended

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay.run import FloatArray

pytestmark = [pytest.mark.keras, pytest.mark.slow]

PLATEAU = ReduceLROnPlateau(patience=1, min_delta=0.125)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds, each trained in a process of its own."""
    root = tmp_path_factory.mktemp("seeds")
    train_two(root, jobs=2)
    return root


def train_two(root: Path, **settings: Any) -> list[tuple[str, bool]]:
    directories = {seed: root / f"seed{seed}" for seed in (4, 5)}
    asked: dict[str, Any] = {"epochs": 3, "callbacks": [PLATEAU]} | settings
    runs = train_seeds("diabetes", directories, **asked)
    return [(run.path.name, run.trained) for run in runs]


def test_seeds_in_processes_have_the_logs_that_they_have_alone(
    root: Path, tmp_path: Path
) -> None:
    alone = train_experiment(
        "diabetes", out=tmp_path / "alone", epochs=3, seed=5, callbacks=[PLATEAU]
    )
    log = (alone / "logs.csv").read_bytes()
    assert (root / "seed5" / "logs.csv").read_bytes() == log
    assert (root / "seed4" / "logs.csv").read_bytes() != log


def test_whole_runs_are_kept_and_a_killed_one_is_trained_again(root: Path) -> None:
    assert train_two(root) == [("seed4", False), ("seed5", False)]
    log = root / "seed5" / "logs.csv"
    whole = log.read_bytes()
    # as a kill in the second epoch leaves it
    contents = json.loads((root / "seed5" / "run.json").read_text())
    (root / "seed5" / "run.json").write_text(json.dumps(contents | {"ended": None}))
    log.write_bytes(whole[: len(whole) // 2])
    (root / "seed5" / "resume.keras").unlink()
    assert train_two(root) == [("seed4", False), ("seed5", True)]
    assert log.read_bytes() == whole
    events = list((root / "seed5" / "tensorboard").rglob("events*"))
    assert len(events) == 2


def test_workers_tell_their_epochs_while_they_train(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    runs = train_seeds(
        "diabetes",
        {seed: tmp_path / f"seed{seed}" for seed in (4, 5)},
        jobs=2,
        epochs=3,
        on_epoch=lambda path, epoch, _logs: told.append((path.name, epoch)),
    )
    next(runs)
    before_the_second = len(told)
    assert before_the_second >= 2
    list(runs)
    assert sorted(set(told)) == [
        (f"seed{n}", epoch) for n in (4, 5) for epoch in range(3)
    ]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epochs": 4}, "it holds a run whose epochs is 3, not 4"),
        ({"callbacks": []}, "whose callbacks is"),
        ({"learning_rate": 0.5}, "whose learning_rate is"),
    ],
)
def test_a_run_of_other_settings_is_refused(
    root: Path, settings: dict[str, Any], sentence: str
) -> None:
    before = (root / "seed4" / "run.json").read_bytes()
    with pytest.raises(OutputError, match=sentence):
        train_two(root, **settings)
    assert (root / "seed4" / "run.json").read_bytes() == before


_REFUSED_BESIDE_LONG = """
import sys
from pathlib import Path
from cbreplay.record.seeds import train_seeds

if __name__ == "__main__":
    held, other = map(Path, sys.argv[1:])
    try:
        list(train_seeds("diabetes", {4: held, 6: other}, jobs=2, epochs=40))
    except Exception as error:
        print(error)
"""


def test_a_refusal_lets_the_others_end_however_much_they_tell(
    root: Path, tmp_path: Path
) -> None:
    # a pipe takes 64 kB: with so long a name that is some 20 epochs
    other = tmp_path.joinpath(*(f"{number:0200}" for number in range(15)))
    script = tmp_path / "train_both.py"
    script.write_text(_REFUSED_BESIDE_LONG)
    words = [sys.executable, str(script), str(root / "seed4"), str(other)]
    said = subprocess.run(  # noqa: S603 - our own file
        words, capture_output=True, text=True, timeout=120, check=True
    )
    assert "whose epochs is 3, not 40" in said.stdout
    (run,) = load_runs(other)
    assert run.n_epochs == 40


_LONG = """
import sys
from cbreplay.record.seeds import train_seeds

if __name__ == "__main__":
    from cbreplay.system.interrupts import heed_signals
    heed_signals()
    told = lambda *_: print("an epoch", flush=True)
    seeds = {seed: f"{sys.argv[1]}/seed{seed}" for seed in (4, 5)}
    try:
        list(train_seeds("diabetes", seeds, jobs=2, epochs=100_000, on_epoch=told))
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_what_ends_the_parent_ends_the_trainings(
    tmp_path: Path, ending: signal.Signals
) -> None:
    """A batch system asks the first process alone, and waits half a minute."""
    script = tmp_path / "train_both.py"
    script.write_text(_LONG)
    with subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, str(script), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        # as in the background of a shell
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "an epoch\n"
            process.send_signal(ending)
            # at its end every process that held it has ended
            said = process.stdout.read()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert said.endswith("interrupted\n") == (ending == signal.SIGTERM)
    ends = [json.loads(path.read_text()) for path in tmp_path.glob("*/run.json")]
    assert [contents["ended"]["by"] for contents in ends] == ["interrupt"] * len(ends)
    left = {path.name for path in tmp_path.glob("*/*")}
    assert left <= {"logs.csv", "tensorboard", "run.json", "resume.keras"}


@pytest.mark.no_cover
class TestAnExperiment:
    """Each has the behaviour that its line in the table names."""

    @staticmethod
    def losses(name: str, out: Path, **settings: Any) -> FloatArray:
        (run,) = load_runs(train_experiment(name, out=out, **settings))
        return run.series["val_loss"].values

    def test_at_a_plateau_gains_by_a_reduction(self, tmp_path: Path) -> None:
        constant = self.losses("diabetes-plateau", tmp_path / "constant")
        drop = ReduceLROnPlateau(patience=5, factor=0.2)
        reduced = self.losses("diabetes-plateau", tmp_path / "drop", callbacks=[drop])
        # the mean of the last ten epochs, against the noise of single ones
        assert constant[-10:].mean() > 1.05 * reduced[-10:].mean()

    def test_that_diverges_ends_in_nan(self, tmp_path: Path) -> None:
        losses = self.losses("diabetes-diverging", tmp_path / "run")
        assert np.isfinite(losses[:3]).all()
        assert np.isnan(losses[-1])

    def test_that_is_noisy_steps_further_than_with_half_for_validation(
        self, tmp_path: Path
    ) -> None:
        def steps(name: str) -> float:
            losses = self.losses(name, tmp_path / name, epochs=30)
            return float(np.abs(np.diff(losses[10:])).mean() / losses[10:].mean())

        assert steps("breast-cancer-noisy") > 2 * steps("breast-cancer")

    def test_that_is_validated_sparsely_has_every_fifth_value(
        self, tmp_path: Path
    ) -> None:
        losses = self.losses("breast-cancer-sparse", tmp_path / "run", epochs=12)
        assert np.flatnonzero(~np.isnan(losses)).tolist() == [4, 9]

    def test_that_is_resumed_has_two_fits(self, tmp_path: Path) -> None:
        out = train_experiment("diabetes-resumed", out=tmp_path / "run", epochs=32)
        (run,) = load_runs(out)
        assert (run.seams, run.n_epochs) == ((30,), 32)
        assert run.metadata is not None
        (first,) = run.metadata.earlier_fits
        assert (first.fit.epochs, first.ended) == (30, Ended("plan", 29))
        # whole as it is, and with its first fit alone begun anew
        directories = {0: out}
        (kept,) = train_seeds("diabetes-resumed", directories, epochs=32)
        assert not kept.trained
        log = (out / "logs.csv").read_bytes()
        told = json.loads((out / "run.json").read_text())
        held = told | told["earlier_fits"][0] | {"earlier_fits": []}
        (out / "run.json").write_text(json.dumps(held))
        (again,) = train_seeds("diabetes-resumed", directories, epochs=32)
        assert again.trained
        assert (out / "logs.csv").read_bytes() == log

    def test_that_is_resumed_ends_where_a_callback_stops_its_first_fit(
        self, tmp_path: Path
    ) -> None:
        stop = EarlyStopping("loss", patience=1, min_delta=100.0)
        settings: dict[str, Any] = {"callbacks": [stop]}
        directories = {0: tmp_path / "run"}
        for trained in (True, False):
            (run,) = train_seeds("diabetes-resumed", directories, **settings)
            assert run.trained == trained
        (log,) = load_runs(tmp_path / "run")
        assert (log.seams, log.n_epochs) == ((), 2)

    def test_that_overfits_is_best_before_its_last_epochs(self, tmp_path: Path) -> None:
        losses = self.losses("breast-cancer-overfit", tmp_path / "run")
        assert losses.argmin() < len(losses) // 2
        assert losses[-5:].mean() > 1.5 * losses.min()
