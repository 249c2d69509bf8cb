"""Logs of several fits: begun anew, or resumed once or twice, with other columns."""

from __future__ import annotations

from dataclasses import replace as with_other
from typing import TYPE_CHECKING

from hypothesis import assume
from hypothesis import strategies as st

from tests.oracles.logs_of_tools import WRITERS, Files, keras_events
from tests.oracles.true_cases import Case, as_written, make_case, one_training, tell
from tests.oracles.true_trainings import METRICS, Row, Training, trainings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay import Run

__all__ = [
    "cut_and_resumed",
    "gone_on",
    "restarted",
    "resumed",
    "resumed_twice",
    "with_header",
    "with_other_columns",
]


def _second(draw: st.DrawFn, first: Training, begins: int) -> Training:
    has_rates = first.rows[0].rate is not None
    drawn = trainings(
        names=first.names,
        first_epoch=begins,
        has_rates=has_rates,
        freqs=[first.validation_freq],
    )
    held = {(row.epoch, repr(row.values)) for row in first.rows}
    return draw(
        drawn.filter(
            lambda fit: held.isdisjoint(
                (row.epoch, repr(row.values)) for row in fit.rows
            )
        )
    )


def restarted(draw: st.DrawFn, name: str) -> Case:
    first = one_training(draw, name)
    second = _second(draw, first, 0)
    rows = [*first.rows, *second.rows]
    if not WRITERS[name].numbered:
        fits = [as_written(WRITERS[name], rows)]
        return make_case(name, "restarted", rows, fits)
    return make_case(name, "restarted", rows, [first, second], most=2)


def gone_on(draw: st.DrawFn, name: str) -> Case:
    first = one_training(draw, name)
    second = _second(draw, first, len(first.rows))
    rows = [*first.rows, *second.rows]
    case = make_case(name, "gone on", rows, [Training(tuple(rows))])
    if name != "keras events":
        return case
    # the second fit has event files of its own
    begins = len(first.rows)
    seam = with_other(case.truths[0], seams=(begins,))
    return case._replace(
        truths=(seam,), files=_in_two(first.rows, second.rows), most_runs=1
    )


def _in_two(first: Sequence[Row], second: Sequence[Row]) -> Files:
    """Return the event files of two fits, one beside the other."""
    return {**keras_events(first), **keras_events(second, len(first))}


def resumed(draw: st.DrawFn, name: str) -> Case:
    first = one_training(draw, name, 2)
    begins = draw(st.integers(1, len(first.rows) - 1))
    second = _second(draw, first, begins)
    rows = [*first.rows, *second.rows]
    if not WRITERS[name].numbered:
        fits = [as_written(WRITERS[name], rows)]
        return make_case(name, "resumed", rows, fits)
    joined = Training((*first.rows[:begins], *second.rows)).as_run()
    earlier = ((begins, first.as_run()),)
    joined = with_other(joined, seams=(begins,), replaced=earlier)
    case = make_case(name, "resumed", rows, [first, second], truths=[joined], most=2)
    if name != "keras events":
        return case
    return case._replace(files=_in_two(first.rows, second.rows))


def with_header(draw: st.DrawFn, name: str) -> Case:
    """A second fit below the first with a header of its own, from any epoch."""
    first = one_training(draw, name, 2)
    begins = draw(st.integers(0, len(first.rows)))
    second = _second(draw, first, begins)
    parts = [WRITERS[name].write(fit.rows) for fit in (first, second)]
    files = {path: own + parts[1].get(path, b"") for path, own in parts[0].items()}
    truths = []
    if begins:
        joined = Training((*first.rows[:begins], *second.rows)).as_run()
        replaced = ((begins, first.as_run()),) if begins < len(first.rows) else ()
        truths = [with_other(joined, seams=(begins,), replaced=replaced)]
    told = (*tell(first, second), *truths)
    rows = (*first.rows, *second.rows)
    return Case(name, "with header", (first, second), told, 2, files, rows)


