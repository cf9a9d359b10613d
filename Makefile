# Fiducial's workspace. Two commands do everything on a fresh machine with Python >= 3.11:
#   make quickstart     lock, build, validate, publish, deploy and report a stack
#   make test           every test
# All of them set the workspace up first (.venv, from hash-pinned locks).

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DISTS  := $(sort $(wildcard components/*/pyproject.toml)) validation/pyproject.toml stack/pyproject.toml
EDIT   := $(foreach d,$(DISTS:/pyproject.toml=),-e ./$(d))
UV     := $(or $(shell command -v uv 2>/dev/null),build/uv/bin/uv)
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)

.DEFAULT_GOAL := help
.PHONY: help quickstart test check format bench docs validate-full release clean distclean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

quickstart: $(VENV)/.base  ## lock, build, validate, publish, deploy and report a stack
	$(BIN)/fiducial quickstart $(ARGS)

test: $(VENV)/.dev  ## run the checks and every test
	$(BIN)/python ci/run.py --jobs $(JOBS) $(ARGS)

check: $(VENV)/.dev  ## lint, types, imports, generated files, locks (no tests)
	$(BIN)/python ci/run.py --only check $(ARGS)

format: $(VENV)/.dev  ## format and sort imports
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: $(VENV)/.dev  ## run the benchmarks [COMPONENT=name]
	$(BIN)/python ci/bench.py $(COMPONENT)

docs: $(VENV)/.dev  ## build the documentation into build/docs
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs && echo "build/docs/index.html"

validate-full: $(VENV)/.dev  ## the reference chains at full scale (hours)
	$(BIN)/python -m fiducial.validation run --scale full --executor processes --out build/validate-full

release: $(VENV)/.dev  ## build every distribution's wheel and source archive into dist/
	rm -rf dist && for d in $(DISTS:/pyproject.toml=); do $(UV) build -q --no-build-isolation --python $(BIN)/python --out-dir dist $$d || exit 1; done && ls -1 dist

clean:  ## remove what the commands above made, but not .venv
	rm -rf build dist

distclean: clean  ## remove .venv too
	rm -rf $(VENV)

# ---------------------------------------------------------------- setting up

build/uv/bin/uv:
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "make: $(PYTHON) has no venv module (on Debian: apt-get install python3-venv)" >&2; exit 3; }
	$(PYTHON) -m venv build/uv
	awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' environments/dev/wheels.lock > build/uv/uv.lock
	build/uv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r build/uv/uv.lock

$(VENV)/.made: | $(filter build/uv/bin/uv,$(UV))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Fiducial needs Python >= 3.11, and $(PYTHON) is $$($(PYTHON) --version 2>&1): set PYTHON=/path/to/python3.11" >&2; exit 3; }
	@mkdir -p build
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@touch $@

# what a release manager needs: the base environment's own lock, and the components editable
$(VENV)/.base: $(VENV)/.made environments/base/wheels.lock $(DISTS)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r environments/base/wheels.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(EDIT)
	@touch $@

# what a developer needs on top: test, check, benchmark and documentation tools
$(VENV)/.dev: $(VENV)/.base environments/dev/wheels.lock
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r environments/dev/wheels.lock
	@touch $@
