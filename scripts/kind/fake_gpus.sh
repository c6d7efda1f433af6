#!/usr/bin/env bash
# Lets nodes advertise GPUs that they do not have, so that scheduling can be tried. The steps see
# none and compute on the CPU. Nodes that have GPUs are left alone.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly RESOURCE=nvidia.com/gpu
count=${GPUS:-2}

step "Fake GPUs: $count a node"
if ! is_kind && [[ -z ${GPUS:-} ]]; then
  echo "Skipped: $CONTEXT is no kind cluster. GPUS=$count says that it is meant."
  exit
fi
[[ $count != 0 ]] || exit 0
for node in $(kube get nodes --output name); do
  there=$(kube get "$node" --output 'jsonpath={.status.capacity.nvidia\.com/gpu}')
  if [[ -n $there ]]; then
    echo "$node has $there"
    continue
  fi
  patch='[{"op":"add","path":"/status/capacity/nvidia.com~1gpu","value":"'$count'"}]'
  kube patch "$node" --subresource=status --type=json --patch "$patch"
  # The kubelet takes it over into what may be used.
  kube wait "$node" --for="jsonpath={.status.allocatable.nvidia\\.com/gpu}=$count" --timeout=60s ||
    fail "$node does not offer $RESOURCE: see 'kubectl describe $node'."
done
