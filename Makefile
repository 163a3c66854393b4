.PHONY: demo test check lint types unit format lock docs clean
.DEFAULT_GOAL := help
ARGS ?=

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo:  ## a sample application breaks, Holdfast finds out why (ARGS="--fault NAME --keep")
	@scripts/setup run
	@.venv/bin/holdfast demo $(ARGS)

test: lint types unit  ## everything CI runs

.venv-dev:
	@scripts/setup dev

lint: .venv-dev  ## style
	@.venv/bin/ruff format --check --quiet . && .venv/bin/ruff check --quiet .

types: .venv-dev  ## strict types
	@.venv/bin/mypy --no-error-summary

unit: .venv-dev  ## tests
	@.venv/bin/pytest -n 2 --dist loadfile -q $(ARGS)

format: .venv-dev  ## lay out the code
	@.venv/bin/ruff format --quiet . && .venv/bin/ruff check --fix --quiet .

docs: .venv-dev  ## write the generated reference pages
	@.venv/bin/python -m scripts.metrics_reference && .venv/bin/python -m scripts.settings_reference

COMPILE = .venv/bin/uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes pyproject.toml requirements/build.in

lock: .venv-dev  ## pin the newest versions that pyproject.toml allows
	@.venv/bin/pip install --quiet uv
	@$(COMPILE) --output-file requirements/run.lock
	@$(COMPILE) --extra dev --output-file requirements/dev.lock
	@$(COMPILE) --extra training --output-file requirements/training.lock

clean:  ## remove what was installed and built
	rm -rf .venv build dist .mypy_cache .ruff_cache
