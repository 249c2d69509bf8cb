"""Whatever a public function is given: it answers, or says in one sentence why not.

Each call below is right; then every argument of it in turn gets every odd value.
"""

from __future__ import annotations

import functools
import inspect
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

import cbreplay
from cbreplay import (
    CbreplayError,
    ConfigError,
    EarlyStopping,
    Judging,
    Recorder,
    Run,
    Series,
    choices,
    distributed,
    make_grid,
    plots,
    recommend,
    record,
    report,
)
from cbreplay.arguments import read_argument
from tests.conftest import write_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STOPPING = EarlyStopping(patience=2)
TRIED = choices(EarlyStopping, patience=[1, 2])
JUDGED = ("semantics", "initial_learning_rate", "objective", "objective_mode")
# it would train: what checks its arguments is that of the others
TRAINS = "train_experiment"
MOST_LETTERS = 500


class Plain:
    """Something that nobody expects."""


def made_run(seed: int) -> Run:
    losses = (np.exp(-np.arange(20) / 5) + seed / 100).tolist()
    rows = [{"loss": loss, "val_loss": loss, "lr": 0.01} for loss in losses]
    return Run.from_logs(rows, name=f"run{seed}", planned_epochs=20)


def odd_values() -> list[Any]:
    """Return values of every type: each that can be used up is new."""
    run = made_run(7)
    return [
        *(None, True, 0, 3, -1, 2.5, float("nan"), 10**400, 1j, Decimal("0.9")),
        *("", "5", b"5", [], [1], ["a"], [None], (), (1, 2), {}, {"a": 1}, {1, 2}),
        *(Plain(), Plain, iter([1]), np.float32(1), np.int64(2), np.True_),
        *(np.array(3), np.array([]), np.array([1.0, 2.0]), np.array(["a"])),
        *(run, run.series["loss"], STOPPING, TRIED, make_grid([TRIED])),
    ]


class RightCall(NamedTuple):
    """A call that answers."""

    function: Callable[..., Any]
    given: tuple[Any, ...] = ()
    options: dict[str, Any] = {}  # noqa: RUF012 - it is only read

    def with_odd(self, name: str, odd: Any) -> Callable[[], Any]:
        """Return the same call with another value for one argument."""
        parameters = inspect.signature(self.function).parameters
        kind = parameters[name].kind if name in parameters else None
        if kind is inspect.Parameter.VAR_POSITIONAL:
            return functools.partial(self.function, odd, **self.options)
        if kind is None or kind is inspect.Parameter.VAR_KEYWORD:
            options = self.options | {name: odd}
            return functools.partial(self.function, *self.given, **options)
        bound = inspect.signature(self.function).bind(*self.given, **self.options)
        bound.arguments[name] = odd
        return functools.partial(self.function, *bound.args, **bound.kwargs)

    def names(self) -> Iterator[str]:
        """Yield the names of its arguments; those of ``**judging`` each."""
        for name, parameter in inspect.signature(self.function).parameters.items():
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
                yield name
            elif name == "judging":
                yield from (*JUDGED, "judging")
            else:
                yield from self.options


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RightCall]:
    folder = tmp_path_factory.mktemp("arguments")
    return {call.function.__name__: call for call in right_calls(folder)} | {
        f"{call.function.__qualname__}": call for call in right_methods(folder)
    }


