"""Hypothesis strategies: series, runs, callbacks."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from cbreplay import EarlyStopping, ReduceLROnPlateau, Run

# a few values near each other make ties and small differences likely
_POOL = [0.5, 0.5, 0.25, 1.0, 1.5, float(np.nextafter(np.float32(0.5), np.float32(1)))]

# sixteenths: exact in float32, and so far from its subnormals that scaling by a power
# of two reaches none (Keras takes those as zero, so there it does change decisions)
_numbers = st.integers(-64, 64).map(lambda count: count / 16)
values = st.one_of(
    st.sampled_from(_POOL),
    _numbers,
    st.sampled_from([math.nan, math.inf, None]),
)


@st.composite
def runs(draw: st.DrawFn, *, min_epochs: int = 1, finite: bool = False) -> Run:
    """Runs that monitor val_loss, with missing epochs unless they are finite."""
    losses = draw(
        st.lists(_numbers if finite else values, min_size=min_epochs, max_size=25)
    )
    if all(loss is None for loss in losses):
        losses[0] = 0.5
    return Run.from_logs(
        [{"loss": 1.0, "val_loss": loss, "learning_rate": 0.01} for loss in losses],
        first_epoch=draw(st.sampled_from([0, 0, 3])),
        planned_epochs=draw(st.sampled_from([None, 50])),
    )


@st.composite
def early_stoppings(draw: st.DrawFn) -> EarlyStopping:
    """EarlyStopping with every parameter varied but the monitor."""
    return EarlyStopping(
        mode=draw(st.sampled_from(["auto", "min", "max"])),
        patience=draw(st.integers(-1, 8)),
        min_delta=draw(st.sampled_from([0, 0.125, -0.125, 0.5])),
        baseline=draw(st.sampled_from([None, 0.5, 1.0])),
        restore_best_weights=draw(st.booleans()),
        start_from_epoch=draw(st.integers(0, 5)),
    )


@st.composite
def plateaus(draw: st.DrawFn) -> ReduceLROnPlateau:
    """ReduceLROnPlateau with every parameter varied but the monitor."""
    return ReduceLROnPlateau(
        mode=draw(st.sampled_from(["auto", "min", "max"])),
        factor=draw(st.sampled_from([0.1, 0.5, 0.3])),
        patience=draw(st.integers(0, 5)),
        min_delta=draw(st.sampled_from([0, 1e-4, 0.125])),
        cooldown=draw(st.integers(0, 3)),
        min_lr=draw(st.sampled_from([0.0, 0.001])),
    )
