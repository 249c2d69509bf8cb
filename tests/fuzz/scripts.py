"""Hunt through training scripts: what is read has to be what a run of it would give.

    python -m tests.fuzz.scripts --minutes 10

Each script is drawn, read, and really run a few times, with a stand-in for Keras whose
``fit`` notes the callbacks that it gets; in each run its coins fall otherwise. A list
that was read and is another one than a fit got is a false answer; refusing is none.
What lint reads of it may hold more than a fit got, and never less, unless it names
something that it did not read; and what it says is certainly there has to be there.
"""

from __future__ import annotations

import ast
import builtins
import random
import sys
import types
import warnings
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay import CbreplayError, read_script_callbacks
from cbreplay.rules.bystander import Bystander
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau
from cbreplay.scripts.training_scripts import read_training_script
from tests.fuzz.hunt import Channel, ask, hunt_from_command_line

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay.expressions import ScriptCallbacks

_RULES: dict[str, type[Any]] = {
    "EarlyStopping": EarlyStopping,
    "ReduceLROnPlateau": ReduceLROnPlateau,
}
_IMPORTS = {
    "from keras.callbacks import *": "",
    "from keras.callbacks import EarlyStopping, ReduceLROnPlateau, CSVLogger": "",
    "import keras": "keras.callbacks.",
    "import tensorflow as tf": "tf.keras.callbacks.",
    "from tensorflow import keras": "keras.callbacks.",
    "from tensorflow.keras import callbacks as cb": "cb.",
    "import keras.callbacks as kc": "kc.",
}
_MOST_DEEP = 3
_N_RUNS, _MOST_COINS = 4, 200
# what a script is given beside Keras: a coin, what may raise an error, code of others
_GIVEN = ("coin", "risky", "unseen")


class Script(NamedTuple):
    """A script, and whether its bytes were damaged after it was drawn."""

    text: str
    damaged: bool


def _make_case(pick: random.Random) -> Script:
    drawing = _Drawing(pick)
    lines = [drawing.imported, "flag, off = True, False"]
    for _ in range(pick.randrange(1, 6)):
        lines += drawing.statement(0)
    lines += drawing.fit("")
    text = "\n".join(lines) + "\n"
    if pick.random() < 0.05:
        at = pick.randrange(len(text))
        odd = pick.choice("([{'\\\0\n\té@")
        return Script(text[:at] + odd + text[at + 1 :], damaged=True)
    return Script(text, damaged=False)


