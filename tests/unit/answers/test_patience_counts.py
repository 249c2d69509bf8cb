"""What a patience counts is said above every table where it is no epochs."""

from __future__ import annotations

import pytest

from cbreplay import EarlyStopping, Run, ask, replay_run
from cbreplay.answers.spoken_runs import counts_values
from cbreplay.document import plain_text

EVERY_FIFTH = " Patience counts the values of val_loss, one in 5 epochs."


def sparse(name: str, values: list[float], every: int = 5) -> Run:
    """Return a run of which every so many epochs one is validated, the last of them."""
    rows = []
    for value in values:
        rows += [{"loss": value}] * (every - 1) + [{"loss": value, "val_loss": value}]
    return Run.from_logs(rows, name=name)


# best at the second value, epoch 10
LOSSES = [0.9, 0.5, 0.6, 0.7, 0.8]


def test_a_patience_of_two_values_of_five_epochs_stops_ten_epochs_later() -> None:
    # as Keras's EarlyStopping returns before it counts where logs lack its monitor
    run = sparse("run", LOSSES)
    replay = replay_run(run, EarlyStopping(patience=2))
    assert replay.stopped_epoch == 20 - 1
    assert plain_text(counts_values([run], replay.callbacks)) == EVERY_FIFTH


@pytest.mark.parametrize("n_runs", [1, 3])
@pytest.mark.parametrize(
    "callbacks", [None, "EarlyStopping(patience=[1, 2])", "EarlyStopping(patience=1)"]
)
def test_every_screen_says_so_above_its_table(
    n_runs: int, callbacks: str | None
) -> None:
    runs = [sparse(f"run{at}", [*LOSSES, 0.9 + at]) for at in range(n_runs)]
    text = " ".join(str(ask(runs, callbacks)).split())
    assert EVERY_FIFTH in text


def test_rival_lists_say_so_too() -> None:
    run = sparse("run", LOSSES)
    told = str(ask(run, EarlyStopping(patience=1), versus=EarlyStopping(patience=2)))
    assert EVERY_FIFTH in " ".join(told.split())


def test_where_every_epoch_has_a_value_nothing_is_said() -> None:
    stopper = (EarlyStopping(patience=2),)
    whole = Run.from_logs([{"val_loss": loss} for loss in LOSSES])
    assert plain_text(counts_values([whole], stopper)) == ""
    # nor of a callback that waits for nothing
    assert plain_text(counts_values([sparse("run", LOSSES)], ())) == ""


def test_runs_that_are_validated_unlike_are_not_said_to_be_alike() -> None:
    runs = [sparse("a", LOSSES), sparse("b", LOSSES, every=2)]
    assert plain_text(counts_values(runs, (EarlyStopping(patience=2),))) == (
        " Patience counts the values of val_loss, which not every epoch has."
    )


def test_what_holds_of_some_runs_is_not_said_of_all() -> None:
    whole = Run.from_logs([{"val_loss": loss} for loss in LOSSES], name="b")
    runs = [sparse("a", LOSSES), whole, whole]
    assert plain_text(counts_values(runs, (EarlyStopping(patience=2),))) == (
        " In 1 of 3 runs patience counts the values of val_loss, one in 5 epochs."
    )
