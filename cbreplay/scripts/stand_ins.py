"""Values to check in place of an argument that the text of a script does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.rules.checks import NOT_TOLD

if TYPE_CHECKING:
    import ast

__all__ = ["MOST_STAND_INS", "SETS_EVERY_RATE", "STAND_INS", "UNKNOWN", "stand_ins"]

UNKNOWN = object()
# a schedule that sets the rate of each epoch, whatever the rate before
SETS_EVERY_RATE = {0: 1e-3}
# a finding has to hold for every one of these
STAND_INS: dict[str, tuple[Any, ...]] = {
    "baseline": (None, 0.5),
    "cooldown": (0, 2, 7),
    "factor": (0.5, 0.2, 0.7),
    "initial_value_threshold": (None, 0.5),
    "min_delta": (0, 1e-4, 0.5),
    "min_lr": (0, 1e-9),
    "mode": ("auto", "min", "max"),
    "monitor": ("val_loss", "val_accuracy", "loss"),
    "patience": (4, 1, 9, 10_000),
    "raise_error": (False, True),
    "restore_best_weights": (True, False),
    "save_best_only": (True, False),
    "save_freq": ("epoch",),
    "save_weights_only": (True, False),
    # any callable: the function of a schedule is not run
    "schedule": (min,),
    "start_from_epoch": (0, 5),
    "verbose": (0,),
}
MOST_STAND_INS = max(map(len, STAND_INS.values()))
# every version takes a file with this ending
_TAKEN = ".weights.h5"


def stand_ins(
    unknown: list[str], turn: int, call: ast.Call, ending: str = ""
) -> dict[str, Any]:
    """Return a value for each unknown argument; each turn has other values.

    `ending` is what a filepath certainly ends in.
    """
    values = {}
    for name in unknown:
        if name == "filepath":
            own = f"{call.lineno}-{call.col_offset}{'' if turn % 2 else '-{epoch}'}"
            # what is not told may complete it
            known = _TAKEN if _TAKEN.endswith(ending) else ending
            values[name] = f"{own}{NOT_TOLD}{known}"
        else:
            choice = STAND_INS[name]
            values[name] = choice[turn % len(choice)]
    return values
