"""`lint_script`: the findings about a training script, over all of its fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from cbreplay.lint.script_fits import ExaminedFit, PlacedFinding, written_parameters
from cbreplay.rules.checks import TrainingFacts
from cbreplay.rules.families import imported_version, resolve_semantics
from cbreplay.rules.parameters import parameters_of
from cbreplay.scripts.members import UnreadPart
from cbreplay.scripts.training_scripts import ScriptFit
from cbreplay.series_names import LEARNING_RATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.rules.compiled import Compiled
    from cbreplay.rules.family import ResolvedSemantics
    from cbreplay.scripts.training_scripts import TrainingScript

    # a fit, and what was found about it
    _Checked: TypeAlias = tuple[ScriptFit, list[PlacedFinding]]

__all__ = [
    "ABOUT_PLAN",
    "BESIDE_SCHEDULES",
    "lint_script",
    "script_semantics",
    "unchecked_monitors",
    "unchecked_names",
    "unchecked_plans",
    "unchecked_rates",
]

# findings about a callback that sets the rate of an optimizer with a schedule
BESIDE_SCHEDULES = ("schedule-beside-plateau", "schedule-beside-scheduler")
# findings about one fit's plan: they must hold in every fit that has the callback
ABOUT_PLAN = ("patience-beyond-plan", "starts-after-plan")


def lint_script(
    script: TrainingScript,
    *,
    epochs: int | None = None,
    validation_freq: int | None = None,
    semantics: str | None = None,
) -> tuple[PlacedFinding, ...]:
    """Find settings of a script that never act, or act otherwise than they look.

    A finding is reported if it holds for all values of the arguments that cannot be
    told, and whether or not the list holds the callbacks that are uncertain.

    Parameters
    ----------
    script : TrainingScript
        As `read_training_script` returns it.
    epochs, validation_freq : int, optional
        Those of ``fit``, instead of what the script says.
    semantics : str, optional
        Which Keras decides, as in `lint_callbacks`; None takes what the script imports.

    Returns
    -------
    tuple of PlacedFinding
        In the order of the lines; each once, even if several fits have it. Findings
        that a comment ``# cbreplay: ignore[code]`` on the callback's lines names are
        left out.
    """
    resolved = script_semantics(script, semantics)
    fits = [
        fit._replace(
            facts=fit.facts._replace(
                epochs=epochs or fit.facts.epochs,
                may_be_shorter=fit.facts.may_be_shorter and not epochs,
                validation_freq=validation_freq or fit.facts.validation_freq,
            )
        )
        for fit in (*script.fits, _loose_fit(script))
    ]
    checked = [
        (fit, list(ExaminedFit(fit, script, resolved).findings())) for fit in fits
    ]
    ignored = script.source.find_ignored()
    every = [placed for _, of_fit in reversed(checked) for placed in of_fit]
    # of what holds for several plans, the longest is told
    every.sort(key=lambda placed: placed.finding.facts.get("planned_epochs", 0))
    kept = {
        _key(placed): placed
        for placed in every
        if not _is_ignored(placed, ignored) and _holds(placed, checked)
    }
    told = [_of_its_fits(placed, checked) for placed in kept.values()]
    return tuple(sorted(told, key=_order))


def script_semantics(
    script: TrainingScript, semantics: str | None
) -> ResolvedSemantics:
    """Return whose rules apply to a script: as asked, else of the Keras it imports."""
    return resolve_semantics(semantics or imported_version(script.packages))


def unchecked_monitors(
    script: TrainingScript, findings: Iterable[PlacedFinding]
) -> Iterator[str]:
    """Yield for each ``fit`` which monitors of it could not be checked, and why.

    The text does not tell what is logged. An absent monitor in `findings` was checked.
    """
    absent = {
        id(placed.member.call)
        for placed in findings
        if placed.finding.code == "absent-monitor"
    }
    for fit in script.fits:
        compiled = fit.facts.compiled
        names = [
            monitor
            for member in fit.members
            if id(member.call) not in absent
            for monitor in member.variants[0].reads
            if not _is_certain(monitor, compiled)
        ]
        told = "which metrics this fit logs is not read"
        if compiled is not None and compiled.is_whole:
            told = "which outputs the model has is not read"
        elif compiled is not None:
            told = f"this fit may log more than compile ({compiled.place}) names"
        yield from _not_checked(fit, told, [*map(repr, names)])


def unchecked_names(script: TrainingScript, semantics: str | None) -> Iterator[str]:
    """Yield which names of older versions this Keras takes: they are not read."""
    resolved = script_semantics(script, semantics)
    members = [
        *script.loose,
        *(member for fit in script.fits for member in fit.members),
    ]
    for member in {id(member.call): member for member in members}.values():
        callback, place = member.variants[0], script.source.place(member.call.lineno)
        named = written_parameters(member) & callback.older_parameters.keys()
        if callback.takes_older_names(resolved.semantics):
            for name in sorted(named):
                told = f"{name!r} is of older versions, and is not read"
                yield f"{place}: {callback.class_name}: {told}"


def unchecked_rates(script: TrainingScript) -> Iterator[str]:
    """Yield for each ``fit`` which callbacks may be beside an optimizer's schedule."""
    for fit in script.fits:
        names = [
            member.variants[0].class_name
            for member in fit.members
            if member.variants[0].changes_learning_rate
        ]
        doubt = fit.facts.schedule_doubt
        if doubt:
            told = "whether the optimizer has a LearningRateSchedule is not read"
            yield from _not_checked(fit, f"{told} ({doubt})", names, " beside one")


