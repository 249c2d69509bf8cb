"""What to use for the next run, and how sure that is, in words.

The numbers come from `cbreplay.recommend`. `document` puts the answer together;
`headline`, `surety`, `reasons`, `evidence` and `run_doubts` write its sentences,
`tables` and `figures` the rest, and `json_members` its JSON.
"""

from __future__ import annotations

from cbreplay.answers.advice.document import advice_document, short_advice_document

__all__ = ["advice_document", "short_advice_document"]
