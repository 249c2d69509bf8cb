"""The notebook of the documentation runs, and shows what it says it shows."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


def shown(cell: dict[str, Any]) -> list[str]:
    """Return the text and the pages that a cell shows, without pictures."""
    told = [one.get("data", {}) for one in cell.get("outputs", [])]
    texts = [
        data.get(kind, "") for data in told for kind in ("text/plain", "text/html")
    ]
    whole = "".join("".join(text) for text in texts)
    whole = re.sub(r"base64,[\w+/=]+|at 0x\w+|Keras \d[\d.]*\d", "", whole)
    return whole.split()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of the kernel's own packages
def test_the_notebook_runs_and_shows_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    held = json.loads(NOTEBOOK.read_text())
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
    client.NotebookClient(notebook, timeout=300, resources=resources).execute()
    for cell, kept in zip(notebook.cells, held["cells"], strict=True):
        assert shown(cell) == shown(kept)
    pictures = [
        data
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        for data in output.get("data", {})
        if data == "image/png"
    ]
    # the figure of several patience values shows itself too
    assert len(pictures) == 1
