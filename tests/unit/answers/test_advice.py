"""The advice as a document: its words, and that its numbers are those of the data."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import EarlyStopping, Run, load_runs
from cbreplay.answers.advice import advice_document
from cbreplay.answers.advice.evidence import evidence_sentences
from cbreplay.answers.advice.headline import runs_sentence
from cbreplay.answers.advice.reasons import reason_text
from cbreplay.answers.advice.run_doubts import doubt_text, exclusion_text
from cbreplay.answers.advice.surety import how_sure
from cbreplay.document import (
    CodeBlock,
    Document,
    Fact,
    Notice,
    Paragraph,
    Points,
    Text,
    plain_text,
)
from cbreplay.recommend import (
    Excluded,
    Reason,
    RunDoubt,
    recommend_config,
    sweep_patience,
)
from cbreplay.writers.as_json import json_pieces
from cbreplay.writers.as_text import write_text
from tests.conftest import ROOT
from tests.recommended import SUFFICIENT, make_run, pausing, pausing_runs, recommend

if TYPE_CHECKING:
    from collections.abc import Iterator


def document_of(runs: list[Run], **options: Any) -> Document:
    asked = {
        name: options.pop(name)
        for name in ("monitor", "objective", "min_delta", "keep")
        if name in options
    }
    sweep, without = sweep_patience(runs, semantics="keras-3.15", **asked)
    advice = recommend_config(sweep, excluded=without, **options)
    return advice_document(advice, sweep, runs=runs)


def texts_of(document: Document) -> Iterator[Text]:
    yield document.headline
    yield document.lead
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Paragraph):
                yield block.text
            elif isinstance(block, Points | Notice):
                yield from block.points


def pairs_of(told: Any) -> set[tuple[str, Any]]:
    """Return every value under its name, and how many there are of a list."""
    pairs: set[tuple[str, Any]] = set()
    if isinstance(told, dict):
        for name, value in told.items():
            pairs |= pairs_of(value)
            if isinstance(value, list):
                pairs.add((f"n_{name}", len(value)))
                pairs |= {
                    (name, one) for one in value if not isinstance(one, list | dict)
                }
            elif not isinstance(value, dict):
                pairs.add((name, value))
    elif isinstance(told, list):
        for value in told:
            pairs |= pairs_of(value)
    return pairs


SAMPLES: dict[str, tuple[list[int], dict[str, Any]]] = {
    "few": ([1, 2, 5, 13], {}),
    "promised": ([1, 1, 2, 2, 3, 3, 4, 20, 20], {}),
    "shortened": ([3] * 12, {}),
    "usual": ([2] * 12 + [9], {}),
    "ranked": ([2] * 18 + [4, 30], {}),
    "rules": ([2, 2, 3], {"prechelt": True, "cost_weight": 0}),
    "broken": ([1] * 7 + [12], {"tolerance": 0.01}),
    "deltas": ([2] * 12, {"min_delta": [0, 0.2], "current": EarlyStopping()}),
}


@pytest.mark.parametrize("name", [*SAMPLES, "logs"])
def test_every_number_of_a_sentence_is_in_the_data(name: str) -> None:
    if name == "logs":
        document = document_of(load_runs(ROOT / "sample_logs"))
    else:
        patience, options = SAMPLES[name]
        document = document_of(pausing_runs(patience), **options)
    told = json.loads("".join(json_pieces(document)))
    told["n_runs"] = sum(len(one["runs"]) for one in told["recommendation"]["groups"])
    pairs = pairs_of(told)
    facts = [
        part
        for text in texts_of(document)
        for part in text.parts
        if isinstance(part, Fact) and part.name
    ]
    assert len(facts) > 5
    missing = [fact for fact in facts if (fact.name, fact.value) not in pairs]
    assert missing == []


def test_a_screen_says_the_answer_then_the_numbers_then_the_doubts() -> None:
    runs = pausing_runs([1, 2, 3, 4, 20, 20, 20, 20, 20])
    document = document_of([*runs, replace(runs[0], name="copy")])
    lines = write_text(document).splitlines()
    assert lines[0].startswith("Patience 20, with a promise for 90 % of new runs")
    shown = "\n".join(lines)
    order = ["callbacks = [", "the promise:", "recommended: 20", "above best:"]
    order += ["Before you trust it", "not counted: copy"]
    places = [shown.index(words) for words in order]
    assert places == sorted(places)


def test_the_code_to_paste_is_of_the_package_that_decides() -> None:
    runs = pausing_runs([1, 1, 2, 2, 3, 3, 4, 20, 20])
    for semantics, package in (("keras-3.15", "keras"), ("tf_keras-2.21", "tf_keras")):
        sweep, _ = sweep_patience(runs, semantics=semantics)
        document = advice_document(recommend_config(sweep), sweep)
        (code,) = [
            block.code
            for section in document.sections
            for block in section.blocks
            if isinstance(block, CodeBlock)
        ]
        assert f"    {package}.callbacks.EarlyStopping(" in code
        assert 'monitor="val_loss"' in code


def test_where_a_number_that_repeats_the_recommended_is_for_programs_only() -> None:
    runs = [
        make_run(pausing(3, length), f"run{length}", planned=False)
        for length in (20, 31, 43)
    ]
    document = document_of(runs)
    table = document.answer_table()
    assert table is not None
    labels = [row.cells[0] for row in table.rows]
    shown = [row.cells[0] for row in table.rows if row.shown != "programs"]
    assert len(table.for_people().rows) == len(shown)
    assert labels[0] == "recommended"
    assert "10" in labels
    assert [label for label in labels if label not in shown] == ["10"]


def test_one_run_shows_what_it_tells_and_why_that_recommends_nothing() -> None:
    (run,) = pausing_runs([3])
    document = document_of([run])
    assert document.question == "recommend"
    shown = write_text(document)
    assert "On this run patience 3 was enough" in shown
    said = " ".join(shown.split())
    assert "Nothing is recommended: one run describes only itself" in said
    assert "A promise for 90 % of new runs takes 9 of them." in said
    assert (
        json.loads("".join(json_pieces(document)))["recommendation"]["kind"] == "none"
    )


# what each reason, exclusion and doubt says: by hand, from its facts
@pytest.mark.parametrize(
    ("kind", "facts", "said"),
    [
        ("one-training", {"n_runs": 3}, "the 3 runs are of one training, its branches"),
        ("one-group", {"n_runs": 3}, "the 3 runs are one group"),
        ("untold", {}, "no log tells what any patience would have lost"),
        (
            "too-few-groups",
            {"confidence": 0.975, "n_monitors": 2, "needed": 79, "n_groups": 5},
            (
                "a promise for 97.5 % of new runs and 2 monitors takes at least 79 "
                "runs, and there are 5"
            ),
        ),
        (
            "unknown-groups",
            {"n_unknown": 1, "n_groups": 10, "allowed": 0},
            (
                "for 1 run of 10 the logs hold no patience that is known to be "
                "enough; a promise from so few allows no such run"
            ),
        ),
        (
            "promise",
            {"patience": 14, "rank": 19, "n_groups": 20, "usual": 10},
            (
                "14 is the 19th smallest sufficient patience of the 20 runs, and more "
                "than the rule of thumb, 10"
            ),
        ),
        (
            "score",
            {"patience": 14},
            (
                "14 has the least expected score: what the runs lost, smoothed over "
                "the patience values nearby, joined with what learning curves"
            ),
        ),
        (
            "thumb",
            {"patience": 40, "plan": 400, "n_records": 400, "untold": True},
            "40 is a rule of thumb, 10 or a tenth of the 400 planned epochs: no log",
        ),
        (
            "thumb",
            {"patience": 20, "plan": 2000, "n_records": 200, "untold": True},
            (
                "20 is a rule of thumb, 10 or a tenth of the 200 records of the 2000 "
                "planned epochs: no log"
            ),
        ),
        (
            "cut",
            {
                "patience": 10,
                "under": 4,
                "n_cut": 3,
                "n_under": 3,
                "n_runs": 3,
                "guessed": False,
            },
            (
                "10 is a rule of thumb, and no less than their own: patience 4 cut all "
                "3 runs; no log shows what came after, so none tells whether that is "
                "enough"
            ),
        ),
        (
            "cut",
            {
                "patience": 25,
                "under": 25,
                "n_cut": 4,
                "n_under": 1,
                "n_runs": 5,
                "guessed": True,
            },
            "1 of 5 runs ends as if patience 25 had cut it; no log shows what came",
        ),
        (
            "recorded-under",
            {
                "patience": 12,
                "n_cut": 4,
                "n_under": 3,
                "n_runs": 5,
                "guessed": False,
            },
            "no less than 12 is recommended: patience 12 cut 3 of 5 runs, and no log",
        ),
        (
            "below-promise",
            {"patience": 4, "promised": 9},
            "the promise is about 9 and longer, not about 4",
        ),
        (
            "rule-not-compared",
            {"rule": "PrecheltGL", "problem": None},
            "PrecheltGL is not compared: too few logs tell what it would have kept",
        ),
    ],
)
def test_a_reason_is_said_from_its_facts(
    kind: str, facts: dict[str, Any], said: str
) -> None:
    text = plain_text(reason_text(recommend(pausing_runs([2, 3])), Reason(kind, facts)))
    assert text.startswith(said)


@pytest.mark.parametrize(
    ("kind", "facts", "said"),
    [
        ("direction", {"mode": "max"}, "judged the other way (max)"),
        ("unrecorded-series", {"series": ()}, "records none of it"),
        (
            "plan",
            {"planned": 60, "usual": 100},
            "planned for 60, not 100 epochs",
        ),
        (
            "plan",
            {"planned": None, "usual": 100},
            "goes on after the plan of 100 epochs",
        ),
        (
            "cadence",
            {"series": "val_loss", "every": 1, "usual": 3},
            (
                "val_loss is recorded every epoch, not every 3 epochs: a patience "
                "counts records"
            ),
        ),
    ],
)
def test_why_a_run_does_not_count(kind: str, facts: dict[str, Any], said: str) -> None:
    assert plain_text(exclusion_text(Excluded("a", Reason(kind, facts)))) == said


@pytest.mark.parametrize(
    ("code", "facts", "said"),
    [
        (
            "own-stop",
            {"patience": (8, 10), "few_uncut": True, "untold": 12, "n_untold": 2},
            (
                "2 runs: cut by early stopping of its own (patience 8, 10), so the log "
                "shows nothing of what a longer one would have found: no patience is "
                "known to be enough, nor what patience 12 would have done; counted, "
                "never averaged. Tuned"
            ),
        ),
        (
            "own-stop",
            {"patience": (8,), "few_uncut": False, "untold": 12, "n_untold": 1},
            (
                "2 runs: cut by early stopping of its own (patience 8), so the log "
                "shows nothing of what a longer one would have found: no patience is "
                "known to be enough, nor, for 1 of them, what patience 12 would have "
                "done; counted, never averaged"
            ),
        ),
        (
            "own-stop-guessed",
            {
                "patience": (5,),
                "every": 1,
                "few_uncut": False,
                "untold": None,
                "n_untold": 0,
            },
            (
                "2 runs: the log ends exactly 5 epochs after its best, as if a "
                "patience of as much had cut it (--recorded-under); if so"
            ),
        ),
        (
            "not-recorded-under",
            {"patience": 5},
            (
                "2 runs: the log ends where its plan does, so it is not taken for cut "
                "by patience 5 (--recorded-under)"
            ),
        ),
        (
            "failed",
            {"how": "error", "series": None, "n_failed": 2, "n_runs": 9},
            (
                "2 runs: ended by an error, so no patience is known to be enough; "
                "counted all the same"
            ),
        ),
        (
            "unknown",
            {"plan": 60},
            (
                "2 runs: the log holds no patience that is known to be enough for the "
                "60 epochs that were taken for its plan"
            ),
        ),
    ],
)
def test_a_doubt_is_said_from_its_facts(
    code: str, facts: dict[str, Any], said: str
) -> None:
    doubt = RunDoubt(code, ("a", "b"), facts)
    assert plain_text(doubt_text(doubt, "run")).startswith(said)


def test_a_plan_is_no_number_of_the_row_that_trains_all() -> None:
    # its patience is that of the longest plan, and other runs have other plans
    text = write_text(document_of(pausing_runs([3, 4, 5])))
    (row,) = [line for line in text.splitlines() if "train all" in line]
    assert row.lstrip().startswith("train all, keep the best  ")


def test_the_score_that_decides_has_a_column_and_the_recommended_row_a_mark() -> None:
    text = write_text(document_of(pausing_runs([3, 4, 5])))
    (head,) = [line for line in text.splitlines() if line.startswith(" setting")]
    (marked,) = [line for line in text.splitlines() if line.startswith(">")]
    assert "expected" in head.split()
    assert marked.startswith(">recommended: ")
    assert ", which weigh as much as 4 runs; the least decides" in " ".join(
        text.split()
    )


def test_neither_of_two_that_cannot_be_told_apart_is_the_safe_one() -> None:
    advice = recommend(pausing_runs([3, 4, 5]))
    assert advice.expected is not None
    near = advice.expected._replace(usual_score=advice.expected.score)
    said = how_sure(replace(advice, patience=8, basis="score", expected=near))
    assert said is not None
    assert plain_text(said).endswith("; 8 trains less, 10 risks less.")


def test_what_10_costs_is_not_compared_where_no_log_tells() -> None:
    advice = recommend(pausing_runs([3, 4, 5]))
    assert advice.expected is not None
    alone = advice.expected._replace(usual_score=None, odds=None)
    untold = replace(advice, patience=8, basis="score", expected=alone)
    said = how_sure(untold)
    assert said is not None
    assert plain_text(said) == (
        "How sure: by 3 runs and other data, 8 is expected to cost least; what 10 "
        "costs, no log tells."
    )


def test_a_name_of_a_log_cannot_steer_a_terminal() -> None:
    runs = [
        make_run([*pausing(2), i / 1e6 + 1], f"\x1b[31m{i}\u202e") for i in range(3)
    ]
    shown = write_text(document_of(runs))
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    ("patience", "said"),
    [
        # the ninth needs no less than those that are named
        ([3] * 9, "3 for run0, run1, run2, run3, run4, run5, run6, run7 and 1 more"),
        (
            [7, 5, *[4] * 7, 2, 2],
            (
                "7 for run0; 5 for run1; 4 for run2, run3, run4, run5, run6, run7 and "
                "1 more; and 2 more need less"
            ),
        ),
        (
            [*range(12, 4, -1), 2],
            (
                "12 for run0; 11 for run1; 10 for run2; 9 for run3; 8 for run4; "
                "7 for run5; 6 for run6; 5 for run7; and 1 more needs less"
            ),
        ),
    ],
)
def test_the_groups_that_need_most_are_named_and_only_the_others_need_less(
    patience: list[int], said: str
) -> None:
    texts = map(plain_text, texts_of(document_of(pausing_runs(patience))))
    assert f"{SUFFICIENT}: {said}" in list(texts)


@pytest.mark.parametrize(
    ("names", "asked", "is_said"),
    [
        (("seed0_lr1", "seed1_lr1", "seed0_lr2"), "none", True),
        # found, the two seeds count once
        (("seed0_lr1", "seed1_lr1", "seed0_lr2"), "auto", False),
        (("lr1", "lr2", "lr3"), "none", False),
    ],
)
def test_runs_of_one_setting_that_count_apart_are_said(
    names: tuple[str, ...], asked: str, *, is_said: bool
) -> None:
    runs = [make_run(pausing(2 + at), name) for at, name in enumerate(names)]
    sweep, left_out = sweep_patience(runs, semantics="keras-3.15")
    advice = recommend_config(sweep, excluded=left_out, group_by=asked)
    said = plain_text(runs_sentence(advice, sweep, runs))
    assert ("of one setting count apart (--group-by)" in said) == is_said


def test_a_promise_names_the_rank_of_its_patience_and_what_an_unlucky_set_keeps() -> (
    None
):
    # of 19 runs that need 1 to 19, nine in ten of 20 are the 18 smallest
    advice = recommend(pausing_runs(range(1, 20)), group_by="none")
    (said,) = [
        text
        for text in map(plain_text, evidence_sentences(advice))
        if text.startswith("the promise: ")
    ]
    assert "Of what these 19 runs need, 18 is the 18th smallest" in said
    assert "the average of many such sets of 19 runs; one set in ten is unlucky" in said


def test_two_failed_runs_are_both_named_and_of_more_the_first_two() -> None:
    runs = pausing_runs([3, 4, 5, 6, 7], planned=False)
    failed = [make_run([0.9] * 3 + [float("nan")] * 30, f"nan{n}") for n in range(3)]
    for n_failed, said in (
        (2, "2 of 7 runs (nan0, nan1)"),
        (3, "3 of 8 runs (nan0, nan1 and 1 more)"),
    ):
        document = document_of([*runs, *failed[:n_failed]], group_by="none")
        assert said in plain_text(document.headline)
