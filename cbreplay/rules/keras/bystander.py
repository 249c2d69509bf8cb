"""Bystander: the callbacks of Keras that stand in a list and decide nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cbreplay.errors import ConfigError
from cbreplay.rules.base import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.rules.base import Observation, Training
    from cbreplay.run import Mode

__all__ = ["BYSTANDERS", "Bystander"]

# keras/src/callbacks, 3.15.1: none stops training, sets the rate or swaps weights
BYSTANDERS = (
    "BackupAndRestore",
    "CSVLogger",
    "History",
    "ProgbarLogger",
    "RemoteMonitor",
    "TensorBoard",
)
_NOTHING = Decision()


@dataclass(frozen=True, slots=True)
class Bystander:
    """A callback that logs or saves, kept so that indices are those of the list.

    Parameters
    ----------
    name : str
        Its class in Keras, for example ``"CSVLogger"``.
    arguments : str
        What it was given, as code; it is not read.

    Examples
    --------
    >>> Bystander("CSVLogger", "'logs.csv'").code
    "CSVLogger('logs.csv')"
    """

    name: str
    arguments: str = ""

    monitor: ClassVar[None] = None
    changes_learning_rate: ClassVar[bool] = False
    needs_learning_rate: ClassVar[bool] = False

    @property
    def code(self) -> str:
        """The call that makes it."""
        return f"{self.name}({self.arguments})"

    def resolve_mode(self, training: Training) -> Mode:  # noqa: ARG002
        """Raise ConfigError: nothing is monitored, so nothing is better or worse."""
        sentence = f"{self.name} monitors nothing"
        raise ConfigError(sentence)

    def begin(self, training: Training) -> None:  # noqa: ARG002
        """Return the state at the begin of training: there is none."""
        return

    def step(self, state: None, seen: Observation) -> tuple[None, Decision]:  # noqa: ARG002
        """Decide nothing."""
        return None, _NOTHING

    def written_logs(self, seen: Observation) -> Mapping[str, float]:  # noqa: ARG002
        """Return what it writes into ``logs``: nothing."""
        return {}

    def held_epoch(self, state: None) -> int | None:  # noqa: ARG002
        """Return whose weights it puts back when training ends: none."""
        return None
