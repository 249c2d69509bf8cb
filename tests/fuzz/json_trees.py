"""JSON that somebody wrote with care, changed in a few places."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

__all__ = ["HOSTILE_TEXTS", "change_tree", "damage_text", "write_tree"]

# json.dumps refuses to write so many digits, and so deep a nest
_DIGITS, _DEEP = "@digits@", "@deep@"
HOSTILE_TEXTS = (
    "",
    " ",
    "\x1b[31m",
    "\u202eabc",
    "\ud800",
    "\0",
    "=1+1",
    "<script>alert(1)</script>",
    "|`*[x](javascript:x)",
    "a" * 3000,
    "nan",
    "0",
    "../../x",
    "{0}",
    "%s",
    "é",
    "\U0001f600",
    "a\nb\r\tc",
    "'\"\\",
)
_NUMBERS = (
    *(0, 1, -1, 2, 1e300, -1e300, 5e-324, -0.0, 0.5, 2**31, 2**53 + 1, 10**19),
    -(2**63),
    *(float("nan"), float("inf"), -float("inf"), 10**30, 10**400, -(10**400)),
)
_SHAPES: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": {}}, [0] * 50)
_SHAPES += (_DIGITS, _DEEP)


def hostile_value(pick: random.Random) -> Any:
    """Draw what hardly belongs anywhere."""
    kind = pick.randrange(8)
    if kind == 0:
        nested: Any = pick.choice(_NUMBERS)
        for _ in range(pick.choice([3, 60, 99, 150])):
            nested = [nested] if pick.random() < 0.5 else {"a": nested}
        return nested
    return copy.deepcopy(pick.choice((_NUMBERS, HOSTILE_TEXTS, _SHAPES)[kind % 3]))


def change_tree(tree: Any, pick: random.Random, keys: Sequence[str]) -> Any:
    """Return a copy of JSON that is changed in one to four places."""
    changed = copy.deepcopy(tree)
    for _ in range(pick.choice([1, 1, 1, 2, 2, 3, 4])):
        places = list(_places(changed))
        if not places:
            return hostile_value(pick)
        holder, key = pick.choice(places)
        pick.choice(_CHANGES)(holder, key, pick, keys)
    return changed


def write_tree(tree: Any, *, indent: int | None = None) -> str:
    """Write JSON, with thousands of digits and of brackets where it asks for them."""
    text = json.dumps(tree, indent=indent)
    nest = "[" * 2000 + "]" * 2000
    return text.replace(f'"{_DIGITS}"', "9" * 5000).replace(f'"{_DEEP}"', nest)


def damage_text(text: str, pick: random.Random) -> bytes:
    """Return the bytes of a text, one time in five damaged or in another encoding."""
    content = text.encode()
    kind = pick.randrange(25)
    at = pick.randrange(len(content) + 1)
    if kind == 0:
        return content[:at]
    if kind == 1:
        odd = pick.choice([b"\xff", b"\0", b"}", b"[", b"\n"])
        return content[:at] + odd + content[at:]
    if kind == 2:
        return text.encode(pick.choice(["utf-16", "utf-8-sig", "utf-32"]))
    if kind == 3:
        return content + content
    if kind == 4:
        return content.replace(b" ", b"\r\n")
    return content


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every place of a tree, as what holds it and its key there."""
    found: list[tuple[Any, Any]] = []
    pending = [tree]
    while pending and len(found) < _MOST_PLACES:
        holder = pending.pop()
        pairs: list[tuple[Any, Any]] = []
        if isinstance(holder, dict):
            pairs = list(holder.items())
        elif isinstance(holder, list):
            pairs = list(enumerate(holder))
        for key, value in pairs:
            found.append((holder, key))
            pending.append(value)
    return found


_MOST_PLACES = 2000


def _replace(holder: Any, key: Any, pick: random.Random, _keys: Sequence[str]) -> None:
    holder[key] = hostile_value(pick)


def _remove(holder: Any, key: Any, _pick: random.Random, _keys: Sequence[str]) -> None:
    del holder[key]


def _wrap(holder: Any, key: Any, pick: random.Random, _keys: Sequence[str]) -> None:
    value = holder[key]
    holder[key] = pick.choice([[value], [value] * 3, {"a": value}, str(value)])


def _rename(holder: Any, key: Any, pick: random.Random, keys: Sequence[str]) -> None:
    if isinstance(holder, dict):
        holder[pick.choice([*keys, *HOSTILE_TEXTS])] = holder.pop(key)


def _add(holder: Any, _key: Any, pick: random.Random, keys: Sequence[str]) -> None:
    if isinstance(holder, dict):
        holder[pick.choice([*keys, *HOSTILE_TEXTS])] = hostile_value(pick)
    else:
        holder.insert(pick.randrange(len(holder) + 1), hostile_value(pick))


def _repeat(holder: Any, _key: Any, pick: random.Random, _keys: Sequence[str]) -> None:
    if isinstance(holder, list):
        holder += copy.deepcopy(holder) * pick.choice([1, 2, 5])
        del holder[300:]


def _reorder(holder: Any, _key: Any, pick: random.Random, _keys: Sequence[str]) -> None:
    if isinstance(holder, list):
        pick.shuffle(holder)


def _exchange(holder: Any, key: Any, pick: random.Random, _keys: Sequence[str]) -> None:
    other_holder, other = pick.choice(_places(holder) or [(holder, key)])
    if other_holder is holder:
        holder[key], holder[other] = holder[other], holder[key]


_CHANGES = (
    *(_replace, _replace, _replace, _remove, _wrap, _rename, _add, _repeat),
    *(_reorder, _exchange),
)
