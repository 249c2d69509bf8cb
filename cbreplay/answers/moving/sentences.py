"""The sentences of a page with sliders, with blanks for what it looks up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.evidence.words import AFTER_A_REDUCTION
from cbreplay.rules.parameters import parameters_of
from cbreplay.wording.words import spoken_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.run import Mode, Run

__all__ = ["MOVING_TITLE", "moving_words", "name_setting"]

MOVING_TITLE = "Try other settings"
_ROLES = {
    "enough": "{setting}: enough on this run",
    "nearest": "{setting}: comes nearest on this run",
    "start": "{setting}",
    "recommended": "{setting}: recommended",
    "asked": "{setting}: asked about",
}
_WORDS: dict[str, str] = {
    "title": MOVING_TITLE,
    "how": (
        "Every outcome was worked out when this page was made and is looked up here. "
        "The address keeps what you choose, so it can be shared."
    ),
    "setting": "Setting",
    "own": "your own",
    "list": "Callbacks",
    "monitor": "Monitor",
    "reset": "Reset",
    "runs": "Runs",
    "filter": "part of a name",
    "of_runs": "{shown} of {all} runs",
    "no_run": "No run has this in its name.",
    # one run
    "is_patience": "Patience {patience}",
    "is_setting": "Patience {patience}, min_delta {min_delta}",
    "stops": "stops at epoch {stop} of {end}",
    "ends": "runs to the end of its plan, epoch {end}",
    "kept": ", keeps epoch {kept}",
    "the_best": ", which has the best recorded {objective}",
    "value": ": {objective} {value}, {regret} {side}",
    "at_least": ": {objective} {value}, at least {regret} {side}",
    "unpriced_value": ": {objective} {value}",
    "unknown_value": ", of which no {objective} is known",
    "saved": ", and saves {saved} of {epochs} epochs{time}",
    "time": " ({seconds})",
    "provisional": "; so far it keeps epoch {kept}",
    # several runs
    "units": "s min h",
    "told": "{exact} of {all} runs tell what this does",
    "mean": (
        ": {mean} {objective} {side} on average, at worst {worst} ({run}); "
        "{saved} of their {epochs} epochs saved{time}"
    ),
    "no_loss": (
        ": each keeps its best {objective}; "
        "{saved} of their {epochs} epochs saved{time}"
    ),
    "priced": " ({priced} tell what it loses)",
    "unpriced": "; none tells what it loses",
    # marks and axes
    "epoch": "epoch",
    "outside": "{arrow} {value} at epoch {place}",
    "mark_stop": "stops at {stop}",
    "mark_kept": "keeps {kept}",
    "mark_best": "best recorded: {best}",
    "key": (
        "Square: stop. Ring: weights kept. Triangle: best recorded, if it is another "
        "epoch. Grey: recorded after the stop. Shaded: the log says nothing."
    ),
    "key_cross": " Cross: NaN or infinite.",
    # the map
    "map": "Map of patience and min_delta",
    "map_key": (
        "The stronger, the more is lost: the mean over the {compared} runs that tell "
        'what "{setting_name}" loses. Hatched: not all of them tell.'
    ),
    "map_key_any": (
        "The stronger, the more is lost: the mean over the {compared} runs that tell "
        "any setting. Hatched: not all of them tell."
    ),
    "map_key_one": (
        "The stronger, the more is lost on {run}. Hatched: the log does not tell."
    ),
    "map_hint": "Click a setting, or move with the arrow keys.",
    "map_empty": "No map: the logs tell of no setting here what it loses.",
    "map_reduces": AFTER_A_REDUCTION,
    "map_cell": "patience {patience}, min_delta {min_delta}: {loss}",
    "map_lost": "{regret} {column_regret}",
    "map_none": "not told",
    # tables
    "steps": "Every patience on {run}",
    "every_run": "Every run at this setting",
    "column_patience": "patience",
    "column_stop": "stops at",
    "column_kept": "keeps",
    "column_saved": "saved",
    "column_evidence": "evidence",
    "column_run": "run",
    "or_more": "{from} or more",
    "code": "Code to paste",
    "curve": "The decisions on the curve of {run}",
}


def name_setting(role: str, callbacks: tuple[Callback, ...]) -> str:
    """Name a setting that a page offers, and say why it does.

    >>> from cbreplay import EarlyStopping
    >>> name_setting("recommended", (EarlyStopping(patience=7, min_delta=0.01),))
    'patience 7, min_delta 0.01: recommended'
    """
    setting = ", ".join(rule.class_name for rule in callbacks)
    for rule in callbacks:
        moves = parameters_of(rule)
        if "patience" in moves:
            setting = f"patience {moves['patience']}"
            if moves.get("min_delta"):
                setting += f", min_delta {moves['min_delta']:g}"
            break
    return _ROLES[role].format(setting=setting)


def moving_words(
    objective: str, mode: Mode, runs: Sequence[Run], named: Sequence[str]
) -> dict[str, Any]:
    """Return the sentences and names of a page, with blanks in braces.

    For one run whose rows are evaluations the words say so.
    """
    side = "above best" if mode == "min" else "below best"
    # another series may be watched
    words = _WORDS | {"side": side, "column_regret": f"{side} {objective}"}
    if len(runs) == 1:
        words = {name: spoken_rows(text, runs[0]) for name, text in words.items()}
    names = {"objective": objective, "column_value": objective}
    return {**words, **names, "named": list(named)}
