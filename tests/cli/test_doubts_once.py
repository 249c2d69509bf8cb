"""What an answer doubts: each fact once, and where it matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay import Run
from cbreplay.evidence.training_course import find_frozen_end

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


def said(text: str) -> str:
    return " ".join(text.split())


def test_values_that_come_every_few_epochs_are_told_once(
    ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "logs.csv"
    losses = [0.5, 0.4, 0.3, 0.4, 0.5, 0.6]
    rows = [f"{2 * at},1,{loss}\n{2 * at + 1},1,NA" for at, loss in enumerate(losses)]
    path.write_text("\n".join(["epoch,loss,val_loss", *rows, ""]))
    out = said(ask("simulate", path).out)
    assert out.count("6 of 12") == 1
    assert "val_loss is missing in 6 of 12 epochs; Keras's callbacks skip those" in out
    assert "read as missing" not in out
    assert "an empty cell or NA was read as missing" in said(ask("inspect", path).out)


def test_rows_that_are_missing_are_counted_once(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "logs.csv"
    rows = [f"{at},{1 / (1 + at)}" for at in range(12) if at not in (6, 7)]
    path.write_text("\n".join(["epoch,val_loss", *rows, ""]))
    for words in ((), ("--patience", "2"), ("--patience", "2:4")):
        out = said(ask("simulate", path, *words).out)
        assert "is missing in" not in out
        assert "No row for 2 of 12 epochs: 7-8" in out


def test_lists_that_train_an_epoch_at_other_rates_are_said_to(
    ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "logs.csv"
    path.write_text(
        "epoch,val_loss,learning_rate\n0,0.5,0.01\n1,0.4,0.01\n2,0.3,0.01\n"
    )
    schedule = "LearningRateScheduler({0: 0.01, 1: 0.002})"
    out = said(
        ask(
            "simulate", path, "-c", schedule, "--versus", "EarlyStopping(patience=2)"
        ).out
    )
    assert out.startswith(
        "A and B part at epoch 2: they train it at different learning rates."
    )


def test_that_a_broken_off_epoch_has_no_value_is_said_once(
    ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "logs.csv"
    path.write_text("epoch,loss,val_loss\n0,0.5,0.5\n1,0.4,0.4\n2,nan,nan\n")
    for words in (
        ("TerminateOnNaN()",),
        ("EarlyStopping(patience=[5, 6])", "TerminateOnNaN()"),
    ):
        lists = [part for rule in words for part in ("-c", rule)]
        out = said(ask("simulate", path, *lists).out)
        assert "the val_loss of the weights that are kept is not known" in out
        assert "has no number" not in out


def test_the_first_of_equal_rounded_values_is_not_called_the_best_epoch(
    ask: Ask, tmp_path: Path
) -> None:
    # 0.2, the least, stands in epochs 4 and 5
    losses = [0.9, 0.6, 0.4, 0.2, 0.2, *[0.3] * 10]
    path = tmp_path / "logs.csv"
    rows = [f"{at},{loss}" for at, loss in enumerate(losses)]
    path.write_text("\n".join(["epoch,val_loss", *rows, ""]))
    out = said(ask("simulate", path).out)
    assert "it keeps the first epoch of the best val_loss as written, 4, and" in out
    assert "the best epoch" not in out


def test_a_list_that_cannot_stop_is_said_to_stop_nothing(
    ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "logs.csv"
    rows = [f"{at},{loss}" for at, loss in enumerate([0.5, 0.4, 0.6])]
    path.write_text("\n".join(["epoch,val_loss", *rows, ""]))
    saves = "ModelCheckpoint('best.keras', save_best_only=True)"
    expected = (
        "Nothing in this list stops training, and the log ends at epoch 3; best.keras "
        "then holds the weights of epoch 2."
    )
    assert said(ask("simulate", path, "-c", saves).out).startswith(expected)
    ask("report", path, "-c", saves, "-o", tmp_path / "page.md")
    head = (tmp_path / "page.md").read_text().partition("\n\n")[0]
    assert head.replace("`", "") == f"# {expected}"


def test_a_reduction_after_the_best_value_is_said_to_cost_nothing(
    ask: Ask, tmp_path: Path
) -> None:
    # patience 2 reduces after epochs without a better value than that of epoch 2
    ends = {"a": "4,0.8\n", "b": "4,0.8\n5,1\n"}
    for name, end in ends.items():
        rows = "epoch,val_loss\n0,0.5\n1,0.4\n2,0.6\n3,0.7\n"
        (tmp_path / f"{name}.csv").write_text(rows + end)
    for asked in (tmp_path / "a.csv", tmp_path):
        for patience in ("2", "[2, 3]"):
            words = ("-c", f"ReduceLROnPlateau(patience={patience})")
            out = said(ask("simulate", asked, *words).out)
            assert "A reduction there cannot make that best worse." in out
            assert "lowered its best val_loss by 0 %" not in out


def test_a_stop_by_the_training_loss_is_said_to_see_no_overfitting(
    ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "logs.csv"
    rows = [f"{at},{1 / (1 + at)},{0.5 + at}" for at in range(9)]
    path.write_text("\n".join(["epoch,loss,val_loss", *rows, ""]))
    words = "it may go on improving while the model overfits"
    for command in (
        ("simulate", path),
        ("simulate", path, "--patience", "2"),
        ("explain", path, "--patience", "2"),
    ):
        assert words in said(ask(*command, "--monitor", "loss").out)
        assert words not in said(ask(*command).out)


def test_an_option_of_fractions_is_not_told_to_be_of_integers(
    ask: Ask, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("epoch,val_loss\n0,1\n1,2\n2,3\n")
    answer = ask("recommend", tmp_path, "--min-delta", "abc")
    assert answer.status == 2
    assert "several as 0,0.001,0.01" in said(answer.err)


def test_a_metric_that_repeats_while_its_loss_changes_is_not_frozen() -> None:
    shares = [0.5, 0.6, *[0.9] * 20]
    moving = [{"val_loss": 1 / (at + 1), "val_acc": a} for at, a in enumerate(shares)]
    assert find_frozen_end(Run.from_logs(moving), "val_acc") is None
    still = [row | {"val_loss": row["val_acc"]} for row in moving]
    assert find_frozen_end(Run.from_logs(still), "val_acc") == 2
    assert find_frozen_end(Run.from_logs(still), "val_loss") == 2