def right_calls(folder: Path) -> list[RightCall]:
    """Return a call of every public function."""
    log = write_csv(folder / "logs.csv", [0.9, 0.5, 0.6, 0.7])
    script = folder / "train.py"
    script.write_text("model.fit(x, callbacks=[EarlyStopping(patience=3)])\n")
    run, rival = made_run(0), cbreplay.replay_run(made_run(0), EarlyStopping())
    runs, grid = [made_run(seed) for seed in range(3)], make_grid([TRIED])
    replay = cbreplay.replay_run(rival.run, STOPPING)
    sweep, _ = recommend.sweep_patience(runs)
    advice = recommend.recommend_config(sweep)
    costs = recommend.measure_costs(sweep, advice)
    document = report.build_settings_report([run], grid)
    curve, rate = (
        plots.learning_curve_points(replay),
        plots.learning_rate_points(replay),
    )
    both = {"A": replay, "B": rival}
    return [
        RightCall(cbreplay.ask, (run,)),
        RightCall(cbreplay.build_staircase, (run,)),
        RightCall(choices, (EarlyStopping,), {"patience": [1, 2]}),
        RightCall(cbreplay.compare_replays, (replay, rival)),
        RightCall(cbreplay.confirm_replay, (run, STOPPING)),
        RightCall(cbreplay.explain_replay, (replay,)),
        RightCall(cbreplay.lint_callbacks, (STOPPING,)),
        RightCall(cbreplay.load_runs, (log,)),
        RightCall(make_grid, ([TRIED],)),
        RightCall(cbreplay.pair_choices, ([TRIED],)),
        RightCall(cbreplay.parse_callbacks, ("EarlyStopping()",)),
        RightCall(cbreplay.read_script_callbacks, (script,)),
        RightCall(cbreplay.recommend_config, (sweep,)),
        RightCall(cbreplay.recorded, ([], folder / "recorded")),
        RightCall(cbreplay.recording, (folder / "recording",)),
        RightCall(cbreplay.replay_fits, ([run], STOPPING)),
        RightCall(cbreplay.replay_run, (run, STOPPING)),
        RightCall(cbreplay.sweep_runs, (run, grid)),
        RightCall(cbreplay.write_keras_code, (STOPPING,)),
        RightCall(distributed.sweep_logs, ([log], grid)),
        RightCall(plots.learning_curve_points, (replay,)),
        RightCall(plots.learning_rate_points, (replay,)),
        RightCall(plots.map_points, (costs, advice)),
        RightCall(plots.plot_learning_curve, (curve,)),
        RightCall(plots.plot_learning_rate, (rate,)),
        RightCall(plots.plot_map, (plots.map_points(costs, advice),)),
        RightCall(plots.plot_replay, (replay,)),
        RightCall(plots.plot_settings, (both,)),
        RightCall(plots.plot_trade_off, (plots.trade_off_points(costs, advice),)),
        RightCall(plots.save_figure, (plots.plot_replay(replay), folder / "a.png")),
        RightCall(plots.several_curve_points, (both,)),
        RightCall(plots.trade_off_points, (costs, advice)),
        RightCall(recommend.count_needed, (0.9,)),
        RightCall(recommend.find_groups, (runs, None)),
        RightCall(recommend.measure_costs, (sweep, advice)),
        RightCall(recommend.sweep_patience, (runs,)),
        RightCall(report.build_report, ([run],)),
        RightCall(report.build_settings_report, ([run], grid)),
        RightCall(report.write_html, (document,)),
        RightCall(report.write_markdown, (document,)),
        RightCall(report.write_report, (document, folder / "page.md")),
    ]


def right_methods(folder: Path) -> list[RightCall]:
    """Return a call of what else a user makes or asks: of classes and of results."""
    run = made_run(0)
    one = Series(np.array([1.0]), np.array([True]))
    held = {"name": "a", "source": "b", "first_epoch": 0, "series": {"loss": one}}
    answer = cbreplay.ask(run)
    judged = functools.partial(cbreplay.replay_run, run, STOPPING)

    def judge(**words: Any) -> Any:
        return judged(judging=Judging(**words))

    return [
        RightCall(judge, (), dict.fromkeys(JUDGED)),
        RightCall(Recorder, (folder / "recorder",)),
        RightCall(Run.from_logs, ([{"loss": 1.0}],)),
        RightCall(Run, (), held),
        RightCall(run.holds, ("loss",)),
        RightCall(run.monitored, ("loss",)),
        RightCall(run.plot, (), {"patience": 1, "monitor": "val_loss"}),
        RightCall(Series, (one.values, one.recorded)),
        RightCall(Series.from_optional, ([1.0, None],)),
        RightCall(answer.plot, (), {"patience": 1}),
        RightCall(answer.save, (folder / "answer.md",)),
        *(
            RightCall(rule, given)
            for rule, given in (
                (cbreplay.EarlyStopping, ()),
                (cbreplay.EmaStopping, (3,)),
                (cbreplay.LearningRateScheduler, ({0: 0.1},)),
                (cbreplay.MeanStopping, (3,)),
                (cbreplay.ModelCheckpoint, ("a.keras",)),
                (cbreplay.PrecheltGL, (1.0,)),
                (cbreplay.PrecheltPQ, (1.0,)),
                (cbreplay.PrecheltUP, (1,)),
                (cbreplay.ReduceLROnPlateau, ()),
                (cbreplay.TargetStopping, (0.3,)),
                (cbreplay.TerminateOnNaN, ()),
            )
        ),
    ]


