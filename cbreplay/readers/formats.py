"""The table of all formats, and which one a file has: by its content, not its name."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.errors import LogError
from cbreplay.readers.columns.column_names import (
    CATBOOST,
    EPOCH_NAMES,
    LIKE_EPOCH,
    STEP_NAMES,
)
from cbreplay.readers.columns.csv_table import split_plain_names
from cbreplay.readers.columns.header import decode_beginning, sniff_header
from cbreplay.readers.entries import holds_events, is_event_file
from cbreplay.readers.files import LFS_POINTER, check_readable, read_beginning, read_raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from cbreplay.readers.base import LogReader, ReadOptions
    from cbreplay.run_metadata import RunMetadata

__all__ = [
    "FORMATS",
    "LOGS_CSV",
    "SERIES_SMOOTHED",
    "SERIES_STEPS",
    "SERIES_TIMES",
    "asked_format",
    "content_format",
    "format_of",
    "is_stored_metric",
    "named_like_a_log",
    "named_like_a_pickle",
    "plain_name",
    "reader_for",
    "tells_data_sets",
]


class Format(NamedTuple):
    """A format: its reader, as module and class, and what a log of it is called."""

    reader: str
    spoken: str


# every format, and the module and class of its reader
FORMATS = {
    "csv": Format("csv_logger.CsvLoggerReader", "a CSV"),
    "lightning": Format("other_tools.lightning.LightningReader", "a CSV of Lightning"),
    "ultralytics": Format(
        "other_tools.ultralytics.UltralyticsReader", "a CSV of Ultralytics"
    ),
    "tensorboard_page": Format(
        "other_tools.tensorboard_page.TensorBoardPageReader", "a file of one series"
    ),
    "wandb": Format("other_tools.weights_and_biases.WandbReader", "an export of W&B"),
    "mlflow": Format("other_tools.mlflow.MLflowReader", "an export of MLflow or Comet"),
    "hugging_face": Format(
        "other_tools.hugging_face.HuggingFaceReader",
        "a state of Hugging Face's Trainer",
    ),
    "json": Format("other_tools.json_history.JsonHistoryReader", "a History as JSON"),
    "pickle": Format("other_tools.pickled.PickleReader", "a pickle"),
    "events": Format(
        "event_files.tensorboard.TensorBoardReader", "event files of TensorBoard"
    ),
}

LOGS_CSV = ("logs.csv", "logs.csv.gz")
_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
_SUFFIXES = (".csv", ".log", ".tsv", ".txt", *_JSON_SUFFIXES)
_OF_CHECKPOINT = "checkpoint_metrics.json"
_PICKLES = (".pkl", ".pickle", ".joblib", ".npy")
# a JSON file is worth reading only if it has one of these keys
_JSON_KEYS = (
    r'"(?:epoch|val_\w+|_step|log_history|[\w./-]*(?:loss(?:es)?|accurac(?:y|ies)))"'
    r"\s*[:,}]"
    r'|"(?:key|step)"\s*:[^{]*"(?:value|step)"\s*:|"iteration"\s*:|"metricName"\s*:'
)
# only Trainer logs these: they tell a log_history that was saved by itself
_TRAINER_KEYS = r'"(?:(?:eval|test|train)_runtime|total_flos|grad_norm)"'
_LINES = r"\{[^\n]*\}[ \r]*\n[\s]*\{"
# columns that only a table of Trainer's log has, besides those of its evaluations
_TRAINER_COLUMNS = {"eval_runtime", "test_runtime", "train_runtime", "total_flos"}
# how pickles begin: protocols 2 to 5, protocol 0 of a dict and of an object; and .npy
_PICKLE_BEGINS = (
    *(bytes((0x80, protocol)) for protocol in range(2, 6)),
    *(b"(dp0", b"(dp1", b"ccopy_reg\n", b"\x93NUMPY"),
)


# the columns that Ultralytics alone writes: its rates, its losses, its metrics
_YOLO = (
    r"lr/pg\d|x/lr\d|(train|val)/box_loss"
    r"|metrics/(.*\([bmp]\)|map_0\.5.*|accuracy_top[15])"
)
# the columns of tables with a row for each key and step: of MLflow, of a chart on its
# page, of Comet
_KEYED = (
    {"key", "value", "step"},
    {"key", "value", "timestamp"},
    {"metric", "value", "step"},
    {"metric_name", "value", "timestamp"},
    {"metricname", "metricvalue"},
)
# what Python calls the attributes of a metric of MLflow
_PRIVATE = {"_key", "_value"}
# the columns of tables with a row for each metric and step of any other writer
_TELLERS = frozenset(("metric", "key", "tag", "variable"))
# how JSON of TensorBoard's page begins: rows of a time in seconds, a step and a value
_PAGE_JSON = r"\[\s*\[\s*1\d{9}(?:\.\d+)?\s*,\s*\d+\s*,"
# the names that writers of a table of one series give to its steps, and to its times
SERIES_STEPS = frozenset(("step", "_id"))
SERIES_TIMES = frozenset(("wall time", "wall_time", "timestamp", "time"))
# what a page shows beside the values, made of them
SERIES_SMOOTHED = "smoothed"
_DIGITS = tuple(b"%d" % digit for digit in range(10))
_HEAD = 64
# a line of a metric in MLflow's store of files: its time in milliseconds tells it from
# other tables of numbers
_STORED_METRIC = rb"1\d{12} [-+.\deEnaifNIF]+( -?\d+)?\r?(\n|\Z)"


def plain_name(name: str) -> str:
    """Return a name in small letters, without what a packer or a rotation added.

    >>> plain_name("Log.csv.gz"), plain_name("log.csv.1"), plain_name("run.0")
    ('log.csv', 'log.csv', 'run.0')
    """
    return re.sub(_ROTATED, "", name.lower().removesuffix(".gz"))


# the older rows of a log that is rotated
_ROTATED = r"(?<=[.](csv|log|tsv|txt))[.]\d{1,3}$"


def named_like_a_log(name: str) -> bool:
    """Tell whether a file's name allows it to be a log, compressed or not.

    What MLflow's autologger says of a checkpoint is of the one epoch that it is of.
    """
    plain = plain_name(name)
    return plain.endswith(_SUFFIXES) and not plain.endswith(_OF_CHECKPOINT)


def named_like_a_pickle(name: str) -> bool:
    """Tell whether a file's name says that it is a pickle or an array of numpy."""
    return name.lower().endswith(_PICKLES)


