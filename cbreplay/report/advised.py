"""The recommendation as sections of a report, in the words of its command."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cbreplay.answers.many_runs import DOUBTS
from cbreplay.document import (
    Block,
    CodeBlock,
    Document,
    Notice,
    Paragraph,
    Points,
    Row,
    Section,
    Table,
    TableColumn,
    say,
)
from cbreplay.errors import CbreplayError
from cbreplay.recommend import measure_costs, recommend_config, sweep_patience
from cbreplay.recommend.advising import Advising
from cbreplay.recommend.code import setting_code
from cbreplay.recommend.sentences import (
    advice_heading,
    advice_headline,
    closing_sentences,
    doubt_sentences,
    evidence_sentences,
    monitor_sentences,
)
from cbreplay.recommend.side_by_side import (
    difference_decimals,
    settings_legend,
    settings_rows,
)
from cbreplay.report.pictures import map_figure, trade_off_figure
from cbreplay.words import count, spoken_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.recommend import Costs, MonitorScore, Recommendation
    from cbreplay.report.asked import ReportQuestion
    from cbreplay.run import Run
    from cbreplay.sweep import Sweep

__all__ = ["Advised", "advise", "as_document"]


class Advised(NamedTuple):
    """A recommendation with what it was chosen from, and the pictures' data."""

    advice: Recommendation
    sweep: Sweep
    costs: Costs

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return advice_headline(self.advice)

    @property
    def heading(self) -> str:
        """What it is made of."""
        return advice_heading(self.advice, self.sweep)

    @property
    def doubts(self) -> list[str]:
        """What to know before trusting it."""
        return doubt_sentences(self.advice)

    def answer_sections(self) -> Iterator[Section]:
        """Yield the setting, and what it rests on."""
        advice = self.advice
        sentences = evidence_sentences(advice)
        rests = Points(tuple(say(one) for one in sentences))
        if not advice.callbacks:
            why = "Why none is recommended"
            closing = [Paragraph(say(one), small=True) for one in self._closing()]
            yield Section(why, (rests, *closing))
            return
        code = setting_code(advice.callbacks, self.sweep.runs[0].semantics)
        yield Section(
            "Use this",
            (
                CodeBlock(code, "python"),
                *(Paragraph(say(one), small=True) for one in self._closing()),
            ),
            half=True,
        )
        yield Section("What it rests on", (rests,), half=True)

    def _closing(self) -> list[str]:
        return list(closing_sentences(self.advice))

    def comparison_sections(self) -> Iterator[Section]:
        """Yield the settings side by side, the pictures, the monitors, the groups."""
        advice = self.advice
        if advice.settings:
            yield _settings_section(advice)
        if self.costs.n_compared:
            yield Section(
                "What is lost against what is trained",
                (trade_off_figure(self.costs, advice),),
            )
            yield Section("Patience and min_delta", (map_figure(self.costs, advice),))
        if advice.monitors:
            yield _monitors_section(advice)

    def group_section(self) -> Section:
        """Return every group: what it needs, and what the others would choose."""
        advice = self.advice
        several = advice.unit == "group"
        columns = (
            TableColumn("", advice.unit.capitalize(), "name"),
            *([TableColumn("", "Runs", "number")] if several else []),
            TableColumn("", "Tolerance", "number"),
            TableColumn("", "Sufficient patience", "number"),
            TableColumn("", "Chosen without it", "number"),
            TableColumn("", "What that costs it", "number"),
        )
        regrets = [one.left_out_regret for one in advice.groups]
        decimals = difference_decimals(
            [*regrets, *(max(one.tolerance) for one in advice.groups)]
        )
        decimals += 1
        rows = tuple(
            Row(
                (
                    one.name,
                    *([str(len(one.runs))] if several else []),
                    _spread(one.tolerance, decimals),
                    _patience(one.sufficient_patience, "not in the log"),
                    _patience(one.left_out_patience, "-"),
                    _left_out(one.left_out_regret, one.left_out_patience, decimals),
                )
            )
            for one in advice.groups
        )
        title = f"Every {advice.unit}, left out of the choice"
        remark = (
            f"Sufficient: the smallest patience that keeps {advice.objective} within "
            f"the tolerance. Chosen without it: what the other {advice.unit}s come to."
        )
        table = Table(columns, rows, title)
        return Section(title, (table, Paragraph(say(remark), small=True)))


