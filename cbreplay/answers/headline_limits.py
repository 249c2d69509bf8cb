"""The limits that a headline names: failures, a turned mode, rules of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.document import Code, Fact, joined, phrase, say
from cbreplay.evidence.holes import find_shared_cadence
from cbreplay.evidence.training_course import bad_end_epoch, find_bad_end, never_changes
from cbreplay.rules.families import default_family
from cbreplay.rules.training import describe_training
from cbreplay.series_names import plain_direction, watch_options
from cbreplay.wording.plain_text import quoted_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.rules.base import Callback
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode, Run

__all__ = [
    "asking_about",
    "by_keras_rules",
    "calls_worst_best",
    "counts_otherwise",
    "told_failures",
]


def by_keras_rules(
    headline: Text,
    runs: Iterable[Run],
    judged: Iterable[tuple[str | None, Mode | None]],
    callbacks: Sequence[Callback] = (),
) -> Text:
    """Add to a headline the limits under which the answer holds.

    These are: which trainings failed; that a mode takes the worst values for the best;
    that the framework which trained has other rules than Keras; and, where the log
    holds every tenth epoch, say, and nothing tells that the others were not validated,
    that the answer holds only for callbacks that act at these epochs. `judged` are the
    objectives by which the answer calls something the best; `callbacks` is the list, if
    it is about a single one.
    """
    listed, by_what = list(runs), list(judged)
    names = [name for name, _ in by_what if name is not None]
    headline = _with_its_end(headline, listed, names)
    for name, mode in by_what:
        if name is None or mode is None:
            continue
        better, end = _TURNED[mode]
        words = ""
        if _is_turned(name, mode, listed):
            # beside another mode the answer has another best too
            where = "here" if names.count(name) == 1 else f"under mode='{mode}'"
            words = f" {better} {{:code}} is better: best {where} is the {end}."
        elif mode == "min" and _is_guessed(name, listed, callbacks):
            # the name tells no direction, and Keras 2 then takes "min"
            words = f" mode='auto' takes the {end} {{:code}} for the best."
        headline = say(headline, phrase(words, name))
    others = _deciding_otherwise(listed)
    if others:
        headline = say(headline, f" By Keras's rules: {others} may decide otherwise.")
    cadences = sorted({find_shared_cadence(run) for run in listed} - {1})
    if not cadences:
        return headline
    epochs = "every {cadence:rank} epoch" if len(cadences) == 1 else "some epochs"
    alone = "" if len(listed) == 1 else " for some runs"
    return phrase(
        f"{{}} It holds for callbacks that act only at {epochs}, as the log has it"
        f"{alone}.",
        headline,
        cadence=cadences[0],
    )


def _with_its_end(headline: Text, runs: Sequence[Run], names: Sequence[str]) -> Text:
    """Say in a headline which trainings failed, and which series never changes.

    A failure comes before all else where there is one training.
    """
    told = {claim.predicate for claim in headline.claims}
    stuck = [name for name in names if any(never_changes(run, name) for run in runs)]
    if stuck and "never_changes" not in told:
        still = [run for run in runs if never_changes(run, stuck[0])]
        on = say("On ", _share_of(still, runs), " ") if len(runs) > 1 else say()
        words = "{} {}{:code} never changes: no patience is judged by it."
        headline = phrase(words, headline, on, stuck[0])
    judged = names and "never_finite" not in told
    failed = told_failures(runs, names[0] if judged else "loss")
    if failed is None:
        return headline
    whole = (failed, headline) if len(runs) == 1 else (headline, failed)
    return say(whole[0], " ", whole[1])


def told_failures(runs: Sequence[Run], objective: str = "loss") -> Text | None:
    """Say which trainings failed, for a headline; None where none did.

    The objective may end in NaN without a failure.
    """
    ended = {
        run: name
        for run in runs
        # the loss before another series
        if (name := find_bad_end(run, "loss") or find_bad_end(run, objective))
    }
    if not ended:
        return None
    if len(runs) > 1:
        verb = " failed." if "loss" in ended.values() else " ended in NaN or infinity."
        return say(_share_of([*ended], runs, "Of"), verb)
    ((run, name),) = ended.items()
    since = bad_end_epoch(run, name)
    values = run.series[name].values[since - run.first_epoch :]
    what = "NaN" if np.isnan(values).all() else "no finite number"
    words = f"{{name:code}} is {what} from epoch {{failed_epoch:epoch}} on."
    if name == "loss":
        where = "there" if since == run.horizon else "from there on"
        words = "This training failed at epoch {failed_epoch:epoch}: {name:code} is "
        words += f"{what} {where}."
    return phrase(words, name=name, failed_epoch=since)


def _share_of(some: Sequence[Run], runs: Sequence[Run], of: str = "of") -> Text:
    """Say how many of several runs, and if not all, which: two names at most."""
    share = phrase(
        f"{{n_some:{of} n_runs run}}", n_some=Fact(len(some), "count"), n_runs=len(runs)
    )
    if len(some) == len(runs):
        return share
    named = joined(Fact(run.name, "name", "run") for run in some[:2])
    n_more = len(some) - len(some[:2])
    more = f" and {n_more} more" if n_more else ""
    return say(share, " (", named, f"{more})")


def calls_worst_best(
    judged: Iterable[tuple[str | None, Mode | None]], runs: Sequence[Run]
) -> bool:
    """Return whether a mode takes the worst values of a series for the best."""
    return any(
        name is not None and mode is not None and _is_turned(name, mode, runs)
        for name, mode in judged
    )


def _is_turned(name: str, mode: Mode, runs: Sequence[Run]) -> bool:
    return _known_direction(name, runs) not in (None, mode)


def _is_guessed(name: str, runs: Sequence[Run], callbacks: Sequence[Callback]) -> bool:
    """Return whether a callback's mode="auto" guesses the direction of a series."""
    return _known_direction(name, runs) is None and any(
        callback.watched == name and callback.mode == "auto" for callback in callbacks
    )


