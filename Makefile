# Everything a newcomer needs. `make help` lists the targets.
VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?= python3
DATA   ?= demo-data
PORT   ?= 8377
EXAMPLES ?= 500
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Video Detective needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "This Python cannot make virtual environments; install its venv module (Debian: python3-venv)."; exit 2; }

# The second install step takes the project itself; its dependencies are all in the lock.
$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

.PHONY: install
install: $(VENV)/.run  ## Install into ./.venv and fetch the default weights
	@$(BIN)/video-detective models install

.PHONY: demo
demo: install  ## Run the main job on a scripted scene (or VIDEO=file RULES=file) and serve the result
	@$(BIN)/video-detective demo --data-dir "$(DATA)" --port $(PORT) $(if $(VIDEO),--video "$(VIDEO)") $(if $(RULES),--rules "$(RULES)")

.PHONY: test
test: $(VENV)/.dev  ## Run all tests
	$(BIN)/pytest -n auto --dist loadgroup

.PHONY: lint
lint: $(VENV)/.dev  ## Static checks: format, lint, types, import direction
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: check
check: lint test  ## Exactly what CI runs

.PHONY: bench
bench: $(VENV)/.dev  ## Print the table of accuracy, speed and memory (MEDIA=folder of footage)
	$(BIN)/python -m benchmarks $(if $(MEDIA),--media "$(MEDIA)")

.PHONY: bench-search
bench-search: $(VENV)/.dev  ## Print the figures of questions, search, answers and narration (half an hour)
	$(BIN)/python -m benchmarks.times
	$(BIN)/python -m benchmarks.retrieval
	$(BIN)/python -m benchmarks.answers
	$(BIN)/python -m benchmarks.search_speed
	$(BIN)/python -m benchmarks.vectors
	$(BIN)/python -m benchmarks.jobs
	$(BIN)/python -m benchmarks.jobs --server

.PHONY: bench-service
bench-service: $(VENV)/.dev  ## Print the figures of the service: lists, statistics, colours, alerts (an hour)
	$(BIN)/python -m benchmarks.colours
	$(BIN)/python -m benchmarks.insight_lists
	$(BIN)/python -m benchmarks.attribute_stats --postgresql
	$(BIN)/python -m benchmarks.statistics_points
	$(BIN)/python -m benchmarks.insights
	$(BIN)/python -m benchmarks.insights --postgresql

.PHONY: bench-pages
bench-pages: $(VENV)/.dev  ## Print the figures of the start page: bytes, first paint, list, scrolling
	$(BIN)/python -m benchmarks.pages

.PHONY: golden
golden: $(VENV)/.dev  ## Rewrite the recorded events of tests/golden; review the diff
	$(BIN)/python tests/golden/rewrite.py

.PHONY: openapi
openapi: $(VENV)/.dev  ## Rewrite docs/openapi.json and the client from the routes; review the diff
	$(BIN)/python tests/docs/rewrite_openapi.py
	$(BIN)/python tests/docs/rewrite_client.py

.PHONY: fuzz
fuzz: $(VENV)/.dev  ## Try the REST interface with made-up requests for long (EXAMPLES=500 a route)
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n auto --timeout=7200 tests/property/test_api_schema.py tests/property/test_api_fields.py

.PHONY: lock
lock: $(VENV)/.dev  ## Renew the locks of versions and hashes
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --group build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
