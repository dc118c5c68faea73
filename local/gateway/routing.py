"""Match a request to a route, as API Gateway matches resources and methods."""

from collections.abc import Mapping
from urllib.parse import unquote

from local.template.models import Route


class Routes:
    """Finds the route of a request: an exact segment beats a parameter, a method beats ANY."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._by_path: dict[str, dict[str, Route]] = {}
        for route in routes:
            self._by_path.setdefault(route.path, {})[route.method] = route
        self._patterns = [
            (path.split("/"), methods)
            for path, methods in sorted(
                self._by_path.items(), key=lambda item: _specificity(item[0])
            )
            if "{" in path
        ]

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Return the route and its decoded path parameters; None if no path matches."""
        methods, parameters = self._by_path.get(path, {}), dict[str, str]()
        if not methods or "{" in path:
            methods, parameters = self._match(path.split("/"))
        route = methods.get(method) or methods.get("ANY")
        return (route, parameters) if route else None

    def _match(self, segments: list[str]) -> tuple[dict[str, Route], dict[str, str]]:
        for pattern, methods in self._patterns:
            pairs = list(zip(pattern, segments, strict=False))
            if len(pattern) == len(segments) and all(
                bool(segment) if name.startswith("{") else name == segment
                for name, segment in pairs
            ):
                return methods, {
                    name[1:-1]: unquote(segment) for name, segment in pairs if name.startswith("{")
                }
        return {}, {}


def _specificity(path: str) -> list[bool]:
    # Sorts the most specific path first: an exact segment is False.
    return [segment.startswith("{") for segment in path.split("/")]
