"""The settings side by side, every group and every monitor, as tables with a legend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.answers.advice.evidence import unknown_groups
from cbreplay.answers.advice.reasons import asked_of
from cbreplay.answers.advice.run_doubts import MOST_NAMES
from cbreplay.answers.spoken_runs import beside_best
from cbreplay.answers.varied_parameters import keeps_last
from cbreplay.document import (
    Cell,
    Code,
    Fact,
    Points,
    Row,
    Table,
    TableColumn,
    footnotes,
    joined,
    keyed_row,
    phrase,
    say,
)
from cbreplay.recommend.setting_names import setting_label, setting_text
from cbreplay.setting_costs.scored import ANY_OF
from cbreplay.wording.shown_digits import ValueScale, scale_of
from cbreplay.wording.words import list_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.recommend import CountedGroup, MonitorScore, Recommendation, Scored
    from cbreplay.recommend.answer import Expected

__all__ = [
    "groups_legend",
    "groups_table",
    "monitors_legend",
    "monitors_table",
    "settings_legend",
    "settings_table",
]

# labels of settings chosen by another criterion, which may be the same setting
_JUDGED_APART = ("tolerance", "cheapest")
_NOT_IN_LOG = say("not in the log")


def settings_table(advice: Recommendation) -> Table:
    """Return what every setting loses and trains."""
    regrets = [scored.mean_regret for scored in advice.settings]
    scale, side = scale_of(regrets, "cost"), beside_best([advice.objective_mode])
    columns = (
        TableColumn("label", "answer", "name", shown="programs"),
        TableColumn("setting", "setting", "code", shown="programs"),
        TableColumn("name", "setting", "name", shown="people"),
        TableColumn("n_groups", f"{advice.compared.unit}s", "count", fold=1),
        TableColumn("mean_regret", side, "difference", scale=scale),
        TableColumn("lost_share", "in its scale", "share", shown="programs"),
        TableColumn("worst_regret", "worst", "difference", fold=4, scale=scale),
        TableColumn("worst_run", "worst run", "name", shown="programs"),
        TableColumn("cost", "trained", "share"),
        TableColumn("score", "score", "score", fold=2),
        TableColumn("expected_score", "expected", "score").for_people_if(
            advice.expected is not None
        ),
        TableColumn(
            "left_out_regret", "left out", "difference", fold=3, scale=scale
        ).for_people_if(advice.left_out is not None),
        TableColumn("left_out_score", "score, left out", "score", shown="programs"),
    )
    rows = tuple(_setting_row(advice, scored, columns) for scored in advice.settings)
    return Table(columns, rows, "The settings side by side", is_answer=True)


def _setting_row(
    advice: Recommendation, scored: Scored, columns: Sequence[TableColumn]
) -> Row:
    cells = scored._asdict() | {
        "setting": setting_text(scored),
        "name": setting_label(scored),
        "n_groups": Cell(scored.n_groups, of=advice.compared.n_groups),
    }
    repeats = scored.label in ("5", "10", *_JUDGED_APART)
    hidden = repeats and _is_recommended(advice, scored)
    return keyed_row(
        columns,
        cells,
        shown="programs" if hidden else "always",
        marked=scored.label == "recommended",
    )


def _is_recommended(advice: Recommendation, scored: Scored) -> bool:
    """Return whether a setting is what is recommended, under another name."""
    recommended = advice.setting("recommended")
    return recommended is not None and scored.callbacks == recommended.callbacks


def settings_legend(advice: Recommendation) -> Points:
    """Return what the columns mean, and what does not fit into them."""
    others = [("", text) for text in _notes(advice)]
    return footnotes([*_column_notes(advice), *others])


def _column_notes(advice: Recommendation) -> Iterator[tuple[str, Text]]:
    """Yield what the columns mean, each with the title of its column."""
    unit, side = advice.compared.unit, beside_best([advice.objective_mode])
    yield (
        side,
        say(
            f"{side}: ",
            Code(advice.objective),
            " lost against the best on record, the mean of the "
            f"{unit}s whose logs tell",
        ),
    )
    recommended = advice.setting("recommended")
    also = [
        f'"{setting_label(scored).partition(":")[0]}"'
        for scored in advice.settings
        if scored.label in _JUDGED_APART and _is_recommended(advice, scored)
    ]
    if also:
        yield "", say(f"recommended: the same setting is {' and '.join(also)}")
    if recommended is not None and recommended.worst_run is not None:
        worst = Fact(recommended.worst_run, "name", "worst_run")
        yield "worst", say("worst: of one run; for the recommended ", worst)
    yield from ((side, said) for said in _ruin_notes(advice))
    yield "score", _score_note(advice)
    if advice.expected is not None:
        yield "expected", _expected_note(advice, advice.expected)
    cheapest = advice.setting("cheapest")
    if cheapest is not None:
        # this row stays where there is no room for the column of scores
        words = (
            f"cheapest: what loses and trains least together, on these {unit}s alone"
        )
        if any(scored.n_groups < cheapest.n_groups for scored in advice.settings):
            words += ", of what four in five of them tell"
        yield "", say(words)
    if advice.left_out is not None:
        words = f'left out: "{side}" on {advice.unit}s that had no part in the choice'
        yield "left out", say(words)


def _ruin_notes(advice: Recommendation) -> Iterator[Text]:
    """Say what an infinite loss means, if there is one, and on which runs it is."""
    ruined = [
        scored.worst_run or ""
        for scored in advice.settings
        if scored.worst_regret == math.inf
    ]
    if ruined:
        runs = list_names(list(dict.fromkeys(ruined)), MOST_NAMES)
        yield say(f"inf: the weights that are kept lose everything (as in {runs})")


def _score_note(advice: Recommendation) -> Text:
    return phrase(
        "score: the share lost + {} x the share of the epochs trained (--cost-weight)",
        Fact(advice.cost_weight, "given", "cost_weight"),
    )


def _expected_note(advice: Recommendation, expected: Expected) -> Text:
    """Say what the expected scores are made of, and whether they decide."""
    decides = "here the promise" if advice.basis == "promise" else "the least"
    beside = ""
    if expected.unavoidable == math.inf:
        beside = ", but for {unit}s that lose everything by every patience"
    elif expected.unavoidable:
        beside = (
            ", not counting the {unavoidable:score} that these {unit}s lose by every "
            "patience on {monitor:code}"
        )
    cut = ""
    if expected.n_cut:
        cut = (
            ", what a shorter patience costs more on {n_cut:count {unit}} that early "
            "stopping cut,"
        )
    return phrase(
        f"expected: the score to expect of the next training{beside}, from "
        f"{{n_groups:count {{unit}}}}{cut} and thousands of small trainings on other "
        f"data, which weigh as much as {{n_kinds:count {{unit}}}}; {decides} decides",
        **asked_of(advice) | expected._asdict(),
    )


def _notes(advice: Recommendation) -> Iterator[Text]:
    """Yield what does not fit into the columns."""
    if advice.by_weight:
        yield _by_weight(advice)
    current, start = advice.setting("current"), advice.setting("start")
    if current is not None:
        keeps = ""
        if keeps_last(current.callbacks or ()):
            keeps = (
                ", which ends with the weights of the last epoch that it trains: "
                "restore_best_weights is False, Keras's default"
            )
        yield say("now: ", Code(setting_text(current)), keeps)
    if start is not None and start.rule is not None:
        yield phrase(
            "{}: {}, the best of some later starts with a patience by the same rule; "
            "no promise goes with it",
            setting_label(start),
            Code(f"{start.rule.class_name}({setting_text(start)})"),
        )
    yield from _other_rules(advice)
    yield from _choice_left_out(advice)


def _by_weight(advice: Recommendation) -> Text:
    """Say which patience other weights of training would choose."""
    words = "{patience:patience} at {cost_weight:given}"
    told = joined(phrase(words, **weighed._asdict()) for weighed in advice.by_weight)
    least = "with another weight for training (--cost-weight) the least expected score "
    return say(least, "is that of patience ", told)


def _other_rules(advice: Recommendation) -> Iterator[Text]:
    """Say which values of the other rules were tried."""
    rules: dict[str, list[str]] = {}
    for scored in advice.settings:
        for callback in scored.callbacks or () if scored.of_other_rule else ():
            if callback.tried is not None:
                rules.setdefault(callback.tried.origin, []).append(scored.label)
    for origin, names in rules.items():
        joined = (
            "; AnyOf is a list, in which the first callback that asks stops"
            if ANY_OF in names
            else ""
        )
        yield say(
            f"{', '.join(names)}: of {origin} the one of the least score{joined}; no "
            "promise goes with it"
        )


def _choice_left_out(advice: Recommendation) -> Iterator[Text]:
    """Say how the choice does on what was left out of it, if there was a choice."""
    left_out = advice.left_out
    if left_out is None or left_out.mean_regret is None or not advice.callbacks:
        return
    tuned, usual = advice.setting("tolerance"), advice.setting("10")
    if tuned is None or tuned.callbacks != advice.callbacks or usual is None:
        return
    if usual.callbacks == advice.callbacks:
        return
    scale = scale_of([left_out.mean_regret, left_out.usual_regret], "cost")

    def lost(value: float | None, name: str) -> Fact:
        return Fact(value, "difference", name, scale)

    words = "chosen by the others, it costs the {unit} left out {mean} on average"
    low, high = left_out.interval or (None, None)
    if left_out.interval is not None:
        words += " ({share} interval {low} to {high})"
    if left_out.optimism:
        more = "more" if left_out.optimism >= 0 else "less"
        words += f", {{apart}} {more} than when it takes part"
    if left_out.usual_regret is not None:
        words += "; a fixed 10 costs {fixed}"
    yield phrase(
        words,
        unit=advice.unit,
        mean=lost(left_out.mean_regret, "mean_regret"),
        share=Fact(left_out.interval_share, "given_share", "interval_share"),
        low=lost(low, "interval"),
        high=lost(high, "interval"),
        apart=lost(abs(left_out.optimism or 0.0), "optimism"),
        fixed=lost(left_out.usual_regret, "usual_regret"),
    )


def groups_table(advice: Recommendation) -> Table:
    """Return every group: what it needs, and what the others would choose."""
    regrets = [group.left_out_regret for group in advice.groups]
    tolerances = [max(group.tolerance) for group in advice.groups]
    scale = scale_of([*regrets, *tolerances], "close_cost")
    runs = [TableColumn("n_runs", "Runs", "count")] if advice.unit != "run" else []
    columns = (
        TableColumn("name", advice.unit.capitalize(), "name"),
        *runs,
        TableColumn("tolerance", "Tolerance", "difference", scale=scale),
        TableColumn("sufficient_patience", "Sufficient patience", "patience"),
        TableColumn("left_out_patience", "Chosen without it", "patience"),
        TableColumn("left_out_regret", "What that costs it", "difference", scale=scale),
    )
    rows = tuple(_group_row(advice, group, columns, scale) for group in advice.groups)
    return Table(columns, rows, f"Every {advice.unit}, left out of the choice")


def _group_row(
    advice: Recommendation,
    group: CountedGroup,
    columns: Sequence[TableColumn],
    scale: ValueScale,
) -> Row:
    low, high = (
        Fact(end(group.tolerance), "difference", "tolerance", scale)
        for end in (min, max)
    )
    spread = say(low) if low.text == high.text else say(low, " to ", high)
    lost = group.left_out_regret
    untold = lost is None and group.left_out_patience is not None
    cells = group._asdict() | {
        "n_runs": len(group.runs),
        "tolerance": spread,
        "sufficient_patience": _sufficient(advice, group),
        "left_out_regret": _NOT_IN_LOG if untold else lost,
    }
    return keyed_row(columns, cells)


def _sufficient(advice: Recommendation, group: CountedGroup) -> int | Text:
    """Return the sufficient patience of a group, or why it has none."""
    if group.sufficient_patience is not None:
        return group.sufficient_patience
    constant = say(Code(advice.monitor), " never changes")
    return constant if group.is_constant else _NOT_IN_LOG


def groups_legend(advice: Recommendation) -> Text:
    """Say what the columns of the groups mean."""
    return phrase(
        "Sufficient: the smallest patience that keeps {} within the tolerance, as "
        "every longer one in the log does. Chosen without it: what the other {}s come "
        "to.",
        Code(advice.objective),
        advice.unit,
    )


def monitors_table(advice: Recommendation) -> Table:
    """Return what each of several monitors comes to."""
    regrets = [
        scored.left_out.mean_regret
        for scored in advice.monitors
        if scored.left_out is not None
    ]
    scale, side = scale_of(regrets, "cost"), beside_best([advice.objective_mode])
    columns = (
        TableColumn("monitor", "monitor", "name"),
        TableColumn("patience", "patience", "patience"),
        TableColumn("n_groups", f"{advice.unit}s", "count"),
        TableColumn("mean_regret", side, "difference", scale=scale),
        TableColumn("score", "score", "score"),
    )
    rows = tuple(_monitor_row(advice, scored) for scored in advice.monitors)
    return Table(columns, rows, "The monitors side by side")


def _monitor_row(advice: Recommendation, scored: MonitorScore) -> Row:
    n_groups, regret, score = 0, None, None
    left_out = scored.left_out
    if left_out is not None and left_out.score is not None:
        n_groups, score = left_out.n_groups, left_out.score
        regret = left_out.mean_regret
    told = Cell(n_groups, of=len(advice.groups))
    return Row((scored.monitor, scored.patience, told, regret, score))


def monitors_legend(advice: Recommendation) -> Iterator[Text]:
    """Yield what the columns of the monitors mean, and what is unknown."""
    unit = advice.unit
    yield say(
        f"{beside_best([advice.objective_mode])}: ",
        Code(advice.objective),
        f" lost with what is chosen without a {unit}, the mean of those whose logs "
        f"tell. Two monitors are compared on the {unit}s that tell both",
    )
    for scored in advice.monitors:
        if scored.unknown_groups:
            yield say(Code(scored.monitor), ": ", unknown_groups(advice, scored))
