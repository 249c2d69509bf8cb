"""Numbers, epochs, names and evidence as people read them, on every surface."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from cbreplay.holes import gap_cause
from cbreplay.plain_text import without_secrets
from cbreplay.rules.registry import spoken_version
from cbreplay.shown_digits import shown_digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.replay import Replay
    from cbreplay.run import Run, Series
    from cbreplay.validity import Evidence

__all__ = [
    "Parting",
    "as_sentence",
    "brief_evidence",
    "brief_limit",
    "changes_recorded_rate",
    "count",
    "find_non_finite",
    "limits_explained",
    "list_names",
    "parting_of",
    "parting_words",
    "spoken_counting",
    "spoken_divergence",
    "spoken_epoch",
    "spoken_evidence",
    "spoken_limit",
    "spoken_non_finite",
    "spoken_number",
    "spoken_range",
    "spoken_rows",
    "spoken_seconds",
    "spoken_semantics",
    "takes_nan",
    "visible_text",
]

_LARGEST_PLAIN = 1e7
# what is otherwise at a divergence: a rate that a reduction or a schedule sets, one
# that the recorded training alone changed, or weights that were put back
Parting: TypeAlias = Literal["reduction", "recorded", "schedule", "weights"]


def spoken_number(value: float | None, decimals: int) -> str:
    """Write a number of a column; '-' where there is none.

    >>> [spoken_number(value, 4) for value in (0.3121, 0.0, None, 2e-9, 3e9)]
    ['0.3121', '0', '-', '2.0e-09', '3.000e+09']
    """
    if value is None:
        return "-"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if value == 0:
        return "0"
    if abs(value) >= _LARGEST_PLAIN:
        return f"{value:.{shown_digits() - 1}e}"
    text = f"{value:.{decimals}f}"
    # a difference too small for the column is still not zero
    return text if float(text) != 0 else f"{value:.1e}"


def spoken_epoch(epoch: int | None) -> str:
    """Write a zero-based epoch as people count it."""
    return "-" if epoch is None else str(epoch + 1)


def spoken_range(first: int, last: int | None) -> str:
    """Write both ends, once if they are one.

    >>> spoken_range(3, 3), spoken_range(2, 4), spoken_range(59, None)
    ('3', '2-4', '59 or more')
    """
    if last is None:
        return f"{first} or more"
    return str(first) if first == last else f"{first}-{last}"


def count(number: int, noun: str) -> str:
    """Write a number with its noun.

    >>> count(1, "epoch"), count(3, "epoch")
    ('1 epoch', '3 epochs')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def spoken_rows(text: str, run: Run) -> str:
    """Call the rows of a run evaluations in a sentence, where they are no epochs.

    A sentence that speaks of both, and names such as ``val_epoch``, stay as they are.
    """
    if run.steps is None or "evaluation" in text:
        return text
    return _EPOCH.sub(lambda found: _EVALUATION[found[1]] + found[2], text)


_EPOCH = re.compile(r"""(?<![\w/{<."'-])([Ee])poch(s?)(?![\w/}>="'-])""")
_EVALUATION = {"e": "evaluation", "E": "Evaluation"}


def spoken_counting(runs: Iterable[Run]) -> str:
    """Say from what rows are counted, and what patience counts."""
    counts_steps = {run.steps is not None for run in runs}
    if counts_steps == {True}:
        return "patience counts evaluations, which count from 1"
    if True in counts_steps:
        return (
            "epochs count from 1; of some runs an epoch here is an evaluation, and "
            "patience counts evaluations"
        )
    return "epochs count from 1"


def spoken_seconds(seconds: float) -> str:
    """Write a duration in its own unit.

    >>> spoken_seconds(3.21), spoken_seconds(320), spoken_seconds(32000)
    ('3.2 s', '5.3 min', '8.9 h')
    """
    for limit, divisor, unit in ((90, 1, "s"), (5400, 60, "min")):
        if seconds < limit:
            return f"{seconds / divisor:.1f} {unit}"
    return f"{seconds / 3600:.1f} h"


def spoken_semantics(name: str) -> str:
    """Write the name of a version as people do.

    >>> spoken_semantics("keras-3.15.1"), spoken_semantics("tf_keras-2.21")
    ('Keras 3.15.1', 'tf_keras 2.21')
    """
    return spoken_version(name)


def spoken_divergence(replay: Replay) -> str:
    """Say where the log ends to be evidence for a replay that diverged."""
    divergence_epoch = replay.divergence_epoch or 0
    parted = _spoken_parting(divergence_epoch, parting_of(replay))
    return spoken_rows(parted, replay.run)


