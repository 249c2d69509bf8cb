"""What the name of a column tells: an epoch, a step, a data set, a fold, a setting."""

from __future__ import annotations

import functools

__all__ = [
    "BATCH_NAMES",
    "EPOCH_NAMES",
    "FOLDS",
    "INDEXES",
    "KINDS",
    "LIKE_EPOCH",
    "OF_METRICS",
    "SETTINGS",
    "STEP_NAMES",
    "letters",
    "name_on",
    "prefix_of",
]

EPOCH_NAMES = ("epoch", "epochs", "epoche", "epoca", "época", "époque")
# others that say so: "Epoch #", "epoch_no", "Ep."; of these the letters
LIKE_EPOCH = "(current)?(epoch|ep)(number|num|no|index|idx|id)?"
# columns beside an epoch that tell which of its batches a row is
BATCH_NAMES = ("batch", "batch_idx", "batch_index", "minibatch")
STEP_NAMES = (
    *("step", "global_step", "iteration", "iter", "iterations", "steps"),
    # Ray Tune's, whose reports mostly come once an epoch
    "training_iteration",
)
# the names under which pandas's own index comes back from a CSV
INDEXES = ("#0", "Unnamed: 0", "index")
# columns that name the metric of a row
OF_METRICS = frozenset(("metric", "metricname", "key", "tag", "variable", "measure"))
# columns that may tell what a row's numbers are of: several kinds are no epochs
KINDS = OF_METRICS | {"data", "phase", "split", "mode", "stage", "subset", "set"}
# what data sets are called, and Keras's prefix for each
_DATA_SETS = {
    **dict.fromkeys(("train", "training"), ""),
    **dict.fromkeys(("val", "valid", "validation"), "val_"),
    **dict.fromkeys(("test", "testing"), "test_"),
    **dict.fromkeys(("eval", "evaluation"), "eval_"),
    "dev": "dev_",
}
# each of these is trained anew
FOLDS = frozenset(("fold", "kfold", "folds", "cvfold", "trial", "trialid", "seed"))
# columns that hold settings: no training changes these
SETTINGS = frozenset(
    (
        *(*FOLDS, "experiment"),
        *("batchsize", "hiddensize", "hiddenunits", "numlayers", "nlayers"),
        *("dropout", "dropoutrate", "units", "nunits", "numunits", "filters"),
        *("nfilters", "numfilters", "kernelsize", "hiddendim", "embeddingdim"),
        *("latentdim", "numheads", "nheads", "maxdepth", "nestimators"),
    )
)


# many logs have the same columns
@functools.lru_cache(maxsize=1024)
def letters(name: str) -> str:
    """Return the letters and digits of a name, in small letters.

    >>> letters("Learning Rate"), letters("Epoch #")
    ('learningrate', 'epoch')
    """
    return "".join(sign for sign in name.lower() if sign.isascii() and sign.isalnum())


@functools.lru_cache(maxsize=1024)
def prefix_of(data_set: str) -> str | None:
    """Return Keras's prefix for the metrics of a data set; None if it is none.

    >>> prefix_of("Train"), prefix_of("valid"), prefix_of("fold1")
    ('', 'val_', None)

    Aim writes it so, beside the name of a metric:

    >>> prefix_of("{'subset': 'val'}")
    'val_'
    """
    return _DATA_SETS.get(letters(data_set).removeprefix("subset").removesuffix("set"))


def name_on(name: str, data_set: str) -> str:
    """Return Keras's name for a metric on a data set.

    >>> name_on("loss", "valid"), name_on("val_loss", "val"), name_on("loss", "train")
    ('val_loss', 'val_loss', 'loss')
    """
    prefix = prefix_of(data_set) or ""
    return name if name.startswith(prefix) else f"{prefix}{name}"
