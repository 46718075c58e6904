# Every target sets up what it needs: a fresh machine has Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types imports check content browser dashboard generated screenshots package notebooks notebooks-html notebooks-pictures pins pins-check setup-functions setup-node clean

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
	@$(BIN)/python -m pytest -n auto --dist loadfile
	@$(MAKE) --no-print-directory browser

lint: setup     ## ruff: rules and format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

types: setup    ## mypy, strict
	@$(BIN)/mypy

imports: setup  ## the direction of imports (import-linter)
	@$(BIN)/lint-imports

# Python 3.13 alone can run Microsoft's worker library; a version manager's shim may be on PATH and not work.
PYTHON313 ?= $(shell for p in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13.*/bin/python3.13; do \
               "$$p" -c '' 2>/dev/null && { echo "$$p"; break; }; done)
FUNCTIONS_VENV  := .venv-functions
FUNCTIONS_STAMP := $(FUNCTIONS_VENV)/.ready

setup-functions: $(FUNCTIONS_STAMP) ## the function app's own venv on Python 3.13 (PYTHON313=), for tests/functions

$(FUNCTIONS_STAMP): requirements-functions.txt requirements-functions-protos.txt
	@test -n "$(PYTHON313)" || { echo "Python 3.13 is needed: make setup-functions PYTHON313=/path/to/python3.13" >&2; exit 1; }
	@test -x $(FUNCTIONS_VENV)/bin/python || $(PYTHON313) -m venv $(FUNCTIONS_VENV)
	@$(FUNCTIONS_VENV)/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' \
	  || { echo "$(PYTHON313) is not Python 3.13; remove $(FUNCTIONS_VENV) and choose another" >&2; exit 1; }
	@$(FUNCTIONS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  -r requirements-functions.txt
	@$(FUNCTIONS_VENV)/bin/python -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  --no-deps --ignore-requires-python -d $(FUNCTIONS_VENV)/protos -r requirements-functions-protos.txt
	@cd $(FUNCTIONS_VENV)/protos && ../bin/python -m zipfile -e *.whl unzipped \
	  && rm -rf afprotos && mv unzipped/tests/protos afprotos && rm -r unzipped
	@touch $@

NODE_STAMP := node_modules/.ready

setup-node: $(NODE_STAMP) ## Microsoft's KQL parser and the accessibility checker, in node_modules (needs Node 18 or newer)

$(NODE_STAMP): package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm (Node 18 or newer) is needed" >&2; exit 1; }
	@npm ci --silent --ignore-scripts
	@touch $@

check: test     ## the same as test

generated: setup ## files that are written from other files: what is deployed, and tables of the docs
	@$(BIN)/drift infra build
	@$(BIN)/python scripts/data_dictionary.py

content: setup  ## what is deployed beside the code: KQL, alert rules and their unit tests, workbooks, Bicep
	@$(BIN)/drift kql check
	@$(BIN)/drift alerts check
	@$(BIN)/drift alerts test
	@$(BIN)/drift workbook check workbooks/*.workbook
	@$(BIN)/drift infra build --check
	@$(BIN)/drift infra check

DEMO_ROWS := .local-azure/demo/logs.duckdb
HISTORY := .local-azure/sample-history.duckdb
# What the demo left, or a made-up history where there was none.
NOTEBOOK_DATA ?= $(or $(wildcard $(DEMO_ROWS)),$(HISTORY))

$(HISTORY): $(STAMP)
	@mkdir -p $(@D)
	@test -f $@ || $(BIN)/drift sample-history --out $@

notebooks: setup $(filter $(HISTORY),$(NOTEBOOK_DATA)) ## JupyterLab on the demo's data, or on NOTEBOOK_DATA=
	@PYTHONPATH="$(CURDIR)" DRIFT_DATA="$(or $(realpath $(NOTEBOOK_DATA)),$(NOTEBOOK_DATA))" $(BIN)/jupyter lab --notebook-dir=notebooks

notebooks-html: setup $(HISTORY) ## an example of each notebook as HTML, in build/notebooks
	@$(BIN)/python -m notebooks.render --data $(HISTORY)

notebooks-pictures: notebooks-html ## pictures of their figures for the docs, in docs/images (needs chromium)
	@$(BIN)/python -m notebooks.pictures

dashboard: setup ## the workbooks in a browser, on the demo's rows or, without a demo, on a sample history
	@test -e $(DEMO_ROWS) || $(MAKE) --no-print-directory $(HISTORY)
	@$(BIN)/drift dashboard --open --data $$(test -e $(DEMO_ROWS) && echo $(DEMO_ROWS) || echo $(HISTORY))

# In processes of its own: the browser's driver keeps an event loop running, in which other tests could start none.
browser: setup  ## the dashboard in a real browser (needs chromium and make setup-node; the demo's rows, if it ran)
	@BROWSER_TESTS=1 $(BIN)/python -m pytest -q -n 2 --dist worksteal --timeout 180 tests/browser

screenshots: setup ## pictures of the workbooks for the docs, in docs/images (needs chromium)
	@$(BIN)/python scripts/screenshots.py

package: setup  ## the zip that azd deploys, in build/
	@$(BIN)/python -m infra.package

UV_COMPILE = $(BIN)/uv pip compile $(PINS_FLAGS) --quiet --universal --python-version 3.11 --generate-hashes \
             --no-emit-index-url --no-emit-find-links --no-header
pins: setup     ## compile every requirements*.txt from pyproject.toml and requirements-*.in
	@$(UV_COMPILE) pyproject.toml -o requirements.txt
	@$(UV_COMPILE) pyproject.toml --extra local --extra notebooks --extra dev -c requirements.txt -o requirements-dev.txt
	@$(subst 3.11,3.13,$(UV_COMPILE)) pyproject.toml requirements-functions.in -c requirements.txt -o requirements-functions.txt
	@$(subst 3.11,3.13,$(UV_COMPILE)) requirements-probe.in -c requirements-dev.txt -o requirements-probe.txt

clean:          ## remove what make made
	@rm -rf $(VENV) $(FUNCTIONS_VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache node_modules
