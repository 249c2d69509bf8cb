"""Logs of every text format, and ways to damage them."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = [{"epoch": i, "loss": 1 / (i + 1), "val_loss": 1 / (i + 2)} for i in range(6)]
CHART = '"Step","a - loss","a - loss__MIN","a - loss__MAX"\n'
REAL = ROOT / "sample_logs" / "overfit.csv"
SEEDS: dict[str, bytes] = {
    "real.csv": b"".join(REAL.read_bytes().splitlines(keepends=True)[:15]),
    "keras.csv": b"epoch,loss,val_loss\r\n0,0.5,NA\r\n1,0.25,nan\r\n2,inf,0.125\r\n",
    "pandas.csv": b",loss,lr\n0,0.5,0.01\n1,,0.01\n2,0.125,0.001\n",
    "semicolon.csv": b"epoch;loss\n0;0,5\n1;0,25\n",
    "quoted.csv": b'"epoch","loss","f1"\n"0","0.5","[0.1, 0.2]"\n"1","0.4","[1]"\n',
    "comments.csv": b"# a remark\nepoch,loss\n0,0.5,good\n\n1,0.25\nstopped\n2,1e-3\n",
    "utf16.csv": "epoch,loss\r\n0,0.5\r\n1,0.25\r\n".encode("utf-16"),
    "latin.csv": "epoch,pr\u00e4zision\n0,0.5\n1,0.25\n".encode("latin-1"),
    "restart.csv": b"epoch,loss\n0,3\n1,2\n0,3\n1,2\nepoch,loss\n2,1\n",
    "metrics.csv": b"epoch,step,loss,val_loss,lr-Adam\n,0,,,0.1\n0,9,1,,\n0,9,,2,\n",
    "results.csv": b"  epoch,  train/box_loss,  val/box_loss\n  1,  2.5,  3\n",
    "wandb.csv": b",_step,_runtime,epoch,loss\n0,0,1.5,0,0.5\n1,1,3.5,1,0.25\n",
    "chart.csv": CHART.encode() + b'"0","0.5","0.5","0.5"\n"1","0.25","0.25","0.25"\n',
    "mlflow.csv": b"run_id,key,value,step\nab,loss,0.5,0\nab,loss,0.25,1\n",
    "history.json": json.dumps(
        {"loss": [0.5, 0.25], "val_loss": [1, float("nan")]}
    ).encode(),
    "rows.json": json.dumps(ROWS).encode(),
    "rows.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "frame.json": b'{"loss":{"0":0.5,"1":0.25},"val_loss":{"0":1,"1":null}}',
    "trainer_state.json": json.dumps(
        {
            "log_history": [
                {"epoch": 1.0, "loss": 0.5, "step": 9},
                {"epoch": 1.0, "eval_loss": 0.6, "step": 9},
                {"epoch": 2.0, "eval_loss": 0.4, "step": 18},
                {"train_runtime": 3.0},
            ]
        }
    ).encode(),
    "logs.csv.gz": gzip.compress(b"epoch,loss\r\n0,0.5\r\n1,0.25\r\n", mtime=0),
}
TOKENS = [
    *(b",", b";", b"\t", b"|", b"\r", b"\n", b"\r\n", b'"', b'""', b" ", b"\0", b"#"),
    *(b"NA", b"nan", b"inf", b"-", b"1e", b".", b"_", b"[", b"]", b"{", b"}", b":"),
    *(b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc3", b"epoch", b"0", b"99999999999"),
    *(b"1e400", b"null", b"true", b"[[", b"9" * 5000, b"\x1f\x8b", b"\x80\x04"),
]


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A log of any format after a few cuts, copies and insertions."""
    name = draw(st.sampled_from(sorted(SEEDS)))
    content = SEEDS[name]
    for _ in range(draw(st.integers(0, 4))):
        change: Callable[..., bytes] = draw(st.sampled_from(CHANGES))
        places = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
        content = change(content, *places, draw)
    return name, content


def _cut(content: bytes, start: int, _stop: int, _draw: Any) -> bytes:
    return content[:start]


def _delete(content: bytes, start: int, stop: int, _draw: Any) -> bytes:
    return content[:start] + content[stop:]


def _repeat(content: bytes, start: int, stop: int, _draw: Any) -> bytes:
    return content[:stop] + content[start:]


def _insert(content: bytes, start: int, _stop: int, draw: Any) -> bytes:
    token: bytes = draw(st.sampled_from(TOKENS))
    return content[:start] + token + content[start:]


def _replace(content: bytes, start: int, _stop: int, draw: Any) -> bytes:
    other: bytes = draw(st.binary(max_size=3))
    return content[:start] + other + content[start + 1 :]


def _splice(content: bytes, start: int, stop: int, draw: Any) -> bytes:
    other = SEEDS[draw(st.sampled_from(sorted(SEEDS)))]
    return content[:start] + other[stop:]


CHANGES = [_cut, _delete, _repeat, _insert, _replace, _splice]
