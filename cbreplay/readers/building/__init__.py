"""Rows of a log in, runs out: which epoch, which training, which learning rate.

`step_rows` puts rows of one epoch together, `metric_columns` chooses the series,
`numbering` and `odd_epochs` settle the epochs, `rows` and `fits` cut them into
trainings, `rate_columns` takes the learning rate, and `runs` makes the `Run`.
"""

from __future__ import annotations
