"""Logs of one training are read once: copies, earlier states, logs of other ranks."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.readers.discovery.comparison import (
    FEWEST,
    FirstValues,
    begins,
    begins_to_the_bit,
    count_changing,
    count_digits,
    output_of,
    parts_last,
    rates_agree,
)
from cbreplay.readers.discovery.found_logs import label_of, lie_beside
from cbreplay.series_names import is_validation, plain_direction
from cbreplay.wording.words import list_first

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from cbreplay.readers.discovery.found_logs import FoundLogs, RunsOfLog
    from cbreplay.run import Run

__all__ = ["find_repeated_logs", "leave_out_copies"]

_SHOWN = 5
# up to this many kinds of runs, each is compared with all others
_MOST_OPEN = 64


class _Place(NamedTuple):
    """Where a run was read: the log, and which of its trainings it is."""

    log: RunsOfLog
    number: int

    @property
    def name(self) -> str:
        """What the run is called, which may be one of several in the log."""
        name, runs = self.log.name, self.log.runs
        label = label_of(runs[self.number], self.number + 1)
        return f"{name}#{label}" if len(runs) > 1 else name

    def count_files(self) -> int:
        """Count the files of the log: its CSV, its event files, its run.json."""
        described = self.log.runs[self.number].metadata is not None
        return len(self.log.files) + described


def leave_out_copies(found: FoundLogs) -> None:
    """Keep the longest of trainings of which one is the beginning of the other.

    Of equal ones, that with the most files is kept.
    """
    places = [
        _Place(log, number) for log in found.logs for number in range(len(log.runs))
    ]
    places.sort(key=_Place.count_files, reverse=True)
    runs = [log.runs[number] for log, number in places]
    left_out: dict[_Place, str] = {}
    for at, parts in find_repeated_logs(runs).items():
        home, number = places[at]
        # a sentence that begins with the name would get a capital letter
        note = (
            "the same training, or its beginning, stands in "
            f"{_names_of(places, parts)} too: it was read once"
        )
        home.runs[number] = home.runs[number].with_notes(note)
        cut = [part for part in parts if parts_last(runs[part], runs[at])]
        if cut:
            note = (
                f"{_names_of(places, cut)}: the last row differs from that of the "
                "longer log, as one that was half written"
            )
            home.runs[number] = home.runs[number].with_notes(note)
        left_out |= {places[part]: home.name for part in parts}
    whole: dict[RunsOfLog, str] = {}
    for log in {place.log: None for place in left_out}:
        own = [
            (number, run)
            for number, run in enumerate(log.runs)
            if (log, number) not in left_out
        ]
        if own:
            _keep(log, own)
        else:
            whole[log] = f"the same training as {left_out[_Place(log, 0)]}"
    found.take_out(whole, "passed by")


def _names_of(places: Sequence[_Place], members: Sequence[int]) -> str:
    return list_first(sorted({places[at].name for at in members}), _SHOWN)


def _keep(log: RunsOfLog, own: Sequence[tuple[int, Run]]) -> None:
    """Keep some trainings of a log, which keep their numbers."""
    labels = [label_of(run, number + 1) for number, run in own]
    log.runs[:] = [run for _, run in own]
    if len(own) == 1:
        log.name, log.long_name = (
            f"{name}#{labels[0]}" for name in (log.name, log.long_name)
        )
    else:
        log.runs[:] = [
            run.with_name(label) for run, label in zip(log.runs, labels, strict=True)
        ]


def find_repeated_logs(runs: Sequence[Run]) -> dict[int, list[int]]:
    """Find runs whose rows are the beginning of another's, or the same.

    They are so to the digits that both write, with at least five values of a series
    that change; trainings that failed alike are not the same. The checkpoints of one
    Trainer hold its log each, however short; shorter ones that are equal to the bit are
    copies by the number of their digits. Of the logs that the ranks of one training
    wrote, only the validations are the same.

    Returns
    -------
    dict of int to list of int
        For each run that has copies, their positions.
    """
    everywhere = range(len(runs))
    groups = by_key(everywhere, lambda at: _alike_of(runs[at]))
    of_trainer = by_key(everywhere, lambda at: _alike_of(runs[at], of_trainer=True))
    home_of: dict[int, int] = {}
    for kind, members in (groups | of_trainer).items():
        home_of |= _copies_among(runs, _left(members, home_of), kind.names)
    _add_taken_back(runs, groups, home_of)
    _add_percents(runs, groups, home_of)
    _add_pairs(runs, home_of)
    _add_narrower(runs, groups, home_of)
    _add_short(runs, home_of)
    _add_ranks(runs, home_of)
    return by_key(home_of, lambda part: _home(home_of, part))


class _Alike(NamedTuple):
    """What copies have in common: Trainer's directory, the first epoch, the series."""

    output: str
    first_epoch: int
    names: tuple[str, ...]


