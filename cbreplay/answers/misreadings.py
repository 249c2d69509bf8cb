"""Findings of `lint` that change how an answer about the settings must be read."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.answers.headline_limits import (
    asking_about,
    by_keras_rules,
    calls_worst_best,
)
from cbreplay.answers.reading_notes import spoken_note
from cbreplay.answers.spoken_runs import judged_by
from cbreplay.document import Code, phrase, say
from cbreplay.lint import lint_callbacks
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.parameters import parameters_of
from cbreplay.series_names import (
    find_series,
    is_training,
    is_validation,
    metric_of,
    of_last_set,
)
from cbreplay.wording.words import as_sentence, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.rules.checks import Finding
    from cbreplay.run import Mode, Run

__all__ = ["headline_of_list", "headline_of_replay", "misreadings"]

# findings that need the values of a run
_OF_VALUES = (
    "absent-monitor",
    "baseline-never-beaten",
    "floor-above-rate",
    "min-delta-beyond-record",
    "threshold-never-beaten",
)
# all findings about a setting that does something else than it seems to
_READ_OTHERWISE = (
    *_OF_VALUES,
    "auto-mode-against-metric",
    "auto-unknown",
    "cooldown-of-one",
    "fractional-patience",
    "mode-against-metric",
    "negative-min-delta",
    "negative-patience",
    "patience-zero-is-one",
)
_MOST_FINDINGS = 3
_MOST_RUNS, _MOST_LISTS = 5, 20


def misreadings(
    runs: Sequence[Run], lists: Iterable[Sequence[Callback]], semantics: str | None
) -> Iterator[Text]:
    """Yield a line for each setting that acts otherwise than it seems to.

    Of many runs and settings the first few are looked at. `semantics` is the version
    whose rules decide; None for each run's.
    """
    looked_at = list(itertools.islice(lists, _MOST_LISTS))
    found: dict[str, _Met] = {}
    for callbacks in looked_at:
        for met in _met_in(callbacks, runs[:_MOST_RUNS], semantics):
            # several settings of a grid may share a finding
            found.setdefault(met.message, met)
    for met in itertools.islice(found.values(), _MOST_FINDINGS):
        yield say(*_whose(met, runs), " Write ", met.finding.fix, ".")
    if len(found) > _MOST_FINDINGS:
        more = count(len(found) - _MOST_FINDINGS, "more such finding")
        yield say(f"{more}: ", Code("cbreplay lint"), ".")
    if not runs[0].framework and any(map(_restores_by_loss, looked_at)):
        yield say(
            "loss is the mean over an epoch's batches while the weights changed: the "
            "weights that an epoch ends with, which are kept, have another."
        )
    yield from _stops_by_other_values(runs[0], looked_at)


def _stops_by_other_values(
    run: Run, lists: Iterable[Sequence[Callback]]
) -> Iterator[Text]:
    """Say what a stop by the training data, or by smoothed values, does not see."""
    watched = (
        rule.monitor
        for callbacks in lists
        for rule in read_callbacks(callbacks).callbacks
        if rule.stops_early and rule.monitor is not None and rule.monitor in run.series
    )
    for name in dict.fromkeys(watched):
        if re.search(_SMOOTHED, name):
            yield phrase(
                "{name:code} is smoothed, by its name: a callback that watches "
                "{own:code} itself sees other values, and may stop elsewhere.",
                name=name,
                own=re.sub(_SMOOTHED, "", name),
            )
        last = of_last_set([other for other in run.series if is_validation(other)])
        if is_validation(name) and name not in last:
            yield phrase(
                "{name:code} is of one of several evaluation sets, perhaps the one "
                "trained on: the last, by which XGBoost itself stops, has {last:code}.",
                name=name,
                last=last[0],
            )
        if not is_validation(name):
            yield from _stops_by_training(name, run)


def _stops_by_training(name: str, run: Run) -> Iterator[Text]:
    """Say of a stop by a series of the training data that it sees no overfitting."""
    beside = find_series(metric_of(name), run.series, validation=True)
    if beside is None and not is_training(name):
        return
    asked: Text = say()
    if beside is not None:
        asked = say(" (", asking_about(beside, run), " asks about one that does)")
    yield phrase(
        "{name:code} is measured on the data that is trained on: it may go on "
        "improving while the model overfits, and a stop by it does not see that{}.",
        asked,
        name=name,
    )


# smooth_l1_loss is smoothed by no one
_SMOOTHED = r"(?i)[^a-z0-9]smooth(ed)?$|^smoothed[^a-z0-9]"


class _Met(NamedTuple):
    """A finding on a list as its first run has it, and all runs that have it."""

    finding: Finding
    message: str
    runs: list[Run]


def _met_in(
    callbacks: Sequence[Callback], runs: Sequence[Run], semantics: str | None
) -> Iterable[_Met]:
    """Return the findings on a list, merging those of runs with the same fix."""
    found: dict[tuple[str, int, str], _Met] = {}
    for run in runs:
        for finding in lint_callbacks(list(callbacks), run=run, semantics=semantics):
            if finding.code not in _READ_OTHERWISE:
                continue
            key = (finding.code, finding.callback, finding.fix)
            met = found.setdefault(key, _Met(finding, _message(finding, callbacks), []))
            if run not in met.runs:
                met.runs.append(run)
    return found.values()


def _whose(met: _Met, runs: Sequence[Run]) -> tuple[Text | str, ...]:
    """Return what a finding says, after the name of the run that it is about.

    A finding by parameters alone holds for all runs, though only a few were looked at.
    """
    of_values = met.finding.code in _OF_VALUES
    n_all = len(runs) if of_values else len(runs[:_MOST_RUNS])
    has_own_figure = of_values and n_all > 1 and met.finding.facts
    if len(met.runs) == n_all and not has_own_figure:
        return (as_sentence(met.message, runs[0].series),)
    first, *others = met.runs
    more = f" (and {count(len(others), 'other run')} likewise)" if others else ""
    return spoken_note(first, met.message, more), "."


def headline_of_replay(headline: Text, replay: Replay) -> Text:
    """Add to a headline about one list the limits that must not be overlooked."""
    judged, semantics = judged_by([replay]), replay.semantics.name
    return headline_of_list(headline, [replay.run], judged, replay.callbacks, semantics)


def headline_of_list(
    headline: Text,
    runs: Sequence[Run],
    judged: Sequence[tuple[str | None, Mode | None]],
    callbacks: Sequence[Callback],
    semantics: str | None,
) -> Text:
    """Add to a headline the limits of an answer about one list on some runs.

    With `semantics`, the version whose rules decide, also which callback saves the
    worst weights as the best, where its mode differs from that of the rule that stops.
    """
    headline = by_keras_rules(headline, runs, judged, callbacks)
    if semantics is None or calls_worst_best(judged, runs):
        return headline
    for finding in lint_callbacks(list(callbacks), run=runs[0], semantics=semantics):
        callback: Any = callbacks[finding.callback]
        decides = callback.stops_early or callback.changes_learning_rate
        if finding.code in _TAKE_WORSE and not decides:
            watched = Code(callback.monitor)
            words = f" {callback.class_name} takes the worst "
            headline = say(headline, words, watched, " for the best, and saves that.")
    return headline


_TAKE_WORSE = ("auto-mode-against-metric", "mode-against-metric")


def _message(finding: Finding, callbacks: Sequence[Callback]) -> str:
    """Return what a finding says, and of which of several callbacks."""
    if finding.code not in _TAKE_WORSE or len(callbacks) == 1:
        return finding.message
    callback: Any = callbacks[finding.callback]
    return f"{finding.message} in {callback.class_name}"


def _restores_by_loss(callbacks: Sequence[Callback]) -> bool:
    """Tell whether weights are restored by loss, measured while they change."""
    settings = map(parameters_of, read_callbacks(callbacks).callbacks)
    return any(
        setting.get("restore_best_weights") and setting.get("monitor") == "loss"
        for setting in settings
    )
