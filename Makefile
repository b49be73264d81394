# Each target does all of its own set-up. PYTHON chooses the interpreter (3.10 to 3.13).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 7860

.PHONY: app test check bench load calibrate clean
.DELETE_ON_ERROR:

app: $(VENV)/.app ## make the environment, install, start the app
	$(BIN)/python app.py --host $(HOST) --port $(PORT)

test: $(VENV)/.dev browser check ## set up, then every check and every test
	$(BIN)/python -m pytest -n auto --dist loadfile

check: $(VENV)/.dev ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy app probes assets/make bench
	@# app.py shares its name with app/, so mypy takes its text instead
	$(BIN)/mypy -c "$$(cat app.py)"

bench: $(VENV)/.dev browser ## throughput against the plain way, as ratios within one run
	$(BIN)/python -m bench

load: $(VENV)/.dev ## fifty visitors at once for two minutes, on the loopback address
	$(BIN)/python -m bench.load

calibrate: $(VENV)/.dev ## planted doses against what the probes measure, on both bundled models
	$(BIN)/python -m probes.calibrate
	$(BIN)/python -m assets.make.calibration
	$(BIN)/python -m probes.heads_off
	$(BIN)/python -m assets.make.heads_off

.PHONY: browser
browser: $(VENV)/.dev
	$(BIN)/python -m tests.browser

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 10) <= sys.version_info[:2] else "Clipspect needs Python 3.10 or later; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.app: requirements.txt $(VENV)/.python
	$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt assets/make/requirements.txt $(VENV)/.app
	$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements-dev.txt
	touch $@

clean: ## remove the environment and what was computed
	rm -rf $(VENV) .cache out
