"""A page that moves, as data: every answer that its controls can ask for."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.answers.moving.choosing import (
    MOVES,
    NamedSetting,
    likeness,
    min_deltas_of,
    monitors_of,
    watching,
)
from cbreplay.answers.moving.packing import pack_floats, pack_line
from cbreplay.answers.moving.sentences import moving_words
from cbreplay.answers.moving.steps import StepKinds, find_steps
from cbreplay.answers.setting_code import setting_code
from cbreplay.errors import CbreplayError
from cbreplay.evidence.outcomes import best_recorded_epoch, seconds_after
from cbreplay.evidence.training_course import find_bad_end
from cbreplay.judging import Judging
from cbreplay.rules.base import format_callback
from cbreplay.sweep import count_replayed
from cbreplay.wording.shown_digits import ValueScale, scale_of
from cbreplay.wording.words import visible_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from cbreplay.answers.moving.steps import MovedRule, RunSteps, StepKind
    from cbreplay.run import Mode, Run

__all__ = ["MovingQuestion", "moving_members"]

# more cells than these are not replayed one by one: making the page would take too long
_MOST_REPLAYS = 1_000
_MOST_NAMED_REPLAYS = 3_000
_MOST_LISTS = 12
# placeholders in the code, which a page replaces by the numbers of its sliders
_PATIENCE, _MIN_DELTA = 918_273_645, 0.192837465


class MovingQuestion(NamedTuple):
    """What a page that moves is about.

    Parameters
    ----------
    runs : sequence of Run
        The runs, each of which can be replayed.
    named : sequence of NamedSetting
        The settings that are offered by name; `Reset` goes back to the first.
    also : sequence of NamedSetting
        Lists to choose from that have no name.
    monitors : sequence of str
        The series that were asked about.
    judging : Judging
        How it is judged.
    objective, objective_mode : str, {"min", "max"}
        What judges every setting, whatever it watches.
    version : str
        The version whose rules decide, for the code.
    by_plan : collection of str
        The names of the runs whose plan was read off the logs.
    """

    runs: Sequence[Run]
    named: Sequence[NamedSetting]
    also: Sequence[NamedSetting] = ()
    monitors: Sequence[str] = ()
    judging: Judging = Judging()
    objective: str = ""
    objective_mode: Mode = "min"
    version: str = ""
    by_plan: Collection[str] = ()

    @property
    def moved(self) -> list[MovedRule]:
        """The lists that it offers, with a rule that the sliders move."""
        moved = (setting.moved for setting in (*self.named, *self.also))
        return [each for each in moved if each is not None]


class _View(NamedTuple):
    """One list watching one series: every patience and min_delta that can be chosen."""

    place: int
    moved: MovedRule
    min_deltas: list[float]
    steps: list[RunSteps]

    @property
    def last_patience(self) -> int:
        """The patience from which on nothing changes on any run."""
        return max(steps[-4] for run in self.steps for steps in run.steps)


def moving_members(question: MovingQuestion) -> dict[str, Any] | None:
    """Return what a page with sliders looks up; None where there is nothing to move."""
    judging = question.judging._replace(
        objective=question.objective, objective_mode=question.objective_mode
    )
    question = question._replace(judging=judging)
    kinds = StepKinds(question.by_plan)
    lists = _lists(question)
    views = [
        view
        for place, moved in enumerate(lists)
        for view in _views(question, place, moved, kinds)
    ]
    named = list(_named(question, lists, views))
    if not named:
        return None
    judged = _judged(question, views, kinds)
    scale = _scale(question, judged)
    if scale is None:
        return None
    return {
        "words": _words(question, named),
        "mode": question.objective_mode,
        "decimals": scale.decimals,
        "runs": [
            [visible_text(run.name), run.first_epoch, run.n_epochs, _end(run)]
            for run in question.runs
        ],
        "judged": judged,
        "seconds": [_last_seconds(run) for run in question.runs],
        "lines": _lines(question, views),
        "kinds": [list(kind) for kind in kinds.listed()],
        "lists": [_list_name(moved) for moved in lists],
        "reduces": [
            any(rule.changes_learning_rate for rule in moved.callbacks)
            for moved in lists
        ],
        "views": [_described(question, view) for view in views],
        "named": [place for _, place in named],
        "opens_on": _opening_run(question),
    }


def _opening_run(question: MovingQuestion) -> int:
    """Return which run is shown first: one that did not fail, where there is any."""
    objective, mode = question.objective, question.objective_mode
    shows = [
        place
        for place, run in enumerate(question.runs)
        if best_recorded_epoch(run, objective, mode) is not None
    ]
    whole = [
        place
        for place in shows
        if find_bad_end(question.runs[place], objective) is None
    ]
    return next(iter((*whole, *shows)), 0)


def _words(
    question: MovingQuestion, named: Sequence[tuple[str, list[int]]]
) -> dict[str, Any]:
    names = [visible_text(name) for name, _ in named]
    objective = visible_text(question.objective)
    return moving_words(objective, question.objective_mode, question.runs, names)


def _end(run: Run) -> int:
    """Return the one-based end of the epochs that are drawn: of the plan, if known."""
    planned = run.planned_epochs or 0
    return max(planned, run.horizon + 1)


def _last_seconds(run: Run) -> list[int] | None:
    """Return the time of each epoch in tenths of a second, from the last one backwards.

    The sum of the first n is the time that n epochs less save, rounded only once. The
    list ends before an epoch whose time is not known; None without any times.
    """
    if run.epoch_seconds is None:
        return None
    tenths = [0]
    for saved in range(1, run.n_epochs):
        seconds = seconds_after(run, run.horizon - saved)
        if seconds is None:
            break
        tenths.append(round(10 * seconds))
    return [later - now for now, later in itertools.pairwise(tenths)]


def _lists(question: MovingQuestion) -> list[MovedRule]:
    """Return the lists, each once, that differ in more than what the sliders set."""
    lists: dict[Any, MovedRule] = {}
    for moved in question.moved:
        lists.setdefault(likeness(moved), moved)
    return list(lists.values())[:_MOST_LISTS]


def _views(
    question: MovingQuestion, place: int, moved: MovedRule, kinds: StepKinds
) -> Iterator[_View]:
    """Yield a list with each series that it can watch; none where it is refused."""
    monitors = monitors_of(
        question.runs, [moved.rule.monitor, *question.monitors], question.judging
    )
    for monitor in monitors:
        own = watching(moved, monitor)
        asked = [rule.min_delta for rule in _named_rules(question, monitor)]
        min_deltas = min_deltas_of(question.runs, monitor, asked)
        min_deltas = _affordable(question, own, min_deltas, asked)
        if not min_deltas:
            continue
        try:
            steps = find_steps(
                question.runs, own, min_deltas, question.judging, kinds=kinds
            )
        except CbreplayError:
            continue
        yield _View(place, own, min_deltas, steps)


def _named_rules(question: MovingQuestion, monitor: str) -> Iterator[Any]:
    """Yield the moved rules of the named settings that watch a series."""
    for moved in question.moved:
        if moved.rule.monitor == monitor and moved.has_min_delta:
            yield moved.rule


def _affordable(
    question: MovingQuestion,
    moved: MovedRule,
    min_deltas: list[float],
    asked: Sequence[float],
) -> list[float]:
    """Return all values if they can be replayed in time, else those named."""
    grid = moved.grid(patience=[1])
    replayed = count_replayed(question.runs, grid)
    if not replayed:
        return min_deltas
    cells = replayed * (max(run.n_epochs for run in question.runs) + 1)
    if cells * len(min_deltas) <= _MOST_REPLAYS:
        return min_deltas
    needed = sorted({0.0, *map(float, asked)})
    return needed if cells * len(needed) <= _MOST_NAMED_REPLAYS else []


def _named(
    question: MovingQuestion, lists: Sequence[MovedRule], views: Sequence[_View]
) -> Iterator[tuple[str, list[int]]]:
    """Yield the named settings that a page can show: view, patience, min_delta."""
    places = {likeness(moved): place for place, moved in enumerate(lists)}
    for setting in question.named:
        moved = setting.moved
        if moved is None:
            continue
        rule, place = moved.rule, places.get(likeness(moved))
        for number, view in enumerate(views):
            own = view.moved.rule
            fits = view.place == place and own.monitor == rule.monitor
            whole = float(rule.patience).is_integer() and rule.patience >= 0
            if fits and whole:
                min_delta = float(rule.min_delta) if moved.has_min_delta else 0.0
                at = view.min_deltas.index(min_delta)
                yield setting.name, [number, int(rule.patience), at]


def _judged(
    question: MovingQuestion, views: Sequence[_View], kinds: StepKinds
) -> dict[str, Any]:
    """Return the objective at every epoch that any setting keeps, run by run."""
    listed = kinds.listed()
    judged: dict[str, list[Any]] = {
        name: [] for name in ("kept", "values", "regrets", "bounds", "best")
    }
    for row, run in enumerate(question.runs):
        kept = np.array(sorted(_kept(views, row, listed)), dtype=np.int64)
        series = views[0].steps[row].judged
        epoch = best_recorded_epoch(run, question.objective, question.objective_mode)
        judged["kept"].append(np.diff(kept, prepend=0).tolist())
        judged["values"].append(pack_floats(series.values[kept]))
        judged["regrets"].append(pack_floats(series.regrets[kept]))
        judged["bounds"].append(int(series.lacks_values))
        judged["best"].append(None if epoch is None else epoch - run.first_epoch)
    return judged


def _kept(views: Sequence[_View], row: int, kinds: Sequence[StepKind]) -> set[int]:
    """Return the positions of all that any setting keeps on a run."""
    found: set[int] = set()
    for view in views:
        for steps in view.steps[row].steps:
            # the last step has no end, and keeps one epoch
            ends = [*steps[4::4], steps[-4] + 1]
            for at, end in zip(range(0, len(steps), 4), ends, strict=True):
                first, number, _, kept = steps[at : at + 4]
                later = kinds[number].later_kept
                found.update(kept + more * later for more in range(end - first))
    return found - {-1}


def _scale(question: MovingQuestion, judged: Mapping[str, Any]) -> ValueScale | None:
    """Return the scale of the values; None where no run has a best one."""
    best = [
        float(run.series[question.objective].values[at])
        for run, at in zip(question.runs, judged["best"], strict=True)
        if at is not None
    ]
    return scale_of(best) if best else None


def _lines(question: MovingQuestion, views: Sequence[_View]) -> dict[str, Any]:
    """Return the lines that are drawn: what is watched, and what judges."""
    names = dict.fromkeys([*(view.moved.rule.monitor for view in views)])
    names[question.objective] = None
    return {
        visible_text(name): [_line(run, name) for run in question.runs]
        for name in names
    }


def _line(run: Run, name: str) -> list[Any]:
    """Return a line's limits, its heights, and exactly which values lie outside.

    The page widens the limits where a mark stands outside them, and names what is cut.
    Last are the places of what has no height: NaN, infinite or too large.
    """
    from cbreplay.plots.curve import drawn_curve

    curve = drawn_curve(run, name, "monitored", [])
    values, (low, high) = curve.values, curve.limits
    outside = np.flatnonzero((values < low) | (values > high))
    heights = pack_line(values, curve.limits)
    odd = (curve.too_high, curve.too_low, curve.not_a_number)
    without = np.sort(np.concatenate(odd)) - run.first_epoch - 1
    exact = outside.tolist(), values[outside].tolist()
    return [low, high, heights, *exact, without.tolist()]


def _list_name(moved: MovedRule) -> str:
    """Write a list without the parameters that the sliders set."""
    usual = moved.usual()
    bare = moved.at(**{name: usual[name] for name in MOVES if name in usual})
    texts = [format_callback(rule).removesuffix("()") for rule in bare]
    return visible_text(", ".join(texts))


def _described(question: MovingQuestion, view: _View) -> dict[str, Any]:
    steps, usual = view.steps, view.moved.usual()
    return {
        "list": view.place,
        "monitor": visible_text(view.moved.rule.monitor),
        "min_delta": [[f"{value:g}", repr(value or 0)] for value in view.min_deltas],
        "last": view.last_patience,
        "usual": [usual["patience"], usual.get("min_delta")],
        "code": _code(question, view.moved),
        "steps": [run.steps for run in steps],
        "of": [run.of for run in steps],
    }


def _code(question: MovingQuestion, moved: MovedRule) -> list[list[str]]:
    """Return the code of a setting in pieces, with blanks for what the sliders set.

    What a rule has by default is not written out: so there is one for the usual
    patience and min_delta, one for another min_delta, and two for another patience.
    """
    usual = moved.usual()
    codes = []
    for patience in (usual["patience"], _PATIENCE):
        for min_delta in (usual.get("min_delta"), _MIN_DELTA):
            chosen: dict[str, Any] = {"patience": patience}
            chosen |= {"min_delta": min_delta} if moved.has_min_delta else {}
            code = setting_code(moved.at(**chosen), question.version)
            codes.append(_cut("\n".join(map(visible_text, code.split("\n")))))
    return codes


def _cut(text: str) -> list[str]:
    text = text.replace(str(_PATIENCE), "\0p\0").replace(repr(_MIN_DELTA), "\0m\0")
    return text.split("\0")
