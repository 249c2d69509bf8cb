"""What may be meant by a misspelt name, or by a path that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["nearest_name", "nearest_path"]


def nearest_path(path: str) -> str:
    """Return ``"; did you mean 'runs/a'?"`` where what there is has a name like it.

    Asked about a path that does not exist: of the deepest directory of it that does,
    the entry is taken that is called most like the next part of the path.
    """
    import difflib
    from pathlib import Path

    asked = Path(path)
    try:
        place = next((above for above in asked.parents if above.is_dir()), Path())
        missing, *rest = asked.relative_to(place).parts
        names = [entry.name for entry in place.iterdir() if entry.name[0] != "."]
        near = [
            name
            for name in difflib.get_close_matches(missing, names)
            # a common ending makes no likeness, nor does another name with another one
            if difflib.get_close_matches(Path(missing).stem, [Path(name).stem])
            and (
                Path(missing).suffix in ("", Path(name).suffix)
                or Path(missing).stem == Path(name).stem
            )
        ]
        found = [place / near[0], (place / near[0]).joinpath(*rest)] if near else []
        there = [str(own) for own in found if own.exists()]
    except (OSError, ValueError):
        # a name that is too long, or a directory that may not be read
        return ""
    return f"; did you mean {there[-1]!r}?" if there else ""


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'patience'?"`` where a known name is near, else ''.

    >>> nearest_name("patiense", ["monitor", "patience"])
    "; did you mean 'patience'?"
    """
    import difflib

    # a name in other letters, JSON for json, is the nearest of all
    folded = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""
