# Every target calls the `augstudy` program, which is the real interface.
#
# What is given to make reaches programs through the environment, as it was typed: no value is ever
# a word of a recipe, so neither make nor a shell runs or splits what is in it.
VARIABLES := PYTHON VENV RUNS PIPELINE PRESET SOURCE SYNTHETIC LEVEL LEVELS ARMS SEEDS MAX_HOURS CLASSES SET NOTE GPUS EXPERIMENT \
  WAIT CRON CLUSTER KUBECONTEXT PYTEST TARGET REPOSITORY BASE_IMAGE PUSH NETWORK CA_BUNDLE IMAGE VALUES \
  NAMESPACE KFP_MANIFESTS UI_PORT STORE_PORT TOOLS
on_command_line = $(filter command,$(firstword $(origin $(1))))
GIVEN := $(strip $(foreach name,$(.VARIABLES),$(if $(call on_command_line,$(name)),$(name))))

# Quotes a word for the shell, apostrophes included.
quoted = '$(subst ','\'',$(1))'
UNKNOWN := $(firstword $(filter-out $(VARIABLES) AUGSTUDY_% AWS_% GOOGLE_% PIP_%,$(GIVEN)))
ifneq ($(UNKNOWN),)
  $(error $(shell python3 scripts/from_make.py --unknown $(call quoted,$(UNKNOWN)) || \
    echo $(call quoted,There is no variable $(UNKNOWN).)))
endif

# $(value) is what was typed, and := keeps it from being expanded whenever it is used or exported.
define verbatim
override $(1) := $$(value $(1))
export $(1)
endef
$(foreach name,$(GIVEN),$(eval $(call verbatim,$(name))))
export AUGSTUDY_MAKE_GIVEN := $(GIVEN)

PYTHON ?= python3
VENV   ?= .venv
export PYTHON VENV

ASK     := "$$PYTHON" scripts/from_make.py
SET_UP  := "$$PYTHON" scripts/set_up.py "$$VENV"
CHECKED := src components pipelines tests benchmarks scripts images

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help study submit schedule doctor images kind-up kind-down test test-chart test-ui lint format types lock \
  compile golden wheel docs results runs clean python-ok ready ready-dev

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
	@echo
	@echo '  Variables of study: PRESET SOURCE SYNTHETIC="sd=../sd15 gan=compact" LEVEL or LEVELS ARMS SEEDS=0-4 or auto MAX_HOURS CLASSES="The Eiffel Tower,cat" NOTE PIPELINE'
	@echo '  SET="a=1 b.c=2 d=[x, y]" (a setting begins at each name=) RUNS'
	@echo '  Variables of submit and schedule: the same without NOTE and RUNS, GPUS EXPERIMENT, and LEVELS="50 250" WAIT=1'
	@echo '  or LEVEL CRON; AUGSTUDY_KFP_HOST, AUGSTUDY_KFP_NAMESPACE and AUGSTUDY_KFP_TOKEN say where the cluster is.'
	@echo '  Variables of runs: RUNS CLUSTER=1 KUBECONTEXT EXPERIMENT; of compile: PIPELINE; of results: PRESET RUNS; of doctor: KUBECONTEXT'
	@echo '  Variables of kind-up and kind-down: KUBECONTEXT, and those that scripts/kind/lib.sh lists; of images: those in'
	@echo '  scripts/build_images.sh; of the tests: PYTEST="-k name"; of all: PYTHON VENV'
	@echo '  A variable that is not known, or that a target does not take, is an error. Values are taken as they are typed.'
	@echo '  Example: make study PRESET=low_data SOURCE=gs://quickdraw_dataset/full/numpy_bitmap'

study: ready ## Run the study here and print the verdict (see the variables below)
	@$(ASK) study

submit: ready ## Run PIPELINE on a cluster, once for each of LEVELS; WAIT=1 follows it
	@$(ASK) submit

schedule: ready ## Run PIPELINE regularly, at the times of CRON="0 0 3 * * 1"
	@$(ASK) schedule

doctor: ready ## Say what is missing before a submit, and what mends it (KUBECONTEXT=...)
	@$(ASK) doctor

kind-up: ## Make a local kind cluster with KFP, fake GPUs, the images and the chart
	@$(ASK) kind-up scripts/kind/up.sh

kind-down: ## Delete it (with KUBECONTEXT=... only remove the chart)
	@$(ASK) kind-down scripts/kind/down.sh