def _alike_of(run: Run, *, of_trainer: bool = False) -> _Alike | None:
    """Return the kind of a run; None for one that is too short, or not Trainer's."""
    output = output_of(run.source) if of_trainer else ""
    told = output if of_trainer else run.n_epochs >= FEWEST
    return _Alike(output, run.first_epoch, tuple(sorted(run.series))) if told else None


def _left(members: Iterable[int], home_of: Mapping[int, int]) -> list[int]:
    """Return the runs that are no copies of others."""
    return [at for at in members if at not in home_of]


def _home(home_of: Mapping[int, int], at: int) -> int:
    """Return the run that is kept of those that a run is a copy of."""
    while at in home_of:
        at = home_of[at]
    return at


def _add_taken_back(
    runs: Sequence[Run], groups: Mapping[_Alike, list[int]], home_of: dict[int, int]
) -> None:
    """Add copies that were made before a resumed fit wrote their last rows again."""
    held = [(at, fit) for at, run in enumerate(runs) for _, fit in run.replaced if fit]
    every = [*runs, *(fit for _, fit in held)]
    owner = {len(runs) + number: at for number, (at, _) in enumerate(held)}
    for kind, fits in by_key(owner, lambda at: _alike_of(every[at])).items():
        left = _left(groups.get(kind, ()), home_of)
        found = _copies_among(every, [*fits, *left], kind.names)
        home_of |= {
            part: owner[home]
            for part, home in found.items()
            if part < len(runs) and home in owner and part != owner[home]
        }


def _add_percents(
    runs: Sequence[Run],
    groups: Mapping[_Alike, list[int]],
    home_of: dict[int, int],
) -> None:
    """Add logs of one training of which one has its scores in percent."""
    for kind, members in groups.items():
        left = _left(members, home_of)
        names = kind.names if len(left) > 1 else ()
        scores = [name for name in names if plain_direction(name) == "max"]
        told = {at: _as_shares(runs[at], scores) for at in left if scores}
        n_percents = sum(told[at] is not runs[at] for at in told)
        if 0 < n_percents < len(told):
            shares = [told.get(at, run) for at, run in enumerate(runs)]
            home_of |= _copies_among(shares, left, names)


def _as_shares(run: Run, scores: Sequence[str]) -> Run:
    """Return a run with those of its scores as shares that are in percent."""
    percents = {
        name: replace(own, values=own.values / _HUNDRED)
        for name in scores
        if ((own := run.series[name]).values > _LEAST_PERCENT).any()
    }
    return replace(run, series={**run.series, **percents}) if percents else run


_HUNDRED, _LEAST_PERCENT = 100, 2
_TWO = 2


def _add_pairs(runs: Sequence[Run], home_of: dict[int, int]) -> None:
    """Add logs that a tool wrote twice, once with its settings as columns."""

    def place(at: int) -> tuple[object, ...] | None:
        run = runs[at]
        where = os.path.dirname(run.source), run.first_epoch, run.horizon
        return where if run.n_epochs >= FEWEST else None

    known = {*home_of.keys(), *home_of.values()}
    for members in by_key(range(len(runs)), place).values():
        if len(members) == _TWO and not known & {*members}:
            names, others = (_changing_names(runs[at]) for at in members)
            if names and names == others:
                home_of |= _copies_among(runs, members, names)


def _add_narrower(
    runs: Sequence[Run], groups: Mapping[_Alike, list[int]], home_of: dict[int, int]
) -> None:
    """Add copies that were made before the log had its last columns."""
    if len(groups) > _MOST_OPEN:
        return
    for narrow, wide in itertools.permutations(groups, 2):
        if narrow.first_epoch != wide.first_epoch or not {*narrow.names} < {
            *wide.names
        }:
            continue
        own, others = ({*_left(groups[kind], home_of)} for kind in (narrow, wide))
        if own and others:
            # of two as long, the first is the one that is kept
            found = _copies_among(runs, [*others, *own], narrow.names)
            home_of |= {
                part: home
                for part, home in found.items()
                if part in own and home in others
            }


