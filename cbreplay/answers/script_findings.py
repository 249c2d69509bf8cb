"""What `lint` found in training scripts, and what it could not read: as an answer."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.answers.findings import finding_columns, objections
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
from cbreplay.rules.families import spoken_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cbreplay.document import Part, Text
    from cbreplay.lint.script_fits import PlacedFinding
    from cbreplay.scripts.members import Member
    from cbreplay.scripts.training_scripts import TrainingScript

__all__ = ["ScriptFindings", "ScriptsFindings", "tell_once"]


class ScriptFindings(NamedTuple):
    """A training script, and what was found in it.

    Parameters
    ----------
    script : TrainingScript
        What was read in it.
    findings : tuple of PlacedFinding
        As `lint_script` returns them.
    semantics : str
        The version whose rules decide, for example ``"keras-3.15"``.
    unchecked : mapping of tuple of str to tuple of str
        What could not be checked, in sentences, by the codes of the findings that there
        might be.
    """

    script: TrainingScript
    findings: tuple[PlacedFinding, ...]
    semantics: str
    unchecked: Mapping[tuple[str, ...], tuple[str, ...]] = MappingProxyType({})

    @property
    def concerns_callbacks(self) -> bool:
        """Whether it names or gets a callback: others only import such a module."""
        return bool(self.members) or self.script.source.names_callback

    def file_of(self, line: int) -> str:
        """Return the file of a line, as the system names it."""
        return os.path.realpath(self.script.source.origin(line).path)

    def origin(self, member: Member) -> tuple[str, int, int]:
        """Return the file, line and column of the call that makes a callback."""
        call = member.call
        line = self.script.source.origin(call.lineno).line
        return self.file_of(call.lineno), line, call.col_offset

    def without_loose(self, fitted: set[tuple[str, int, int]]) -> ScriptFindings:
        """Return it without the callbacks that only fits of other scripts get."""
        loose = [part for part in self.script.loose if self.origin(part) not in fitted]
        less = self._replace(script=self.script._replace(loose=tuple(loose)))
        kept = {id(member.call) for member in less.members}
        found = (own for own in self.findings if id(own.member.call) in kept)
        return less._replace(findings=tuple(found))

    def without_modules(self, given: set[str]) -> ScriptFindings:
        """Return it without what is not read in some of the modules that it imports."""
        source = self.script.source
        ends = tuple(
            f" of {module.name}"
            for module in source.modules
            if os.path.realpath(module.path) in given
        )
        unread = [
            part
            for part in self.script.unread
            if not source.place(part.line).endswith(ends)
        ]
        unchecked = {
            codes: tuple(
                sentence
                for sentence in sentences
                if not sentence.partition(": ")[0].endswith(ends)
            )
            for codes, sentences in self.unchecked.items()
        }
        script = self.script._replace(unread=tuple(unread))
        return self._replace(script=script, unchecked=unchecked)

    @property
    def members(self) -> list[Member]:
        """The callbacks that were checked, each once, in the order of the text."""
        fits = [member for fit in self.script.fits for member in fit.members]
        found = {id(member.call): member for member in [*fits, *self.script.loose]}
        return sorted(found.values(), key=lambda member: member.call.lineno)

    @property
    def looked_at(self) -> Iterator[str]:
        """Each callback, its place, and whether a fit certainly gets it."""
        certain = {
            id(member.call)
            for fit in self.script.fits
            for member in fit.members
            if member.is_certain
        }
        for member in self.members:
            doubt = "" if id(member.call) in certain else " (not certainly in a list)"
            place = self.script.source.place(member.call.lineno)
            yield f"{place}: {member.code}{doubt}"

    @property
    def unread(self) -> Iterator[str]:
        """What could not be read or checked, a sentence each."""
        for part in self.script.unread:
            yield f"{self.script.source.place(part.line)}: {part.problem}"
        for sentences in self.unchecked.values():
            yield from sentences
        yield from self.script.source.notes
        if self.script.loose and not self.script.fits:
            yield (
                "no fit(callbacks=...) stands in it: each callback is looked at by "
                "itself"
            )
        for member in self.script.loose if self.script.fits else ():
            place = self.script.source.place(member.call.lineno)
            name = member.variants[0].class_name
            yield (
                f"{place}: this {name} goes to no fit that is read, and is looked at "
                "by itself"
            )


class ScriptsFindings(NamedTuple):
    """The findings in several scripts.

    Parameters
    ----------
    scripts : tuple of ScriptFindings
        Each script.
    semantics : str
        The version whose rules decide by default, or that all scripts train with.
    notes : tuple of str
        What was assumed, and which files are left out.
    """

    scripts: tuple[ScriptFindings, ...]
    semantics: str
    notes: tuple[str, ...] = ()

    @property
    def with_callbacks(self) -> list[ScriptFindings]:
        """The scripts that have callbacks: their lists, as JSON has them."""
        return [script for script in self.scripts if script.members]

    def placed(self) -> Iterator[tuple[int, ScriptFindings, PlacedFinding]]:
        """Yield every finding, with the index of its list and the script."""
        for index, script in enumerate(self.with_callbacks):
            for placed in script.findings:
                yield index, script, placed

    @property
    def n_found(self) -> int:
        """How many findings there are."""
        return sum(len(script.findings) for script in self.scripts)

    def document(self) -> Document:
        """Write the findings as an answer."""
        unread = Notice(_placed(self, lambda own: own.unread))
        looked_at = Notice(_placed(self, lambda own: own.looked_at))
        notes = Notice(tuple(map(say, self.notes)))
        sections = (
            Section("Findings", (_table(self),), untitled=True),
            Section("Not read", (unread,)),
            Section("Looked at", (looked_at,), on="asked"),
            Section("Before you trust it", (notes,), untitled=True),
        )
        return Document(
            "lint",
            _headline(self),
            _lead(self),
            sections,
            program=lambda: _members(self),
        )

    def keep(self, is_chosen: Callable[[str], bool]) -> ScriptsFindings:
        """Return the same with only the findings whose code is chosen."""
        return self._replace(
            scripts=tuple(
                script._replace(
                    findings=tuple(
                        placed
                        for placed in script.findings
                        if is_chosen(placed.finding.code)
                    ),
                    unchecked={
                        codes: sentences
                        for codes, sentences in script.unchecked.items()
                        if any(map(is_chosen, codes))
                    },
                )
                for script in self.scripts
            )
        )


def tell_once(scripts: Sequence[ScriptFindings]) -> tuple[ScriptFindings, ...]:
    """Return scripts without what others tell too, because one imports the other.

    A callback that goes to a fit of another script is not looked at by itself, and what
    is not read in a module is told where that module is given itself.
    """
    given = {os.path.realpath(own.script.source.path) for own in scripts}
    fitted = {
        own.origin(member)
        for own in scripts
        for fit in own.script.fits
        for member in fit.members
    }
    told: set[tuple[object, ...]] = set()
    once = []
    for own in scripts:
        kept = own.without_modules(given).without_loose(fitted)
        found = {
            (
                own.origin(placed.member),
                placed.finding.code,
                placed.finding.message,
            ): placed
            for placed in kept.findings
        }
        new = tuple(found[key] for key in found if key not in told)
        told |= found.keys()
        once.append(kept._replace(findings=new))
    return tuple(once)


def _placed(
    checked: ScriptsFindings, told: Callable[[ScriptFindings], Iterator[str]]
) -> tuple[Text, ...]:
    """Say lines of the scripts, each with its path where there are several."""
    several = len(checked.scripts) > 1
    return tuple(
        say(f"{own.script.source.path}, {line}" if several else line)
        for own in checked.scripts
        for line in told(own)
    )


def _headline(checked: ScriptsFindings) -> Text:
    made = {own.origin(member) for own in checked.scripts for member in own.members}
    n_callbacks = len(made)
    n_found = checked.n_found
    if not n_callbacks:
        return say("There is no callback of Keras here that can be read.")
    told: list[Part | Text] = [objections(n_found)]
    told += [counted(n_callbacks, "callback", "n_callbacks")]
    if len(checked.scripts) > 1:
        told += [" of ", Fact(len(checked.scripts), "count", "n_scripts"), " scripts"]
    if not n_found and any(_unread_of(checked.scripts)):
        several = "s are" if len(checked.scripts) > 1 else " is"
        told += [f", as far as the script{several} read"]
    return say(*told, ".")


def _lead(checked: ScriptsFindings) -> Text:
    versions = dict.fromkeys(script.semantics for script in checked.scripts)
    spoken = map(spoken_version, versions or [checked.semantics])
    rules = f"rules of {' and '.join(spoken)}."
    if len(checked.scripts) == 1:
        path = checked.scripts[0].script.source.path
        return say(Fact(path, "name", "source"), f": {rules}")
    return say(f"By the {rules}")


def _table(checked: ScriptsFindings) -> Table:
    several = len(checked.scripts) > 1 or any(
        placed.member.call.lineno < 0 for _, _, placed in checked.placed()
    )
    notebooks = any(script.script.source.cells for script in checked.scripts)
    columns = finding_columns(
        TableColumn("source", "script", "name").for_people_if(several),
        TableColumn("callback", "index", "number", shown="programs"),
        TableColumn("cell", "code cell", "number").for_people_if(notebooks),
        TableColumn("line", "line", "number"),
    )
    rows = tuple(
        keyed_row(columns, _described(*found) | {"setting": found[2].member.code})
        for found in checked.placed()
    )
    return Table(columns, rows, "What to look at", is_answer=True)


def _described(
    config: int, script: ScriptFindings, placed: PlacedFinding
) -> dict[str, Any]:
    """Return a finding with its place, as JSON has it."""
    calls = [id(member.call) for member in script.members]
    source = script.script.source
    path, cell, line = source.origin(placed.member.call.lineno)
    return placed.finding._asdict() | {
        "callback": calls.index(id(placed.member.call)),
        "source": path,
        "config": config,
        "cell": cell,
        "line": line,
    }


def _members(checked: ScriptsFindings) -> dict[str, Any]:
    return {
        "semantics": checked.semantics,
        "configs": [
            {"callbacks": [member.code for member in script.members], "parameters": {}}
            for script in checked.with_callbacks
        ],
        "findings": [_described(*found) for found in checked.placed()],
        "notes": [*_unread_of(checked.scripts), *checked.notes],
    }


def _unread_of(scripts: Sequence[ScriptFindings]) -> Iterator[str]:
    for script in scripts:
        for told in script.unread:
            yield f"{script.script.source.path}, {told}"
