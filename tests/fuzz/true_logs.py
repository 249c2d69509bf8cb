"""Hunt for false labels on disturbed logs of true trainings for as long as you like.

python -m tests.fuzz.true_logs --minutes 60 --seed 1
"""

from __future__ import annotations

from tests.fuzz.hunt import Law, hunt_laws_from_command_line
from tests.oracles.disturbed_logs import cases
from tests.property.test_true_logs import check_disturbed, check_flawless, check_rows

_LAWS = (
    Law(check_disturbed, cases()),
    Law(check_rows, cases()),
    Law(check_flawless, cases(["undisturbed", "begun later"])),
)

if __name__ == "__main__":
    hunt_laws_from_command_line(_LAWS, n_examples=300)
