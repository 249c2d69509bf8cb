"""How far a log reaches in a picture: its epoch axis, and where it says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cbreplay.evidence_words import spoken_evidence

if TYPE_CHECKING:
    from cbreplay.replay import Replay

__all__ = ["Shade", "epoch_span", "find_shade"]

_UNRECORDED_MARGIN = 0.12


class Shade(NamedTuple):
    """A stretch about which the log says nothing, in the picture's epochs."""

    start: float
    end: float
    words: str


def find_shade(replay: Replay) -> Shade | None:
    """Return the stretch that is not evidence: past its end, or after the log."""
    run, words = replay.run, spoken_evidence(replay)
    horizon = run.horizon + 1
    if replay.end_of_evidence is not None:
        return Shade(replay.end_of_evidence + 0.5, horizon + 0.5, words)
    if replay.evidence == "exact":
        return None
    end = float(run.planned_epochs or 0)
    if end <= horizon:
        end = horizon + max(2.0, _UNRECORDED_MARGIN * run.n_epochs)
    return Shade(horizon + 0.5, end + 0.5, words)


def epoch_span(replay: Replay) -> tuple[float, float]:
    """Return the ends of the epoch axis: the log, and what is shaded after it."""
    run, shade = replay.run, find_shade(replay)
    first = run.first_epoch + 1
    end = run.horizon + 1.0 if shade is None else max(shade.end, run.horizon + 1.0)
    margin = max(0.5, 0.012 * (end - first))
    # less than one to the left, so that no axis shows an epoch 0
    return first - min(margin, 0.9), end + margin
