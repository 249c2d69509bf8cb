"""The rows of one training, put together from the fits that it resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.rows import Rows, spread
from cbreplay.readers.building.written_digits import as_float32
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from cbreplay.run import Series

__all__ = ["TrainingRows", "seam_note"]


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
        else:
            # nothing is left of the fits before
            self.replaced = []
        dropped = 0
        while self._pieces and self.horizon >= epoch:
            piece = self._pieces.pop()
            n_kept = int(np.searchsorted(piece.epochs, epoch))
            dropped += len(piece.epochs) - n_kept
            if n_kept:
                self._pieces.append(piece.take(slice(n_kept)))
        for at in [at for at in self.seams if at >= epoch]:
            self.possible.discard(at)
            del self.seams[at]
        return dropped

    def _last_fit(self) -> TrainingRows:
        """Return the fit since the last one whose rows were written again."""
        begin = max((seam for seam, _ in self.replaced), default=self.first_epoch)
        fit = TrainingRows(self._rows_from(begin))
        fit.seams = {at: note for at, note in self.seams.items() if at > begin}
        fit.possible = self.possible & fit.seams.keys()
        return fit

    def go_on(self, piece: Rows) -> None:
        """Append the rows of a resumed fit, or of the same fit in another file."""
        first = int(piece.epochs[0])
        self.seams[first] = seam_note(first)
        if piece.begins_file:
            self.possible.add(first)
            self.seams[first] = _POSSIBLE.format(piece.place, first + 1)
        self.add(piece)

    def may_begin_at(self, epoch: int) -> None:
        """Take it as possible that a fit was resumed at an epoch with several rows."""
        if epoch > self.first_epoch and epoch not in self.seams:
            self.seams[epoch] = _SEVERAL_ROWS.format(epoch + 1)
            self.possible.add(epoch)

    def confirm_seam(self, epoch: int, told: str = "") -> None:
        """Take it as certain that a fit was resumed at an epoch."""
        if epoch in self.possible or epoch not in self.seams:
            self.seams[epoch] = f"{seam_note(epoch)}{told}"
        self.possible.discard(epoch)

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
        several = min(len(tail.epochs), len(piece.epochs)) > 1
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
        return Rows.joined([part for part in parts[::-1] if part.epochs.size])

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
                "were written twice, or a fit was resumed there; what hangs on it is "
                "not told"
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
        return spread(logged, epochs - epochs[0], length)


_POSSIBLE = (
    "{0} begins at epoch {1} (counted from 1): a fit was resumed there, or the same "
    "one went on; what hangs on it is not told"
)


_SEVERAL_ROWS = (
    "at epoch {0} (counted from 1), which has several rows, a fit was resumed, or its "
    "row was written again; what hangs on it is not told"
)


def seam_note(epoch: int) -> str:
    """Say where a fit was resumed."""
    return (
        f"a fit was resumed at epoch {epoch + 1} (counted from 1): "
        "its callbacks were created anew there"
    )