def unchecked_plans(script: TrainingScript, epochs: int | None) -> Iterator[str]:
    """Yield for each ``fit`` which patience was not held against the planned epochs.

    There are none if the user told the plan (`epochs`).
    """
    for fit in script.fits:
        names = [
            member.variants[0].class_name
            for member in fit.members
            if "patience" in parameters_of(member.variants[0])
        ]
        doubt = fit.facts.plan_doubt
        if doubt and epochs is None:
            told = "how many epochs are planned is not read"
            told += f" ({doubt}; --epochs tells it)"
            yield from _not_checked(fit, told, names, " against them")


def _not_checked(
    fit: ScriptFit, told: str, names: Sequence[str], against: str = ""
) -> Iterator[str]:
    """Yield that callbacks or monitors of a fit are not checked, if there are any."""
    each = list(dict.fromkeys(names))
    if each:
        spoken = " and ".join(filter(None, [", ".join(each[:-1]), each[-1]]))
        verb = "is" if len(each) == 1 else "are"
        yield f"{fit.facts.place}: {told}: {spoken} {verb} not checked{against}"


def _is_certain(monitor: str, compiled: Compiled | None) -> bool:
    """Return whether the text tells that a monitor is logged, or that it is not."""
    metric = monitor.removeprefix("val_")
    if metric == "loss" or monitor in LEARNING_RATE_NAMES:
        return True
    if compiled is None:
        return False
    if compiled.is_whole and not compiled.may_log(metric):
        return True  # certainly not
    if compiled.has_several and not compiled.names_outputs:
        return False
    return compiled._replace(has_outputs=False).may_log(metric)


def _key(placed: PlacedFinding) -> tuple[int, str, str]:
    """Return what findings have in common of which one is told."""
    finding = placed.finding
    said = "" if finding.code in ABOUT_PLAN else finding.message
    return id(placed.member.call), finding.code, said


def _order(placed: PlacedFinding) -> tuple[int, int, str, str]:
    call, finding = placed.member.call, placed.finding
    return call.lineno, call.col_offset, finding.code, finding.message


def _holds(placed: PlacedFinding, checked: Sequence[_Checked]) -> bool:
    """Return whether a finding about the plan holds in every fit with its callback.

    A first short fit is no fault. Other findings need hold in one fit only.
    """
    is_about_plan = placed.finding.code in ABOUT_PLAN
    return not is_about_plan or all(has for _, has in _having(placed, checked))


def _of_its_fits(placed: PlacedFinding, checked: Sequence[_Checked]) -> PlacedFinding:
    """Return a finding that names its fits, if others have the callback without it."""
    having = _having(placed, checked)
    places = [place for place, has in having if has]
    if len(places) == len(having):
        return placed
    message = f"in the fit of {' and '.join(places)}: {placed.finding.message}"
    return placed._replace(finding=placed.finding._replace(message=message))


def _having(
    placed: PlacedFinding, checked: Sequence[_Checked]
) -> list[tuple[str, bool]]:
    """Return the place of each fit with a finding's callback, and if it has both."""
    call, code = placed.member.call, placed.finding.code
    return [
        (
            fit.facts.place,
            any(
                other.member.call is call and other.finding.code == code
                for other in of_fit
            ),
        )
        for fit, of_fit in checked
        if any(member.call is call for member in fit.members)
    ]


def _loose_fit(script: TrainingScript) -> ScriptFit:
    """Return a fit of the callbacks that go to no known fit; its list is unknown."""
    beside = UnreadPart(0, "what goes to the same fit")
    return ScriptFit(TrainingFacts(), script.loose, (beside,))


def _is_ignored(placed: PlacedFinding, ignored: dict[int, frozenset[str]]) -> bool:
    call = placed.member.call
    lines = range(call.lineno, (call.end_lineno or call.lineno) + 1)
    named = frozenset[str]().union(*(ignored.get(line, ()) for line in lines))
    return bool(named & {"*", placed.finding.code})