def _add_short(runs: Sequence[Run], home_of: dict[int, int]) -> None:
    """Add copies of fewer than five epochs, each the same to the bit.

    Beside copies that were made as a log grew, a few digits are enough.
    """
    pairs = [(part, _home(home_of, part)) for part in home_of]
    kept = {home for _, home in pairs}
    grown = dict.fromkeys(
        home for part, home in pairs if runs[part].n_epochs < runs[home].n_epochs
    )
    short = [at for at, run in enumerate(runs) if run.n_epochs < FEWEST]
    begun = by_key(range(len(runs)) if short else (), lambda at: _first_row(runs[at]))
    for at in sorted(short, key=lambda at: -runs[at].n_epochs):
        run, n_digits = runs[at], count_digits(runs[at].series.values())
        if run.steps is not None or at in home_of or at in kept:
            continue
        homes = [*grown] if n_digits >= _MANY_DIGITS else []
        homes += begun[_first_row(run)] if n_digits >= _RANK_DIGITS else []
        for home in homes:
            # of two as long, the first is the one that is kept
            longer = (runs[home].n_epochs, at) > (run.n_epochs, home)
            if longer and home not in home_of and begins_to_the_bit(run, runs[home]):
                home_of[at] = home
                kept.add(home)
                if run.n_epochs < runs[home].n_epochs:
                    grown[home] = None
                break


def _first_row(run: Run) -> Hashable:
    """Return the first row of a run, with its epoch and the names of its series."""
    names = sorted(run.series)
    firsts = (run.series[name].values[:1].tobytes() for name in names)
    return run.first_epoch, *names, *firsts


def _add_ranks(runs: Sequence[Run], home_of: dict[int, int]) -> None:
    """Add logs of the ranks of one training to the first: equal validations show it.

    Each rank has a training loss of its own, and all of them one validation.
    """
    several = [at for at in _left(range(len(runs)), home_of) if runs[at].steps is None]
    for home, *others in by_key(several, lambda at: _validation_of(runs[at])).values():
        if others and _are_told_by_validation(runs[home]):
            home_of |= {
                at: home
                for at in others
                if lie_beside(runs[at].source, runs[home].source)
                and rates_agree(runs[at], runs[home])
            }


def _validation_of(run: Run) -> Hashable | None:
    """Return all of a validation; None if a run has no other series.

    Ranks that share all of their series are copies.
    """
    names = sorted(filter(is_validation, run.series))
    if len(names) in (0, len(run.series)):
        return None
    own = [run.series[name] for name in names]
    held = (part.tobytes() for each in own for part in (each.values, each.recorded))
    return run.first_epoch, *names, *held


def _are_told_by_validation(run: Run) -> bool:
    """Tell whether a validation has too many values and digits to be a coincidence."""
    own = {name: held for name, held in run.series.items() if is_validation(name)}
    changing = max(map(count_changing, own.values()))
    return changing >= FEWEST and count_digits(own.values()) >= _RANK_DIGITS


# this many digits do not agree by chance: of a first row, and of a whole validation
_MANY_DIGITS, _RANK_DIGITS = 5, 15


def _changing_names(run: Run) -> list[str]:
    return sorted(name for name, own in run.series.items() if count_changing(own) > 1)


def _copies_among(
    runs: Sequence[Run], members: list[int], names: Sequence[str]
) -> dict[int, int]:
    """Return, by each copy among runs of the same series, what it is a copy of."""
    if len(members) < _TWO:
        return {}
    first = FirstValues([runs[at] for at in members], names, FEWEST)
    coarse = first.rounding_of_candidates()
    rank = sorted(coarse, key=lambda at: _rank(runs[members[at]], coarse[at]))
    home_of: dict[int, int] = {}
    # the longer ones, unless they are copies of one that is longer still
    kept = np.zeros(len(members), dtype=np.bool_)
    for at in rank:
        own = runs[members[at]]
        homes = (members[other] for other in first.alike(at, kept))
        home = next((home for home in homes if begins(own, runs[home])), None)
        if home is None:
            kept[at] = True
        else:
            home_of[members[at]] = home
    return home_of


def _rank(run: Run, coarse: float) -> tuple[int, int, int, bool, bool, float]:
    """Return a sort key: the longest run comes first, with most series, most digits."""
    no_rate, rounded = run.learning_rate is None, bool(run.learning_rate_rounding)
    size = -run.n_epochs, -run.recorded_epochs, -len(run.series)
    return *size, no_rate, rounded, coarse
