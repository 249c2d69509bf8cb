"""Text or rows in, named columns of numbers out: what every table is read with.

`csv_table` reads a CSV, at once or `cell_by_cell`; `header` finds its names;
`table` and `column` hold the numbers; `roles` finds the epoch; `data_sets` lays out
tables that have several rows for an epoch.
"""

from __future__ import annotations
