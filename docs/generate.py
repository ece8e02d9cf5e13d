"""Write the pages of the documentation that are made from the code: `make docs`."""

from pathlib import Path

from wsgiperf.cli.reference import settings_table
from wsgiperf.configuration import ALIASES
from wsgiperf.testing import rules_table

DOCS = Path(__file__).resolve().parent

SETTINGS = """\
# Settings

<!-- Made by `make docs` from the declarations in wsgiperf/settings: change those. -->

Each option is declared once, and can be given in every place of this list; the first that has it wins:

1. keywords: `wrap(app, compression={"minimum_size": 500})`
2. a settings object or a dictionary: `wrap(app, Settings(compression={"minimum_size": 500}))`
3. the framework's configuration: `app.config["WSGIPERF_COMPRESSION_MINIMUM_SIZE"]` in Flask,
   `WSGIPERF = {"compression": {"minimum_size": 500}}` in Django's settings
4. the environment: `WSGIPERF_COMPRESSION_MINIMUM_SIZE=500`
5. names that deployments use already, in the environment: see the end of this page
6. the default

A section as a whole may be true or false (`compression=False`, `WSGIPERF_COMPRESSION=off`); `security` may
also be the name of a preset. `media` is off unless it is true, or a dictionary with some of its options. In
the environment lists are written with commas, dictionaries as JSON. A single class, such as
`CompressionMiddleware(app, minimum_size=500)`, takes its section's options as keywords and reads no
environment.

`wsgiperf settings` lists what holds here, and where it came from.

"""

ALIASES_HEAD = """

## Names that are understood as well

Others use these names too, so a value that makes no sense here is a warning, and ignored.

| in the environment | stands for |
| --- | --- |
"""


def settings_page() -> str:
    """The page of all options."""
    aliases = [f"| `{name}` | `{section}.{option}` |\n" for name, (section, option) in ALIASES.items()]
    return SETTINGS + settings_table() + ALIASES_HEAD + "".join(aliases)


CONTRACT = """\
# The contract suite

<!-- Made by `make docs` from the rules in wsgiperf/testing: change those. -->

`wsgiperf.testing` checks any WSGI middleware, not only that of this library: awkward applications run bare
and wrapped, and what the client, the server and the application saw is compared. It imports nothing else of
the library.

```python
from wsgiperf.testing import check

check(MyMiddleware)  # raises an exception group that names every broken rule
```

With pytest, one test a rule, and random applications where hypothesis is installed:

```python
from wsgiperf.testing import WSGIContract


class TestMyMiddleware(WSGIContract):
    def wrap(self, application):
        return MyMiddleware(application)
```

`levels = ("pep3333", "wsgiperf")` adds what this library promises beyond PEP 3333. The plugin, registered on
installation, has the fixture `wsgi_contract` and a marker of that name.

## The rules

"""


def contract_page() -> str:
    """The page of the rules that the suite checks."""
    return CONTRACT + rules_table()


PAGES = {"settings.md": settings_page, "contract.md": contract_page}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(f"wrote docs/{name}")
