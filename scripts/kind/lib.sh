# What the scripts in this folder share; sourced, not run.
# shellcheck shell=bash disable=SC2034
#
# Settings, all from the environment:
#   KUBECONTEXT    an existing cluster's context; empty: the kind cluster, kind-$CLUSTER
#   CLUSTER        name of the kind cluster (augstudy)
#   NAMESPACE      where KFP and the runs are (kubeflow)
#   KFP_MANIFESTS  a local folder instead of KFP's manifests of the pinned version
#   GPUS           fake GPUs a node (2); 0: none
#   IMAGE          an image instead of the one named by the content of this checkout
#   VALUES         values file of the chart (charts/augstudy/ci/kind-values.yaml)
#   UI_PORT, STORE_PORT  local ports of the dashboard (8080) and the object store (9000)
set -euo pipefail

# What the caller named is relative to where the caller is.
for variable in KFP_MANIFESTS VALUES; do
  if [[ -n ${!variable:-} && ${!variable} != /* ]]; then export "$variable=$PWD/${!variable}"; fi
done
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly KFP_VERSION=2.17.0
CLUSTER=${CLUSTER:-augstudy}
NAMESPACE=${NAMESPACE:-kubeflow}
# Whether the cluster is ours to create and delete.
if [[ -n ${KUBECONTEXT:-} ]]; then OWN=; else OWN=yes; fi
CONTEXT=${KUBECONTEXT:-kind-$CLUSTER}
# What scripts/install_tools.sh installed, unless there is another.
PATH=$PATH:$PWD/.tools/bin

step() { printf '== %s\n' "$*"; }

fail() {
  printf '%s\n' "$*" >&2
  exit 3
}

kube() { kubectl --context "$CONTEXT" "$@"; }

is_kind() { [[ $CONTEXT == kind-* ]]; }

# Name of the image of the steps.
image() {
  if [[ -n ${IMAGE:-} ]]; then
    printf '%s\n' "$IMAGE"
  else
    PYTHONPATH=src python3 -m augstudy.cluster.image
  fi
}
