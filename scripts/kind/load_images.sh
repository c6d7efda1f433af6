#!/usr/bin/env bash
# Builds the image of the steps unless Docker has it, and puts it on the nodes of the kind cluster.
#
#   scripts/kind/load_images.sh [IMAGE...]
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step 'Images'
if ! is_kind; then
  echo "Skipped: the nodes of $CONTEXT pull their images. Push them: make images PUSH=1 REPOSITORY=..."
  exit
fi
if [[ $# == 0 ]]; then
  name=$(image)
  if [[ -z ${IMAGE:-} ]] && ! docker image inspect "$name" >/dev/null 2>&1; then
    scripts/build_images.sh
  fi
  set -- "$name"
fi
for name in "$@"; do
  docker image inspect "$name" >/dev/null 2>&1 || fail "Docker has no image $name: build it with 'make images'."
  kind load docker-image "$name" --name "${CONTEXT#kind-}"
done
