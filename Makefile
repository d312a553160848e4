# SPDX-License-Identifier: Apache-2.0
# Two commands do everything on a fresh Debian or Ubuntu machine: `make demo` and `make test`.
VENV ?= .venv
BIN := $(VENV)/bin
# processes that share the tests; each needs a core and 1 GB
JOBS ?= 2
# of a soak
MINUTES ?= 30
export ROS_AUTOMATIC_DISCOVERY_RANGE = LOCALHOST

.PHONY: help setup demo test test-gpu test-slow fuzz lint bench soak train docs clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Create .venv and install everything
	@VENV=$(VENV) scripts/setup.sh

demo: setup ## Replay real photographs through the node; results in out/demo
	@$(BIN)/depthpro demo -o out/demo --force

test: setup lint ## All tests that need neither a GPU nor many minutes
	$(BIN)/python -m pytest -m "not gpu and not slow" -n $(JOBS)

test-gpu: setup ## Tests that need a CUDA device
	$(BIN)/python -m pytest -m gpu

test-slow: setup ## Tests that take minutes
	$(BIN)/python -m pytest -m slow

fuzz: setup ## 100,000 damaged inputs for every parser, an hour or more (FUZZ="--engine atheris" needs pip install atheris)
	$(BIN)/python -m test.fuzz.run $(FUZZ)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup ## Speed and memory on this machine, printed and kept in benchmarks/results
	$(BIN)/depthpro bench

soak: setup ## The node under a mixed load for MINUTES, and what grows or gets lost meanwhile
	$(BIN)/depthpro soak --minutes $(MINUTES)

train: setup ## Train the bundled model from nothing (hours; may be stopped and started again)
	$(BIN)/depthpro train config/training/nano.yaml

docs: setup ## The documentation's site in out/site, without a warning
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

clean: ## Remove everything that was made here
	rm -rf $(VENV) out build install log
