"""``cbreplay train``: train a bundled experiment and leave a run directory."""

from __future__ import annotations

import contextlib
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cbreplay.cli.help import CheckedCommand
from cbreplay.cli.progress import watch
from cbreplay.cli.remarks import echo_path, is_quiet, quiet_option, say, tell
from cbreplay.errors import ConfigError
from cbreplay.record import EXPERIMENTS, train_experiment
from cbreplay.record.seeds import train_seeds
from cbreplay.wording.plain_text import shell_words
from cbreplay.wording.shown_digits import spoken_figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cbreplay.cli.progress import Tell
    from cbreplay.record.seeds import SeedRun

__all__ = ["command"]


_EXPERIMENTS = "\n".join(
    [
        "\b",
        *(
            f"{name:<21} {experiment.summary}"
            for name, experiment in EXPERIMENTS.items()
        ),
    ]
)


@click.command("train", cls=CheckedCommand, epilog=_EXPERIMENTS)
@click.argument(
    "experiment", type=click.Choice(list(EXPERIMENTS)), metavar="EXPERIMENT"
)
@click.option("--epochs", type=int, help="As in fit: the absolute end.")
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Decides the split, the first weights and the batches.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    metavar="N",
    help="Train N seeds from --seed on, into OUT/seed0, OUT/seed1, ... A run that is "
    "whole there is kept, one that was broken off is trained again.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Train so many of --seeds at once, each in a process of its own.",
)
@click.option("--learning-rate", type=float, help="The optimizer's first rate.")
@click.option("--batch-size", type=int, help="Examples per step.")
@click.option(
    "--validation-freq",
    type=int,
    help="Validate after every so many epochs.  [default: the experiment's, mostly 1]",
)
@click.option("--append", is_flag=True, help="Resume the run in the directory.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Run directory.  [default: runs/EXPERIMENT-seedSEED]",
)
@click.option(
    "-c",
    "--callbacks",
    "texts",
    multiple=True,
    metavar="TEXT",
    help='Keras callbacks to train under: "ReduceLROnPlateau(patience=4)". '
    "Without any, the whole curve is recorded.",
)
@quiet_option
def command(
    *,
    experiment: str,
    seed: int,
    seeds: int | None,
    jobs: int | None,
    out: Path | None,
    texts: tuple[str, ...],
    **settings: Any,  # noqa: ANN401 - the options that train_experiment takes as they are
) -> None:
    """Train a bundled EXPERIMENT and leave a run directory.

    The directory holds logs.csv and tensorboard/, written by Keras's own CSVLogger
    and TensorBoard, and run.json, which says how the run was made. The data sets come
    with scikit-learn; nothing is downloaded.

    \b
    cbreplay train digits-mlp --epochs 25 --out runs/first
    cbreplay train digits-mlp --seeds 20 --jobs 4 --out runs/twenty
    cbreplay train diabetes-plateau -c "ReduceLROnPlateau(patience=4)"
    """
    if jobs is not None and seeds is None:
        message = "--jobs shares out the runs of --seeds N; give that too."
        raise click.UsageError(message)
    settings["callbacks"] = _read_callbacks(texts)
    if seeds is None:
        root = out or Path("runs") / f"{experiment}-seed{seed}"
        _train_one(experiment, root, seed, settings)
    else:
        root = out or Path("runs") / experiment
        numbers = range(seed, seed + seeds)
        directories = {number: root / f"seed{number}" for number in numbers}
        _train_each(experiment, directories, jobs or 1, settings)
    if not is_quiet():
        tell(f"next: cbreplay simulate {shell_words([str(root)])}")


def _train_one(
    experiment: str, root: Path, seed: int, settings: dict[str, Any]
) -> None:
    n_epochs = settings["epochs"] or EXPERIMENTS[experiment].epochs
    # what Keras's callbacks print is no part of the answer
    with contextlib.redirect_stdout(sys.stderr), watch("training") as tell_epoch:
        progress = _Progress(tell_epoch, 1, n_epochs)
        on_epoch = functools.partial(progress.take_epoch, root)
        train_experiment(experiment, out=root, seed=seed, on_epoch=on_epoch, **settings)
    echo_path(root)


def _train_each(
    experiment: str, directories: dict[int, Path], jobs: int, settings: dict[str, Any]
) -> None:
    n_epochs = settings["epochs"] or EXPERIMENTS[experiment].epochs
    with watch("training") as tell_epoch:
        progress = _Progress(tell_epoch, len(directories), n_epochs)
        on_epoch = progress.take_epoch
        runs = train_seeds(
            experiment, directories, jobs=jobs, on_epoch=on_epoch, **settings
        )
        kept = list(_print_each(runs, progress))
    if kept:
        say(f"kept, as trained before: {', '.join(kept)}")


def _print_each(runs: Iterable[SeedRun], progress: _Progress) -> Iterator[str]:
    """Print each directory as its run ends; yield the names of those that were kept."""
    for run in runs:
        echo_path(run.path)
        progress.take_run(run.path)
        if not run.trained:
            yield run.path.name


class _Progress:
    """Counts the epochs of all runs, and shows the progress after each."""

    def __init__(self, tell_epoch: Tell, n_runs: int, n_epochs: int) -> None:
        self._tell, self._n_epochs = tell_epoch, n_epochs
        self._total = n_runs * n_epochs
        self._done: dict[Path, int] = {}

    def take_epoch(
        self, directory: Path, epoch: int, logs: Mapping[str, float]
    ) -> None:
        """Show that an epoch of a run has ended, with its losses."""
        losses = [
            f"{name} {spoken_figure(logs[name])}" for name in _SHOWN if name in logs
        ]
        self._take(directory, epoch + 1, "  ".join([*losses, str(directory)]))

    def take_run(self, directory: Path) -> None:
        """Show that a run has ended, was stopped early, or was there already."""
        self._take(directory, self._n_epochs, str(directory))

    def _take(self, directory: Path, n_done: int, note: str) -> None:
        self._done[directory] = n_done
        self._tell(sum(self._done.values()), self._total, note)


def _read_callbacks(texts: tuple[str, ...]) -> list[Any]:
    """Return the callbacks that the expressions name, one value to each parameter."""
    if not texts:
        return []
    from cbreplay.expressions import parse_callbacks
    from cbreplay.grid import Choices

    callbacks = parse_callbacks(*texts)
    if any(isinstance(callback, Choices) for callback in callbacks):
        sentence = (
            f"-c is {' '.join(texts)!r}, which offers choices, and one run is trained "
            "under one value each. Leave one; cbreplay simulate answers for the others."
        )
        raise ConfigError(sentence)
    return callbacks


_SHOWN = ("loss", "val_loss")
