"""The functions whose code imports a module of medianest, directly or through others."""

import ast
import functools

import grimp

from tests.support.api import ROOT, TEMPLATE


@functools.cache
def functions_with(module: str) -> frozenset[str]:
    """Return the ids of the functions that import a module, at their start or later."""
    graph = _graph()
    wanted = {module, *graph.find_downstream_modules(module)}
    return frozenset(name for name in TEMPLATE.functions if not wanted.isdisjoint(_imported(name)))


@functools.cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph("medianest")


@functools.cache
def _imported(function: str) -> frozenset[str]:
    code = TEMPLATE.functions[function].code.relative_to(ROOT)
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / code / "app.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return frozenset(names & _graph().modules)
