# The two commands are `make demo` and `make test`; `make help` lists the others.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow figures dft bench schema lock clean distclean

VENV := .venv
BIN := $(VENV)/bin
CORES ?= $(shell nproc)
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# The first Python that is recent enough and not too recent; choose one with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes

# GPAW has no wheels: it is compiled against these, named as Debian and Ubuntu name them.
DFT_LIBRARIES := gcc libc6-dev libxc-dev libopenblas-dev libopenmpi-dev
DFT_PROBE = printf '%s\n' '\#include <Python.h>' '\#include <xc.h>' 'int main(void) { return 0; }' | \
	gcc -x c - -I"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
	-lxc -lopenblas -o $(VENV)/.probe

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

demo: $(VENV)/.installed ## set up, run the demo campaign and draw its figures
	$(BIN)/snakemake --cores $(CORES) --configfile config/demo.yaml
	@echo; cat results/demo/phase_diagram.md
	@echo; echo "Dataset: results/demo/phase_diagram.nc"; echo "Figures:"
	@printf '  %s\n' results/demo/figures/*.png

PYTEST_IN_PARALLEL = $(BIN)/python -m pytest --numprocesses $(CORES) --dist loadfile \
	--no-loadscope-reorder --durations 20

test: $(VENV)/.installed-dev ## set up and run the tests, but for the slow ones, which it names
	$(PYTEST_IN_PARALLEL) -m "not slow" $(PYTEST)

test-slow: $(VENV)/.installed-dev ## run the slow tests alone (GPAW and Slurm where they are installed)
	$(PYTEST_IN_PARALLEL) -m slow $(PYTEST)

figures: $(VENV)/.installed ## redraw the figures of every results/**/phase_diagram.nc, without any simulation
	$(BIN)/snakemake figures

dft: $(VENV)/.installed-dft ## compile GPAW, which labels structures to train on; campaigns do without

bench: $(VENV)/.installed-dev ## measure what is claimed of the potential and of the quantum baths
	@status=0; for one in potential/compare.py bath/run.py; do \
		$(BIN)/python benchmarks/$$one || status=1; \
	done; exit $$status

schema: $(VENV)/.installed ## write the schema and the tables of keys from the sections in lah10.config
	PYTHONPATH=workflow/scripts $(BIN)/python -m lah10.config.reference

lock: ## compile requirements*.in anew, hashes and all (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--output-file requirements.txt requirements.in
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--output-file requirements-dev.txt requirements-dev.in
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--output-file requirements-dft.txt requirements-dft.in

clean: ## remove the demo's results, logs and caches (other campaigns stay)
	rm -rf results/demo logs/demo .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## remove the virtual environment and Snakemake's records as well
	rm -rf $(VENV) .snakemake

$(VENV)/.python:
	@if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c '$(SUITABLE)' 2>/dev/null; then \
		python="$(or $(PYTHON),python3)"; \
		echo "Python 3.11, 3.12 or 3.13 is needed, and $$python is" \
			"$$($$python --version 2>/dev/null || echo not there)." \
			"Install one and name it: make demo PYTHON=python3.12" >&2; exit 1; fi
	@if [ "$$(uname -sm)" != "Linux x86_64" ]; then \
		echo "The pinned packages are for Linux on x86_64, and this is $$(uname -sm)." \
			"Use the conda environments in envs/ instead: snakemake --sdm conda" >&2; exit 1; fi
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.txt | $(VENV)/.python
	@echo "Installing the pinned packages into $(VENV) (2.7 GB, once) ..."
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(PIP) -r requirements-dev.txt
	@touch $@

$(VENV)/.installed-dft: requirements-dft.txt $(VENV)/.installed
	@$(DFT_PROBE) 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing $(DFT_LIBRARIES) ..."; apt-get update -qq && \
			DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
				$(DFT_LIBRARIES) >/dev/null; \
		else \
			echo "GPAW is compiled, and the compiler or a library for it is missing. As root, on" \
				"Debian and Ubuntu: apt install python3-dev $(DFT_LIBRARIES); then again: make dft." \
				"Without root, conda brings GPAW: snakemake --sdm conda labels" >&2; exit 1; fi; }
	@$(DFT_PROBE) || { echo "GPAW cannot be compiled here, see above;" \
		"its Python headers are those of python3-dev." >&2; exit 1; }
	@echo "Compiling GPAW into $(VENV) (minutes, once) ..."
	$(PIP) -r requirements-dft.txt
	@touch $@
