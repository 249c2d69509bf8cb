"""What differs between Keras versions and backends, each with its source.

A rule reads the fields; no rule asks for a version.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from cbreplay.monitor import Comparison, Precision

if TYPE_CHECKING:
    from cbreplay.run import Mode

__all__ = [
    "SEMANTICS",
    "UNMEASURED",
    "AutoMode",
    "MonitorRule",
    "Semantics",
    "has_backends",
    "on_platform",
]


# how mode="auto" finds a direction: the compiled metric tells it, or nothing does; a
# name that ends in acc, accuracy or auc is "max", any other "min"; a name with "acc" in
# it (or, in the last, one that starts with fmeasure) is "max", any other "min"
AutoMode: TypeAlias = Literal[
    "metric",
    "name ends in acc or auc",
    "name holds acc",
    "name holds acc or starts with fmeasure",
]


class MonitorRule(NamedTuple):
    """How a callback compares what it monitors.

    Parameters
    ----------
    precision : {"float32", "float64"}
        To what both sides are rounded before they are compared.
    delta_on : {"value", "reference"}
        Which side carries ``min_delta``.
    absolute_min_delta : bool
        Whether a negative ``min_delta`` is made positive.
    starts_empty : bool
        Whether the first value always improves (``best`` is None before it), even
        NaN, after which nothing does; else ``best`` starts at plus or minus infinity.
    auto : AutoMode
        Where ``mode="auto"`` looks for a direction.
    carries_best : bool
        Whether a second fit with the same instance starts with the ``best`` of the
        first; else it is reset when the fit begins.
    """

    precision: Precision
    delta_on: Literal["value", "reference"]
    absolute_min_delta: bool
    starts_empty: bool
    auto: AutoMode
    carries_best: bool

    def size(self, min_delta: float) -> float:
        """Return ``min_delta`` as the callback takes it."""
        return abs(min_delta) if self.absolute_min_delta else min_delta


class Semantics(NamedTuple):
    """How one Keras version on one backend decides.

    Parameters
    ----------
    name : str
        What the user or the log named, for example ``"keras-3.15.1"``.
    row : str
        The row of the table that it was resolved to.
    early_stopping, reduce_lr_on_plateau, model_checkpoint : MonitorRule
        How each compares.
    restores_without_stop : bool
        Whether ``restore_best_weights`` acts in ``on_train_end``, also of a training
        that was not stopped early; else it acts inside ``on_epoch_end``, and only in
        the epoch of its own stop.
    first_weights_set_best_epoch : bool
        Whether ``best_epoch`` names the first weights that are held for restoring,
        though their value was no improvement.
    factor_precision : {"float32", "float64"}
        To what ``factor`` is rounded before the rate is multiplied by it. The new rate
        is stored as float32 either way.
    learning_rate_key : {"learning_rate", "lr"}
        Under which name ReduceLROnPlateau writes the rate into ``logs``.
    saves_without_monitor : bool
        Whether ModelCheckpoint with ``save_best_only`` saves an epoch without its
        monitor; else it skips it.
    checkpoint_suffixes : tuple of str
        In what the file of a whole model has to end (and one of weights in
        ``.weights.h5``); empty where any name does.
    terminate_on_nan_can_raise : bool
        Whether TerminateOnNaN has ``raise_error``.
    flush_subnormals : bool
        Whether float32 comparisons take values below 2**-126 as zero.
    """

    name: str
    row: str
    early_stopping: MonitorRule
    reduce_lr_on_plateau: MonitorRule
    model_checkpoint: MonitorRule
    restores_without_stop: bool
    first_weights_set_best_epoch: bool
    factor_precision: Precision
    learning_rate_key: Literal["learning_rate", "lr"]
    saves_without_monitor: bool
    checkpoint_suffixes: tuple[str, ...]
    terminate_on_nan_can_raise: bool
    flush_subnormals: bool

    @property
    def takes_older_names(self) -> bool:
        """Whether parameters are taken that callbacks had before TensorFlow 2.

        Keras 3 left them out together with the name of the rate in ``logs``.
        """
        return self.learning_rate_key == "lr"

    @property
    def refuses_rate_of_schedule(self) -> bool:
        """Whether an optimizer with a LearningRateSchedule refuses another rate.

        Keras 3 does (the setter of ``learning_rate``); before, what was set stood
        until the next step, at which the schedule set its own: driven on 2.15.0 and
        tf_keras 2.21.0, whose weights are those of a fit without the callback. The
        optimizers of ``optimizers.legacy`` raise TypeError there as well.
        """
        return self.learning_rate_key == "learning_rate"

    @property
    def names_metrics_by_text(self) -> bool:
        """Whether ``metrics=["AUC"]`` is logged as AUC; else by the class, as auc.

        keras/src/trainers/compile_utils.py, get_metric, of 3.0.5 to 3.15.1.
        """
        return self.learning_rate_key == "learning_rate"

    def comparison(
        self, rule: MonitorRule, mode: "Mode", min_delta: float
    ) -> Comparison:
        """Return how a callback with this mode and min_delta compares."""
        size = rule.size(min_delta)
        return Comparison(
            mode=mode,
            delta=-size if mode == "min" else size,
            delta_on=rule.delta_on,
            precision=rule.precision,
            flush_subnormals=self.flush_subnormals,
        )


# The table. Each row is the one before it with what a release changed; the comment
# names the file of that release in which it was read, and says what stands there. The
# real classes are driven beside it by tests/differential/test_keras_versions.py.

# keras/src/callbacks.py of 2.15.0. All three compare Python floats by np.less or
# np.greater, which is float64. EarlyStopping takes abs(min_delta) and asks for
# value - min_delta < best; ReduceLROnPlateau takes min_delta with its sign and asks for
# value < best - min_delta; ModelCheckpoint has no min_delta, and skips an epoch without
# its monitor. `best` begins as plus or minus infinity. EarlyStopping puts the best
# weights back in the epoch in which it stops. The optimizer's rate is a numpy float32;
# these releases run on numpy 1 alone, where that times a Python float is float64.
_KERAS_2_15 = Semantics(
    name="",
    row="",
    early_stopping=MonitorRule(
        precision="float64",
        delta_on="value",
        absolute_min_delta=True,
        starts_empty=False,
        auto="name ends in acc or auc",
        carries_best=False,
    ),
    reduce_lr_on_plateau=MonitorRule(
        precision="float64",
        delta_on="reference",
        absolute_min_delta=False,
        starts_empty=False,
        auto="name holds acc",
        carries_best=False,
    ),
    model_checkpoint=MonitorRule(
        precision="float64",
        delta_on="value",
        absolute_min_delta=True,
        starts_empty=False,
        auto="name holds acc or starts with fmeasure",
        # ModelCheckpoint sets its best when it is made and, in every release, never
        # again: a second fit with the same instance begins with that of the first
        carries_best=True,
    ),
    restores_without_stop=False,
    first_weights_set_best_epoch=False,
    factor_precision="float64",
    learning_rate_key="lr",
    saves_without_monitor=False,
    checkpoint_suffixes=(),
    terminate_on_nan_can_raise=False,
    flush_subnormals=False,
)
# tf_keras/src/callbacks.py of 2.16.0. EarlyStopping puts the best weights back in
# on_train_end, which is called whether or not it stopped; and where it takes the first
# weights it sets best_epoch, though their value may be no improvement.
_TF_KERAS_2_16 = _KERAS_2_15._replace(
    restores_without_stop=True, first_weights_set_best_epoch=True
)
# tf_keras/src/callbacks.py of 2.18.0 runs on numpy 2 as well, where a numpy float32
# times a Python float is float32. With the suffix "+numpy1" the row above decides.
_TF_KERAS_2_18 = _TF_KERAS_2_16._replace(factor_precision="float32")
# keras/src/callbacks/early_stopping.py of 3.0.0. The comparison is ops.less, which
# casts Python floats to float32, and on TensorFlow takes subnormal numbers as zero;
# mode="auto" asks the compiled metric for its direction. ReduceLROnPlateau
# (reduce_lr_on_plateau.py) still compares as in Keras 2, but computes with the rate as
# a Python float and logs it as "learning_rate". ModelCheckpoint (model_checkpoint.py)
# checks in what its file ends.
_KERAS_3_0 = _TF_KERAS_2_16._replace(
    early_stopping=MonitorRule(
        precision="float32",
        delta_on="value",
        absolute_min_delta=True,
        starts_empty=False,
        auto="metric",
        # its best is set once, with the comparison, and not when a fit begins
        carries_best=True,
    ),
    learning_rate_key="learning_rate",
    checkpoint_suffixes=(".keras",),
    flush_subnormals=True,
)
# keras/src/callbacks/early_stopping.py of 3.7.0. When a fit begins, best is None: any
# first value improves on that, and nothing of an earlier fit is left.
_KERAS_3_7 = _KERAS_3_0._replace(
    early_stopping=_KERAS_3_0.early_stopping._replace(
        starts_empty=True, carries_best=False
    )
)
# keras/src/callbacks/model_checkpoint.py takes files that end in .h5 from 3.8.0 on, and
# from 3.10.0 on saves an epoch that has no monitor.
_KERAS_3_8 = _KERAS_3_7._replace(checkpoint_suffixes=(".keras", ".h5"))
_KERAS_3_10 = _KERAS_3_8._replace(saves_without_monitor=True)
# keras/src/callbacks/monitor_callback.py, new in 3.11.0. All three callbacks inherit
# one comparison from it, that of EarlyStopping. Their best is None when they are made,
# and is not reset when a fit begins.
_MONITOR_CALLBACK = _KERAS_3_10.early_stopping._replace(carries_best=True)
_KERAS_3_11 = _KERAS_3_10._replace(
    early_stopping=_MONITOR_CALLBACK,
    reduce_lr_on_plateau=_MONITOR_CALLBACK,
    model_checkpoint=_MONITOR_CALLBACK,
)
# keras/src/callbacks/terminate_on_nan.py of 3.13.0 has the parameter raise_error.
_KERAS_3_13 = _KERAS_3_11._replace(terminate_on_nan_can_raise=True)
# keras/src/callbacks/early_stopping.py and reduce_lr_on_plateau.py of 3.15.0 set best
# to None again when a fit begins.
_KERAS_3_15 = _KERAS_3_13._replace(
    early_stopping=_MONITOR_CALLBACK._replace(carries_best=False),
    reduce_lr_on_plateau=_MONITOR_CALLBACK._replace(carries_best=False),
)

# package, major version, the first and the last minor version that the row decides for
_SPANS = (
    ("keras", 2, 15, 15, _KERAS_2_15),
    ("keras", 3, 0, 6, _KERAS_3_0),
    ("keras", 3, 7, 7, _KERAS_3_7),
    ("keras", 3, 8, 9, _KERAS_3_8),
    ("keras", 3, 10, 10, _KERAS_3_10),
    ("keras", 3, 11, 12, _KERAS_3_11),
    ("keras", 3, 13, 14, _KERAS_3_13),
    ("keras", 3, 15, 15, _KERAS_3_15),
    # Keras 2.15 under another name, its callbacks letter by letter
    ("tf_keras", 2, 15, 15, _KERAS_2_15),
    ("tf_keras", 2, 16, 17, _TF_KERAS_2_16),
    ("tf_keras", 2, 18, 21, _TF_KERAS_2_18),
)
SEMANTICS = {
    name: row._replace(name=name, row=name)
    for package, major, first, last, row in _SPANS
    for name in [f"{package}-{major}.{minor}" for minor in range(first, last + 1)]
}
# TensorFlow and JAX decide alike and need no suffix; but a finite value beyond float32,
# on which TensorFlow raises ValueError and a replay is refused, is infinite on JAX
UNMEASURED = ("+torch-backend", "+openvino-backend")


def on_platform(plain: Semantics, suffix: str) -> Semantics | None:
    """Return a row as a numpy or a backend changes it; None if it cannot be."""
    if not suffix:
        return plain
    named = plain._replace(name=plain.name + suffix, row=plain.row + suffix)
    if not has_backends(plain.row):
        # numpy 1 promotes float32 times a Python float to float64
        changed = named._replace(factor_precision="float64")
        return changed if suffix == "+numpy1" else None
    if suffix == "+numpy-backend":
        # keras/src/backend/numpy/numpy.py: less keeps Python floats in float64
        return named._replace(
            early_stopping=plain.early_stopping._replace(precision="float64"),
            reduce_lr_on_plateau=plain.reduce_lr_on_plateau._replace(
                precision="float64"
            ),
            model_checkpoint=plain.model_checkpoint._replace(precision="float64"),
        )
    return named if suffix in UNMEASURED else None


def has_backends(name: str) -> bool:
    """Return whether the Keras of this name runs on several backends."""
    return name.startswith("keras-") and not name.startswith("keras-2.")
