"""The tuning report: a tree of sections, and the formats it is written in."""

from __future__ import annotations

from cbreplay.report.build import build_report
from cbreplay.report.document import Document
from cbreplay.report.html import write_html, write_report
from cbreplay.report.markdown import write_markdown

__all__ = [
    "Document",
    "build_report",
    "write_html",
    "write_markdown",
    "write_report",
]
