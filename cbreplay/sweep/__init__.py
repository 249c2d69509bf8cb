"""Every config on every run at once, and the table of what they decide.

The words of this package:

- A *cell* is one config on one run; a column of cells is an array of shape
  (n_runs, n_configs).
- A *block* (`plan`) is the configs whose lists hold the same rules. It has an *axis*
  for each parameter that varies, and a *slot* for each place in the list.
- A *batch* (`batch`) is the runs that are decided by the same version, as matrices.
- A *lane* (`lanes`) is one setting of one slot, which a kernel decides on every run.
  Lanes are spread over the axes of their block; along an axis of another slot, they
  have length 1. A *track* is a lane on one run.
- A *position* counts the epochs of a run from its first recorded one; a *step* counts
  only those in which the monitored series has a value. NEVER is past every end.
- A *doubt* is a cell that no kernel can decide: it is replayed.

`engine` puts these together, `cells` decides a block on a batch by the `kernels`, and
`table` looks outcomes up.
"""

from __future__ import annotations

from cbreplay.sweep.engine import sweep_runs
from cbreplay.sweep.gaps import count_replayed
from cbreplay.sweep.replays import SharedReplays
from cbreplay.sweep.table import EVIDENCE, Failure, Judged, Sweep, SweptRun

__all__ = [
    "EVIDENCE",
    "Failure",
    "Judged",
    "SharedReplays",
    "Sweep",
    "SweptRun",
    "count_replayed",
    "sweep_runs",
]
