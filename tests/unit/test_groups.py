"""Which runs count as one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import Run
from cbreplay.errors import ConfigError
from cbreplay.readers.discovery.run_json import parse_run_metadata
from cbreplay.sweep.groups import (
    count_trainings_once,
    find_groups,
    join_labels,
    label_seeds,
)

LOSSES = [0.9, 0.5, 0.6]


def run(name: str, rates: list[float] | None = None, **described: Any) -> Run:
    rows: list[dict[str, float]] = [{"val_loss": loss} for loss in LOSSES]
    if rates is not None:
        rows = [
            row | {"learning_rate": rate} for row, rate in zip(rows, rates, strict=True)
        ]
    made = Run.from_logs(rows, name=name)
    if not described:
        return made
    return replace(made, metadata=parse_run_metadata(json.dumps(described), source=""))


def names(runs: list[Run], group_by: Any = None) -> list[list[str]]:
    found = find_groups(runs, group_by)
    return [[runs[row].name for row in rows] for rows in found.rows]


def test_runs_of_one_setting_by_run_json_are_one_group_whatever_stopped_them() -> None:
    runs = [
        run("a", seed=0, experiment="x", callbacks=["CSVLogger('logs.csv')"]),
        run(
            "b",
            seed=1,
            experiment="x",
            callbacks=["CSVLogger('other.csv')", "EarlyStopping(patience=3)"],
            fit={"epochs": 7},
            ended={"by": "EarlyStopping", "epoch": 5},
        ),
        run("c", seed=0, experiment="y"),
        run("d", seed=0, experiment="x", optimizer={"class": "SGD"}),
        run("e", seed=0, experiment="x", callbacks=["ReduceLROnPlateau(patience=3)"]),
    ]
    assert names(runs) == [["a", "b"], ["c"], ["d"], ["e"]]


def test_without_run_json_directories_name_the_settings() -> None:
    runs = [run("a/one"), run("a/two"), run("b/one"), run("alone")]
    assert names(runs) == [["a/one", "a/two"], ["b/one"], ["alone"]]


def test_without_directories_a_name_that_ends_in_a_seed_tells() -> None:
    runs = [run("g1_r1"), run("g1_r2"), run("g2_r1"), run("log_1"), run("log_2")]
    assert names(runs) == [["g1_r1", "g1_r2"], ["g2_r1"], ["log_1"], ["log_2"]]
    files = [run("mlp-seed0.csv"), run("mlp-seed1.csv"), run("cnn-seed0.csv")]
    assert names(files) == [["mlp-seed0.csv", "mlp-seed1.csv"], ["cnn-seed0.csv"]]


@pytest.mark.parametrize(
    ("form", "alone"),
    [
        ("seed{}_lr{}", False),
        ("trial_{}_lr_{}", False),
        ("run_lr{1}_{0}", False),
        ("mlp-fold{}-lr{}.csv", False),
        ("lr={1},seed={0}", False),
        ("lr{1}_random_state={0}.csv", False),
        ("lr{1}_rs{0}", False),
        ("lr{1}_run{0}.csv", False),
        ("cv{}-lr{}.csv", False),
        ("mlp-{1}-run{0}.csv", False),
        # a number and nothing else may be another setting
        ("run_{}", True),
        ("trial_{}", True),
        ("trial_{}.csv", True),
        ("state_{}", True),
        ("exp3_{}", True),
        ("s0.{}", True),
    ],
)
def test_what_counts_runs_is_found_anywhere_in_a_name(
    form: str, *, alone: bool
) -> None:
    runs = [run(form.format(n, rate)) for rate in (0.01, 0.1) for n in (1, 2, 3)]
    if alone:
        runs = runs[:3]
    sizes = [len(group) for group in names(runs)]
    assert sizes == ([1, 1, 1] if alone else [3, 3])


@pytest.mark.parametrize(
    ("form", "called"),
    [
        ("fold_{}/lr_{}", "lr_0.01"),
        ("model_lr{1}_fold_{0}/csv_logger", "model_lr0.01/csv_logger"),
        ("seed{}/mlp_{}/version_0", "mlp_0.01/version_0"),
        ("mlp/seed-{}/lr{}_r1", "mlp/lr0.01"),
        ("kfold_{}_lr{}", "kfold_1_lr0.01 and others"),
        ("resnet18-{1}-run{0}/training", "resnet18-0.01/training"),
        ("lr{1}_trial_{0}/logs/version_0", "lr0.01/logs/version_0"),
    ],
)
def test_a_directory_of_a_seed_or_fold_holds_a_log_of_each_setting(
    form: str, called: str
) -> None:
    runs = [run(form.format(n, rate)) for n in (1, 2, 3) for rate in (0.01, 0.1)]
    found = find_groups(runs, None)
    assert found.rows == ((0, 2, 4), (1, 3, 5))
    assert found.names[0] == f"{called} (3 runs)"


@pytest.mark.parametrize(
    ("listed", "groups"),
    [
        # a network's name is no seed
        (["r50/seed1", "r50/seed2", "r101/seed1", "r101/seed2"], [[0, 1], [2, 3]]),
        # what is called otherwise in every fold shows no settings
        (["fold_1/monday", "fold_1/friday", "fold_2/sunday"], [[0, 1], [2]]),
        # every log is of one setting, and stands for itself
        (["fold_1/version_0", "fold_2/version_0"], [[0], [1]]),
    ],
)
def test_what_the_directory_of_a_seed_does_not_tell(
    listed: list[str], groups: list[list[int]]
) -> None:
    found = find_groups([run(name) for name in listed], None)
    assert [list(rows) for rows in found.rows] == groups


def test_seeds_whose_rate_fell_at_different_epochs_are_one_setting() -> None:
    runs = [
        run("a/1", [0.1, 0.05, 0.05]),
        run("a/2", [0.1, 0.1, 0.05]),
        run("a/3", [0.1, 0.05, 0.025]),
        run("a/4", [0.1, 0.1, 0.1]),
        run("a/5", [0.2, 0.1, 0.1]),
        run("b/1", [0.1, 0.01, 0.01]),
        run("b/2", [0.1, 0.1, 0.1]),
    ]
    assert names(runs) == [["a/1", "a/2", "a/3", "a/4"], ["a/5"], ["b/1", "b/2"]]


def test_another_learning_rate_is_another_setting() -> None:
    runs = [
        run("a/1", [0.1, 0.1, 0.1]),
        run("a/2", [0.1, 0.1, 0.1]),
        run("a/3", [0.2, 0.2, 0.2]),
        run("b/1", [0.1, 0.1, 0.1]),
    ]
    assert names(runs) == [["a/1", "a/2"], ["a/3"], ["b/1"]]


def test_a_rate_that_was_not_recorded_is_no_other_setting() -> None:
    # as where only every second seed has event files, which hold the rate
    runs = [run("a/seed0", [0.1] * 3), run("a/seed1"), run("b/seed0", [0.2] * 3)]
    assert names([*runs, run("b/seed1")]) == [
        ["a/seed0", "a/seed1"],
        ["b/seed0", "b/seed1"],
    ]
    # which of two rates it was, nothing tells
    beside = [run("a/seed2", [0.3] * 3), *runs]
    assert names(beside) == [["a/seed2"], ["a/seed0"], ["a/seed1"], ["b/seed0"]]
    assert names(runs[:2], "learning-rate") == [["a/seed0"], ["a/seed1"]]


def test_a_run_without_run_json_is_of_the_setting_of_those_beside_it() -> None:
    runs = [
        run("a/seed0", optimizer={"class": "Adam"}),
        run("a/seed1"),
        run("b/seed0", optimizer={"class": "SGD"}),
        run("b/seed1"),
    ]
    assert names(runs) == [["a/seed0", "a/seed1"], ["b/seed0", "b/seed1"]]
    # which of two settings it was, nothing tells
    beside = [run("a/seed2", optimizer={"class": "SGD"}), *runs[:2]]
    assert names(beside) == [["a/seed2"], ["a/seed0"], ["a/seed1"]]


def test_reductions_that_fall_otherwise_in_every_seed_are_one_setting() -> None:
    runs = [
        run("a/1", [0.1, 0.1, 0.05]),
        run("a/2", [0.1, 0.05, 0.05]),
        run("b/1", [0.1, 0.1, 0.1]),
    ]
    assert names(runs) == [["a/1", "a/2"], ["b/1"]]


def test_where_all_runs_are_of_one_setting_each_stands_for_itself() -> None:
    found = find_groups([run("seed0"), run("seed1"), run("seed2")], None)
    assert found.rows == ((0,), (1,), (2,))
    assert found.by == "seed"
    # and the spread between them is still one between seeds
    assert found.settings == ((0, 1, 2),)


def test_groups_as_asked() -> None:
    runs = [
        run("a/1", [0.1] * 3, optimizer={"class": "Adam"}),
        run("a/2", [0.2] * 3, optimizer={"class": "SGD"}),
        run("b/1", [0.1] * 3, optimizer={"class": "SGD"}),
    ]
    assert names(runs, "none") == [["a/1"], ["a/2"], ["b/1"]]
    assert names(runs, "directory") == [["a/1", "a/2"], ["b/1"]]
    assert names(runs, "learning-rate") == [["a/1", "b/1"], ["a/2"]]
    assert names(runs, "optimizer.class") == [["a/1"], ["a/2", "b/1"]]
    assert names(runs, ["x", "y", "x"]) == [["a/1", "b/1"], ["a/2"]]


def test_what_no_run_json_has_is_refused_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"'flavour'.*group_by="):
        find_groups([run("a")], "flavour")
    with pytest.raises(ConfigError, match="1 labels for 2 runs"):
        find_groups([run("a"), run("b")], ["x"])


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["mlp/seed0", "mlp/seed1", "cnn"], ["mlp (2 runs)", "cnn"]),
        (["g1_r1", "g1_r2", "g2_r1"], ["g1 (2 runs)", "g2_r1"]),
    ],
)
def test_a_group_is_called_by_what_its_runs_have_in_common(
    listed: list[str], expected: list[str]
) -> None:
    assert list(find_groups([run(one) for one in listed], None).names) == expected


def test_groups_whose_runs_share_no_name_are_called_by_what_was_asked() -> None:
    runs = [
        run(f"set{place}/seed{seed}", rates, optimizer={"class": name})
        for place in (0, 1)
        for seed, (name, rates) in enumerate(
            [("Adam", [0.1] * 3), ("SGD", [0.1, 0.1, 0.02]), ("Lion", None)]
        )
    ]
    assert find_groups(runs, "learning-rate").names == (
        "learning rate 0.1 to 0.02 (4 runs)",
        "no learning rate (2 runs)",
    )
    assert find_groups(runs, "optimizer.class").names == (
        'optimizer.class "Adam" (2 runs)',
        'optimizer.class "SGD" (2 runs)',
        'optimizer.class "Lion" (2 runs)',
    )
    assert find_groups(runs, list("xyzxyz")).names[2] == "z (2 runs)"
    # where nothing was asked for, by the first of them
    assert find_groups(runs, None).names == tuple(
        f"set0/seed{seed} and others (2 runs)" for seed in range(3)
    )


def test_a_fit_that_went_on_is_no_seed_of_the_one_before_it() -> None:
    fresh = {"epochs": 5, "initial_epoch": 0}
    later = {"epochs": 10, "initial_epoch": 5}
    runs = [
        run("fit1", fit=fresh),
        run("fit2", fit=later),
        run("fit3", fit=fresh),
        run("fit4", fit=later),
        # one training from its begin, resumed in the same directory
        run("fit5", fit=later, earlier_fits=[{"fit": fresh, "callbacks": []}]),
    ]
    assert names(runs) == [["fit1", "fit3", "fit5"], ["fit2", "fit4"]]


def test_a_group_is_not_called_as_another_run_is() -> None:
    # what fit11 and fit12 have in common is the name of fit1; fit3 is another fit
    runs = [
        run("fit1", experiment="x"),
        run("fit11", experiment="y"),
        run("fit12", experiment="y"),
        run("fit3", experiment="z"),
        run("fit4", experiment="z"),
    ]
    assert list(find_groups(runs, None).names) == [
        "fit1",
        "fit11 and others (2 runs)",
        "fit3 and others (2 runs)",
    ]
    # without another one, by what they have in common, and not by half a number
    assert find_groups([*runs[1:3], run("cnn", experiment="z")], None).names[0] == (
        "fit (2 runs)"
    )


def test_a_model_that_was_fitted_again_is_no_other_seed() -> None:
    # as where a loop over folds forgets to make a new model
    fresh = {"class": "Adam", "initial_learning_rate": 0.01, "schedule": None}
    runs = [
        run("fold0", optimizer=fresh),
        run("fold1", optimizer={**fresh, "steps_taken": 18}),
        run("fold2", optimizer={**fresh, "steps_taken": 30}),
    ]
    assert names(runs) == [["fold0"], ["fold1", "fold2"]]


def of_trainings(listed: list[Run], trainings: list[int], group_by: Any = None) -> Any:
    return count_trainings_once(find_groups(listed, group_by), listed, trainings)


def test_runs_of_one_training_are_one_group_where_they_would_count_apart() -> None:
    listed = [run("a"), run("b"), run("c")]
    found = of_trainings(listed, [0, 1, 0])
    assert (found.rows, found.by, found.joined) == (((0, 2), (1,)), "training", (0, 2))
    # a group that holds all of a training stays as it is
    grouped = [run("x_r1"), run("x_r2"), run("y_r1")]
    assert of_trainings(grouped, [0, 0, 2]) == find_groups(grouped, None)


def test_groups_that_share_a_training_are_one() -> None:
    listed = [run("x_r1"), run("x_r2"), run("y_r1"), run("y_r2"), run("z_r1")]
    found = of_trainings(listed, [0, 1, 0, 3, 4])
    assert (found.rows, found.by) == (((0, 1, 2, 3), (4,)), "setting")
    # the spread between seeds is still that of each setting
    assert found.settings == ((0, 1), (2, 3), (4,))
    labelled = of_trainings(listed, [0, 1, 0, 3, 4], ["p", "p", "q", "q", "q"])
    assert (labelled.rows, labelled.by) == (((0, 1, 2, 3, 4),), "asked")


def test_where_every_setting_has_the_same_trainings_each_of_these_is_one() -> None:
    listed = [run(f"{setting}_r{seed}") for setting in "xyz" for seed in range(3)]
    found = of_trainings(listed, [0, 1, 2] * 3)
    assert found.rows == ((0, 3, 6), (1, 4, 7), (2, 5, 8))
    assert found.by == "training"


def test_one_setting_with_one_seed_is_one_training_and_no_seed_is_none() -> None:
    listed = [
        run("a", seed=0, experiment="x"),
        run("b", seed=0, experiment="x", ended={"by": "EarlyStopping", "epoch": 5}),
        run("c", seed=0, experiment="y"),
        run("d", experiment="x"),
        run("e"),
        run("f"),
    ]
    assert join_labels(label_seeds(listed)) == [0, 0, 2, 3, 4, 5]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_joined_are_those_that_a_walk_from_label_to_label_reaches(
    pairs: list[tuple[int, int]],
) -> None:
    left, right = [[pair[side] for pair in pairs] for side in (0, 1)]
    for start in range(len(pairs)):
        reached: set[int] = {start}
        before: set[int] = set()
        while reached != before:
            before = set(reached)
            reached |= {
                place
                for place, (first, second) in enumerate(pairs)
                if any(first == left[at] or second == right[at] for at in before)
            }
        assert join_labels(left, right)[start] == min(reached)
