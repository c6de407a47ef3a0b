# Every target makes the .venv it needs; a second run starts at once.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.PHONY: help venv demo test simulate fleet lint format real real-full bench build release-check formula lock clean
help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

venv: $(STAMP) ## the development environment, pinned by dev.lock

$(STAMP): dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ollama-locate needs Python 3.11 or newer; try: make PYTHON=python3.12 ...")'
	@echo "making .venv (once, about half a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## the main job on an embedded tailnet, in 5 s
	@$(BIN)/python -m demo

# Three processes for two cores: a good third of the time is spent waiting, as the daemon's own time-outs are real.
test: $(STAMP) ## all tests that need nothing but this folder, with coverage
	@$(BIN)/python -m pytest -q -n 3 --dist worksteal --ignore tests/real --cov --cov-report=
	@$(BIN)/coverage report --fail-under=95
	@$(BIN)/coverage report --include='*/core/*' --fail-under=100

simulate: $(STAMP) ## thousands of days on a virtual clock, in minutes; DAYS=100 for fewer
	@$(if $(DAYS),DAYS=$(DAYS)) $(BIN)/python -m pytest -q -n 2 --dist worksteal tests/simulation -m simulation

fleet: $(STAMP) ## what the servers of 10,000 daemons see, the figures of docs/scale.md, in minutes
	@$(BIN)/python -m tests.simulation.fleet_runs near & near=$$!; \
	$(BIN)/python -m tests.simulation.fleet_runs alike; alike=$$?; wait $$near && exit $$alike

LUACHECK := luacheck --quiet --std luajit --globals vim --max-line-length 120 --exclude-files tests/lua/types --

lint: $(STAMP) ## ruff, mypy --strict, import-linter; luacheck where it is installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@if command -v luacheck >/dev/null; then $(LUACHECK) lua plugin tests/lua; else echo "luacheck is not here"; fi

format: $(STAMP) ## rewrite the sources as ruff wants them
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

real: $(STAMP) ## a real tailnet and a real Ollama; needs root on Linux, Go, a C++ compiler
	@$(BIN)/python -m pytest tests/real -m real -v -rs -s

real-full: $(STAMP) ## the same, 20 runs each and the long ones; writes tests/real/RESULTS.md
	@REAL_RUNS=20 $(BIN)/python -m pytest tests/real -m real -v -rs -s

bench: $(STAMP) ## ratios against other tools; writes benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks

build: $(STAMP) ## sdist and wheel in dist/
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || date +%s)} \
	  $(BIN)/python -m build --no-isolation --outdir dist .

release-check: $(STAMP) ## builds all that a release has, and tries it on every Python found; a table of both
	@$(BIN)/python packaging/release_check.py

formula: build ## dist/homebrew/ollama-locate.rb; URL= and HOMEPAGE= of the release; needs uv and packaging (pip)
	@mkdir -p dist/homebrew
	@$(PYTHON) packaging/formula.py dist/*.tar.gz "$(URL)" "$(HOMEPAGE)" > dist/homebrew/ollama-locate.rb

lock: ## choose the newest versions again
	@$(PYTHON) -m uv pip compile --universal --generate-hashes --no-annotate --no-header --upgrade --group dev pyproject.toml -o dev.lock

clean: ## remove what make made
	rm -rf .venv dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
