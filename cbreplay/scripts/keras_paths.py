"""Which dotted paths are Keras's: its packages, and the callbacks in them."""

from __future__ import annotations

from cbreplay.rules.families import known_families
from cbreplay.scripts.call_arguments import is_known

__all__ = ["KERAS_PACKAGES", "OLD_COPY", "callback_of", "is_old_copy"]

KERAS_PACKAGES = ("keras", "tensorflow", "tf", "tf_keras")
OLD_COPY = "tensorflow.python.keras"


def callback_of(path: list[str]) -> str | None:
    """Return the class that a dotted path names in Keras; None if it is not Keras's."""
    if path[0] == "?":
        inner = path[1:]
        if inner == [path[-1]]:
            # a name that nothing binds counts as Keras's if Keras has such a class
            known = is_known(path[-1]) or any(
                path[-1] in family.not_replayed for family in known_families()
            )
            return path[-1] if known else None
        path = ["keras", *inner] if inner[0] == "callbacks" else inner
    is_keras = path[0] in KERAS_PACKAGES and not is_old_copy(path)
    return path[-1] if is_keras and "callbacks" in path[:-1] else None


def is_old_copy(path: list[str]) -> bool:
    """Return whether a path is in ``tensorflow.python.keras``, whose rules differ.

    Its callback that stops early, with patience 0, stops after the first epoch.
    """
    return path[1:3] == OLD_COPY.split(".")[1:] and path[0] in ("tensorflow", "tf")
