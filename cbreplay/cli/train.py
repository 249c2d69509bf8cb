"""``cbreplay train``: train a bundled experiment and leave a run directory."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cbreplay.cli.outputs import echo_path
from cbreplay.cli.remarks import tell
from cbreplay.errors import ConfigError
from cbreplay.plain_text import shell_words
from cbreplay.record import EXPERIMENTS, train_experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["command"]


_EXPERIMENTS = "\n".join(
    [
        "\b",
        *(
            f"{name:<14} {experiment.summary}"
            for name, experiment in EXPERIMENTS.items()
        ),
    ]
)


@click.command("train", epilog=_EXPERIMENTS)
@click.argument("experiment", type=click.Choice(list(EXPERIMENTS)))
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
    help="Train N seeds from --seed on, into OUT/seed0, OUT/seed1, ...",
)
@click.option("--learning-rate", type=float, help="The optimizer's first rate.")
@click.option("--batch-size", type=int, help="Examples per step.")
@click.option(
    "--validation-freq",
    type=int,
    default=1,
    show_default=True,
    help="Validate after every so many epochs.",
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
@click.pass_obj
def command(
    shared: Mapping[str, Any] | None,
    /,
    *,
    experiment: str,
    seed: int,
    seeds: int | None,
    out: Path | None,
    texts: tuple[str, ...],
    **settings: Any,  # noqa: ANN401 - the options that train_experiment takes as they are
) -> None:
    """Train a bundled EXPERIMENT and leave a run directory.

    The directory holds logs.csv and tensorboard/, written by Keras's own CSVLogger
    and TensorBoard, and run.json, which says how the run was made. The data sets come
    with scikit-learn; nothing is downloaded.
    """
    quiet = bool(shared and shared["quiet"])
    callbacks = _read_callbacks(texts)
    n_epochs = settings["epochs"] or EXPERIMENTS[experiment].epochs
    root, directories = _directories(experiment, seed, seeds, out)
    for offset, directory in enumerate(directories):
        with _progress(directory, n_epochs, quiet=quiet) as on_epoch:
            path = train_experiment(
                experiment,
                out=directory,
                seed=seed + offset,
                callbacks=callbacks,
                on_epoch=on_epoch,
                **settings,
            )
        echo_path(path)
    if not quiet:
        tell(f"next: cbreplay simulate {shell_words([str(root)])}")


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


def _directories(
    experiment: str, seed: int, seeds: int | None, out: Path | None
) -> tuple[Path, list[Path]]:
    """Return where the runs lie, and the directory of each seed."""
    if seeds is None:
        only = out or Path("runs") / f"{experiment}-seed{seed}"
        return only, [only]
    root = out or Path("runs") / experiment
    return root, [root / f"seed{number}" for number in range(seed, seed + seeds)]


@contextlib.contextmanager
def _progress(
    directory: Path, n_epochs: int, *, quiet: bool
) -> Iterator[Callable[[int, Mapping[str, float]], None] | None]:
    """Show each epoch on one line of a terminal, and remove the line at the end.

    What Keras's callbacks print to stdout goes to stderr: stdout is for the paths.
    """
    shown = not quiet and sys.stderr.isatty()
    width = 0

    def show(epoch: int, logs: Mapping[str, float]) -> None:
        nonlocal width
        losses = [f"{name} {logs[name]:.4g}" for name in _SHOWN if name in logs]
        line = "  ".join([f"{directory}: epoch {epoch + 1}/{n_epochs}", *losses])
        tell("\r" + line.ljust(width), end="")
        width = len(line)

    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield show if shown else None
    finally:
        if width:
            tell("\r" + " " * width + "\r", end="")


_SHOWN = ("loss", "val_loss")