def parting_of(replay: Replay) -> Parting:
    """Return what would have been otherwise at the divergence of a replay."""
    if replay.diverged_by_weights:
        return "weights"
    reduced = {reduction.epoch + 1 for reduction in replay.reductions}
    if replay.divergence_epoch in reduced:
        return "reduction"
    # a schedule acts at the beginning of an epoch, a reduction at the end of the one
    # before the first it acts on
    if any("begin" in rule.acts_at for rule in replay.callbacks):
        return "schedule"
    return "recorded" if _record_changes_alone(replay) else "reduction"


def _record_changes_alone(replay: Replay) -> bool:
    """Return whether the recorded rate changes at the divergence, the list's not."""
    at, run = replay.divergence_epoch, replay.run
    if at is None or any(
        step.decision.learning_rate not in (None, step.learning_rate)
        for step in replay.trace
        if step.epoch == at - 1
    ):
        return False
    return any(
        changes_recorded_rate(rate, at - run.first_epoch)
        for rate in (run.learning_rate, run.other_learning_rate)
    )


def changes_recorded_rate(rate: Series | None, position: int) -> bool:
    """Return whether a recorded rate at a position is not the one before it."""
    if rate is None or position < 1:
        return False
    before, at = rate.values[position - 1 : position + 1].tolist()
    known = bool(rate.recorded[position - 1 : position + 1].all())
    return known and before != at


def parting_words(divergence_epoch: int, parted_by: Parting) -> tuple[str, int, str]:
    """Say where a log ends to be evidence: words, a zero-based epoch, more words."""
    nothing = "from there on the log says nothing"
    if parted_by == "weights":
        return (
            "epoch ",
            divergence_epoch,
            f" goes on from weights of an earlier epoch that were put back: {nothing}",
        )
    if parted_by == "schedule":
        return (
            "epoch ",
            divergence_epoch,
            f" begins at another learning rate than the recorded one: {nothing}",
        )
    if parted_by == "recorded":
        return (
            "after the recorded learning-rate change at epoch ",
            divergence_epoch - 1,
            ", which this setting does not make, the log says nothing",
        )
    return (
        "after the learning-rate change at epoch ",
        divergence_epoch - 1,
        " the log says nothing",
    )


def _spoken_parting(divergence_epoch: int, parted_by: Parting) -> str:
    before, epoch, after = parting_words(divergence_epoch, parted_by)
    return f"{before}{epoch + 1}{after}"


def spoken_evidence(replay: Replay) -> str:
    """Say how far an answer is evidence."""
    diverged = replay.divergence_epoch is not None
    parted_by = parting_of(replay) if diverged else "reduction"
    return spoken_limit(
        replay.run,
        replay.evidence,
        replay.divergence_epoch,
        parted_by,
        gap_epoch=replay.gap_epoch,
    )


def spoken_limit(
    run: Run,
    evidence: Evidence,
    divergence_epoch: int | None,
    parted_by: Parting = "reduction",
    *,
    gap_epoch: int | None = None,
) -> str:
    """Say how far an answer on a run is evidence, by what a `Replay` says of it."""
    if gap_epoch is not None:
        why = _GAPS[gap_cause(run, gap_epoch)]
        return spoken_rows(f"unknown from epoch {gap_epoch + 1} on: {why}", run)
    if divergence_epoch is not None:
        return spoken_rows(_spoken_parting(divergence_epoch, parted_by), run)
    if evidence == "censored":
        ends = f"not in the log (it ends at epoch {run.horizon + 1})"
        return spoken_rows(ends, run)
    return "exact"


def brief_evidence(replay: Replay) -> str:
    """Say how far an answer is evidence in the few words of a cell."""
    return brief_limit(
        replay.run,
        replay.evidence,
        replay.divergence_epoch,
        parting_of(replay),
        gap_epoch=replay.gap_epoch,
    )


def brief_limit(
    run: Run,
    evidence: Evidence,
    divergence_epoch: int | None,
    parted_by: Parting = "reduction",
    *,
    gap_epoch: int | None = None,
) -> str:
    """Say what `spoken_limit` says in the few words of a cell.

    `limits_explained` is the footnote that says what they mean.
    """
    if gap_epoch is not None:
        return f"unknown from {gap_epoch + 1}"
    if divergence_epoch is not None:
        # a reduction acts at the end of the epoch before the first that it changes
        epoch = divergence_epoch + (parted_by not in ("reduction", "recorded"))
        return f"{_BRIEF_PARTINGS[parted_by]} at {epoch}"
    return f"log ends at {run.horizon + 1}" if evidence == "censored" else "exact"


_BRIEF_PARTINGS = {
    "reduction": "rate changes",
    "recorded": "log's rate changes",
    "schedule": "rate differs",
    "weights": "weights put back",
}


