"""Read the functions of a template: code, layers, environment and schedules."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.template.loader import TemplateError, is_intrinsic
from local.template.models import Function, Layer, Schedule
from local.template.properties import refuse_unknown

# Properties without an effect on a developer's machine. A property that is neither here nor read
# below is rejected, because it could change the behaviour.
_FUNCTION_IGNORED = {
    *("Architectures", "AutoPublishAlias", "AutoPublishAliasAllProperties", "Description"),
    *("EventInvokeConfig", "FunctionName", "LoggingConfig", "Policies", "Role", "Runtime"),
    *("SnapStart", "Tags", "Tracing", "VersionDescription", "VpcConfig"),
}
_FUNCTION_READ = {
    *("CodeUri", "Environment", "Events", "Handler", "Layers", "MemorySize"),
    *("ReservedConcurrentExecutions", "Timeout"),
}
# Here the distribution calls the API within the process, so its calls need no proof.
_ABSENT_VARIABLES = {"ORIGIN_VERIFY_SECRET"}
_SCHEDULE_IGNORED = {"DeadLetterConfig", "OmitName"}
_SCHEDULE_READ = {"Description", "Input", "Name", "RetryPolicy", "ScheduleExpression", "State"}


def merge_globals(base: Any, override: Any) -> Any:
    """Merge Globals into a function as SAM does: merge maps, join lists, else override."""
    if is_intrinsic(base) or is_intrinsic(override):
        return override
    if isinstance(base, dict) and isinstance(override, dict):
        common = {
            key: merge_globals(base[key], override[key]) for key in base.keys() & override.keys()
        }
        return {**base, **override, **common}
    if isinstance(base, list) and isinstance(override, list):
        return base + override
    return override


def read_layer(name: str, content: Path, opt: Path) -> Layer:
    """Read a layer; if it is a list of requirements, `opt` holds the installed packages."""
    if (content / "python").is_dir():
        return Layer(name, content / "python", is_source=True)
    if (content / "requirements.txt").is_file():
        return Layer(name, opt / name / "python", is_source=False)
    raise TemplateError(f"{name}: {content} has neither a python folder nor a requirements.txt")


def read_function(
    name: str, properties: dict[str, Any], layers: Mapping[str, Layer], root: Path
) -> Function:
    """Read a function whose code is below `root`."""
    refuse_unknown(name, properties, _FUNCTION_READ | _FUNCTION_IGNORED)
    unknown = [layer for layer in properties.get("Layers", []) if layer not in layers]
    if unknown:
        raise TemplateError(f"{name}: unknown layer {unknown}")
    variables = properties.get("Environment", {}).get("Variables", {})
    concurrency = properties.get("ReservedConcurrentExecutions")
    return Function(
        id=name,
        code=root / properties["CodeUri"],
        handler=properties["Handler"],
        timeout=float(properties.get("Timeout", 3)),
        memory=int(properties.get("MemorySize", 128)),
        concurrency=None if concurrency is None else int(concurrency),
        layers=tuple(layers[layer] for layer in properties.get("Layers", [])),
        environment={
            key: str(value) for key, value in variables.items() if key not in _ABSENT_VARIABLES
        },
    )


def read_schedule(name: str, event: dict[str, Any], function: str) -> Schedule:
    """Read an event of a function that is not of type SQS: it must be a schedule."""
    if event["Type"] != "ScheduleV2":
        raise TemplateError(
            f"{function}, event {name}: only ScheduleV2 and SQS are supported, not {event['Type']}"
        )
    properties = event["Properties"]
    refuse_unknown(f"Schedule {name}", properties, _SCHEDULE_READ | _SCHEDULE_IGNORED)
    retry = properties.get("RetryPolicy", {})
    refuse_unknown(f"Schedule {name}", retry, {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"})
    return Schedule(
        name=properties.get("Name", name),
        function=function,
        expression=properties["ScheduleExpression"],
        event=json.loads(properties["Input"]),
        is_enabled=properties.get("State", "ENABLED") == "ENABLED",
        retries=int(retry.get("MaximumRetryAttempts", 185)),
        description=properties.get("Description", ""),
    )
