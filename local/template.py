"""Read template.yaml: what there is to run, and under which rules."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.intrinsics import Resolver, TemplateError, function_arn, is_intrinsic, load

type Headers = Mapping[str, str]

_METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}
_ANY_METHOD = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
# A function's ARN, or that of its alias, which has the alias's name at the end.
_FUNCTION_URI = re.compile(
    r"arn:aws:apigateway:[\w-]+:lambda:path/2015-03-31/functions"
    r"/(arn:aws:lambda:[\w-]+:\d+:function:\w+)(?::\w+)?/invocations"
)
_HEADER_VALUE = re.compile(r"'.*'|context\.[\w.]+|method\.request\.header\.[\w-]+", re.DOTALL)
_TEMPLATE_VARIABLE = re.compile(r"\$(?!context\.[A-Za-z])")

# `make run` starts, or is told of, a database and a cache: as on AWS with external ones, the
# functions are in no VPC then.
_HERE = {"DatabaseMode": "external", "CacheMode": "external"}

# Properties without an effect on a developer's machine. Any that is neither here nor read below
# is refused: it could change what the service does.
_FUNCTION_IGNORED = {
    *("Architectures", "AutoPublishAlias", "AutoPublishAliasAllProperties", "Description"),
    *("EventInvokeConfig", "FunctionName", "LoggingConfig", "Policies", "Role", "Runtime"),
    *("SnapStart", "Tags", "Tracing", "VersionDescription", "VpcConfig"),
}
_FUNCTION_READ = {
    *("CodeUri", "Environment", "Events", "Handler", "Layers", "MemorySize"),
    *("ReservedConcurrentExecutions", "Timeout"),
}
_API_IGNORED = {
    *("AccessLogSetting", "AlwaysDeploy", "Description", "DisableExecuteApiEndpoint"),
    *("EndpointConfiguration", "Name", "OpenApiVersion", "Tags", "TracingEnabled"),
}
_API_READ = {
    *("DefinitionBody", "GatewayResponses", "MethodSettings", "MinimumCompressionSize"),
    "StageName",
}
_SCHEDULE_IGNORED = {"DeadLetterConfig", "OmitName"}
_SCHEDULE_READ = {"Description", "Input", "Name", "RetryPolicy", "ScheduleExpression", "State"}
_SERVERLESS_READ = {"Function", "Api", "LayerVersion"}
_NEVER_IGNORED = ("AWS::ApiGateway", "AWS::Events", "AWS::Lambda::Function", "AWS::Scheduler")
# Under which other address the API answers, and who writes its log.
_IGNORED = {
    *("AWS::ApiGateway::Account", "AWS::ApiGateway::BasePathMapping"),
    "AWS::ApiGateway::DomainName",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """A folder that a function can import from; `is_source` when it is edited in place."""

    id: str
    python: Path
    is_source: bool


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function; `concurrency` is None when nothing is reserved."""

    id: str
    code: Path
    handler: str
    timeout: float
    memory: int
    concurrency: int | None
    layers: tuple[Layer, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mock:
    """An answer that API Gateway gives itself; only for requests of the media types it takes."""

    accepts: frozenset[str]
    status: int
    headers: Headers
    body: str


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a path (`ANY` for every method the path does not name) and what answers it."""

    path: str
    method: str
    target: str | Mock


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket: `rate` tokens a second, never more than `burst`."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """What API Gateway answers when it does not call a function, as far as the template says."""

    status: int | None
    headers: Headers
    body: str | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function that EventBridge Scheduler calls."""

    name: str
    function: str
    expression: str
    event: Any
    is_enabled: bool
    retries: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """Everything of template.yaml that the local runtime needs."""

    stage: str
    compressed_from: int | None
    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    stage_throttle: Throttle | None
    method_throttles: Mapping[tuple[str, str], Throttle]
    gateway_responses: Mapping[str, GatewayResponse]
    schedules: Mapping[str, Schedule]


def read_template(
    path: Path, *, opt: Path, parameters: Mapping[str, str] | None = None
) -> Template:
    """Read a template.

    `opt` holds the installed layers that are a list of requirements, as `LayerId/python`. The
    template's database and cache are external ones unless `parameters` says otherwise.
    """
    document = load(path)
    here = {name: mode for name, mode in _HERE.items() if name in document.get("Parameters", {})}
    resolver = Resolver(document, {**here, **(parameters or {})})
    reader = _Reader(document, resolver, root=path.parent.resolve(), opt=opt.resolve())
    try:
        return reader.read()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TemplateError(f"{path.name} is not what it should be: {error!r}") from error


class _Reader:
    """Turns the resources of one document into a Template."""

    def __init__(
        self, document: dict[str, Any], resolver: Resolver, *, root: Path, opt: Path
    ) -> None:
        self._global_function: dict[str, Any] = document.get("Globals", {}).get("Function", {})
        self._resources: dict[str, Any] = document["Resources"]
        self._resolver = resolver
        self._root = root
        self._opt = opt
        _refuse_unknown("Globals", document.get("Globals", {}), {"Function"})

    def read(self) -> Template:
        by_kind: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in _SERVERLESS_READ}
        for name, resource in self._resources.items():
            condition = resource.get("Condition")
            if condition is not None and not self._resolver.condition(condition):
                continue
            kind: str = resource["Type"]
            if kind.removeprefix("AWS::Serverless::") in _SERVERLESS_READ:
                by_kind[kind.removeprefix("AWS::Serverless::")][name] = resource["Properties"]
            elif kind.startswith(("AWS::Serverless::", *_NEVER_IGNORED)) and kind not in _IGNORED:
                raise TemplateError(f"{name}: the local runtime does not know {kind}")
        if len(by_kind["Api"]) != 1:
            raise TemplateError("The local runtime serves exactly one AWS::Serverless::Api")

        layers = {name: self._layer(name, layer) for name, layer in by_kind["LayerVersion"].items()}
        functions: dict[str, Function] = {}
        schedules: dict[str, Schedule] = {}
        for name, own in by_kind["Function"].items():
            properties = self._resolver.resolve(_merge(self._global_function, own))
            functions[name] = self._function(name, properties, layers)
            for event_name, event in properties.get("Events", {}).items():
                schedule = _schedule(event_name, event, name)
                if schedule.name in schedules:
                    raise TemplateError(f"Two schedules are called {schedule.name}")
                schedules[schedule.name] = schedule

        api = self._resolver.resolve(next(iter(by_kind["Api"].values())))
        _refuse_unknown("The API", api, _API_READ | _API_IGNORED)
        throttles = dict(_throttles(api.get("MethodSettings", [])))
        stage_throttle = throttles.pop(("/*", "*"), None)
        routes = tuple(_routes(api["DefinitionBody"], functions))
        served = {(route.path, route.method) for route in routes}
        if not served.issuperset(throttles):
            raise TemplateError(f"Throttles without a route: {set(throttles) - served}")
        return Template(
            stage=api["StageName"],
            compressed_from=api.get("MinimumCompressionSize"),
            functions=functions,
            routes=routes,
            stage_throttle=stage_throttle,
            method_throttles=throttles,
            gateway_responses={
                name: _gateway_response(name, response)
                for name, response in api.get("GatewayResponses", {}).items()
            },
            schedules=schedules,
        )

    def _layer(self, name: str, properties: dict[str, Any]) -> Layer:
        content = self._root / self._resolver.resolve(properties["ContentUri"])
        if (content / "python").is_dir():
            return Layer(name, content / "python", is_source=True)
        if (content / "requirements.txt").is_file():
            return Layer(name, self._opt / name / "python", is_source=False)
        raise TemplateError(f"{name}: {content} has neither a python folder nor a requirements.txt")

    def _function(
        self, name: str, properties: dict[str, Any], layers: Mapping[str, Layer]
    ) -> Function:
        _refuse_unknown(name, properties, _FUNCTION_READ | _FUNCTION_IGNORED)
        unknown = [layer for layer in properties.get("Layers", []) if layer not in layers]
        if unknown:
            raise TemplateError(f"{name}: no layer of this template is called {unknown}")
        variables = properties.get("Environment", {}).get("Variables", {})
        concurrency = properties.get("ReservedConcurrentExecutions")
        return Function(
            id=name,
            code=self._root / properties["CodeUri"],
            handler=properties["Handler"],
            timeout=float(properties.get("Timeout", 3)),
            memory=int(properties.get("MemorySize", 128)),
            concurrency=None if concurrency is None else int(concurrency),
            layers=tuple(layers[layer] for layer in properties.get("Layers", [])),
            environment={key: str(value) for key, value in variables.items()},
        )


def _merge(base: Any, own: Any) -> Any:
    """Merge Globals into a function as SAM does: maps by key, lists end to end, else its own."""
    if is_intrinsic(base) or is_intrinsic(own):
        return own
    if isinstance(base, dict) and isinstance(own, dict):
        common = {key: _merge(base[key], own[key]) for key in base.keys() & own.keys()}
        return {**base, **own, **common}
    if isinstance(base, list) and isinstance(own, list):
        return base + own
    return own


def _refuse_unknown(where: str, mapping: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(mapping) - known)
    if unknown:
        raise TemplateError(f"{where}: the local runtime does not know {', '.join(unknown)}")


def _schedule(name: str, event: dict[str, Any], function: str) -> Schedule:
    if event["Type"] != "ScheduleV2":
        raise TemplateError(
            f"{function}, event {name}: only ScheduleV2 is known, not {event['Type']}"
        )
    properties = event["Properties"]
    _refuse_unknown(f"Schedule {name}", properties, _SCHEDULE_READ | _SCHEDULE_IGNORED)
    retry = properties.get("RetryPolicy", {})
    _refuse_unknown(f"Schedule {name}", retry, {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"})
    return Schedule(
        name=properties.get("Name", name),
        function=function,
        expression=properties["ScheduleExpression"],
        event=json.loads(properties["Input"]),
        is_enabled=properties.get("State", "ENABLED") == "ENABLED",
        retries=int(retry.get("MaximumRetryAttempts", 185)),
        description=properties.get("Description", ""),
    )


def _throttles(settings: list[dict[str, Any]]) -> Iterable[tuple[tuple[str, str], Throttle]]:
    for setting in settings:
        path = setting["ResourcePath"].replace("~1", "/")
        where = f"MethodSettings of {setting['HttpMethod']} {path}"
        _refuse_unknown(
            where,
            setting,
            {"ResourcePath", "HttpMethod", "ThrottlingRateLimit", "ThrottlingBurstLimit"},
        )
        throttle = Throttle(
            float(setting["ThrottlingRateLimit"]), int(setting["ThrottlingBurstLimit"])
        )
        yield (path, setting["HttpMethod"]), throttle


def _routes(definition: dict[str, Any], functions: Mapping[str, Function]) -> Iterable[Route]:
    _refuse_unknown("DefinitionBody", definition, {"openapi", "info", "paths"})
    function_of = {function_arn(name): name for name in functions}
    for path, methods in definition["paths"].items():
        for key, operation in methods.items():
            where = f"{key} {path}"
            if key != _ANY_METHOD and key not in _METHODS:
                raise TemplateError(f"{where}: the local runtime does not know this method")
            known = {"description", "operationId", "parameters", "responses", "summary", "tags"}
            _refuse_unknown(where, operation, known | {_INTEGRATION})
            method = "ANY" if key == _ANY_METHOD else key.upper()
            target = _target(where, operation[_INTEGRATION], function_of)
            yield Route(path, method, target)


def _target(where: str, integration: dict[str, Any], function_of: Mapping[str, str]) -> str | Mock:
    kind = integration["type"].lower()
    if kind == "aws_proxy":
        _refuse_unknown(where, integration, {"type", "httpMethod", "uri", "passthroughBehavior"})
        uri = _FUNCTION_URI.fullmatch(integration["uri"])
        if uri is None or uri.group(1) not in function_of:
            raise TemplateError(f"{where}: {integration['uri']} is no function of this template")
        return function_of[uri.group(1)]
    if kind == "mock":
        return _mock(where, integration)
    raise TemplateError(f"{where}: the local runtime does not know {kind} integrations")


def _mock(where: str, integration: dict[str, Any]) -> Mock:
    _refuse_unknown(
        where, integration, {"type", "passthroughBehavior", "requestTemplates", "responses"}
    )
    if integration.get("passthroughBehavior") != "never":
        raise TemplateError(f"{where}: a mock needs passthroughBehavior: never")
    requests = integration["requestTemplates"]
    statuses = {json.loads(request)["statusCode"] for request in requests.values()}
    responses = integration["responses"]
    if len(statuses) != 1 or set(responses) != {"default"}:
        raise TemplateError(f"{where}: a mock has one status and one response, `default`")
    response = responses["default"]
    _refuse_unknown(where, response, {"statusCode", "responseParameters", "responseTemplates"})
    headers: dict[str, str] = {}
    for name, value in response.get("responseParameters", {}).items():
        prefix, _, header = name.rpartition(".")
        if prefix != "method.response.header":
            raise TemplateError(f"{where}: {name} is no response header")
        headers[header] = _header_value(where, value)
    return Mock(
        accepts=frozenset(requests),
        status=int(response["statusCode"]),
        headers=headers,
        body=_body(where, response.get("responseTemplates", {})) or "",
    )


def _gateway_response(name: str, response: dict[str, Any]) -> GatewayResponse:
    where = f"Gateway response {name}"
    _refuse_unknown(where, response, {"StatusCode", "ResponseParameters", "ResponseTemplates"})
    parameters = response.get("ResponseParameters", {})
    _refuse_unknown(where, parameters, {"Headers"})
    status = response.get("StatusCode")
    return GatewayResponse(
        status=None if status is None else int(status),
        headers={
            header: _header_value(where, value)
            for header, value in parameters.get("Headers", {}).items()
        },
        body=_body(where, response.get("ResponseTemplates", {})),
    )


def _header_value(where: str, value: str) -> str:
    if _HEADER_VALUE.fullmatch(value) is None:
        raise TemplateError(f"{where}: the local runtime does not know the header value {value}")
    return value


def _body(where: str, templates: Mapping[str, str]) -> str | None:
    if not templates:
        return None
    if set(templates) != {"application/json"}:
        raise TemplateError(f"{where}: the local runtime answers application/json only")
    body = templates["application/json"]
    if _TEMPLATE_VARIABLE.search(body):
        raise TemplateError(f"{where}: a body may name $context.… and nothing else")
    return body
