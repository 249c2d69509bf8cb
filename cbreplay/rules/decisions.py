"""What a rule sees when a replay calls it, and what it answers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from cbreplay.monitor import Comparison

__all__ = [
    "NOTHING",
    "NO_LOGS",
    "BestSeen",
    "Decision",
    "Observation",
    "Phase",
    "Standing",
]

NO_LOGS: Mapping[str, float] = MappingProxyType({})
# when a rule can act: as training or an epoch begins, within an epoch, at its end
Phase: TypeAlias = Literal["begin", "batch", "end"]


class Observation(NamedTuple):
    """What a rule sees in one of its hooks.

    Parameters
    ----------
    epoch : int
        Zero-based and absolute.
    logs : mapping of str to float
        Keras's ``logs``: what was recorded, and what callbacks before this one wrote.
        A series that was not recorded in this epoch is absent. Empty when it begins.
    learning_rate : float or None
        The optimizer's rate at this moment, a float32 value; None if it is unknown.
    weights_epoch : int
        Whose weights the model holds: those of an earlier epoch where a callback has
        put them back.
    learning_rate_key : str
        The name under which this framework writes the rate into ``logs``.
    stop_training : bool
        Whether a callback before this one has asked for the end of training.
    fit_logs : mapping of str to float
        What ``fit`` itself logged: `logs` without what callbacks wrote.
    """

    epoch: int
    logs: dict[str, float]
    learning_rate: float | None
    weights_epoch: int
    learning_rate_key: str
    stop_training: bool = False
    fit_logs: Mapping[str, float] = NO_LOGS


class Decision(NamedTuple):
    """What a rule decided in one of its hooks.

    Parameters
    ----------
    stop : bool
        Whether it asks for the end of training.
    reduced : bool
        Whether it set the learning rate at the end of the epoch.
    learning_rate : float or None
        The rate it set, a float32 value; None if it set none or it is unknown.
    improved : bool or None
        Whether the value was an improvement; None if nothing was compared.
    restored_epoch : int or None
        Whose weights it put back in this hook.
    saved_files : tuple of str
        The files that it wrote.
    saved_epoch : int or None
        Whose weights went into them.
    scheduled : bool
        Whether it set the learning rate in another hook, mostly as the epoch began.
    cancels_stop : bool
        Whether it took back a stop that a callback before it had asked for.
    """

    stop: bool = False
    reduced: bool = False
    learning_rate: float | None = None
    improved: bool | None = None
    restored_epoch: int | None = None
    saved_files: tuple[str, ...] = ()
    saved_epoch: int | None = None
    scheduled: bool = False
    cancels_stop: bool = False


NOTHING = Decision()


class Standing(NamedTuple):
    """What the next value of a series will be compared with, and how."""

    comparison: Comparison
    best: float | None


class BestSeen(NamedTuple):
    """The best value that a rule has seen, and its epoch; None before the first one."""

    epoch: int | None = None
    value: float | None = None
