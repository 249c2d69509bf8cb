"""The page of several runs: a setting, fixed ones beside it, and the advice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cbreplay.answers.headline_limits import by_keras_rules, counts_otherwise
from cbreplay.answers.many_runs_tables import (
    SettingOnRuns,
    every_run,
    fixed_settings,
    unreplayed,
)
from cbreplay.answers.one_run_headline import headline_of_one
from cbreplay.answers.pictures import small_figure
from cbreplay.answers.rate_cells import still_gained
from cbreplay.answers.schedules import told_schedules
from cbreplay.answers.setting_cells import cells_of
from cbreplay.answers.setting_code import setting_code
from cbreplay.answers.settings_summary import compare_settings
from cbreplay.answers.several_runs_headline import settings_headline
from cbreplay.answers.spoken_runs import judged_by, with_cut_runs
from cbreplay.document import (
    Block,
    CodeBlock,
    Document,
    Gallery,
    Notice,
    Paragraph,
    Section,
    Strong,
    phrase,
    say,
)
from cbreplay.rules.families import spoken_version
from cbreplay.wording.words import count, list_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["DOUBTS", "ManyRuns", "many_runs_page"]

DOUBTS = "Before you trust it"
MOST_DRAWN = 24
_MOST_NAMES = 5
_NO_DOUBT = (
    "Nothing stood out in these logs. They say something about runs like these only."
)


class ManyRuns(NamedTuple):
    """What a page about several runs says: the settings on them, and the advice.

    Parameters
    ----------
    drawn : SettingOnRuns
        The setting that is drawn: the one asked about, or the recommended one.
    callbacks : tuple of Callback or None
        The setting that was asked about; None if none was.
    baselines : sequence of SettingOnRuns
        Fixed settings that are shown beside it.
    left_out : sequence of (Run, str)
        The runs that could not be replayed, and why.
    advice : Document or str
        What is recommended from the runs, or why nothing can be.
    doubts : sequence of Text
        What to know about the runs before trusting the answer.
    restores : bool
        Whether the baselines restore the best weights.
    """

    drawn: SettingOnRuns
    callbacks: tuple[Callback, ...] | None
    baselines: Sequence[SettingOnRuns]
    left_out: Sequence[tuple[Run, str]]
    advice: Document | str
    doubts: Sequence[Text]
    restores: bool


def many_runs_page(asked: ManyRuns, closing: Section) -> Document:
    """Say what a setting would have done on several runs.

    `closing` says how it was computed.
    """
    advice, drawn = asked.advice, asked.drawn
    runs = [replay.run for replay in drawn.replays]
    headline = with_cut_runs(_headline(drawn), runs)
    headline = by_keras_rules(headline, runs, judged_by(drawn.replays))
    lead = _lead(asked)
    if isinstance(advice, Document) and asked.callbacks is None:
        headline = advice.headline
        lead = say(advice.lead, " ", _counts(asked))
    sections = [
        *_given(asked),
        *_with_doubts(asked),
        *fixed_settings(
            asked.baselines,
            (replay.objective_mode for replay in drawn.replays),
            restores=asked.restores,
        ),
        _gallery(drawn),
        every_run(drawn),
        *unreplayed(asked.left_out),
        closing,
    ]
    return Document("report", headline, lead, tuple(sections))


def _headline(drawn: SettingOnRuns) -> Text:
    cells = cells_of(drawn.replays)
    if len(cells.runs) == 1:
        return headline_of_one(cells)
    return settings_headline(compare_settings(cells), drawn.name)


def _lead(asked: ManyRuns) -> Text:
    replays = asked.drawn.replays
    better = "smaller" if replays[0].objective_mode == "min" else "larger"
    rules = dict.fromkeys(spoken_version(replay.semantics.name) for replay in replays)
    return phrase(
        f"{count(len(replays), 'run')}, {{}} Judged by {{objective:code}}, {better} is "
        f"better; rules of {', '.join(rules)}. Epochs count from 1. What was measured, "
        "not what to use next.",
        _counts(asked),
        objective=replays[0].judged_by[0],
    )


def _counts(asked: ManyRuns) -> Text:
    epochs = sum(replay.run.recorded_epochs for replay in asked.drawn.replays)
    n_out = len(asked.left_out)
    out = f" {count(n_out, 'run')} could not be replayed." if n_out else ""
    words = f"{{recorded_epochs:count}} recorded epochs.{out}"
    return phrase(words, recorded_epochs=epochs)


def _given(asked: ManyRuns) -> Iterator[Section]:
    if asked.callbacks is None:
        return
    code = CodeBlock(setting_code(asked.callbacks), "python")
    yield Section("The setting", (code,))
    if isinstance(asked.advice, Document):
        sentence = say(*asked.advice.headline.parts, " ", *asked.advice.lead.parts)
        yield Section("What these runs recommend", (Paragraph(sentence),))


def _with_doubts(asked: ManyRuns) -> Iterator[Section]:
    """Yield the advice's sections, with the doubts about the runs among its own."""
    if isinstance(asked.advice, str):
        why = say(Strong("This page recommends nothing."), f" {asked.advice}")
        others = counts_otherwise(replay.run for replay in asked.drawn.replays)
        points = (why, *_about_setting(asked), *asked.doubts, *others)
        yield Section(DOUBTS, (Notice(points),))
        return
    about = _about_setting(asked) if asked.callbacks is not None else ()
    more = (*about, *asked.doubts)
    for section in asked.advice.sections:
        if section.title != DOUBTS:
            yield section
            continue
        own = [block for block in section.blocks if isinstance(block, Notice)]
        points = (*(point for block in own for point in block.points), *more)
        yield section._replace(blocks=(Notice(points or (say(_NO_DOUBT),)),))


