# The two commands a newcomer needs are `make app` and `make test`; each sets up all it needs in .venv.
SHELL := /bin/bash
PORT ?= 8501
VENV := .venv
# The first interpreter of a version we support; set PYTHON to choose another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
# Two workers with one thread each: faster on small machines than one worker with many threads.
JOBS ?= 2

.PHONY: app test check format screenshots demo bench-quality bench-acceptance bench-faults bench-metrics bench-speed bench-maps \
	bench-scale bench-many bench-gpu sbom audit locks clean

app: $(VENV)/.app  ## opens the app on PORT (8501 when unset)
	$(VENV)/bin/streamlit run app/main.py --server.port $(PORT)

test: $(VENV)/.dev  ## all tests, those in a real browser included
	$(VENV)/bin/python -m tests.browser.chromium
	$(VENV)/bin/python -m tests.postgres
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest tests -m "not browser" -n $(JOBS) --dist worksteal
	$(VENV)/bin/python -m pytest tests -m browser -n $(JOBS) --dist loadfile

check: $(VENV)/.dev  ## what every commit must pass: format, lint, types, import rules, fast tests
	$(VENV)/bin/python -m tests.postgres
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/bandit -q -ll -r amad app
	$(VENV)/bin/lint-imports --no-logo
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest tests -m "not browser and not slow" -n $(JOBS) --dist worksteal

format: $(VENV)/.dev  ## puts every file in form
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

screenshots: $(VENV)/.dev  ## every page, light and dark, at both sizes, into docs.take_screenshots
	$(VENV)/bin/python -m tests.browser.chromium
	$(VENV)/bin/python -m docs.take_screenshots

demo: $(VENV)/.app  ## trains the bundled demo runs again, from the bundled series
	$(VENV)/bin/python -m assets.make_demo

bench-quality: $(VENV)/.app  ## detection quality on the bundled labelled series, or on others: make bench-quality DATA=folder
	$(VENV)/bin/python -m benchmarks.quality $(if $(DATA),--data $(DATA))

bench-acceptance: $(VENV)/.app  ## what the Max-Min game does on labelled series: make bench-acceptance DATA=folder
	$(VENV)/bin/python -m benchmarks.acceptance --data $(DATA)

bench-faults: $(VENV)/.app  ## kills, full disks, locks, clocks and lack of memory, and what was lost by them
	$(VENV)/bin/python -m benchmarks.faults

bench-metrics: $(VENV)/.app  ## the metrics: speed, memory, and equal to TSB-AD's where that is installed
	$(VENV)/bin/python -m benchmarks.metrics

bench-speed: $(VENV)/.app  ## AMAD beside the Anomaly Transformer of TSB-AD 1.5, start-up, whole fits; give it a quiet machine
	$(VENV)/bin/python -m benchmarks.speed

bench-scale: $(VENV)/.app  ## long series: reading a large file, scoring and the first timeline at growing numbers of rows
	$(VENV)/bin/python -m benchmarks.scale

bench-many: $(VENV)/.app  ## a workspace of 2,000 series and 500 runs: every page, and the calls that list and find
	$(VENV)/bin/python -m benchmarks.many

bench-gpu: $(VENV)/.app  ## training and scoring on a GPU: speed, share of its matrix peak, memory, and agreement with the CPU
	$(VENV)/bin/python -m benchmarks.gpu

bench-maps: $(VENV)/.app  ## attention maps of 512 steps in a real browser: opening a window, moving the pointer
	$(VENV)/bin/python -m benchmarks.maps

sbom: $(VENV)/.tools $(VENV)/.app  ## a list of all installed parts with versions and licences (CycloneDX), into dist/sbom.json
	@mkdir -p dist
	$(VENV)/tools/bin/cyclonedx-py environment --output-reproducible -o dist/sbom.json $(VENV)/bin/python

# uv's --universal: one file for Python 3.11 to 3.13 on every platform. The CPU build of torch has an index of its own, whose files
# have other hashes for each Python; it is installed first, by itself, and so stands in its file as a comment alone.
LOCK := $(VENV)/tools/bin/uv pip compile - --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
TORCH_CPU ?= https://download.pytorch.org/whl/cpu/torch/
locks: $(VENV)/.tools  ## every package of a server with its hashes, into locks/: with CUDA, and for CPUs alone
	@cat requirements.txt requirements-server.txt | grep -v '^-e' > locks/all.in
	@{ echo "# Made by make locks: a server with CUDA. pip install --no-deps --require-hashes -r locks/cuda.txt"; \
		$(LOCK) < locks/all.in; } > locks/cuda.new
	@{ echo "# Made by make locks: a server without a GPU. First the CPU build of torch, then the rest:"; \
		echo "# pip install --no-deps $$(grep ^torch== locks/all.in) --index-url https://download.pytorch.org/whl/cpu"; \
		echo "# pip install --no-deps --require-hashes -r locks/cpu.txt"; \
		sed 's/^\(torch==.*\)/\1+cpu/' locks/all.in | $(LOCK) --find-links $(TORCH_CPU) --no-emit-package torch; } > locks/cpu.new
	@rm locks/all.in; mv locks/cuda.new locks/cuda.txt; mv locks/cpu.new locks/cpu.txt

audit: $(VENV)/.tools $(VENV)/.app  ## asks the public index whether a known weakness stands in what is installed
	@$(VENV)/tools/bin/pip-audit --strict --progress-spinner off --path "$$($(VENV)/bin/python -c 'import site; print(site.getsitepackages()[0])')" \
		|| { echo "pip-audit found a weakness, or could not ask for every package: see above." >&2; exit 1; }

clean:  ## removes the virtual environment and what tools left
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then echo "No Python 3.11 to 3.13 found. Install one, or name it: make app PYTHON=/path/to/python3.12" >&2; exit 2; fi
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet -r requirements.txt
	@touch $@

# Apart from the other packages, so that these do not count themselves.
$(VENV)/.tools: | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/tools
	$(VENV)/tools/bin/python -m pip install --quiet cyclonedx-bom==7.5.0 pip-audit==2.10.1 uv==0.13.9
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.app
	$(VENV)/bin/python -m pip install --quiet -r requirements-dev.txt
	@touch $@
