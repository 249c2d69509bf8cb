"""Hunt through callback expressions, on the command line and as ``@file``.

    python -m tests.fuzz.expressions --minutes 10

A text that is taken is replayed, swept, explained and linted; the sweep and the replay
have to agree.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay import (
    CbreplayError,
    EvidenceError,
    Run,
    explain_replay,
    make_grid,
    parse_callbacks,
    replay_run,
    sweep_runs,
)
from tests.conftest import VALUES, write_csv
from tests.fuzz.hunt import Channel, ask, hunt_from_command_line

if TYPE_CHECKING:
    import random
    from pathlib import Path

_RULES = {
    "EarlyStopping": "monitor min_delta patience verbose mode baseline "
    "restore_best_weights start_from_epoch",
    "ReduceLROnPlateau": "monitor factor patience verbose mode min_delta cooldown "
    "min_lr",
    "ModelCheckpoint": "filepath monitor verbose save_best_only save_weights_only mode "
    "save_freq initial_value_threshold",
    "TerminateOnNaN": "raise_error",
    "LearningRateScheduler": "schedule verbose",
    "PrecheltGL": "alpha monitor mode restore_best_weights",
    "PrecheltPQ": "alpha strip_length training_monitor",
    "PrecheltUP": "strips strip_length",
    "EmaStopping": "patience monitor smoothing min_delta mode restore_best_weights",
    "MeanStopping": "patience window",
    "TargetStopping": "target monitor",
    "CSVLogger": "filename append",
    "History": "",
    "LambdaCallback": "on_epoch_end",
    "Nonsense": "patience",
}
_PREFIXES = ("", "", "", "keras.callbacks.", "tf.keras.callbacks.", "os.", "")
_NAMES = ("'val_loss'", "'loss'", "'val_accuracy'", "['val_loss', 'loss']", "'lr'")
_FLAGS = ("True", "False", "1", "0", "[True, False]", "None")
_COUNTS = ("0", "1", "2", "3", "10", "range(1, 4)", "[1, 2, 3]", "1.5", "-1")
_SIZES = (
    "0",
    "0.1",
    "0.5",
    "1e-3",
    "[0, 0.1]",
    "0.009999999",
    "1e-8",
    "each([0, 0.2])",
)
_USUAL: dict[str, tuple[str, ...]] = {
    "monitor": _NAMES,
    "training_monitor": ("'loss'",),
    "mode": ("'auto'", "'min'", "'max'", "['min', 'max']"),
    "min_delta": _SIZES,
    "baseline": (*_SIZES, "None"),
    "factor": _SIZES,
    "min_lr": _SIZES,
    "alpha": ("1", "5", "[1, 2, 5]", "0.5"),
    "smoothing": ("0.9", "[0.5, 0.9]", "1"),
    "target": ("0.5", "[0.3, 0.5]", "-1"),
    "initial_value_threshold": (*_SIZES, "None"),
    "save_freq": ("'epoch'", "'epoch'", "5"),
    "filepath": ("'a.keras'", "'w{epoch:02d}-{val_loss:.2f}.keras'", "'a.weights.h5'"),
    "schedule": ("{0: 0.01, 3: 0.001}", "{0: 0.01}", "{2: 0.0}", "f"),
    **dict.fromkeys(("patience", "cooldown", "start_from_epoch", "strips"), _COUNTS),
    **dict.fromkeys(("strip_length", "window"), ("1", "2", "5")),
}
_HOSTILE = (
    *("9" * 5000, "0x" + "f" * 5000, "1" + "0" * 400, "9" * 19, "9" * 300, "1e400"),
    *("-1e400", "1e-320", "5e-324", "b'x'", "1j", "{1, 2}", "...", "()", "[]", "{}"),
    *("[[]]", "[[1]]", "range(0)", "range(10**3)", "range(1, 2, 0)", "range('a')"),
    *("'\\ud800'", "'\\x00'", "'\\u202e\\x1b[31m'", "f'{1}'", "f'{x!r}'", "x", "x.y"),
    *("lambda: 0", "1 if 1 else 2", "[i for i in y]", "not 1", "-'a'", "~1", "2**9"),
    *("__import__('os').system('x')", "'{0}{1}'", "'{epoch.x}.keras'", "'%s.h5'"),
    *("'{epoch:999999999}.keras'", "'{epoch:{epoch}}.keras'", "'{loss!r}.keras'"),
    *("[None, 1]", "['a', 1]", "[b'x']", "{1: 2}", "{'a': [1]}", "{0: 10**400}", "*x"),
    *(
        "'=1+1'",
        "'<script>'",
        "'a' * 9",
        "(" * 60 + ")" * 60,
        "-" * 300 + "1",
        "'" + "é" * 99,
    ),
)
_MOST_CELLS, _MOST_CONFIGS = 300, 20_000


class Expression(NamedTuple):
    """Texts of ``-c``, and how they are given."""

    texts: tuple[str, ...]
    as_file: bool
    command: tuple[str, ...]


@functools.cache
def _run() -> Run:
    values = [*VALUES, 0.47, 0.9, float("nan"), 0.46, 0.46]
    logs = [
        {"val_loss": one, "loss": 1 - one / 9, "val_accuracy": 1 - one, "lr": 0.01}
        for one in values
    ]
    return Run.from_logs(logs)


def _make_case(pick: random.Random) -> Expression:
    texts = tuple(_text(pick) for _ in range(pick.choice([1, 1, 1, 2])))
    return Expression(texts, pick.random() < 0.2, pick.choice(_COMMANDS))


_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("simulate",),
    ("simulate", "--format", "json"),
    ("simulate", "--format", "csv"),
    ("simulate", "--keras-code"),
    ("explain", "--format", "json"),
    ("explain",),
    ("lint",),
    ("report", "-o", "page.html"),
)


def _text(pick: random.Random) -> str:
    calls = [_call(pick) for _ in range(pick.choice([1, 1, 1, 2, 3]))]
    text = ", ".join(calls)
    if len(calls) > 1 or pick.random() < 0.1:
        text = f"[{text}]"
    if pick.random() < 0.1:
        at = pick.randrange(len(text) + 1)
        extra = pick.choice([")", "(", "'", ",", "=", "\\", "\0", "#", "\n", "é", "@"])
        text = text[:at] + extra + text[at + pick.randrange(2) :]
    return text


def _call(pick: random.Random) -> str:
    name = pick.choice([*_RULES, "EarlyStopping", "ReduceLROnPlateau"])
    known = _RULES[name].split()
    arguments = []
    if name == "ModelCheckpoint" and pick.random() < 0.8:
        arguments.append("'a.keras'")
        known = known[1:]
    for parameter in pick.sample(known, pick.randrange(min(len(known), 3) + 1)):
        usual = _USUAL.get(parameter, _FLAGS)
        value = pick.choice(usual if pick.random() < 0.85 else _HOSTILE)
        arguments.append(f"{parameter}={value}")
    if pick.random() < 0.1:
        arguments.append(pick.choice(["x=1", "**y", "*z", "2", "patience=1", "é=1"]))
    return f"{pick.choice(_PREFIXES)}{name}({', '.join(arguments)})"


def _check(case: Expression, place: Path) -> str:
    try:
        grid = make_grid(parse_callbacks(*case.texts))
    except CbreplayError as refused:
        outcome = _length_of(refused)
    else:
        outcome = _decide(grid)
    log = place / "log.csv"
    if not log.exists():
        write_csv(log, VALUES, rate=0.01)
    words = [word for text in case.texts for word in ("-c", text)]
    if case.as_file and not any("\0" in text for text in case.texts):
        asked = place / "asked.txt"
        asked.write_text("\n".join(case.texts), encoding="utf-8")
        words = ["-c", f"@{asked}"]
    command, *options = case.command
    options = [str(place / one) if one == "page.html" else one for one in options]
    logs = [log] if command != "lint" else []
    ask(command, *logs, *words, *options)
    return outcome


def _length_of(error: CbreplayError) -> str:
    assert len(str(error)) < 3000
    return "refused"


def _decide(grid: Any) -> str:
    if not 0 < len(grid) <= _MOST_CONFIGS:
        return "many"
    chosen = [grid[position] for position in sorted({0, len(grid) // 2, len(grid) - 1})]
    replays = []
    for config in chosen:
        try:
            replays.append(replay_run(_run(), config))
            explain_replay(replays[-1])
        except CbreplayError as refused:
            return _length_of(refused)
    if len(grid) > _MOST_CELLS:
        return "read"
    try:
        sweep = sweep_runs([_run()], grid)
    except EvidenceError as refused:
        return _length_of(refused)
    for position, replay in zip(
        sorted({0, len(grid) // 2, len(grid) - 1}), replays, strict=True
    ):
        stopped = (
            sweep.stopped_epoch[0, position] if sweep.stopped[0, position] else None
        )
        assert replay.stopped_epoch == stopped, grid[position]
        assert sweep.evidence[0, position] == _EVIDENCE.index(replay.evidence)
        if sweep.kept[0, position]:
            assert replay.kept_epoch == sweep.kept_epoch[0, position]
            value = replay.outcome.kept_value
            kept = sweep.kept_value[0, position]
            expected = np.nan if value is None else value
            np.testing.assert_equal(kept, expected)
    return "swept"


_EVIDENCE = ("exact", "censored", "diverged", "incomplete")

EXPRESSIONS = Channel("expressions", _make_case, _check)

if __name__ == "__main__":
    hunt_from_command_line(EXPRESSIONS)
