"""What `lint` found about one list of callbacks, as an answer.

For training scripts: `script_findings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.document import (
    Document,
    Fact,
    Notice,
    Section,
    Table,
    TableColumn,
    counted,
    keyed_row,
    say,
)
from cbreplay.lint import lint_callbacks
from cbreplay.rules.base import format_callback
from cbreplay.rules.families import resolve_semantics, spoken_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.document import Text
    from cbreplay.lint import Finding
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = [
    "ListFindings",
    "check_callbacks",
    "finding_columns",
    "objections",
]


class ListFindings(NamedTuple):
    """A list of callbacks, and what was found about it.

    Parameters
    ----------
    callbacks : sequence of Callback
        The list, in order.
    findings : sequence of Finding
        As `lint_callbacks` returns them.
    semantics : str
        The version whose rules decide, for example ``"keras-3.15"``.
    source : str
        The run that the list is from; empty if none.
    run : Run or None
        A record of such a training.
    notes : tuple of str
        What was assumed, and what could not be read.
    written : tuple of frozenset of str
        Of each callback, the parameters that its code names; empty if not known.
    """

    callbacks: Sequence[Callback]
    findings: Sequence[Finding]
    semantics: str
    source: str = ""
    run: Run | None = None
    notes: tuple[str, ...] = ()
    written: tuple[frozenset[str], ...] = ()

    @property
    def n_found(self) -> int:
        """How many findings there are."""
        return len(self.findings)

    def document(self) -> Document:
        """Write the findings as an answer."""
        findings = Section("Findings", (_table(self),), untitled=True)
        notes = Notice(tuple(map(say, self.notes)))
        doubts = Section("Before you trust it", (notes,), untitled=True)
        headline, lead = _headline(self), _lead(self)
        return Document(
            "lint", headline, lead, (findings, doubts), program=lambda: _members(self)
        )

    def keep(self, is_chosen: Callable[[str], bool]) -> ListFindings:
        """Return the same with only the findings whose code is chosen."""
        kept = [finding for finding in self.findings if is_chosen(finding.code)]
        return self._replace(findings=tuple(kept))


def check_callbacks(
    callbacks: Sequence[Callback],
    *,
    epochs: int | None = None,
    validation_freq: int | None = None,
    run: Run | None = None,
    semantics: str | None = None,
    schedule: str | None = None,
    written: Sequence[frozenset[str]] = (),
    source: str = "",
    notes: Sequence[str] = (),
) -> ListFindings:
    """Lint a list of callbacks, and keep with the findings where the list is from.

    The arguments are those of `lint_callbacks`; `source` and `notes` as in
    `ListFindings`.
    """
    metadata = None if run is None else run.metadata
    resolved = resolve_semantics(semantics, metadata=metadata, callbacks=callbacks)
    findings = lint_callbacks(
        callbacks,
        epochs=epochs,
        validation_freq=validation_freq,
        run=run,
        semantics=semantics,
        schedule=schedule,
        written=written,
    )
    return ListFindings(
        callbacks,
        findings,
        resolved.semantics.name,
        source=source,
        run=run,
        notes=(*resolved.notes, *notes),
        written=tuple(written),
    )


def _headline(checked: ListFindings) -> Text:
    listed = counted(len(checked.callbacks), "callback", "n_callbacks")
    return say(objections(checked.n_found), listed, ".")


def objections(n_found: int) -> Text:
    """Say how much there is to object to, before what it is in."""
    if not n_found:
        return say("Nothing to object to in ")
    return say(counted(n_found, "finding", "n_findings"), " in ")


def _lead(checked: ListFindings) -> Text:
    rules = f"rules of {spoken_version(checked.semantics)}."
    if checked.source:
        return say(Fact(checked.source, "name", "source"), f": {rules}")
    return say(f"By the {rules}")


def _table(checked: ListFindings) -> Table:
    columns = finding_columns(
        TableColumn("callback", "index", "number", shown="programs"),
        TableColumn("line", "line", "number", shown="programs"),
    )
    rows = tuple(
        keyed_row(
            columns,
            finding._asdict()
            | {"line": None, "setting": _setting(checked, finding.callback)},
        )
        for finding in checked.findings
    )
    return Table(columns, rows, "What to look at", is_answer=True)


def _setting(checked: ListFindings, index: int) -> str:
    """Write a callback with all parameters that its code names, also defaults."""
    written = checked.written[index] if checked.written else ()
    return format_callback(checked.callbacks[index], written)


def finding_columns(*places: TableColumn) -> tuple[TableColumn, ...]:
    """Return the columns of a table of findings; `places` are those that tell where."""
    return (
        TableColumn("severity", "severity", "name"),
        TableColumn("code", "finding", "name"),
        *places,
        TableColumn("setting", "setting", "code"),
        TableColumn("message", "what", "sentence"),
        TableColumn("reason", "why", "sentence"),
        TableColumn("fix", "instead", "sentence"),
    )


def _members(checked: ListFindings) -> dict[str, Any]:
    from cbreplay.answers.json_fields import describe_run, describe_setting

    return {
        "semantics": checked.semantics,
        "runs": [] if checked.run is None else [describe_run(checked.run)],
        "configs": [describe_setting(checked.callbacks)],
        "findings": [
            finding._asdict() | {"line": None} for finding in checked.findings
        ],
        "notes": checked.notes,
    }
