# Every target calls the `augstudy` program, which is the real interface.
PYTHON ?= python3
VENV   ?= .venv
RUNS   ?= runs

PIPELINE ?= augmentation_study
# The preset `quick` is made for the study; other pipelines start from their own defaults.
PRESET ?= $(if $(filter augmentation_study,$(PIPELINE)),quick)
SOURCE ?=
LEVEL  ?=
ARMS   ?=
SEEDS  ?=
SET    ?=
NOTE   ?=
LEVELS ?=
GPUS   ?=
EXPERIMENT ?=
WAIT   ?=
CRON   ?=
CLUSTER ?=
KUBECONTEXT ?=
PYTEST ?=
TARGET     ?= cpu
REPOSITORY ?= augstudy-python
BASE_IMAGE ?=
PUSH       ?=
NETWORK    ?=

BIN     := $(VENV)/bin
RUN_OK  := $(VENV)/.run-installed
DEV_OK  := $(VENV)/.dev-installed
CHECKED := src components pipelines tests benchmarks scripts images

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help study submit schedule doctor images kind-up kind-down test test-chart test-ui lint format types lock compile golden docs results runs clean python-ok

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  Variables of study: PRESET SOURCE LEVEL or LEVELS ARMS SEEDS NOTE PIPELINE, SET="a=1 b.c=2", RUNS'
	@echo '  Variables of submit and schedule: the same, GPUS EXPERIMENT, and LEVELS="50 250" WAIT or CRON;'
	@echo '  AUGSTUDY_KFP_HOST, AUGSTUDY_KFP_NAMESPACE and AUGSTUDY_KFP_TOKEN say where the cluster is.'
	@echo '  Variables of doctor and kind-up: KUBECONTEXT; scripts/kind/lib.sh lists those of kind-up.'
	@echo '  Example: make study PRESET=low_data SOURCE=gs://quickdraw_dataset/full/numpy_bitmap'

# Quotes a value for the shell, apostrophes included.
quoted = '$(subst ','\'',$(1))'
option = $(if $($(2)),$(1) $(call quoted,$($(2))))
study: $(RUN_OK) ## Run the study here and print the verdict (see the variables below)
	@$(BIN)/augstudy run $(call quoted,$(PIPELINE)) --runs-dir $(call quoted,$(RUNS)) \
	  $(call option,--preset,PRESET) $(call option,--source,SOURCE) $(call option,--level,LEVEL) \
	  $(call option,--levels,LEVELS) $(call option,--arms,ARMS) $(call option,--seeds,SEEDS) $(call option,--note,NOTE) \
	  $(foreach item,$(SET),--set $(call quoted,$(item)))

chosen = $(call option,--preset,PRESET) $(call option,--source,SOURCE) $(call option,--arms,ARMS) \
  $(call option,--seeds,SEEDS) $(call option,--gpus,GPUS) $(call option,--experiment,EXPERIMENT) \
  $(foreach item,$(SET),--set $(call quoted,$(item)))
submit: $(RUN_OK) ## Run PIPELINE on a cluster, once for each of LEVELS; WAIT=1 follows it
	@$(BIN)/augstudy submit $(call quoted,$(PIPELINE)) $(chosen) \
	  $(call option,--levels,LEVELS) $(if $(WAIT),--wait)

schedule: $(RUN_OK) ## Run PIPELINE regularly, at the times of CRON="0 0 3 * * 1"
	@$(BIN)/augstudy schedule $(call quoted,$(PIPELINE)) --cron $(call quoted,$(CRON)) \
	  $(chosen) $(call option,--level,LEVEL)

doctor: $(RUN_OK) ## Say what is missing before a submit, and what mends it (KUBECONTEXT=...)
	@$(BIN)/augstudy doctor $(call option,--context,KUBECONTEXT)

kind-up: ## Make a local kind cluster with KFP, fake GPUs, the images and the chart
	@KUBECONTEXT=$(call quoted,$(KUBECONTEXT)) scripts/kind/up.sh

kind-down: ## Delete it (with KUBECONTEXT=... only remove the chart)
	@KUBECONTEXT=$(call quoted,$(KUBECONTEXT)) scripts/kind/down.sh

runs: $(RUN_OK) ## List all runs, newest first; CLUSTER=1 lists those of the cluster
	@$(BIN)/augstudy runs --runs-dir '$(RUNS)' $(if $(CLUSTER),--cluster) $(call option,--experiment,EXPERIMENT)

compile: $(RUN_OK) ## Compile PIPELINE for Kubeflow Pipelines into build/
	@$(BIN)/augstudy compile '$(PIPELINE)' -o 'build/$(notdir $(PIPELINE)).yaml'

