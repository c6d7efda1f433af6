#!/usr/bin/env bash
# Creates the kind cluster, unless it is there or KUBECONTEXT names another.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "Cluster $CONTEXT"
if [[ -z $OWN ]]; then
  kube cluster-info >/dev/null || fail "The cluster of context $CONTEXT does not answer: check 'kubectl config get-contexts'."
elif kind get clusters 2>/dev/null | grep -qxF "$CLUSTER"; then
  # After a restart of Docker the kubeconfig may be stale.
  kind export kubeconfig --name "$CLUSTER"
else
  kind create cluster --name "$CLUSTER" --config charts/kind/cluster.yaml --wait 180s
fi
