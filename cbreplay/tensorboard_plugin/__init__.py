"""The page that moves as a tab of TensorBoard, over the files of its ``--logdir``.

TensorBoard imports this module, so it imports nothing that could fail.
"""

from __future__ import annotations

import logging
from typing import Any

from tensorboard.plugins import base_plugin

__all__ = ["ReplayLoader"]


class ReplayLoader(base_plugin.TBLoader):  # type: ignore[misc]  # untyped there
    """Loads the tab; if that fails, TensorBoard goes on without it."""

    def load(self, context: Any) -> Any:  # noqa: ANN401 - TensorBoard's own
        """Return the tab for a `TBContext`; None if it cannot be loaded."""
        try:
            from cbreplay.tensorboard_plugin.tab import ReplayTab

            return ReplayTab(context)
        # whatever fails, the other tabs must be shown
        except Exception:
            logging.getLogger(__name__).exception("the tab of cbreplay is left out")
            return None
