"""`wsgiperf settings` and what it is made of."""

import re
import subprocess
import sys

import pytest
from cachelib import SimpleCache
from command_line import run, said, without

from wsgiperf.cli.listing import listing, rows
from wsgiperf.cli.reference import settings_table
from wsgiperf.configuration import Settings, flat, nested, resolve
from wsgiperf.options import options_of
from wsgiperf.settings import SECTIONS, CompressionSettings

OPTIONS = [(name, option) for name, kind in SECTIONS.items() for option in ("enabled", *options_of(kind))]


def listed(*arguments: str, **environ: str) -> dict[str, str]:
    """What the command prints, by option, with single spaces."""
    done = run("settings", *arguments, **environ)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    return {name: rest for name, _, rest in (line.partition(" ") for line in lines)}


def origins(settings: Settings) -> dict[str, str]:
    return {name: origin for name, _, _, origin in rows(settings)}


def test_every_option_is_listed_with_its_default_and_unit():
    found = listed(WSGIPERF_MEDIA="on")
    assert found.pop("option") == "from value"
    assert list(found) == [f"{section}.{option}" for section, option in OPTIONS]
    assert found["compression.minimum_size"] == "default 800 bytes"
    assert found["compression.codings"] == "default br,zstd,gzip"
    assert found["timing.slow_seconds"] == "default 1.0 seconds"
    assert found["security.preset"] == "default balanced"
    assert found["security.csp"] == "default {}"


def test_the_environment_is_read_and_named():
    found = listed(WSGIPERF_COMPRESSION_MINIMUM_SIZE="500", WSGIPERF_SECURITY="strict", HSTS_ENABLED="no")
    assert found["compression.minimum_size"] == "environment: WSGIPERF_COMPRESSION_MINIMUM_SIZE 500 bytes"
    assert found["security.preset"] == "environment: WSGIPERF_SECURITY strict"
    assert found["security.hsts"] == "environment (alias): HSTS_ENABLED false"


def test_our_own_name_wins_over_an_alias():
    found = listed(WSGIPERF_COMPRESSION_MINIMUM_SIZE="500", GZIP_MIN_SIZE="700")
    assert found["compression.minimum_size"].endswith("MINIMUM_SIZE 500 bytes")


def test_a_section_that_is_off_lists_nothing_else():
    found = listed(WSGIPERF_COMPRESSION="off")
    assert found["compression.enabled"] == "environment: WSGIPERF_COMPRESSION false"
    assert [name for name in found if name.startswith("compression.")] == ["compression.enabled"]


def test_an_alias_that_makes_no_sense_is_mentioned_and_ignored():
    done = run("settings", GZIP_MIN_SIZE="small")
    assert done.returncode == 0
    assert re.fullmatch(r"ignored: GZIP_MIN_SIZE: expected a whole number .* got 'small'\n", done.stderr)


def test_a_misspelt_name_is_an_error_with_the_right_one():
    error = said(run("settings", WSGIPERF_COMPRESSION_MINIMUM_SIZES="500"))
    assert "WSGIPERF_COMPRESSION_MINIMUM_SIZES" in error
    assert "did you mean WSGIPERF_COMPRESSION_MINIMUM_SIZE?" in error


def test_a_bad_value_is_an_error_with_what_was_expected():
    error = said(run("settings", WSGIPERF_COMPRESSION_GZIP_LEVEL="12"))
    assert error == (
        "Error: WSGIPERF_COMPRESSION_GZIP_LEVEL: expected a whole number from 1 to 9, got '12'\n"
    )


