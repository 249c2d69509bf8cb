"""Callbacks without a rule, also of other packages: loggers, bases, unanswerable ones.

keras/src/callbacks, 3.15.1.
"""

from __future__ import annotations

__all__ = ["BYSTANDERS", "LOGGERS_ELSEWHERE", "NOT_REPLAYED", "REFUSED", "SENDING"]

# none of these stops training, sets the rate or swaps weights
BYSTANDERS = (
    "BackupAndRestore",
    "CSVLogger",
    "History",
    "ProgbarLogger",
    "RemoteMonitor",
    "TensorBoard",
)
# their arguments may be an address or a token, and so may those of LOGGERS_ELSEWHERE
SENDING = ("RemoteMonitor",)
# callbacks of other packages that only log or save
LOGGERS_ELSEWHERE = {
    "aim": ("AimCallback", "AimTracker"),
    "cbreplay": ("Recorder",),
    "dvclive": ("DVCLiveCallback", "DvcLiveCallback"),
    "livelossplot": ("PlotLossesKeras", "PlotLossesKerasTF"),
    "mlflow": ("MlflowCallback",),
    "neptune": ("NeptuneCallback",),
    "tensorflow_addons": ("TQDMProgressBar",),
    "tensorflow_docs": ("EpochDots",),
    "tqdm": ("TqdmCallback",),
    "wandb": (
        *("WandbCallback", "WandbEvalCallback", "WandbMetricsLogger"),
        "WandbModelCheckpoint",
    ),
}
# why a replay cannot follow these
REFUSED = {
    "OrbaxCheckpoint": (
        "OrbaxCheckpoint saves by its own manager, in the background and by its own "
        "policy of what is left, which a log does not tell"
    ),
    "SwapEMAWeights": (
        "SwapEMAWeights changes which weights are validated and kept, so the record "
        "of a training without it is of other weights"
    ),
}
# what to do about those that an expression cannot name
NOT_REPLAYED = {
    "Callback": "it decides nothing",
    "CallbackList": "write its callbacks as [..., ...]",
    "LambdaCallback": (
        "its functions are code, which is not read. Give the object itself to "
        "replay_run, or a function that makes it as -c module:name"
    ),
    "MonitorCallback": "it decides nothing",
    **REFUSED,
}
