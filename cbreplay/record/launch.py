"""Run a training script in a fresh Python as if it had been called, and record it.

This file is what that Python is given: ``python launch.py OPTIONS TARGET [ARGS]``.
`Program.words` writes that command line, `main` reads it.
The script finds its own arguments, its own ``__main__``, and an unchanged Keras but for
``keras.Model.fit``, which records once the script has imported Keras.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import importlib.util
import json
import linecache
import os
import runpy
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.machinery import ModuleSpec
    from types import TracebackType

    from cbreplay.record.recording import WatchedModels
    from cbreplay.record.seen_training import HeldFits

__all__ = ["Program", "main"]

_HERE = Path(__file__).resolve()


class Program(NamedTuple):
    """What is typed after ``cbreplay record``.

    Parameters
    ----------
    kind : {"script", "module", "notebook"}
        What the target is.
    target : str
        A path, or a module's name.
    arguments : tuple of str
        The arguments of the script.
    named : tuple of str
        The class names of ``--without``.
    without : tuple of str
        The classes that are left out of this run: `named`, or none (``--share``).
    epochs : int or None
        As in ``FitChanges``.
    environment : mapping of str to str, optional
        The script's environment; this process's by default.
    """

    kind: Literal["script", "module", "notebook"]
    target: str
    arguments: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    epochs: int | None = None
    environment: Mapping[str, str] | None = None

    def words(self, out: Path, **options: Any) -> list[str]:  # noqa: ANN401 - JSON
        """Return the command line of a Python that runs it and records its fits.

        The run directories are made in `out`; `options` are further ones of the
        launcher.
        """
        told = {
            "kind": self.kind,
            "out": str(out),
            "named": self.named,
            "without": self.without,
            "epochs": self.epochs,
            **options,
        }
        # python -P -m cbreplay record: the script gets -P too
        safe = ["-P"] if sys.flags.safe_path else []
        program = [sys.executable, *safe, str(_HERE)]
        return [*program, json.dumps(told), self.target, *self.arguments]


def main() -> None:
    """Run the target that the arguments of this process name."""
    options = json.loads(sys.argv[1])
    target = sys.argv[2]
    sys.argv = sys.argv[2:]
    _set_first_path(options["kind"], target)
    finder = _KerasFinder(options)
    sys.meta_path.insert(0, finder)
    if not options["quiet"]:
        atexit.register(_report_last, finder, target, os.getpid())
    try:
        _RUNS[options["kind"]](target)
    except SystemExit:
        raise
    except BaseException as error:
        finder.interrupted = isinstance(error, KeyboardInterrupt)
        _show_as_without(error)
        raise


def _set_first_path(kind: str, target: str) -> None:
    """Replace this file's folder as the first place where Python looks for modules."""
    if sys.flags.safe_path:
        # with this option Python put no such folder there
        return
    folder = str(Path(target).resolve().parent)
    sys.path[:1] = [_working_directory()] if kind == "module" else [folder]


def _working_directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as Python writes it
    except OSError:
        # it was removed, and may still be the working directory
        return ""


