"""Which pieces of rows are one training: restarts, resumed fits, repeated tables.

`rows.split_rows` cuts a log into the pieces.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.building.rows import Rows
from cbreplay.readers.building.training_rows import TrainingRows, seam_note
from cbreplay.readers.sizes import check_cells, check_epochs
from cbreplay.wording.note import Note
from cbreplay.wording.words import count, spoken_seam

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.run_metadata import RunMetadata

__all__ = ["join_rows"]

# in sweeps an epoch is an int32
_LAST_EPOCH = 2**31 - 2


def join_rows(
    pieces: Sequence[Rows],
    options: ReadOptions,
    metadata: RunMetadata | None,
    source: str,
) -> list[TrainingRows]:
    """Join the pieces of a log into trainings.

    A piece whose epochs go on upwards belongs to the training before it. One that steps
    back is another training, unless the user or ``run.json`` says that a fit was
    resumed at that epoch: then its rows replace those from there on. A piece that
    repeats the one before it from its start is the same table again, and read once.
    Pieces that fill each other's gaps, or stand newest first, are put in order where
    the user joins them.

    Raises
    ------
    LogError
        If an epoch is so far beyond the others that no memory would hold the series.
    """
    coming = _resumed_fits(metadata)
    records: list[TrainingRows] = []
    pieces, repeats = _without_repeats(pieces)
    if options.parts == "join" and len(pieces) > 1:
        pieces, joined = _join_turns(pieces)
        repeats = [*repeats, *joined]
    # the rows of a record are put together once: after all of them are known
    for earlier, piece in zip([*pieces[:1], *pieces], pieces, strict=False):
        first = int(piece.epochs[0])
        if records and first > records[-1].horizon:
            records[-1].go_on(piece)
            continue
        passed = _take(coming, first, records[-1].horizon) if records else None
        if records and (passed is not None or options.parts == "join"):
            _note_seams(records[-1], passed or ())
            _replace_from(records[-1], piece)
        elif not records or not records[-1].takes_again(piece):
            records.append(TrainingRows(piece))
            before = records[-2] if records[1:] else records[-1]
            within = first > before.first_epoch
            records[-1].resumes = within and _began_after(earlier, piece)
    _check_spans(records, source, options.max_bytes)
    for record in records:
        record.note_rows_again()
    _note_seams(records[-1], (began for began, _ in coming))
    _note_restarts(records)
    for record in records:
        record.notes += repeats
        _add_seams(record, options.seams)
        for seam, fit in record.replaced:
            if fit is not None:
                inside = [at for at in options.seams if fit.first_epoch < at < seam]
                _add_seams(fit, inside)
    return records


def _resumed_fits(metadata: RunMetadata | None) -> list[tuple[int, int | None]]:
    """Return where each fit after the first began, and the one before it ended."""
    if metadata is None or not metadata.earlier_fits:
        return []
    earlier = metadata.earlier_fits
    later = [*(own.fit for own in earlier[1:]), metadata.fit]
    ends = [None if own.ended is None else own.ended.epoch for own in earlier]
    return [(fit.initial_epoch, end) for fit, end in zip(later, ends, strict=True)]


def _take(
    coming: list[tuple[int, int | None]], epoch: int, horizon: int
) -> list[int] | None:
    """Take the next fit that was resumed at this epoch; None if none is left.

    `coming` are the resumed fits of a ``run.json`` whose rows have not been found. Of
    several it is one behind a fit that ended with the last row. Returned is where the
    fits before it began, whose rows just went on.
    """
    numbers = [number for number, own in enumerate(coming) if own[0] == epoch]
    if not numbers:
        return None
    fitting = (number for number in numbers if coming[number][1] == horizon)
    taken = next(fitting, numbers[0])
    passed = [began for began, _ in coming[:taken]]
    del coming[: taken + 1]
    return passed


def _replace_from(record: TrainingRows, piece: Rows) -> None:
    first = int(piece.epochs[0])
    dropped = record.drop_from(first)
    earlier = f"{dropped} earlier ones from that epoch on"
    record.seams[first] = (
        f"{seam_note(first)}, and its rows stand for the "
        f"{'earlier one' if dropped == 1 else earlier}"
    )
    record.add(piece)


def _note_seams(record: TrainingRows, resumed: Iterable[int]) -> None:
    """Note the seams that only ``run.json`` knows, because the rows just go on."""
    for epoch in resumed:
        if record.first_epoch < epoch <= record.horizon:
            record.confirm_seam(epoch)


def _add_seams(record: TrainingRows, seams: Iterable[int]) -> None:
    """Take the seams that the user knows of."""
    for epoch in seams:
        if record.first_epoch < epoch <= record.horizon:
            record.confirm_seam(epoch, ", as given")
        else:
            record.notes.append(
                f"{spoken_seam(epoch)} changes nothing: no fit is resumed at epoch "
                f"{epoch + 1} of a log with epochs {record.first_epoch + 1}-"
                f"{record.horizon + 1} (counted from 1)"
            )


def _without_repeats(pieces: Sequence[Rows]) -> tuple[list[Rows], list[str]]:
    """Of pieces that repeat each other, from their start or cut, keep the longest."""
    if len(pieces) == 1:
        return list(pieces), []
    kept: list[Rows] = []
    n_repeats = 0
    for piece in pieces:
        if kept and _is_again(kept[-1], piece):
            n_repeats += 1
            if len(piece.epochs) >= len(kept[-1].epochs):
                kept[-1] = piece
            while len(kept) > 1 and _is_again(kept[-2], kept[-1]):
                # a NaN after few numbers: only the longer piece shows that they repeat
                n_repeats += 1
                del kept[-2]
        elif kept and kept[-1].shares_rows(piece):
            n_repeats += 1
            kept[-1] = _union(kept[-1], piece)
        else:
            kept.append(piece)
    if not n_repeats:
        return kept, []
    times = "once more" if n_repeats == 1 else f"{n_repeats} times more"
    whose = "its rows" if len(kept) == 1 else "the rows of trainings in this log"
    note = f"{whose} stand there {times}, from the first one on: they were read once"
    return kept, [note]


def _union(earlier: Rows, later: Rows) -> Rows:
    """Return all rows of two saves of one table, of which each lost some."""
    lost = ~np.isin(earlier.epochs, later.epochs)
    joined = Rows.joined([later, earlier.take(lost)])
    return joined.take(np.argsort(joined.epochs, kind="stable"))


def _is_again(earlier: Rows, later: Rows) -> bool:
    """Tell whether one piece begins the other, or the earlier is a cut copy."""
    return earlier.begins_as(later) or later.holds_rows(earlier)


def _check_spans(records: Sequence[TrainingRows], source: str, most: int) -> None:
    """Refuse impossible epochs, and gaps that would take far more memory than the log.

    Every series is laid out from the first epoch to the last, gaps included.
    """
    n_missing = 0
    replaced = [fit for record in records for _, fit in record.replaced if fit]
    for record in [*records, *replaced]:
        held, wanted = record.count_cells()
        n_missing += wanted - held
        what = "its fits log different series"
        check_cells(n_missing, source, most, what)
        rows, first, last = record.rows, record.first_epoch, record.horizon
        n_rows = len(rows.epochs)
        absent = last - first + 1 - n_rows
        n_missing += absent * (1 + len(rows.columns))
        what = f"the epochs run from {first} to {last} in {n_rows} rows"
        if last > _LAST_EPOCH:
            hint = "Correct the epoch that does not belong there"
            raise LogError(what, source=source, hint=hint)
        check_epochs(absent + n_rows, source, most, what)
        check_cells(n_missing, source, most, what)


def _began_after(earlier: Rows, later: Rows) -> bool:
    """Return whether later rows may go on with earlier ones, by their times, if any."""
    times = earlier.wall_times, later.wall_times
    return not all(map(len, times)) or not times[0][-1] > times[1][0]


def _note_restarts(records: Sequence[TrainingRows]) -> None:
    """Note at each of several trainings which one it is, and how it is read as one."""
    if len(records) == 1:
        return
    pieces = [record.rows for record in records]
    of_all = ""
    if _are_in_turn(pieces):
        of_all = "workers wrote one training in turn, and their clocks differ"
    elif _are_newest_first(pieces):
        of_all = "each save wrote its rows above the earlier ones"
        if _are_files(pieces):
            of_all = "the fit above resumed this one with its clock set back"
    for number, record in enumerate(records, start=1):
        rows = record.rows
        back = f", where the epochs step back to {rows.epochs[0] + 1} (counted from 1)"
        if cause := of_all or ("a fit was resumed there" if record.resumes else ""):
            back += f": if {cause}, --parts join or parts='join' takes them as one"
        goes_on = _began_after(records[max(number - 2, 0)].rows, rows)
        if goes_on and rows.epochs[0] == records[0].rows.epochs[0]:
            back += _rows_hint(records)
        note = (
            f"the log holds {len(records)} trainings; this is number {number}, "
            f"from {rows.place} on{back if number > 1 else ''}"
        )
        record.notes.append(Note(note, "parts") if number > 1 else note)


def _rows_hint(records: Sequence[TrainingRows]) -> str:
    """Say how to read fits that all count from the same epoch as one training."""
    hint = ": if its fit went on with the model of the one before, "
    if len(records) > _TWO_FITS:
        hint += "--parts rows or parts='rows' takes them as one training; a --seam for "
        return hint + (
            "each fit after the first, or seams=[...], says how many epochs came before"
        )
    seam = records[0].first_epoch + len(records[0].rows.epochs)
    hint += f"--parts rows --seam {seam} or parts='rows', seams=[{seam}] takes both as "
    return hint + f"one training (the second begins after {count(seam, 'epoch')})"


_TWO_FITS = 2


def _are_in_turn(pieces: Sequence[Rows]) -> bool:
    """Tell whether pieces of a log fill each other's gaps, and share no epoch."""
    from cbreplay.readers.building.odd_epochs import fill_each_other

    numbers = np.repeat(np.arange(len(pieces)), [len(own.epochs) for own in pieces])
    return fill_each_other(np.concatenate([own.epochs for own in pieces]), numbers)


