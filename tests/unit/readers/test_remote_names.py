"""The names that a server gives its files never lead out of the copy."""

from __future__ import annotations

import ntpath
import os

import pytest

from cbreplay.readers.discovery.remote import _place


@pytest.mark.parametrize("name", ["../x.csv", "a//x.csv", "a/./x.csv", r"a\x.csv"])
def test_a_name_that_leads_elsewhere_has_no_place(name: str) -> None:
    assert _place(name, "copy") is None
    assert _place("a/x.csv", "copy") == os.path.join("copy", "a", "x.csv")  # noqa: PTH118


def test_a_name_with_a_drive_has_no_place_on_windows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "path", ntpath)
    assert _place("a/D:x.csv", r"C:\copy") is None
    assert _place("a/x.csv", r"C:\copy") == r"C:\copy\a\x.csv"
