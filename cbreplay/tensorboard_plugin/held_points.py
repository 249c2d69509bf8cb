"""Runs from the points that TensorBoard holds, if it holds all of them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar.metadata import create_summary_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

from cbreplay.errors import ConfigError
from cbreplay.loading import load_runs
from cbreplay.system.whole_files import passing_directory
from cbreplay.wording.plain_text import well_formed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.run import Run

__all__ = ["HeldPoints"]

_SCALARS = "scalars"
_EVERY = 2**31 - 1
# most file systems take 255 bytes
_LONGEST_PART, _SHOWN_PART = 200, 32
_SOURCE = "the points that TensorBoard holds"


class HeldPoints:
    """The scalars that TensorBoard has read itself, from any kind of log directory.

    Parameters
    ----------
    context : TBContext
        TensorBoard's own; it holds the points, and says how many it keeps of a series.
    """

    def __init__(self, context: Any) -> None:  # noqa: ANN401 - TensorBoard's own
        self._provider = context.data_provider
        self._kept = (context.sampling_hints or {}).get(_SCALARS)

    def are_all(self) -> bool:
        """Return whether no point of a series is left out."""
        return self._provider is not None and self._kept == 0

    def version(self) -> str:
        """Return a digest that changes when points are added."""
        digest = hashlib.sha256()
        for run, series in sorted(self._read().items()):
            for tag, points in sorted(series.items()):
                told = f"{run}\n{tag}\n{len(points)} {points[-1:]}\n"
                digest.update(told.encode("utf-8", "backslashreplace"))
        return digest.hexdigest()

    def read_runs(self) -> list[Run]:
        """Write the points to event files, and read these as any others.

        Raises
        ------
        ConfigError
            If there are none yet.
        """
        held = self._read()
        if not held:
            sentence = "TensorBoard has not read a scalar yet"
            raise ConfigError(sentence)
        with passing_directory() as place:
            # a run at the root gets this name
            root = Path(place, "logdir")
            root.mkdir()
            for run, series in held.items():
                _write(series, root.joinpath(*_parts(run)))
            found = load_runs(str(root), errors="skip")
            return [replace(run, source=_SOURCE) for run in found]

    def _read(self) -> Mapping[str, Mapping[str, Sequence[Any]]]:
        from tensorboard.context import RequestContext

        held: Mapping[str, Mapping[str, Sequence[Any]]] = self._provider.read_scalars(
            RequestContext(),
            experiment_id="",
            plugin_name=_SCALARS,
            downsample=_EVERY,
        )
        return held


def _parts(run: str) -> Iterator[str]:
    """Yield safe directory names for a run's name, which may be any text."""
    for part in well_formed(run.replace("\0", "")).split("/"):
        if len(part.encode()) > _LONGEST_PART:
            # file systems differ in how long a name may be
            digest = hashlib.sha256(part.encode()).hexdigest()
            yield f"{part[:_SHOWN_PART]}~{digest[:_SHOWN_PART]}"
        elif part not in ("", os.curdir, os.pardir):
            yield part


def _write(series: Mapping[str, Sequence[Any]], folder: Path) -> None:
    """Write points as Keras's callback does, in the order in which they were logged."""
    # the writer would make it too, but its errors are TensorFlow's own
    folder.mkdir(parents=True, exist_ok=True)
    writer = EventFileWriter(str(folder))
    metadata = create_summary_metadata("", "")
    logged = [(point, tag) for tag, points in series.items() for point in points]
    for point, tag in sorted(
        logged, key=lambda pair: (pair[0].step, pair[0].wall_time)
    ):
        value = Summary.Value(
            tag=tag,
            # a double holds every float32
            tensor=make_tensor_proto(np.float64(point.value)),
            metadata=metadata,
        )
        event = Event(step=point.step, wall_time=point.wall_time)
        event.summary.value.append(value)
        writer.add_event(event)
    writer.close()