def _about_setting(asked: ManyRuns) -> Iterator[Text]:
    """Yield on which runs the drawn setting has no exact answer, and why."""
    yield from _about_rates(asked)
    name = asked.drawn.name
    kinds = [
        ("censored", f"cannot say what {name} would have done: the log ends first"),
        ("diverged", f"cannot say it for {name} after a learning-rate change"),
        ("incomplete", f"cannot say it for {name}: the log lacks values"),
    ]
    for evidence, words in kinds:
        runs = [
            replay.run.name
            for replay in asked.drawn.replays
            if replay.evidence == evidence
        ]
        if runs:
            yield say(
                Strong(count(len(runs), "run")),
                f" {words}. They are counted, never averaged ",
                f"({list_names(runs, _MOST_NAMES)}).",
            )


def _about_rates(asked: ManyRuns) -> Iterator[Text]:
    """Yield which schedules its stops cut, and what was gained after its reductions."""
    cells = cells_of(asked.drawn.replays)
    yield from told_schedules(cells)
    yield from still_gained(cells)


def _gallery(drawn: SettingOnRuns) -> Section:
    """Return small pictures of the runs, or of those that lose most."""
    shown, hidden = list(drawn.replays), len(drawn.replays) - MOST_DRAWN
    if hidden > 0:
        shown = sorted(shown, key=_lost, reverse=True)[:MOST_DRAWN]
    legend = say(
        f"At {drawn.name}. Square: stop. Ring: weights kept. Triangle: best recorded, "
        "if it is another epoch. Grey: recorded after the stop. Shaded: the log says "
        "nothing."
    )
    blocks: list[Block] = [
        Paragraph(legend, small=True),
        Gallery(tuple(small_figure(replay) for replay in shown)),
    ]
    if hidden > 0:
        more = count(hidden, "more run")
        text = say(f"The {MOST_DRAWN} that lose most; {more} in the table below.")
        blocks.append(Paragraph(text, small=True))
    return Section("Where each run would stop", tuple(blocks), on="page")


def _lost(replay: Replay) -> float:
    """Return the regret as a share of the kept value; below 0 if unknown."""
    outcome = replay.outcome
    if replay.evidence != "exact" or outcome.regret is None:
        return -1.0
    return outcome.regret / (abs(outcome.kept_value or 0.0) or 1.0)
