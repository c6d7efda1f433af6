#!/usr/bin/env bash
# Tries a release on a cluster with Kubeflow Pipelines: installs the chart, submits two levels of the smoke study, takes
# a training pod away, compares hashes with a local run, lets a schedule fire, fails on purpose, and removes the runs,
# schedule and experiments that it made. A line a check: ok, not ok, or 'not run' with the reason. Exit code 1 if any is
# not ok. About half an hour on two cores. Artifacts stay in the object store, and the pipeline and chart where they are.
#
#   AUGSTUDY_KFP_HOST  address of KFP (needed); its other variables count, too, see docs/cluster.md
#   KUBECONTEXT        context of the kubeconfig; without it the chart is not installed and no pod is looked at
#   NAMESPACE          where the runs are (kubeflow)
#   VALUES, IMAGE      for the chart, see scripts/kind/lib.sh
#   AUGSTUDY_CLUSTER   the settings that the pods are held against, see docs/cluster.md
#   GPUS               GPUs of each training step (1)
#   LEVELS             two levels of the smoke study ("20 40")
#   EQUAL              all: networks must be equal to local ones, which holds on CPUs and fake GPUs; dataset: only the
#                      data files, for real GPUs (all)
#   AUGSTUDY_THREADS   threads of the local run, the cpu_limit of the settings' trainings by default
#   SKIP               checks to leave out, such as "install hashes"
#   LIMIT_S, POLL_S    seconds that a run may take (7200), and between two looks (5)
#   PYTHON             with augstudy and its extra "pipelines" (.venv/bin/python, if there is one)
set -euo pipefail
for variable in VALUES AUGSTUDY_CLUSTER; do # relative to where the caller is
  if [[ -n ${!variable:-} && ${!variable} != /* ]]; then export "$variable=$PWD/${!variable}"; fi
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=python3
if [[ -x .venv/bin/python ]]; then python=.venv/bin/python; fi
export PYTHONPATH=src:.${PYTHONPATH:+:$PYTHONPATH}
exec "${PYTHON:-$python}" scripts/cluster_acceptance.py
