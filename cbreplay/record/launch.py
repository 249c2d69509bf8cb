"""Run a training script in a fresh Python as if it had been called, and record it.

This file is what that Python is given: ``python launch.py OPTIONS TARGET [ARGS]``.
The script finds its own arguments, its own ``__main__``, and Keras as it would have
been; only ``keras.Model.fit`` is watched, from when the script imports Keras on.
"""

from __future__ import annotations

import atexit
import builtins
import importlib.util
import json
import linecache
import os
import runpy
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import TracebackType

    from cbreplay.record.recording import WatchedModels

__all__ = ["main"]

_HERE = Path(__file__).resolve()


def main() -> None:
    """Run what the words of this process name."""
    options = json.loads(sys.argv[1])
    target = sys.argv[2]
    sys.argv = sys.argv[2:]
    sys.path[0] = os.getcwd() if options["kind"] == "module" else _folder(target)  # noqa: PTH109 - as Python writes it
    watched = _watch(options)
    if not options["quiet"]:
        atexit.register(_report, watched, target)
    try:
        _RUNS[options["kind"]](target)
    except SystemExit:
        raise
    except BaseException as error:
        _show_as_without(error)
        raise


def _folder(target: str) -> str:
    return str(Path(target).resolve().parent)


def _watch(options: dict[str, Any]) -> WatchedModels:
    """Make ready for the moment when Keras is imported."""
    root = str(_HERE.parents[2])
    sys.path.insert(0, root)
    from cbreplay.record.recording import FitChanges, WatchedModels

    sys.path.remove(root)
    changes = FitChanges(tuple(options["without"]), options["epochs"])
    watched = WatchedModels(Path(options["out"]).absolute(), changes)
    sys.meta_path.insert(0, _KerasFinder(watched))
    return watched


class _KerasFinder:
    """Find Keras as Python does, and watch its models once it is imported."""

    def __init__(self, watched: WatchedModels) -> None:
        self.watched = watched

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name != "keras":
            return None
        # it has done its work with the first import; the usual finders go on
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_watch(module: types.ModuleType) -> None:
            execute(module)
            self.watched.__enter__()

        spec.loader.exec_module = execute_and_watch  # type: ignore[method-assign]  # of this one loader
        return spec


def _run_script(path: str) -> None:
    # as Python names it in a traceback
    file = str(Path(path).absolute())
    code = compile(Path(path).read_bytes(), file, "exec")
    exec(code, vars(_make_main(file)))  # noqa: S102 - what the user asked to be run


def _run_module(name: str) -> None:
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_notebook(path: str) -> None:
    """Run the code cells of a notebook one after the other; nothing is shown."""
    names = vars(_make_main(path))
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] != "code":
            continue
        text = "".join(cell["source"])
        lines = [
            "" if line.lstrip().startswith("%") else line for line in text.split("\n")
        ]
        name = f"{path}[cell {number}]"
        source = "\n".join(lines)
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        exec(compile(source, name, "exec"), names)  # noqa: S102 - what the user asked for


def _make_main(path: str) -> types.ModuleType:
    """Put a module in the place of ``__main__``, as Python makes it for a script."""
    module = types.ModuleType("__main__")
    module.__file__ = path
    vars(module)["__builtins__"] = builtins
    sys.modules["__main__"] = module
    return module


_RUNS = {"script": _run_script, "module": _run_module, "notebook": _run_notebook}


def _show_as_without(error: BaseException) -> None:
    """Show the traceback of the script, without what stands around it here."""
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


def _report(watched: WatchedModels, target: str) -> None:
    """Say what was recorded, when the script has ended."""
    from cbreplay.record.open_fit import tell_user

    made = [path for path in watched.directories if (path / "run.json").exists()]
    if not made:
        tell_user(f"{target} trained nothing with fit of Keras 3: nothing is recorded")
        return
    fits = "1 fit" if len(made) == 1 else f"{len(made)} fits"
    shown = os.path.relpath(made[0] if len(made) == 1 else watched.root)
    tell_user(f"recorded {fits} in {shown}")
    sys.stderr.write(f"next: cbreplay simulate {shown}\n")


if __name__ == "__main__":
    main()
