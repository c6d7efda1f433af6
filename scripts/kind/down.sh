#!/usr/bin/env bash
# Undoes up.sh: 'make kind-down'. Of a cluster that KUBECONTEXT names only the chart is removed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

scripts/kind/port_forward.sh stop
if [[ -n $OWN ]]; then
  step "Deleting cluster $CLUSTER"
  kind delete cluster --name "$CLUSTER"
else
  step "Removing the chart from $CONTEXT"
  helm uninstall augstudy --kube-context "$CONTEXT" --namespace "$NAMESPACE" --ignore-not-found --wait
fi
