"""Which pieces of rows are one training: restarts, resumed fits, repeated tables.

`rows.split_rows` cuts a log into the pieces.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.building.restarts import began_after, note_restarts
from cbreplay.readers.building.rows import Rows, spread
from cbreplay.readers.building.written_digits import as_float32
from cbreplay.readers.sizes import check_cells, check_epochs
from cbreplay.words import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.run import Series
    from cbreplay.run_metadata import RunMetadata

__all__ = ["TrainingRows", "join_rows"]

# in sweeps an epoch is an int32
_LAST_EPOCH = 2**31 - 2
_TWO_ROWS = 2


class TrainingRows:
    """One training, from the rows of one fit or of several that resumed each other.

    Parameters
    ----------
    rows : Rows
        The rows of its first piece, with epochs that only go up.

    Attributes
    ----------
    seams : dict of int to str
        The epochs at which a fit was resumed, each with its note.
    possible : set of int
        The seams at which it is not known whether a fit was resumed.
    resumes : bool
        Whether it begins inside the epochs of the training before it in its log.
    notes : list of str
        What else people should know.
    replaced : list of (int, TrainingRows)
        The fits whose last rows a later one wrote again: the epoch from which on these
        rows hold the later ones, and the earlier fit with all its rows, or None where
        these are not known.
    """

    __slots__ = (
        "_again",
        "_names",
        "_pieces",
        "notes",
        "possible",
        "replaced",
        "resumes",
        "seams",
    )

    def __init__(self, rows: Rows) -> None:
        # joined when `rows` is read, not with each piece that is added
        self._pieces = [rows]
        # all columns, also those of rows that a later piece replaced
        self._names = dict.fromkeys(rows.columns)
        self.seams: dict[int, str] = {}
        self.possible: set[int] = set()
        self.resumes = False
        self.notes: list[str] = []
        self.replaced: list[tuple[int, TrainingRows | None]] = []
        # (seam, place, number of rows) wherever rows were written again
        self._again: list[tuple[int, str, int]] = []

    @property
    def rows(self) -> Rows:
        """The rows of all its pieces, with epochs that only go up."""
        if self._names:
            self._pieces = [Rows.joined(self._pieces, self._names)]
            # nothing is joined again, because the caller may take columns out
            self._names = {}
        return self._pieces[0]

    @property
    def first_epoch(self) -> int:
        """The first epoch that has a row."""
        return int(self._pieces[0].epochs[0])

    @property
    def horizon(self) -> int:
        """The last epoch that has a row."""
        return int(self._pieces[-1].epochs[-1])

    def count_cells(self) -> tuple[int, int]:
        """Return the number of cells of its pieces, and of the pieces joined."""
        n_rows = sum(len(piece.epochs) for piece in self._pieces)
        held = sum(len(piece.epochs) * len(piece.columns) for piece in self._pieces)
        return held, n_rows * len(self._names)

    def add(self, piece: Rows) -> None:
        """Append rows."""
        self._pieces.append(piece)
        self._names.update(dict.fromkeys(piece.columns))

    def drop_from(self, epoch: int) -> int:
        """Leave out the rows from an epoch on, and return how many they were."""
        if self.first_epoch < epoch:
            fit = self._last_fit()
            self.replaced = [(min(seam, epoch), own) for seam, own in self.replaced]
            self.replaced.append((epoch, fit))
        dropped = 0
        while self._pieces and self.horizon >= epoch:
            piece = self._pieces.pop()
            n_kept = int(np.searchsorted(piece.epochs, epoch))
            dropped += len(piece.epochs) - n_kept
            if n_kept:
                self._pieces.append(piece.take(slice(n_kept)))
        while self.seams and next(reversed(self.seams)) >= epoch:
            self.possible.discard(self.seams.popitem()[0])
        return dropped

    def _last_fit(self) -> TrainingRows:
        """Return the fit since the last one whose rows were written again."""
        begin = max((seam for seam, _ in self.replaced), default=self.first_epoch)
        parts: list[Rows] = []
        for own in reversed(self._pieces):
            at = int(np.searchsorted(own.epochs, begin))
            parts.append(own.take(slice(at, None)))
            if at:
                break
        fit = TrainingRows(
            Rows.joined([part for part in parts[::-1] if part.epochs.size])
        )
        fit.seams = {at: note for at, note in self.seams.items() if at > begin}
        fit.possible = self.possible & fit.seams.keys()
        return fit

    def go_on(self, piece: Rows) -> None:
        """Append the rows of a resumed fit, or of the same fit in another file."""
        first = int(piece.epochs[0])
        self.seams[first] = _seam_note(first)
        if piece.begins_file:
            self.possible.add(first)
            self.seams[first] = _POSSIBLE.format(piece.place, first + 1)
        self.add(piece)

    def takes_again(self, piece: Rows) -> bool:
        """Take a piece that begins with the last rows, or repeats some; tell if it did.

        Somebody may write the row of the best epoch once more, below all others.
        """
        if self._ends_as(piece):
            self._go_on_again(piece)
        elif self._holds(piece):
            again = f"{count(len(piece.epochs), 'row')} from {piece.place} on"
            self.notes.append(f"{again} stand above too: read once")
        else:
            return False
        return True

    def _ends_as(self, piece: Rows) -> bool:
        """Tell whether a piece begins with a copy of the last rows, two or more."""
        tail = self._rows_from(int(piece.epochs[0]))
        several = min(len(tail.epochs), len(piece.epochs)) >= _TWO_ROWS
        return several and tail.begins_as(piece)

    def _holds(self, piece: Rows) -> bool:
        """Tell whether a piece within its epochs repeats rows, as that of the best."""
        first, last = piece.epochs[[0, -1]].tolist()
        inside = self.first_epoch < first and last <= self.horizon
        return inside and self._rows_from(first).holds_rows(piece)

    def _rows_from(self, epoch: int) -> Rows:
        """Return the rows from an epoch on, and join no more pieces than these."""
        parts: list[Rows] = []
        for own in reversed(self._pieces):
            begin = int(np.searchsorted(own.epochs, epoch))
            parts.append(own.take(slice(begin, None)))
            if begin:
                break
        return Rows.joined(parts[::-1])

    def _go_on_again(self, piece: Rows) -> None:
        """Append a piece whose first rows repeat the last ones, without these."""
        seam = self.horizon + 1
        n_again = int(np.searchsorted(piece.epochs, seam))
        self._again.append((seam, piece.place, n_again))
        if n_again < len(piece.epochs):
            self.add(piece.take(slice(n_again, None)))

    def note_rows_again(self) -> None:
        """Note which rows were written twice: at each save, or by a resumed fit."""
        if not self._again:
            return
        seam, place, n_rows = self._again[0]
        rows = count(n_rows, "row")
        if len(self._again) == 1 and seam <= self.horizon:
            self.seams[seam] = (
                f"from {place} on the last {rows} above stand there again, to the "
                f"digit, and it goes on at epoch {seam + 1} (counted from 1): they "
                "were written twice, or a fit was resumed there, with new callbacks; "
                "what hangs on it is not told"
            )
            self.possible.add(seam)
            return
        times = count(len(self._again), "place")
        self.notes.append(
            f"rows stand there again at {times}, to the digit ({rows} from {place} "
            "on), as if a save wrote its last ones once more: they were read once"
        )

    def take_rate(self, name: str) -> Series | None:
        """Remove a column, and return it as the float32 learning rate."""
        column = self.rows.columns.pop(name, None)
        return None if column is None else as_float32(self.series(column))

    def series(self, logged: Series) -> Series:
        """Lay a column out over every epoch from the first to the last."""
        epochs = self.rows.epochs
        length = int(epochs[-1]) - int(epochs[0]) + 1
        # without a gap there is nothing to lay out
        whole = length == len(epochs)
        return logged if whole else spread(logged, epochs - epochs[0], length)


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
    Pieces that fill each other's gaps are put in order where the user joins them.

    Raises
    ------
    LogError
        If an epoch is so far beyond the others that no memory would hold the series.
    """
    resumed = _resumed_epochs(metadata)
    coming = _ComingFits(resumed)
    records: list[TrainingRows] = []
    pieces, repeats = _without_repeats(pieces)
    if options.parts == "join" and len(pieces) > 1:
        from cbreplay.readers.building.turns import join_turns

        pieces, joined = join_turns(pieces)
        repeats = [*repeats, *joined]
    # the rows of a record are put together once: after all of them are known
    for earlier, piece in zip([*pieces[:1], *pieces], pieces, strict=False):
        first = int(piece.epochs[0])
        if records and first > records[-1].horizon:
            records[-1].go_on(piece)
        elif records and (coming.take(first) or options.parts == "join"):
            _replace_from(records[-1], piece)
        elif not records or not records[-1].takes_again(piece):
            records.append(TrainingRows(piece))
            before = records[-2] if records[1:] else records[-1]
            may_go_on = began_after(earlier, piece)
            records[-1].resumes = may_go_on and first > before.first_epoch
    _check_spans(records, source, options.max_bytes)
    for record in records:
        record.note_rows_again()
    _note_seams(records[-1], resumed)
    note_restarts(records)
    for record in records:
        record.notes += repeats
        _add_seams(record, options.seams)
        for seam, fit in record.replaced:
            if fit is None:
                continue
            known = [*resumed, *options.seams]
            _add_seams(fit, [at for at in known if fit.first_epoch < at < seam])
    return records


