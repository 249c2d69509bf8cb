"""Train with Keras and record what a replay needs.

`recording` and `recorder` record trainings of a user, `launch` a script of theirs;
`train` and `seeds` train the bundled `experiments`; `confirming` trains again to check
a replay. `run_directory` knows the files of a run.
"""

from __future__ import annotations

from cbreplay.record.experiments import EXPERIMENTS, Experiment
from cbreplay.record.train import train_experiment

__all__ = ["EXPERIMENTS", "Experiment", "train_experiment"]
