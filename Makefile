# Every target makes the .venv it needs; a second run starts at once.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.PHONY: help venv demo test fuzz simulate fleet mutate lint format real real-full soak bench build release-check formula lock clean
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

# A wheel for this Python and machine, or none: it is built of C++ with a clang of its own.
.venv/.fuzz: $(STAMP) fuzz.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r fuzz.lock
	@touch $@

fuzz: .venv/.fuzz ## coverage-guided fuzzing of all readers of what comes from outside; SECONDS=3600 for more than 60
	@$(BIN)/python -m tests.fuzz $(or $(SECONDS),60)

simulate: $(STAMP) ## thousands of days on a virtual clock, in minutes; DAYS=100 for fewer
	@$(if $(DAYS),DAYS=$(DAYS)) $(BIN)/python -m pytest -q -n 2 --dist worksteal tests/simulation -m simulation

mutate: $(STAMP) ## small mistakes put into the core: do the tests notice? a sample in minutes; ALL=1, or FILES="health trust"
	@$(BIN)/python -m tests.mutation $(if $(ALL),--bar 92,$(if $(FILES),$(FILES),--sample 600))

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

soak: $(STAMP) ## the installed daemon among random faults; HOURS=1, SEED=1; needs root on Linux; writes tests/soak/RESULTS.md
	@$(BIN)/python -m tests.soak --hours $(or $(HOURS),1) --seed $(or $(SEED),1)

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
	@$(PYTHON) -m uv pip compile --universal --generate-hashes --no-annotate --no-header --upgrade --no-deps --group fuzz -o fuzz.lock
	@$(PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header tests/real/clients.in -o tests/real/clients.txt
	@$(PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header tests/real/litellm.in -o tests/real/litellm.txt
	@$(PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header benchmarks/herd.in -o benchmarks/herd.txt

clean: ## remove what make made
	rm -rf .venv dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz
