"""Read template.yaml into a `Template`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from local.template.api import read_gateway_response, read_routes, read_throttles
from local.template.distribution import read_distribution
from local.template.emulated import EmulatedResources, parameter_values
from local.template.functions import merge_globals, read_function, read_layer, read_schedule
from local.template.intrinsics import Resolver
from local.template.loader import TemplateError, load
from local.template.models import (
    Distribution,
    EventSource,
    Function,
    Layer,
    Queue,
    Schedule,
    Template,
)
from local.template.properties import refuse_unknown
from local.template.queues import check_queues, read_event_source, read_queue

# `make run` starts or uses a database and a cache that are not in the stack: as on AWS with
# external ones, the functions are then not in a VPC.
_EXTERNAL = {"DatabaseMode": "external", "CacheMode": "external"}
# Ignored properties have no effect on a developer's machine; any other is rejected.
_API_IGNORED = {
    *("AccessLogSetting", "AlwaysDeploy", "Description", "DisableExecuteApiEndpoint"),
    *("EndpointConfiguration", "Name", "OpenApiVersion", "Tags", "TracingEnabled"),
}
_API_READ = {
    *("DefinitionBody", "GatewayResponses", "MethodSettings", "MinimumCompressionSize"),
    "StageName",
}
_API = "AWS::Serverless::Api"
_FUNCTION = "AWS::Serverless::Function"
_LAYER = "AWS::Serverless::LayerVersion"
_DISTRIBUTION = "AWS::CloudFront::Distribution"
_HEADERS_POLICY = "AWS::CloudFront::ResponseHeadersPolicy"
_QUEUE = "AWS::SQS::Queue"
_READ = (_API, _FUNCTION, _LAYER, _DISTRIBUTION, _HEADERS_POLICY, _QUEUE)
_NEVER_IGNORED = (
    *("AWS::ApiGateway", "AWS::CloudFront", "AWS::Events", "AWS::Lambda::Function"),
    *("AWS::Lambda::EventSourceMapping", "AWS::Scheduler", "AWS::Serverless"),
)
# The custom domain of the API, the role that writes its log, and what CloudFront caches and signs.
# The CloudFront functions are JavaScript: local/distribution has them in Python.
_IGNORED = {
    *("AWS::ApiGateway::Account", "AWS::ApiGateway::BasePathMapping"),
    *("AWS::ApiGateway::DomainName", "AWS::CloudFront::CachePolicy"),
    *("AWS::CloudFront::Function", "AWS::CloudFront::OriginAccessControl"),
}

type _Resources = dict[str, dict[str, Any]]


def read_template(
    path: Path, *, opt: Path, parameters: Mapping[str, str] | None = None
) -> Template:
    """Read a template.

    `opt` holds the installed packages of layers that are a list of requirements, as
    `LayerId/python`. The database and the cache are external unless `parameters` says otherwise.
    """
    document = load(path)
    declared = document.get("Parameters", {})
    external = {name: mode for name, mode in _EXTERNAL.items() if name in declared}
    values = parameter_values(declared, {**external, **(parameters or {})})
    resolver = Resolver(document, values, EmulatedResources(document))
    reader = _Reader(document, resolver, root=path.parent.resolve(), opt=opt.resolve())
    try:
        return reader.read()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TemplateError(f"{path.name} has an unexpected structure: {error!r}") from error


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
        refuse_unknown("Globals", document.get("Globals", {}), {"Function"})

    def read(self) -> Template:
        by_kind = self._emulated_resources()
        if len(by_kind[_API]) != 1:
            raise TemplateError("The local runtime serves exactly one AWS::Serverless::Api")
        functions, schedules, sources = self._functions(by_kind[_FUNCTION], by_kind[_LAYER])
        (api,) = by_kind[_API].values()
        template = self._template(self._resolver.resolve(api), functions, schedules)
        return replace(
            template,
            queues=self._queues(by_kind[_QUEUE], sources),
            event_sources=sources,
            distribution=self._distribution(by_kind),
        )

    def _emulated_resources(self) -> dict[str, _Resources]:
        """Return the properties of the emulated resources, by kind and name."""
        by_kind: dict[str, _Resources] = {kind: {} for kind in _READ}
        for name, resource in self._resources.items():
            condition = resource.get("Condition")
            if condition is not None and not self._resolver.condition(condition):
                continue
            kind: str = resource["Type"]
            if kind in by_kind:
                by_kind[kind][name] = resource.get("Properties", {})
            elif kind.startswith(_NEVER_IGNORED) and kind not in _IGNORED:
                raise TemplateError(f"{name}: the local runtime does not support {kind}")
        return by_kind

    def _distribution(self, by_kind: dict[str, _Resources]) -> Distribution | None:
        found = list(by_kind[_DISTRIBUTION].values())
        if not found:
            return None
        if len(found) > 1:
            raise TemplateError("The local runtime serves at most one distribution")
        policies = self._resolver.resolve(by_kind[_HEADERS_POLICY])
        return read_distribution(
            self._resolver.resolve(found[0])["DistributionConfig"],
            {name: each["ResponseHeadersPolicyConfig"] for name, each in policies.items()},
        )

    def _queues(
        self, all_properties: _Resources, sources: tuple[EventSource, ...]
    ) -> dict[str, Queue]:
        queues = {
            name: read_queue(name, self._resolver.resolve(properties))
            for name, properties in all_properties.items()
        }
        check_queues(queues, sources)
        return queues

    def _functions(
        self, all_properties: _Resources, layer_properties: _Resources
    ) -> tuple[dict[str, Function], dict[str, Schedule], tuple[EventSource, ...]]:
        layers = {name: self._layer(name, each) for name, each in layer_properties.items()}
        functions: dict[str, Function] = {}
        schedules: dict[str, Schedule] = {}
        sources: list[EventSource] = []
        for name, function_properties in all_properties.items():
            properties = self._resolver.resolve(
                merge_globals(self._global_function, function_properties)
            )
            functions[name] = read_function(name, properties, layers, self._root)
            for event_name, event in properties.get("Events", {}).items():
                if event["Type"] == "SQS":
                    sources.append(read_event_source(event_name, event["Properties"], name))
                    continue
                schedule = read_schedule(event_name, event, name)
                if schedule.name in schedules:
                    raise TemplateError(f"Two schedules have the name {schedule.name}")
                schedules[schedule.name] = schedule
        return functions, schedules, tuple(sources)

    def _layer(self, name: str, properties: dict[str, Any]) -> Layer:
        content = self._root / self._resolver.resolve(properties["ContentUri"])
        return read_layer(name, content, self._opt)

    def _template(
        self, api: dict[str, Any], functions: dict[str, Function], schedules: dict[str, Schedule]
    ) -> Template:
        refuse_unknown("The API", api, _API_READ | _API_IGNORED)
        throttles = dict(read_throttles(api.get("MethodSettings", [])))
        stage_throttle = throttles.pop(("/*", "*"), None)
        routes = tuple(read_routes(api["DefinitionBody"], functions))
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
                name: read_gateway_response(name, response)
                for name, response in api.get("GatewayResponses", {}).items()
            },
            schedules=schedules,
        )
