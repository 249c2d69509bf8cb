"""Settings on runs: what each would have done on each, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.doubts import IN_BRACKETS, noted_of
from cbreplay.answers.evaluations import in_evaluations
from cbreplay.answers.headline_limits import counts_otherwise
from cbreplay.answers.misreadings import headline_of_list, misreadings
from cbreplay.answers.next_commands import next_of_settings
from cbreplay.answers.one_run_headline import headline_of_one, headline_of_one_run
from cbreplay.answers.rate_cells import (
    rate_totals,
    still_gained,
    tells_of_rates,
    totals_table,
)
from cbreplay.answers.schedules import cut_schedules, told_schedules
from cbreplay.answers.settings_summary import (
    compare_settings,
    summary_section,
)
from cbreplay.answers.settings_table import evidence_footnote, settings_table
from cbreplay.answers.several_runs_headline import settings_headline
from cbreplay.answers.spoken_runs import (
    beside_best,
    counts_values,
    saved_of_recorded,
    with_cut_runs,
)
from cbreplay.answers.varied_parameters import keeps_last, spoken_list
from cbreplay.document import (
    Code,
    Deferred,
    Document,
    Notice,
    Points,
    Section,
    footnotes,
    phrase,
    say,
)
from cbreplay.evidence.words import AT_LEAST
from cbreplay.rules.families import default_family, spoken_version
from cbreplay.rules.parameters import parameters_of
from cbreplay.rules.registry import pasted_code_of
from cbreplay.wording.words import as_sentence, spoken_counting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.answers.settings_summary import SettingsBeside
    from cbreplay.document import Text

__all__ = ["EVERY_SETTING", "settings_document"]

EVERY_SETTING = "Every setting"


def settings_document(
    cells: SettingCells,
    *,
    typed: str | None = None,
    typed_setting: str = "",
    by_options: bool = False,
    each: bool = False,
) -> Document:
    """Say what every setting would have done on every run.

    `typed` are the logs and the options as they were typed, for the next commands; None
    where they cannot be asked again. `typed_setting` are the options that name the
    settings; `by_options` if these are ``--patience`` and its like. With `each` a
    terminal shows every run, also where several settings are summed up over several
    runs.
    """
    summed_up = len(cells.runs) > 1 and len(cells.grid) > 1
    shows_each = each or not summed_up
    beside = compare_settings(cells) if len(cells.runs) > 1 else None
    rows = _row_section(cells)
    sections = [rows if shows_each else rows._replace(on="asked")]
    if beside is not None and summed_up:
        sections.append(summary_section(beside))
    if tells_of_rates(cells):
        sections.append(_rate_section(cells))
    doubts = Deferred(lambda: _doubts(cells, brackets=shows_each))
    sections.append(Section("Before you trust it", (Notice(doubts),), untitled=True))
    taken = _taken_patience(cells) if by_options else say()
    document = Document(
        "simulate",
        say(_whole_headline(cells, beside), taken),
        _lead(cells),
        tuple(sections),
        next_of_settings(
            cells,
            typed,
            by_options=by_options,
            again=typed_setting,
            shows_each=shows_each,
        ),
        lambda: _members(cells, beside),
    )
    return in_evaluations(document, cells.runs)


def _rate_section(cells: SettingCells) -> Section:
    title = "What reduces the learning rate, by setting"
    gained = Points(tuple(still_gained(cells)))
    return Section(title, (totals_table(cells), gained))


def _row_section(cells: SettingCells) -> Section:
    """Return every setting on every run, and what the words for evidence mean."""
    footnote = evidence_footnote(cells)
    told = [("evidence", say(footnote))] if footnote else []
    regrets = enumerate(cells.columns["regret"])
    if any(
        regret is not None and cells.bound_of(place, "regret")
        for place, regret in regrets
    ):
        side = beside_best(mode for _, mode in cells.judged_by)
        told.append((side, say(AT_LEAST)))
    told += saved_of_recorded(cells.runs)
    blocks = (settings_table(cells), footnotes(told))
    return Section(EVERY_SETTING, blocks, untitled=True)


def _members(cells: SettingCells, beside: SettingsBeside | None) -> dict[str, Any]:
    from cbreplay.answers.json_fields import describe_results, describe_setting

    n_configs = len(cells.grid)
    results = [
        (*divmod(place, n_configs), replay)
        for place, replay in enumerate(cells.replays())
    ]
    own: dict[str, Any] = {}
    if tells_of_rates(cells) or any(still_gained(cells)):
        own["reductions"] = rate_totals(cells)
    if schedules := cut_schedules(cells):
        own["schedules"] = schedules
    if beside is not None:
        own["summary"] = [summary._asdict() for summary in beside.each]
        if beside.over_some_runs:
            compared = [summary._asdict() for summary in beside.compared]
            own["compared_settings"] = compared
    return {
        **describe_results(cells.runs, results),
        "configs": [
            describe_setting(config, cells.grid.values_of(position))
            for position, config in enumerate(cells.grid)
        ],
        **own,
    }


def _whole_headline(cells: SettingCells, beside: SettingsBeside | None) -> Text:
    said = with_cut_runs(_headline(cells, beside), cells.runs)
    is_single = len(cells.grid) == len(cells.rules) == 1
    semantics = cells.rules[0] if is_single else None
    return headline_of_list(said, cells.runs, cells.judged_by, cells.grid[0], semantics)


def _taken_patience(cells: SettingCells) -> Text:
    """Say which patience stands where the options name other parameters only."""
    varied = {name.rpartition(".")[2] for name in cells.grid.parameters}
    patience = parameters_of(cells.grid[0][0]).get("patience")
    if patience is None or "patience" in varied:
        return say()
    words = " Patience is {taken_patience:patience}, the default: {option:code} sets "
    return phrase(words + "another.", taken_patience=patience, option="--patience")


def _headline(cells: SettingCells, beside: SettingsBeside | None) -> Text:
    if beside is not None:
        return settings_headline(beside)
    return (
        headline_of_one(cells) if len(cells.grid) == 1 else headline_of_one_run(cells)
    )


def _lead(cells: SettingCells) -> Text:
    rules = sorted({spoken_version(name) for name in cells.rules})
    n_runs, n_configs = len(cells.runs), len(cells.grid)
    asked = "{n_runs:count} runs" if n_runs > 1 else "{run:code}"
    many = " under {n_configs:count} settings of " if n_configs > 1 else ": "
    return phrase(
        f"{asked}{many}{{listed:code}}; rules of {{}}. {{}}{{}}",
        ", ".join(rules),
        as_sentence(spoken_counting(cells.runs)),
        counts_values(cells.runs, cells.grid[0]),
        run=cells.runs[0].name,
        n_runs=n_runs,
        n_configs=n_configs,
        listed=spoken_list(cells.grid),
    )


def _doubts(cells: SettingCells, *, brackets: bool) -> Iterator[Text]:
    """Yield what the table does not say."""
    semantics = cells.rules[0] if len(cells.rules) == 1 else None
    yield from misreadings(cells.runs, cells.grid, semantics)
    if brackets and any(cells.columns["provisional"]):
        yield say(IN_BRACKETS)
    rules = cells.callbacks
    pasted = [rule.class_name for rule in rules if pasted_code_of(rule) is not None]
    if unknown := list(dict.fromkeys(pasted)):
        yield say(
            f"{default_family().title} has no {' and no '.join(unknown)}: with one "
            "setting, ",
            Code("--keras-code"),
            " prints the class to paste into a training script.",
        )
    varied = {name.rpartition(".")[2] for name in cells.grid.parameters}
    if "restore_best_weights" not in varied and keeps_last(rules):
        yield phrase(
            "restore_best_weights is False, Keras's default: a stop keeps the last "
            "epoch; {} sets it to True.",
            Code("--patience"),
        )
    yield from told_schedules(cells)
    if len(cells.runs) == 1:
        yield from still_gained(cells)
    yield from counts_otherwise(cells.runs)
    yield from noted_of(cells.runs, cells.notes(), cells.grid[0])
