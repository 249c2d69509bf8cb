"""What `lint` found about one list of callbacks, as an answer.

For training scripts: `script_findings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.answers.json_fields import describe_run
from cbreplay.document import (
    Document,
    Fact,
    Notice,
    Row,
    Section,
    Table,
    TableColumn,
    say,
)
from cbreplay.lint import lint_callbacks
from cbreplay.rules.base import format_callback
from cbreplay.rules.registry import resolve_semantics, spoken_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.document import Part, Text
    from cbreplay.lint import Finding
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["ListFindings", "check_callbacks", "finding_columns", "findings_document"]


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
        The script or the run that the list is from; empty if neither.
    lines : tuple of int
        The one-based line of the script in which each callback is built.
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
    lines: tuple[int, ...] = ()
    run: Run | None = None
    notes: tuple[str, ...] = ()
    written: tuple[frozenset[str], ...] = ()

    @property
    def n_found(self) -> int:
        """How many findings there are."""
        return len(self.findings)

    def document(self) -> Document:
        """Write the findings as an answer."""
        return findings_document(self)

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
    lines: tuple[int, ...] = (),
    notes: Sequence[str] = (),
) -> ListFindings:
    """Lint a list of callbacks, and keep with the findings where the list is from.

    Parameters
    ----------
    callbacks, epochs, validation_freq, run, semantics, schedule, written
        As in `lint_callbacks`: the list, and what is known of the training.
    source, lines, notes : as in `ListFindings`
        Where the list is from, and what could not be read there.
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
        lines=lines,
        run=run,
        notes=(*resolved.notes, *notes),
        written=tuple(written),
    )


def findings_document(checked: ListFindings) -> Document:
    """Write the findings on a list of callbacks as an answer."""
    sections = [Section("Findings", (_table(checked),), untitled=True)]
    if checked.notes:
        notes = Notice(tuple(say(note) for note in checked.notes))
        sections.append(Section("Before you trust it", (notes,), untitled=True))
    return Document(
        "lint",
        _headline(checked),
        _lead(checked),
        tuple(sections),
        program=lambda: _members(checked),
    )


def _headline(checked: ListFindings) -> Text:
    n_callbacks, n_found = len(checked.callbacks), len(checked.findings)
    told: list[Part] = ["Nothing to object to in "]
    if n_found:
        found = Fact(n_found, "count", "n_findings")
        told = [found, " finding in " if n_found == 1 else " findings in "]
    listed = Fact(n_callbacks, "count", "n_callbacks")
    return say(*told, listed, " callback." if n_callbacks == 1 else " callbacks.")


def _lead(checked: ListFindings) -> Text:
    rules = f"rules of {spoken_version(checked.semantics)}."
    if checked.source:
        return say(Fact(checked.source, "name", "source"), f": {rules}")
    return say(f"By the {rules}")


def _table(checked: ListFindings) -> Table:
    columns = finding_columns(
        TableColumn("callback", "index", "number", shown="programs"),
        TableColumn(
            "line", "line", "number", shown="always" if checked.lines else "programs"
        ),
    )
    rows = tuple(
        Row(
            (
                finding.severity,
                finding.code,
                finding.callback,
                _line(checked, finding),
                _setting(checked, finding.callback),
                finding.message,
                finding.reason,
                finding.fix,
            )
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


def _line(checked: ListFindings, finding: Finding) -> int | None:
    """Return where in the script the callback is built."""
    return checked.lines[finding.callback] if checked.lines else None


def _members(checked: ListFindings) -> dict[str, Any]:
    setting = [format_callback(callback) for callback in checked.callbacks]
    return {
        "semantics": checked.semantics,
        "objective": None,
        "runs": [] if checked.run is None else [describe_run(checked.run)],
        "configs": [{"callbacks": setting, "parameters": {}}],
        "results": [],
        "findings": [
            finding._asdict() | {"line": _line(checked, finding)}
            for finding in checked.findings
        ],
        "notes": checked.notes,
    }
