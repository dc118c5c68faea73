"""Build what Lambda would mount: both layers with compiled code, the functions, the runtime."""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from local.run_config import PROJECT
from local.template.models import Function, Layer, Template

REFERENCES = Path(__file__).with_name("references")
RUNTIME = PROJECT / ".venv" / "var" / "runtime"
# Lambda's runtime provides boto3, with these packages.
BOTO3_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
# The virtual environment of the project itself has no pip, which fills the layers.
_PIP_PYTHON = PROJECT / ".venv-uv" / "bin" / "python"
_ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64"}
_BUILD_SECONDS = 600
_MEMORY = 1024
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Build:
    """The functions by folder, and the folder of the runtime client.

    Without `is_compiled`, the functions run from their sources, with compiled code in a cache.
    """

    functions: Mapping[str, Function]
    references: Mapping[str, Function]
    runtime: Path
    is_compiled: bool

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers of every function; one function has another one as well."""
        return next(iter(self.functions.values())).layers


def build(template: Template, folder: Path) -> Build:
    """Build layers with their own Makefiles, as `sam build` does; reuse unchanged dependencies."""
    names = {layer.id for each in template.functions.values() for layer in each.layers}
    built = {name: Layer(name, _layer(name, folder) / "python", is_source=False) for name in names}
    layers = (built["DependenciesLayer"], built["SharedLayer"])
    runtime = _runtime(folder / "runtime")
    functions = {
        each.code.name: replace(
            each, code=_code(each.code, folder / "functions"), layers=_of(each, built)
        )
        for each in template.functions.values()
    }
    references = {
        each.code.name: replace(each, code=_code(each.code, folder / "references"))
        for each in _references(layers)
    }
    _add_powertools(references["powertools"].code)
    return Build(functions, references, runtime, is_compiled=True)


def _of(function: Function, built: Mapping[str, Layer]) -> tuple[Layer, ...]:
    return tuple(built[layer.id] for layer in function.layers)


def sources(template: Template) -> Build:
    """Return the functions as `make run` starts them, which builds nothing."""
    functions = {each.code.name: each for each in template.functions.values()}
    layers = next(iter(functions.values())).layers
    references = {each.code.name: each for each in _references(layers)}
    return Build(functions, references, RUNTIME, is_compiled=False)


def zipped_megabytes(layers: Iterable[Layer]) -> float:
    """Return the size of the layers as the archives that are deployed."""
    return sum(_zipped(layer.python.parent) for layer in layers) / _MEGABYTE


def _layer(name: str, folder: Path) -> Path:
    source = PROJECT / "layers" / name.removesuffix("Layer").lower()
    target = folder / name
    stamp = folder / f"{name}.sha256"
    digest = hashlib.sha256(platform.machine().encode())
    for path in sorted(each for each in source.rglob("*") if each.is_file()):
        if "__pycache__" not in path.parts:
            digest.update(path.read_bytes())
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return target
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    architecture = _ARCHITECTURES.get(platform.machine(), "x86_64")
    variables = (f"ARTIFACTS_DIR={target}", f"ARCH={architecture}", f"PYTHON={_PIP_PYTHON}")
    command = ("make", "--silent", f"--directory={source}", f"build-{name}", *variables)
    subprocess.run(command, check=True, timeout=_BUILD_SECONDS)
    stamp.write_text(digest.hexdigest())
    return target


def _runtime(folder: Path) -> Path:
    """Link the runtime client and boto3 into a folder; compile them, as they are on Lambda."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [each for each in RUNTIME.iterdir() if each.name != "__pycache__"]
    for name in BOTO3_PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"{name} is not installed: run make again")
        origin = Path(spec.origin)
        found.append(origin.parent if origin.name == "__init__.py" else origin)
    for source in found:
        link = folder / source.name
        if not link.exists():
            link.symlink_to(source)
    _compile(found)
    return folder


def _compile(paths: Iterable[Path]) -> None:
    command = (sys.executable, "-m", "compileall", "-q", "-j", "0", *map(str, paths))
    subprocess.run(command, check=True, timeout=_BUILD_SECONDS)


def _code(source: Path, folder: Path) -> Path:
    # SAM deploys a function without compiled code.
    target = folder / source.name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def _add_powertools(code: Path) -> None:
    """Give a reference all of Powertools: the layer has only the parts that our functions use."""
    whole = PROJECT / ".venv/opt/DependenciesLayer/python/aws_lambda_powertools"
    _compile([_code(whole, code)])


def _references(layers: tuple[Layer, ...]) -> list[Function]:
    return [
        Function(
            id=f"Reference-{folder.name}",
            code=folder,
            handler="app.handler",
            timeout=15.0,
            memory=_MEMORY,
            concurrency=None,
            layers=layers,
            environment={"POWERTOOLS_SERVICE_NAME": folder.name},
        )
        for folder in sorted(each for each in REFERENCES.iterdir() if (each / "app.py").exists())
    ]


def _zipped(folder: Path) -> int:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for root, _, names in os.walk(folder):
            for name in names:
                path = Path(root) / name
                archive.write(path, path.relative_to(folder))
    return len(buffer.getbuffer())