test: $(DEV_OK) ## Run every test that needs no container engine and no cluster
	@$(BIN)/python -m pytest --ignore=tests/chart --ignore=tests/ui -n auto --dist loadfile $(PYTEST)

test-chart: $(DEV_OK) ## Test the Helm chart and the scripts; needs Go, builds helm into .tools once
	@scripts/install_tools.sh
	@$(BIN)/python -m pytest tests/chart $(PYTEST)

test-ui: $(DEV_OK) ## Test the web page in a headless Chromium, which must be installed
	@$(BIN)/python -m pytest tests/ui $(PYTEST)

lint: $(DEV_OK) ## Check style and formatting
	@$(BIN)/ruff check $(CHECKED)
	@$(BIN)/ruff format --check $(CHECKED)

format: $(DEV_OK) ## Format the code
	@$(BIN)/ruff check --fix $(CHECKED)
	@$(BIN)/ruff format $(CHECKED)

types: $(DEV_OK) ## Check the types
	@$(BIN)/mypy

images: ## Build the container images of the steps (TARGET=cpu, gpu or both; PUSH=1)
	@TARGET=$(call quoted,$(TARGET)) REPOSITORY=$(call quoted,$(REPOSITORY)) BASE_IMAGE=$(call quoted,$(BASE_IMAGE)) \
	  PUSH=$(call quoted,$(PUSH)) NETWORK=$(call quoted,$(NETWORK)) scripts/build_images.sh

golden: $(DEV_OK) ## Write the compiled pipelines and rendered charts that the tests compare with
	@UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests/pipelines/test_compile.py
	@if test -x .tools/bin/helm; then UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests/chart -k renders; \
	  else echo "The chart's files are as they were: 'make test-chart' installs helm."; fi

results: $(RUN_OK) ## Collect the finished runs of PRESET (several levels count as one study) into results/
	@$(BIN)/python scripts/make_results.py $(call quoted,$(PRESET)) --runs-dir $(call quoted,$(RUNS))

docs: $(DEV_OK) ## Write the pages that show measured figures again, from benchmarks/results and results
	@$(BIN)/python scripts/make_docs.py

# One resolution for every Python and platform that we support; the comment at the top of each file
# is ours, because the tool's own would record options of the machine it ran on.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
  --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
# What TensorFlow and Optuna (its databases) ask for but no step imports.
NOT_IN_IMAGE = grpcio joblib libclang narwhals scikit-learn setuptools threadpoolctl wheel cloudpickle \
  alembic greenlet mako sqlalchemy tomli
lock: $(DEV_OK) ## Resolve the dependencies again into requirements/
	@$(BIN)/python -m pip install --quiet uv
	@$(LOCK) pyproject.toml requirements/build.in --extra pipelines --extra s3 --extra http --output-file requirements/run.txt
	@$(LOCK) pyproject.toml requirements/build.in --all-extras --output-file requirements/dev.txt
	@$(LOCK) pyproject.toml --extra s3 --extra http --constraint requirements/run.txt $(addprefix --no-emit-package ,$(NOT_IN_IMAGE)) \
	  --output-file requirements/image.txt
	@grep '^kfp==' requirements/run.txt | cut -d' ' -f1 | $(LOCK) --no-deps --no-header - >> requirements/image.txt
	@echo 'tensorflow[and-cuda]' | $(LOCK) --constraint requirements/run.txt - | \
	  awk '/^[a-z]/ { keep = /^nvidia-/ } /^#/ || keep' > requirements/image-gpu.txt

clean: ## Remove the environment, builds and caches; runs/ is kept
	@rm -rf '$(VENV)' build dist .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

python-ok:
	@command -v '$(PYTHON)' >/dev/null || { \
	  echo 'There is no $(PYTHON): install Python 3.10 to 3.12, or name one: make PYTHON=/path/to/python3.' >&2; exit 3; }
	@'$(PYTHON)' -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' || { \
	  echo "$$('$(PYTHON)' -V) cannot be used: Python 3.10 to 3.12 is needed, name one: make PYTHON=python3.11." >&2; exit 3; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'Python lacks its venv module: install it, on Debian and Ubuntu: apt-get install python3-venv.' >&2; exit 3; }

$(BIN)/python: | python-ok
	@'$(PYTHON)' -m venv '$(VENV)'

$(RUN_OK): requirements/run.txt pyproject.toml | $(BIN)/python
	@echo 'Setting up $(VENV); this takes a few minutes, once.'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV_OK): requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo 'Setting up $(VENV) with the tools of development; this takes a few minutes, once.'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(RUN_OK)
