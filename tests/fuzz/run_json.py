"""Hunt through ``run.json``: beside a log, read and asked about by every command.

python -m tests.fuzz.run_json --minutes 10
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay import CbreplayError, load_runs
from tests.conftest import ROOT, VALUES, write_csv
from tests.fuzz.hunt import Channel, ask, expect, hunt_from_command_line
from tests.fuzz.json_trees import change_tree, damage_text, write_tree

if TYPE_CHECKING:
    import random
    from pathlib import Path

_SAMPLES = ROOT / "sample_logs"
_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("simulate",),
    ("simulate", "--format", "json"),
    ("simulate", "--patience", "1:3", "--format", "json"),
    ("simulate", "-c", "ReduceLROnPlateau(patience=1)", "--format", "csv"),
    ("simulate", "--patience", "2", "--versus", "EarlyStopping(patience=1)"),
    ("explain", "--format", "json"),
    ("explain", "--patience", "2"),
    ("lint",),
    ("lint", "--format", "json"),
    ("inspect", "-v"),
    ("inspect", "--format", "json"),
    ("recommend", "--format", "json"),
    ("recommend", "--group-by", "run.json"),
    ("recommend", "--group-by", "optimizer.class"),
)


class RunJson(NamedTuple):
    """A ``run.json``, and what is done with it."""

    content: bytes
    log: str
    commands: tuple[tuple[str, ...], ...]


@functools.cache
def _seeds() -> tuple[Any, ...]:
    told = [json.loads(path.read_text()) for path in sorted(_SAMPLES.rglob("run.json"))]
    whole = json.loads((_SAMPLES / "digits-cnn-resumed" / "run.json").read_text())
    rules = ["EarlyStopping(patience=2)", "ReduceLROnPlateau(patience=1, factor=0.1)"]
    rules += [
        "LearningRateScheduler({0: 0.01, 4: 0.001})",
        "ModelCheckpoint('a.keras')",
    ]
    return (*told, whole | {"callbacks": rules, "ended": None}, whole)


@functools.cache
def _keys() -> tuple[str, ...]:
    text = (ROOT / "cbreplay" / "schemas" / "run.schema.json").read_text()
    names: set[str] = set()
    pending = [json.loads(text)]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            names |= set(part.get("properties", {}))
            pending += part.values()
    return tuple(sorted(names))


def _make_case(pick: random.Random) -> RunJson:
    tree = change_tree(pick.choice(_seeds()), pick, _keys())
    text = write_tree(tree, indent=pick.choice([None, 1]))
    chosen = tuple(pick.choice(_COMMANDS) for _ in range(2))
    return RunJson(damage_text(text, pick), pick.choice(_LOGS), chosen)


_LOGS = ("plain", "rate", "restarted", "resumed")


def _write_log(directory: Path, kind: str) -> None:
    rate = 0.01 if kind == "rate" else None
    path = write_csv(directory / "logs.csv", VALUES, rate=rate)
    if kind in ("restarted", "resumed"):
        lines = path.read_text().splitlines(keepends=True)
        again = lines[1:] if kind == "restarted" else lines[5:]
        path.write_text("".join([*lines, *again]), newline="")


def _check(case: RunJson, place: Path) -> str:
    _write_log(place, case.log)
    (place / "run.json").write_bytes(case.content)
    outcome = "refused"
    for errors in ("strict", "skip"):
        try:
            runs = load_runs(place, errors=errors)
        except CbreplayError as error:
            expect(len(str(error)) < 5000)
        else:
            notes = [note for run in runs for note in run.notes]
            assert notes == [note for note in notes if len(note) < 3000]
            noted = any(note.startswith("run.json: ") for note in notes)
            left_out = any(note.startswith("left out beside") for note in notes)
            outcome = "left out" if left_out else "noted" if noted else "read"
    for command, *options in case.commands:
        ask(command, place, *options)
    return outcome


RUN_JSON = Channel("run_json", _make_case, _check)

if __name__ == "__main__":
    hunt_from_command_line(RUN_JSON)
