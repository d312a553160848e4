# SPDX-License-Identifier: Apache-2.0
# Two commands do everything on a fresh Debian or Ubuntu machine: `make demo` and `make test`.
VENV ?= .venv
BIN := $(VENV)/bin
# processes that share the tests; each needs a core and 1 GB
JOBS ?= 2
export ROS_AUTOMATIC_DISCOVERY_RANGE = LOCALHOST

.PHONY: help setup demo test test-gpu test-slow lint bench train clean

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

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup ## Speed and memory on this machine, printed and kept in benchmarks/results
	$(BIN)/depthpro bench

train: setup ## Train the bundled model from nothing (hours; may be stopped and started again)
	$(BIN)/depthpro train config/training/nano.yaml

clean: ## Remove everything that was made here
	rm -rf $(VENV) out build install log