def public_functions() -> set[str]:
    modules = (cbreplay, distributed, plots, record, recommend, report)
    names = {
        name
        for module in modules
        for name in module.__all__
        if inspect.isfunction(getattr(module, name))
    }
    return names - {TRAINS}


def test_every_public_function_is_called(calls: dict[str, RightCall]) -> None:
    assert public_functions() <= set(calls)


@pytest.mark.no_cover
def test_every_right_call_answers(calls: dict[str, RightCall]) -> None:
    for name in public_functions() - {"confirm_replay"}:
        call = calls[name]
        assert call.function(*call.given, **call.options) is not None, name


@pytest.mark.no_cover
@pytest.mark.slow
def test_an_odd_argument_is_answered_or_refused_in_one_sentence(
    calls: dict[str, RightCall],
) -> None:
    told = []
    for function, call in calls.items():
        for name in call.names():
            for odd in odd_values():
                if callable(odd) and name in ("progress", "on_epoch", "draw"):
                    # a function of the user's may raise what it will
                    continue
                try:
                    call.with_odd(name, odd)()
                except CbreplayError as error:
                    sentence = str(error)
                    if "\n" in sentence or len(sentence) > MOST_LETTERS:
                        told.append(f"{function}, {name}={odd!r}: {sentence}")
                except Exception as error:  # noqa: BLE001 - what must not be
                    told.append(f"{function}, {name}={odd!r}: {error!r}")
    assert told == []


@pytest.mark.parametrize(
    ("annotation", "value", "sentence"),
    [
        ("int", "5", "a whole number"),
        ("int | None", True, "a whole number"),
        ("float", "0.9", "a number"),
        ("float", 1j, "a number"),
        ("bool", "no", "True or False"),
        ("Literal['best', 'last']", "all", "'best' or 'last'"),
        ("Iterable[int]", 5, "a list of whole numbers"),
        ("Iterable[int]", [1.5], "a list of whole numbers"),
        ("Iterable[int]", b"5", "a list of whole numbers"),
        (
            "int | Iterable[int] | None",
            "5",
            "a whole number or a list of whole numbers",
        ),
        # its letters would be taken for paths
        ("Iterable[str | os.PathLike[str]]", "logs.csv", "a list of paths"),
        # a set has no order in which its labels could belong to runs
        ("Sequence[Any]", {"a"}, "a list"),
        ("Mapping[str, Replay]", {"a": 3}, "a dict of Replay objects"),
        ("Sweep", [3], "a Sweep, as sweep_runs returns it,"),
        ("Callable[[int, int], None] | None", 3, "a function"),
        ("str | os.PathLike[str]", 3, "a path"),
    ],
)
def test_what_is_expected_is_said(annotation: str, value: Any, sentence: str) -> None:
    with pytest.raises(ConfigError) as told:
        read_argument("name", value, annotation)
    assert str(told.value) == f"name is {value!r}, where {sentence} is expected"


@pytest.mark.parametrize(
    ("annotation", "value", "read"),
    [
        ("int", np.uint8(200), 200),
        ("float", np.float32(0.5), 0.5),
        ("float", Decimal("0.9"), 0.9),
        ("float", 10**300, 10**300),
        ("bool", np.True_, True),
        ("str | None", np.str_("loss"), "loss"),
        ("Iterable[int]", np.array([3, 4], dtype=np.uint8), [3, 4]),
        ("Iterable[int]", iter([5]), [5]),
        ("float | Sequence[float]", range(2), [0, 1]),
    ],
)
def test_numbers_and_texts_become_pythons_own(
    annotation: str, value: Any, read: Any
) -> None:
    found = read_argument("name", value, annotation)
    assert found == read
    assert type(found) is type(read)
