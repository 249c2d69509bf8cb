"""What a page that moves looks up, read from its data as plainly as can be."""

from __future__ import annotations

import base64
import struct
from typing import Any, NamedTuple

__all__ = ["Told", "code_of", "look_up", "states_of"]


class Told(NamedTuple):
    """What a page says of one run at one setting; epochs count from 0.

    `shown_epochs` are those up to the stop, or to the first that is no evidence. What
    is saved is shown where a setting is exact.
    """

    evidence: str
    stopped_epoch: int | None
    kept_epoch: int | None
    kept_value: float | None
    regret: float | None
    shown_epochs: int
    brief: str
    seconds_saved: float | None = None


def states_of(page: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Return every state that its sliders reach: view, min_delta, patience."""
    return [
        (number, delta, patience)
        for number, view in enumerate(page["views"])
        for delta in range(len(view["min_delta"]))
        for patience in range(view["last"] + 1)
    ]


def look_up(
    page: dict[str, Any], row: int, view: int, delta: int, patience: int
) -> Told:
    """Return what it says of a run in a state."""
    _, first, *_ = page["runs"][row]
    shown = page["views"][view]
    flat = shown["steps"][row][shown["of"][row][delta]]
    steps = [flat[at : at + 4] for at in range(0, len(flat), 4)]
    begin, number, trained, place = [step for step in steps if step[0] <= patience][-1]
    evidence, brief, _, stopped, judged, later_end, later_kept = page["kinds"][number]
    more = patience - begin
    trained += more * later_end
    kept = None if place < 0 else place + more * later_kept
    value = regret = None
    if kept is not None and judged:
        value, regret = _judged(page["judged"], row)[kept]
    epochs = page["runs"][row][2]
    lasting = page["seconds"][row]
    saved = epochs - trained
    is_timed = evidence == "exact" and lasting is not None and saved <= len(lasting)
    return Told(
        evidence,
        first + trained - 1 if stopped else None,
        None if kept is None else first + kept,
        value,
        regret,
        trained,
        brief.format(limit=first + trained - 1, next=first + trained),
        sum(lasting[:saved]) / 10 if is_timed else None,
    )


def _judged(
    judged: dict[str, Any], row: int
) -> dict[int, tuple[float | None, float | None]]:
    at, places = 0, []
    for by in judged["kept"][row]:
        at += by
        places.append(at)
    values, regrets = (_floats(judged[name][row]) for name in ("values", "regrets"))
    return dict(zip(places, zip(values, regrets, strict=True), strict=True))


def _floats(text: str) -> list[float | None]:
    raw = base64.b64decode(text)
    numbers = struct.unpack(f"<{len(raw) // 8}d", raw)
    return [None if number != number else number for number in numbers]  # noqa: PLR0124


def code_of(page: dict[str, Any], view: int, delta: int, patience: int) -> str:
    """Return the code that it offers to paste."""
    shown = page["views"][view]
    _, value = shown["min_delta"][delta]
    usual_patience, usual_min_delta = shown["usual"]
    number = 0 if patience == usual_patience else 2
    number += usual_min_delta is not None and float(value) != usual_min_delta
    chosen = shown["code"][number]
    blanks = {"p": str(patience), "m": value}
    return "".join(
        blanks[piece] if at % 2 else piece for at, piece in enumerate(chosen)
    )
