# Everything here sets itself up: Python 3.11 or newer, pip and make are enough.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Debian ships Python without ensurepip; the machine's own pip fills the environment instead.
INSTALL := $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check install --root-user-action=ignore
# A minute of silence looks like a hang: one line for each package, and one before they are all unpacked.
PROGRESS := | awk '/^ *Collecting/ { print "  " $$2; fflush() } /^Installing collected/ { print "  unpacking ..."; fflush() }'
ROOMS := console intake lettrlabs models sandbox worker

.PHONY: help demo up test oldest lint types schema ci chaos format clean bench bench-due bench-intake bench-large bench-growth mutants soak

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Mailrun needs Python 3.11 or newer; set PYTHON=... to one.")'
	@$(PYTHON) -m venv --without-pip .venv

.venv/runtime.stamp: requirements.txt requirements-build.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Mailrun needs into .venv"
	@$(INSTALL) --require-hashes -r requirements.txt -r requirements-build.txt $(PROGRESS)
	@$(INSTALL) --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/runtime.stamp
	@echo "Installing what its tests need into .venv"
	@$(INSTALL) --require-hashes -r requirements-dev.txt $(PROGRESS)
	@touch $@

demo: .venv/runtime.stamp ## Send a sample campaign to a sandbox, start to finish
	@$(BIN)/mailrun demo

up: .venv/runtime.stamp ## Run everything on this machine until Ctrl-C
	@$(BIN)/mailrun up

test: .venv/dev.stamp ## Run the tests (under 5 minutes on 2 cores)
	@$(BIN)/python -m pytest -m "not chaos" -n 4 --dist loadfile

bench/.venv/bench.stamp: bench/requirements.txt
	@echo "Installing what DBOS needs into bench/.venv"
	@$(PYTHON) -m venv --without-pip bench/.venv
	@$(subst $(BIN),bench/.venv/bin,$(INSTALL)) --require-hashes -r bench/requirements.txt $(PROGRESS)
	@touch $@

chaos: .venv/dev.stamp bench/.venv/bench.stamp ## Run the long proofs: pairs of crashes, chaos beside its peers
	@$(BIN)/python -m pytest -m chaos
	@$(BIN)/python -m bench.chaos

mutants: .venv/dev.stamp ## Put chosen mistakes into the code and see whether a test notices each
	@$(BIN)/python -m tests.mutants

bench: .venv/runtime.stamp bench/.venv/bench.stamp ## Measure mailings a second beside bare calls, a plain chain and DBOS
	@$(BIN)/python -m bench.speed

bench-due: .venv/runtime.stamp ## Measure the due scan among a million held mailings
	@$(BIN)/python -m bench.due_scan

bench-intake: .venv/dev.stamp ## Signed events a second, beside the bare web stack
	@$(BIN)/python -m bench.events

bench-large: .venv/runtime.stamp ## Measure a campaign of a million people beside a bare COPY and bare PUTs
	@$(BIN)/python -m bench.large

bench-growth: .venv/runtime.stamp ## Measure mailings a second beside 10^3, 10^5 and 10^6 finished ones
	@$(BIN)/python -m bench.growth

soak: .venv/runtime.stamp ## Run steadily for half an hour and look for anything that grows
	@$(BIN)/python -m bench.soak

lint: .venv/dev.stamp ## Check style and who imports whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache

types: .venv/dev.stamp ## Check the types, strictly
	@$(BIN)/mypy

schema: .venv/dev.stamp ## Check that migrations and models agree
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && mkdir "$$data/postgres" && MAILRUN_DATA_DIR=$$data $(BIN)/mailrun exec -- \
	  sh -c '$(BIN)/alembic upgrade head && $(BIN)/alembic check' 

oldest: .venv/dev.stamp ## Test on Debian 12's PostgreSQL 15 and Redis 7 (installs them)
	@bash .ci/oldest

ci: lint types schema test ## What continuous integration runs

format: .venv/dev.stamp ## Rewrite the code in the house style
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

clean: ## Remove the environment and this machine's data
	rm -rf .venv .mailrun
