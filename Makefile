# Two commands: `make run` rates the example chat and lets it live, `make test` passes every test. They set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SYNAPSE := .venv-synapse
EXAMPLE := examples/tea-garden/chat.ndjson
EXPORT ?= $(EXAMPLE)
OUT ?= out

.PHONY: run run-matrix install test explore check docs bench bench-live lock clean
.DELETE_ON_ERROR:

run: install
	@mkdir -p $(OUT)
	$(BIN)/comity rate "$(EXPORT)" --store "$(OUT)/comity.sqlite" --report "$(OUT)/report.html"
ifeq ($(EXPORT),$(EXAMPLE))
	@echo
	$(BIN)/python tools/example_garden.py --folder "$(OUT)/garden" $(if $(FOR),--for $(FOR))
endif

# The example community on a real homeserver, until Ctrl-C: one on this machine only, and Comity beside it.
run-matrix: install $(SYNAPSE)/installed
	$(BIN)/python tools/matrix_garden.py --folder "$(OUT)/matrix-garden"

install: $(VENV)/installed

test: $(VENV)/dev $(SYNAPSE)/installed check
	$(BIN)/python tools/chromium.py
	$(BIN)/python -m pytest -n 2

# The same tests on examples that nobody has seen before.
explore: $(VENV)/dev $(SYNAPSE)/installed
	$(BIN)/python -m pytest -n 2 --hypothesis-profile=default

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/dev
	$(BIN)/python tools/rule_pages.py

bench: $(VENV)/dev
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/stores.py
	$(BIN)/python benchmarks/record.py
	$(BIN)/python benchmarks/console.py

bench-live: $(VENV)/dev $(SYNAPSE)/installed
	$(BIN)/python benchmarks/live_latency.py
	$(BIN)/python benchmarks/live_throughput.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# A homeserver in an environment of its own: tests and `make run-matrix` start it, and Comity never imports it.
$(SYNAPSE)/installed: requirements-synapse.txt
	$(PYTHON) -m venv $(SYNAPSE)
	$(SYNAPSE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-synapse.txt
	@touch $@

# Pins with hashes and no addresses: the package index is the machine's own business.
lock: $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet "pip-tools>=7.5"
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-header --output-file requirements.txt pyproject.toml --all-build-deps
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-header --extra dev --output-file requirements-dev.txt pyproject.toml --constraint requirements.txt

	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-header --output-file requirements-synapse.txt requirements-synapse.in

clean:
	rm -rf $(VENV) $(SYNAPSE) $(OUT) .mypy_cache .ruff_cache .pytest_cache .hypothesis
