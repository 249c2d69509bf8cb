"""Which files a ``fit`` writes anew that an earlier one has written, or a round."""

from __future__ import annotations

import ast
import sys
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.rules.parameters import parameters_of
from cbreplay.scripts.keras_classes import keras_name
from cbreplay.scripts.possible_values import only_literal
from cbreplay.scripts.syntax import argument_at, argument_named, names_in, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.scripts.facts import FittingCall
    from cbreplay.scripts.members import Member
    from cbreplay.scripts.repeated_fits import RepeatedFits

__all__ = ["WrittenFiles"]

_FILES = ("filepath", "filename")
# the place of CSVLogger's append
_APPEND_AT = len(("filename", "separator"))


class _File(NamedTuple):
    """A file that a callback writes, and the callback.

    `key` is the class of the callback with the name of the file; `mentions` are the
    name of the file, and those of the script in its place.
    """

    by: Member
    key: tuple[str, str]
    mentions: frozenset[str]
    is_log: bool


class WrittenFiles:
    """The files that the callbacks of a script's fits write, fit by fit."""

    def __init__(self, repeated: RepeatedFits) -> None:
        self.repeated, self.calls = repeated, repeated.calls
        self.earlier: list[tuple[ast.Call, set[tuple[str, str]]]] = []
        self.scopes = {id(call): scope for call, scope in self.calls.names.calls}

    @cached_property
    def mentioned(self) -> list[tuple[int, str]]:
        """The line of each name and text that is read, but for callbacks."""
        inside: set[int] = set()
        for call, scope in self.calls.names.calls:
            if keras_name(self.calls, call.func, scope) is not None:
                inside.update(map(id, ast.walk(call)))
        return [
            (node.lineno, text)
            for node in self.calls.nodes
            if isinstance(node, ast.expr) and id(node) not in inside
            for text in _named_by(node)
        ]

    def find_overwritten(
        self, fit: FittingCall, members: Sequence[Member]
    ) -> dict[int, str]:
        """Return the earlier fit whose file a callback writes anew, by its call's id.

        So does each round of a loop with the file of the round before. The fits of a
        script are to be asked about in their order. A file that is named between the
        two fits may have been read, and is left out; so is one of a loop that is named
        anywhere.
        """
        place = self.calls.place
        # in another directory, the same name is another file
        held = () if self.calls.by_name.get("chdir") else members
        files = [file for member in held for file in self.files_of(member)]
        found = {
            id(file.by.call): f"the run before it ({place(loop.lineno)} repeats it)"
            for loop in self.repeated.find_rounds(fit.call)
            for file in files
            # a ModelCheckpoint that is made once knows the best of the round before
            if (file.is_log or not self.repeated.is_outside(file.by.made_at, loop, 1))
            and not self.is_named(file, 0, sys.maxsize)
        }
        found |= {
            id(file.by.call): f"the fit of {place(earlier.lineno)}"
            for earlier, written in self.earlier
            for file in files
            if file.key in written
            and self.repeated.is_followed_by(earlier, fit.call)
            and not self.is_named(file, earlier.lineno, fit.call.lineno)
        }
        self.earlier.append((fit.call, {file.key for file in files}))
        return found

    def is_named(self, file: _File, first: int, last: int) -> bool:
        """Return whether code between two lines may read a file."""
        lines = range(first + 1, last)
        return first < 0 or any(
            text in file.mentions for line, text in self.mentioned if line in lines
        )

    def files_of(self, member: Member) -> Iterator[_File]:
        """Yield the file that a callback certainly writes, from its beginning."""
        call, rule = member.call, member.variants[0]
        scope, is_log = self.scopes.get(id(call)), not rule.acts_at
        if scope is None or not (is_log or _FILES[0] in parameters_of(rule)):
            return
        given = [argument_named(call, name) for name in _FILES]
        file = next(filter(None, [*given, *call.args[:1]]), None)
        # a logger goes on with its file where it is told to
        appends = is_log and argument_at(call, "append", _APPEND_AT) is not None
        if file is None or appends or not member.is_certain:
            return
        name = only_literal(self.calls, file, scope)
        if isinstance(name, str) and not {"{", "}"} & {*name}:
            mentions = frozenset([name, *names_in(file)])
            yield _File(member, (rule.class_name, name), mentions, is_log)


def _named_by(node: ast.expr) -> list[str]:
    """Return the name or text that an expression reads."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return [node.id]
    text = text_of(node)
    return [] if text is None else [text]
