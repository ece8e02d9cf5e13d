"""The architecture, read from the syntax trees: who may import whom, and what an import costs."""

import ast
import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "wsgiperf"

PARTS = ["monitor", "request_id", "timing", "security", "compression", "cache", "media"]
HOSTS = ["flask", "django", "gunicorn"]

#: A module imports only what stands above it. A name stands for a module, or a folder with all in it; what
#: shares a line does not import each other. "" is `wsgiperf/__init__.py`.
LAYERS = [
    ["errors"],
    ["events"],
    ["http"],
    ["options"],
    ["caching_rules", "alert_rules", "health_checks"],
    ["settings"],
    ["configuration"],
    ["exchange"],
    ["caching_options"],
    ["bodies"],
    ["interception"],
    ["wsgi"],
    ["calling"],
    PARTS,
    ["assembly"],
    [""],
    ["cli.listing"],
    ["cli.reference"],
    ["purging"],
    ["cli.problem"],
    ["cli.purging"],
    [*HOSTS, "testing"],
    ["cli"],
    ["__main__"],
]
#: Against the direction, for type checkers only: the primitive runs what the layer below it puts together.
ANNOTATIONS = {("interception", "wsgi")}

#: An optional library is imported in the files that wrap it, and nowhere else.
WRAPPERS = {
    "cachelib": ["cache/stores/"],
    "redis": ["cache/stores/"],
    "hiredis": ["cache/stores/"],
    "brotli": [
        "compression/codecs/brotli.py",
        "cache/splices/brotli.py",
        "cache/upgrading.py",
        "testing/decoding.py",
    ],
    "zstandard": ["compression/codecs/zstd.py", "cache/splices/zstd.py", "testing/decoding.py"],
    "zlib_ng": ["compression/codecs/gzip.py", "cache/splices/gzip.py"],
    "flask": ["flask.py", "monitor/frameworks/flask.py"],
    "django": ["django/", "monitor/frameworks/django.py", "monitor/queries/django.py"],
    "av": ["media/video/pyav.py"],
    "PIL": ["media/pictures/"],
    "sentry_sdk": ["monitor/frameworks/sentry.py"],
    "psutil": ["monitor/sampling/processes.py"],
    "sqlalchemy": ["monitor/queries/sqlalchemy.py"],
    "asgiref": ["django/"],  # Django's own
    "gunicorn": ["gunicorn.py"],
    "wtforms": ["media/uploads/wtforms.py"],
    "werkzeug": ["flask.py", "cli/demo_site.py"],
    "click": ["cli/"],
    "hypothesis": ["testing/strategies.py"],
    "pytest": ["testing/plugin.py", "testing/suite.py"],
}


@dataclass(frozen=True)
class Import:
    """One imported module, and whether type checkers alone see it."""

    name: str
    typing: bool = False


class Imports(ast.NodeVisitor):
    """All modules that a file imports, wherever in it."""

    def __init__(self, module: str, path: Path) -> None:
        self.found: list[Import] = []
        self._package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        self._typing = False
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_If(self, node: ast.If) -> None:
        outside = self._typing
        self._typing = outside or "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body:
            self.visit(statement)
        self._typing = outside
        for statement in node.orelse:
            self.visit(statement)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        parents = self._package.split(".")
        base = ".".join(parents[: len(parents) + 1 - node.level]) if node.level else ""
        base = ".".join(filter(None, [base, node.module]))
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            self._add(inner if inner in MODULES else base)

    def visit_Call(self, node: ast.Call) -> None:
        """`import_module("name")` is an import as well."""
        if ast.unparse(node.func).endswith("import_module") and isinstance(node.args[0], ast.Constant):
            self._add(node.args[0].value)
        self.generic_visit(node)

    def _add(self, name: str) -> None:
        self.found.append(Import(name, self._typing))


def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()
IMPORTS = {name: Imports(name, path).found for name, path in MODULES.items()}
RANKS = {unit: rank for rank, layer in enumerate(LAYERS) for unit in layer}


def unit_of(module: str) -> str | None:
    """The name in the layers that a module belongs to: the longest that fits."""
    name = module.removeprefix("wsgiperf").removeprefix(".")
    while name not in RANKS:
        if not name:
            return None
        name = name.rpartition(".")[0]
    # Whatever has no line of its own would otherwise belong to `wsgiperf/__init__.py`.
    return name if name or module == "wsgiperf" else None


