"""What to use for the next run, and how sure that is: one document."""

from __future__ import annotations

from cbreplay.answers.advice.document import advice_document, short_advice_document

__all__ = ["advice_document", "short_advice_document"]
