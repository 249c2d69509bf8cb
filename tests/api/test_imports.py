"""No module needs, however indirectly, one that needs it."""

from __future__ import annotations

from graphlib import TopologicalSorter

import grimp


def test_imports_make_no_circle() -> None:
    # those under TYPE_CHECKING and inside of functions too: a reader follows them all
    graph = grimp.build_graph("cbreplay", cache_dir=None)
    assert len(graph.modules) > 200
    needs = {
        module: graph.find_modules_directly_imported_by(module)
        for module in graph.modules
    }
    TopologicalSorter(needs).prepare()
