"""What a hole in a log means for an answer, and what would mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.document import Code, phrase, say
from cbreplay.evidence.holes import find_cadence, find_gap, gap_cause
from cbreplay.rules.base import read_series
from cbreplay.rules.parameters import parameters_of
from cbreplay.wording.note import topic_of
from cbreplay.wording.words import spoken_seam

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Text
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["hole_of_setting", "mending"]


def hole_of_setting(
    run: Run, callbacks: Sequence[Callback], gap_epoch: int | None
) -> Text:
    """Say from which epoch on a log cannot tell, why, and what would mend it."""
    if gap_epoch is None:
        message = "there is a hole where evidence is incomplete"
        raise AssertionError(message)
    name, cause = _lacking_series(run, callbacks, gap_epoch), gap_cause(run, gap_epoch)
    if cause == "possible seam":
        return _possible_seam(run, gap_epoch)
    if cause == "seam":
        words = "At epoch {gap_epoch:epoch} a resumed fit began{}"
        return phrase(words, _instead(run, callbacks, gap_epoch), gap_epoch=gap_epoch)
    if _begins_late(run, name):
        words = "This log begins at epoch {gap_epoch:epoch}: what its callbacks saw "
        words += "before is not in it. {}"
    else:
        why, when = _WHY[cause]
        if cause == "hole" and run.series[name].recorded[gap_epoch - run.first_epoch]:
            # it has a value, and what the callback saw before or between is missing
            head = gap_epoch == run.first_epoch
            when = "before that" if head else "in some epochs after that"
        words = "From epoch {gap_epoch:epoch} on this log cannot tell: it "
        words += f"{why} {{name:code}} {when}. {{}}"
    return phrase(words, mending(run, name), gap_epoch=gap_epoch, name=name)


def _instead(run: Run, callbacks: Sequence[Callback], seam: int) -> Text:
    """Say why a setting would not have led to the fit that began at a seam."""
    before = None if run.metadata is None else run.metadata.fit_before(seam)
    ended = None if before is None else before.ended
    if before is not None and ended is not None and before.cut_short(seam):
        return phrase(
            ", because {} had stopped the one before, which would have gone on: what "
            "it would have trained from there on is not in this log.",
            "a callback" if ended.by == "callback" else Code(ended.by),
        )
    open_end = ended is None and not run.broken_off and _restore(callbacks)
    end = "if the one before came to its end, " if open_end else ""
    words = (
        f", and {end}it would have gone on from other weights: what it would have "
        "trained from there on is not in this log."
    )
    lost = _lost_in_replaced(run, callbacks, seam)
    if lost is not None:
        name, epoch = lost
        return phrase(
            " and wrote rows again, and of the earlier ones the log lacks {name:code} "
            "in epoch {epoch:epoch}: what the fit before it did there is not told. "
            "Give every file of this training, or another log of it.",
            name=name,
            epoch=epoch,
        )
    if seam in (run.first_epoch, *(own for own, _ in run.replaced)):
        left = "weights, files or counters"
        if open_end:
            left = "files or counters, or other weights if it came to its end"
        words = (
            " and wrote rows again: in the earlier ones the fit before it would have "
            f"been stopped, or would have left other {left}, and what comes after that "
            "is not in this log."
        )
    asks = open_end and not run.same_callbacks
    return say(words, _INTERRUPTED if asks else "")


def _lost_in_replaced(
    run: Run, callbacks: Sequence[Callback], seam: int
) -> tuple[str, int] | None:
    """Return the series and the epoch that rows lack which a fit wrote again."""
    for fit in (fit for at, fit in run.replaced if at == seam and fit is not None):
        for name in read_series(callbacks):
            gap = find_gap(fit, name) if name in fit.series else None
            if gap is not None and gap >= seam:
                return name, gap
    return None


def _restore(callbacks: Sequence[Callback]) -> bool:
    """Tell whether a callback may put weights back when training ends."""
    return any(
        parameters_of(rule).get("restore_best_weights", rule.holds_own_code)
        for rule in callbacks
    )


_INTERRUPTED = (
    " A fit that was interrupted puts no weights back: if that one was, "
    "--resume interrupted or resume='interrupted'."
)


def _possible_seam(run: Run, gap_epoch: int) -> Text:
    seam = max(seam for seam in run.possible_seams if seam <= gap_epoch)
    return phrase(
        "From epoch {gap_epoch:epoch} on this log cannot tell: at epoch {seam:epoch} a "
        "fit was resumed, or the same one went on. Say which: {} if a fit was resumed, "
        "and --resume carried or resume='carried' too if under the same callbacks; "
        "--resume never or resume='never' if not.",
        spoken_seam(seam),
        gap_epoch=gap_epoch,
        seam=seam,
    )


_WHY = {
    "hole": ("lacks", "there"),
    "several": ("holds several values of", "by then"),
    "rounded": ("rounds", "too far to tell which of two values is better"),
}


def _lacking_series(
    run: Run, callbacks: Sequence[Callback], gap_epoch: int | None
) -> str:
    """Return the series whose hole ends the evidence."""
    reads = [name for name in read_series(callbacks) if name in run.series]
    lacking = [name for name in reads if find_gap(run, name) == gap_epoch]
    several = [name for name in reads if run.series[name].others]
    return next(iter([*lacking, *several, *reads, *run.series]))


def _begins_late(run: Run, name: str) -> bool:
    """Return whether nothing but the beginning of a series is missing."""
    series = run.series[name]
    return find_gap(run, name) == run.first_epoch and bool(series.recorded.all())


def mending(run: Run, name: str) -> str:
    """Say the one step that would fill the hole of a series."""
    gap = find_gap(run, name)
    if gap is None and name in run.rounded_to and not run.series[name].others:
        return "Event files of the same training hold more digits."
    if gap is None:
        return _RESUMED if run.written_again else "Give the log of one writer alone."
    if _begins_late(run, name):
        return (
            "If a resumed training wrote over the earlier rows, give that log too, or "
            "every file of this training."
        )
    n_lacking = int(np.count_nonzero(~run.has_row))
    sampled = run.begins_at is not None and (
        find_cadence(run, name) is None
        or gap == run.first_epoch
        or n_lacking > run.n_epochs // _MOST_LOST
    )
    if sampled:
        return (
            "It looks like a sample: give the whole history (of W&B "
            "run.scan_history(), which leaves no step out; of TensorBoard its event "
            "files)."
        )
    at = gap - run.first_epoch
    # a value at the gap itself: rows are at irregular distances, so some are missing
    irregular = bool(run.series[name].recorded[at]) and not run.has_row.all()
    # a row without a value may be one of NaN, as pandas writes it
    lost = any(topic_of(note) == "lost rows" for note in run.notes)
    if irregular or (lost and not run.has_row[at]):
        return "Rows are missing: give the whole log, or every file of this training."
    return _EMPTY if name in run.empty_cells else _SILENT


# a log that loses more than this part of its rows is a sample
_MOST_LOST = 4
_RESUMED = (
    "If a fit was broken off and resumed there, the later rows stand: --parts join or "
    "parts='join'. Else give the log of one writer alone."
)
_EMPTY = (
    "If those cells are empty because they were NaN: --empty nan or empty='nan'. "
    "Else give every file of this training, as it was written."
)
_SILENT = (
    "No value was written there: give the whole history (of W&B run.scan_history()), "
    "every file of this training, or another log of it."
)
