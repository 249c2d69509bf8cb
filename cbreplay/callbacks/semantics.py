"""What differs between Keras versions and backends, each with its source.

A rule reads the fields; no rule asks for a version.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Literal, NamedTuple

from cbreplay.errors import SemanticsError
from cbreplay.monitor import Comparison

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cbreplay.monitor import Precision
    from cbreplay.run import Mode
    from cbreplay.run_metadata import RunMetadata

__all__ = [
    "MonitorRule",
    "ResolvedSemantics",
    "Semantics",
    "known_semantics",
    "resolve_semantics",
]


class MonitorRule(NamedTuple):
    """How a callback compares what it monitors.

    Parameters
    ----------
    precision : {"float32", "float64"}
        To what both sides are rounded before they are compared.
    delta_on : {"value", "reference"}
        Which side carries ``min_delta``.
    absolute_min_delta : bool
        Whether a negative ``min_delta`` is made positive.
    starts_empty : bool
        Whether the first value always improves (``best`` is None before it), even
        NaN, after which nothing does; else ``best`` starts at plus or minus infinity.
    """

    precision: Precision
    delta_on: Literal["value", "reference"]
    absolute_min_delta: bool
    starts_empty: bool


class Semantics(NamedTuple):
    """How one Keras version on one backend decides.

    Parameters
    ----------
    name : str
        What the user or the log named, for example ``"keras-3.15.1"``.
    row : str
        The row of the table that it was resolved to.
    early_stopping, reduce_lr_on_plateau : MonitorRule
        How each compares.
    restores_without_stop : bool
        Whether ``restore_best_weights`` acts at the end of a training that was not
        stopped early.
    flush_subnormals : bool
        Whether float32 comparisons take values below 2**-126 as zero.
    """

    name: str
    row: str
    early_stopping: MonitorRule
    reduce_lr_on_plateau: MonitorRule
    restores_without_stop: bool
    flush_subnormals: bool

    def comparison(self, rule: MonitorRule, mode: Mode, min_delta: float) -> Comparison:
        """Return how a callback with this mode and min_delta compares."""
        size = abs(min_delta) if rule.absolute_min_delta else min_delta
        return Comparison(
            mode=mode,
            delta=-size if mode == "min" else size,
            delta_on=rule.delta_on,
            precision=rule.precision,
            flush_subnormals=self.flush_subnormals,
        )


# keras/src/callbacks/monitor_callback.py, 3.15.1: min_delta = abs(min_delta), best is
# None, ops.less(value - min_delta, best); ops.less casts Python floats to float32 and
# TensorFlow's kernels take subnormals as zero
_FLOAT32_ON_VALUE = MonitorRule(
    precision="float32", delta_on="value", absolute_min_delta=True, starts_empty=True
)

_ROWS = {
    "keras-3.15": Semantics(
        name="keras-3.15",
        row="keras-3.15",
        early_stopping=_FLOAT32_ON_VALUE,  # early_stopping.py, 3.15.1
        reduce_lr_on_plateau=_FLOAT32_ON_VALUE,  # reduce_lr_on_plateau.py, 3.15.1
        restores_without_stop=True,  # early_stopping.py, on_train_end, 3.15.1
        flush_subnormals=True,
    ),
}
_NEWEST = "keras-3.15"
_VERSION = re.compile(r"(keras|tf_keras)-(\d+)\.(\d+)(?:\.\w+)*(\+[\w-]+)?")


class ResolvedSemantics(NamedTuple):
    """Which Keras decides, and what the answer must say about that choice."""

    semantics: Semantics
    notes: tuple[str, ...]


def known_semantics() -> tuple[str, ...]:
    """Return the names of the rows, oldest first."""
    return tuple(_ROWS)


def resolve_semantics(
    name: str | None,
    *,
    metadata: RunMetadata | None = None,
    search_path: Iterable[str] | None = None,
) -> ResolvedSemantics:
    """Find the Keras whose decisions are asked for.

    Parameters
    ----------
    name : str or None
        For example ``"keras-3.15"`` or ``"keras-3.15.1"``. None takes the version in
        the run's ``run.json``, else the Keras that is installed, else the newest one
        that is known.
    metadata : RunMetadata, optional
        The run's ``run.json``.
    search_path : iterable of str, optional
        Where to look for an installed Keras; ``sys.path`` by default.

    Raises
    ------
    SemanticsError
        If the version is older than every known one, or is not a version.
    """
    if name is not None:
        return _resolve(name, asked_by="--semantics")
    if metadata is not None and metadata.keras_version is not None:
        return _resolve(metadata.keras_version, asked_by="run.json")
    installed = _installed_keras(sys.path if search_path is None else search_path)
    if installed is not None:
        return _resolve(installed, asked_by="the installed Keras")
    return ResolvedSemantics(_ROWS[_NEWEST], ())


def _resolve(name: str, *, asked_by: str) -> ResolvedSemantics:
    matched = _VERSION.fullmatch(name)
    if matched is None:
        known = ", ".join(_ROWS)
        sentence = (
            f"{name!r} (from {asked_by}) is not a Keras version such as "
            f"'keras-3.15.1'; known: {known}. "
            "Choose one with --semantics or semantics=."
        )
        raise SemanticsError(sentence)
    package, major, minor, suffix = matched.groups()
    row = f"{package}-{major}.{minor}{suffix or ''}"
    if row in _ROWS:
        return ResolvedSemantics(_ROWS[row]._replace(name=name), ())
    newest = _VERSION.fullmatch(_NEWEST)
    is_newer = (
        package == "keras"
        and suffix is None
        and newest is not None
        and (int(major), int(minor)) > (int(newest[2]), int(newest[3]))
    )
    if not is_newer:
        known = ", ".join(_ROWS)
        sentence = (
            f"the decisions of {name} (from {asked_by}) are not known; known: {known}. "
            f"Choose one with --semantics {_NEWEST} or semantics={_NEWEST!r}, which "
            "replays by that version's rules instead."
        )
        raise SemanticsError(sentence)
    note = (
        f"{name} is newer than the newest version that was measured: "
        f"replayed by the rules of {_NEWEST}"
    )
    return ResolvedSemantics(_ROWS[_NEWEST], (note,))


def _installed_keras(search_path: Iterable[str]) -> str | None:
    """Find Keras by the names of ``*.dist-info`` directories, the first on the path.

    ``importlib.metadata`` alone would cost more than the whole answer.
    """
    for directory in search_path:
        try:
            names = os.listdir(directory or ".")  # noqa: PTH208 - pathlib costs more
        except OSError:
            continue
        for package in ("keras", "tf_keras"):
            for name in names:
                if name.startswith(f"{package}-") and name.endswith(".dist-info"):
                    return name.removesuffix(".dist-info")
    return None
