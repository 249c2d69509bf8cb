"""Runs whose sufficient patience is known by how they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay import Sweep
    from cbreplay.recommend import Recommendation

# the best value, and what a shorter patience keeps
BEST, FIRST = 0.5, 1.0


# begins the sentence on what each group needs, for runs of 40 epochs with a plan
SUFFICIENT = "sufficient patience up to the planned epoch 40"


def pausing(patience: int, n_epochs: int = 40) -> list[float]:
    """Return losses that pause so long that exactly this patience reaches the best.

    The first value stands for patience - 1 epochs without improvement; then comes the
    best. One patience less stops in the pause, and keeps the first value.
    """
    losses = [FIRST] + [FIRST + 0.1] * (patience - 1) + [BEST]
    return losses + [BEST + 0.1] * (n_epochs - len(losses))


def make_run(losses: Sequence[float | None], name: str, *, planned: bool = True) -> Run:
    return Run.from_logs(
        [{"loss": 1.0, "val_loss": loss} for loss in losses],
        name=name,
        planned_epochs=len(losses) if planned else None,
    )


def pausing_runs(patience: Iterable[int], **options: Any) -> list[Run]:
    """Return runs that differ in their last value at least, so that none is a copy."""
    runs = []
    for number, one in enumerate(patience):
        losses = pausing(one)
        losses[-1] += number / 1e6
        runs.append(make_run(losses, f"run{number}", **options))
    return runs


def recommend(runs: Sequence[Run], **options: Any) -> Recommendation:
    """Sweep and recommend as the command does."""
    from cbreplay.recommend import recommend_config, sweep_patience

    asked = {
        name: options.pop(name)
        for name in (
            "monitor",
            "keep",
            "min_delta",
            "objective",
            "objective_mode",
            "mode",
        )
        if name in options
    }
    sweep, left_out = sweep_patience(runs, semantics="keras-3.15", **asked)
    return recommend_config(sweep, excluded=left_out, **options)


def facts_of_reason(advice: Recommendation, kind: str) -> dict[str, Any]:
    """Return the values of the one reason of a kind; it fails where there is none."""
    (facts,) = [why.facts for why in advice.reasons if why.kind == kind]
    return dict(facts)


def spoken_reasons(advice: Recommendation) -> list[str]:
    """Return the reasons as people read them."""
    from cbreplay.answers.advice.reasons import reason_text
    from cbreplay.document import plain_text

    return [plain_text(reason_text(advice, why)) for why in advice.reasons]


def spoken_doubts(advice: Recommendation) -> list[str]:
    """Return the doubts as people read them, with the runs."""
    from cbreplay.answers.advice.evidence import doubt_sentences
    from cbreplay.document import plain_text

    return [plain_text(doubt) for doubt in doubt_sentences(advice)]


def swept(runs: Sequence[Run], **options: Any) -> Sweep:
    from cbreplay.recommend import sweep_patience

    return sweep_patience(runs, semantics="keras-3.15", **options)[0]
