"""Event files of TensorBoard in, runs out, without TensorBoard or TensorFlow.

`tensorboard` is the reader. `files`, `reading`, `records`, `forms` and `events` read
scalars from bytes, `layouts` finds the tool that wrote them, `points` and `epochs`
turn them into rows and epochs; `refused` says why there are none.
"""

from __future__ import annotations
