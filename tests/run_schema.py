"""The schema of ``run.json`` that ships with the package."""

from __future__ import annotations

import importlib.resources
import json
from typing import TYPE_CHECKING

import jsonschema

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_schema", "validate_run_json"]

_SCHEMA = json.loads(
    (importlib.resources.files("cbreplay") / "schemas/run.schema.json").read_text()
)


def check_schema(path: Path) -> None:
    """Fail where a ``run.json`` is not as its schema has it."""
    validate_run_json(json.loads(path.read_text()))


def validate_run_json(contents: object) -> None:
    """Fail where what a ``run.json`` holds is not as its schema has it."""
    jsonschema.validate(contents, _SCHEMA, cls=jsonschema.Draft202012Validator)
