"""The report on one run: what every patience, or one setting, would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.plots.learning_rate import has_learning_rate
from cbreplay.report.asked import (
    ReportQuestion,
    setting_code,
    setting_name,
)
from cbreplay.report.document import (
    Block,
    Code,
    CodeBlock,
    Column,
    Document,
    Paragraph,
    Section,
    Table,
    Text,
)
from cbreplay.report.doubts import doubts_of_one, usual_steps
from cbreplay.report.origins import spoken_end, spoken_plan
from cbreplay.report.pictures import curve_figure, rate_figure
from cbreplay.rules.base import format_callback
from cbreplay.words import (
    count,
    decimals_for,
    spoken_epoch,
    spoken_evidence,
    spoken_number,
    spoken_range,
    spoken_seconds,
    spoken_semantics,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.replay import Replay
    from cbreplay.run import Run
    from cbreplay.staircase import RateHistory, Staircase, StaircaseStep

__all__ = ["report_on_one"]

_MOST_STEPS = 40
_MOST_SERIES = 4


def report_on_one(run: Run, question: ReportQuestion, closing: Section) -> Document:
    """Build the report on one run.

    Parameters
    ----------
    run : Run
        The record.
    asked : ReportQuestion
        The question; without callbacks, every patience.
    closing : Section
        How it was computed.
    """
    staircase = question.staircase(run)
    step = staircase.sufficient_step()
    if question.callbacks is not None:
        replay = question.replay(run, question.callbacks)
        title = _title_of_setting(replay)
    else:
        drawn = staircase.steps[-1] if step is None else step
        patience = staircase.sufficient_patience()
        if patience is None:
            patience = drawn.first_patience
        replay = question.replay(run, question.early_stopping(patience))
        title = _title_of_staircase(staircase, step)
    decimals = decimals_for(
        [staircase.best_value, *(one.kept_value for one in staircase.steps)]
    )
    return Document(
        title,
        _lead(replay),
        (
            _setting(replay, step, given=question.callbacks is not None),
            _outcome(replay, decimals),
            doubts_of_one(replay, staircase, decimals=decimals),
            Section("The decisions on the curve", (curve_figure(replay),)),
            _every_patience(staircase, decimals),
            *_rate_sections(replay, staircase.rate),
            _the_run(staircase, decimals),
            closing,
        ),
    )


def _title_of_staircase(staircase: Staircase, step: StaircaseStep | None) -> str:
    run, objective = staircase.replay.run, staircase.replay.objective
    if step is None:
        return _title_without_step(staircase)
    patience, saved = staircase.sufficient_patience(), step.most_epochs_saved
    if step.regret == 0:
        end = f"and saved {saved} of {count(run.n_epochs, 'epoch')}"
        if saved == 0:
            end = "and saved no epoch"
        return (
            f"On this run, patience {patience} would have kept the best recorded "
            f"{objective} {end}"
        )
    return (
        f"No patience that stops inside this log keeps its best {objective}; "
        f"patience {patience} comes nearest"
    )


def _title_without_step(staircase: Staircase) -> str:
    """Say why no patience stands out: no number to judge by, or no stop in the log."""
    run, objective = staircase.replay.run, staircase.replay.objective
    if staircase.best_value is None:
        return f"This log holds no finite {objective}, so no patience can be judged"
    rest = staircase.steps[-1]
    if len(staircase.steps) > 1:
        return (
            "Every patience that stops inside this log keeps weights without a finite "
            f"{objective}"
        )
    if rest.evidence == "exact":
        return (
            f"Every patience runs to the end of the plan, epoch {run.horizon + 1}, and "
            f"keeps epoch {rest.kept_epoch + 1}"
        )
    return (
        f"No patience stops inside this log: it ends at epoch {run.horizon + 1}, "
        "too soon to say what would have sufficed"
    )


def _title_of_setting(replay: Replay) -> str:
    name, outcome = setting_name(replay.callbacks), replay.outcome
    if replay.evidence == "diverged":
        return f"{spoken_evidence(replay).capitalize()} about {name}"
    if replay.evidence == "censored":
        return (
            f"What {name} ends with is not in the log: it ends at epoch "
            f"{replay.run.horizon + 1} without a stop"
        )
    stop = "runs to the end of its plan"
    if replay.stopped_epoch is not None:
        stop = f"stops at epoch {replay.stopped_epoch + 1} of {replay.run.horizon + 1}"
    cost = ""
    if outcome.regret == 0:
        cost = f", the best recorded {replay.objective}"
    elif outcome.regret is not None:
        side = "above" if replay.objective_mode == "min" else "below"
        regret = spoken_number(outcome.regret, decimals_for([outcome.kept_value]))
        cost = f", {regret} {side} the best recorded {replay.objective}"
    name = name[:1].upper() + name[1:]
    return f"{name} {stop} and keeps epoch {spoken_epoch(replay.kept_epoch)}{cost}"


def _lead(replay: Replay) -> Text:
    run = replay.run
    better = "smaller" if replay.objective_mode == "min" else "larger"
    return (
        Code(run.name),
        (
            f": {count(run.recorded_epochs, 'recorded epoch')}, {spoken_plan(run)}. "
            "Judged by "
        ),
        Code(replay.objective),
        (
            f", {better} is better. Replayed by the rules of "
            f"{spoken_semantics(replay.semantics.name)}. Epochs count from 1."
        ),
    )


def _setting(replay: Replay, step: StaircaseStep | None, *, given: bool) -> Section:
    """Return the setting as code, where the log carries it."""
    if given:
        code = setting_code(replay.callbacks)
        return Section("The setting", (CodeBlock(code, "python"),), half=True)
    if step is None:
        text = (
            (
                "There is no setting to paste: nothing that stops inside this log "
                "can be judged by it."
            ),
        )
        return Section("What would have sufficed", (Paragraph(text),), half=True)
    title = "What would have sufficed"
    words = "the smallest patience that keeps the best recorded value"
    if step.regret != 0:
        title = "What comes nearest"
        words = "none keeps the best recorded value, and this patience comes nearest"
    text = (f"On this one run: {words}. Not a recommendation for the next.",)
    blocks = (
        CodeBlock(setting_code(replay.callbacks), "python"),
        Paragraph(text, small=True),
    )
    return Section(title, blocks, half=True)


def _outcome(replay: Replay, decimals: int) -> Section:
    """Return what the setting would have done, as two columns."""
    outcome, run = replay.outcome, replay.run
    bound = {
        key: "≥ " if kind == "lower" else "≤ " for key, kind in outcome.bounds.items()
    }
    rows = [("Evidence", spoken_evidence(replay))]
    if replay.stopped_epoch is not None:
        rows.append(
            ("Stops at epoch", f"{replay.stopped_epoch + 1} of {run.horizon + 1}")
        )
    if replay.kept_epoch is not None:
        so_far = " so far" if outcome.provisional else ""
        rows.append((f"Keeps epoch{so_far}", spoken_epoch(replay.kept_epoch)))
        value = spoken_number(outcome.kept_value, decimals)
        rows.append((f"{replay.objective}{so_far}", value))
        regret = spoken_number(outcome.regret, decimals)
        rows.append((f"{_above_best(replay)}{so_far}", regret))
    trained = f"{bound.get('trained_epochs', '')}{outcome.trained_epochs}"
    rows.append(("Epochs trained", trained))
    saved = f"{bound.get('epochs_saved', '')}{outcome.epochs_saved}"
    rows.append(("Epochs saved", saved))
    if outcome.seconds_saved is not None:
        seconds = spoken_seconds(outcome.seconds_saved)
        rows.append(("Time saved", f"{bound.get('seconds_saved', '')}{seconds}"))
    for number, one in enumerate(replay.reductions, 1):
        change = "reduced" if one.new is None else f"to {one.new:.4g}"
        rows.append((f"Reduction {number}", f"{change} after epoch {one.epoch + 1}"))
    columns = (Column("Outcome", "left"), Column("On this run", "left"))
    table = Table(columns, tuple(rows), "What the setting would have done on this run")
    return Section("What it would have done", (table,), half=True)


def _above_best(replay: Replay) -> str:
    return "Above best" if replay.objective_mode == "min" else "Below best"


def _every_patience(staircase: Staircase, decimals: int) -> Section:
    """Return the staircase: which patience values end with which weights."""
    replay, steps = staircase.replay, staircase.steps
    shown = _thinned(steps)
    others = {
        name: decimals_for(step.others[name] for step in steps)
        for name in list(steps[0].others)[:_MOST_SERIES]
    }
    columns = [
        Column("Patience", "left"),
        Column("Stops at"),
        Column("Keeps"),
        Column(replay.objective),
        Column(_above_best(replay)),
        *(Column(name) for name in others),
        Column("Saved"),
    ]
    usual = set(usual_steps(staircase))
    rows = tuple(_step_row(staircase, one, decimals, others, usual) for one in shown)
    table = Table(tuple(columns), rows, "What every patience would have done")
    blocks: list[Block] = [table]
    remarks = list(
        _staircase_remarks(staircase, len(steps) - len(shown), has_usual=bool(usual))
    )
    if remarks:
        blocks.append(Paragraph((" ".join(remarks),), small=True))
    return Section("Every patience that this log can tell apart", tuple(blocks))


def _thinned(steps: tuple[StaircaseStep, ...]) -> list[StaircaseStep]:
    """Return at most so many steps: the first, the last and some between."""
    if len(steps) <= _MOST_STEPS:
        return list(steps)
    last = len(steps) - 1
    chosen = {round(i * last / (_MOST_STEPS - 1)) for i in range(_MOST_STEPS)}
    return [step for i, step in enumerate(steps) if i in chosen]


def _step_row(
    staircase: Staircase,
    step: StaircaseStep,
    decimals: int,
    others: dict[str, int],
    usual: set[tuple[int, int | None]],
) -> tuple[str, ...]:
    run = staircase.replay.run
    patience = spoken_range(step.first_patience, step.last_patience)
    first, last = step.first_stopped_epoch, step.last_stopped_epoch
    if step.evidence == "censored":
        return (patience, f"not in the log (it ends at epoch {run.horizon + 1})")
    stops = "end of plan"
    if first is not None and last is not None:
        stops = spoken_range(first + 1, last + 1)
    regret = spoken_number(step.regret, decimals)
    mark = " ~" if (step.first_patience, step.last_patience) in usual else ""
    saved = spoken_range(step.most_epochs_saved, step.fewest_epochs_saved)
    values = [
        spoken_number(step.others[name], places) for name, places in others.items()
    ]
    value = spoken_number(step.kept_value, decimals)
    kept = spoken_epoch(step.kept_epoch)
    return (patience, stops, kept, value, f"{regret}{mark}", *values, saved)


def _staircase_remarks(
    staircase: Staircase, n_hidden: int, *, has_usual: bool
) -> Iterator[str]:
    if n_hidden:
        yield f"{count(n_hidden, 'more step')}: cbreplay simulate --format csv."
    n_series = len(staircase.steps[0].others) - _MOST_SERIES
    if n_series > 0:
        yield f"{n_series} more series are left out here."
    if has_usual:
        yield "~ less than the usual change from one epoch to the next."
    if staircase.keep == "best":
        yield "Keeps assumes restore_best_weights=True; Keras's default is False."
    kept = {step.kept_epoch for step in staircase.steps}
    for name, (epoch, value) in staircase.other_best.items():
        if epoch not in kept:
            shown = spoken_number(value, decimals_for([value]))
            yield f"{name} was best at epoch {epoch + 1} ({shown}): no row keeps it."


def _rate_sections(replay: Replay, rate: RateHistory) -> Iterator[Section]:
    """Yield the learning rate, where it changes or the setting changes it."""
    decided = any(one.changes_learning_rate for one in replay.callbacks)
    if not has_learning_rate(replay) or not (rate.reductions or rate.rises or decided):
        return
    remarks = tuple(_rate_remarks(rate))
    blocks: list[Block] = [rate_figure(replay)]
    if remarks:
        blocks.append(Paragraph(remarks))
    yield Section("The learning rate", tuple(blocks))


def _rate_remarks(rate: RateHistory) -> Iterator[str | Code]:
    if rate.rises:
        yield "The recorded rate also rises, as no ReduceLROnPlateau does. "
    elif rate.explained_by is not None:
        yield Code(format_callback(rate.explained_by))
        yield " explains the recorded rate in every epoch; others may too. "
    elif rate.reductions:
        yield "No ReduceLROnPlateau that was tried explains the recorded rate. "
    if rate.first_reductions and not rate.rises:
        firsts = ", ".join(
            f"{one.patience} after epoch {one.epoch + 1}"
            for one in rate.first_reductions
        )
        yield f"Other patience values would first act: {firsts}. "
        yield "What came after that is not in the log."


def _the_run(staircase: Staircase, decimals: int) -> Section:
    """Return the table of the one run."""
    run, objective = staircase.replay.run, staircase.replay.objective
    columns = (
        Column("Run", "left"),
        Column("Recorded epochs"),
        Column("Plan", "left"),
        Column("Ended by", "left"),
        Column("Best epoch"),
        Column(f"Best {objective}"),
    )
    row = (
        run.name,
        str(run.recorded_epochs),
        spoken_plan(run),
        spoken_end(run),
        spoken_epoch(staircase.best_epoch),
        spoken_number(staircase.best_value, decimals),
    )
    return Section("The run", (Table(columns, (row,), "The run as it was recorded"),))
