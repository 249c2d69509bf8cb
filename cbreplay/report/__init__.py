"""The tuning report: which answers it needs, and the document that they make.

``writers/`` turns the document into HTML or Markdown.
"""

from __future__ import annotations

from cbreplay.document import Document
from cbreplay.report.build import build_report, build_settings_report
from cbreplay.writers.as_html import write_html
from cbreplay.writers.as_markdown import write_markdown
from cbreplay.writers.report_files import write_report

__all__ = [
    "Document",
    "build_report",
    "build_settings_report",
    "write_html",
    "write_markdown",
    "write_report",
]
