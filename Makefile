# Nothing to install first: the environment is made on the first call, by uv where there is one.
# PYTHON=… chooses the interpreter, VENV=… the environment's folder.

VENV  ?= .venv
STAMP := $(VENV)/.installed
BIN   := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test libraries fix check cov bench bench-rules trust dogfood clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 21

$(STAMP): pyproject.toml scripts/find-python.sh
	@set -e; \
	python=$$(PYTHON="$(PYTHON)" sh scripts/find-python.sh); \
	echo "Installing into $(VENV) with $$python"; \
	if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --clear --python "$$python" "$(VENV)"; \
	  uv pip install --quiet --python "$(BIN)/python" -e '.[dev]'; \
	else \
	  "$$python" -m venv --clear "$(VENV)"; \
	  "$(BIN)/python" -m pip install --quiet --disable-pip-version-check -e '.[dev]'; \
	fi; \
	touch "$@"

demo: $(STAMP) ## Record, rank, replay and optimize a copy of examples/warehouse
	@sh scripts/demo.sh "$(BIN)"

test: $(STAMP) ## Run the tests
	@"$(BIN)/pytest" -q -n auto --maxprocesses 4

libraries: $(STAMP) ## Install numpy, pandas and others, and run the tests that need them
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python "$(BIN)/python" -e '.[libraries]'; \
	else \
	  "$(BIN)/python" -m pip install --quiet --disable-pip-version-check -e '.[libraries]'; \
	fi
	@PERFTRACE_CORPUS=all "$(BIN)/pytest" -q -n auto --maxprocesses 4 -k "grid or not corpus" \
	  tests/unit/replay/test_arrays.py tests/unit/replay/test_compare_libraries.py \
	  tests/unit/replay/test_tolerance.py tests/integration/test_corpus.py

check: $(STAMP) ## Lint, format and types, as CI does
	@"$(BIN)/ruff" check
	@"$(BIN)/ruff" format --check
	@"$(BIN)/mypy"

fix: $(STAMP) ## Repair what ruff can repair
	@"$(BIN)/ruff" check --fix
	@"$(BIN)/ruff" format

cov: $(STAMP) ## Run the tests with branch coverage, child processes too
	@"$(BIN)/coverage" erase
	@"$(BIN)/coverage" run -m pytest -q
	@"$(BIN)/coverage" combine --quiet
	@"$(BIN)/coverage" report --skip-covered --show-missing

bench: $(STAMP) ## Measure what recording costs (benchmarks/README.md)
	@"$(BIN)/python" benchmarks/overhead.py
	@"$(BIN)/python" benchmarks/startup.py

bench-rules: $(STAMP) ## Try the rules on programs of published data sets (DATA=FOLDER)
	@"$(BIN)/python" benchmarks/rules.py --data "$(or $(DATA),../shared/data)" --to rules.jsonl

trust: $(STAMP) ## Try what verdicts rest on (docs/trust.md)
	@PERFTRACE_CORPUS=all "$(BIN)/pytest" -q tests/integration/test_corpus.py tests/integration/test_planted_candidates.py tests/integration/test_sandbox.py tests/unit/replay
	@"$(BIN)/python" benchmarks/timing.py --comparisons 20
	@"$(BIN)/python" benchmarks/honest.py
	@"$(BIN)/python" benchmarks/mutants.py

dogfood: $(STAMP) ## Record perftrace's own tests and rank them
	@"$(BIN)/perftrace" run -m pytest -q tests/unit
	@"$(BIN)/perftrace" top

clean: ## Remove what make and the tools leave behind
	rm -rf "$(VENV)" build dist *.egg-info .perftrace .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
