"""Files of the working directory: ``pyproject.toml`` is read, ``matplotlibrc`` is not.

A log is often asked about where it was unpacked, so a file in the same directory is not
trusted: it may set how a log is read and judged, and nothing else.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from click.core import ParameterSource

from cbreplay.arguments import shown_value
from cbreplay.errors import ConfigError
from cbreplay.wording.near_names import nearest_name

if TYPE_CHECKING:
    import click

__all__ = [
    "WHERE_FROM",
    "follow_config",
    "import_matplotlib",
    "is_default",
    "named_defaults",
    "read_defaults",
]

CONFIG_FILE = "pyproject.toml"
WHERE_FROM = f"comes from {CONFIG_FILE} here (--no-config leaves it out)"
_MOST_BYTES = 200_000
_MOST_DOTS = 1_000

# how a log is read and judged, and how the answer is written; none of them can name
# code, a place to write to, a host or a path
_ALLOWED = {
    "monitor": str,
    "mode": str,
    "objective": str,
    "objective_mode": str,
    "semantics": str,
    "tolerance": (str, float, int),
    "cost_weight": (float, int),
    "group_by": str,
    "format": str,
    "precision": int,
}
# the parameter of a command, where it is not called as its option is
_PARAMETERS = {"format": "output_format"}


def follow_config(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's signature
    value: bool,
) -> None:
    """Let a command follow a pyproject.toml here, unless ``--no-config`` was typed.

    The option may be typed before the command or after it.
    """
    if not (value or context.find_root().obj["no_config"]):
        context.default_map = read_defaults()


def read_defaults() -> dict[str, Any]:
    """Return the option defaults of ``[tool.cbreplay]`` in a pyproject.toml here.

    Returns
    -------
    dict
        The parameters' defaults, as click's ``default_map`` of a command.

    Raises
    ------
    ConfigError
        If the table cannot be read, or sets an option that such a file may not set.
    """
    text = _read_config()
    if b"cbreplay" not in text:
        return {}
    table = _find_table(text)
    defaults = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in _ALLOWED:
            raise _not_allowed(key)
        if isinstance(value, bool) or not isinstance(value, _ALLOWED[name]):  # type: ignore[arg-type]  # a type or a tuple of types
            kind = "text" if _ALLOWED[name] is str else "a number"
            problem = f"{key} is {shown_value(value)}, where {kind} is expected"
            raise _refused(problem)
        defaults[_PARAMETERS.get(name, name)] = value
    return defaults


def _read_config() -> bytes:
    """Return the file's bytes; nothing where there is no plain file of a usual size."""
    try:
        seen = os.stat(CONFIG_FILE)
        # a pipe would never end
        if not stat.S_ISREG(seen.st_mode):
            return b""
        with open(CONFIG_FILE, "rb") as file:
            text = file.read(_MOST_BYTES + 1)
    except OSError:
        return b""
    if len(text) > _MOST_BYTES:
        sentence = f"it is longer than {_MOST_BYTES:,} bytes"
        raise _refused(sentence)
    return text


def _find_table(text: bytes) -> dict[str, Any]:
    import tomllib

    try:
        _check_dots(text)
        whole = tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        if b"tool.cbreplay" not in text:
            # the mistake is elsewhere in the file, and does not concern this answer
            return {}
        sentence = f"[tool.cbreplay] cannot be read ({error})"
        raise _refused(sentence) from None
    tools = whole.get("tool")
    table = tools.get("cbreplay", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        sentence = f"tool.cbreplay is {shown_value(table)}, where a table is expected"
        raise _refused(sentence)
    return table


def _check_dots(text: bytes) -> None:
    """Refuse a dotted key of thousands of parts: tomllib keeps each prefix of it."""
    if max(line.count(b".") for line in text.split(b"\n")) > _MOST_DOTS:
        message = f"more than {_MOST_DOTS:,} dots in a line"
        raise ValueError(message)


def _not_allowed(key: str) -> ConfigError:
    options = [name.replace("_", "-") for name in _ALLOWED]
    near = nearest_name(key.replace("_", "-"), options)
    allowed = (
        "A file that only lies beside a log may say how it is read and judged, and "
        f"nothing else: {', '.join(options)}"
    )
    problem = f"[tool.cbreplay] may not set {shown_value(key)}{near}"
    return _refused(f"{problem}{'' if near else '.'} {allowed}")


def _refused(problem: str) -> ConfigError:
    return ConfigError(f"{CONFIG_FILE}: {problem}. --no-config leaves the file out")


def named_defaults(context: click.Context) -> list[str]:
    """Return a note on the defaults that a command took from pyproject.toml."""
    followed = [
        f"{max(parameter.opts, key=len)} {context.params.get(parameter.name or '')}"
        for parameter in context.command.params
        if is_default(context, parameter)
    ]
    return [f"{' '.join(followed)} {WHERE_FROM}"] if followed else []


def is_default(context: click.Context, parameter: click.Parameter) -> bool:
    """Return whether a parameter has its value from pyproject.toml."""
    source = context.get_parameter_source(parameter.name or "")
    return source is ParameterSource.DEFAULT_MAP


def import_matplotlib() -> None:
    """Import matplotlib without a ``matplotlibrc`` in the working directory.

    Matplotlib follows one in the working directory before the user's own, and
    ``text.usetex`` there would start LaTeX on the words of a log.
    """
    if not os.path.lexists("matplotlibrc"):
        import matplotlib  # noqa: ICN001 - for what it reads

        return
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(os.path.dirname(__file__))
        import matplotlib  # noqa: F401, ICN001 - for what it reads
    finally:
        os.fchdir(here)
        os.close(here)
