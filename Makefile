# What people type. Each target sets itself up: a virtual environment with locked dependencies, nothing else.

.DEFAULT_GOAL := help
.PHONY: help run operator check test soak interop bench lint lock secrets

VENV := .venv
PY := $(VENV)/bin/python
# One more than the cores that the suite is made for: some of its tests wait for programs to start, or to be missed.
WORKERS ?= 3
PYTEST = $(PY) -m pytest
# Whatever a shell says: each program that is started would compile all of this again, and keep what that takes.
export PYTHONDONTWRITEBYTECODE :=

help:
	@echo "make run      everything, in the foreground: http://localhost:8000/"
	@echo "make operator NAME=ada: a one-time link for a new operator of what runs"
	@echo "make check    the quick part of the suite: services, contract, architecture"
	@echo "make test     the whole suite on real PostgreSQL and Redis"
	@echo "make soak     long random walks with fresh seeds"
	@echo "make interop  against software that others wrote; skips by name what is missing"
	@echo "make bench    throughput, latency, memory and queries; var/bench.json"
	@echo "make lint     ruff, mypy, import-linter, djlint, missing migrations"
	@echo "make secrets  what docker compose needs, in var/secrets"
	@echo "make lock     write requirements/*.lock anew"

run: $(VENV)/.embedded
	@exec $(PY) -m identity.embedded

# From the command line alone: some systems set NAME for every program.
operator: $(VENV)/.embedded
	@[ "$(origin NAME)" = "command line" ] || { echo "NAME is missing: make operator NAME=ada" >&2; exit 2; }
	@exec $(PY) -m identity.embedded.running create_operator -- "$$NAME"

check: $(VENV)/.development
	$(PYTEST) tests/services tests/contract tests/architecture -m "not browser and not run and not interop" \
		-n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: $(VENV)/.development
	$(PYTEST) -m "not interop" -n $(WORKERS) --dist loadfile --no-loadscope-reorder

interop: $(VENV)/.development
	$(PYTEST) -m interop

# Walks fifty times as long, with seeds of their own; what they find is kept in var/walks and tried first the next time.
soak: $(VENV)/.development
	SOAK=1 $(PYTEST) tests/*/test_any_*.py tests/*/*/test_any_*.py tests/contract/test_callers.py tests/services/test_srp.py \
		-n $(WORKERS) --dist loadfile --timeout 7200

bench: $(VENV)/.development
	$(PY) -m tests.bench

lint: $(VENV)/.development
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/lint-imports --config tests/architecture/circles.toml
	$(VENV)/bin/djlint --lint templates
	MODE=development $(PY) -W ignore manage.py makemigrations --check --dry-run

# Hashes of every file, for production, for `make run`, and for developers. The oldest Python that is supported
# decides. Versions stay unless pyproject.toml asks for others; `make lock UPGRADE=--upgrade` takes the newest.
COMPILE = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url $(UPGRADE) pyproject.toml
lock: $(VENV)/.development
	$(PY) -m pip install --quiet "uv>=0.9"
	echo uv | $(COMPILE:%pyproject.toml=%-) --output-file requirements/installer.lock
	$(COMPILE) --output-file requirements/production.lock
	$(COMPILE) --constraint requirements/production.lock --extra embedded --output-file requirements/embedded.lock
	$(COMPILE) --constraint requirements/embedded.lock --extra embedded --extra test --extra dev \
		--output-file requirements/development.lock
	echo awscli | $(COMPILE:%pyproject.toml=%-) --output-file tests/clients/aws_cli/awscli.lock

# What docker-compose.yml mounts. The folder is closed; the files are not, because containers have users of their own.
secrets:
	@mkdir -p -m 700 var/secrets && cd var/secrets && for name in postgres_password database_url web_database_url secret_keys; do \
		[ ! -e $$name ] || { echo "var/secrets/$$name is there already; nothing was changed" >&2; exit 1; }; done; \
	password=$$(openssl rand -hex 24); \
	printf '%s\n' "$$password" > postgres_password; \
	printf 'postgresql://cognate:%s@postgres:5432/cognate\n' "$$password" > database_url; \
	printf 'postgresql://cognate_web:%s@postgres:5432/cognate\n' "$$(openssl rand -hex 24)" > web_database_url; \
	printf 'k1 %s\n' "$$(openssl rand -base64 32)" > secret_keys; \
	chmod 644 postgres_password *database_url secret_keys; echo "made var/secrets: keep a copy in a safe place"

# The first Python from 3.11 on that can make a virtual environment; what is missing is named in one line.
$(PY):
	@echo "Making a virtual environment in $(VENV)"
	@for python in $${PYTHON:-python3 python3.13 python3.12 python3.11}; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; found=$$python; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null && exec "$$python" -m venv $(VENV); \
	done; \
	if [ -n "$$found" ]; then \
		echo "$$found cannot make virtual environments: apt-get install $$("$$found" -c \
			'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; \
	else echo "Python 3.11 or newer is missing: apt-get install python3 python3-venv" >&2; fi; exit 1

# A stamp per lock: installed once, again when the lock changes; what was interrupted goes on at the next call.
# Development holds all of embedded.
INSTALL = $(PY) -I identity/embedded/packages.py
$(VENV)/.embedded: requirements/embedded.lock | $(PY)
	@[ -e $(VENV)/.development ] && [ $(VENV)/.development -nt requirements/development.lock ] || $(INSTALL) $<
	@touch $@

$(VENV)/.development: requirements/development.lock | $(PY)
	@$(INSTALL) $<
	@touch $@
