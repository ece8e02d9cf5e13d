"""The wheel, built once from a copy of the checkout, and an environment in which it alone is wsgiperf."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_SOURCE = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist", "instance")


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, run from a folder that holds no source."""

    folder: Path
    elsewhere: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's programs to its end."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [str(self.folder / "bin" / command[0]), *command[1:]],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.elsewhere,
            env=environ,
        )

    def python(self, program: str) -> str:
        """What a program prints there, every warning being an error."""
        done = self.run("python", "-I", "-W", "error", "-c", program)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Built in a copy: a build leaves files behind, and would pick up those of an earlier one."""
    source = tmp_path_factory.mktemp("source") / "wsgiperf"
    shutil.copytree(ROOT, source, ignore=NOT_SOURCE)
    target = tmp_path_factory.mktemp("wheel")
    # Without isolation, since the build system is among the packages for development: no download.
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target)]
    built = subprocess.run([*command, str(source)], capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    [path] = target.iterdir()
    return path


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory) -> Installed:
    """A new environment; all other packages are lent by the one that runs the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--quiet"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    own = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    # After the environment's own packages. The .pth files in there are not read, so the checkout, which
    # is installed there by such a file, stays out.
    (own / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(folder, tmp_path_factory.mktemp("elsewhere"))
