"""The page of lint's findings: each has an example that gets it, and one that does not.

What stands in it as a session of Python is run as every page's is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cbreplay.lint.codes import CODES
from cbreplay.lint.scripts import lint_script
from cbreplay.scripts.training_scripts import read_training_script
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs/lint-rules.md").read_text()
SECTIONS = {
    section.partition("\n")[0].strip(): section
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
}
HEAD = "import keras\nfrom keras.callbacks import *\n"


def examples(code: str) -> list[str]:
    return re.findall(
        r"^```python\n(.*?)^```", SECTIONS[code], re.DOTALL | re.MULTILINE
    )


SCRIPTED = [code for code in SECTIONS if examples(code)]


def found_in(text: str, place: Path) -> list[str]:
    script = place / "train.py"
    script.write_text(HEAD + text)
    rules = re.match(r"# by the rules of (\S+)\n", text)
    found = lint_script(
        read_training_script(str(script)),
        semantics=rules[1] if rules else "keras-3.15",
    )
    return [placed.finding.code for placed in found]


def test_every_finding_has_its_section() -> None:
    assert sorted(SECTIONS) == sorted(CODES)


def test_every_section_has_two_examples() -> None:
    assert {len(examples(code)) for code in SCRIPTED} == {2}
    sessions = [code for code in SECTIONS if code not in SCRIPTED]
    assert all(f"\n['{code}']\n" in SECTIONS[code] for code in sessions)


@pytest.mark.parametrize("code", SCRIPTED)
def test_the_examples_get_what_the_page_says(code: str, tmp_path: Path) -> None:
    wrong, right = examples(code)
    assert found_in(wrong, tmp_path) == [code]
    assert found_in(right, tmp_path) == []


def test_every_code_in_the_checks_is_listed() -> None:
    sources = (ROOT / "cbreplay").rglob("*.py")
    text = "\n".join(path.read_text() for path in sources if path.name != "codes.py")
    written = re.findall(r'[Ff]inding\(\s*"([a-z-]+)"', text)
    written += re.findall(r'code = "([a-z]+(?:-[a-z]+)+)"', text)
    assert set(written) == set(CODES)
