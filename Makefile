# `make run` shows Vocero at work. `make` alone lists the targets.
SHELL := /bin/sh
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
NEED_DEBIAN := browser or peers or faults

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check bench faults browser peers fresh lock clean fuzz

help: ## List the targets.
	@awk -F ':.*## ' '/^[.a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv: .venv/run.stamp ## Make the environment that `make run` uses.

.venv/run.stamp: requirements.lock pyproject.toml tools/make-venv
	sh tools/make-venv requirements.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock requirements.lock pyproject.toml tools/make-venv
	sh tools/make-venv requirements-dev.lock
	@touch .venv/run.stamp $@

run: .venv/run.stamp ## Start on this machine: SQLite, Guatemala pack, a phone and a mailbox in the browser.
	@$(BIN)/vocero serve --local

test: .venv/dev.stamp ## Run the tests, on SQLite and on Postgres (about 12 minutes on two cores).
	$(PYTEST) -n 2 --dist worksteal -m "not ($(NEED_DEBIAN))" $(ARGS)

check: .venv/dev.stamp ## Format, lint, types, import directions, sizes, documentation.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) tests/test_sizes.py tests/test_docs.py

bench: .venv/dev.stamp ## Measure; one JSON object a line.
	@$(BIN)/python -m benchmarks

fuzz: .venv/dev.stamp ## Read a million made-up texts (SEED=1 COUNT=1000000); anything wrong raises.
	$(BIN)/python -m tests.corpus.fuzz $(or $(SEED),1) $(or $(COUNT),1000000)

faults: .venv/dev.stamp ## Kill, fill, cut and turn back the clock on real processes.
	sh tools/need strace gcc
	$(PYTEST) -m faults -rs -p tests.tools.no_skips $(ARGS)

browser: .venv/dev.stamp ## Use the pages as a person would, in Debian's chromium.
	sh tools/need chromium
	$(PYTEST) -m browser -rs -p tests.tools.no_skips $(ARGS)

PEERS := kannel:bearerbox kannel-extras:/usr/lib/kannel/test/fakesmsc smstools:smsd gammu gammu-smsd \
	libdbd-sqlite3:/usr/lib/*/dbd/libdbdsqlite3.so postfix dovecot-imapd:/usr/lib/dovecot/imap \
	dovecot-lmtpd:/usr/lib/dovecot/lmtp socat nodejs:node npm

peers: .venv/dev.stamp ## Try every channel against the real thing, and tell what it lost (nothing).
	sh tools/need $(PEERS)
	$(PYTEST) -m peers -rs -p tests.tools.no_skips $(ARGS)

fresh: ## Clone to an empty folder, follow the README, and say how long it took.
	sh tools/with-python tools/fresh.py

lock: ## Write both lock files again (needs uv); newer versions with ARGS=--upgrade.
	sh tools/lock $(ARGS)

clean: ## Remove the environment and what tools left behind. Data stays.
	rm -rf .venv dist peers.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
