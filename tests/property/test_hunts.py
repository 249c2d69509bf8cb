"""A share of every hunt through a channel of input; the hunts are in tests/fuzz."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.event_files import EVENT_FILES
from tests.fuzz.exports import EXPORTS
from tests.fuzz.expressions import EXPRESSIONS
from tests.fuzz.json_histories import JSON_HISTORIES
from tests.fuzz.run_json import RUN_JSON
from tests.fuzz.scripts import SCRIPTS

if TYPE_CHECKING:
    from tests.fuzz.hunt import Channel

from tests.fuzz.hunt import hunt

SHARES = [
    (EVENT_FILES, 60),
    (RUN_JSON, 60),
    (EXPORTS, 120),
    (JSON_HISTORIES, 120),
    (EXPRESSIONS, 80),
    (SCRIPTS, 200),
]


@pytest.mark.parametrize(
    ("channel", "n_cases"), SHARES, ids=[channel.name for channel, _ in SHARES]
)
def test_nothing_but_answers_and_named_errors(channel: Channel, n_cases: int) -> None:
    ends = time.monotonic() + 600
    report = hunt(channel, seed=0, begin=0, n_cases=n_cases, ends=ends)
    assert f": {n_cases} cases" in report
