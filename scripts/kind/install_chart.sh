#!/usr/bin/env bash
# Installs or upgrades the chart, and checks with 'helm test' that a run would reach its store.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

name=$(image)
options=(--set-string "image.repository=${name%:*}" --set-string "image.tag=${name##*:}" --set-string image.digest=)
if [[ $name == *@* ]]; then
  options=(--set-string "image.repository=${name%%@*}" --set-string image.tag= --set-string "image.digest=${name##*@}")
fi
kubernetes=(--kube-context "$CONTEXT" --namespace "$NAMESPACE")

step "Chart, with $name"
helm upgrade --install augstudy charts/augstudy "${kubernetes[@]}" --create-namespace \
  --values "${VALUES:-charts/augstudy/ci/kind-values.yaml}" --set-string "kfp.namespace=$NAMESPACE" "${options[@]}" \
  --wait --timeout 5m
helm test augstudy "${kubernetes[@]}" --logs --timeout 5m