runs: ready ## List all runs, newest first; CLUSTER=1 lists those of the cluster
	@$(ASK) runs

compile: ready ## Compile PIPELINE for Kubeflow Pipelines into build/
	@$(ASK) compile

test: ready-dev ## Run every test that needs no container engine and no cluster
	@$(ASK) test --ignore=tests/chart --ignore=tests/ui -n auto --dist loadfile --no-loadscope-reorder

test-chart: ready-dev ## Test the Helm chart and the scripts; needs Go, builds helm into .tools once
	@scripts/install_tools.sh
	@$(ASK) test-chart tests/chart

test-ui: ready-dev ## Test the web page in a headless Chromium, which must be installed
	@$(ASK) test-ui tests/ui

lint: ready-dev ## Check style and formatting
	@"$$VENV/bin/ruff" check $(CHECKED)
	@"$$VENV/bin/ruff" format --check $(CHECKED)

format: ready-dev ## Format the code
	@"$$VENV/bin/ruff" check --fix $(CHECKED)
	@"$$VENV/bin/ruff" format $(CHECKED)

types: ready-dev ## Check the types
	@"$$VENV/bin/mypy"

images: ## Build the container images of the steps (TARGET=cpu, gpu or both; PUSH=1)
	@$(ASK) images scripts/build_images.sh

wheel: ready ## Build the wheel that pip installs, into dist/
	@"$$VENV/bin/python" -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/augstudy-*.whl

golden: ready-dev ## Write the compiled pipelines and rendered charts that the tests compare with
	@UPDATE_GOLDEN=1 "$$VENV/bin/python" -m pytest tests/pipelines/test_compile.py
	@if test -x .tools/bin/helm; then UPDATE_GOLDEN=1 "$$VENV/bin/python" -m pytest tests/chart -k renders; \
	  else echo "The chart's files are as they were: 'make test-chart' installs helm."; fi

results: ready ## Collect the finished runs of PRESET (several levels count as one study) into results/
	@$(ASK) results

docs: ready-dev ## Write the pages that show measured figures again, from benchmarks/results and results
	@"$$VENV/bin/python" scripts/make_docs.py

# One resolution for every Python and platform that we support; the comment at the top of each file
# is ours, because the tool's own would record options of the machine it ran on.
LOCK = "$$VENV/bin/uv" pip compile --quiet --universal --python-version 3.10 --generate-hashes \
  --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
# What TensorFlow and Optuna (its databases) ask for but no step imports.
NOT_IN_IMAGE = grpcio libclang setuptools wheel \
  alembic greenlet mako sqlalchemy tomli
lock: ready-dev ## Resolve the dependencies again into requirements/
	@"$$VENV/bin/python" -m pip install --quiet uv
	@$(LOCK) pyproject.toml requirements/build.in --extra pipelines --extra s3 --extra http --output-file requirements/run.txt
	@$(LOCK) pyproject.toml requirements/build.in --all-extras --output-file requirements/dev.txt
	@$(LOCK) pyproject.toml --extra s3 --extra http --constraint requirements/run.txt $(addprefix --no-emit-package ,$(NOT_IN_IMAGE)) \
	  --output-file requirements/image.txt
	@grep '^kfp==' requirements/run.txt | cut -d' ' -f1 | $(LOCK) --no-deps --no-header - >> requirements/image.txt
	@echo 'tensorflow[and-cuda]' | $(LOCK) --constraint requirements/run.txt - | \
	  awk '/^[a-z]/ { keep = /^nvidia-/ } /^#/ || keep' > requirements/image-gpu.txt

clean: ## Remove the environment, builds and caches; runs/ is kept
	@rm -rf -- "$$VENV" "$$VENV.lock" build dist .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -not -path "./$$VENV/*" -prune -exec rm -rf {} +

python-ok:
	@command -v -- "$$PYTHON" >/dev/null || { \
	  echo "There is no $$PYTHON: install Python 3.10 to 3.13, or name one: make PYTHON=/path/to/python3." >&2; exit 3; }
	@"$$PYTHON" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "$$("$$PYTHON" -V) cannot be used: Python 3.10 to 3.13 is needed, name one: make PYTHON=python3.11." >&2; exit 3; }
	@"$$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'Python lacks its venv module: install it, on Debian and Ubuntu: apt-get install python3-venv.' >&2; exit 3; }

ready: python-ok
	@$(SET_UP) run

ready-dev: python-ok
	@$(SET_UP) dev
