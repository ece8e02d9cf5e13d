"""The npm package `axe-core`, which looks for what keeps people from using a page. Fetched once."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

VERSION = "4.14.1"
PATIENCE = 300  # seconds: it looks at everything, and perhaps on a machine that does other things besides
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
    const [rules, done] = arguments;
    axe.run(document, {runOnly: rules, resultTypes: ["violations"]}).then(
        ({violations}) => done(violations.map(
            ({id, help, nodes}) => `${id}: ${help}: ${nodes.map(node => node.html).join(" ")}`)),
        error => done([String(error)]));
"""


def missing() -> list[str]:
    """The programs that this machine lacks."""
    return [program for program in ("npm",) if shutil.which(program) is None]


def script() -> str:
    """The package's script. It is kept between runs, in CONFORMANCE_CACHE or among temporary files."""
    kept = os.environ.get("CONFORMANCE_CACHE") or Path(tempfile.gettempdir()) / "wsgiperf-conformance"
    prefix = Path(kept) / f"axe-core-{VERSION}"
    file = prefix / "node_modules" / "axe-core" / "axe.min.js"
    if not file.exists():
        prefix.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [
                *("npm", "install", f"axe-core@{VERSION}", "--prefix", str(prefix), "--no-save"),
                *("--no-audit", "--no-fund", "--omit=dev", "--ignore-scripts", "--loglevel=error"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return file.read_text(encoding="utf-8")


def complaints(browser) -> list[str]:
    """What is wrong with the page that is open. The script runs as the developer tools', under no policy."""
    browser.run(script())
    browser.driver.set_script_timeout(PATIENCE)
    return browser.driver.execute_async_script(RUN, RULES)
