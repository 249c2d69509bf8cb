"""The truth law of logs: no label of a disturbed log goes further than its evidence.

It begins with a true training, as a tool would have logged it, and with what happens to
logs; `tests.oracles.disturbed_logs` says what counts as true where a disturbance leaves
no trace. Hunt longer with ``python -m tests.fuzz.true_logs --minutes 20``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings

from cbreplay import CbreplayError
from tests.oracles.disturbed_logs import cases
from tests.oracles.true_cases import Case, is_plain
from tests.oracles.true_claims import faults_of, faults_of_flawless, read_case
from tests.oracles.true_rows import faults_of_rows

_SOME = settings(
    deadline=None,
    # one share of the cases, the same each time: `tests.fuzz.true_logs` draws others
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def check_disturbed(case: Case) -> None:
    """Check that what is said of a log for sure is true, whatever happened to it."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            runs = read_case(case, Path(directory) / "runs")
        except CbreplayError:
            # to refuse is an answer
            assert case.kind != "undisturbed" or not is_plain(case)
            return
    faults = [*faults_of(case, runs)]
    assert not faults, faults


def check_flawless(case: Case) -> None:
    """Check that a log to which nothing happened is exact, without a doubt, one run."""
    assume(is_plain(case))
    with tempfile.TemporaryDirectory() as directory:
        runs = read_case(case, Path(directory) / "runs")
    faults = [*faults_of_flawless(case, runs)]
    assert not faults, faults


def check_rows(case: Case) -> None:
    """Check that each row which explains a log is one of a training it shows."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            runs = read_case(case, Path(directory) / "runs")
        except CbreplayError:
            return
    faults = [*faults_of_rows(case, runs)]
    assert not faults, faults


@given(case=cases())
@_SOME
def test_whatever_happens_to_a_log_its_explanations_are_true(case: Case) -> None:
    check_rows(case)


@given(case=cases())
@_SOME
def test_whatever_happens_to_a_log_an_exact_answer_is_true(case: Case) -> None:
    check_disturbed(case)


@given(case=cases(["undisturbed", "begun later"]))
@_SOME
def test_a_log_to_which_nothing_happened_is_exact_and_one_run(case: Case) -> None:
    check_flawless(case)
