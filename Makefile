# What there is to do here; `make` alone lists it. Everything stays in .venv and data/.

PYTHON ?= python3
UV ?= uv
VENV := .venv
FAST := not slow and not servers
# What git says is changed in mailgate/X or tests/X is tested in tests/X, where there is such a folder; of a change of
# templates each mail is tested, which is fourteen hundred tests.
INNER = tests/core tests/service tests/store $(filter-out $(MAILS),$(wildcard tests/test_*.py))
MAILS := tests/test_render.py tests/test_pdf.py
AREA ?= $(sort $(wildcard $(shell git status --porcelain -- mailgate templates tests 2>/dev/null | \
	sed -nE 's#^.* (mailgate|tests)/(cli|demo|edges|fuzz|hostile)/.*#tests/\2#p; t; \
	s#^.* (templates/|mailgate/(samples|render|templating|pdf)|tests/test_(render|pdf)).*#$(MAILS)#p')))
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := $(UV) pip compile pyproject.toml --quiet --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# Whose slow tests start no daemon, wait for nothing and measure no time but the processor's: they run beside others,
# a file in one process, as what a file's tests share is dear to make.
ABREAST := tests/core tests/fortnight tests/year tests/hostile/test_canaries.py tests/hostile/test_templates.py \
	tests/edges/web/test_separation.py tests/cli/test_books.py tests/cli/test_check.py tests/cli/test_replay.py \
	$(patsubst %,tests/service/test_%.py,contract contract_property daily together_property) \
	$(patsubst %,tests/test_%.py,age conversations render)

# Whose daemons and mail servers mostly wait for one another, and bear a second test beside theirs: the longest file
# first. Those left, which load or kill a daemon as fast as the machine can, have it for themselves.
PAIRED := tests/week $(patsubst %,tests/faults/test_%.py,roads day) tests/edges/web/test_story.py tests/test_proof.py \
	$(patsubst %,tests/edges/test_%.py,oauth_desk online imap_desk imap_oauth imap_trouble imap) tests/cli \
	$(patsubst %,tests/test_%.py,systemd cli_errors daily_desk packaging pdf) tests/service tests/hostile/test_roads.py \
	tests/store

# Some machines forbid Python to keep what it has compiled: it would compile all of this at each start.
unexport PYTHONDONTWRITEBYTECODE

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run demo test quick check fuzz bench bench-million faults week install guides lock clean packages

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## run the desk with rules.toml and data/, listening on 127.0.0.1:8025
	@printf '%s\n' \
	  '' \
	  'In another terminal:' \
	  '  make demo                              a whole story, mail by mail' \
	  "  printf 'From: ana@acme.example\\nSubject: La web va lenta\\n\\nDesde ayer.\\n' | $(BIN)/mailgate inject -" \
	  '  $(BIN)/mailgate tickets            what there is now; data/outbox/ has the mails that went out' \
	  '  $(BIN)/mailgate --help' \
	  ''
	@exec $(BIN)/mailgate run

demo: $(VENV)/.runtime ## play a story on the desk that runs, or on a throw-away one
	@$(BIN)/mailgate demo

test: packages check ## everything: `check`, then the slow tests and those with real mail servers
	$(BIN)/pytest -q -n auto --dist loadfile -m 'not ($(FAST))' $(ABREAST)
	$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m 'not ($(FAST))' $(PAIRED) $(ABREAST:%=--ignore=%)
	$(BIN)/pytest -m 'not ($(FAST))' $(patsubst %,--ignore=%,$(ABREAST) $(PAIRED))

quick: $(VENV)/.dev ## the fast tests of core, service and store, and of what you change, for while you work; AREA='tests/cli'
	@$(BIN)/pytest -q -n auto -m '$(FAST)' --hypothesis-profile=quick $(INNER) $(AREA)

check: $(VENV)/.dev ## style, types, layers, the fast tests, and how much of the core they cover
	$(BIN)/ruff check
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n auto -m '$(FAST)' --cov --cov-report=term:skip-covered

faults: packages $(VENV)/.dev ## break the roads in and out again and again, with real mail servers; ARGS='--rounds 20'
	$(BIN)/python -m tests.faults.roads $(ARGS)

week: packages $(VENV)/.dev ## a week's mail in twenty minutes: does the daemon grow, is all there; ARGS='--days 3'
	$(BIN)/python -m tests.week $(ARGS)

fuzz: $(VENV)/.dev ## look for bytes that make it fail; ARGS='way --seconds 600'
	@$(PIP) install --require-hashes --requirement requirements-fuzz.lock
	$(BIN)/python -m tests.fuzz $(ARGS)

bench: $(VENV)/.dev ## how fast it is; ARGS='--help' tells what can be chosen
	$(BIN)/python -m tests.bench $(ARGS)

bench-million: $(VENV)/.dev ## what the age of a desk costs: at 1,000 and at 1,000,000 messages (10 GB of disk for a while)
	$(BIN)/python -m tests.bench.million $(ARGS)

guides: $(VENV)/.dev ## write docs/guide-*.md anew, after a change of commands, templates or rules.toml
	for audience in clients technicians; do for language in es en; do \
	  $(BIN)/mailgate guide $$audience --language $$language > docs/guide-$$audience.$$language.md; done; done

install: ## for the whole machine, with systemd (as root); see docs/operations.md
	@PYTHON=$(PYTHON) systemd/install.sh

lock: ## choose the versions of the dependencies anew (needs uv)
	$(LOCK) --group build --upgrade --output-file requirements.lock
	$(LOCK) --group dev --upgrade --output-file requirements-dev.lock
	$(subst pyproject.toml,--group pyproject.toml:fuzz,$(LOCK)) --upgrade --output-file requirements-fuzz.lock

clean: ## take away all that was made, but not data/
	rm -rf $(VENV) dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The mail servers of the tests marked `servers`, and the browser that walks the client area. Without them, or
# without the right to install them, those tests are left out.
SERVERS := dovecot-imapd postfix openssl strace chromium
packages:
	@if PATH=$$PATH:/usr/sbin && command -v dovecot postfix openssl strace chromium >/dev/null; then exit 0; fi; \
	as_root=; [ "$$(id -u)" = 0 ] || as_root='sudo -n'; \
	if command -v apt-get >/dev/null && $$as_root true 2>/dev/null \
	  && $$as_root apt-get -qq update \
	  && $$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $(SERVERS) >/dev/null; \
	then exit 0; fi; \
	echo 'Not all of $(SERVERS) is here or can be installed: the tests that need them are left out.'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'mailgate needs Python 3.11 or newer, e.g.: make PYTHON=python3.12 $(MAKECMDGOALS)'; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo 'There is no venv module; on Debian: apt-get install python3-venv'; exit 1; }

# Every file comes with its hash from a lock, hatchling too, so that nothing is fetched but what is pinned. What is
# published as source alone (dkimpy, pyspf) is built by the setuptools of the lock, so that has to be there first.
PINNED := --require-hashes --no-build-isolation --use-pep517
$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo 'Installing mailgate into $(VENV) …'
	@sed -n '/^setuptools==/,/^    #/p' requirements.lock >$(VENV)/setuptools.lock
	@$(PIP) install $(PINNED) --requirement $(VENV)/setuptools.lock
	@$(PIP) install $(PINNED) --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo 'Installing the tools for tests and checks …'
	@$(PIP) install $(PINNED) --requirement requirements-dev.lock
	@touch $@
