"""The tab of TensorBoard: three routes, which only read the log directory."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from werkzeug import wrappers

from cbreplay.tensorboard_plugin.held_points import HeldPoints
from cbreplay.tensorboard_plugin.page import LogdirPage

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ReplayTab"]

_FRAME = Path(__file__).parent / "frame.js"


class ReplayTab(base_plugin.TBPlugin):  # type: ignore[misc]  # untyped there
    """The tab, with the methods that TensorBoard calls.

    Parameters
    ----------
    context : TBContext
        TensorBoard's own. Its log directory is used; the points that TensorBoard holds
        are used only if that is not on this machine and TensorBoard holds all of them,
        while by default it keeps 1,000 of a series.
    """

    plugin_name = "cbreplay"

    def __init__(self, context: Any) -> None:  # noqa: ANN401 - TensorBoard's own
        self._page = LogdirPage(context.logdir or "", HeldPoints(context))
        # so that several requests at once make the page once
        self._lock = threading.Lock()

    def get_plugin_apps(self) -> dict[str, Callable[..., Any]]:
        """Return the routes."""
        return {
            "/frame.js": wrappers.Request.application(self._serve_frame),
            "/page": wrappers.Request.application(self._serve_page),
            "/version": wrappers.Request.application(self._serve_version),
        }

    def data_plugin_names(self) -> tuple[str, ...]:
        """Return the plugins whose data makes the tab active: scalars."""
        return ("scalars",)

    def is_active(self) -> bool:
        """Return False: only the data of `data_plugin_names` makes it active."""
        return False

    def frontend_metadata(self) -> Any:  # noqa: ANN401 - TensorBoard's own
        """Return the name of the tab, and the JavaScript module that shows it."""
        return base_plugin.FrontendMetadata(
            es_module_path="/frame.js", tab_name="Replay", disable_reload=True
        )

    def _serve_frame(self, request: wrappers.Request) -> wrappers.Response:
        source = _FRAME.read_text("utf-8")
        return _respond(request, source, "text/javascript")

    def _serve_version(self, request: wrappers.Request) -> wrappers.Response:
        return _respond(request, self._page.version(), "text/plain")

    def _serve_page(self, request: wrappers.Request) -> wrappers.Response:
        with self._lock:
            source, digests = self._page.source()
        return _respond(request, source, "text/html", csp_scripts_sha256s=digests)


def _respond(
    request: wrappers.Request,
    content: str,
    kind: str,
    **options: Any,  # noqa: ANN401 - as TensorBoard's
) -> wrappers.Response:
    if request.method not in ("GET", "HEAD"):
        content, kind = "only GET is answered", "text/plain"
        options = {"code": 405, "headers": [("Allow", "GET, HEAD")]}
    answer: wrappers.Response = http_util.Respond(request, content, kind, **options)
    return answer
