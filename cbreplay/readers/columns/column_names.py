"""All that the name of a column tells: an epoch, a data set, a run, a time."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from cbreplay.series_names import LEARNING_RATE_NAMES, is_rate_name

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BATCH_NAMES",
    "CATBOOST",
    "DATA_SET_COLUMNS",
    "EPOCH_NAMES",
    "FITS",
    "FOLDS",
    "INDEXES",
    "KERAS_ITERATIONS",
    "KINDS",
    "LIKE_EPOCH",
    "MODELS",
    "OF_METRICS",
    "ONE_RUN",
    "PHASES",
    "RUNS",
    "SETTINGS",
    "STATES",
    "STEP_NAMES",
    "TRACKED_METRICS",
    "VALUES",
    "is_clock",
    "is_epoch_name",
    "is_nameless",
    "is_time",
    "letters",
    "may_number_rows",
    "name_on",
    "prefix_of",
    "rate_names",
]

EPOCH_NAMES = ("epoch", "epochs", "epoche", "epoca", "época", "époque")
# other names that say so: "Epoch #", "epoch_no", "Ep."; of these the letters
LIKE_EPOCH = "(current)?(epoch|ep)(number|num|no|index|idx|id)?"
# columns beside an epoch that tell which of its batches a row is
BATCH_NAMES = ("batch", "batch_idx", "batch_index", "minibatch")
# the files of CatBoost's train_dir, whose column iter counts trees from 0
CATBOOST = r"(learn|test)_error\.tsv"
STEP_NAMES = (
    *("step", "global_step", "iteration", "iter", "iterations", "steps"),
    # Ray Tune's, whose reports mostly come once an epoch, and Determined's
    *("training_iteration", "steps_completed"),
)
# the names under which pandas's own index comes back from a CSV
INDEXES = ("#0", "Unnamed: 0", "index")
# columns that name the metric of a row
OF_METRICS = frozenset(("metric", "metricname", "key", "tag", "variable", "measure"))
# and those that do so where one of the metrics is a loss, and columns of the values;
# the last of each are those of Neptune's exporter
TRACKED_METRICS = OF_METRICS | {"name", "series", "attributepath"}
VALUES = frozenset(("value", "metricvalue", "floatvalue"))
# the tags of Keras's TensorBoard callback by the iteration: what it sees of each batch,
# and of each call of evaluate
KERAS_ITERATIONS = r"batch_.*|evaluation_.*_vs_iterations"
# columns whose words may be phases of one training
PHASES = frozenset(("phase", "stage", "mode"))
# columns that may tell what a row's numbers are of: several kinds are no epochs
KINDS = OF_METRICS | PHASES | {"data", "split", "subset", "set"}
# columns that may tell the data set of a row
DATA_SET_COLUMNS = PHASES | frozenset(
    ("split", "set", "subset", "data", "dataset", "datasplit", "partition")
)
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
# columns that may name the training of a row
RUNS = SETTINGS | frozenset(
    (
        *("run", "runid", "runname", "model", "modelname", "modelid", "config"),
        *("configname", "exp", "expname", "experimentname", "experimentid"),
    )
)
# a table with another one of these in most rows is of runs, or of models, which a
# tracker lists with their states
ONE_RUN = frozenset(("run", "runid", "runname", "runuuid", "trialid", "trialname"))
MODELS = frozenset(
    (
        *("model", "modelname", "architecture", "arch", "network", "backbone"),
        *("algorithm", "method", "classifier", "optimizer", "experiment", "config"),
    )
)
STATES = ("state", "status")
# a fit, or a process, has one of each
FITS = SETTINGS | frozenset(
    (
        *("phase", "stage", "run", "runid", "session", "sessionid"),
        *("jobid", "attempt", "pid", "hostname"),
    )
)
# columns of times or dates, and those that count seconds since a process began
_TIME = "(?i)time|date"
_CLOCK = "(?i)time|elapsed|seconds|clock|since_restore"


def is_epoch_name(name: object) -> bool:
    """Tell whether a column, a list or an index has the name of the epoch."""
    return isinstance(name, str) and name.lower() in EPOCH_NAMES


def is_nameless(name: str) -> bool:
    """Tell whether a table calls a column by its number, as it has no name.

    >>> is_nameless("#0"), is_nameless("# loss")
    (True, False)
    """
    return re.fullmatch("#[0-9]+", name) is not None


def may_number_rows(name: str) -> bool:
    """Tell whether a column has a name of epochs or steps, or of pandas's index."""
    known = {*EPOCH_NAMES, *STEP_NAMES, *INDEXES, ""}
    # W&B's is _step
    told = name in known or name.lower().strip("_") in known
    return told or re.fullmatch(LIKE_EPOCH, letters(name)) is not None


# many logs have the same columns
@lru_cache(maxsize=1024)
def letters(name: str) -> str:
    """Return the letters and digits of a name, in small letters.

    >>> letters("Learning Rate"), letters("Epoch #")
    ('learningrate', 'epoch')
    """
    return "".join(sign for sign in name.lower() if sign.isascii() and sign.isalnum())


@lru_cache(maxsize=1024)
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


@lru_cache(maxsize=1024)
def is_time(name: str) -> bool:
    """Tell whether a column is called after a time or a date."""
    return re.search(_TIME, name) is not None


@lru_cache(maxsize=1024)
def is_clock(name: str) -> bool:
    """Tell whether a column is called after what counts seconds or rounds.

    These begin again with each process.
    """
    return re.search(_CLOCK, name) is not None


def rate_names(names: Iterable[str]) -> list[str]:
    """Return the columns that are learning rates, Keras's own names first."""
    found = [name for name in names if is_rate_name(name)]
    return sorted(
        found,
        key=lambda name: (*LEARNING_RATE_NAMES, name).index(name),
    )
