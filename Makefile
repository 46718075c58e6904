# Every target sets up what it needs: a fresh machine has Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types imports check pins pins-check clean

help:           ## what can be made
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

setup: $(STAMP) ## the virtual environment and the drift command, in .venv

$(STAMP): requirements-dev.txt requirements.txt scripts/launcher.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed; choose one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  -r requirements-dev.txt
	@$(BIN)/python scripts/launcher.py
	@touch $@

demo: setup     ## the main job, end to end, on the local Azure
	@$(BIN)/drift demo

test: setup lint types imports ## everything that must hold
	@$(BIN)/python -m pytest

lint: setup     ## ruff: rules and format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

types: setup    ## mypy, strict
	@$(BIN)/mypy

imports: setup  ## the direction of imports (import-linter)
	@$(BIN)/lint-imports

check: test     ## the same as test

UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
             --no-emit-index-url --no-emit-find-links --no-header
pins: setup     ## compile requirements.txt and requirements-dev.txt from pyproject.toml
	@$(UV_COMPILE) pyproject.toml -o requirements.txt
	@$(UV_COMPILE) pyproject.toml --extra local --extra dev -c requirements.txt -o requirements-dev.txt

clean:          ## remove what make made
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