def _settings_section(advice: Recommendation) -> Section:
    titles, *rows = settings_rows(advice)
    columns = tuple(
        TableColumn("", title.capitalize(), "number" if place else "name")
        for place, title in enumerate(["setting", *titles[1:]])
    )
    shown = tuple(
        Row((f"patience {row[0]}" if row[0][:1].isdecimal() else row[0], *row[1:]))
        for row in rows
    )
    blocks: list[Block] = [Table(columns, shown, "The settings side by side")]
    blocks += [Paragraph(say(one), small=True) for one in settings_legend(advice)]
    return Section("Beside the usual settings", tuple(blocks))


def _monitors_section(advice: Recommendation) -> Section:
    """Return which monitor to stop on, and what each comes to."""
    side = "above best" if advice.objective_mode == "min" else "below best"
    noun = advice.unit
    columns = (
        TableColumn("", "Monitor", "name"),
        TableColumn("", "Patience", "number"),
        TableColumn("", f"{noun.capitalize()}s", "number"),
        TableColumn("", side.capitalize(), "number"),
        TableColumn("", "Score", "number"),
    )
    regrets = [
        one.left_out.mean_regret for one in advice.monitors if one.left_out is not None
    ]
    decimals = difference_decimals(regrets)
    rows = tuple(Row(_monitor_row(advice, one, decimals)) for one in advice.monitors)
    sentence = monitor_sentences(advice)[0]
    means = (
        f"{side.capitalize()}: {advice.objective} lost with what is chosen without a "
        f"{noun}, the mean of those whose logs tell. Two monitors are compared on the "
        f"{noun}s that tell both."
    )
    remarks = [
        means,
        *(
            f"{one.monitor}: no patience in the logs is enough for "
            f"{count(one.unknown_groups, noun)}."
            for one in advice.monitors
            if one.unknown_groups
        ),
    ]
    return Section(
        "Which monitor to stop on",
        (
            Paragraph(say(f"{sentence[:1].upper()}{sentence[1:]}.")),
            Table(columns, rows, "The monitors side by side"),
            *(Paragraph(say(one), small=True) for one in remarks),
        ),
    )


def _monitor_row(
    advice: Recommendation, one: MonitorScore, decimals: int
) -> tuple[str, ...]:
    known = (f"0 of {len(advice.groups)}", "-", "-")
    if one.left_out is not None and one.left_out.score is not None:
        known = (
            f"{one.left_out.n_groups} of {len(advice.groups)}",
            spoken_number(one.left_out.mean_regret, decimals),
            f"{one.left_out.score:.4f}",
        )
    return (one.monitor, _patience(one.patience, "-"), *known)


def _spread(values: Sequence[float], decimals: int) -> str:
    low, high = (spoken_number(one, decimals) for one in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _patience(value: int | None, absent: str) -> str:
    return absent if value is None else str(value)


def _left_out(regret: float | None, patience: int | None, decimals: int) -> str:
    if regret is None:
        return "-" if patience is None else "not in the log"
    return spoken_number(regret, decimals)


def advise(runs: Sequence[Run], question: ReportQuestion) -> Advised | str:
    """Recommend a setting from several runs, or say why that cannot be question."""
    monitor, mode = question.watched
    several = len(question.monitors) > 1
    try:
        sweep, without = sweep_patience(
            runs,
            monitor=question.monitors if several else monitor,
            mode=mode,
            keep=question.keep,
            judging=question.judging,
            progress=question.progress,
        )
        options = question.advising
        advice = recommend_config(
            sweep, current=question.callbacks, excluded=without, **options._asdict()
        )
        costs = measure_costs(
            sweep,
            advice,
            current=question.callbacks,
            group_by=options.group_by,
            recorded_under=options.recorded_under,
        )
    except CbreplayError as error:
        # what was asked about a recommendation shall not be passed over
        if several or question.advising != Advising():
            raise
        return f"{count(len(runs), 'run')} cannot be compared: {error}"
    return Advised(advice, sweep, costs)


def as_document(advised: Advised) -> Document:
    """Return the recommendation as a document."""
    doubts = tuple(say(sentence) for sentence in advised.doubts)
    return Document(
        "recommend",
        say(advised.headline),
        say(f"{advised.heading}."),
        (
            *advised.answer_sections(),
            Section(DOUBTS, (Notice(doubts),)),
            *advised.comparison_sections(),
            advised.group_section(),
        ),
    )
