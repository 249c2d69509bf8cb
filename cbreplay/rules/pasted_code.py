"""The class to paste for a rule that its framework does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.rules.keras.metric_directions import settle_mode

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PUTS_BACK", "PastedCode", "with_settled_mode"]


class PastedCode(NamedTuple):
    """A class that decides as a rule does, with the same parameters and defaults.

    Parameters
    ----------
    text : str
        The class.
    arguments : callable
        Takes the rule and its changed parameters; returns the arguments with which the
        class is called.
    """

    text: str
    arguments: Callable[[Any, dict[str, Any]], dict[str, Any]]


# the end of each class
PUTS_BACK = """
    def on_train_end(self, logs=None):
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
"""


def with_settled_mode(rule: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Resolve the mode, and leave it out where it is "min", the class's default."""
    mode = settle_mode(rule.class_name, rule.monitor, rule.mode)
    rest = {name: value for name, value in given.items() if name != "mode"}
    return rest if mode == "min" else rest | {"mode": mode}
