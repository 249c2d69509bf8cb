"""`ask`, and how the results of the library show themselves in a notebook."""

from __future__ import annotations

from cbreplay.notebook.answer import Answer
from cbreplay.notebook.asking import ask
from cbreplay.notebook.results import answer_about

__all__ = ["Answer", "answer_about", "ask"]
