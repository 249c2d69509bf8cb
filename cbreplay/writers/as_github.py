"""Findings as the annotations that GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.wording.words import visible_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["write_annotations"]


def write_annotations(members: Mapping[str, Any]) -> str:
    """Write the findings of an answer, a line each.

    Parameters
    ----------
    members : mapping
        The answer of ``lint`` as JSON has it.
    """
    return "".join(f"{_annotation(finding)}\n" for finding in members["findings"])


def _annotation(finding: Mapping[str, Any]) -> str:
    level = "warning" if finding["severity"] == "warning" else "notice"
    cell, line = finding.get("cell"), finding["line"]
    properties = {"title": finding["code"]}
    if "source" in finding:
        properties["file"] = finding["source"]
        # GitHub counts lines of the notebook's JSON: no place for a line of a cell
        if cell is None:
            properties["line"] = str(line)
    where = "" if cell is None else f"code cell {cell}, line {line}: "
    message = (
        f"{where}{finding['message']} ({finding['reason']}). Instead: {finding['fix']}"
    )
    given = ",".join(
        f"{name}={_escaped(text).replace(':', '%3A').replace(',', '%2C')}"
        for name, text in properties.items()
    )
    return f"::{level} {given}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return visible_text(text).replace("%", "%25").replace("\r", "").replace("\n", " ")