def limits_explained(
    limits: Iterable[tuple[Evidence, Parting | None]], gaps: Iterable[tuple[Run, int]]
) -> str:
    """Say what the words of `brief_limit` mean, those that occur; none for "exact".

    Parameters
    ----------
    limits : iterable of (evidence, what is otherwise at the divergence)
        Of the cells, each once.
    gaps : iterable of (run, zero-based epoch)
        Of the incomplete cells.
    """
    told = set(limits)
    kinds = {evidence for evidence, _ in told}
    words = []
    if "censored" in kinds:
        words.append('"log ends": this setting would have trained on past the log')
    partings = {parted_by for evidence, parted_by in told if evidence == "diverged"}
    words += [_PARTINGS[parting] for parting in _PARTINGS if parting in partings]
    causes = dict.fromkeys(_GAPS[gap_cause(run, epoch)] for run, epoch in gaps)
    words += [f'"unknown from": {cause}' for cause in causes]
    return "; ".join(words)


_PARTINGS = {
    "reduction": (
        '"rate changes": this setting changes the learning rate after that epoch, the '
        "recorded training did not do the same, so the log cannot say what follows"
    ),
    "recorded": (
        '"log\'s rate changes": the recorded training changes the learning rate after '
        "that epoch, this setting does not, so the log cannot say what follows"
    ),
    "schedule": (
        '"rate differs": from that epoch on this setting trains at another learning '
        "rate than the recorded one, so the log cannot say what follows"
    ),
    "weights": (
        '"weights put back": from that epoch on this setting trains from weights of an '
        "earlier epoch, so the log cannot say what follows"
    ),
}
_GAPS = {
    "hole": "the log has a hole there",
    "several": "the log holds several values by then",
    "rounded": "the log rounds too far to tell which of two values is better",
    "seam": "another fit began there",
    "possible seam": "a fit may have been resumed, and the log does not tell",
}


def find_non_finite(run: Run, name: str) -> list[int]:
    """Return the epochs in which a series was logged as NaN or infinite."""
    series = run.series.get(name)
    if series is None:
        return []
    pairs = zip(series.values.tolist(), series.recorded.tolist(), strict=True)
    return [
        run.first_epoch + position
        for position, (value, recorded) in enumerate(pairs)
        if recorded and not math.isfinite(value)
    ]


def takes_nan(replay: Replay, name: str) -> bool:
    """Return whether a rule that stops on this series took NaN, the first, as best."""
    if replay.best is None or not math.isnan(replay.best):
        return False
    # `replay.best` is that of the first rule that stops
    stoppers = (rule for rule in replay.callbacks if rule.sets_objective)
    return next(stoppers).monitor == name


def spoken_non_finite(replay: Replay, name: str) -> str:
    """Say what NaN and infinite values of a series do to a callback that watches it."""
    if takes_nan(replay, name):
        return (
            f"{spoken_semantics(replay.semantics.name)} takes the first value as the "
            "best, and nothing ever improves on NaN"
        )
    values = replay.run.series[name].values
    extreme = -math.inf if replay.objective_mode == "min" else math.inf
    if name == replay.objective and extreme in values.tolist():
        return f"{extreme:g} is an improvement, and nothing improves on it"
    return "such a value is no improvement"


def as_sentence(words: str, names: Iterable[str] = ()) -> str:
    """Begin with a capital, unless with a name, and end with a full stop.

    Parameters
    ----------
    words : str
        What is said.
    names : iterable of str
        Words that are names although they look like others.

    Examples
    --------
    >>> as_sentence("one run alone"), as_sentence("val_loss is missing")
    ('One run alone.', 'val_loss is missing.')
    >>> as_sentence("loss is missing", ["loss"]), as_sentence("epochs 0, 1, ...")
    ('loss is missing.', 'Epochs 0, 1, ...')
    """
    first = re.split(r"[\s,:;]", words, maxsplit=1)[0]
    if first.isalpha() and first not in names:
        words = words[:1].upper() + words[1:]
    return words if words.endswith("...") else f"{words.rstrip('.')}."


def list_names(names: Sequence[str], most: int) -> str:
    """List names, and of too many the first.

    >>> list_names(["a", "b"], 2), list_names(["a", "b", "c", "d"], 2)
    ('a, b', 'a, b and 2 more')
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def visible_text(text: str) -> str:
    r"""Write out what a reader could not see, and what could steer a terminal.

    Control characters, bidi marks and zero-width characters are escaped. What may be
    secret in a URL is left out, for answers are shown to others.

    >>> visible_text("val\u202eloss\x1b[31m")
    'val\\u202eloss\\x1b[31m'
    >>> visible_text("CSVLogger('https://me:pw@host/logs.csv?token=1')")
    "CSVLogger('https://host/logs.csv')"
    """
    shown = without_secrets(text)
    if shown.isprintable():
        return shown
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii")
        for sign in shown
    )
