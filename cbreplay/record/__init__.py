"""Train with Keras and log what a replay needs."""

from __future__ import annotations

from cbreplay.record.experiments import EXPERIMENTS, Experiment
from cbreplay.record.train import train_experiment

__all__ = ["EXPERIMENTS", "Experiment", "train_experiment"]
