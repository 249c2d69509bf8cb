"""How a text of a script ends, where only that is told: ``folder + "/a.h5"``."""

from __future__ import annotations

import ast
import re
import string
from typing import TYPE_CHECKING

from cbreplay.scripts.calls import Unread
from cbreplay.scripts.possible_values import only_literal
from cbreplay.scripts.syntax import called_name

if TYPE_CHECKING:
    from cbreplay.scripts.calls import ScriptCalls
    from cbreplay.scripts.scopes import Scope

__all__ = ["find_ending"]

# a path ends as the last of these arguments does
_PATHS = {"Path", "PurePath", "join", "joinpath", "str"}
# up to the last value that % and format fill in
_PERCENT, _BRACE = r".*%[-+# 0-9.*]*[a-zA-Z]", r".*}"


def find_ending(calls: ScriptCalls, node: ast.expr, scope: Scope) -> str:
    """Return what a text or path ends in, whatever else is in it; "" if not told."""
    ending = _ending(calls, node, scope)
    try:
        list(string.Formatter().parse(ending))
    except ValueError:
        return ""  # a field such as {epoch} is cut
    return ending


def _ending(calls: ScriptCalls, node: ast.expr, scope: Scope) -> str:
    calls.count_step()
    try:
        node, scope = calls.followed(node, scope)
    except Unread:
        known = only_literal(calls, node, scope)
        return known if isinstance(known, str) else ""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    last, filled = _last_piece(node)
    ending = "" if last is None else _ending(calls, last, scope)
    return re.sub(filled, "", ending, count=1, flags=re.DOTALL)


def _last_piece(node: ast.expr) -> tuple[ast.expr | None, str]:
    """Return the piece with which a text ends, and a pattern of what it fills in."""
    if isinstance(node, ast.JoinedStr):
        return node.values[-1] if node.values else None, ""
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Mod):
            return node.left, _PERCENT
        return node.right if isinstance(node.op, (ast.Add, ast.Div)) else None, ""
    return _last_argument(node) if isinstance(node, ast.Call) else (None, "")


def _last_argument(call: ast.Call) -> tuple[ast.expr | None, str]:
    """Return the same of a call: of ``os.path.join``, of a path, or of ``format``."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "format":
        return call.func.value, _BRACE
    # with one argument, a join may be that of a str
    n_least = 2 if called_name(call) == "join" else 1
    ends_so = called_name(call) in _PATHS and len(call.args) >= n_least
    return call.args[-1] if ends_so else None, ""
