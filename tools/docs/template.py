"""Generate the paths, their 405 responses and the throttles in template.yaml, between marks.

Parts that several paths share are written at the first one, with a YAML anchor that the others
refer to.
"""

from collections.abc import Iterator, Sequence

from local.run_config import PROJECT
from local.template.reader import read_template
from medianest import VERSION
from medianest.api.errors import error_response
from medianest.api.headers import SECURITY_HEADERS
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from tools.docs.marked import with_part
from tools.docs.routes import Served, served_routes

_TEMPLATE = PROJECT / "template.yaml"
_INTEGRATION = """\
            {method}: &{anchor}
              responses: {{}}
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}.Arn}}:live/invocations"""
_NOT_ALLOWED = """\
            <<: &{anchor}
              x-amazon-apigateway-any-method:
                responses: {responses}
                x-amazon-apigateway-integration:
                  type: mock
                  passthroughBehavior: never
{request}
                  responses:
                    default:
                      statusCode: "405"
                      responseParameters:
                        <<: {headers}
                        method.response.header.Allow: "'{allow}'"
                      responseTemplates: {body}"""
# The media types that clients send: a 405 does not depend on the body.
_MEDIA_TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
)
_OTHER_HEADERS = {
    "Content-Type": "\"'application/json; charset=utf-8'\"",
    "Access-Control-Allow-Origin": "*cors-origin",
    "Access-Control-Allow-Credentials": "*cors-credentials",
    "Access-Control-Expose-Headers": "*cors-exposed",
    "Vary": "\"'Origin'\"",
    "X-Request-Id": "context.requestId",
}


def template_page() -> str:
    """Return the template with its generated parts."""
    routes = served_routes(read_template(_TEMPLATE, opt=PROJECT / ".venv" / "opt"))
    text = _TEMPLATE.read_text(encoding="utf-8")
    text = with_part(text, "throttles", "\n".join(_throttles(routes)))
    return with_part(text, "paths", "\n".join(_Paths(routes).lines()))


def _throttles(routes: Sequence[Served]) -> Iterator[str]:
    for served in routes:
        if served.throttle is None:
            continue
        path = f'"{served.path}"' if "{" in served.path else served.path
        rate, burst = served.throttle
        # Without a throttle, HEAD would bypass that of GET.
        for method in _with_head(served.method):
            yield (
                f"        - {{ResourcePath: {path}, HttpMethod: {method},"
                f" ThrottlingRateLimit: {rate}, ThrottlingBurstLimit: {burst}}}"
            )


def _with_head(method: str) -> list[str]:
    return ["GET", "HEAD"] if method == "GET" else [method]


class _Paths:
    """Writes the paths, and tracks the anchors that already exist."""

    def __init__(self, routes: Sequence[Served]) -> None:
        self._methods: dict[str, list[str]] = {}
        self._functions = {served.path: served.function for served in routes}
        for served in routes:
            self._methods.setdefault(served.path, []).extend(_with_head(served.method))
        self._anchors: set[str] = set()

    def lines(self) -> Iterator[str]:
        """Yield the lines, path by path."""
        yield f'        info: {{title: !Ref AWS::StackName, version: "{VERSION}"}}'
        yield "        paths:"
        for path, methods in self._methods.items():
            yield from self._path(path, methods)

    def _path(self, path: str, methods: Sequence[str]) -> Iterator[str]:
        function = self._functions[path]
        anchor = function.removesuffix("Function").lower()
        names = [method.lower() for method in [*methods, "OPTIONS"]]
        refusal = "-".join(sorted({*names} - {"head", "options"}))
        refusal = refusal if "-" in refusal else f"{refusal}-only"
        if {anchor, refusal} <= self._anchors:
            aliases = ", ".join(f"{name}: *{anchor}" for name in names)
            yield f"          {path}: {{{aliases}, <<: *{refusal}}}"
            return
        yield f"          {path}:"
        for name in names:
            if anchor in self._anchors:
                yield f"            {name}: *{anchor}"
            else:
                yield _INTEGRATION.format(method=name, anchor=anchor, function=function)
                self._anchors.add(anchor)
        yield self._refusal(refusal, methods)

    def _refusal(self, anchor: str, methods: Sequence[str]) -> str:
        if anchor in self._anchors:
            return f"            <<: *{anchor}"
        is_first = "not-allowed" not in self._anchors
        self._anchors |= {anchor, "not-allowed"}
        shared = _spelled_out() if is_first else _REPEATED
        return _NOT_ALLOWED.format(
            anchor=anchor, allow=", ".join([*sorted(methods), "OPTIONS"]), **shared
        )


_REPEATED = {
    "responses": "*not-allowed-responses",
    "request": f"{' ' * 18}requestTemplates: *not-allowed-request",
    "headers": "*not-allowed-headers",
    "body": "*not-allowed-body",
}


def _spelled_out() -> dict[str, str]:
    """Return the shared parts of the 405 responses, with the anchors that the others refer to."""
    names = [*SECURITY_HEADERS, *_OTHER_HEADERS, "Allow"]
    schemas = ["&header {schema: {type: string}}", *["*header"] * (len(names) - 1)]
    headers = {name: f"\"'{value}'\"" for name, value in SECURITY_HEADERS.items()} | _OTHER_HEADERS
    body = bytes(error_response(AppError(ErrorCode.METHOD_NOT_ALLOWED)).body).decode()
    return {
        "responses": "\n".join(
            [
                "&not-allowed-responses",
                f'{" " * 18}"405":',
                f"{' ' * 20}description: Method not allowed",
                f"{' ' * 20}headers:",
                *_indented(22, dict(zip(names, schemas, strict=True))),
            ]
        ),
        "request": "\n".join(
            [
                f"{' ' * 18}requestTemplates: &not-allowed-request",
                *_indented(20, dict.fromkeys(_MEDIA_TYPES, "'{\"statusCode\": 405}'")),
            ]
        ),
        "headers": "\n".join(
            [
                "&not-allowed-headers",
                *_indented(
                    26, {f"method.response.header.{name}": each for name, each in headers.items()}
                ),
            ]
        ),
        "body": f"&not-allowed-body\n{' ' * 24}application/json: '{body}'",
    }


def _indented(width: int, pairs: dict[str, str]) -> Iterator[str]:
    return (f"{' ' * width}{name}: {value}" for name, value in pairs.items())
