"""Each route serves the callers that its path implies, and a test calls it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.api import ROOT, ROUTES, TEMPLATE
from tests.support.permissions import PUBLIC, callers
from tools.docs.routes import served_routes

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
# Files that call every route, so they do not count as a test of a route.
OF_ALL_ROUTES = {"test_edge.py", "test_matrix.py"}


def test_routes_serve_the_callers_of_their_addresses() -> None:
    for served in served_routes(TEMPLATE):
        expected = callers(served.method, served.path)
        assert served.callers == expected, (
            f"{served.method} {served.path} serves {served.callers}; its path implies {expected}."
            " Give the route a parameter of type SignedIn or Admin (medianest/api/dependencies.py),"
            " or list it as public in tests/support/permissions.py"
        )


def test_public_routes_exist() -> None:
    assert sorted(PUBLIC - set(ROUTES)) == [], "remove them from tests/support/permissions.py"


def test_routes_have_tests_of_their_own() -> None:
    found = called_routes()
    for served in served_routes(TEMPLATE):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(served.path))
        assert any(
            method == served.method and re.fullmatch(pattern, path) for method, path in found
        ), (
            f"no test calls {served.method} {served.path}: write one in tests/integration, with"
            f' call("{served.method}", "{served.path}", …) of tests/support/api.py'
        )


def test_every_rule_is_used() -> None:
    sources = {
        file: file.read_text()
        for folder in ("functions", "layers", "local")
        for file in (ROOT / folder).rglob("*.py")
    }
    unused = [
        f"{file.relative_to(ROOT)}: {name}"
        for file, text in sources.items()
        if file.name == "service.py" and "medianest" in file.parts
        for name in re.findall(r"^def ([a-z]\w*)\(", text, re.MULTILINE)
        if not re.search(rf"(?<!def )\b{name}\(", text)
        and not any(
            re.search(rf"\.{name}\b|^(from .+ import .*|    ){name}\b,?", other, re.MULTILINE)
            for path, other in sources.items()
            if path != file
        )
    ]
    assert unused == [], "no code calls them: declare their routes in functions/, or remove them"


def called_routes() -> set[tuple[str, str]]:
    """Return the method and path of each call in the integration and end-to-end tests."""
    files = [
        file
        for folder in ("integration", "e2e")
        for file in (ROOT / "tests" / folder).glob("test_*.py")
        if file.name not in OF_ALL_ROUTES
    ]
    return {each for file in files for each in calls(file)}


def calls(file: Path) -> Iterator[tuple[str, str]]:
    """Yield each method and path that occur together in a call or a tuple of a file."""
    tree = ast.parse(file.read_text())
    named: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    named.setdefault(target.id, set()).update(texts(node.value, {}))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call | ast.Tuple):
            items = node.args if isinstance(node, ast.Call) else node.elts
            found = {text for item in items for text in texts(item, named)}
            for method in METHODS & found:
                for path in found:
                    if "/api/" in path:
                        yield method, path[path.index("/api/") :].partition("?")[0]


def texts(node: ast.expr, named: dict[str, set[str]]) -> set[str]:
    """Return the possible texts of an expression; a field of an f-string becomes one letter."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.JoinedStr):
        parts = (each.value if isinstance(each, ast.Constant) else "x" for each in node.values)
        return {"".join(map(str, parts))}
    if isinstance(node, ast.Name):
        return named.get(node.id, set())
    return set()
