# Every command that a person types. Needs Python 3.11 or newer with venv, and make; nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.DEFAULT_GOAL := help

FITS := -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p $(FITS) 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
READY := .venv/ready
OPENAPI := orchestration/api/openapi.yaml
# Tests of processes wait for most of their time: three at once suit two cores. Each has a database.
JOBS ?= 3
# PG=16 runs the tests on an embedded server of that version, whatever DATABASE_URL says
ON_SERVER := $(if $(PG),DATABASE_URL= DATABASE_DIRECT_URL= TASKER_EMBEDDED_PG=$(PG))
# put together from pieces, so that this file does not contain what it looks for
ORG := org
HOSTS := pypi\.$(ORG)|python(hosted)\.$(ORG)|(npm)js\.|deb\.(debian)\.|crates\.(io)|proxy\.(golang)|(repo1?)\.maven

help: ## Show the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## Make .venv with the pinned packages

$(READY): requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt install python3-venv), or say make PYTHON=…"; exit 2; }
	$(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

demo: $(READY) ## Run the example workflows on real processes and show them
	$(MANAGE) demo $(ARGS)

dev: $(READY) ## Run web, orchestrator and worker, restarted on change
	$(MANAGE) dev $(ARGS)

test: $(READY) ## Run the tests; PG=16 for another server, ARGS for pytest, JOBS=0 one by one
	$(ON_SERVER) $(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

test-pooler: $(READY) ## Run the tests with processes behind PgBouncer, in both ways (needs pgbouncer)
	for way in direct polling; do $(ON_SERVER) $(BIN)/pytest --pooler=$$way tests/acceptance/scenarios tests/acceptance/test_worker_process.py tests/acceptance/test_orchestrator_process.py $(ARGS) || exit 1; done

check: lint types contracts django openapi hosts ## Run every check

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy orchestration workers templates_registry tasker_project tests

contracts: $(READY)
	$(BIN)/lint-imports

django: $(READY)
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) check --fail-level WARNING

openapi: $(READY)
	$(MANAGE) spectacular --validate --fail-on-warn | diff -u $(OPENAPI) - || { echo "$(OPENAPI) is not what the code serves: run make schema and look at the change"; exit 1; }

hosts:
	@! git grep -nIE "$(HOSTS)" -- . || { echo "A file names the host of a package registry"; exit 1; }

ci: check $(READY) ## Run every check, then the tests with their coverage
	$(ON_SERVER) $(BIN)/pytest --cov --cov-report=term $(ARGS)

bench: $(READY) ## Measure latency and throughput; ARGS="--json bench.json"
	$(MANAGE) bench $(ARGS)

bench-peers: $(READY) ## Measure Tasker beside its peers from PyPI, in turns; JSON=FILE
	$(MANAGE) bench_peers $(if $(JSON),--json $(JSON)) $(ARGS)

profile: $(READY) ## Show where the time of a step goes, by statement and in Python; ARGS="--json FILE"
	$(MANAGE) bench profile $(ARGS)

chaos: $(READY) ## Break a real cluster while it works, and judge; TASKS, FAULTS, SEED, JSON=FILE
	$(ON_SERVER) $(BIN)/python -m tests.chaos --tasks $(or $(TASKS),200) --faults $(or $(FAULTS),30) --seed $(or $(SEED),1) $(if $(JSON),--json $(JSON)) $(ARGS)

schema: $(READY) ## Write the OpenAPI document of the REST API
	$(MANAGE) spectacular --validate --fail-on-warn --file $(OPENAPI)

graph: $(READY) ## Show the state machines of tasks and steps as Mermaid diagrams; ARGS="-o FILE"
	$(MANAGE) visualize_states $(ARGS)

env: $(READY) ## Write .env.example from the tables of settings
	$(BIN)/python manage.py tasker config env > .env.example

requirements: $(READY) ## Pin the packages of requirements/*.in anew, for every platform, with hashes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	export UV_CUSTOM_COMPILE_COMMAND="make requirements"; for name in base production dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --upgrade -o requirements/$$name.txt requirements/$$name.in; done

.PHONY: help setup demo dev test test-pooler check lint types contracts django openapi hosts ci bench bench-peers profile chaos schema graph env requirements
