"""What `confirm` needs of a script's fits, collected in the script's own process."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.record.keras_callbacks import make_keras_callback
from cbreplay.record.seen_training import SeenEpochs, read_files
from cbreplay.rules.registry import find_rule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cbreplay.record.seen_training import Retraining

__all__ = ["HeldFits", "SettingInPlace"]


class SettingInPlace(NamedTuple):
    """A list that replaces the deciding callbacks of one fit of a script.

    Parameters
    ----------
    fit : int
        Which fit, counted from one.
    callbacks : tuple
        cbreplay's callbacks, or objects of the user's own.
    """

    fit: int
    callbacks: tuple[Any, ...]

    def put_into(self, users: Sequence[Any]) -> list[Any]:
        """Return a fit's callbacks with the setting in place of those that decide.

        It goes where the first of these was. The others stay: they may write into
        ``logs`` what the setting monitors.
        """
        made = [make_keras_callback(callback) for callback in self.callbacks]
        own = {type(callback).__name__ for callback in made}
        goes = [_decides(callback, own) for callback in users]
        place = goes.index(True) if True in goes else len(users)
        stays = [
            callback
            for callback, gone in zip(users[place:], goes[place:], strict=True)
            if not gone
        ]
        return [*users[:place], *made, *stays]


def _decides(callback: Any, own: set[str]) -> bool:  # noqa: ANN401 - keras is untyped
    """Tell whether a callback is of a class that is replayed, or of the setting's."""
    names = [kind.__name__ for kind in type(callback).__mro__[:-1]]
    return any(name in own or find_rule(name) is not None for name in names)


class HeldFits(NamedTuple):
    """What `RetrainedScript` asks of the process in which a script runs.

    Parameters
    ----------
    folder : Path
        Where each fit's `Retraining` is written as JSON, by its number.
    files : Path
        Where the setting's files are written.
    setting : SettingInPlace or None
        The list that one of the fits is trained under.
    """

    folder: Path
    files: Path
    setting: SettingInPlace | None = None

    def write(self, path: Path) -> None:
        """Write this to a file, for the process of the script."""
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def read(path: Path) -> HeldFits:
        """Read what `write` wrote."""
        held: HeldFits = pickle.loads(path.read_bytes())  # noqa: S301 - our own file
        return held

    def setting_of(self, fit: int) -> SettingInPlace | None:
        """Return the setting of a fit; None if it keeps its own callbacks."""
        if self.setting is None or self.setting.fit != fit:
            return None
        return self.setting

    def watched(
        self, fit: int, listed: Sequence[Any], users: Sequence[Any]
    ) -> list[Any]:
        """Return the list of a fit with observers before and after all others."""
        from keras.callbacks import LambdaCallback

        seen, writer = SeenEpochs(), LambdaCallback()

        def write(_logs: object) -> None:
            model = writer.model
            told = seen.told(model, users, evaluated={}, files={})
            told = told._replace(evaluated=_validated(told))
            if self.setting_of(fit) is not None:
                held = model.get_weights()
                told = told._replace(files=dict(read_files(model, self.files)))
                model.set_weights(held)
            (self.folder / f"{fit}.json").write_text(json.dumps(told._asdict()))

        writer.on_train_end = write
        return [seen.watcher(), *listed, seen.logger(), writer]


def _validated(told: Retraining) -> dict[str, float]:
    """Return the logged validation of the epoch whose weights were left."""
    if told.left not in told.weights:
        return {}
    logs = told.logs[told.weights.index(told.left)]
    return {name: logs[name] for name in logs if name.startswith("val_")}
