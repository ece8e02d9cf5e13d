"""The npm package `http-cache-tests`: fetched once, its origin server, its client, its list of tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

VERSION = "0.4.5"
LISTING = Path(__file__).with_name("listing.mjs")


def missing_programs() -> list[str]:
    return [program for program in ("node", "npm") if shutil.which(program) is None]


def install() -> Path:
    """The package's folder. It is kept between runs, in CONFORMANCE_CACHE or among temporary files."""
    kept = os.environ.get("CONFORMANCE_CACHE") or Path(tempfile.gettempdir()) / "wsgiperf-conformance"
    prefix = Path(kept) / VERSION
    folder = prefix / "node_modules" / "http-cache-tests"
    if not (folder / "cli.mjs").exists():
        prefix.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", f"http-cache-tests@{VERSION}", "--prefix", str(prefix), "--no-save",
             "--no-audit", "--no-fund", "--omit=dev", "--ignore-scripts", "--loglevel=error"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    return folder


def listing(folder: Path) -> list[dict]:
    """Every test that is for caches other than a browser's."""
    printed = subprocess.run(
        ["node", "--no-warnings", str(LISTING), str(folder)], check=True, capture_output=True
    )
    return json.loads(printed.stdout)


@contextmanager
def origin_server(folder: Path, port: int, state: Path):
    """The package's origin server, for as long as the block runs."""
    settings = {
        "npm_config_protocol": "http",
        "npm_config_port": str(port),
        "npm_config_pidfile": str(state / "origin.pid"),
    }
    with (state / "origin.log").open("wb") as log:
        process = subprocess.Popen(
            ["node", "--no-warnings", "server/server.mjs"], cwd=folder, env=os.environ | settings,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 20
        while b"Listening" not in (state / "origin.log").read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((state / "origin.log").read_text())
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def run_client(folder: Path, port: int) -> dict[str, bool | list[str]]:
    """True for each test that passed, else what kind of failure it was and what the test says of it."""
    # An empty id means all of them; the client looks for it under both names.
    settings = {
        "npm_config_base": f"http://127.0.0.1:{port}", "npm_config_id": "", "npm_package_config_id": "",
    }  # fmt: skip
    printed = subprocess.run(
        ["node", "--no-warnings", "cli.mjs"], cwd=folder, env=os.environ | settings, check=True,
        capture_output=True, timeout=300,
    )  # fmt: skip
    return json.loads(printed.stdout)
