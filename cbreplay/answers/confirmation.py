"""A prediction beside the training that was run to confirm it, item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.json_fields import describe_results
from cbreplay.document import (
    CodeBlock,
    Document,
    Fact,
    Section,
    Table,
    TableColumn,
    keyed_row,
    phrase,
    say,
)
from cbreplay.rules.base import format_callback

if TYPE_CHECKING:
    from cbreplay.document import Text
    from cbreplay.record.confirming import Confirmation, HeldItem
    from cbreplay.wording.kinds import Kind

__all__ = ["confirmation_document"]

_VERDICTS = {"held": "same", "failed": "differs", "fiction": "no promise"}


def confirmation_document(confirmation: Confirmation) -> Document:
    """Say what was predicted, what the training did, and whether they are the same."""
    replay = confirmation.replay
    code = "\n".join(format_callback(callback) for callback in replay.callbacks)
    return Document(
        "confirm",
        _headline(confirmation),
        say(
            f"{replay.run.name}, trained again with its seed under Keras's own "
            "callbacks. The recorded setting was trained twice first and gave the "
            "recorded numbers. Epochs count from 1."
        ),
        (
            Section(
                "Side by side",
                (CodeBlock(code, "python"), _table(confirmation)),
                untitled=True,
            ),
        ),
        (),
        lambda: {
            **describe_results([replay.run], [(0, 0, replay)]),
            "confirmation": [entry._asdict() for entry in confirmation.items],
        },
    )


def _headline(confirmation: Confirmation) -> Text:
    promised = [entry for entry in confirmation.items if entry.verdict != "fiction"]
    failed = [entry for entry in promised if entry.verdict == "failed"]
    n_promised = Fact(len(promised), "count", "n_promised")
    if failed:
        words = "{n_failed:count} of {} predictions failed."
        return phrase(words, n_promised, n_failed=len(failed))
    replay = confirmation.replay
    if replay.evidence == "incomplete":
        why = "the log does not hold what this setting would have trained"
    elif replay.diverged_by_weights:
        why = "it trains from weights of an earlier epoch"
    elif replay.evidence == "diverged":
        why = "its learning rate is another"
    else:
        return say("The training did all ", n_promised, " things that were predicted.")
    ends = (replay.divergence_epoch, replay.gap_epoch)
    epoch = min(epoch for epoch in ends if epoch is not None)
    if epoch == replay.run.first_epoch:
        return say(f"From the first epoch on {why}, and nothing was promised.")
    return phrase(
        "Up to epoch {} the training did what was predicted; from there on {}, and "
        "nothing was promised.",
        Fact(epoch - 1, "epoch", "last_promised"),
        why,
    )


def _table(confirmation: Confirmation) -> Table:
    columns = (
        TableColumn("name", "what", "name"),
        TableColumn("predicted", "predicted"),
        TableColumn("trained", "trained"),
        TableColumn("spoken", "verdict", shown="people"),
        TableColumn("verdict", "verdict", shown="programs"),
        TableColumn("epoch", "differs from", "epoch", shown="programs"),
    )
    rows = tuple(keyed_row(columns, _cells(entry)) for entry in confirmation.items)
    return Table(columns, rows, "Predicted and trained", is_answer=True)


def _cells(entry: HeldItem) -> dict[str, Any]:
    """Return the cells of a row; of a series that differs, also from where on."""
    differs = "" if entry.epoch is None else " from epoch {} on"
    epoch = phrase(differs, Fact(entry.epoch, "epoch"))
    return entry._asdict() | {
        "predicted": _spoken(entry, entry.predicted),
        "trained": say(_spoken(entry, entry.trained), epoch),
        "spoken": _VERDICTS[entry.verdict],
    }


def _spoken(entry: HeldItem, shown: Any) -> Text:
    """Say a value: an epoch from one, a number of a series with all its digits."""
    if isinstance(shown, int):
        kind: Kind = "count" if entry.name == "no stop before" else "epoch"
        return say("epoch ", Fact(shown, kind))
    if shown is None:
        return say("none")
    return say(shown if isinstance(shown, str) else repr(shown))
