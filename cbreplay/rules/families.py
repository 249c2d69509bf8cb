"""The families that there are, and which of them, in which version, decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.errors import ConfigError
from cbreplay.rules.registry import ROWS, RuleRow, import_named, nearest_row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from cbreplay.rules.base import Callback
    from cbreplay.rules.family import Family, ResolvedSemantics
    from cbreplay.run import Run
    from cbreplay.run_metadata import RunMetadata

__all__ = [
    "default_family",
    "family_named",
    "family_of",
    "imported_version",
    "known_families",
    "logs_elsewhere",
    "names_version",
    "reducing_rule",
    "register_family",
    "resolve_semantics",
    "spoken_version",
    "stands_by",
    "stopping_rule",
    "unregister_family",
]

# the first one is the default
_families: dict[str, Family | str] = {"keras": "cbreplay.rules.keras.framework:KERAS"}


def register_family(family: Family, rows: Iterable[RuleRow]) -> None:
    """Make a family and its rules known; each rule's row has the family's name.

    Raises
    ------
    ConfigError
        If a rule or a family of that name is known already.
    """
    listed = {row.name: row for row in rows}
    taken = [name for name in listed if name in ROWS]
    if family.name in _families or taken:
        sentence = f"{', '.join(taken) or family.name} is registered already"
        raise ConfigError(sentence)
    _families[family.name] = family
    ROWS.update(listed)


def unregister_family(name: str) -> None:
    """Forget a family and its rules."""
    del _families[name]
    for row in [row for row in ROWS.values() if row.family == name]:
        del ROWS[row.name]


def known_families() -> Iterator[Family]:
    """Yield every family, the one that decides by default first."""
    yield from map(family_named, tuple(_families))


def stands_by(name: str) -> bool:
    """Return whether a framework has a callback of this name that decides nothing."""
    return any(name in family.bystanders for family in known_families())


def logs_elsewhere(package: str, name: str) -> bool:
    """Return whether another package has a callback of this name that only logs."""
    return any(
        name in family.loggers_elsewhere.get(package, ()) for family in known_families()
    )


def family_named(name: str) -> Family:
    """Return a family by its name."""
    held = _families[name]
    if isinstance(held, str):
        held = _families[name] = import_named(held)
    return held


def default_family() -> Family:
    """Return the family that decides where neither callbacks nor run name one."""
    return family_named(next(iter(_families)))


def stopping_rule() -> type[Any]:
    """Return the rule that stops by a patience, asked about by default."""
    rules = (family.stopping_rule for family in known_families())
    return next(rule for rule in rules if rule is not None)


def reducing_rule() -> type[Any]:
    """Return the rule that reduces the rate by a patience, tried by default."""
    rules = (family.reducing_rule for family in known_families())
    return next(rule for rule in rules if rule is not None)


def family_of(callbacks: Iterable[Callback]) -> Family | None:
    """Return the family of a list of callbacks; None if it goes with every one.

    Raises
    ------
    ConfigError
        If it holds callbacks of two families, which no training can have.
    """
    rows = [nearest_row(type(rule)) for rule in callbacks]
    names = list(dict.fromkeys(row.family for row in rows if row and row.family))
    if len(names) > 1:
        titles = " and ".join(family_named(name).title for name in names)
        sentence = (
            f"the list holds callbacks of {titles}, and no training takes both. "
            "Ask about one of them at a time"
        )
        raise ConfigError(sentence)
    return family_named(names[0]) if names else None


def resolve_semantics(
    name: str | None,
    *,
    metadata: RunMetadata | None = None,
    callbacks: Iterable[Callback] = (),
) -> ResolvedSemantics:
    """Find the version that the user names, whose decisions are asked for.

    None takes the version in `metadata`, the run's ``run.json``, else the one that is
    installed, else the newest known one. The callbacks tell the framework.

    Raises
    ------
    SemanticsError
        If the framework has no such version.
    ConfigError
        If the callbacks are of two frameworks.
    """
    family = family_of(callbacks)
    if family is None:
        family = _family_for(name, metadata)
    return family.resolve(name, metadata=metadata)


def _family_for(name: str | None, metadata: RunMetadata | None) -> Family:
    """Return the family of a version's name, else of the record, else the default."""
    first = default_family()
    if len(_families) == 1:
        return first
    for family in known_families():
        if name is not None and family.owns_version(name):
            return family
        if name is None and metadata is not None and family.recorded_version(metadata):
            return family
    return first


def imported_version(packages: Collection[str]) -> str | None:
    """Return the version that a script which imports these packages trains with.

    None where they do not tell it, and the version that is installed is meant.
    """
    found = (family.imported_version(packages) for family in known_families())
    return next((version for version in found if version is not None), None)


def names_version(run: Run | None) -> bool:
    """Return whether a run's record says which version of a framework trained it."""
    metadata = None if run is None else run.metadata
    return metadata is not None and any(
        family.recorded_version(metadata) is not None for family in known_families()
    )


def spoken_version(name: str) -> str:
    """Write the name of a version as people do.

    >>> spoken_version("keras-3.15.1"), spoken_version("tf_keras-2.21")
    ('Keras 3.15.1', 'tf_keras 2.21')
    """
    return _family_for(name, None).spoken_version(name)
