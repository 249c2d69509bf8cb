"""Silence what native code writes to stderr while TensorFlow is imported."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["silenced_tensorflow"]


@contextlib.contextmanager
def silenced_tensorflow() -> Iterator[None]:
    """Send what native code writes to stderr nowhere, unless the user asks for logs.

    TensorFlow 2.21 writes about missing CUDA drivers while it is imported, before it
    looks at its own log level, ``TF_CPP_MIN_LOG_LEVEL``; where that is set, nothing is
    silenced.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