def format_of(path: str) -> str | None:
    """Return the format of a file by its content; None if it is no known log.

    A ``logs.csv`` is a log by its name, so that a damaged one is not passed by; and so
    are CatBoost's tables, whose columns may have any name.
    """
    name = os.path.basename(path)
    if is_event_file(path):
        return "events" if os.path.isfile(path) else None
    pickled = named_like_a_pickle(name)
    if not (pickled or named_like_a_log(name) or "tfevents" in name):
        return None
    beginning = read_beginning(path)
    found = content_format(beginning)
    if found is None and os.path.isfile(path):
        by_name = name in LOGS_CSV or re.fullmatch(CATBOOST, name) is not None
        found = "csv" if by_name else "pickle" if pickled else None
        if not beginning and read_raw(path, _HEAD).startswith(LFS_POINTER):
            # the CSV reader explains it: a Git LFS pointer must not be skipped silently
            found = "csv"
    return found or ("csv" if not beginning and _is_unreadable(path) else None)


def _is_unreadable(path: str) -> bool:
    """Tell whether a file cannot be read; its reader then says why."""
    try:
        check_readable(path)
    except LogError:
        return os.path.lexists(path)
    return False


def content_format(beginning: bytes) -> str | None:
    """Return the format of a file that begins with these bytes."""
    first, _, below = beginning.partition(b"\n")
    if below[:1] in _DIGITS and (names := split_plain_names(first)) is not None:
        return _csv_format(names)
    if beginning.startswith(_PICKLE_BEGINS):
        return "pickle"
    by_bytes = {"events": holds_events, "mlflow": is_stored_metric}
    for name, holds in by_bytes.items():
        if holds(beginning):
            return name
    text = decode_beginning(beginning).lstrip("\ufeff \t\r\n")
    if text.startswith(("{", "[")):
        return _json_format(text)
    rows = sniff_header(text)
    if not rows:
        return None
    from cbreplay.readers.columns.turned import are_turned, turned_names

    header = turned_names(rows) if are_turned(rows) else rows[0]
    return _csv_format(tuple(header))


def is_stored_metric(beginning: bytes) -> bool:
    """Tell whether the file that begins with these bytes is a metric of MLflow's store.

    >>> is_stored_metric(b"1700000000000 0.5 0"), is_stored_metric(b"0.5 0.25 0")
    (True, False)
    """
    return re.match(_STORED_METRIC, beginning) is not None


def asked_format(beginning: bytes, name: str) -> str:
    """Return the format in which to read a log that was asked for by name."""
    found = content_format(beginning)
    if found is not None:
        return found
    if named_like_a_pickle(name):
        return "pickle"
    text = decode_beginning(beginning).lstrip("\ufeff \t\r\n")
    like_json = name.lower().removesuffix(".gz").endswith(_JSON_SUFFIXES)
    # an empty file is neither, but the CSV reader has the better error for it
    return "json" if text and (like_json or text.startswith(("{", "["))) else "csv"


def _json_format(text: str) -> str | None:
    first = re.match(_FIRST_ROW, text)
    if re.match(_PAGE_JSON, text) is not None or (
        first is not None and _holds_one_series({*re.findall(_NAME, first[1].lower())})
    ):
        return "tensorboard_page"
    trained = re.search(_TRAINER_KEYS, text)
    if '"log_history"' in text or (
        trained is not None
        and (
            text.startswith("[")
            or re.match(_LINES, text) is not None
            or text[trained.end() :].lstrip().startswith(":{")
        )
    ):
        return "hugging_face"
    if _are_curves(text) or all(f'"{name}":' in text for name in _PRIVATE):
        return "mlflow"
    if re.search(_JSON_KEYS, text) is None:
        return None
    if re.search(r'"_(?:step|runtime|timestamp)"\s*[:,\]]', text):
        return "wandb"
    # a value that was logged without a step may be told by its time
    of_mlflow = all(
        re.search(rf'"(?:{key})"\s*:', text)
        for key in ("key", "value", "step|timestamp")
    )
    of_comet = re.search(r'"metric(?:Name|Value)"\s*:', text)
    return "mlflow" if of_mlflow or of_comet else "json"


