"""Every sentence has what, where, and what to do."""

from __future__ import annotations

import pickle

import pytest

from cbreplay import (
    EarlyStopping,
    Run,
    UnknownMonitorError,
    errors,
    lint_callbacks,
    replay_run,
)


def test_a_log_error_names_file_line_and_hint() -> None:
    error = errors.LogError("bad cell 'x'", source="a.csv", line=3, hint="Mend it")
    assert str(error) == "a.csv, line 3: bad cell 'x'. Mend it"
    at_byte = errors.TruncatedLogError("cut", source="b", byte=7)
    assert str(at_byte) == "b, byte 7: cut"


def test_an_unknown_monitor_is_a_key_error_with_a_readable_sentence() -> None:
    error = errors.UnknownMonitorError(
        "val_acc", run="r", available=["loss", "val_loss"]
    )
    assert isinstance(error, KeyError)
    assert str(error) == (
        "run 'r' has no series 'val_acc'; it has loss, val_loss. "
        "Choose one, as monitor='val_loss', mode='min'."
    )
    assert errors.as_options(error.sentence) == (
        "run 'r' has no series 'val_acc'; it has loss, val_loss. "
        "Choose one, as --monitor val_loss --mode min."
    )


@pytest.mark.parametrize(
    ("asked", "available", "meant"),
    [
        ("val_AUC", ["loss", "val_auc"], "val_auc"),
        ("val_acc", ["loss", "val_loss", "val_accuracy"], "val_accuracy"),
        ("val_los", ["loss", "val_loss"], "val_loss"),
        ("val_loss", ["loss", "accuracy"], None),
    ],
)
def test_a_series_that_seems_to_be_meant_is_named(
    asked: str, available: list[str], meant: str | None
) -> None:
    told = str(errors.UnknownMonitorError(asked, run="r", available=available))
    assert ("did you mean" in told) == (meant is not None)
    if meant is not None:
        assert f"did you mean {meant!r}? It has" in told
        assert f"monitor={meant!r}" in told


def test_what_to_do_is_said_in_the_words_of_the_surface() -> None:
    both = (
        "Give --mode min|max or mode=, or count with --x-axis step --monitor "
        "'valid acc' or x_axis='step', monitor='valid acc' (-c or callbacks=)."
    )
    assert errors.as_options(both) == (
        "Give --mode min|max, or count with --x-axis step --monitor 'valid acc' (-c)."
    )
    assert errors.as_arguments(both) == (
        "Give mode=, or count with x_axis='step', monitor='valid acc' (callbacks=)."
    )
    plain = "a directory or a file, one or several"
    assert errors.as_options(plain) == errors.as_arguments(plain) == plain


def test_a_question_is_not_followed_by_a_full_stop() -> None:
    error = errors.ExpressionError("no; did you mean 'x'?", text="y", hint="Write x")
    assert str(error) == "in 'y': no; did you mean 'x'? Write x"


def test_a_long_expression_is_shortened() -> None:
    error = errors.ExpressionError("bad", text="x" * 500)
    assert len(str(error)) < 230


def test_a_missing_extra_gives_the_install_command() -> None:
    error = errors.MissingExtraError("cbreplay train", extra="train", missing="keras")
    assert 'pip install "cbreplay[train]"' in str(error)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.LogError, ValueError),
        (errors.ConfigError, ValueError),
        (errors.ExpressionError, ValueError),
        (errors.SemanticsError, ValueError),
        (errors.EvidenceError, ValueError),
        (errors.OutputError, OSError),
        (errors.MissingExtraError, ImportError),
        (errors.UnknownMonitorError, KeyError),
    ],
)
def test_errors_are_the_builtins_that_a_caller_expects(
    kind: type[Exception], builtin: type[Exception]
) -> None:
    assert issubclass(kind, errors.CbreplayError)
    assert issubclass(kind, builtin)


def test_an_output_error_names_path_and_reason() -> None:
    error = errors.OutputError("a.html", "No space left", hint="Free some")
    assert str(error) == "cannot write a.html: No space left. Free some"


@pytest.mark.parametrize(
    "error",
    [
        errors.LogError("bad cell", source="a.csv", line=3, hint="Mend it"),
        errors.TruncatedLogError("cut", source="b", byte=7),
        errors.UnknownMonitorError("acc", run="r", available=["loss"]),
        errors.ConfigError("no"),
        errors.OutputError("there", "it is full", hint="Wait"),
        errors.MissingExtraError("training", extra="train", missing="keras"),
    ],
)
def test_an_error_of_another_process_is_the_same_here(
    error: errors.CbreplayError,
) -> None:
    here = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(here) is type(error)
    assert (str(here), here.args, vars(here)) == (str(error), error.args, vars(error))


NEAR_NAMES = [
    # the monitor, the series of the log, the one that is meant
    ("val_acc", ["loss", "val_loss", "val_accuracy"], "val_accuracy"),
    ("val_accuracy", ["loss", "val_loss", "val_acc"], "val_acc"),
    ("val_f1", ["loss", "val_loss", "val_f1_score"], "val_f1_score"),
    ("val_f1_score", ["loss", "val_loss", "val_f1"], "val_f1"),
    ("val_acc", ["val_loss", "val_sparse_categorical_accuracy"], None),
    ("val_accuracy", ["val_loss", "val_categorical_accuracy"], None),
    ("val_auc", ["val_loss", "val_auc_1"], "val_auc_1"),
    ("val_mae", ["val_loss", "val_mean_absolute_error"], None),
    ("mse", ["loss", "mean_squared_error", "val_loss"], "mean_squared_error"),
    ("vall_loss", ["loss", "val_loss"], "val_loss"),
    ("val-loss", ["loss", "val_loss"], "val_loss"),
    ("valloss", ["loss", "val_loss"], "val_loss"),
    ("val_auc", ["loss", "val_loss", "val_accuracy"], ""),
    # which of two accuracies is meant nobody knows
    ("val_accuracy", ["val_top_k_accuracy", "val_categorical_accuracy"], ""),
]


@pytest.mark.parametrize(("monitor", "logged", "meant"), NEAR_NAMES)
def test_a_near_name_is_suggested_by_a_replay_and_by_lint_alike(
    monitor: str, logged: list[str], meant: str | None
) -> None:
    """None stands for the last series of the log."""
    near = logged[-1] if meant is None else meant
    run = Run.from_logs([dict.fromkeys(logged, 0.5)] * 3)
    stopper = EarlyStopping(monitor=monitor, mode="min")
    with pytest.raises(UnknownMonitorError) as refused:
        replay_run(run, stopper)
    (finding,) = [
        found
        for found in lint_callbacks(stopper, run=run)
        if found.code == "absent-monitor"
    ]
    if near:
        assert f"did you mean {near!r}?" in str(refused.value)
        assert finding.fix == f"monitor={near!r}"
    else:
        assert "did you mean" not in str(refused.value)
        assert "monitor=" not in finding.fix


@pytest.mark.parametrize(
    ("monitor", "expected"),
    [
        # TensorFlow Ranking: NDCGMetric improves upwards
        ("val_ndcg_metric", "Give mode='max'."),
        ("val_my_error", "Give mode='min'."),
        ("val_hits", "Give mode=."),
    ],
)
def test_a_direction_that_keras_asks_the_metric_for_is_named_where_a_name_tells_it(
    monitor: str, expected: str
) -> None:
    run = Run.from_logs([{monitor: 0.5}, {monitor: 0.4}])
    with pytest.raises(errors.ConfigError) as told:
        replay_run(run, EarlyStopping(monitor, patience=1), semantics="keras-3.15")
    assert str(told.value).endswith(expected)
