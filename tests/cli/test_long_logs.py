"""What an answer about a log of tens of thousands of epochs takes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N_EPOCHS = 65_500
# the limit of what is read: ten times the log's bytes, and what Python itself needs
TIMES, BESIDES = 10, 200_000_000
# not ru_maxrss, which begins with what the process that starts this one has
MEASURED = """
import sys
from cbreplay.cli.main import main
status = main(sys.argv[1:])
with open("/proc/self/status") as file:
    (taken,) = [line.split()[1] for line in file if line.startswith("VmHWM")]
print(int(taken) * 1024, file=sys.stderr)
sys.exit(status)
"""


def write_noise(log: Path) -> None:
    """Write values and rates that jump up and down in each epoch."""
    drawn = np.random.default_rng(1).random((N_EPOCHS, 3)).tolist()
    rows = (
        f"{epoch},{loss:.6f},{val_loss:.6f},{0.1 + rate:.8g}"
        for epoch, (loss, val_loss, rate) in enumerate(drawn)
    )
    log.write_text("epoch,loss,val_loss,learning_rate\n" + "\n".join(rows))


def write_rise(log: Path) -> None:
    """Write a curve with its minimum in the middle: each patience stops elsewhere."""
    rows = (
        f"{epoch},{abs(epoch - N_EPOCHS // 2):.6f},{abs(epoch - N_EPOCHS // 2):.6f}"
        for epoch in range(N_EPOCHS)
    )
    log.write_text("epoch,loss,val_loss\n" + "\n".join(rows))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory, as Linux tells it")
@pytest.mark.parametrize(
    ("write", "arguments"),
    [
        (write_noise, "report {log} -o {page}"),
        (write_rise, "report {log} -o {page}"),
        (write_rise, "simulate {log} --patience 1:30 --format json"),
        (write_rise, "explain {log} --patience 70000 --format csv"),
    ],
    ids=["noisy-report", "smooth-report", "settings-as-json", "trace-as-csv"],
)
def test_a_long_log_takes_memory_in_proportion(
    write: Callable[[Path], None], arguments: str, tmp_path: Path
) -> None:
    log = tmp_path / "long.csv"
    write(log)
    typed = [
        word.format(log=log, page=tmp_path / "page.html") for word in arguments.split()
    ]
    found = subprocess.run(  # noqa: S603 - this Python, and text of ours
        [sys.executable, "-c", MEASURED, *typed],
        check=True,
        capture_output=True,
        text=True,
    )
    taken = int(found.stderr.split()[-1])
    assert taken < TIMES * log.stat().st_size + BESIDES