class _KerasFinder:
    """Find Keras as Python does, and record its models once it is imported.

    Until then nothing is imported that would import numpy: the script may first set
    environment variables for it.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.began_in = _working_directory()
        self.root = Path(options["out"]).absolute()
        self.watched: WatchedModels | None = None
        self.failed = False
        self.interrupted = False
        self._asking = False

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name != "keras" or self._asking:
            return None
        self._asking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asking = False
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_watch(module: types.ModuleType) -> None:
            execute(module)
            sys.meta_path.remove(self)
            self._watch()

        spec.loader.exec_module = execute_and_watch  # type: ignore[method-assign]  # of this one loader
        return spec

    def _watch(self) -> None:
        """Record from here on; if that fails, the script runs unrecorded."""
        try:
            with _own_package():
                from cbreplay.record.recording import FitChanges, WatchedModels

                changes = FitChanges(
                    tuple(self.options["without"]), self.options["epochs"], self._held()
                )
                self.watched = WatchedModels(self.root, changes).__enter__()
        except Exception as error:  # noqa: BLE001 - a training is worth more than its log
            self.failed = True
            # a script may have closed stderr
            with contextlib.suppress(Exception):
                sys.stderr.write(f"cbreplay: nothing is recorded: {error}\n")

    def _held(self) -> HeldFits | None:
        """Return what `confirm` asks of the fits, if it runs the script."""
        if "held" not in self.options:
            return None
        from cbreplay.record.run_directory import place_records_below
        from cbreplay.record.seen_training import HeldFits

        place_records_below(self.root)
        known, sys.path = sys.path, [*sys.path, *self.options["paths"]]
        try:
            return HeldFits.read(Path(self.options["held"]))
        finally:
            sys.path = known


@contextlib.contextmanager
def _own_package() -> Iterator[None]:
    """Make this package importable, wherever it is installed."""
    root = str(_HERE.parents[2])
    sys.path.insert(0, root)
    try:
        yield
    finally:
        sys.path.remove(root)


def _run_script(path: str) -> None:
    # the name in tracebacks is as with Python itself
    file = str(Path(path).absolute())
    code = compile(Path(path).read_bytes(), file, "exec", dont_inherit=True)
    exec(code, vars(_make_main(file)))  # noqa: S102 - what the user asked to be run


def _run_module(name: str) -> None:
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_notebook(path: str) -> None:
    """Run the code cells of a notebook in order; the values of cells are not shown."""
    with _own_package():
        from cbreplay.scripts.notebook_cells import read_cells
    codes = []
    for cell in read_cells(Path(path).read_text(encoding="utf-8")):
        name = f"{path}[code cell {cell.number}]"
        source = "\n".join(cell.lines)
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        codes.append(compile(source, name, "exec", dont_inherit=True))
    names = vars(_make_main(path))
    for code in codes:
        exec(code, names)  # noqa: S102 - what the user asked for


def _make_main(path: str) -> types.ModuleType:
    """Replace ``__main__`` by a module as Python makes it for a script."""
    module = types.ModuleType("__main__")
    module.__file__ = path
    vars(module)["__builtins__"] = builtins
    sys.modules["__main__"] = module
    return module


_RUNS = {"script": _run_script, "module": _run_module, "notebook": _run_notebook}


def _show_as_without(error: BaseException) -> None:
    """Show the traceback of the script, without the frames of this launcher."""
    trace = _trimmed(error.__traceback__)
    shown = sys.excepthook

    def show(
        kind: type[BaseException], value: BaseException, _: TracebackType | None
    ) -> None:
        shown(kind, value.with_traceback(trace), trace)

    sys.excepthook = show


def _trimmed(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of this package and of runpy."""
    while trace is not None and _is_around(trace):
        trace = trace.tb_next
    if trace is not None:
        trace.tb_next = _trimmed(trace.tb_next)
    return trace


def _is_around(trace: TracebackType) -> bool:
    file = trace.tb_frame.f_code.co_filename
    ours = (_HERE.name, "recording.py")
    if file == "<frozen runpy>":
        return True
    return Path(file).parent == _HERE.parent and Path(file).name in ours


def _report_last(finder: _KerasFinder, target: str, process: int) -> None:
    _report(finder, target, process)
    if finder.interrupted:
        # imports for the report make Python forget the uncaught interrupt, which gives
        # the process its exit status
        with contextlib.suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 - as text: only that counts


def _report(finder: _KerasFinder, target: str, process: int) -> None:
    """Say what was recorded, when the script has ended."""
    # a process that the script forked has recorded nothing itself
    if finder.failed or os.getpid() != process:
        return
    with _own_package():
        from cbreplay.record.open_fit import tell_user
        from cbreplay.wording.plain_text import shell_words
    watched = finder.watched
    made = [] if watched is None else watched.directories
    if watched is not None and watched.n_fits:
        for sentence in _unmatched(finder.options["named"], watched.names):
            tell_user(sentence)
    if not made:
        tell_user(_nothing(target, 0 if watched is None else watched.n_fits))
        return
    fits = "1 fit" if len(made) == 1 else f"{len(made)} fits"
    in_root = len(made) > 1 and all(finder.root in path.parents for path in made)
    places = [finder.root] if in_root else made
    shown = shell_words(_from(finder.began_in, path) for path in places)
    in_part = watched.n_in_part if watched is not None else 0
    tell_user(f"recorded {fits} in {shown}{_spoken_in_part(in_part, len(made))}")
    sys.stderr.write(f"next: cbreplay simulate {shown}\n")


def _spoken_in_part(n_in_part: int, n_fits: int) -> str:
    if not n_in_part:
        return ""
    which = "" if n_in_part == n_fits else f"{n_in_part} of them "
    return f", {which}not to the end, as said above"


def _nothing(target: str, n_fits: int) -> str:
    if n_fits:
        fits = "its fit was" if n_fits == 1 else f"its {n_fits} fits were"
        return f"nothing is recorded of {target}: {fits} not recorded, as said above"
    return (
        f"{target} trained nothing with fit of Keras 3 in its own process: nothing is "
        "recorded"
    )


def _unmatched(named: list[str], seen: set[str]) -> Iterator[str]:
    """Say which classes of ``--without`` were in no fit."""
    from cbreplay.wording.near_names import nearest_name

    for name in named:
        if name not in seen:
            near = nearest_name(name, sorted(seen))
            yield f"--without {name}: no fit had a callback of this class{near}"


def _from(folder: str, path: Path) -> str:
    """Return a path as it is typed in the directory of the command."""
    if folder and path.is_relative_to(folder):
        return str(path.relative_to(folder))
    return str(path)


if __name__ == "__main__":
    main()
