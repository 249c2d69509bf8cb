"""What of a URL is shown, and that no secret of one stays in a text."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay.wording.plain_text import shown_url, without_secrets

SHOWN = [
    # written, shown
    ("https://host/logs.csv", "https://host/logs.csv"),
    ("https://me:pw@host/logs.csv", "https://host/logs.csv"),
    ("https://token@host:8443/a/", "https://host:8443/a/"),
    ("https://me:p%40w@host/logs.csv", "https://host/logs.csv"),
    ("https://me:p@w@host/logs.csv", "https://host/logs.csv"),
    ("https://host/logs.csv?X-Amz-Signature=0a", "https://host/logs.csv"),
    ("https://host?key=a", "https://host"),
    ("https://host/logs.csv#access_token=a", "https://host/logs.csv"),
    ("https://host/logs.csv?a=b#2", "https://host/logs.csv#2"),
    ("https://me:pw@[::1]:8000/x?y", "https://[::1]:8000/x"),
    ("http://[fe80::1]/x", "http://[fe80::1]/x"),
    ("s3://bucket/run@1/logs.csv", "s3://bucket/run@1/logs.csv"),
    ("s3://key:secret@bucket", "s3://bucket"),
    ("tcp://me:pw@host:8786", "tcp://host:8786"),
    ("me:pw@host:8786", "host:8786"),
    ("file:///home/me/x", "file:///home/me/x"),
    ("https:/me:pw@host/x", "https:/host/x"),
    ("simplecache::s3://k:s@b/x?v=1", "simplecache::s3://b/x"),
    ("zip://logs.csv::https://u:p@h/a.zip?s=1", "zip://logs.csv::https://h/a.zip"),
    # what may be a password with a slash or a question mark in it
    ("https://me:p/w@host/a/logs.csv", "https://.../logs.csv"),
    ("https://me:p?w@host/a/logs.csv", "https://.../logs.csv"),
    ("https://me:p#w@host", "https://..."),
    ("https://me:12/w@host/a", "https://.../a"),
    ("https://me:a@b/c@host/logs.csv", "https://.../logs.csv"),
    ("https://me:pw", "https://..."),
    ("http://localhost:8000/x?mail=a@b", "http://localhost:8000/x"),
]


@pytest.mark.parametrize(("written", "shown"), SHOWN)
def test_a_url_is_shown_without_its_secrets(written: str, shown: str) -> None:
    assert shown_url(written) == shown


@pytest.mark.parametrize(("written", "shown"), SHOWN)
def test_what_is_shown_holds_nothing_more_to_leave_out(
    written: str, shown: str
) -> None:
    assert shown_url(shown) == shown
    if "://" in written:
        assert without_secrets(f"see {written} now") == f"see {shown} now"


def test_text_without_a_url_stays() -> None:
    for text in ("C:/runs/a@b?c", "val_loss: 0.5", "me@host", "a :: b", "x:/"):
        assert without_secrets(text) == text


SECRET = st.text(min_size=6, max_size=12).map(lambda text: f"S3cr{text}t")


@given(SECRET, SECRET, SECRET, SECRET, st.sampled_from(["host", "[::1]:80", "h:1"]))
def test_no_piece_of_a_secret_is_shown(
    user: str, password: str, query: str, fragment: str, host: str
) -> None:
    quoted = [quote(text, safe="") for text in (user, password, query, fragment)]
    u, p, q, f = quoted
    url = f"https://{u}:{p}@{host}/a/logs.csv?key={q}#{f}"
    assert shown_url(url) == f"https://{host}/a/logs.csv"
    assert without_secrets(f"({url})") == f"(https://{host}/a/logs.csv"


RAW = st.text("abcXYZ:/?#[]@!$&*+,;=%.~-", min_size=1, max_size=12)


@given(RAW, RAW)
def test_a_password_that_was_typed_raw_is_not_shown_either(
    password: str, more: str
) -> None:
    secret = f"S3cr{password}S3cr{more}"
    assert "S3cr" not in shown_url(f"https://me:{secret}@host/logs.csv")