class _Drawing:
    """One script as it is drawn; most names that it uses are bound before."""

    def __init__(self, pick: random.Random) -> None:
        self.pick = pick
        self.imported = pick.choice(list(_IMPORTS))
        self.prefix = _IMPORTS[self.imported]
        self.lists: list[str] = []
        self.callbacks: list[str] = []
        self.numbers: list[str] = []
        self.tables: list[str] = []
        self.classes: list[str] = []
        self.n_names = 0

    def chance(self, share: float) -> bool:
        return self.pick.random() < share

    @property
    def names(self) -> list[str]:
        held = self.lists + self.callbacks + self.numbers
        return held + self.tables + self.classes

    def new_name(self, known: list[str]) -> str:
        """Draw a name to bind: mostly one of its own, sometimes one that is there."""
        if self.chance(0.12) and (there := self.names):
            name = self.pick.choice(there)
        else:
            self.n_names += 1
            name = f"n{self.n_names}"
        if name not in known:
            known.append(name)
        return name

    def number(self) -> str:
        if self.numbers and self.chance(0.4):
            return self.pick.choice(self.numbers)
        if self.tables and self.chance(0.4):
            return f"{self.pick.choice(self.tables)}['p']"
        if self.classes and self.chance(0.4):
            return f"{self.pick.choice(self.classes)}.P + 1"
        return self.pick.choice(["1", "2", "3", "5", "-1", "2 + 1", "len('ab')"])

    def call(self) -> str:
        kind = self.pick.choice(
            ["EarlyStopping"] * 3 + ["ReduceLROnPlateau", "CSVLogger"]
        )
        if kind == "CSVLogger":
            return f"{self.prefix}CSVLogger('log.csv')"
        given = self.pick.choice(
            [
                f"patience={self.number()}",
                f"patience={self.number()}",
                f"'val_loss', patience={self.number()}",
                f"monitor='loss', patience={self.number()}",
                "",
                "**{'patience': 4}",
            ]
        )
        return f"{self.prefix}{kind}({given})"

    def callback(self) -> str:
        if self.callbacks and self.chance(0.4):
            return self.pick.choice(self.callbacks)
        return self.call()

    def list_(self, depth: int = 0) -> str:
        """Draw what is a list of callbacks."""
        if self.lists and self.chance(0.45):
            return self.pick.choice(self.lists)
        if depth >= _MOST_DEEP or self.chance(0.65):
            entries = [self.entry(depth) for _ in range(self.pick.randrange(4))]
            return f"[{', '.join(entries)}]"
        inner, other = self.list_(depth + 1), self.list_(depth + 1)
        return self.pick.choice(
            [
                f"{inner} + {other}",
                f"{inner} + {other}",
                f"[*{inner}, {self.callback()}]",
                f"[{inner}, {other}]",
                f"list({inner})",
                f"({inner} if flag else {other})",
                f"({inner} if off else {other})",
                f"[{self.call()} for i in range(2)]",
                f"({self.new_name(self.lists)} := {inner})",
                f"{inner}[:1]",
                f"({inner} or {other})",
                f"{inner} * 2",
                f"sorted({inner}, key=id)[:0]",
                f"(lambda: {inner})()",
            ]
        )

    def entry(self, depth: int) -> str:
        if self.chance(0.7) or depth >= _MOST_DEEP:
            return self.callback()
        return self.pick.choice([f"*{self.list_(depth + 1)}", "None", self.call()])

    def fit(self, indent: str) -> list[str]:
        listed = self.list_()
        words = self.pick.choice(
            [
                f"callbacks={listed}",
                f"callbacks={listed}, epochs=9",
                f"epochs=9, callbacks={listed}, validation_freq=2",
            ]
        )
        method = self.pick.choice(["fit"] * 5 + ["fit_generator"])
        return [f"{indent}model.{method}(x, {words})"]

    def statement(self, depth: int) -> list[str]:
        indent = "    " * depth
        if depth >= _MOST_DEEP or self.chance(0.8):
            return self.simple(indent)
        return self.block(indent, depth)

    def simple(self, indent: str) -> list[str]:
        drawn = self.pick.randrange(10)
        if drawn < 2:
            text = f"{self.call()}"
            return [f"{indent}{self.new_name(self.callbacks)} = {text}"]
        if drawn < 5:
            text = self.list_()
            return [f"{indent}{self.new_name(self.lists)} = {text}"]
        if drawn == 5:
            return self.constant(indent)
        if drawn == 6 and self.chance(0.4):
            return self.fit(indent)
        if self.lists:
            return [f"{indent}{self.change(self.pick.choice(self.lists))}"]
        return [f"{indent}pass"]

    def constant(self, indent: str) -> list[str]:
        """Draw what holds a number, or changes it."""
        text = self.number()
        if self.chance(0.5):
            return [f"{indent}{self.new_name(self.numbers)} = {text}"]
        if self.tables and self.chance(0.3):
            name = self.pick.choice(self.tables)
            changes = ["['p'] = 7", ".update(p=7)", ".pop('q')", ".clear()"]
            return [f"{indent}{name}{self.pick.choice(changes)}"]
        if self.classes and self.chance(0.3):
            name = self.pick.choice(self.classes)
            changes = [f"{name}.P = 7", f"setattr({name}, 'P', 7)", f"{name} = None"]
            return [f"{indent}{self.pick.choice(changes)}"]
        if self.chance(0.5):
            return [f"{indent}{self.new_name(self.tables)} = {{'q': 1, 'p': {text}}}"]
        return [
            f"{indent}class {self.new_name(self.classes)}:",
            f"{indent}    P = {text}",
        ]

    def change(self, name: str) -> str:
        """Draw a change of a list, or of what stands in it."""
        held = self.pick.choice(self.callbacks) if self.callbacks else f"{name}[0]"
        return self.pick.choice(
            [
                f"{name}.append({self.callback()})",
                f"{name}.append({self.callback()})",
                f"{name}.append({self.callback()})",
                f"{name}.extend({self.list_()})",
                f"{name} += {self.list_()}",
                f"{name} += {self.list_()}",
                f"{name} = {name} + [{self.callback()}]",
                f"{name}.insert(0, {self.callback()})",
                f"{name}[0:0] = [{self.callback()}]",
                f"del {name}[0]",
                f"{name}.clear()",
                f"{name}.reverse()",
                f"{held}.patience = 8",
                f"setattr({held}, 'patience', 7)",
                f"{name}, other = {self.list_()}, 1",
                f"[{name}.append({self.call()}) for _ in range(2)]",
                f"(lambda z: z.append({self.call()}))({name})",
                f"list.append({name}, {self.call()})",
                f"globals()['{name}'] = []",
                f"print({name})",
                f"{self.new_name(self.lists)} = {name}.copy()",
                f"{self.new_name(self.lists)} = {name}",
                f"add = {name}.append; add({self.call()})",
                f"{name}: list = {self.list_()}",
                "risky()",
                f"unseen({name})",
                f"unseen({held})",
                f"if coin(): {name}.append({self.call()})",
            ]
        )

    def block(self, indent: str, depth: int) -> list[str]:
        parts = [self.statement(depth + 1) for _ in range(self.pick.choice([1, 1, 2]))]
        if self.chance(0.4):
            parts.insert(self.pick.randrange(len(parts) + 1), [f"{indent}    risky()"])
        body = [line for part in parts for line in part]
        other = self.statement(depth + 1)
        name = self.pick.choice([*self.lists, "m"])
        head = self.pick.choice(
            [
                *("if flag:", "if off:", "for i in range(2):", "for _ in ():"),
                *("while off:", "with model:", "try:", "def f(z):", "def g():"),
                *("if coin():", "try:", "with model:", "for i in range(2):"),
                *(
                    f"def h({name}=None):",
                    f"for {name} in ([],):",
                    "class K:",
                    "match 1:",
                ),
            ]
        )
        lines = [f"{indent}{head}", *body]
        if head.startswith("for") and self.chance(0.5):
            leave = self.pick.choice(["break", "continue"])
            more = self.statement(depth + 1)
            lines += [f"{indent}    if coin(): {leave}", *more]
        if head == "try:":
            lines += [f"{indent}except Exception as {name}:", *other]
        elif head == "match 1:":
            body = [f"    {line}" for line in body]
            lines = [f"{indent}{head}", f"{indent}    case {name}:", *body]
        elif head.startswith("if") and self.chance(0.5):
            lines += [f"{indent}else:", *other]
        elif head.startswith("def"):
            if self.chance(0.4) and head != f"def h({name}=None):":
                lines.insert(1, f"{indent}    global {name}")
            lines.append(f"{indent}    return {self.list_()}")
            if self.chance(0.7):
                called = {
                    "f": f"f({self.list_()})",
                    "g": "g()",
                    "h": f"h({self.list_()})",
                }
                bound = f"{self.new_name(self.lists)} = " if self.chance(0.5) else ""
                lines.append(f"{indent}{bound}{called[head[4]]}")
        return lines


