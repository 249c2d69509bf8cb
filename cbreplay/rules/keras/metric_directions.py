"""Which way each of Keras's metrics improves, for mode="auto"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.errors import ConfigError
from cbreplay.rules.keras.metric_names import default_names
from cbreplay.series_names import direction_options, is_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.rules.keras.semantics import AutoMode
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode

__all__ = [
    "METRIC_DIRECTIONS",
    "ends_at_one",
    "find_direction",
    "lies_within_one",
    "resolve_mode",
    "settle_mode",
]

_UP = """
    acc accuracy auc binary_accuracy binary_io_u categorical_accuracy
    concordance_correlation cosine_similarity f1_score fbeta_score io_u mean_io_u
    one_hot_io_u one_hot_mean_io_u pearson_correlation precision precision_at_recall
    r2_score recall recall_at_precision sensitivity_at_specificity
    sparse_categorical_accuracy sparse_top_k_categorical_accuracy
    specificity_at_sensitivity top_k_categorical_accuracy
"""
_DOWN = """
    bce BCE binary_crossentropy categorical_crossentropy categorical_hinge hinge
    kl_divergence logcosh mae MAE mape MAPE mean_absolute_error
    mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error
    mse MSE msle MSLE poisson root_mean_squared_error
    sparse_categorical_crossentropy squared_hinge
"""

# the names of Keras's own metric classes and their aliases, with the `_direction` of
# each (keras/src/metrics, 3.15.1). Mean, Sum, TruePositives, FalsePositives and the
# like have none there, so they are not here.
METRIC_DIRECTIONS: dict[str, Mode] = {
    **dict.fromkeys(_UP.split(), "max"),
    **dict.fromkeys(_DOWN.split(), "min"),
}


def find_direction(name: str, directions: Mapping[str, Mode]) -> Mode | None:
    """Return which way a series improves, or None where that is not known.

    The compiled metrics of ``run.json`` are asked first (`directions`); ``val_`` before
    a name does not matter.
    """
    metric = name.removeprefix("val_")
    if metric == "loss":
        return "min"
    for compiled in (metric, name):
        if compiled in directions:
            return directions[compiled]
    return METRIC_DIRECTIONS.get(_in_table(metric))


def _in_table(metric: str) -> str:
    """Return a metric's name as the table has it.

    Keras appends _1, _2 to a name that repeats, and Keras 3 logs
    ``metrics=["F1Score"]`` by the name of the class.

    >>> _in_table("auc_1"), _in_table("F1Score")
    ('auc', 'f1_score')
    """
    bare, _, number = metric.rpartition("_")
    bare = bare if number.isdecimal() else metric
    return (default_names(bare) or (bare,))[0]


def ends_at_one(name: str) -> bool:
    """Return whether a series is a metric of Keras whose best possible value is 1.

    So it is for all metrics of the table that should be large.

    >>> ends_at_one("val_accuracy"), ends_at_one("val_loss"), ends_at_one("reward")
    (True, False, False)
    """
    metric = name.removeprefix("val_")
    return METRIC_DIRECTIONS.get(_in_table(metric)) == "max"


# metrics whose best possible value is 1, but that may be negative
_SIGNED = frozenset(
    {"concordance_correlation", "cosine_similarity", "pearson_correlation", "r2_score"}
)


def lies_within_one(name: str) -> bool:
    """Return whether a series is, by its name, a metric between 0 and 1.

    >>> lies_within_one("val_AUC_1"), lies_within_one("val_f1"), lies_within_one("loss")
    (True, True, False)
    >>> lies_within_one("val_r2_score"), lies_within_one("val_cosine_similarity")
    (False, False)
    """
    metric = _in_table(name.removeprefix("val_"))
    if "percent" in metric or "pct" in metric:
        return False
    return is_share(metric) or (ends_at_one(metric) and metric not in _SIGNED)


def settle_mode(callback: str, monitor: str, mode: str) -> str:
    """Return "min" or "max", for pasted code, which cannot resolve "auto" itself.

    Raises
    ------
    ConfigError
        If mode is "auto" and the name of the metric does not tell.
    """
    settled = find_direction(monitor, {}) if mode == "auto" else mode
    if settled is None:
        sentence = (
            f"{callback}: nothing tells whether {monitor!r} should be small or large, "
            f"which the code has to know. Give {direction_options(monitor)}."
        )
        raise ConfigError(sentence)
    return settled


def resolve_mode(
    callback: str, monitor: str, mode: str, training: Training, auto: AutoMode
) -> Mode:
    """Resolve a callback's mode as Keras does.

    `auto` is where this version looks for a direction if the mode is "auto": among
    others it may ask the compiled metrics of `training`. The callback's name is for the
    error.

    Raises
    ------
    ConfigError
        If mode is "auto" and only the compiled metric could tell; Keras itself
        raises ValueError where the metric has no direction.
    """
    if mode == "min":
        return "min"
    if mode == "max":
        return "max"
    if auto == "name ends in acc or auc":
        return "max" if monitor.endswith(("acc", "accuracy", "auc")) else "min"
    if auto == "name holds acc":
        return "max" if "acc" in monitor else "min"
    if auto == "name holds acc or starts with fmeasure":
        is_max = "acc" in monitor or monitor.startswith("fmeasure")
        return "max" if is_max else "min"
    direction = find_direction(monitor, training.directions)
    if direction is None:
        sentence = (
            f"{callback}: mode='auto' cannot be resolved for {monitor!r}: Keras asks "
            "the compiled metric, and this log does not name it. "
            f"Give {direction_options(monitor)}."
        )
        raise ConfigError(sentence)
    return direction
