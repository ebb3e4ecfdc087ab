# `make demo` and `make test` need Python >= 3.11 with its venv module, and nothing else: what they
# use is installed into .venv from requirements.lock, with uv where it is on PATH, else with pip.

.DEFAULT_GOAL := help
.PHONY: help demo test lint check mutants run lock clean

PYTHON     ?=
CANDIDATES := $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python)
BIN        := .venv/bin
READY      := .venv/ready
COMPILE    := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
              --no-header $(if $(UPGRADE),--upgrade)

export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore

help:           ## List the targets
	@awk -F ' *## ' '/^[a-z]+:.*## / { sub(/:.*/, "", $$1); printf "make %-7s %s\n", $$1, $$2 }' Makefile

demo: $(READY)  ## Show the bridge at work, with a helpdesk that lives in this process
	@$(BIN)/points-bridge demo

test: $(READY)  ## Run the tests
	@$(BIN)/pytest -n auto --dist worksteal -q

lint: $(READY)  ## Check format, style, types and the layers
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo

check: lint test ## Run everything that must pass before a change lands

mutants: $(READY) ## Sow 500 small faults and see how many the unit suites find (ALL=1: 7000, in hours; SEED=...)
	@$(BIN)/python -m tests.mutation.score $(if $(ALL),--all) $(if $(SEED),--seed $(SEED))

run: $(READY)   ## Serve with ./points-bridge.toml
	@$(BIN)/points-bridge serve

lock:           ## Write the lock files anew from pyproject.toml, with uv (UPGRADE=1: newest releases)
	@command -v uv >/dev/null || { echo "make lock needs uv on PATH: install it, e.g. 'pipx install uv'" >&2; exit 1; }
	@$(COMPILE) --group dev pyproject.toml --output-file requirements.lock >/dev/null
	@$(COMPILE) --no-annotate --constraint requirements.lock pyproject.toml --output-file requirements-runtime.lock >/dev/null

clean:          ## Remove what the other targets made; databases and settings stay
	@rm -rf .venv dist mutants mutants.log .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find bridge webhooks tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@fail() { printf '%s\n' "$$@" >&2; exit 1; }; \
	attempt() { \
	    "$$@" >>.venv/install.log 2>&1 || fail "$$(tail -n 5 .venv/install.log)" "" \
	        "Could not install into .venv; .venv/install.log has it all. Is it the network? The packages come over it:" \
	        "check the connection, a proxy (HTTPS_PROXY) or a mirror (PIP_INDEX_URL, UV_DEFAULT_INDEX), then run make again."; \
	}; \
	for python in $(CANDIDATES) none; do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	test "$$python" != none || fail \
	    "Python 3.11 or newer is needed; tried: $(CANDIDATES)." \
	    "Install one (Debian, Ubuntu: apt install python3 python3-venv), or name yours: make PYTHON=/path/to/python3"; \
	if command -v uv >/dev/null; then \
	    with=uv; venv="uv venv --allow-existing --python $$python"; install="uv pip install --python $(BIN)/python"; \
	else \
	    "$$python" -c 'import ensurepip, venv' 2>/dev/null || fail \
	        "$$python has no venv module: apt install python3-venv (Debian, Ubuntu), or install uv."; \
	    with="pip, up to a minute"; venv="$$python -m venv"; install="$(BIN)/python -m pip install"; \
	fi; \
	echo "Installing into .venv (with $$with) ..." >&2; \
	rm -rf .venv; mkdir .venv; \
	attempt $$venv .venv; \
	attempt $$install --require-hashes --requirement requirements.lock; \
	attempt $$install --no-deps --no-build-isolation --editable .; \
	touch $@
