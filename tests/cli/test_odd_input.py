"""What nobody means ends in an answer or in one sentence, never in a traceback."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    LogError,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
    choices,
    explain_replay,
    load_runs,
    make_grid,
    parse_callbacks,
    replay_run,
)
from cbreplay.arguments import shown_value
from cbreplay.readers.base import Damage, ReadOptions
from cbreplay.readers.discovery import patterns
from cbreplay.readers.discovery.patterns import expand_pattern
from tests.conftest import VALUES, Ask, write_csv

DIGITS = "9" * 5000
BITS = f"0x{'f' * 5000}"
NUMBERS = [DIGITS, BITS, f"-{BITS}", "1" + "0" * 400, "9" * 300, "1e400", "-1e400"]
KINDS = ["b'x'", "1j", "{1, 2}", "{1: 2}", "...", "None", "True", "()", "(1,)", "[]"]
KINDS += ["'\\ud800'", "[[]]", "range(0)", f"range({BITS})", f"{{{BITS}: 1}}", "[None]"]
PARAMETERS = [
    ("EarlyStopping", "monitor min_delta patience verbose mode baseline"),
    ("EarlyStopping", "restore_best_weights start_from_epoch"),
    ("ReduceLROnPlateau", "monitor factor patience verbose mode min_delta"),
    ("ReduceLROnPlateau", "cooldown min_lr"),
    ("ModelCheckpoint", "filepath"),
    ("TerminateOnNaN", "raise_error"),
    ("LearningRateScheduler", "schedule"),
    ("PrecheltGL", "alpha monitor"),
    ("PrecheltUP", "strips"),
    ("EmaStopping", "patience smoothing min_delta"),
    ("MeanStopping", "window"),
    ("TargetStopping", "target"),
    ("CSVLogger", "filename"),
]


Words = list[str | Path]


def answered(status: int, err: str) -> bool:
    return status in (0, 1, 2) and "Traceback" not in err and len(err) < 5000


@pytest.mark.no_cover
@pytest.mark.parametrize("value", [*NUMBERS, *KINDS], ids=lambda text: text[:12])
def test_any_value_of_any_parameter_is_answered(
    ask: Ask, log: Path, value: str
) -> None:
    for rule, names in PARAMETERS:
        for name in names.split():
            expression = f"{rule}({name}={value})"
            for words in (["simulate", log], ["explain", log], ["lint"]):
                answer = ask(*words, "-c", expression)
                assert answered(answer.status, answer.err), (words[0], expression[:80])


@pytest.mark.parametrize(
    "value", [10**400, 16**5000, b"x", 1j, {1}, None, "x"], ids=shown_value
)
def test_a_number_is_named_by_its_parameter(value: object) -> None:
    with pytest.raises(
        ConfigError, match=r"patience is .*, where a number is expected"
    ):
        EarlyStopping(patience=value)  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("value", [b"x", 3, None, {1: 2}, ["loss"]])
def test_a_monitor_is_a_name(value: object) -> None:
    for make in (EarlyStopping, ReduceLROnPlateau):
        with pytest.raises(
            ConfigError, match=r"monitor is .*, where a name is expected"
        ):
            make(monitor=value)  # type: ignore[arg-type]


def test_a_number_as_the_first_argument_may_be_meant_as_the_patience() -> None:
    with pytest.raises(ConfigError, match=r"first argument; write patience=5 if"):
        EarlyStopping(5)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [b"x", 1j, {1: 2}, [1], 16**5000], ids=shown_value)
def test_a_flag_is_one_plain_value(value: object) -> None:
    for make in (
        lambda: EarlyStopping(restore_best_weights=value),  # type: ignore[arg-type]
        lambda: TerminateOnNaN(raise_error=value),  # type: ignore[arg-type]
        lambda: ModelCheckpoint("x.keras", save_best_only=value),  # type: ignore[arg-type]
    ):
        with pytest.raises(ConfigError, match="where True or False is expected"):
            make()


def test_a_patience_without_end_is_spoken_of(log: Path) -> None:
    (run,) = load_runs(log)
    for callback in (
        EarlyStopping(patience=float("inf")),
        EarlyStopping(start_from_epoch=float("inf")),
        ReduceLROnPlateau(patience=float("inf")),
        ReduceLROnPlateau(patience=1, cooldown=float("inf")),
    ):
        replay = replay_run(run, callback, semantics="keras-3.15")
        assert replay.stopped_epoch is None
        assert explain_replay(replay).rows


def test_more_values_than_can_be_tried_are_refused() -> None:
    with pytest.raises(ConfigError, match="more values than can be tried"):
        choices(EarlyStopping, patience=range(10**400))
    many = range(10**6)
    tried = choices(
        EarlyStopping,
        patience=many,
        min_delta=many,
        baseline=many,
        start_from_epoch=many,
    )
    with pytest.raises(ConfigError, match="more than can be tried"):
        make_grid([tried])
    with pytest.raises(ConfigError, match="patience is nan"):
        choices(EarlyStopping, patience=[1, float("nan"), 2, 3.5])


@pytest.mark.parametrize("number", [DIGITS, "1" + "0" * 400, "1e400", "nan", "-1"])
@pytest.mark.parametrize(
    "option",
    [
        ("simulate", "--patience"),
        ("simulate", "--min-delta"),
        ("simulate", "--start-from-epoch"),
        ("simulate", "--initial-lr"),
        ("simulate", "--planned-epochs"),
        ("recommend", "--tolerance"),
        ("recommend", "--recorded-under"),
        ("recommend", "--cost-weight"),
        ("recommend", "--fail-if"),
        ("simulate", "--semantics"),
    ],
    ids=" ".join,
)
def test_any_number_of_an_option_is_answered(
    ask: Ask, log: Path, option: tuple[str, str], number: str
) -> None:
    command, name = option
    written = {
        "--fail-if": f"left_out_regret>{number}",
        "--semantics": f"keras-3.{number}",
    }
    for value in (written.get(name, number), f"1:{number}"):
        answer = ask(command, log, name, value)
        assert answered(answer.status, answer.err)


RUN_JSON = [
    {"optimizer": {"initial_learning_rate": 10**400}},
    {"wall_seconds": -(10**400)},
    {"keras": {"version": "3." + "9" * 5000}},
    {"fit": {"epochs": -1, "validation_freq": 0, "initial_epoch": -5}},
    {"fit": {"epochs": 10**400, "validation_freq": [0]}},
    {"ended": {"by": "\ud800", "epoch": 10**30}},
    {"callbacks": ["EarlyStopping(patience='\ud800')", f"EarlyStopping({BITS})"]},
    {"metrics": {"\ud800": "min", "val_loss": None}},
    {"started": "0001-01-01T00:00:00+23:59"},
    {"experiment": "\ud800\x1b[31m", "seed": 10**4000},
]


@pytest.mark.no_cover
@pytest.mark.parametrize("fields", RUN_JSON, ids=lambda one: next(iter(one)))
def test_nonsense_in_run_json_is_noted_or_refused(
    ask: Ask, tmp_path: Path, fields: dict[str, object]
) -> None:
    write_csv(tmp_path / "logs.csv", VALUES)
    (tmp_path / "run.json").write_text(json.dumps({"schema": 1, **fields}))
    asked: list[Words] = [
        ["simulate"],
        ["simulate", "--format", "json"],
        ["simulate", "--patience", "1:3", "--format", "csv"],
        ["inspect"],
        ["explain"],
        ["lint"],
        ["recommend", "--format", "json"],
        ["report", "-o", tmp_path / "page.html"],
    ]
    for words in asked:
        command, *rest = words
        answer = ask(command, tmp_path, *rest)
        assert answered(answer.status, answer.err), words
        answer.out.encode()


@pytest.mark.parametrize(
    "coding", ["utf-16", "rot13", "punycode", "undefined", "hex", "xyz", "x" * 300]
)
def test_an_odd_encoding_of_a_script_is_one_sentence(
    ask: Ask, tmp_path: Path, log: Path, coding: str
) -> None:
    script = tmp_path / "train.py"
    script.write_text(f"# coding: {coding}\nm.fit(x, callbacks=[EarlyStopping()])\n")
    asked: list[Words] = [["lint", script], ["simulate", log, "-c", f"@{script}"]]
    for words in asked:
        answer = ask(*words)
        assert answer.status == 2
        assert "it is not text that Python could read" in answer.err


def test_numbers_of_a_script_may_have_any_length(ask: Ask, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        f"import keras\nP = {BITS}\nm.fit(x, epochs=P, validation_freq=P, callbacks=["
        "keras.callbacks.EarlyStopping(patience=P), keras.callbacks.CSVLogger(P)])\n"
    )
    answer = ask("lint", script)
    assert answer.status == 0
    said = " ".join(answer.out.split())
    assert (
        "Not read - line 3: EarlyStopping: patience is a number of 20000 bits" in said
    )


@pytest.mark.parametrize("length", [300, 5000])
def test_a_name_of_any_length_is_one_sentence(ask: Ask, log: Path, length: int) -> None:
    name = "x" * length
    for words in (
        ["simulate", name],
        ["simulate", f"{log}#{name}"],
        ["simulate", log, "--run", name],
        ["simulate", log, "-c", f"@{name}"],
        ["lint", f"{name}.py"],
        ["recommend", log, "--current", f"{name}.py"],
        ["report", log, "-o", f"{name}.html"],
        ["plot", log, "-o", f"{name}.png"],
        ["train", "diabetes", "--out", name],
    ):
        answer = ask(*words)
        assert answer.status == 2, words[0]
        assert answered(answer.status, answer.err), words[0]
        assert len(answer.err) < 2500


def test_a_directory_that_has_gone_is_one_sentence(
    ask: Ask, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for words in (
        ["simulate"],
        ["simulate", "."],
        ["simulate", "**"],
        ["inspect"],
        ["lint"],
        ["plot", log],
        ["report", log],
        ["train", "diabetes"],
    ):
        answer = ask(*words)
        assert answer.status == 2, words
        assert answered(answer.status, answer.err), words
    assert ask("simulate", log).status == 0


def test_a_directory_that_goes_while_it_is_read_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_csv(tmp_path / name / "logs.csv", VALUES)
    scan = os.scandir

    def vanish(path: str) -> object:
        if path == str(tmp_path / "a"):
            raise FileNotFoundError(2, "No such file or directory", path)
        return scan(path)

    monkeypatch.setattr("os.scandir", vanish)
    (run,) = load_runs(tmp_path)
    assert run.name == "b"
    said = f"left out a directory: {tmp_path / 'a'}: cannot be read"
    assert any(said in one for one in run.notes)


@pytest.mark.skipif(sys.platform == "win32", reason="paths are longer elsewhere")
def test_a_path_beyond_the_systems_limit_is_left_out(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "deep"
    root.mkdir()
    write_csv(root / "logs.csv", VALUES)
    monkeypatch.chdir(root)
    for _ in range(25):
        Path("d" * 200).mkdir()
        os.chdir("d" * 200)
    os.chdir(tmp_path)
    answer = ask("simulate", root)
    assert answer.status == 0
    assert "cannot be read (File name too long)" in " ".join(answer.out.split())


def test_links_in_a_circle_are_not_followed(ask: Ask, tmp_path: Path) -> None:
    write_csv(tmp_path / "log.csv", VALUES)
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "events.out.tfevents.1").symlink_to("events.out.tfevents.2")
    (tmp_path / "events.out.tfevents.2").symlink_to("events.out.tfevents.1")
    for source in (tmp_path, tmp_path / "**", tmp_path / "**" / "*.csv"):
        answer = ask("simulate", source)
        assert answer.status == 0, answer.err


def test_a_pattern_matches_what_glob_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import glob

    monkeypatch.chdir(tmp_path)
    for place in (
        "l.csv",
        "a/l.csv",
        "a/b/l.csv",
        "a/b/c/x.txt",
        "e/l.csv",
        ".h/l.csv",
    ):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    # named, so that no two patterns are the same search
    for pattern in (
        "*.csv",
        "**/*.csv",
        "a/**/*.csv",
        "**/b/**/*.csv",
        "*/**/l.csv",
        "**/**/l.csv",
        f"{tmp_path}/**/l.csv",
        "[a]/**/l*",
        "nope/**/x",
    ):
        assert expand_pattern(pattern, Damage(ReadOptions())) == sorted(
            set(glob.glob(pattern, recursive=True))  # noqa: PTH207 - the oracle
        )
    everything = {os.path.normpath(path) for path in glob.glob("**", recursive=True)}  # noqa: PTH207
    assert set(expand_pattern("**", Damage(ReadOptions()))) == everything


def test_a_pattern_goes_through_so_many_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "_MOST_DIRECTORIES", 3)
    for name in "abc":
        (tmp_path / name).mkdir()
    with pytest.raises(LogError, match="goes through more than 3 directories"):
        load_runs(f"{tmp_path}/**")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
def test_what_the_system_shows_as_files_is_one_sentence(ask: Ask) -> None:
    for path in (
        "/proc/self/mem",
        "/proc/self/fd/*",
        "/proc/self/task/**",
        "/dev/null",
    ):
        answer = ask("simulate", path)
        assert answer.status == 2, path
        assert answered(answer.status, answer.err), path


def test_a_name_that_is_no_text_can_be_written_in_every_form(
    ask: Ask, tmp_path: Path
) -> None:
    folder = os.fsencode(tmp_path)
    for by, name in enumerate((b"\xff\xfe.csv", b"a\nb\x1b[31m.csv")):
        # two trainings, not one that was copied
        values = [value + by for value in VALUES]
        write_csv(tmp_path / "x.csv", values).rename(os.fsdecode(folder + b"/" + name))
    (tmp_path / "h.json").write_text(
        '{"loss": [2, 1], "val_loss": [3, 2], "\\ud800": [1, 2]}'
    )
    for form in ("table", "json", "csv", "markdown"):
        for words in (["simulate"], ["simulate", "--patience", "1"], ["inspect"]):
            answer = ask(words[0], tmp_path, *words[1:], "--format", form)
            assert answer.status == 0, (words, form, answer.err)
            answer.out.encode()
            assert "\\udcff" in answer.out
    for page in ("page.html", "page.md"):
        assert ask("report", tmp_path, "-o", tmp_path / page).status == 0


def test_a_recorded_list_that_is_no_list_of_callbacks_is_no_defect() -> None:
    with pytest.raises(ValueError, match="EarlyStopping"):
        parse_callbacks(f"EarlyStopping(patience={BITS})")
