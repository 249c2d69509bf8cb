"""``cbreplay simulate --versus``: one list of callbacks against another, run by run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from cbreplay.cli.output import Column, print_json, print_table
from cbreplay.cli.remarks import say
from cbreplay.errors import ConfigError
from cbreplay.replay import replay_run
from cbreplay.replay.compare import (
    ComparisonTotals,
    ReplayComparison,
    compare_replays,
    total_comparisons,
)
from cbreplay.rules.base import format_callback
from cbreplay.words import (
    count,
    decimals_for,
    list_names,
    spoken_counting,
    spoken_epoch,
    spoken_evidence,
    spoken_number,
    spoken_semantics,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.cli.output import Format
    from cbreplay.cli.question import Question
    from cbreplay.grid import Grid
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback

__all__ = ["print_versus"]

_CAUSES = {
    "learning rate": "it is trained at another learning rate",
    "reduction": "at its end they set different learning rates",
    "weights": "training goes on from different weights",
    "stop": "one stops there, the other does not",
    "kept weights": "both end there, and keep the weights of different epochs",
}
_SIDES = {"first": "A", "rival": "B", "same": "same"}
_MOST_NAMES = 5


def print_versus(
    question: Question, texts: tuple[str, ...], output: Format | Literal["parquet"]
) -> None:
    """Replay the list of -c and the list of --versus on every run, and compare.

    Raises
    ------
    ConfigError
        If one of the two is not one setting, or they are judged by different series.
    """
    if output == "parquet":
        sentence = "--format parquet is for grids; --versus has --format csv and json"
        raise ConfigError(sentence)
    lists = [_one_list(question.grid, "-c"), _one_list(_rival(question, texts), _RIVAL)]
    compared = [
        compare_replays(*(_replay(question, position, one) for one in lists))
        for position in range(len(question.runs))
    ]
    if output == "json":
        _print_as_json(question, lists, compared)
        return
    rows = [_row(one) for one in compared]
    print_table(_columns(question, compared, output), rows, output)
    if output == "table":
        totals = total_comparisons(compared)
        click.echo("\n" + "\n".join(_sentences(compared, totals)))
        say(*_remarks(lists, compared))


_RIVAL = "--versus"


def _one_list(grid: Grid | None, option: str) -> Sequence[Callback]:
    if grid is not None and len(grid) == 1:
        setting: Sequence[Callback] = grid[0]
        return setting
    problem = "names none" if grid is None else f"names {len(grid)}"
    sentence = (
        f"--versus compares one list with one, and {option} {problem}. "
        'Give one value for each, for example -c "EarlyStopping(patience=5)" '
        '--versus "EarlyStopping(patience=10)"'
    )
    raise ConfigError(sentence)


def _rival(question: Question, texts: tuple[str, ...]) -> Grid:
    from cbreplay.expressions import read_expressions
    from cbreplay.grid import make_grid

    read = read_expressions(texts, question.monitor_and_mode)
    say(*(f"note: {note}" for note in read.notes))
    return make_grid(read.entries)


def _replay(question: Question, position: int, listed: Sequence[Callback]) -> Replay:
    return replay_run(
        question.runs[position],
        listed,
        judging=question.judging,
    )


def _print_as_json(
    question: Question,
    lists: Sequence[Sequence[Callback]],
    compared: Sequence[ReplayComparison],
) -> None:
    replays = [
        (run, config, replay)
        for run, one in enumerate(compared)
        for config, replay in enumerate((one.first, one.rival))
    ]
    print_json(
        "simulate",
        runs=question.runs,
        replays=replays,
        configs=[
            {"callbacks": [format_callback(one) for one in listed], "parameters": {}}
            for listed in lists
        ],
        versus={
            "comparisons": [
                {"run": run, **_described(one)} for run, one in enumerate(compared)
            ],
            "totals": total_comparisons(compared)._asdict(),
        },
    )


def _described(one: ReplayComparison) -> dict[str, Any]:
    return {
        "parting_epoch": one.parting_epoch,
        "parted_by": one.parted_by,
        "evident_until": max(one.evident_until, 0) if _is_evident(one) else None,
        "both_exact": one.both_exact,
        "better": one.better,
        "value_gain": one.value_gain,
        "epochs_gain": one.epochs_gain,
    }


def _is_evident(one: ReplayComparison) -> bool:
    return one.evident_until >= one.first.run.first_epoch


def _row(one: ReplayComparison) -> dict[str, Any]:
    """Return a row: CSV's columns of each list, and both in one cell for people."""
    row: dict[str, Any] = {"run": one.first.run.name, **_described(one)}
    for side, replay in (("first", one.first), ("rival", one.rival)):
        outcome = replay.outcome
        row |= {
            f"{side}_evidence": replay.evidence,
            f"{side}_stopped_epoch": replay.stopped_epoch,
            f"{side}_kept_epoch": replay.kept_epoch,
            f"{side}_kept_value": outcome.kept_value,
            f"{side}_regret": outcome.regret,
            f"{side}_trained_epochs": outcome.trained_epochs,
            f"{side}_epochs_saved": outcome.epochs_saved,
            f"{side}_bounds": ";".join(f"{k}:{v}" for k, v in outcome.bounds.items()),
            f"{side}_provisional": ";".join(outcome.provisional),
            f"{side}_divergence_epoch": replay.divergence_epoch,
        }
    pair = (one.first, one.rival)
    row["stops"] = _both(spoken_epoch(each.stopped_epoch) for each in pair)
    row["keeps"] = _both(_kept(each) for each in pair)
    row["saved"] = _both(_saved(each) for each in pair)
    row["values"] = tuple(pair)
    row["spoken_better"] = _SIDES.get(one.better or "", "-")
    row["silent"] = _spoken_silence(one)
    return row