class _Standing:
    """A callback of the stand-in, whose parameters may be changed."""

    def __init__(self, kind: str, *given: Any, **named: Any) -> None:
        self.kind = kind
        if kind in _RULES:
            known = [one.name for one in fields(_RULES[kind])]
            if len(given) > len(known) or not named.keys() <= set(known):
                raise TypeError
            self.__dict__.update(zip(known, given, strict=False))
            self.__dict__.update(named)

    def as_rule(self) -> Any:
        if self.kind not in _RULES:
            return self.kind
        return _RULES[self.kind](**{k: v for k, v in vars(self).items() if k != "kind"})


class _Model:
    """Notes what ``fit`` gets."""

    def __init__(self) -> None:
        self.got: list[list[Any]] = []
        self.lines: list[int] = []

    def fit(self, *_given: Any, callbacks: Any = None, **_named: Any) -> None:
        self.got.append([one.as_rule() for one in _flat(callbacks)])
        self.lines.append(sys._getframe(1).f_lineno)

    fit_generator = fit

    def __enter__(self) -> None: ...

    def __exit__(self, *raised: object) -> bool:
        return isinstance(raised[1], _RiskyError)


class _RiskyError(Exception):
    pass


class _NotKeras(Exception):  # noqa: N818 - a script that a real Keras would refuse
    pass


def _flat(callbacks: Any) -> list[_Standing]:
    """Return the callbacks of nested lists, as Keras flattens them."""
    if callbacks is None:
        return []
    if isinstance(callbacks, _Standing):
        return [callbacks]
    if isinstance(callbacks, (list, tuple)):
        return [one for entry in callbacks for one in _flat(entry)]
    raise _NotKeras


