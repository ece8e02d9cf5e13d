# Everything happens in a virtual environment of this folder's own (.venv); nothing else on the machine is
# touched. It is made when first needed, and brought up to date when pyproject.toml changes.

.DEFAULT_GOAL := help
.PHONY: help demo test conformance check bench docs clean
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
APP ?= both
PORT ?= 8000
ARGS ?=
JOBS ?= 2

# The first Python that is new enough and can make environments; `make test PYTHON=python3.12` chooses another.
FIND_PYTHON = for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done

help:
	@echo "make demo     serve both example sites (APP=flask or APP=django for one, PORT=9000 for another port)"
	@echo "make test     run all tests (ARGS='-k etag' for some, JOBS=0 for one after the other)"
	@echo "make conformance  run the public HTTP caching tests against the cache (needs node and npm)"
	@echo "make check    look for mistakes without running anything: style and types"
	@echo "make bench    measure what each part costs, and print the figures"
	@echo "make docs     write the pages of docs/ that are made from the code"
	@echo "make clean    remove what these commands made, the virtual environment too"

demo: $(VENV)/.demo
	@exec $(BIN)/wsgiperf demo --app "$(APP)" --port "$(PORT)"

test: $(VENV)/.dev
	@echo "Running the tests. Those that need a program this machine lacks are skipped, with the reason."
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

conformance: $(VENV)/.dev
	@echo "Running the public HTTP caching tests through a reverse proxy with the cache in front ..."
	@cd tests && ../$(BIN)/python -m conformance.public_suite $(ARGS)

check: $(VENV)/.dev
	@echo "Style (ruff) ..."
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "Types (mypy --strict) ..."
	@$(BIN)/mypy

bench: $(VENV)/.dev
	@echo "Measuring. Ratios hold anywhere; microseconds are this machine's."
	@$(BIN)/python -m benchmarks

docs: $(VENV)/.dev
	@$(BIN)/python docs/generate.py

clean:
	@echo "Removing $(VENV), caches, build output and the demo's data ..."
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis examples/*/instance
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A mark says which set of packages is in: the demo's few, or all that contributors need (the demo's too).
$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@echo "Installing wsgiperf and what the demo needs into $(VENV) (a minute the first time) ..."
	@$(PIP) install --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing wsgiperf and what its tests need into $(VENV) (a few minutes the first time) ..."
	@$(PIP) install --editable '.[dev]'
	@touch $(VENV)/.demo $@

$(BIN)/python:
	@python="$(PYTHON)"; test -n "$$python" || python=$$($(FIND_PYTHON)); \
	if test -z "$$python"; then \
		echo "wsgiperf needs Python 3.11 or newer with its venv module (Debian, Ubuntu: apt install python3-venv)."; \
		echo "If it is installed under another name: make PYTHON=/path/to/python3.12 ..."; \
		exit 1; \
	fi; \
	echo "Making a virtual environment in $(VENV) with $$($$python --version) ..."; \
	$$python -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