_TURNED = {"min": ("Larger", "lowest"), "max": ("Smaller", "highest")}


def _known_direction(name: str, runs: Sequence[Run]) -> Mode | None:
    """Return which way a series improves, by what is recorded of it or by its name."""
    if not runs:
        return default_family().find_direction(name, {}) or plain_direction(name)
    return _training_of(runs[0]).tell_direction(name)


def asking_about(name: str, run: Run) -> Code:
    """Return the options that ask about another series of a run.

    Its mode stands among them where the name tells one that Keras does not know.

    >>> from cbreplay.run import Run
    >>> run = Run.from_logs([{"train_acc": 0.5, "valid_acc": 0.4}])
    >>> asking_about("valid_acc", run)
    Code(text='--monitor valid_acc --mode max')
    """
    training = _training_of(run)
    mode = training.tell_direction(name)
    if mode is not None and training.find_direction(name) is None:
        options, _ = watch_options(name, mode, "monitor")
        return Code(options.strip())
    return Code(f"--monitor {quoted_code(name)}")


def _training_of(run: Run) -> Training:
    return describe_training(run, None, default_family())


def counts_otherwise(runs: Iterable[Run]) -> Iterator[Text]:
    """Yield which frameworks decide as Keras or otherwise, and where that is told."""
    listed = list(runs)
    others = _deciding_otherwise(listed)
    alike = {run.framework for run in listed if _is_decided_alike(run)} - {""}
    page = Code("docs/patience-in-every-framework.md")
    for framework in sorted(alike):
        words = "{}'s EarlyStopping of the same patience stops at the same epochs on "
        words += "such a log; its checkpoint callback decides which weights are kept "
        words += "({})."
        yield phrase(words, framework, page)
    if others:
        yield phrase("Where {} may decide otherwise: {}.", others, page)


def _deciding_otherwise(runs: Iterable[Run]) -> str:
    """Name the frameworks with rules of their own; '' without any."""
    others = sorted({run.framework for run in runs if not _is_decided_alike(run)})
    return " and ".join(others)


_AS_KERAS_WHILE_FINITE = "Lightning"


def _is_decided_alike(run: Run) -> bool:
    """Return whether the framework of this log is Keras, or decides as it on this log.

    Lightning decides otherwise at a NaN or an infinity, where it validates several
    times an epoch, and in a resumed fit, which has the counts of its checkpoint.
    """
    if run.framework != _AS_KERAS_WHILE_FINITE:
        return not run.framework
    is_resumed = bool(run.first_epoch or run.seams)
    return (
        run.steps is None
        and not is_resumed
        and all(
            not series.others and np.isfinite(series.values[series.recorded]).all()
            for series in run.series.values()
        )
    )
