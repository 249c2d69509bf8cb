"""What was measured of a kept instance in a second fit is what a replay decides by."""

from __future__ import annotations

import re

import pytest

from cbreplay import EarlyStopping, ReduceLROnPlateau, Run, replay_fits
from tests.conftest import ROOT

_ROW = re.compile(r"\| (\w+)-(\d)\.(\d+)(?: to \d\.(\d+))? \| ([^|]+) \| ([^|]+) \|")


def measured() -> list[tuple[str, str, str]]:
    """Return each version of the page's table, and what its two callbacks keep."""
    page = (ROOT / "docs" / "what-keras-really-does.md").read_text(encoding="utf-8")
    return [
        (f"{package}-{major}.{minor}", stopper, plateau)
        for package, major, first, last, stopper, plateau in _ROW.findall(page)
        for minor in range(int(first), int(last or first) + 1)
    ]


@pytest.mark.parametrize(("semantics", "stopper", "plateau"), measured())
def test_a_replay_keeps_what_was_measured(
    semantics: str, stopper: str, plateau: str
) -> None:
    # the second fit improves throughout, and never on the first one's 1.0
    fits = [
        Run.from_logs({"val_loss": loss, "learning_rate": 0.25} for loss in losses)
        for losses in ((1.0, 2.0), (1.5, 1.4))
    ]
    stopping, reducing = (
        replay_fits(fits, callback, semantics=semantics)[1]
        for callback in (EarlyStopping(patience=2), ReduceLROnPlateau(patience=2))
    )
    assert (stopping.stopped_epoch is not None) == (stopper == "keeps best")
    assert bool(reducing.reductions) == (plateau == "keeps best")


def test_the_table_has_every_keras_from_3_0_on() -> None:
    versions = {semantics for semantics, *_ in measured()}
    assert {f"keras-3.{minor}" for minor in range(16)} <= versions