class _Surroundings:
    """What a script is given beside Keras, in one run."""

    def __init__(self, seed: int) -> None:
        self.drawn = random.Random(seed)  # noqa: S311 - no secret
        self.n_coins = 0

    def coin(self) -> bool:
        self.n_coins += 1
        if self.n_coins > _MOST_COINS:
            raise KeyboardInterrupt
        return self.drawn.random() < 0.5

    def risky(self) -> None:
        if self.coin():
            raise _RiskyError

    def unseen(self, held: Any) -> None:
        """Change what it is given, or leave it as it is."""
        if self.coin() and isinstance(held, list):
            held.append(_Standing("EarlyStopping", patience=9))
        elif self.coin() and isinstance(held, _Standing):
            vars(held)["patience"] = 6


def _really_run(text: str, seed: int) -> _Model:
    """Run a script with the stand-in, to its end or the first error."""
    made = {
        kind: (lambda *given, _kind=kind, **named: _Standing(_kind, *given, **named))
        for kind in (*_RULES, "CSVLogger")
    }
    callbacks = types.SimpleNamespace(**made)
    keras = types.SimpleNamespace(callbacks=callbacks)
    modules = {
        "keras": keras,
        "keras.callbacks": callbacks,
        "tensorflow": types.SimpleNamespace(keras=keras),
        "tensorflow.keras": keras,
        "os": types.SimpleNamespace(path=None),
    }

    def fetch(name: str, *words: Any) -> Any:
        wanted = words[2] if len(words) > 2 else None
        return modules[name if wanted else name.partition(".")[0]]

    model = _Model()
    given = _Surroundings(seed)
    names: dict[str, Any] = {name: getattr(given, name) for name in _GIVEN} | {
        "model": model,
        "x": None,
        "__builtins__": {**vars(builtins), "__import__": fetch},
    }
    names["__builtins__"]["print"] = lambda *_: None
    for line in ("from keras.callbacks import *", "import keras.callbacks as kc"):
        if text.startswith(f"{line}\n"):
            # the line stays, so that those below it keep their numbers
            text = f"\n{text.removeprefix(line).removeprefix(chr(10))}"
            names |= made if "*" in line else {"kc": callbacks}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(text, "train.py", "exec"), names)  # noqa: S102 - drawn above
    except (Exception, KeyboardInterrupt):  # noqa: BLE001, S110 - whatever is drawn
        pass
    return model


def _check_lint(script: Path, run: _Model) -> None:
    """Compare what lint reads of a script with what its fits got."""
    try:
        reading = read_training_script(str(script))
    except CbreplayError:
        return
    fits = {fit.facts.place: fit for fit in reading.fits}
    # the imports that a stand-in is given in place of are left out of the text
    for line, got in zip(run.lines, run.got, strict=True):
        fit = fits[f"line {line}"]
        told = f"{script.read_text()}\nline {line} got {got}\nread {fit}"
        for member in fit.members:
            if member.is_certain and len(member.variants) == 1:
                assert _plain(member.variants[0]) in got, told
        known = [
            _plain(variant) for member in fit.members for variant in member.variants
        ]
        unknown = fit.unread or any(len(one.variants) > 1 for one in fit.members)
        assert unknown or all(callback in known for callback in got), told


def _plain(callback: Any) -> Any:
    return callback.name if isinstance(callback, Bystander) else callback


def _deciding(callbacks: list[Any]) -> list[Any]:
    return [callback for callback in callbacks if not isinstance(callback, str)]


def _check(case: Script, place: Path) -> str:
    script = place / "train.py"
    script.write_text(case.text, encoding="utf-8")
    found: ScriptCallbacks | None = None
    try:
        found = read_script_callbacks(str(script))
    except CbreplayError:
        found = None
    ask("lint", script)
    runs = [
        _really_run(case.text, seed) for seed in range(0 if case.damaged else _N_RUNS)
    ]
    # what globals() does is named, and not followed
    if "globals()" not in case.text:
        for run in runs:
            _check_lint(script, run)
    if found is None:
        return "refused, and read by lint" if runs else "refused"
    if case.damaged and not _is_python(case.text):
        raise AssertionError(case.text)
    doubted = ("is not read", "no fit(callbacks=...) stands in it")
    if not runs or any(said in note for note in found.notes for said in doubted):
        return "read, not run"
    read = [_plain(callback) for callback in found.callbacks]
    every = [callbacks for run in runs for callbacks in run.got]
    told = f"{case.text}\nread {read}\ngot  {every}"
    # fits may differ in what they log alone
    assert all(_deciding(callbacks) == _deciding(read) for callbacks in every), told
    assert not every or read in every, told
    return "equal" if every else "read, no fit"


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


SCRIPTS = Channel("scripts", _make_case, _check)

if __name__ == "__main__":
    hunt_from_command_line(SCRIPTS)