def _are_curves(text: str) -> bool:
    """Tell whether JSON has the points of a curve below each name.

    They may stand under ``metrics``, as mlflow-export-import writes a run.

    >>> _are_curves('{"loss": [{"step": 0, "value": 0.5}]}')
    True
    """
    if re.match(_NAMED_TRIPLES, text) is not None:
        return True
    first = re.match(_CURVE, text) or re.search(rf'"metrics"\s*:\s*{_CURVE}', text)
    names = {*re.findall(_NAME, first[1])} if first is not None else set()
    return "value" in names and any(names <= own for own in _POINTS)


# the first row of a list of them
_FIRST_ROW = r"\[\s*\{([^][{}]*)\}"
_CURVE = r'\{\s*"[^"]*"\s*:\s*\[\s*\{([^][{}]*)\}'
_NAME = r'"([^"]*)"\s*:'
# what tensorboardX exports: a time in seconds, a step and a value
_NAMED_TRIPLES = r'\{\s*"[^"]*"\s*:\s*\[\s*\[\s*1\d{9}(?:\.\d+)?\s*,\s*\d+\s*,'
# a step or an epoch, a value, and perhaps when it was logged
_POINTS = [{at, "value", "timestamp", "time", "wall_time"} for at in ("step", "epoch")]


@lru_cache(maxsize=16)
def _csv_format(header: tuple[str, ...]) -> str | None:
    """Tell the writers of CSVs apart by their column names."""
    names = {name.lower() for name in header}
    if any(f"{name}__min" in names for name in names) or {"_step", "_runtime"} & names:
        return "mlflow" if names >= _PRIVATE else "wandb"
    if _holds_one_series(names):
        return "tensorboard_page"
    if any(of_keys <= names for of_keys in _KEYED):
        return "mlflow"
    # other training loops name their losses train/ and val/ too: that proves nothing
    if "epoch" in names and any(
        "/" in name and re.fullmatch(_YOLO, name) for name in names
    ):
        return "ultralytics"
    if {"epoch", "step"} <= names:
        return "hugging_face" if _TRAINER_COLUMNS & names else "lightning"
    pairs = any(f"val_{name}" in names for name in names)
    keras = {"epoch", "epochs", "loss", "val_loss"} & names or pairs
    told = "value" in names and names & _TELLERS
    losses = any("loss" in name for name in names) or tells_data_sets(names)
    stepped = set(STEP_NAMES) & names and (losses or told)
    plainly = keras or stepped or (losses and any(map(_may_be_epoch, names)))
    return "csv" if plainly and len(header) > 1 else None


def tells_data_sets(names: set[str]) -> bool:
    """Tell whether a series stands there of a training and of its validation.

    >>> tells_data_sets({"run/train", "run/validation"})
    True
    >>> tells_data_sets({"train_size", "test_time"})
    False
    """
    of_training, of_validation = (
        {re.sub(pattern, "", name) for name in names if re.search(pattern, name)}
        for pattern in (_OF_TRAINING, _OF_VALIDATION)
    )
    return bool(of_training & of_validation)


_OF_TRAINING = r"(?i)(?<![a-z])train(ing)?(?![a-z])"
_OF_VALIDATION = r"(?i)(?<![a-z])(val(id(ation)?)?|eval|test)(?![a-z])"


def _may_be_epoch(name: str) -> bool:
    alike = re.fullmatch(LIKE_EPOCH, re.sub("[^a-z]", "", name))
    return alike is not None or name in EPOCH_NAMES


def _holds_one_series(names: set[str]) -> bool:
    """Tell whether a table is of one series: a value at each step, perhaps with times.

    TensorBoard's page has a column ``Wall time``, its ``EventAccumulator`` a
    ``wall_time``, Neptune's tables a ``timestamp``; pandas puts its own index before
    them.
    """
    steps = names & SERIES_STEPS
    beside = names - steps - {"value", "", "unnamed: 0", SERIES_SMOOTHED}
    return "value" in names and len(steps) == 1 and beside <= SERIES_TIMES


def reader_for(
    name: str, options: ReadOptions, metadata: RunMetadata | None = None
) -> LogReader:
    """Return the reader of a format; its module is imported only now."""
    return _reader_class(name)(options, metadata)


@lru_cache
def _reader_class(name: str) -> Callable[..., LogReader]:
    from importlib import import_module

    place, _, called = FORMATS[name].reader.rpartition(".")
    module = import_module(f"cbreplay.readers.{place}")
    reader: Callable[..., LogReader] = getattr(module, called)
    return reader
