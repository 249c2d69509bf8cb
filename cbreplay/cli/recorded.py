"""The callbacks that a run's ``run.json`` names, for a command that is given none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.errors import CbreplayError, ConfigError, ExpressionError
from cbreplay.plain_text import quoted_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["recorded_list", "without_effect"]


def recorded_list(
    run: Run, hint: str, defaults: Mapping[str, str] | None = None
) -> Sequence[Callback]:
    """Return the callbacks list that a run was trained under.

    `hint` says what to give where it does not tell; `defaults` are the monitor and the
    mode where a callback names none.

    Raises
    ------
    ConfigError
        If ``run.json`` names no callbacks, one that cannot be read, or several values
        of a parameter.
    """
    from cbreplay.expressions import parse_recorded
    from cbreplay.grid import make_grid

    texts = run.metadata.callbacks if run.metadata is not None else ()
    if not texts:
        sentence = f"run {run.name!r} does not say which callbacks it had. {hint}"
        raise ConfigError(sentence)
    try:
        grid = make_grid(parse_recorded(texts, defaults=defaults or {}))
    except ExpressionError as error:
        problem, _, _ = error.problem.partition("; did you mean")
        sentence = (
            f"a callback that run.json of run {run.name!r} names cannot be read: "
            f"{error.text!r} ({problem}). {_without_unread(texts) or hint}"
        )
        raise ConfigError(sentence) from None
    if len(grid) > 1:
        sentence = (
            f"run.json of run {run.name!r} names {len(grid)} settings, and one is "
            f"expected: {', '.join(texts)}. {hint}"
        )
        raise ConfigError(sentence)
    setting: Sequence[Callback] = grid[0]
    return setting


def _without_unread(texts: Sequence[str]) -> str:
    """Return the hint to name only the callbacks that can be read; '' if none decides.

    That is not done silently: nothing tells what the others did to the training.
    """
    from cbreplay.expressions import parse_recorded
    from cbreplay.grid import Choices
    from cbreplay.rules.registry import find_rule

    named, left_out = [], []
    for text in texts:
        try:
            (rule,) = parse_recorded([text])
        except (CbreplayError, ValueError):
            name = text.partition("(")[0]
            if find_rule(name) is None:
                left_out.append(name)
            continue
        if isinstance(rule, Choices) or rule.acts_at:
            named.append(f"-c {quoted_code(text)}")
    if not named:
        return ""
    own = [name for name in left_out if name.isidentifier() and len(name) < _LONG]
    module = ""
    if own:
        code = quoted_code(f"my_module:{own[0]}(...)")
        module = f", or its own code as well, as -c {code}"
    return f"Name the others as a setting, {' '.join(named)}{module}"


_LONG = 50


def without_effect(
    run: Run, setting: Sequence[Callback]
) -> tuple[Sequence[Callback], tuple[str, ...]]:
    """Replace callbacks that the optimizer's schedule left without effect.

    With a LearningRateSchedule in the optimizer, no callback changes the rate that is
    trained at: Keras 3 raises TypeError for it, and in older versions the schedule sets
    its own rate at the next step.

    Returns
    -------
    (list of Callback, tuple of str)
        The list with bystanders in their place, and the note on it.
    """
    schedule = run.metadata.schedule if run.metadata is not None else None
    idle = [rule for rule in setting if rule.changes_learning_rate]
    if schedule is None or not idle:
        return setting, ()
    from cbreplay.rules.bystander import Bystander

    listed = [
        Bystander(rule.class_name, rule.code.partition("(")[2][:-1])
        if rule.changes_learning_rate
        else rule
        for rule in setting
    ]
    names = " and ".join(dict.fromkeys(rule.class_name for rule in idle))
    note = f"{names} changed no rate: the optimizer's is the schedule {schedule}"
    return listed, (note,)
