"""Damage logs of every text format for as long as you like.

Whatever happens, reading must end in runs or in an error of cbreplay.

    python -m tests.fuzz.text_logs --minutes 60 --seed 1
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.fuzz.hunt import Law, hunt_laws_from_command_line
from tests.oracles.damaged_logs import damaged
from tests.property.test_reader_fuzz import check_outcome


def check(case: tuple[str, bytes]) -> None:
    """Read a damaged log."""
    with tempfile.TemporaryDirectory() as directory:
        check_outcome(Path(directory), *case)


if __name__ == "__main__":
    hunt_laws_from_command_line([Law(check, damaged())], n_examples=2000)
