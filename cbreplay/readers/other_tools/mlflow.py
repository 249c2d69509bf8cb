"""Read metric histories that MLflow exports: a row for each key and step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cbreplay.errors import LogError
from cbreplay.readers.base import Damage, ForeignLogError, read_beginning, read_bytes
from cbreplay.readers.building.step_rows import fold_by
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.columns.table import LogTable
from cbreplay.readers.formats import FormatReader
from cbreplay.readers.other_tools.json_text import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.run import Run

__all__ = ["MLflowReader"]

_RUN_NAMES = ("run_id", "run_uuid", "run id", "run", "run name", "name")


class MLflowReader(FormatReader):
    """Reader of MLflow's histories, CSV or JSON, with ``key``, ``value``, ``step``."""

    log_format = "mlflow"

    def read(self, path: str) -> Iterator[Run]:
        """Yield each run in the export.

        Raises
        ------
        LogError
            If it is damaged, or a step is no whole number.
        """
        rows = _read_rows(path)
        by_run: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            name = next((str(row[key]) for key in _RUN_NAMES if row.get(key)), "")
            by_run.setdefault(name, []).append(row)
        for name, own in by_run.items():
            table = LogTable.of_rows(_by_step(own, path), path, Damage(self.options))
            table.check_whole()
            epoch = "epoch" if "epoch" in table.columns else None
            fold_by(table, epoch, "step", self.options)
            for run in build_runs(table, self.options, self.metadata):
                yield replace(run, name=name) if len(by_run) > 1 else run


def _read_rows(path: str) -> list[dict[str, Any]]:
    beginning = read_beginning(path, 100).lstrip(b"\xef\xbb\xbf \t\r\n")
    rows = read_json(path) if beginning[:1] in b"{[" else _read_csv(path)
    if isinstance(rows, dict):
        rows = rows.get("metrics")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problem = "this is no list of metrics"
        hint = "Export what get_metric_history returns: key, value, step, timestamp"
        raise ForeignLogError(problem, source=path, hint=hint)
    rows = [{key.lower(): value for key, value in row.items()} for row in rows]
    if not rows:
        problem, hint = "there is no metric in it", "Export a run that logged metrics"
        raise LogError(problem, source=path, hint=hint)
    return rows


def _read_csv(path: str) -> list[dict[str, str]]:
    """Read the rows of a CSV, whose keys are text."""
    import csv

    from cbreplay.readers.columns.header import decode_beginning

    text = decode_beginning(read_bytes(path))
    if not text.endswith(("\n", "\r")):
        problem = "the file breaks off in its last row"
        raise LogError(problem, source=path, hint="Give the whole file")
    lines = csv.reader(text.splitlines(), strict=True)
    header: list[str] = []
    try:
        header = [name.strip() for name in next(lines)]
        return [dict(zip(header, row, strict=True)) for row in lines if row]
    except (csv.Error, ValueError) as error:
        problem = f"a row cannot be cut into {len(header)} cells ({error})"
        raise LogError(
            problem, source=path, line=lines.line_num, hint="Export it again"
        ) from None


def _by_step(rows: Sequence[Mapping[str, Any]], path: str) -> list[dict[str, Any]]:
    """Lay the keys of each step side by side, in the order of the steps."""
    steps: dict[int, dict[str, Any]] = {}
    for row in rows:
        step = _whole(row.get("step"))
        key = row.get("key")
        if step is None or not isinstance(key, str):
            problem = f"the step {row.get('step')!r} of {key!r} is not a whole number"
            raise LogError(problem, source=path, hint="Export the history with steps")
        if key == "step":
            continue
        values = steps.setdefault(step, {"step": step})
        if key in values and values[key] != row.get("value"):
            problem = f"{key!r} has several values at step {step}: a resumed run"
            hint = "Export the history of one training"
            raise LogError(problem, source=path, hint=hint)
        values[key] = row.get("value")
    return [steps[step] for step in sorted(steps)]


def _whole(value: object) -> int | None:
    try:
        number = float(value)  # type: ignore[arg-type]  # what is no number is caught
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() and abs(number) < _EXACT else None


_EXACT = 2.0**53
