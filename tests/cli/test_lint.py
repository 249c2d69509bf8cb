"""``cbreplay lint``: what is asked, and the findings in every form."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from cbreplay import EarlyStopping, ReduceLROnPlateau, lint_callbacks
from tests.conftest import ROOT, Ask, table_lines, write_csv

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads((ROOT / "cbreplay/schemas/answer.schema.json").read_text())
RULES = ("--semantics", "keras-3.15")
LATE = "ReduceLROnPlateau(patience=8, min_delta=0)"
STOP = "EarlyStopping(patience=5, restore_best_weights=True)"


def as_json(text: str) -> Any:
    answer = json.loads(text, parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(SCHEMA).validate(answer)
    return answer


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(
        "import keras\n"
        "stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)\n"
        "model.fit(*x, callbacks=[\n"
        "    stop,\n"
        "    keras.callbacks.ReduceLROnPlateau(patience=8, min_delta=0),\n"
        "])\n"
    )
    return path


def test_no_log_is_needed(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = ask("lint", "-c", LATE, "-c", STOP, *RULES)
    assert (answer.status, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[:3] == ["1 finding in 2 callbacks.", "", "By the rules of Keras 3.15."]
    assert lines[4] == f" warning  reduce-after-stop  {LATE}"
    starts = [line[:12] for line in lines[5:] if line[3:5].strip()]
    assert starts == ["   what     ", "   why      ", "   instead  "]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("by_file", [False, True])
@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("EarlyStopping(patience=0, restore_best_weights=True)", True),
        ("EarlyStopping('val_loss', 0, 0)", True),
        # nothing is written: it is the default
        ("EarlyStopping(restore_best_weights=True)", False),
        ("[TensorBoard('a', 0), EarlyStopping()]", False),
        ("[TensorBoard('a', 0), EarlyStopping(patience=0)]", True),
    ],
)
def test_a_patience_of_0_is_named_where_it_is_written(
    ask: Ask, tmp_path: Path, written: str, *, wanted: bool, by_file: bool
) -> None:
    """As of a script; of a real object nobody can tell 0 from the default."""
    expression = written
    if by_file:
        (tmp_path / "callbacks.txt").write_text(written)
        expression = f"@{tmp_path / 'callbacks.txt'}"
    answer = as_json(ask("lint", "-c", expression, *RULES, "--format", "json").out)
    codes = [finding["code"] for finding in answer["findings"]]
    assert ("patience-zero-is-one" in codes) == wanted


def test_a_name_that_no_version_has_is_told_with_the_nearest(
    ask: Ask, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "from keras.callbacks import ReduceLROnPlateau\nm.compile('sgd')\n"
        "m.fit(*x, callbacks=[ReduceLROnPlateau(patiance=3, factor=0.5)])\n"
    )
    answer = ask("lint", script, *RULES)
    told = " ".join(answer.out.split())
    assert "has no parameter 'patiance'; did you mean 'patience'?" in told
    assert "ReduceLROnPlateau(patiance=3, factor=0.5)" in told
    assert "Not read" not in told
    refused = ask("lint", "-c", "ReduceLROnPlateau(patiance=3)", *RULES)
    assert refused.status == 2
    assert "did you mean 'patience'?" in refused.err


def test_a_clean_list_is_told_so(ask: Ask) -> None:
    out = ask("lint", "-c", STOP, "-c", "CSVLogger('a')", *RULES).out
    assert (
        out == "Nothing to object to in 2 callbacks.\n\nBy the rules of Keras 3.15.\n"
    )


def test_the_findings_of_a_script_name_the_line(ask: Ask, script: Path) -> None:
    assert "reduce-after-stop  line 5  Reduce" in ask("lint", script, *RULES).out
    out = ask("lint", script, *RULES, "--epochs", "5", "--format", "json").out
    lines = {(one["code"], one["line"]) for one in as_json(out)["findings"]}
    assert ("patience-beyond-plan", 2) in lines


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # 9 values: the first improves, so 8 are waited on
        ("epochs=9", "patience-beyond-plan"),
        ("epochs=N", "patience-beyond-plan"),
        ("epochs=10", None),
        ("validation_freq=3", "patience-in-validations"),
        # what cannot be told is not guessed
        ("epochs=int(argument)", None),
        ("epochs=-1", None),
    ],
)
def test_the_plan_is_read_where_fit_gets_it(
    ask: Ask, tmp_path: Path, given: str, expected: str | None
) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        "from keras.callbacks import EarlyStopping\n"
        "N = 9\n"
        "stop = EarlyStopping(patience=9, restore_best_weights=True)\n"
        f"model.fit(*x, callbacks=[stop], {given})\n"
    )
    answer = as_json(ask("lint", path, *RULES, "--format", "json").out)
    found = [one["code"] for one in answer["findings"]]
    assert found == ([] if expected is None else [expected])


def test_fits_of_different_lengths_tell_no_plan(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        "from keras.callbacks import EarlyStopping\n"
        "stop = EarlyStopping(patience=9, restore_best_weights=True)\n"
        "model.fit(*x, callbacks=[stop], epochs=5)\n"
        "model.fit(*x, callbacks=[stop], epochs=50)\n"
    )
    answer = ask("lint", path, *RULES, "--format", "json")
    assert as_json(answer.out)["findings"] == []


def test_a_log_imports_no_code_and_opens_no_file(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "harm.py").write_text("open('harmed', 'w')\ndef f(): ...\n")
    (tmp_path / "list.txt").write_text("EarlyStopping()\n")
    (tmp_path / "run").mkdir()
    for text in ("harm:f()", "@list.txt", "@harm.py"):
        run = write_csv(tmp_path / "run" / "logs.csv", [0.5, 0.4])
        written = json.dumps({"schema": 1, "callbacks": [text]})
        (run.parent / "run.json").write_text(written)
        for command in ("lint", "explain"):
            answer = ask(command, run.parent)
            assert (answer.status, answer.out) == (2, "")
            assert "cannot be re" in answer.err
    assert not (tmp_path / "harmed").exists()


def test_json_holds_the_findings_of_the_library(ask: Ask) -> None:
    answer = as_json(
        ask("lint", "-c", LATE, "-c", STOP, *RULES, "--format", "json").out
    )
    listed: list[Any] = [
        ReduceLROnPlateau(patience=8, min_delta=0),
        EarlyStopping(patience=5, restore_best_weights=True),
    ]
    expected = [
        one._asdict() | {"line": None}
        for one in lint_callbacks(listed, semantics="keras-3.15")
    ]
    assert answer["findings"] == expected
    assert (answer["command"], answer["semantics"]) == ("lint", "keras-3.15")
    assert (answer["runs"], answer["configs"][0]["callbacks"]) == ([], [LATE, STOP])


def test_csv_and_markdown_hold_a_row_each(ask: Ask, script: Path) -> None:
    words = ["lint", "-c", LATE, "-c", STOP, *RULES, "--format"]
    (row,) = csv.DictReader(io.StringIO(ask(*words, "csv").out))
    assert (row["code"], row["callback"], row["line"]) == ("reduce-after-stop", "0", "")
    lines = table_lines(ask(*words, "markdown").out)
    assert lines[2].startswith(f"| warning | reduce-after-stop | {LATE} | Reduce")
    assert len({line.count("|") for line in lines}) == 1
    lines = table_lines(ask("lint", script, *RULES, "--format", "markdown").out)
    assert lines[2].startswith("| warning | reduce-after-stop | 5 | Reduce")


def named(folder: Path, *callbacks: str) -> Path:
    folder.mkdir()
    write_csv(folder / "logs.csv", [0.5, 0.6, 0.7], rate=0.01)
    fit = {"epochs": 3, "validation_freq": 1}
    run = {"schema": 1, "callbacks": list(callbacks), "fit": fit}
    (folder / "run.json").write_text(json.dumps(run))
    return folder


def test_a_run_is_linted_by_its_own_callbacks(ask: Ask, tmp_path: Path) -> None:
    path = named(tmp_path / "run", "ReduceLROnPlateau(min_lr=0.1, patience=1)")
    out = ask("lint", path, *RULES, "--format", "json").out
    answer = as_json(out)
    assert [one["code"] for one in answer["findings"]] == ["floor-above-rate"]
    assert answer["runs"][0]["planned_epochs"] == 3
    text = "EarlyStopping(baseline=0.1, restore_best_weights=True)"
    assert "baseline-never-beaten" in ask("lint", path, "-c", text, *RULES).out


def test_the_log_beside_is_taken(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(named(tmp_path / "run", "EarlyStopping()"))
    assert "Nothing to object to in 1 callback." in ask("lint", *RULES).out


def test_a_headline_over_what_is_not_read_says_so(ask: Ask, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import keras\n"
        "model = make_model()\n"
        "stopping = keras.callbacks.EarlyStopping('val_acc', mode='max', patience=5,\n"
        "    restore_best_weights=True)\n"
        "model.fit(x, y, validation_split=0.2, callbacks=[stopping])\n"
    )
    out = ask("lint", script, *RULES).out
    assert out.startswith(
        "Nothing to object to in 1 callback, as far as the script is read."
    )
    assert "'val_acc' is not checked" in " ".join(out.split())


def test_a_newer_keras_is_told_in_every_form(ask: Ask) -> None:
    words = ["lint", "-c", STOP, "--semantics", "keras-3.99"]
    assert "newer than the newest version" in ask(*words).out
    assert "newer than" in as_json(ask(*words, "--format", "json").out)["notes"][0]
    table = ask(*words, "--format", "csv")
    assert "newer than" in table.err
    assert len(table.out.splitlines()) == 1


def test_what_could_not_be_read_of_a_script_stands_in_the_answer(
    ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "train.py"
    path.write_text("run(model, [EarlyStopping(patience=2), CSVLogger(path)])\n")
    told = " ".join(ask("lint", path, *RULES).out.split())
    assert "no fit(callbacks=...) stands in it" in told
    notes = as_json(ask("lint", path, *RULES, "--format", "json").out)["notes"]
    assert any("no fit(callbacks=...)" in note for note in notes)


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        ([], "does not say which callbacks it had"),
        (["MyOwn(3)"], "cannot be read: 'MyOwn(3)'"),
    ],
)
def test_a_run_that_does_not_tell_is_refused(
    ask: Ask, tmp_path: Path, callbacks: list[str], message: str
) -> None:
    answer = ask("lint", named(tmp_path / "run", *callbacks))
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err
    assert "Name them with -c" in answer.err


def test_another_question_is_refused(ask: Ask, script: Path, sample_logs: Path) -> None:
    for words, message in (
        ([script, "-c", STOP], "both name callbacks"),
        (
            ["-c", "EarlyStopping(patience=[1, 2])"],
            "-c names 2 (2 of EarlyStopping.patience)",
        ),
        ([sample_logs / "digits-mlp"], "there are 5 in"),
        (["nope.py"], "there is no such file"),
        (["-c", STOP, "--epochs", "0"], "--epochs"),
    ):
        answer = ask("lint", *words)
        assert (answer.status, answer.out) == (2, "")
        assert message in answer.err


def test_every_recorded_list_is_linted_in_80_columns(
    ask: Ask, sample_logs: Path
) -> None:
    paths = [path.parent for path in sample_logs.rglob("run.json")]
    assert len(paths) > 10
    for path in paths:
        answer = ask("lint", path)
        assert answer.status == 0, answer.err
        assert max(map(len, answer.out.splitlines())) <= 80


def test_without_anything_to_read_it_says_in_a_sentence_what_it_takes(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = ask("lint")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == (
        "cbreplay: nothing is named, and there is no log here or below. Name callbacks "
        'with -c "EarlyStopping(patience=5)", or give a training script or a log\n'
    )
    assert ask("simulate").err.startswith("cbreplay: nothing is named, and there is no")


def test_a_damaged_log_is_said_to_without_an_option_of_others(
    ask: Ask, tmp_path: Path
) -> None:
    log = write_csv(tmp_path / "logs.csv", [0.5, 0.4])
    log.write_text(log.read_text() + "2,0.3,0.3,0.3,0.3\n")
    answer = ask("lint", log)
    assert answer.status == 2
    assert answer.err.startswith(f"cbreplay: {log}, line 4: ")
    assert answer.err.endswith("Give the PATH of one run that is whole\n")


def test_without_a_path_the_scripts_here_are_meant(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "import keras\nkeras.callbacks.EarlyStopping(patience=-1)\n"
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text(text)
    write_csv(tmp_path / "history.csv", [0.5, 0.4])
    assert "src/train.py: rules" in ask("lint", *RULES).out.replace(os.sep, "/")
    # in a run's directory that run is meant, with the scripts that lie beside it
    (tmp_path / "run.json").write_text('{"callbacks": ["EarlyStopping(patience=-2)"]}')
    write_csv(tmp_path / "logs.csv", [0.5, 0.4])
    assert "patience -2 acts" in ask("lint", *RULES).out


@pytest.mark.parametrize(
    ("shut", "asks"), [("a.py", (io, "open")), ("src", (os, "scandir"))]
)
def test_what_may_not_be_read_is_not_taken_for_nothing(
    ask: Ask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shut: str,
    asks: tuple[Any, str],
) -> None:
    (tmp_path / "src").mkdir()
    for script in ("a.py", "b.py", "src/c.py"):
        text = "import keras\nkeras.callbacks.EarlyStopping(patience=-1)\n"
        (tmp_path / script).write_text(text)
    asked = getattr(*asks)

    def refuse(path: Any, *words: Any, **named: Any) -> Any:
        if str(path) == str(tmp_path / shut):
            raise PermissionError(13, "Permission denied", str(path))
        return asked(path, *words, **named)

    monkeypatch.setattr(*asks, refuse)
    answer = ask("lint", tmp_path, *RULES)
    said = " ".join((answer.out + answer.err).replace("'", "").split())
    assert f"{shut}: it cannot be read (Permission denied)" in said


@pytest.mark.parametrize(
    ("rate", "compiled", "found"),
    [
        ("ExponentialDecay(0.1, 10, 0.9)", "optimizer=keras.optimizers.Adam(S)", True),
        ("CosineDecay(0.1, 10)", "keras.optimizers.SGD(learning_rate=S)", True),
        ("CosineDecay(0.1, 10)", "keras.optimizers.SGD(0.1)", False),
        ("CosineDecay(0.1, 10)", "'adam'", False),
    ],
)
def test_a_schedule_of_the_optimizer_is_read_where_compile_gets_it(
    ask: Ask, tmp_path: Path, rate: str, compiled: str, *, found: bool
) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        "import keras\n"
        f"S = keras.optimizers.schedules.{rate}\n"
        f"model.compile({compiled})\n"
        "model.fit(x, validation_split=0.2,\n"
        "          callbacks=[keras.callbacks.ReduceLROnPlateau()])\n"
    )
    answer = as_json(ask("lint", path, *RULES, "--format", "json").out)
    codes = [finding["code"] for finding in answer["findings"]]
    assert codes == (["schedule-beside-plateau"] if found else [])


# --- several scripts, and which findings are wanted


IMPORTS = {"tf_keras": "tf_keras as K", "keras": "keras as K"}


def write_scheduled(path: Path, keras: str) -> Path:
    """A script whose optimizer has a schedule, beside a ReduceLROnPlateau."""
    lines = [
        f"import {IMPORTS[keras]}",
        "m = K.Sequential()",
        "rate = K.optimizers.schedules.CosineDecay(0.001, 100)",
        "m.compile(K.optimizers.Adam(rate), 'mse')",
        "plateau = K.callbacks.ReduceLROnPlateau()",
        "m.fit(x, y, validation_split=0.2, epochs=60, callbacks=[plateau])",
    ]
    path.write_text("\n".join([*lines, ""]))
    return path


def test_a_script_is_checked_by_the_rules_of_the_keras_that_it_imports(
    ask: Ask, tmp_path: Path
) -> None:
    """Keras 3 raises TypeError there, and tf_keras does not.

    Both are driven in `test_lint_claims.py`.
    """
    old = write_scheduled(tmp_path / "old.py", "tf_keras")
    new = write_scheduled(tmp_path / "new.py", "keras")
    said = " ".join(ask("lint", old).out.split())
    assert f"{old}: rules of tf_keras 2." in said
    assert "changes no rate that is trained at" in said
    assert "raises TypeError where" not in said
    assert "raises TypeError where" in ask("lint", new, "--format", "json").out
    named = ask("lint", old, "--semantics", "keras-3.15").out
    assert "raises TypeError" in " ".join(named.split())
    both = " ".join(ask("lint", old, new).out.split())
    assert re.search(r"By the rules of tf_keras 2[\d.]+ and Keras 3[\d.]+\.", both)
    assert re.search(
        r"old\.py is checked by the rules of tf_keras 2[\d.]+, which", both
    )
    assert "raises TypeError where" in both
    assert "changes no rate that is trained at" in both


def test_the_keras_of_tensorflow_is_the_installed_one(ask: Ask, tmp_path: Path) -> None:
    """Beside tf_keras, tf.keras may be what a script trains with."""
    path = write_scheduled(tmp_path / "both.py", "keras")
    text = path.read_text().replace(
        "import keras as K", "import tf_keras\nK = tf.keras"
    )
    path.write_text("import tensorflow as tf\n" + text)
    assert "rules of Keras 3" in " ".join(ask("lint", path).out.split())


# the script builds a tf.keras callback; the expected rules follow from TensorFlow's own
# code: __init__.py reads the variable where tensorflow is loaded (for `from
# tensorflow.keras import ...`), lazy_loader.py where tf.keras is first used; both take
# "1", "true" and "True" for yes
SETTING = 'os.environ["TF_USE_LEGACY_KERAS"] = "1"'
LOADING = "import tensorflow as tf"
IMPORTING = "from tensorflow.keras.callbacks import EarlyStopping"
USING = "stop = tf.keras.callbacks.EarlyStopping(patience=5)"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([SETTING, LOADING, IMPORTING, USING], "tf_keras 2"),
        ([LOADING, SETTING, USING], "tf_keras 2"),
        ([LOADING, SETTING, IMPORTING, USING], "Keras 3"),
        ([LOADING, USING, SETTING], "Keras 3"),
        ([SETTING.replace('"1"', '"0"'), LOADING, USING], "Keras 3"),
        ([SETTING.replace('"1"', '"True"'), LOADING, USING], "tf_keras 2"),
        ([SETTING, SETTING.replace('"1"', '"0"'), LOADING, USING], "Keras 3"),
        ([SETTING.replace('"1"', "flag"), LOADING, USING], "Keras 3"),
        (["if old:", f"    {SETTING}", LOADING, USING], "Keras 3"),
        (
            [
                'os.environ.setdefault("TF_USE_LEGACY_KERAS", "true")',
                LOADING,
                USING,
            ],
            "tf_keras 2",
        ),
        (['os.environ.update(TF_USE_LEGACY_KERAS="1")', LOADING, USING], "tf_keras 2"),
        (
            ['environ.update({"TF_USE_LEGACY_KERAS": "1"})', LOADING, USING],
            "tf_keras 2",
        ),
        # keras itself is what it is
        ([SETTING, LOADING, "import keras", USING], "Keras 3"),
        ([SETTING, "import keras", USING.replace("tf.", "")], "Keras 3"),
        # the part of another package that is for Keras is no Keras
        (
            ["import tf_keras", "import mlflow.keras", "mlflow.keras.autolog()", USING],
            "tf_keras 2",
        ),
        (["import tf_keras", "from wandb.keras import WandbCallback"], "tf_keras 2"),
        (["import tf_keras", LOADING, "from tensorflow import keras"], "Keras 3"),
    ],
)
def test_a_script_that_asks_tensorflow_for_tf_keras(
    ask: Ask, tmp_path: Path, lines: list[str], expected: str
) -> None:
    if lines[0].startswith("import tf_keras"):
        lines = [line.replace("tf.keras", "tf_keras") for line in lines]
    path = tmp_path / "train.py"
    text = [*lines, "import os", "m.fit(x, y, validation_split=0.2, callbacks=[stop])"]
    path.write_text("\n".join([*text, ""]))
    assert f"rules of {expected}" in " ".join(ask("lint", path).out.split())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # what os.environ holds afterwards, by IPython's own `env` and `set_env`:
        # "1", "1", '"1"', "1 # yes", the value of a variable, nothing, nothing
        ("%env TF_USE_LEGACY_KERAS=1", "tf_keras 2"),
        ("%set_env TF_USE_LEGACY_KERAS 1", "tf_keras 2"),
        ('%env TF_USE_LEGACY_KERAS="1"', "Keras 3"),
        ("%env TF_USE_LEGACY_KERAS=1 # yes", "Keras 3"),
        ("%env TF_USE_LEGACY_KERAS=$flag", "Keras 3"),
        ("%env TF_USE_LEGACY_KERAS", "Keras 3"),
        ("!export TF_USE_LEGACY_KERAS=1", "Keras 3"),
    ],
)
def test_a_notebook_that_asks_tensorflow_for_tf_keras_by_a_magic(
    ask: Ask, tmp_path: Path, line: str, expected: str
) -> None:
    path = tmp_path / "train.ipynb"
    fit = "m.fit(x, y, validation_split=0.2, callbacks=[stop])"
    path.write_text(as_notebook([line, f"{LOADING}\n{USING}\n{fit}"]))
    answer = ask("lint", path).out
    assert f"rules of {expected}" in " ".join(answer.split())
    assert "code cell 2  line 2" in answer


def as_notebook(cells: list[str], **metadata: object) -> str:
    written = [{"cell_type": "code", "source": cell} for cell in cells]
    return json.dumps({"nbformat": 4, "metadata": metadata, "cells": written})


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        # what IPython runs as Python, and where the callback stands in it
        ("%time CALL", 1),
        ("h = %time CALL", 1),
        ("%time h = m.fit(*x, \\\n  callbacks=[EarlyStopping(patience=0)])", 2),
        ("%timeit -n 1 -r1 CALL", 1),
        ("%%timeit -n 1\nCALL", 2),
        ("!pip install -q keras \\\n  numpy \\\n  pandas\nCALL", 4),
        ("if True:\n    !ls \\\n      -l\n    CALL", 4),
        ("x = 1\n%env A=1\nCALL", 3),
    ],
)
def test_what_a_magic_runs_is_read_and_the_rest_keeps_its_lines(
    ask: Ask, tmp_path: Path, cell: str, line: int
) -> None:
    path = tmp_path / "train.ipynb"
    call = "m.fit(x, validation_split=0.2, callbacks=[EarlyStopping(patience=0)])"
    path.write_text(as_notebook(["", cell.replace("CALL", call)]))
    answer = ask("lint", path).out
    assert f"patience-zero-is-one  code cell 2  line {line}  Early" in answer
    assert "Not read" not in answer


@pytest.mark.parametrize(
    ("cell", "magic"),
    [
        ("%%writefile train.py\nCALL", "%%writefile"),
        ("x = 1\n%lprun -f g CALL", "%lprun"),
        ("x = 1\n%lprun -f g m.fit(*x, callbacks=c)", "%lprun"),
        ("%%wandb\nCALL", None),
        ("%time CALL", None),
        ("%%bash\necho", None),
        ("EarlyStopping?\n?EarlyStopping\n!grep EarlyStopping a.py\nx = 1", None),
    ],
)
def test_a_callback_that_a_magic_runs_unread_is_told(
    ask: Ask, tmp_path: Path, cell: str, magic: str | None
) -> None:
    path = tmp_path / "train.ipynb"
    call = "m.fit(*x, callbacks=[EarlyStopping(patience=5)])"
    path.write_text(as_notebook(["", cell.replace("CALL", call)]))
    answer = " ".join(ask("lint", path).out.split())
    told = f"code cell 2: what {magic} runs is not read"
    assert (told in answer) is (magic is not None)
    assert ("Not read" in answer) is (magic is not None)


def test_monitors_of_a_model_that_is_not_read_are_named(
    ask: Ask, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import keras\nfrom keras.callbacks import *\nmodel = make_model()\n"
        "model.fit(x, y, validation_split=.2, callbacks=[EarlyStopping('val_acc'), "
        "ReduceLROnPlateau(), ModelCheckpoint('m.keras', monitor='val_f1_score', "
        "save_best_only=True)])\n"
    )
    told = (
        "line 4: which metrics this fit logs is not read: 'val_acc' and "
        "'val_f1_score' are not checked"
    )
    answer = " ".join(ask("lint", script, *RULES).out.split())
    assert f"Not read - {told}" in answer
    # its optimizer may have a schedule that no ReduceLROnPlateau can reduce
    assert "ReduceLROnPlateau is not checked beside one" in answer
    left_out = "absent-monitor,schedule-beside-plateau,schedule-beside-scheduler"
    chosen = ask("lint", script, "--ignore", left_out, *RULES)
    assert "Not read" not in chosen.out


def test_a_callback_that_goes_to_no_fit_that_is_read_is_named(
    ask: Ask, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import keras\nfrom keras.callbacks import *\nm.compile('sgd')\n"
        "m.fit(x, y, validation_data=v, callbacks=[TerminateOnNaN()])\n"
        "\nrun(m.fit, callbacks=[EarlyStopping(patience=3)])\n"
    )
    answer = " ".join(ask("lint", script, *RULES).out.split())
    assert (
        "line 6: this EarlyStopping goes to no fit that is read, and is looked at by "
        "itself"
    ) in answer


def test_a_slip_of_the_monitor_is_told_before_any_mode(ask: Ask) -> None:
    call = "EarlyStopping(monitor='val_los')"
    told = ask("lint", "sample_logs/overfit.csv", "-c", call, *RULES).out
    assert "absent-monitor" in told
    assert "auto-unknown" not in told
    told = " ".join(ask("lint", "-c", call, *RULES).out.split())
    assert (
        "instead monitor='val_loss' if that is meant; else mode='min' or mode='max'"
        in told
    )


def test_a_notebook_of_another_language_is_not_read_as_python(
    ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "train.ipynb"
    # R that is Python too
    text = "fit(model, callbacks=list(EarlyStopping(patience=0)))"
    path.write_text(as_notebook([text], kernelspec={"name": "ir", "language": "R"}))
    answer = ask("lint", path)
    assert answer.status == 2
    assert "its code is R, and not Python" in answer.err
    path.write_text(as_notebook([text], language_info={"name": "pyspark"}))
    assert "patience-zero-is-one" in ask("lint", path).out


@pytest.mark.parametrize(
    ("packages", "options", "expected"),
    [
        ("tf_keras/keras", [], None),
        ("keras/tf_keras", [], None),
        ("tf_keras/tf_keras", [], "tf_keras 2."),
        ("/tf_keras", [], "tf_keras 2."),
        ("/keras", [], "Keras 3."),
        ("tf_keras/keras", ["--semantics", "keras-3.15"], "Keras 3.15"),
    ],
)
def test_two_scripts_are_compared_by_the_rules_of_both(
    ask: Ask, tmp_path: Path, packages: str, options: list[str], expected: str | None
) -> None:
    log = tmp_path / "log.csv"
    rows = [f"{epoch},{loss}" for epoch, loss in enumerate([0.9, 0.5, 0.6, 0.7, 0.8])]
    log.write_text("\n".join(["epoch,val_loss", *rows, ""]))
    named: list[str] = []
    for package in packages.split("/"):
        script = tmp_path / f"{package or 'none'}{len(named)}.py"
        stop = f"{package}.callbacks.EarlyStopping(patience=2)"
        script.write_text(f"import {package}\nm.fit(x, y, callbacks=[{stop}])\n")
        named.append(f"@{script}" if package else "EarlyStopping(patience=1)")
    answer = ask("simulate", log, "-c", named[0], "--versus", named[1], *options)
    if expected is None:
        assert answer.status == 2
        said = " ".join(answer.err.split())
        assert "both are replayed by the same. Choose with --semantics" in said
    else:
        assert f"Rules of {expected}" in " ".join(answer.out.split())


def test_a_log_is_replayed_by_the_rules_of_the_script_that_is_named(
    ask: Ask, tmp_path: Path
) -> None:
    """A run.json and --semantics say it better; next commands ask the same."""
    script = tmp_path / "old.py"
    stop = "tf_keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)"
    script.write_text(f"import tf_keras\nm.fit(x, y, callbacks=[{stop}])\n")
    log = tmp_path / "log.csv"
    losses = [0.9, 0.5, 0.6, 0.7, 0.8, 0.9]
    rows = [f"{epoch},{loss}" for epoch, loss in enumerate(losses)]
    log.write_text("\n".join(["epoch,val_loss", *rows, ""]))
    said = " ".join(ask("simulate", log, "-c", f"@{script}").out.split())
    assert "rules of tf_keras 2." in said
    assert "--semantics tf_keras-2." in said
    assert "rules of tf_keras 2." in " ".join(
        ask("explain", log, "-c", f"@{script}").out.split()
    )
    assert "rules of tf_keras 2." in " ".join(
        ask("lint", "-c", f"@{script}").out.split()
    )
    assert "tf_keras" in ask("simulate", "-c", f"@{script}", "--keras-code").out
    named = ["--semantics", "keras-3.15"]
    again = ask("simulate", log, "-c", f"@{script}", *named).out
    assert "rules of Keras 3.15" in " ".join(again.split())
    record = {"schema": 1, "keras": {"package": "keras", "version": "3.12.0"}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    recorded = ask("simulate", tmp_path, "-c", f"@{script}").out
    assert "rules of Keras 3.12.0" in " ".join(recorded.split())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    head = "import keras\n"
    stop = "keras.callbacks.EarlyStopping(patience=-1)"
    files = {
        "a.py": f"{head}m.fit(*x, callbacks=[{stop}])\n",
        "src/b.py": f"{head}m.fit(*x, callbacks=[{stop}, Own()])\n",
        "src/broken.py": "EarlyStopping(\n",
        "src/other.py": "print(1)\n",
        "plain/other.py": "print(1)\n",
        "empty/notes.md": "EarlyStopping(patience=-1)\n",
        ".hidden/c.py": f"{head}m.fit(*x, callbacks=[{stop}])\n",
        "venv/site-packages/d.py": f"{head}m.fit(*x, callbacks=[{stop}])\n",
    }
    cell = {"cell_type": "code", "source": [head, f"m.fit(*x, callbacks=[{stop}])"]}
    files["notes.ipynb"] = json.dumps({"cells": [cell]})
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_a_directory_is_read_script_by_script(ask: Ask) -> None:
    answer = ask("lint", ".", *RULES, "--format", "json")
    found = [
        (one["source"], one["cell"], one["line"], one["config"])
        for one in as_json(answer.out)["findings"]
        if one["code"] == "negative-patience"
    ]
    assert found == [
        ("./a.py", None, 2, 0),
        ("./notes.ipynb", 1, 2, 1),
        ("./src/b.py", None, 2, 2),
    ]
    assert len(as_json(answer.out)["configs"]) == 3
    notes = as_json(answer.out)["notes"]
    assert [note.partition(":")[0] for note in notes] == [
        "./src/b.py, line 2",
        "left out ./src/broken.py",
    ]
    text = ask("lint", ".", *RULES).out
    assert text.startswith("3 findings in 3 callbacks of 3 scripts.\n")
    assert "negative-patience  ./notes.ipynb  code cell 1  line 2" in text
    assert "./src/b.py, line 2: 'Own' is not Keras's, and is not checked" in text


@pytest.mark.usefixtures("project")
def test_findings_are_selected_and_ignored(ask: Ask) -> None:
    def codes(*words: str) -> set[str]:
        answer = as_json(ask("lint", "a.py", *RULES, *words, "--format", "json").out)
        return {one["code"] for one in answer["findings"]}

    assert codes() == {"negative-patience"}
    assert codes("--select", "negative-patience,cooldown-of-one") == {
        "negative-patience"
    }
    assert codes("--ignore", "negative-patience") == set()
    refused = ask("lint", "a.py", "--ignore", "negativ-patience")
    assert refused.status == 2
    near = (
        "there is no finding 'negativ-patience'; did you mean 'negative-patience'? The"
    )
    assert near in refused.err
    assert "negative-patience" in refused.err


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["a.py"], 0),
        (["a.py", "--exit-code"], 1),
        (["a.py", "--exit-code", "--ignore", "negative-patience"], 0),
        (["src/other.py", "--exit-code"], 0),
        (["plain", "--exit-code"], 0),
        (["empty"], 2),
        (["src/broken.py", "--exit-code"], 2),
        (["-c", "EarlyStopping(patience=-1)", "--exit-code"], 1),
        (["a.py", "logs.csv"], 2),
    ],
)
def test_the_exit_status_tells_whether_there_is_a_finding(
    ask: Ask, words: list[str], status: int
) -> None:
    assert ask("lint", *words, *RULES).status == status


@pytest.mark.usefixtures("project")
def test_github_gets_an_annotation_a_line(ask: Ask) -> None:
    words = ["--format", "github", "--select", "negative-patience", *RULES]
    first, second = ask("lint", "a.py", "notes.ipynb", *words).out.splitlines()
    assert first.startswith(
        "::warning title=negative-patience,file=a.py,line=2::patience -1 acts as "
    )
    # the lines of a notebook are not those of its file
    assert second.startswith(
        "::warning title=negative-patience,file=notes.ipynb::code cell 1, line 2: "
    )


def test_what_an_annotation_says_cannot_end_it(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "a,b:c%.py"
    path.write_text(
        "import keras\nm.fit(*x, callbacks=[keras.callbacks.EarlyStopping("
        "'val_acc\\n::error::%', mode='min', patience=-1)])\n"
    )
    for line in ask("lint", path, *RULES, "--format", "github").out.splitlines():
        assert line.startswith(("::warning title=", "::notice title="))
        assert "file=" in line
        assert "a%2Cb%3Ac%25.py" in line
        assert "::error::%'" not in line


@pytest.mark.usefixtures("project")
def test_the_hook_for_pre_commit_fails_where_there_is_a_finding(ask: Ask) -> None:
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text()
    (entry,) = re.findall(r"^  entry: cbreplay (.*)$", hook, re.MULTILINE)
    assert ask(*entry.split(), "a.py", "src/other.py").status == 1
    assert ask(*entry.split(), "src/other.py").status == 0


@pytest.mark.usefixtures("project")
def test_a_run_beside_scripts_is_refused_and_never_dropped(
    ask: Ask, project: Path
) -> None:
    run = project / "runs/first"
    run.mkdir(parents=True)
    (run / "logs.csv").write_text("epoch,loss\n0,1\n1,2\n")
    for words in (("a.py", "runs/first"), ("runs/first", "src"), ("src", "empty")):
        refused = ask("lint", *words)
        assert refused.status == 2
        assert "is a script and" in refused.err
        assert "about one log, which -c @" in refused.err
    (run / "run.json").write_text("{}")
    assert ask("lint", "src", "runs/first").status == 2
    # a directory whose scripts name no callback is one of scripts
    assert ask("lint", "a.py", "plain", *RULES).status == 0


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (("src/other.py", "gone.py"), "gone.py"),
        (("gone.py", "plain"), "gone.py"),
        (("src", "notebooks"), "notebooks"),
        (("notebooks", "lib"), "notebooks"),
        (("lib/*.py", "app/*.py"), "lib/*.py"),
        (("gone", "lib", "-c", STOP), "gone"),
    ],
)
def test_of_several_paths_one_that_is_not_there_is_refused(
    ask: Ask, words: tuple[str, ...], absent: str
) -> None:
    refused = ask("lint", *words, "--exit-code")
    assert (refused.status, refused.out) == (2, "")
    assert f"{absent}: there is no such file or directory" in refused.err


@pytest.mark.usefixtures("project")
def test_with_v_every_callback_that_was_looked_at_is_named(ask: Ask) -> None:
    assert "Looked at" not in ask("lint", "a.py", *RULES).out
    told = ask("lint", "a.py", "src/b.py", "-v", *RULES).out
    assert "a.py, line 2: EarlyStopping(patience=-1)\n" in told
    assert ask("lint", "a.py", "-q", *RULES).err == ""


def test_what_a_logger_sends_to_is_shown_in_no_form(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        "import keras\nfrom wandb.keras import WandbCallback\n"
        "monitor = keras.callbacks.RemoteMonitor(root='https://me:hidden@host/x',\n"
        "    headers={'Authorization': 'Bearer hidden'})\n"
        "m.fit(*x, callbacks=[monitor, WandbCallback(token='hidden'),\n"
        "    keras.callbacks.CSVLogger('seen.csv')])\n"
    )
    for form in ("table", "json", "csv", "markdown", "github"):
        answer = ask("lint", path, "-v", "--format", form, *RULES)
        assert "hidden" not in answer.out + answer.err
    configs = as_json(ask("lint", path, "--format", "json", *RULES).out)["configs"]
    assert configs[0]["callbacks"] == [
        "RemoteMonitor(...)",
        "WandbCallback(...)",
        "CSVLogger('seen.csv')",
    ]


def test_a_finding_about_a_default_that_is_written_shows_it(
    ask: Ask, tmp_path: Path
) -> None:
    said = ask("lint", "-c", "EarlyStopping(patience=0)").out
    assert "patience-zero-is-one  EarlyStopping(patience=0)" in said
    path = tmp_path / "train.py"
    path.write_text(
        "from keras.callbacks import EarlyStopping\n"
        "model.fit(x, epochs=9, callbacks=[EarlyStopping(patience=0)])\n"
    )
    assert "EarlyStopping(patience=0)" in ask("lint", path).out


def test_a_callback_that_is_not_read_hides_no_schedule(
    ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        "import keras\n"
        "rate = keras.optimizers.schedules.CosineDecay(1e-3, 1000)\n"
        "model = keras.Sequential([keras.layers.Dense(1)])\n"
        "model.compile(keras.optimizers.Adam(rate), 'mse')\n"
        "stop = keras.callbacks.EarlyStopping(patience=3)\n"
        "stop.patience = 7\n"
        "slower = keras.callbacks.ReduceLROnPlateau(patience=5)\n"
        "model.fit([1], [1], epochs=30, callbacks=[stop, slower])\n"
    )
    said = ask("lint", path).out
    assert "schedule-beside-plateau" in said
    assert "'stop' is changed in line 6" in said


def test_a_directory_without_scripts_and_logs_is_told_to_hold_neither(
    ask: Ask, tmp_path: Path
) -> None:
    asked = ask("lint", tmp_path)
    assert asked.status == 2
    assert "there is no script (.py, .ipynb) and no log in this directory" in asked.err


def test_a_script_that_python_cannot_read_is_named_beside_others(
    ask: Ask, tmp_path: Path
) -> None:
    text = "m.fit(*x, callbacks=[keras.callbacks.EarlyStopping(patience=0)])\n"
    (tmp_path / "a.py").write_text(text)
    (tmp_path / "b.py").write_text(text, encoding="utf-16")
    said = ask("lint", tmp_path).out
    assert "left out" in said
    assert "b.py: it is not text that Python could read" in " ".join(said.split())


@pytest.mark.parametrize(
    ("semantics", "logged"), [("keras-3.0", "val_AUC"), ("tf_keras-2.15", "val_auc")]
)
def test_a_metric_by_text_has_the_name_that_its_keras_gives_it(
    ask: Ask, tmp_path: Path, semantics: str, logged: str
) -> None:
    # get_metric of keras 3.0.5 sets the text as the name; _get_metric_object of 2.15.0
    # leaves an object of a class its own
    other = {"val_AUC": "val_auc", "val_auc": "val_AUC"}[logged]
    for monitor, n_found in ((logged, 0), (other, 1)):
        stop = f"keras.callbacks.EarlyStopping({monitor!r}, mode='max', patience=3)"
        script = tmp_path / "train.py"
        script.write_text(
            "import keras\n"
            "model = keras.Sequential([keras.layers.Dense(1)])\n"
            "model.compile(loss='mse', metrics=['AUC'])\n"
            f"model.fit(x, y, validation_data=v, epochs=9, callbacks=[{stop}])\n"
        )
        answer = ask("lint", script, "--semantics", semantics, "--format", "json")
        found = [
            finding
            for finding in as_json(answer.out)["findings"]
            if finding["code"] == "absent-monitor"
        ]
        assert len(found) == n_found, monitor
        assert all(logged in finding["fix"] for finding in found)


def test_a_monitor_that_is_meant_does_not_hide_that_validation_data_lack(
    ask: Ask, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import keras\n"
        "model = keras.Sequential([keras.layers.Dense(1)])\n"
        "model.compile('adam', 'mse', metrics=['accuracy'])\n"
        "model.fit(x, y, callbacks=[keras.callbacks.EarlyStopping('val_acc')])\n"
    )
    (finding,) = json.loads(ask("lint", str(script), "--format", "json").out)[
        "findings"
    ]
    # with the monitor alone, fit would still log no such series
    assert finding["fix"] == "monitor='val_accuracy', and validation data for fit"


def test_a_log_has_the_plan_of_the_script_beside_it(ask: Ask, tmp_path: Path) -> None:
    script, log = tmp_path / "train.py", tmp_path / "log.csv"
    script.write_text(
        "from keras.callbacks import EarlyStopping\n"
        "model.fit(x, epochs=4, validation_data=v,\n"
        "          callbacks=[EarlyStopping(patience=9, restore_best_weights=True)])\n"
    )
    rows = ["epoch,loss,val_loss", "0,1,1", "1,.9,.9", "2,.8,.8", "3,.7,.85"]
    log.write_text("\n".join(rows))
    named = ("-c", f"@{script}")
    assert "cannot stop inside the plan" in ask("lint", log, *named).out
    told = ask("simulate", log, *named)
    assert "runs to the planned end, epoch 4" in told.out
    assert "epochs=4 of the script" in told.err
    # it was given another plan, as its rows show
    log.write_text("\n".join([*rows, "4,.7,.9"]))
    longer = ask("simulate", log, *named)
    assert "planned end" not in longer.out
    assert longer.err == ""
    # what the user says goes before
    told = ask("simulate", log, *named, "--planned-epochs", "9")
    assert "planned end" not in told.out


@pytest.mark.parametrize(
    ("metric", "semantics", "stops"),
    [
        # its class has the direction "up": .3 is the best, and patience 2 ends at 4
        ("keras.metrics.F1Score(name='score')", "keras-3.15", 4),
        # Keras 2 asks the name alone: smaller is better, and .2 is never beaten
        ("keras.metrics.F1Score(name='score')", "keras-2.15", 3),
        # of a mean nothing tells, and Keras 3 raises ValueError
        ("keras.metrics.Mean(name='score')", "keras-3.15", None),
    ],
)
def test_a_log_has_the_directions_of_the_script_beside_it(
    ask: Ask, tmp_path: Path, metric: str, semantics: str, stops: int | None
) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import keras\n"
        "model = keras.Sequential([keras.layers.Dense(3)])\n"
        f"model.compile('adam', 'mse', metrics=[{metric}])\n"
        "stop = keras.callbacks.EarlyStopping('val_score', patience=2)\n"
        "model.fit(x, y, validation_data=(x, y), epochs=5, callbacks=[stop])\n"
    )
    log = tmp_path / "log.csv"
    scores = [0.2, 0.3, 0.25, 0.24, 0.23]
    rows = [f"{epoch},{score},{score}" for epoch, score in enumerate(scores)]
    log.write_text("\n".join(["epoch,score,val_score", *rows, ""]))
    said = ask("simulate", log, "-c", f"@{script}", "--semantics", semantics)
    if stops is None:
        assert "Give --mode min|max" in said.err
        return
    assert f"stops at epoch {stops} of 5" in said.out
    # what is told needs no remark that Keras might raise ValueError
    assert "from the compiled metric" not in said.out


def test_a_schedule_of_the_script_counts_beside_a_log(ask: Ask, tmp_path: Path) -> None:
    script, log = tmp_path / "train.py", tmp_path / "log.csv"
    script.write_text(
        "import keras\n"
        "decay = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)\n"
        "model = keras.Sequential([keras.layers.Dense(1)])\n"
        "model.compile(keras.optimizers.Adam(decay), 'mse')\n"
        "cut = keras.callbacks.ReduceLROnPlateau(patience=1)\n"
        "model.fit(x, y, validation_data=v, callbacks=[cut])\n"
        "other = keras.Sequential([keras.layers.Dense(1)])\n"
        "other.compile('adam', 'mse')\n"
    )
    log.write_text("epoch,loss,val_loss\n0,1,1\n1,.9,.9\n2,.8,.95\n3,.7,.85\n")
    named = (log, "-c", f"@{script}")
    assert "schedule-beside-plateau" in ask("lint", *named).out
    # by Keras 3.15 the first reduction, in epoch 3, raises TypeError
    told = ask("simulate", *named)
    assert told.status == 2
    assert "ExponentialDecay, beside which ReduceLROnPlateau raises" in told.err


def test_a_callback_and_its_fit_may_stand_in_two_scripts(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tools.py").write_text(
        "from keras.callbacks import EarlyStopping, ReduceLROnPlateau\n"
        "def get_callbacks(stop):\n"
        "    wait = ReduceLROnPlateau(patience=5)\n"
        "    return [EarlyStopping(patience=stop), wait]\n"
    )
    (tmp_path / "train.py").write_text(
        "from tools import get_callbacks\n"
        "model.fit(x, validation_data=v, epochs=4, callbacks=get_callbacks(3))\n"
    )
    (tmp_path / "plot.py").write_text("import tools\ncallbacks = None\n")
    words = [*RULES, "--format", "json"]
    alone = as_json(ask("lint", "train.py", *words).out)["findings"]
    told = [(own["code"], own["source"], own["line"]) for own in alone]
    # EarlyStopping stops after 3 epochs, before the 5 that the other waits; nothing
    # keeps the best weights; 4 epochs are fewer than 1 + 5
    assert ("reduce-rarely-before-stop", "tools.py", 3) in told
    assert ("patience-beyond-plan", "tools.py", 3) in told
    assert {source for _, source, _ in told} == {"tools.py"}
    # each once, whatever is given; a script without callbacks is not counted
    for paths in ["."], ["tools.py", "train.py"], ["train.py", "tools.py", "plot.py"]:
        answer = as_json(ask("lint", *paths, *words).out)
        found = [
            (own["code"], os.path.normpath(own["source"]), own["line"])
            for own in answer["findings"]
        ]
        assert sorted(found) == sorted(told)
        assert len(answer["configs"]) == 1
        assert not any("no fit(callbacks" in note for note in answer["notes"])
    page = ask("lint", "train.py", *RULES).out
    assert "2 callbacks" in page
    assert "tools.py  line 3" in page


def test_a_fit_that_the_script_begins_later_may_be_a_resumed_one(
    ask: Ask, tmp_path: Path
) -> None:
    """One fit of patience 3 stops after three worse values; two fits do not.

    The second fit, from the sixth epoch on, begins to wait anew, and its every value
    from 2.4 on is better than the one before.
    """
    losses = [5, 4, 3, 2, 2.5, 2.6, 2.4, 2.3, 2.2, 2.1]
    log, script = tmp_path / "log.csv", tmp_path / "train.py"
    rows = [f"{epoch},{loss}\n" for epoch, loss in enumerate(losses)]
    log.write_text("epoch,val_loss\n" + "".join(rows))
    script.write_text(
        "from keras.callbacks import EarlyStopping\n"
        "stop = EarlyStopping(patience=3)\n"
        "m.fit(x, epochs=5, callbacks=[stop])\n"
        "m.fit(x, epochs=10, initial_epoch=5, callbacks=[stop])\n"
    )
    asked = ("simulate", str(log), "-c", f"@{script}")
    told = ask(*asked)
    assert "by initial_epoch=5 of the script" in told.err
    assert "at epoch 6 a fit was resumed, or the same one went on" in " ".join(
        told.out.split()
    )
    assert "stops at epoch 7" in ask(*asked, "--resume", "never").out
    assert "stops at epoch 7" not in ask(*asked, "--resume", "carried").out
