"""cbreplay: backtesting for training callbacks.

Reads what Keras's CSVLogger and TensorBoard callbacks wrote, replays what its
callbacks would have decided under other settings, and says how far the log is
evidence for each answer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cbreplay.version import __version__

if TYPE_CHECKING:
    from cbreplay.errors import (
        CbreplayError,
        ConfigError,
        EvidenceError,
        ExpressionError,
        LogError,
        MissingExtraError,
        OutputError,
        SemanticsError,
        TruncatedLogError,
        UnknownMonitorError,
    )
    from cbreplay.explain import explain_replay
    from cbreplay.expressions import parse_callbacks, read_script_callbacks
    from cbreplay.grid import choices, make_grid, pair_choices
    from cbreplay.judging import Judging
    from cbreplay.lint import lint_callbacks
    from cbreplay.loading import load_runs
    from cbreplay.notebook import Answer, ask
    from cbreplay.recommend import Recommendation, recommend_config
    from cbreplay.record.confirming import confirm_replay
    from cbreplay.record.recorder import Recorder
    from cbreplay.record.recording import recorded, recording
    from cbreplay.replay import Replay, replay_run
    from cbreplay.replay.compare import compare_replays
    from cbreplay.replay.fits import replay_fits
    from cbreplay.rules.beyond_patience.ema import EmaStopping
    from cbreplay.rules.beyond_patience.mean import MeanStopping
    from cbreplay.rules.beyond_patience.target import TargetStopping
    from cbreplay.rules.keras.early_stopping import EarlyStopping
    from cbreplay.rules.keras.keras_code import write_keras_code
    from cbreplay.rules.keras.learning_rate_scheduler import LearningRateScheduler
    from cbreplay.rules.keras.model_checkpoint import ModelCheckpoint
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau
    from cbreplay.rules.keras.terminate_on_nan import TerminateOnNaN
    from cbreplay.rules.prechelt.gl import PrecheltGL
    from cbreplay.rules.prechelt.pq import PrecheltPQ
    from cbreplay.rules.prechelt.up import PrecheltUP
    from cbreplay.run import Run, Series
    from cbreplay.staircase import build_staircase
    from cbreplay.sweep import Sweep, sweep_runs

__all__ = [
    "Answer",
    "CbreplayError",
    "ConfigError",
    "EarlyStopping",
    "EmaStopping",
    "EvidenceError",
    "ExpressionError",
    "Judging",
    "LearningRateScheduler",
    "LogError",
    "MeanStopping",
    "MissingExtraError",
    "ModelCheckpoint",
    "OutputError",
    "PrecheltGL",
    "PrecheltPQ",
    "PrecheltUP",
    "Recommendation",
    "Recorder",
    "ReduceLROnPlateau",
    "Replay",
    "Run",
    "SemanticsError",
    "Series",
    "Sweep",
    "TargetStopping",
    "TerminateOnNaN",
    "TruncatedLogError",
    "UnknownMonitorError",
    "__version__",
    "ask",
    "build_staircase",
    "choices",
    "compare_replays",
    "confirm_replay",
    "explain_replay",
    "lint_callbacks",
    "load_runs",
    "make_grid",
    "pair_choices",
    "parse_callbacks",
    "read_script_callbacks",
    "recommend_config",
    "recorded",
    "recording",
    "replay_fits",
    "replay_run",
    "sweep_runs",
    "write_keras_code",
]

# where each public name lives; imported when it is asked for, so that
# `import cbreplay` loads nothing third-party and `--help` stays quick
_HOMES = {
    "Answer": "notebook",
    "EarlyStopping": "rules.keras.early_stopping",
    "EmaStopping": "rules.beyond_patience.ema",
    "Judging": "judging",
    "LearningRateScheduler": "rules.keras.learning_rate_scheduler",
    "MeanStopping": "rules.beyond_patience.mean",
    "ModelCheckpoint": "rules.keras.model_checkpoint",
    "PrecheltGL": "rules.prechelt.gl",
    "PrecheltPQ": "rules.prechelt.pq",
    "PrecheltUP": "rules.prechelt.up",
    "Recommendation": "recommend",
    "Recorder": "record.recorder",
    "ReduceLROnPlateau": "rules.keras.reduce_lr_on_plateau",
    "Replay": "replay",
    "Run": "run",
    "Series": "run",
    "Sweep": "sweep",
    "TargetStopping": "rules.beyond_patience.target",
    "TerminateOnNaN": "rules.keras.terminate_on_nan",
    "ask": "notebook",
    "build_staircase": "staircase",
    "choices": "grid",
    "compare_replays": "replay.compare",
    "confirm_replay": "record.confirming",
    "explain_replay": "explain",
    "lint_callbacks": "lint",
    "load_runs": "loading",
    "make_grid": "grid",
    "pair_choices": "grid",
    "parse_callbacks": "expressions",
    "read_script_callbacks": "expressions",
    "recommend_config": "recommend",
    "recorded": "record.recording",
    "recording": "record.recording",
    "replay_fits": "replay.fits",
    "replay_run": "replay",
    "sweep_runs": "sweep",
    "write_keras_code": "rules.keras.keras_code",
}
_SUBMODULES = ("distributed", "plots", "recommend", "record", "report")


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module holds anything
    if name in _SUBMODULES:
        return import_module(f"cbreplay.{name}")
    if name not in __all__:
        message = f"module 'cbreplay' has no attribute {name!r}"
        raise AttributeError(message)
    home = import_module(f"cbreplay.{_HOMES.get(name, 'errors')}")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBMODULES])
