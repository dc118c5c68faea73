"""The cost of init and first request of each function by package: what remains to be saved."""

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.bars import INIT_ONLY_RATIO, INIT_RATIO
from benchmarks.events import Event
from benchmarks.profiled import FIRST_CALL, INIT
from benchmarks.progress import Progress
from benchmarks.results import REFERENCE
from benchmarks.sandbox import PYCACHE, BenchmarkError
from benchmarks.stage import Service
from local.lambda_.environment import function_environment
from local.lambda_.worker import plain_python

PROFILED = (REFERENCE, *INIT_RATIO, *INIT_ONLY_RATIO)
START, LIBRARY, OTHER = "start of Python", "Python's library", "other packages"
OWN, MODELS, FIRST = "our modules", "our pydantic models", "first request without imports"
_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "FastAPI, Starlette, Mangum": (
        *("fastapi", "starlette", "mangum", "anyio", "sniffio", "opentelemetry"),
        *("python_multipart", "multipart", "annotated_doc"),
    ),
    "pydantic": (
        *("pydantic", "pydantic_core", "annotated_types", "typing_inspection"),
        *("typing_extensions", "pydantic_extra_types", "email_validator"),
    ),
    "psycopg": ("psycopg", "psycopg_binary", "psycopg_c"),
    "redis": ("redis",),
    "Powertools": ("aws_lambda_powertools", "jmespath", "botocore"),
    "PyJWT, cryptography": ("jwt", "cryptography"),
}
GROUPS = (START, LIBRARY, *_PACKAGES, OTHER, OWN, MODELS, FIRST)
_GROUP_OF = {package: group for group, packages in _PACKAGES.items() for package in packages}
_GROUP_OF |= {"medianest": OWN, "app": OWN}
_CHILD = Path(__file__).with_name("profiled.py")
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_TIMEOUT = 60.0

type Profile = dict[str, float]


def measure_profiles(
    service: Service, calls: Mapping[str, Callable[[], Event]], samples: int, progress: Progress
) -> dict[str, Profile]:
    """Start each function with a bar, in turn; return the medians of the seconds by group."""
    found: dict[str, list[Profile]] = defaultdict(list)
    wanted = [name for name in PROFILED if name in calls]
    with progress.part("profiles of cold starts", samples * len(wanted)) as step:
        for _ in range(samples):
            for name in wanted:
                found[name].append(_profile(service, name, calls[name]()))
                step(name)
    return {
        name: {group: median(each[group] for each in profiles) for group in GROUPS}
        for name, profiles in found.items()
    }


def import_seconds(lines: Iterable[str]) -> Profile:
    """Return the seconds of the imports that Python reports, by group."""
    seconds: Counter[str] = Counter()
    for line in lines:
        if found := _LINE.match(line):
            seconds[_group_of(found[2])] += int(found[1])
    return {group: value / 1_000_000 for group, value in seconds.items()}


def _group_of(module: str) -> str:
    package = module.partition(".")[0]
    is_library = package in sys.stdlib_module_names or package.startswith("_")
    return _GROUP_OF.get(package, LIBRARY if is_library else OTHER)


def _profile(service: Service, name: str, event: Event) -> Profile:
    build = service.build
    function = build.references.get(name) or build.functions[name]
    folders = [function.code, *(layer.python for layer in function.layers), build.runtime]
    python = plain_python(None if build.is_compiled else PYCACHE)
    completed = subprocess.run(
        [
            *(*python, "-X", "importtime", str(_CHILD)),
            *(json.dumps(event), *map(str, folders)),
        ],
        cwd=function.code,
        env=function_environment(function, build.runtime, service.variables),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if completed.returncode != 0:
        raise BenchmarkError(f"{name} has no profile: {completed.stderr[-2000:]}")
    # The log lines of the function come before.
    figures: dict[str, Any] = json.loads(completed.stdout.splitlines()[-1])
    init, _, first = completed.stderr.partition(INIT)[2].partition(FIRST_CALL)
    in_init, in_first = import_seconds(init.splitlines()), import_seconds(first.splitlines())
    # Python reports time on the clock, which other processes lengthen.
    cpu_share = figures["init"] / sum(in_init.values())
    both = {
        group: (in_init.get(group, 0.0) + in_first.get(group, 0.0)) * cpu_share for group in GROUPS
    }
    return both | {
        START: figures["start"],
        OWN: both[OWN] - figures["models"],
        MODELS: figures["models"],
        FIRST: figures["first"] - sum(in_first.values()) * cpu_share,
    }
