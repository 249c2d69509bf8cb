"""Bystander: a callback of a list that decides nothing, such as a logger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from cbreplay.rules.base import Callback

if TYPE_CHECKING:
    from cbreplay.rules.decisions import Phase

__all__ = ["Bystander"]


@dataclass(frozen=True, slots=True)
class Bystander(Callback):
    """A callback that logs or saves, kept so that indices are those of the list.

    Parameters
    ----------
    name : str
        Its class, for example ``"CSVLogger"``.
    arguments : str
        Its arguments as code; they are not interpreted.
    is_private : bool
        Whether the arguments are never shown, because they may be an address or token.

    Examples
    --------
    >>> Bystander("CSVLogger", "'logs.csv'").code
    "CSVLogger('logs.csv')"
    >>> Bystander("RemoteMonitor", "'https://me:pw@host'", is_private=True)
    Bystander(name='RemoteMonitor', is_private=True)
    """

    name: str
    arguments: str = field(default="", repr=False)
    is_private: bool = False

    acts_at: ClassVar[frozenset[Phase]] = frozenset()

    @property
    def class_name(self) -> str:
        """Its class."""
        return self.name

    @property
    def code(self) -> str:
        """The call that makes it."""
        hidden = self.is_private and self.arguments
        return f"{self.name}({'...' if hidden else self.arguments})"
