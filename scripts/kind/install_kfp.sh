#!/usr/bin/env bash
# Installs Kubeflow Pipelines, standalone, and waits until it runs. Applying it again changes nothing.
#
# KFP_MANIFESTS may be a folder with KFP's layout (cluster-scoped-resources, env/platform-agnostic), one
# with a kustomization.yaml, or one with plain manifests.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly WAIT=${KFP_TIMEOUT:-900s}

apply_kfps_layout() {
  local base=$1 suffix=$2
  kube apply --kustomize "$base/cluster-scoped-resources$suffix"
  kube wait crd/workflows.argoproj.io crd/scheduledworkflows.kubeflow.org --for=condition=Established --timeout=60s
  kube apply --kustomize "$base/env/platform-agnostic$suffix"
}

if [[ -z ${KFP_MANIFESTS:-} ]]; then
  step "Kubeflow Pipelines $KFP_VERSION"
  command -v git >/dev/null || fail 'git is missing, and kubectl fetches the manifests with it: install git, or set KFP_MANIFESTS.'
  apply_kfps_layout github.com/kubeflow/pipelines/manifests/kustomize "?ref=$KFP_VERSION"
elif [[ ! -d $KFP_MANIFESTS ]]; then
  fail "There is no folder $KFP_MANIFESTS: KFP_MANIFESTS must be one."
elif [[ -d $KFP_MANIFESTS/cluster-scoped-resources ]]; then
  step "Kubeflow Pipelines from $KFP_MANIFESTS"
  apply_kfps_layout "$KFP_MANIFESTS" ''
elif [[ -e $KFP_MANIFESTS/kustomization.yaml ]]; then
  step "Kubeflow Pipelines from $KFP_MANIFESTS"
  kube apply --kustomize "$KFP_MANIFESTS"
else
  step "Kubeflow Pipelines from $KFP_MANIFESTS"
  kube apply --recursive --filename "$KFP_MANIFESTS"
fi

step "Waiting for KFP (at most $WAIT; the first time images are pulled)"
kube wait deployment --all --namespace "$NAMESPACE" --for=condition=Available --timeout="$WAIT" ||
  fail "KFP does not come up: see 'kubectl --context $CONTEXT get pods --namespace $NAMESPACE'."
