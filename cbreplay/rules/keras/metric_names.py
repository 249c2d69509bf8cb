"""The default names of Keras's metric classes, under which ``fit`` logs them.

keras/src/metrics, 3.15.1, and tf_keras/src/metrics, 2.21.0.
"""

from __future__ import annotations

import re

__all__ = [
    "default_names",
    "is_numbered",
    "is_refused_text",
    "names_before",
    "snake_case",
]

_UNLIKE = {
    "AUC": ("auc",),
    "FBetaScore": ("fbeta_score",),
    "KLDivergence": ("kl_divergence", "kullback_leibler_divergence"),
    "LogCoshError": ("logcosh",),
}
_LIKE = """
    Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy
    CategoricalCrossentropy CategoricalHinge ConcordanceCorrelation CosineSimilarity
    F1Score FalseNegatives FalsePositives Hinge IoU MeanAbsoluteError
    MeanAbsolutePercentageError MeanIoU MeanSquaredError MeanSquaredLogarithmicError
    OneHotIoU OneHotMeanIoU PearsonCorrelation Poisson Precision PrecisionAtRecall
    R2Score Recall RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity
    SparseCategoricalAccuracy SparseCategoricalCrossentropy
    SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge
    TopKCategoricalAccuracy TrueNegatives TruePositives
"""

# classes whose objects are numbered (auc, auc_1) where they are given no name
_NUMBERED = """
    AUC BinaryIoU FalseNegatives FalsePositives IoU MeanIoU OneHotIoU OneHotMeanIoU
    Precision PrecisionAtRecall Recall RecallAtPrecision SensitivityAtSpecificity
    SpecificityAtSensitivity TrueNegatives TruePositives
"""

# classes whose objects need an argument, so that no text stands for one
_WITH_ARGUMENT = """
    IoU MeanIoU OneHotIoU OneHotMeanIoU PrecisionAtRecall RecallAtPrecision
    SensitivityAtSpecificity SpecificityAtSensitivity
"""
_ABBREVIATED = {"bce", "mae", "mape", "mse", "msle"}


def default_names(kind: str) -> tuple[str, ...]:
    """Return the default names of a metric class, of all versions; empty if unknown.

    >>> default_names("BinaryIoU"), default_names("LogCoshError")
    (('binary_io_u',), ('logcosh',))
    """
    if kind in _UNLIKE:
        return _UNLIKE[kind]
    return (snake_case(kind),) if kind in _LIKE.split() else ()


def is_numbered(kind: str) -> bool:
    """Return whether Keras numbers the metrics of a class that are given no name."""
    return kind in _NUMBERED.split()


def is_refused_text(text: str) -> bool:
    """Return whether Keras 3 makes no metric of a text, but raises in ``fit``.

    It asks its own table alone, whatever an older Keras or a script calls so.

    >>> [text for text in ("MAE", "log_cosh_error", "Acc") if is_refused_text(text)]
    []
    >>> [
    ...     text
    ...     for text in ("logcosh", "f1", "MeanIoU", "Mae")
    ...     if not is_refused_text(text)
    ... ]
    []
    """
    # keras/src/trainers/compile_utils.py, get_metric
    if text.lower() in ("acc", "accuracy"):
        return False
    # keras/src/metrics/__init__.py, ALL_OBJECTS_DICT
    kinds = {*_LIKE.split(), *_UNLIKE} - {*_WITH_ARGUMENT.split()}
    short = text if text.islower() else text.lower() if text.isupper() else ""
    return short not in _ABBREVIATED and text not in {*kinds, *map(snake_case, kinds)}


def names_before(text: str) -> tuple[str, ...]:
    """Return how Keras 2 named a metric that a text stands for; Keras 3 by the text.

    A class got its default name (keras/src/engine/compile_utils.py of 2.15.0), and a
    function, as that of any accuracy is, kept the text.

    >>> names_before("AUC"), names_before("MAE"), names_before("Accuracy")
    (('auc',), ('MAE',), ('Accuracy',))
    """
    is_function = text.lower() == "accuracy"
    return (() if is_function else default_names(text)) or (text,)


def snake_case(name: str) -> str:
    """Write a class's name as Keras names its objects.

    >>> snake_case("MeanIoU"), snake_case("R2Score")
    ('mean_io_u', 'r2_score')
    """
    # keras/src/utils/naming.py
    spread = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spread).lower()