class _ComingFits:
    """The resumed fits of a ``run.json`` for which no rows have been found so far."""

    def __init__(self, epochs: Sequence[int]) -> None:
        self._numbers: dict[int, list[int]] = {}
        for number, epoch in enumerate(epochs):
            self._numbers.setdefault(epoch, []).append(number)
        self._next = 0

    def take(self, epoch: int) -> bool:
        """Take the next fit that was resumed at this epoch; False if none is left."""
        numbers = self._numbers.get(epoch, [])
        at = bisect_left(numbers, self._next)
        if at < len(numbers):
            self._next = numbers[at] + 1
        return at < len(numbers)


def _resumed_epochs(metadata: RunMetadata | None) -> list[int]:
    """Return the epochs at which the fits after the first began."""
    if metadata is None or not metadata.earlier_fits:
        return []
    later = [*(earlier.fit for earlier in metadata.earlier_fits[1:]), metadata.fit]
    return [fit.initial_epoch for fit in later]


_POSSIBLE = (
    "{0} begins at epoch {1} (counted from 1): a fit was resumed there, with new "
    "callbacks, or the same one went on; what hangs on it is not told"
)


def _seam_note(epoch: int) -> str:
    return (
        f"a fit was resumed at epoch {epoch + 1} (counted from 1): "
        "its callbacks were created anew there"
    )


