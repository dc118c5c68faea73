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
GENERAL_TESTS = {"test_edge.py", "test_matrix.py"}


def test_routes_serve_the_callers_that_their_paths_imply() -> None:
    for served in served_routes(TEMPLATE):
        expected = callers(served.method, served.path)
        assert served.callers == expected, (
            f"{served.method} {served.path} serves {served.callers}; its path implies {expected}."
            " Give the route a parameter of type SignedIn or Admin (medianest/api/dependencies.py),"
            " or list it as public in tests/support/permissions.py"
        )


def test_public_routes_exist() -> None:
    assert sorted(PUBLIC - set(ROUTES)) == [], "remove them from tests/support/permissions.py"


def test_a_test_calls_each_route() -> None:
    called = called_routes()
    for served in served_routes(TEMPLATE):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(served.path))
        assert any(
            method == served.method and re.fullmatch(pattern, path) for method, path in called
        ), (
            f"no test calls {served.method} {served.path}: write one in tests/integration, with"
            f' call("{served.method}", "{served.path}", …) of tests/support/api.py'
        )


def test_every_service_function_is_used() -> None:
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
        if file.name not in GENERAL_TESTS
    ]
    return {each for file in files for each in calls(file)}


def calls(file: Path) -> Iterator[tuple[str, str]]:
    """Yield each method and path that occur together in a call or a tuple of a file."""
    tree = ast.parse(file.read_text())
    assigned: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    assigned.setdefault(target.id, set()).update(strings_of(node.value, {}))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call | ast.Tuple):
            expressions = node.args if isinstance(node, ast.Call) else node.elts
            strings = {
                text for expression in expressions for text in strings_of(expression, assigned)
            }
            for method in METHODS & strings:
                for path in strings:
                    if "/api/" in path:
                        yield method, path[path.index("/api/") :].partition("?")[0]


def strings_of(node: ast.expr, assigned: dict[str, set[str]]) -> set[str]:
    """Return the possible values of a string expression; a field of an f-string becomes `x`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.JoinedStr):
        parts = (each.value if isinstance(each, ast.Constant) else "x" for each in node.values)
        return {"".join(map(str, parts))}
    if isinstance(node, ast.Name):
        return assigned.get(node.id, set())
    return set()