def _are_newest_first(pieces: Sequence[Rows]) -> bool:
    """Tell whether each piece of a log ends where the one above it begins.

    The times of files do not tell: a clock may have been set back. A file whose writer
    marked that it resumed a fit may begin within the one below.
    """
    by_files = _are_files(pieces)
    return len(pieces) > 1 and all(
        later.epochs[0] < earlier.epochs[0] <= later.epochs[-1] + 1
        and (
            earlier.epochs[0] > later.epochs[-1]
            or (by_files and not earlier.begins_file)
        )
        and (by_files or _began_after(later, earlier))
        for earlier, later in itertools.pairwise(pieces)
    )


def _are_files(pieces: Sequence[Rows]) -> bool:
    """Tell whether pieces are of several files; a resumed fit may begin in any."""
    return any(piece.begins_file for piece in pieces)


def _join_turns(pieces: list[Rows]) -> tuple[list[Rows], list[str]]:
    """Put pieces in the order of their epochs, with a note: those written in turn.

    They fill each other's gaps, or stand newest first, as event files do where a clock
    was set back. Clocks that differ do not tell how long an epoch took.
    """
    if _are_newest_first(pieces):
        if _are_files(pieces):
            note = (
                "the order of its files was put right by their epochs, not their times"
            )
            return pieces[::-1], [note]
        note = "its saves stood newest first: they were put in order, as one fit"
        return [Rows.joined(pieces[::-1])], [note]
    if not _are_in_turn(pieces):
        return pieces, []
    joined = Rows.joined(pieces)
    ordered = joined.take(np.argsort(joined.epochs, kind="stable"))
    ordered.wall_times = np.zeros(0)
    return [ordered], ["its pieces fill each other's gaps: they were read as one"]