def _both(texts: Iterator[str]) -> str:
    return " / ".join(texts)


def _kept(replay: Replay) -> str:
    text = spoken_epoch(replay.kept_epoch)
    return f"({text})" if replay.outcome.provisional else text


def _saved(replay: Replay) -> str:
    return f"{'<= ' if replay.outcome.bounds else ''}{replay.outcome.epochs_saved}"


def _spoken_silence(one: ReplayComparison) -> str:
    """Say of which list the record is no full evidence, and why."""
    told = [
        f"{name}: {spoken_evidence(replay)}"
        for name, replay in (("A", one.first), ("B", one.rival))
        if replay.evidence != "exact"
    ]
    return "; ".join(told) or "exact"


def _columns(
    question: Question, compared: Sequence[ReplayComparison], output: Format
) -> list[Column]:
    if output == "csv":
        keys = "parting_epoch parted_by evident_until both_exact better value_gain"
        own = (
            "evidence stopped_epoch kept_epoch kept_value regret trained_epochs "
            "epochs_saved bounds provisional divergence_epoch"
        )
        names = ["run", *keys.split(), "epochs_gain"]
        names += [f"{side}_{key}" for side in ("first", "rival") for key in own.split()]
        return [Column(name, name) for name in names]
    objectives = {one.first.objective for one in compared}
    objective = objectives.pop() if len(objectives) == 1 else "kept value"
    values = [each.outcome.kept_value for one in compared for each in one[:2]]
    decimals = decimals_for(values)

    def spoken_values(pair: tuple[Replay, Replay]) -> str:
        return _both(
            spoken_number(each.outcome.kept_value, decimals)
            if not each.outcome.provisional
            else f"({spoken_number(each.outcome.kept_value, decimals)})"
            for each in pair
        )

    named = [Column("run", "run", align="left")] if len(question.runs) > 1 else []
    return [
        *named,
        Column("parting_epoch", "part at", spoken_epoch),
        Column("parted_by", "by", lambda cause: cause or "-", align="left"),
        Column("stops", "stops A / B"),
        Column("keeps", "keeps A / B"),
        Column("values", f"{objective} A / B", spoken_values),
        Column("saved", "saved A / B"),
        Column("spoken_better", "better"),
        Column("silent", "evidence", align="left"),
    ]


def _sentences(
    compared: Sequence[ReplayComparison], totals: ComparisonTotals
) -> Iterator[str]:
    """Yield the answer in words; totals are of the runs where both are exact."""
    if totals.parted_runs == 0:
        yield "A and B part on no run, as far as the log is evidence."
    elif totals.runs == 1 and compared[0].parted_by is not None:
        epoch = spoken_epoch(compared[0].parting_epoch)
        yield f"A and B part at epoch {epoch}: {_CAUSES[compared[0].parted_by]}."
    elif totals.parted_runs < totals.runs:
        yield f"A and B part on {totals.parted_runs} of {count(totals.runs, 'run')}."
    if totals.exact_runs:
        yield _spoken_totals(compared, totals)
    silent = [one.first.run.name for one in compared if not one.both_exact]
    if silent:
        shown = list_names(silent, _MOST_NAMES)
        where = f"On {shown}" if len(compared) > 1 else "Here"
        yield (
            f"{where} nothing is compared: the log does not show how both would have "
            "ended."
        )


def _spoken_totals(
    compared: Sequence[ReplayComparison], totals: ComparisonTotals
) -> str:
    objective = compared[0].first.objective
    saved = (
        f"A saves {count(totals.first_epochs_saved, 'epoch')} and B "
        f"{totals.rival_epochs_saved}."
    )
    if len(compared) == 1:
        kept = {
            "first": f"A keeps the better {objective}",
            "rival": f"B keeps the better {objective}",
            "same": f"Both keep the same {objective}",
            None: f"Which keeps the better {objective} is not recorded",
        }[compared[0].better]
        return f"{kept}; {saved}"
    return (
        f"On the {count(totals.exact_runs, 'run')} where both are exact, A keeps the "
        f"better {objective} on {totals.first_better}, B on {totals.rival_better}, "
        f"both the same on {totals.same}; {saved}"
    )


def _remarks(
    lists: Sequence[Sequence[Callback]], compared: Sequence[ReplayComparison]
) -> Iterator[str]:
    for name, listed in zip("AB", lists, strict=True):
        yield f"{name}: [{', '.join(format_callback(one) for one in listed)}]"
    replays = [each for one in compared for each in one[:2]]
    rules = sorted({spoken_semantics(one.semantics.name) for one in replays})
    counting = spoken_counting(one.run for one in replays)
    yield f"rules of {', '.join(rules)}; {counting}"
    if any(one.outcome.provisional for one in replays):
        yield (
            "(in brackets): as if training had ended with the log; such figures are "
            "never compared"
        )
    notes = (
        (one.run.name, note) for one in replays for note in (*one.run.notes, *one.notes)
    )
    named: dict[str, list[str]] = {}
    for run, note in notes:
        named.setdefault(note, []).append(run)
    for note, runs in named.items():
        others = len(dict.fromkeys(runs)) - 1
        where = f"{runs[0]}: " if len(compared) > 1 else ""
        yield f"note: {where}{note}{f' (and {others} more)' if others else ''}"
