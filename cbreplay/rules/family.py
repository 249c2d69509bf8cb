"""What a family is: one framework's callbacks and versions."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.rules.training import Framework

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.rules.checks import ListCheck
    from cbreplay.rules.compiled import Compiled
    from cbreplay.run_metadata import RunMetadata

__all__ = ["Family", "ResolvedSemantics"]


class ResolvedSemantics(NamedTuple):
    """Which version decides, and what the answer must say about that choice.

    Parameters
    ----------
    semantics : object
        A row of the family's table of versions: it has a `name` (what was asked for),
        a `row` (which row that is) and a `learning_rate_key`.
    notes : tuple of str
        What to say about the choice.
    family : Family
        Whose version it is.
    """

    semantics: Any
    notes: tuple[str, ...]
    family: Family


class Family(Framework):
    """One framework: its versions, its callbacks, and how it names things.

    A family that inherits from this defines its `name`, its `title`, `owns_version` and
    `resolve`. Everything else has the answer of a framework that has nothing special.
    """

    # what the rows of the registry call it
    name: str
    # what code may write before a callback's name: ``keras.callbacks.``
    prefixes: tuple[str, ...] = ()
    # the names of its callbacks that decide nothing
    bystanders: tuple[str, ...] = ()
    # those bystanders that send what they see: their arguments may be secret
    sending: tuple[str, ...] = ()
    # callbacks of other packages that decide nothing, by package
    loggers_elsewhere: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    # its callbacks that are not replayed, and what to do about each
    not_replayed: Mapping[str, str] = MappingProxyType({})
    # the classes that set the rate, and write it into ``logs``
    rate_changing: tuple[str, ...] = ()

    @property
    def stopping_rule(self) -> type[Any] | None:
        """The rule that stops by a ``patience``, if there is one."""
        return None

    @property
    def reducing_rule(self) -> type[Any] | None:
        """The rule that reduces the rate by a ``patience``, if there is one."""
        return None

    @property
    def list_checks(self) -> tuple[ListCheck, ...]:
        """What `lint` looks for in a list of its callbacks."""
        return ()

    def owns_version(self, name: str) -> bool:
        """Return whether this is the name of one of its versions."""
        raise NotImplementedError

    def recorded_version(self, metadata: RunMetadata) -> str | None:
        """Return the version that a ``run.json`` names; None if it names none."""
        return None

    def imported_version(self, packages: Collection[str]) -> str | None:
        """Return the version that a script with these imports trains with.

        None where they do not tell it, and the version that is installed is meant.
        """
        return None

    def resolve(
        self, name: str | None, *, metadata: RunMetadata | None = None
    ) -> ResolvedSemantics:
        """Find the version that the user names, whose decisions are asked for.

        By default it is the one in `metadata`, the run's ``run.json``, else the one
        that is installed, else the newest known one.
        """
        raise NotImplementedError

    def name_metrics(self, compiled: Compiled, semantics: Any) -> Compiled:
        """Return the metrics of a ``compile`` under the names of one version."""
        return compiled

    def read_object(self, callback: object) -> Callback | None:
        """Return the rule that one of its real callbacks is; None if it is none."""
        return None

    def settle_list(
        self, given: Sequence[object], rules: Sequence[Callback]
    ) -> list[Callback]:
        """Return the rules of a whole list, where one depends on another.

        `rules` are those of the objects in `given`, each read by itself.
        """
        return list(rules)

    def write_code(self, callbacks: Sequence[Callback], version: str) -> str:
        """Write a list of its callbacks as code to paste, for one of its versions."""
        calls = [f"    {rule.code},\n" for rule in callbacks]
        return f"callbacks = [\n{''.join(calls)}]\n"