def test_the_listing_shows_which_place_won():
    """Keywords over a settings object over the framework over the environment over its aliases."""
    settings = resolve(
        {"timing": {"slow_seconds": 2}, "compression": {"gzip_level": 2, "zstd_level": 2}},
        {"compression": {"gzip_level": 1}},
        flat({"WSGIPERF_COMPRESSION_ZSTD_LEVEL": 3, "WSGIPERF_COMPRESSION_BROTLI_LEVEL": 3}, "Flask"),
        {"WSGIPERF_COMPRESSION_BROTLI_LEVEL": "4", "WSGIPERF_SECURITY_HSTS": "yes", "HSTS_ENABLED": "no"},
    )
    found = origins(settings)
    assert found["compression.gzip_level"] == "keyword"
    assert found["compression.zstd_level"] == "settings"
    assert found["timing.slow_seconds"] == "settings"
    assert found["compression.brotli_level"] == "Flask: WSGIPERF_COMPRESSION_BROTLI_LEVEL"
    assert found["security.hsts"] == "environment: WSGIPERF_SECURITY_HSTS"
    assert found["request_id.header"] == "default"


def test_a_framework_names_an_option_in_its_own_way():
    layer = nested({"timing": {"slow_seconds": 3}}, "Django", "WSGIPERF['{}']", "WSGIPERF['{}']['{}']")
    found = origins(resolve(framework=layer))
    assert found["timing.slow_seconds"] == "Django: WSGIPERF['timing']['slow_seconds']"


def test_a_settings_object_is_listed_as_such():
    found = origins(Settings(compression=CompressionSettings(minimum_size=1)))
    assert found["compression.minimum_size"] == "settings"


SPECIAL = Settings(
    security={"csp": {"img-src": ["https:", "data:"], "style-src": None}, "headers": {"X-Served-By": "a, b"}},
    request_id={"trusted_proxies": ["unix", "10.0.0.0/8"]},
    timing={"slow_seconds": 0.25},
    cache={"directory": "/a, b", "rules": [{"path": "/a,b", "ttl": 5, "tags": ["c"]}, {"shared": True}]},
)


@pytest.mark.parametrize("settings", [Settings(), SPECIAL], ids=["defaults", "lists and dictionaries"])
def test_a_listed_value_is_what_the_environment_takes(settings):
    environ = {f"WSGIPERF_{n.replace('.', '_').upper()}": value for n, value, _, _ in rows(settings)}
    again = resolve(environ=environ)
    assert [again[section] for section in SECTIONS] == [settings[section] for section in SECTIONS]


def test_an_object_is_listed_by_its_class():
    """Its own text could hold anything, such as the password of a server."""

    class Backend(SimpleCache):
        def __repr__(self):
            return "<Backend of redis://:secret@host>"

    found = {name: value for name, value, _, _ in rows(Settings(cache={"store": Backend()}))}
    assert found["cache.store"] == f"<{__name__}.{Backend.__qualname__}>"


def test_the_columns_line_up():
    lines = listing(Settings()).splitlines()
    column = lines[0].index("value")
    assert {line[column - 2 : column] for line in lines if len(line) > column} == {"  "}
    assert all(line == line.rstrip() for line in lines)


def test_markdown_gives_every_option_its_line():
    done = run("settings", "--markdown")
    assert done.stdout == settings_table() + "\n"
    for section, option in OPTIONS:
        assert f"| `{option}` | `WSGIPERF_{section.upper()}_{option.upper()}` |" in done.stdout
    line = next(line for line in done.stdout.splitlines() if "`gzip_level`" in line)
    assert "| a whole number from 1 to 9 | `6` |" in line


def test_the_tables_have_as_many_cells_in_every_line():
    lines = [line for line in settings_table().splitlines() if line.startswith("|")]
    assert {len(re.split(r"(?<!\\)\|", line)) for line in lines} == {8}


def test_without_click_the_command_says_what_to_install():
    done = run("settings", command=without("click"))
    assert done.returncode == 1
    assert done.stderr == 'wsgiperf: the command line needs click: pip install "wsgiperf[cli]"\n'


def test_the_listing_needs_no_click():
    program = "import sys, wsgiperf.cli.listing, wsgiperf.cli.reference; sys.exit('click' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_the_module_and_the_script_are_the_same_command():
    from wsgiperf import __version__

    assert run("--version").stdout == f"wsgiperf {__version__}\n"
    assert "Usage: python -m wsgiperf" in run("--help").stdout
