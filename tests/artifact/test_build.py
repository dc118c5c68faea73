"""The content of the packages that a deployment uploads."""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from local.template.models import Template
from local.template.reader import read_template
from tests.support.api import TEMPLATE
from tests.support.packages import listed_packages, packages_in
from tests.support.rie import NATIVE_ARCHITECTURE

# The machine number in the ELF header of every Linux binary.
MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}
MAX_UNZIPPED = 250 * 2**20
LAYERS = ("DependenciesLayer", "SharedLayer")
ALL_LAYERS = (*LAYERS, "EncryptionLayer")
# Folders, files and suffixes that no function uses: docs/adr/0021.
UNUSED_NAMES = {"bin", "tests", "test", "test_cases.py", "testclient.py", "cffi", "pycparser", "v1"}
UNUSED_NAMES |= {"RECORD", "WHEEL", "INSTALLER", "REQUESTED", "include"}
UNUSED_SUFFIXES = {".pyi", ".h", ".c", ".cpp", ".pyx", ".pxd", ".a"}


@pytest.fixture(params=sorted(MACHINES))
def build(request: pytest.FixtureRequest, builds: Path) -> Path:
    return builds / str(request.param)


def built_template(build: Path) -> Template:
    return read_template(build / "template.yaml", opt=build)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def files(folder: Path) -> set[Path]:
    """Return the files in a folder, without compiled Python."""
    # The page is a link in the project, and a folder in the build.
    found = folder.rglob("*", recurse_symlinks=True)
    paths = (path.relative_to(folder) for path in found if path.is_file())
    return {path for path in paths if "__pycache__" not in path.parts}


def test_compiled_modules_are_for_the_architecture(build: Path) -> None:
    modules = [path for path in build.rglob("*.so*") if path.is_file()]
    assert len(modules) > 5
    for path in modules:
        header = path.read_bytes()[:20]
        assert header[:4] == b"\x7fELF", path
        assert int.from_bytes(header[18:20], "little") == MACHINES[build.name], path


def test_each_function_is_built_with_its_routes_files_and_layers(build: Path) -> None:
    built = built_template(build)
    assert built.functions.keys() == TEMPLATE.functions.keys()
    assert built.routes == TEMPLATE.routes
    for function in built.functions.values():
        source = TEMPLATE.functions[function.id].code
        assert files(function.code) == files(source), function.id
        expected = [layer.id for layer in TEMPLATE.functions[function.id].layers]
        assert [layer.id for layer in function.layers] == expected


def assert_unchecked(compiled: Iterable[Path]) -> None:
    """Check that Python loads byte code without looking at its source."""
    for path in compiled:
        # Unchecked hash-based files: on Lambda's read-only file system a source never changes.
        assert int.from_bytes(path.read_bytes()[4:8], "little") == 0b01, path


@pytest.mark.parametrize("layer", ALL_LAYERS)
def test_a_layer_contains_only_python(build: Path, layer: str) -> None:
    assert [path.name for path in (build / layer).iterdir()] == ["python"]


@pytest.mark.parametrize("layer", ALL_LAYERS)
def test_a_layer_contains_no_dead_weight(build: Path, layer: str) -> None:
    found = files(build / layer)
    assert len(found) > 20
    for path in found:
        stems = {part.removesuffix("c") if part.endswith(".pyc") else part for part in path.parts}
        assert not UNUSED_NAMES & stems, path
        assert path.suffix not in UNUSED_SUFFIXES, path


def assert_compiled(sources: Sequence[Path]) -> None:
    """Check that each source has byte code in `__pycache__`, and no byte code is without one."""
    assert len(sources) > 10
    expected = {Path(importlib.util.cache_from_source(str(path))) for path in sources}
    folders = {path.parent for path in expected}
    compiled = {path for folder in folders for path in folder.glob("*.pyc")}
    assert all(path.name.endswith(".cpython-313.pyc") for path in compiled)
    assert compiled == expected
    assert_unchecked(compiled)


def test_our_own_layer_is_compiled_and_has_its_sources(build: Path) -> None:
    assert_compiled(list((build / "SharedLayer/python").rglob("*.py")))


def test_the_layer_of_dependencies_has_byte_code_instead_of_sources(build: Path) -> None:
    python = build / "DependenciesLayer/python"
    # anyio reads its sources to import its modules lazily.
    assert {path.relative_to(python).parts[0] for path in python.rglob("*.py")} == {"anyio"}
    assert_compiled(list((python / "anyio").rglob("*.py")))
    compiled = [path for path in python.rglob("*.pyc") if "__pycache__" not in path.parts]
    assert len(compiled) > 500
    for path in compiled:
        content = path.read_bytes()
        assert content[:4] == importlib.util.MAGIC_NUMBER, path
        # Tracebacks name the file on Lambda.
        source = path.relative_to(build / "DependenciesLayer").with_suffix(".py")
        assert f"/opt/{source}".encode() in content
    assert_unchecked(compiled)


def test_a_traceback_through_a_library_has_its_files_and_lines(build: Path, tmp_path: Path) -> None:
    if build.name != NATIVE_ARCHITECTURE:
        pytest.skip("its modules are for another processor")
    python = build / "DependenciesLayer/python"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import jwt; jwt.decode('x', 'k', ['HS256'])"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, python],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    frames = re.findall(r'File "/opt/python/jwt/(\w+)\.py", line (\d+), in (\w+)', run.stderr)
    assert len(frames) > 2, run.stderr
    assert all(int(line) > 1 for _, line, _ in frames)


def test_the_bill_of_materials_lists_the_built_packages(build: Path, builds: Path) -> None:
    packages = packages_in(build / "DependenciesLayer/python")
    packages += packages_in(build / "EncryptionLayer/python")
    assert set(packages) == set(listed_packages(builds / "sbom.json"))
    assert len(packages) > 20


def test_the_built_layer_has_every_file_of_the_package(build: Path) -> None:
    source = next(layer for layer in TEMPLATE.functions["HealthFunction"].layers if layer.is_source)
    assert files(build / "SharedLayer/python/medianest") == files(source.python / "medianest")


@pytest.mark.parametrize(
    ("layers", "most"), [(LAYERS, 12_000_000), (("EncryptionLayer",), 6_000_000)]
)
def test_the_layers_stay_small_when_zipped(
    build: Path, tmp_path: Path, layers: Sequence[str], most: int
) -> None:
    archives = [
        Path(shutil.make_archive(str(tmp_path / layer), "zip", build / layer)) for layer in layers
    ]
    assert sum(path.stat().st_size for path in archives) <= most


def test_a_function_with_its_layers_stays_below_half_of_lambdas_limit(build: Path) -> None:
    layers = sum(size(build / layer) for layer in ALL_LAYERS)
    for function in built_template(build).functions.values():
        assert layers + size(function.code) < MAX_UNZIPPED / 2
