"""Each fact about the project stands in one place."""

import configparser
import re
import tomllib
from pathlib import Path

import pytest

import wsgiperf

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read_string((ROOT / "setup.cfg").read_text(encoding="utf-8"))
    return parser


def test_the_version_is_written_once(pyproject):
    assert "version" in pyproject["project"]["dynamic"]
    assert pyproject["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "wsgiperf.__version__"}
    code = [*(ROOT / "wsgiperf").rglob("*.py"), *ROOT.glob("*.toml"), *ROOT.glob("*.cfg"), ROOT / "Makefile"]
    literal = re.compile(rf"(?<![\d.]){re.escape(wsgiperf.__version__)}(?![\d.])")
    stating = [path for path in code if literal.search(path.read_text(encoding="utf-8"))]
    assert stating == [ROOT / "wsgiperf" / "__init__.py"]


def test_setup_cfg_holds_only_what_has_no_place_in_pyproject(setup_cfg):
    """Metadata and the settings of tools that read pyproject.toml belong there."""
    elsewhere = re.compile(r"metadata|options|tool:|mypy|flake8|isort|coverage|bdist_wheel|build_ext")
    assert [section for section in setup_cfg.sections() if elsewhere.match(section)] == []
    assert (ROOT / "setup.cfg").read_text(encoding="utf-8").startswith("# ")


def test_no_fact_is_in_both_files(pyproject, setup_cfg):
    stated = {str(value) for value in pyproject["project"].values() if isinstance(value, str)}
    repeated = {value for section in setup_cfg.sections() for value in setup_cfg[section].values()}
    assert stated & repeated == set()


def test_no_tool_has_a_file_of_its_own():
    names = [
        "pytest.ini",
        "tox.ini",
        "mypy.ini",
        ".mypy.ini",
        "ruff.toml",
        ".ruff.toml",
        ".flake8",
        "setup.py",
    ]
    assert [name for name in names if (ROOT / name).exists()] == []


def test_an_extra_repeats_no_requirement_of_another(pyproject):
    """One extra takes another in by its name, so that a version is stated once."""
    project = pyproject["project"]
    extras = project["optional-dependencies"]
    packages: list[str] = []
    for lines in [project["dependencies"], *extras.values()]:
        packages += [re.match(r"[\w-]+", line)[0] for line in lines if not line.startswith("wsgiperf[")]
    assert sorted(packages) == sorted(set(packages))
    for lines in extras.values():
        for line in lines:
            if line.startswith("wsgiperf["):
                assert set(line.removeprefix("wsgiperf[").removesuffix("]").split(",")) <= set(extras)


def test_the_oldest_python_is_stated_once_and_the_makefile_agrees(pyproject):
    assert pyproject["project"]["requires-python"] == ">=3.11"
    assert "(3, 11)" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "target-version" not in pyproject["tool"]["ruff"]
    assert "python_version" not in pyproject["tool"]["mypy"]
