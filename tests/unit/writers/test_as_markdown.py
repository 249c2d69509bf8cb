"""A headline of several sentences is one heading and a paragraph."""

from __future__ import annotations

from cbreplay.document import Document, Fact, Section, Table, TableColumn, say
from cbreplay.document.tables import Row
from cbreplay.writers.as_markdown import write_markdown


def test_the_first_sentence_of_a_headline_is_the_heading() -> None:
    headline = say("It stops at ", Fact(3, "epoch"), ".", " ", "One run. No more.")
    table = Table((TableColumn("run", "run", "name"),), (Row(("a",)),), "Of the run")
    document = Document(
        "simulate", headline, say("A lead."), (Section("The run", (table,)),)
    )
    assert write_markdown(document) == (
        "# It stops at 4.\n\nOne run. No more.\n\nA lead.\n\n## The run\n\n"
        "| run |\n| :--- |\n| a |\n"
    )