def _replace_from(record: TrainingRows, piece: Rows) -> None:
    first = int(piece.epochs[0])
    dropped = record.drop_from(first)
    earlier = f"{dropped} earlier ones from that epoch on"
    record.seams[first] = (
        f"{_seam_note(first)}, and its rows stand for the "
        f"{'earlier one' if dropped == 1 else earlier}"
    )
    record.add(piece)


def _note_seams(record: TrainingRows, resumed: Iterable[int]) -> None:
    """Note the seams that only ``run.json`` knows, because the rows just go on."""
    for epoch in resumed:
        if record.first_epoch < epoch <= record.horizon:
            _confirm_seam(record, epoch, _seam_note(epoch))


def _confirm_seam(record: TrainingRows, epoch: int, note: str) -> None:
    if epoch in record.possible or epoch not in record.seams:
        record.seams[epoch] = note
    record.possible.discard(epoch)


def _add_seams(record: TrainingRows, seams: Iterable[int]) -> None:
    """Take the seams that the user knows of."""
    for epoch in seams:
        if record.first_epoch < epoch <= record.horizon:
            _confirm_seam(record, epoch, f"{_seam_note(epoch)}, as given")
        else:
            record.notes.append(
                f"the seam at epoch {epoch} (counted from 0) lies outside of its "
                f"epochs {record.first_epoch}-{record.horizon}: it changes nothing"
            )


def _without_repeats(pieces: Sequence[Rows]) -> tuple[list[Rows], list[str]]:
    """Of pieces that repeat each other from their start, keep the longest."""
    if len(pieces) == 1:
        return list(pieces), []
    kept: list[Rows] = []
    n_repeats = 0
    for piece in pieces:
        if kept and kept[-1].begins_as(piece):
            n_repeats += 1
            if len(piece.epochs) >= len(kept[-1].epochs):
                kept[-1] = piece
            while len(kept) > 1 and kept[-2].begins_as(kept[-1]):
                # a NaN after few numbers: only the longer piece shows that they repeat
                n_repeats += 1
                del kept[-2]
        else:
            kept.append(piece)
    if not n_repeats:
        return kept, []
    times = "once more" if n_repeats == 1 else f"{n_repeats} times more"
    whose = "its rows" if len(kept) == 1 else "the rows of trainings in this log"
    note = f"{whose} stand there {times}, from the first one on: they were read once"
    return kept, [note]


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
