"""A CSV log read slowly: csv, strip, float(), and nothing clever."""

from __future__ import annotations

import csv
import io
from typing import TypeAlias

Table: TypeAlias = dict[str, list[float | None]]


def read_slowly(text: str, delimiter: str = ",") -> Table:
    """Return each column as numbers, None for an empty cell or NA, text left out."""
    text = text.replace("\r\r\n", "\n").replace("\r\n", "\n")
    lines = [
        line for line in csv.reader(io.StringIO(text), delimiter=delimiter) if line
    ]
    header = [name.strip() for name in lines[0]]
    table: Table = {}
    for position, name in enumerate(header):
        cells = [line[position].strip() for line in lines[1:]]
        table[name] = [None if cell in ("", "NA") else float(cell) for cell in cells]
    return table


def split_slowly(table: Table, epoch_name: str) -> list[Table]:
    """Cut a table into trainings where the epoch does not go up."""
    epochs = table[epoch_name]
    starts = [
        row
        for row, epoch in enumerate(epochs)
        if row == 0 or (epoch or 0) <= (epochs[row - 1] or 0)
    ]
    ends = [*starts[1:], len(epochs)]
    return [
        {name: column[start:end] for name, column in table.items()}
        for start, end in zip(starts, ends, strict=True)
    ]
