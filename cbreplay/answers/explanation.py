"""Why a setting decided as it did on one run, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.doubts import doubts_of_replay
from cbreplay.answers.evaluations import in_evaluations
from cbreplay.answers.left_files import left_files
from cbreplay.answers.misreadings import headline_of_replay
from cbreplay.answers.next_commands import next_of_explanation
from cbreplay.answers.one_run_headline import headline_of_one
from cbreplay.answers.setting_cells import cells_of
from cbreplay.answers.spoken_runs import lead_of_run
from cbreplay.document import (
    Code,
    CodeBlock,
    Deferred,
    Document,
    Notice,
    Points,
    Row,
    Section,
    Table,
    TableColumn,
    phrase,
    say,
)
from cbreplay.evidence.rounded import find_unclear
from cbreplay.evidence.words import FICTION, spoken_divergence
from cbreplay.rules.base import format_callback, read_series
from cbreplay.rules.words import name_in_list
from cbreplay.wording.plain_text import quoted_code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from cbreplay.document import Text
    from cbreplay.explain import Explanation, TraceRow
    from cbreplay.replay import Replay
    from cbreplay.wording.claims import Claim

__all__ = ["DECISIVE", "deciding_rows", "explanation_document"]

# of improvements in a row only the last one lasts
DECISIVE = ("last improvement", "reduction", "schedule", "save", "stop")


def explanation_document(
    explanation: Explanation,
    *,
    rows: Sequence[TraceRow] | None = None,
    typed: str | None = None,
    setting: str = "",
    files: bool = False,
) -> Document:
    """Say why a setting stopped, reduced or kept what it did.

    `rows` of the trace are shown, by default all; with `files` only the files that are
    left. `typed` are the log and the options as they were typed, for the next commands;
    None where it cannot be asked again. `setting` is the setting as it was typed, by
    default the expression of each callback.
    """
    replay = explanation.replay
    shown = () if files else explanation.rows if rows is None else rows
    code = "\n".join(format_callback(callback) for callback in replay.callbacks)
    told = left_files(replay) if files else [_trace(explanation, shown)]
    title = "Files" if files else "Epoch by epoch"
    closing = () if files else tuple(_closing(explanation))
    noted = doubts_of_replay(replay, (), replay.notes)
    doubts = (*noted, *_compared_rounded(replay))
    sections = (
        Section(title, (CodeBlock(code, "python"), *told), untitled=True),
        Section("How it ended", (Points(closing),), untitled=True),
        Section("Before you trust it", (Notice(doubts),), untitled=True),
    )
    document = Document(
        "explain",
        headline_of_replay(headline_of_one(cells_of([replay])), replay),
        lead_of_run(replay),
        sections,
        next_of_explanation(
            replay,
            typed,
            setting or _expressions(explanation),
            n_lines=len(shown),
            n_decisive=len(deciding_rows(shown, shown[-1].epoch if shown else 0)),
        ),
        lambda: _members(explanation, shown),
    )
    return in_evaluations(document, [replay.run])


def deciding_rows(
    rows: Sequence[TraceRow], last_epoch: int, kinds: Collection[str] = DECISIVE
) -> list[TraceRow]:
    """Return the rows with decisions of some kinds, and those of the last epoch."""
    following: dict[int, str] = {}
    chosen = []
    for row in reversed(rows):
        decided = {row.decision}
        if row.decision != following.get(row.callback):
            decided.add(f"last {row.decision}")
        following[row.callback] = row.decision
        if row.epoch == last_epoch or decided.intersection(kinds):
            chosen.append(row)
    return chosen[::-1]


def _closing(explanation: Explanation) -> Iterator[Text]:
    """Yield how it ended, without what the headline says."""
    replay = explanation.replay
    told = None if replay.divergence_epoch is None else spoken_divergence(replay)
    for sentence in explanation.told:
        if sentence.words != told:
            yield _stamped(sentence.words, sentence.claims)


def _compared_rounded(replay: Replay) -> Iterator[Text]:
    """Yield from where on rows compare values that the log rounds too far to order."""
    run = replay.run
    for name in read_series(replay.callbacks):
        rules = [rule for rule in replay.callbacks if name in rule.reads]
        later = any(rule.begins_later for rule in rules)
        margins = [rule.margin for rule in rules]
        unclear = find_unclear(run, name, margins, begins_later=later)
        # the first of them has none before it to be compared with
        compared = sorted(unclear)[1:]
        if compared and run.first_epoch + compared[0] <= replay.last_evident_epoch:
            yield phrase(
                "The log rounds {name} to {digits:count} digits: from epoch "
                "{epoch:epoch} on, rows compare its values as if they were exact.",
                name=Code(name),
                digits=run.rounded_to[name][0],
                epoch=run.first_epoch + compared[0],
            )


def _stamped(sentence: str, claims: Sequence[Claim]) -> Text:
    """Return a sentence, stamped if it is fiction: past the end of the evidence."""
    if sentence.startswith(FICTION):
        plain = sentence.removeprefix(FICTION)
        return say(plain, claims=claims, stamp=FICTION)
    return say(sentence, claims=claims)


def _trace(explanation: Explanation, rows: Sequence[TraceRow]) -> Table:
    several = len({row.callback for row in explanation.rows}) > 1
    columns = (
        TableColumn("epoch", "epoch", "epoch", once=True),
        TableColumn("callback", "index", "number", shown="programs"),
        TableColumn("callback_name", "callback", "name").for_people_if(several),
        *(TableColumn(key, key, "number", shown="programs") for key in _NUMBERS),
        TableColumn("decision", "decision", "text", shown="programs"),
        TableColumn("needed", "needed", "number", shown="programs"),
        TableColumn("hypothetical", "fiction", "flag", shown="programs"),
        TableColumn("why", "why", "sentence"),
    )
    replay = explanation.replay
    names = {
        index: name_in_list(replay.callbacks, index)
        for index in {row.callback for row in rows}
    }
    return Table(
        columns,
        Deferred(lambda: (_row(replay, row, names) for row in rows)),
        "What each callback decided in each epoch, and why",
        is_answer=True,
    )


_NUMBERS = (
    "value",
    "best",
    "left",
    "right",
    "wait",
    "cooldown",
    "learning_rate",
    "new_learning_rate",
)


def _row(replay: Replay, row: TraceRow, names: Mapping[int, str]) -> Row:
    shown = replay.callbacks[row.callback].shown
    before, after = shown(row.before), shown(row.after)
    left, right = (None, None) if row.compared is None else row.compared
    return Row(
        (
            row.epoch,
            row.callback,
            names[row.callback],
            row.value,
            before.get("best"),
            left,
            right,
            after.get("wait"),
            after.get("cooldown_counter"),
            row.learning_rate,
            row.new_learning_rate,
            row.decision,
            row.needed,
            row.hypothetical,
            _stamped(row.why, row.claims),
        ),
        # of very many rows, those with a decision are shown first
        rank=0 if row.decision in (*DECISIVE, "improvement") else 1,
    )


def _expressions(explanation: Explanation) -> str:
    """Return the options that name the callbacks which decide something."""
    deciding = sorted({row.callback for row in explanation.rows})
    callbacks = explanation.replay.callbacks
    codes = [format_callback(callbacks[index]) for index in deciding]
    return " ".join(f"-c {quoted_code(code)}" for code in codes)


def _members(explanation: Explanation, rows: Sequence[TraceRow]) -> dict[str, Any]:
    from cbreplay.answers.json_fields import describe_results, describe_setting

    replay = explanation.replay
    return {
        **describe_results([replay.run], [(0, 0, replay)]),
        "configs": [describe_setting(replay.callbacks)],
        "trace": {
            "rows": [_described(replay, row) for row in rows],
            "closing": list(explanation.closing),
        },
    }


def _described(replay: Replay, row: TraceRow) -> dict[str, Any]:
    shown = replay.callbacks[row.callback].shown
    states = {"before": shown(row.before), "after": shown(row.after)}
    described = row._asdict() | states
    # claims are for checks; the other members say the same
    del described["claims"]
    return described
