"""Hunt for anything but an answer or a named error, with a fixed seed.

Each channel of input that has a hunter of its own is a module beside this one, with
`make_case`, which draws a case, and `check`, which reads it in every way and says what
it came to. From the root of the repository, for ten minutes:

    python -m tests.fuzz.run_json --minutes 10 --seed 1

The first other outcome ends the hunt; its seed and its number are printed, and
`--only NUMBER` does it again. A share of every hunt is part of the tests.

Laws whose cases Hypothesis draws are hunted by seeds: the first case that breaks one is
printed as the smallest that it finds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import random
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import HypothesisWarning

from cbreplay.cli.main import main as answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

__all__ = [
    "Channel",
    "Heard",
    "Law",
    "ask",
    "expect",
    "hunt",
    "hunt_from_command_line",
    "hunt_laws_from_command_line",
]

# of any case, all of which are small
_MOST_SECONDS = 10.0
_MOST_MEMORY = 400_000_000


class Channel(NamedTuple):
    """A way in: how to draw what comes through it, and how to read that."""

    name: str
    make_case: Callable[[random.Random], Any]
    check: Callable[[Any, Path], str]


class Heard(NamedTuple):
    """What a command said."""

    status: int
    out: str
    err: str


def ask(*words: str | Path) -> Heard:
    """Ask a command in this process; anything but an answer or a refusal is raised."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        status = answer([str(word) for word in words])
    texts = []
    for stream in streams:
        stream.flush()
        written = stream.buffer
        assert isinstance(written, io.BytesIO)
        texts.append(written.getvalue().decode())
    heard = Heard(status, *texts)
    assert status in (0, 1, 2), f"status {status} of {words}:\n{heard.err[-3000:]}"
    assert "Traceback" not in heard.err, heard.err[-3000:]
    for text in texts:
        steering = {letter for letter in text if letter < " "} - {"\n", "\r"}
        assert not steering, f"{steering} in what {words} say"
    if status == 0 and "json" in words:
        json.loads(heard.out)
    return heard


def expect(what: object, told: object = "") -> None:
    """Raise AssertionError unless something is true, wherever that is found out."""
    assert what, told


def hunt(
    channel: Channel, *, seed: int, begin: int, n_cases: float, ends: float
) -> str:
    """Check cases until there are enough, or until it is late; report on them."""
    counts: Counter[str] = Counter()
    slowest, before = 0.0, _peak_memory()
    number = begin
    with tempfile.TemporaryDirectory() as scratch:
        while number < begin + n_cases and time.monotonic() < ends:
            case = channel.make_case(random.Random(f"{seed}/{number}"))  # noqa: S311
            started = time.process_time()
            try:
                counts[channel.check(case, Path(scratch))] += 1
                took = time.process_time() - started
                assert took < _MOST_SECONDS, f"a case takes {took:.1f} s"
                grown = _peak_memory() - before
                assert grown < _MOST_MEMORY, f"memory grew by {grown / 1e6:.0f} MB"
            except BaseException:
                sys.stderr.write(f"{channel.name}: seed {seed}, case {number}\n")
                raise
            slowest = max(slowest, took)
            number += 1
    megabytes = (_peak_memory() - before) / 1e6
    return (
        f"{channel.name}: {sum(counts.values())} cases, {dict(counts)}; slowest "
        f"{slowest:.2f} CPU-s, memory grew by {megabytes:.0f} MB; seed {seed}"
    )


class Law(NamedTuple):
    """What holds for every case that is drawn."""

    check: Callable[[Any], None]
    cases: SearchStrategy[Any]


def hunt_from_command_line(channel: Channel) -> None:
    """Hunt as the command line asks, and print the report."""
    asked = _read_command_line()
    ends = time.monotonic() + 60 * asked.minutes
    begin = asked.only or 0
    n_cases: float
    n_cases = 1 if asked.only is not None else float("inf")
    report = hunt(channel, seed=asked.seed, begin=begin, n_cases=n_cases, ends=ends)
    print(f"{report}, {asked.minutes:g} minutes")  # noqa: T201 - the report


def hunt_laws_from_command_line(laws: Sequence[Law], n_examples: int) -> None:
    """Check laws, seed after seed, as the command line asks, and print how many."""
    asked = _read_command_line()
    # a long log has a long text
    warnings.simplefilter("ignore", HypothesisWarning)
    ends = time.monotonic() + 60 * asked.minutes
    chosen = settings(
        max_examples=n_examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    for seed in itertools.count(asked.only or asked.seed):
        if time.monotonic() >= ends or asked.only not in (None, seed):
            break
        for law in laws:
            try:
                seeded(seed)(chosen(given(case=law.cases)(law.check)))()
            except BaseException:
                sys.stderr.write(f"seed {seed}\n")
                raise
    print(  # noqa: T201 - the report
        f"seeds {asked.only or asked.seed} to {seed - 1}, {n_examples} cases each: "
        f"none breaks a law; {asked.minutes:g} minutes"
    )


def _read_command_line() -> argparse.Namespace:
    """Read how long to hunt, and where; from here on warnings are errors."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one case, or one seed")
    warnings.simplefilter("error")
    return parser.parse_args()


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