def imports_across() -> Iterator[tuple[str, str, str, bool]]:
    """Every import inside the library that leaves its unit: module, from, to, for type checkers only."""
    for module, imports in IMPORTS.items():
        here = unit_of(module)
        for one in imports:
            if one.name in MODULES and unit_of(one.name) != here:
                yield module, here, unit_of(one.name), one.typing


def test_every_module_has_its_place_in_the_layers():
    assert [module for module in MODULES if unit_of(module) is None] == []


def test_a_module_imports_only_what_stands_above_it():
    wrong = [
        f"{module} imports {there}"
        for module, here, there, typing in imports_across()
        if RANKS[there] >= RANKS[here] and not (typing and (here, there) in ANNOTATIONS)
    ]
    assert wrong == []


def test_only_the_assembly_and_the_vocabulary_know_several_parts():
    known: dict[str, set[str]] = {}
    for module, _, there, _ in imports_across():
        if there in PARTS:
            known.setdefault(module, set()).add(there)
    several = {module for module, parts in known.items() if len(parts) > 1}
    assert several <= {"wsgiperf", "wsgiperf.assembly"}
    assert known["wsgiperf.assembly"] == set(PARTS)


def test_nothing_but_a_command_imports_a_host():
    assert {here for _, here, there, _ in imports_across() if there in HOSTS} <= {"cli"}


def test_the_contract_for_other_peoples_middleware_imports_nothing_of_the_library():
    assert [module for module, here, _, _ in imports_across() if here == "testing"] == []


def test_no_ring_of_imports_inside_a_folder():
    graph = {
        module: {one.name for one in imports if one.name in MODULES and not one.typing} - {module}
        for module, imports in IMPORTS.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the ring


def test_an_optional_library_is_imported_only_where_it_is_wrapped():
    wrong = []
    for module, imports in IMPORTS.items():
        path = MODULES[module].relative_to(PACKAGE).as_posix()
        for top in {one.name.partition(".")[0] for one in imports}:
            if top in sys.stdlib_module_names or top == "wsgiperf":
                continue
            if not path.startswith(tuple(WRAPPERS.get(top, ["nowhere"]))):
                wrong.append(f"{path} imports {top}")
    assert wrong == []


def interpreter(program: str, *arguments: str, bare: bool = False) -> str:
    """What a new interpreter prints; a bare one knows the standard library and this folder."""
    command = [sys.executable, "-I", *(["-S"] if bare else []), "-W", "error", "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return done.stdout


# Each in a fork of an interpreter that has imported nothing: as good as a new one, and much faster.
EACH_ALONE = """
import os, sys
sys.path.insert(0, sys.argv[1])
for module in sys.argv[2:]:
    child = os.fork()
    if not child:
        try:
            __import__(module)
        except BaseException as error:
            print(f"{module}: {error!r}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_every_module_imports_alone():
    modules = [module for module in MODULES if module != "wsgiperf.__main__"]
    assert interpreter(EACH_ALONE, str(ROOT), *modules) == ""


def test_without_any_package_installed_every_module_imports_but_those_that_wrap_one():
    wrapping = {path for paths in WRAPPERS.values() for path in paths}
    modules = [
        module
        for module, path in MODULES.items()
        if not path.relative_to(PACKAGE).as_posix().startswith(tuple(wrapping))
    ]
    assert len(modules) > 20
    assert interpreter(EACH_ALONE, str(ROOT), *modules, bare=True) == ""


LOADED = """
import json, sys
sys.path += sys.argv[1:3]
before = set(sys.modules)
exec(sys.argv[3])
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.mark.parametrize("statement", ["import wsgiperf", "from wsgiperf import *"])
def test_importing_the_library_loads_little_of_the_standard_library_and_nothing_else(statement):
    packages = sysconfig.get_path("purelib")
    loaded = json.loads(interpreter(LOADED, str(ROOT), packages, statement, bare=True))
    others = [name for name in loaded if name.partition(".")[0] != "wsgiperf"]
    assert [name for name in others if name.partition(".")[0] not in sys.stdlib_module_names] == []
    assert len(others) <= 60, others


def test_no_file_is_longer_than_four_hundred_lines():
    folders = ["wsgiperf", "tests", "examples", "benchmarks", "docs"]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > 400} == {}
