"""A recommendation in sentences, the same on every surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.recommend.side_by_side import difference_decimals, spoken_share
from cbreplay.recommend.validation import USUAL
from cbreplay.words import count, list_names, spoken_number, spoken_semantics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.recommend.answer import (
        Doubt,
        MonitorScore,
        Recommendation,
        Scored,
    )
    from cbreplay.sweep import Sweep

__all__ = [
    "ONLY_RETRAINING",
    "advice_heading",
    "advice_headline",
    "closing_sentences",
    "doubt_sentences",
    "evidence_sentences",
    "monitor_sentences",
]

_MOST_NAMES = 4
_MOST_GROUPS = 8
ONLY_RETRAINING = (
    "factor, cooldown and min_lr of a ReduceLROnPlateau cannot be chosen from logs: "
    "only training again tells."
)


def evidence_sentences(advice: Recommendation) -> list[str]:
    """Say what is promised, why this setting or none, and of what runs."""
    return [
        *_promise(advice),
        *advice.reasons,
        _spoken_tolerance(advice),
        *_kept_tolerance(advice),
        _sufficient(advice),
        *_forward(advice),
    ]


def _kept_tolerance(advice: Recommendation) -> Iterator[str]:
    """Say which of the two answers keeps the tolerance, and where one does not."""
    recommended, tuned = advice.setting("recommended"), advice.setting("tolerance")
    if recommended is None:
        return
    kept = _spoken_kept(recommended)
    sentence = f"the recommended {advice.patience} {kept}"
    if tuned is not None and tuned.setting != recommended.setting:
        other, its = tuned.setting.removeprefix("patience="), _spoken_kept(tuned)
        sentence += f", as does {other}" if its == kept else f"; {other} {its}"
    yield sentence


def _spoken_kept(one: Scored) -> str:
    if not one.told_runs:
        return "is told by no log"
    if not one.breaks_tolerance:
        runs = f"the {count(one.told_runs, 'run')} whose log tells"
        if one.told_runs > 1:
            runs = f"all {one.told_runs} runs whose logs tell"
        return f"keeps the tolerance on {runs}"
    return (
        f"breaks the tolerance on {len(one.breaks_tolerance)} of "
        f"{count(one.told_runs, 'run')} whose logs tell "
        f"({_names(one.breaks_tolerance)})"
    )


def monitor_sentences(advice: Recommendation) -> list[str]:
    """Say which of several monitors to stop on, then what each comes to."""
    if not advice.monitors:
        return []
    if advice.told_apart:
        words = f"stop on {advice.monitor}: it is clearly better on what was left out"
    else:
        words = (
            "which monitor to stop on cannot be told from these logs; "
            f"{advice.monitor} was named first"
        )
    return [words, *(_spoken_monitor(advice, one) for one in advice.monitors)]


def doubt_sentences(advice: Recommendation) -> list[str]:
    """Say what to know before trusting it, with the names of the runs."""
    sentences = [_spoken_doubt(one) for one in advice.doubts]
    if advice.excluded:
        told = [f"{run} ({why})" for run, why in advice.excluded]
        sentences.append(f"not counted: {_names(told)}")
    return sentences


def advice_heading(advice: Recommendation, sweep: Sweep) -> str:
    """Say what the answer is made of."""
    n_runs = sum(len(one.runs) for one in advice.groups)
    runs = count(n_runs, "run")
    if advice.unit == "group":
        runs += f" in {count(len(advice.groups), 'group')}"
        if advice.grouped_by == "setting":
            runs += ", seeds of one setting count once (--group-by)"
    elif advice.grouped_by == "seed":
        runs += " of one setting"
    names = dict.fromkeys(spoken_semantics(run.semantics) for run in sweep.runs)
    judged = f"{advice.objective} ({advice.objective_mode})"
    if advice.objective != advice.monitor:
        judged = f"judged by {judged}"
    return f"{runs}; {judged}; rules of {', '.join(names)}"


def advice_headline(advice: Recommendation) -> str:
    """Give the answer in one sentence."""
    if advice.kind == "none":
        return "No setting is recommended."
    setting = f"Patience {advice.patience}"
    if advice.monitors:
        setting += f" on {advice.monitor}"
        if not advice.told_apart:
            setting += " (named first)"
    if advice.kind == "guaranteed" and advice.promise is not None:
        share = f"{100 * advice.promise.confidence:.3g} %"
        return f"{setting}, with a promise for {share} of new {_noun(advice)}."
    if advice.promise is not None:
        return f"{setting}, the usual one: for another there is not enough evidence."
    return f"{setting}, as a rule of thumb: no promise goes with it."


def _promise(advice: Recommendation) -> Iterator[str]:
    promise = advice.promise
    if promise is None:
        return
    noun, longer = advice.unit, ""
    unlucky = spoken_share(promise.unlucky_share)
    if (advice.patience or 0) > promise.patience:
        longer = " and longer"
    yield (
        f"the promise: patience {promise.patience}{longer} keeps {advice.objective} "
        f"within the tolerance on at least {100 * promise.confidence:.3g} % of new "
        f"{_noun(advice)}, averaged over many sets of {promise.n_groups} "
        f"{noun}s; from one such set in ten it is {unlucky} or less{_cut(advice)}"
    )


def _cut(advice: Recommendation) -> str:
    """Say where the best on record is not the best that there was."""
    if any(one.code.startswith("own-stop") for one in advice.doubts):
        return ". Some of these logs were cut by an EarlyStopping of their own"
    return ""


def _noun(advice: Recommendation) -> str:
    """Name what the promise is about."""
    if advice.grouped_by == "seed":
        return "trainings of this setting"
    return f"{advice.unit}s like these"


def _sufficient(advice: Recommendation) -> str:
    known = [one for one in advice.groups if one.sufficient_patience is not None]
    unknown = [one.name for one in advice.groups if one.sufficient_patience is None]
    # the largest decide
    known.sort(key=lambda one: (-(one.sufficient_patience or 0), one.name))
    by_patience: dict[int | None, list[str]] = {}
    for group in known[:_MOST_GROUPS]:
        by_patience.setdefault(group.sufficient_patience, []).append(group.name)
    told = [f"{patience} {', '.join(who)}" for patience, who in by_patience.items()]
    more = len(known) - _MOST_GROUPS
    if more > 0:
        told.append(f"less for {more} more")
    if unknown:
        told.insert(0, f"not in the log for {_names(unknown)}")
    return f"sufficient patience: {'; '.join(told)}"


def _forward(advice: Recommendation) -> Iterator[str]:
    """Say how the choice did when it would have been made by the oldest."""
    forward, noun = advice.forward, advice.unit
    if forward is None:
        return
    enough = f"{forward.n_enough} of the {forward.n_newer}"
    if forward.n_enough == forward.n_newer:
        enough = f"all {forward.n_newer}"
    sentence = (
        f"forward in time: the {forward.n_older} oldest {noun}s choose patience "
        f"{forward.patience}, which is enough for {enough} that came after them"
    )
    if forward.n_unknown:
        sentence += f" ({forward.n_unknown} of these do not tell)"
    compared = forward.score is not None and forward.usual_score is not None
    if compared and forward.patience != USUAL:
        sentence += (
            f"; there it scores {forward.score:.4f}, and 10 {forward.usual_score:.4f}"
        )
    yield sentence


def _spoken_tolerance(advice: Recommendation) -> str:
    tolerance, name = advice.tolerance, advice.objective
    if tolerance is None:
        message = "a recommendation from several runs has a tolerance"
        raise AssertionError(message)
    if tolerance.kind == "absolute":
        return f"tolerance: {tolerance.value:g} {name}"
    share = f"{spoken_share(tolerance.value)} of each run's best {name}"
    if tolerance.kind == "share":
        return f"tolerance: {share} (--tolerance)"
    if advice.unit == "run":
        spread = advice.groups[0].tolerance[0]
        return f"tolerance: the spread between seeds, {spread:.3g} (--tolerance)"
    seeded = [one for one in advice.groups if len(one.runs) > 2]  # noqa: PLR2004
    least, *_, most = sorted(
        (one.tolerance[0], one.name) for one in [*seeded, seeded[0]]
    )
    told = f"{least[0]:.3g} in {least[1]}"
    if most != least:
        told += f" to {most[0]:.3g} in {most[1]}"
    rest = f"; else {share}" if tolerance.seeded < len(advice.groups) else ""
    return (
        f"tolerance: the spread between the seeds of a group, of three or more ({told})"
        f"{rest} (--tolerance)"
    )


def _spoken_monitor(advice: Recommendation, one: MonitorScore) -> str:
    left_out = one.left_out
    sentence = f"{one.monitor}: patience {one.patience}"
    if left_out is not None and left_out.score is not None:
        regret = left_out.mean_regret or 0.0
        lost = spoken_number(regret, difference_decimals([regret]))
        sentence += (
            f", score {left_out.score:.4f} on {left_out.n_groups} of "
            f"{count(len(advice.groups), advice.unit)} left out "
            f"({lost} {advice.objective} lost)"
        )
    if one.unknown_groups:
        sentence += (
            "; no patience in the logs is enough for "
            f"{count(one.unknown_groups, advice.unit)}"
        )
    return sentence


def _spoken_doubt(doubt: Doubt) -> str:
    return f"{doubt.text} ({_names(doubt.runs)})"


def _names(names: Sequence[str]) -> str:
    return list_names(names, _MOST_NAMES)


def closing_sentences(advice: Recommendation) -> Iterator[str]:
    """Yield what goes with a setting, and what no log can tell."""
    if advice.callbacks and advice.keep == "best":
        yield (
            "restore_best_weights=True is part of it; Keras's default is False (--keep "
            "last)."
        )
    yield ONLY_RETRAINING
