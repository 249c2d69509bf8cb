"""Which series a name means that the log does not have: a misspelling, another word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cbreplay.series_names import is_validation, metric_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["METRIC_ALIASES", "nearest_series"]

_SHORT_NAMES = {
    "acc": "accuracy",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
    "rmse": "root_mean_squared_error",
}
# what Keras calls a metric in short, and back
METRIC_ALIASES = _SHORT_NAMES | {name: short for short, name in _SHORT_NAMES.items()}


def nearest_series(name: str, available: Iterable[str]) -> str:
    """Return the series that a name seems to mean; '' where none is near.

    >>> nearest_series("val_f1", ["loss", "val_loss", "val_f1_score"])
    'val_f1_score'
    >>> nearest_series("val_acc", ["val_loss", "val_binary_accuracy"])
    'val_binary_accuracy'
    >>> nearest_series("val_MAE", ["mean_absolute_error", "val_mean_absolute_error"])
    'val_mean_absolute_error'
    >>> nearest_series("val_weighted_mae", ["val_weighted_auc", "val_mae"])
    'val_mae'
    >>> nearest_series("val_sens", ["val_loss", "val_mae"])
    ''
    >>> nearest_series("validation_acc", ["accuracy", "val_loss", "val_accuracy"])
    'val_accuracy'
    >>> nearest_series("val_auc_1", ["val_auc_12"])
    ''
    >>> nearest_series("val_auc", ["val_auc_3", "val_auc_12"])
    ''
    >>> nearest_series("val_accuracy", ["accuracy"])
    ''
    """
    metric = name.removeprefix("val_")
    prefix = name[: len(name) - len(metric)]
    # a val_ name never means a series of training
    available = [each for each in available if not prefix or is_validation(each)]
    same = [series for series in available if series.startswith("val_") == bool(prefix)]
    by_case = {series.lower(): series for series in same}
    own = metric.removeprefix("weighted_")
    for meant in (metric, METRIC_ALIASES.get(metric.lower(), metric), own):
        if (prefix + meant).lower() in by_case:
            return by_case[(prefix + meant).lower()]
        ends = [series for series in same if series.endswith(f"_{meant}")]
        if ends and metric != "loss":
            # nobody knows which of a binary and a top_k accuracy is meant
            return ends[0] if len(ends) == 1 else ""
    known = {series.lower(): series for series in available}
    wanted = name.lower()
    begun = [
        series
        for series in known
        if min(len(series), len(wanted)) >= _LEAST
        and (series.startswith(wanted) or wanted.startswith(series))
    ]
    numbered = [
        series for series in begun if re.fullmatch(r"_?\d+", series[len(wanted) :])
    ]
    if numbered and (len(numbered) > 1 or wanted[-1].isdigit()):
        # val_auc_1 is not val_auc_12, and of val_auc_3 and val_auc_12 none is val_auc
        return ""
    close = begun[0] if begun else _closest(wanted, known)
    if close:
        return known[close]
    # validation_loss, test_acc and train_loss, in Keras's words
    spelt = f"val_{metric_of(name)}" if is_validation(name) else metric_of(name)
    return "" if spelt in (wanted, "val_") else nearest_series(spelt, available)


def _closest(name: str, others: Iterable[str]) -> str:
    """Return the most like of some names; "" where none is near."""
    import difflib

    alike = [other for other in others if _is_like(name, other)]
    close = difflib.get_close_matches(name, alike, n=2, cutoff=_NEAR)
    nearness = [difflib.SequenceMatcher(a=each, b=name).ratio() for each in close]
    # two names that are equally near (val/box_loss, val/cls_loss): neither is meant
    return close[0] if close and nearness[1:] != nearness[:1] else ""


def _is_like(name: str, other: str) -> bool:
    """Return whether two names are near without the ``val_`` that both have.

    >>> _is_like("val_los", "val_loss"), _is_like("val_mse", "val_mae")
    (True, False)
    >>> _is_like("val_iou", "val_mean_io_u"), _is_like("val_accc", "val_accuracy")
    (True, True)
    """
    import difflib

    if not (name.startswith("val_") and other.startswith("val_")):
        return True
    metric, of_other = (each[4:].replace("_", "") for each in (name, other))
    nearness = difflib.SequenceMatcher(a=metric, b=of_other).ratio()
    begins_alike = metric[:_LEAST] == of_other[:_LEAST]
    return nearness >= _NEAR or begins_alike or of_other.endswith(metric)


_NEAR = 0.7
# acc for accuracy
_LEAST = 3
