"""A class has a name of its own, so that it can be told and searched by it."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.conftest import ROOT


def test_no_class_name_means_two_things() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "cbreplay").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(path.name)
    assert {name: held for name, held in places.items() if len(held) > 1} == {}