def _joined(fits: Sequence[Training]) -> Run:
    """Return the run of fits, each of which but the first resumed the one before."""
    rows = [*fits[0].rows]
    seams: list[int] = []
    replaced: list[tuple[int, Run | None]] = []
    for fit in fits[1:]:
        begins = fit.first_epoch
        if begins <= rows[-1].epoch:
            since = max((seam for seam, _ in replaced), default=rows[0].epoch)
            own = Training(tuple(row for row in rows if row.epoch >= since)).as_run()
            inner = tuple(seam for seam in seams if seam > since)
            replaced = [(min(seam, begins), earlier) for seam, earlier in replaced]
            replaced.append((begins, with_other(own, seams=inner)))
        rows = [*(row for row in rows if row.epoch < begins), *fit.rows]
        seams = [*(seam for seam in seams if seam < begins), begins]
    joined = Training(tuple(rows)).as_run()
    return with_other(joined, seams=tuple(seams), replaced=tuple(replaced))


def _all_joined(fits: Sequence[Training]) -> Iterator[Run]:
    """Yield the runs of those that follow each other, which begin with their first."""
    for begin in range(len(fits)):
        for end in range(begin + 2, len(fits) + 1):
            own = fits[begin:end]
            if min(fit.first_epoch for fit in own[1:]) > own[0].first_epoch:
                yield _joined(own)


def resumed_twice(draw: st.DrawFn, name: str) -> Case:
    fits = [one_training(draw, name, 3)]
    # each joined fit is asked about too: that takes long
    assume(len(fits[0].names) < len(METRICS) - 1)
    for _ in range(2):
        last = fits[-1].rows[-1].epoch
        begins = draw(st.integers(1, max(1, last)))
        fits.append(_second(draw, fits[-1], begins))
    rows = [row for fit in fits for row in fit.rows]
    if not WRITERS[name].numbered:
        return make_case(name, "resumed twice", rows, [as_written(WRITERS[name], rows)])
    truths = [*_all_joined(fits)]
    return make_case(name, "resumed twice", rows, fits, truths=truths, most=3)


def with_other_columns(draw: st.DrawFn, name: str) -> Case:
    """A second fit below the first that logs fewer metrics, or more.

    As many others below one header leave no trace, and are not drawn.
    """
    first = one_training(draw, name, 2)
    begins = draw(st.integers(0, len(first.rows)))
    names = draw(st.sampled_from([("loss", "val_loss"), ("val_loss",), METRICS]))
    second = draw(trainings(names=names, first_epoch=begins, freqs=[1]))
    parts = [WRITERS[name].write(fit.rows) for fit in (first, second)]
    # Keras writes no second header
    skip = draw(st.booleans())
    widths = {
        own.partition(b"\n")[0].count(b",") + own.partition(b"\n")[0].count(b";")
        for part in parts
        for own in part.values()
    }
    assume(not skip or len(widths) > 1)
    files = {
        path: own + (parts[1][path].partition(b"\n")[2] if skip else parts[1][path])
        for path, own in parts[0].items()
    }
    truths = [*tell(first, second), *_all_joined([first, second])]
    rows = () if skip else (*first.rows, *second.rows)
    own = (first, second)
    return Case(name, "with other columns", own, tuple(truths), 2, files, rows)


def cut_and_resumed(draw: st.DrawFn, name: str) -> Case:
    """A fit broke off inside its last row, and the next one wrote on behind that."""
    first = one_training(draw, name, 3)
    shown = first.changed(first.rows[:-1])
    begins = draw(st.integers(1, len(first.rows)))
    second = _second(draw, first, begins)
    files: Files = {}
    for path, whole in WRITERS[name].write(first.rows).items():
        n_kept = len(WRITERS[name].write(shown.rows)[path])
        # half the number of an epoch, before the next, is the number of another
        begins_at = n_kept + len(f"{first.rows[-1].epoch + 1}") + 1
        head = whole[: draw(st.just(n_kept) | st.integers(begins_at, len(whole)))]
        own = WRITERS[name].write(second.rows)[path]
        has_header = not own.startswith(b"{")
        files[path] = head + (own.partition(b"\n")[2] if has_header else own)
    fits = [second, second.changed(second.rows[1:])]
    told = [one for one in fits if one.rows]
    truths = [*tell(first, shown, *told)]
    for earlier in (first, shown):
        for later in told:
            truths += _all_joined([earlier, later])
            truths.append(Training(_over(earlier, later)).as_run())
    return Case(name, "cut and resumed", (first, second), tuple(truths), 2, files, ())


def _over(earlier: Training, later: Training) -> tuple[Row, ...]:
    begins = later.first_epoch
    return (*(row for row in earlier.rows if row.epoch < begins), *later.rows)
