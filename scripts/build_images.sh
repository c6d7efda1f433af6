#!/usr/bin/env bash
# Builds the images that steps run in, named by their content, and prints names and sizes.
#
#   TARGET      cpu, gpu or both (default: cpu)
#   REPOSITORY  name without tag (default: augstudy-python); it should contain "python"
#   BASE_IMAGE  another base, with Python 3.11 (default: the one that the Dockerfile pins)
#   PUSH        1: push what was built
#   CA_BUNDLE   certificates for the package index (default: $PIP_CERT); not kept in the images
#   NETWORK     network of the build, for example host
#   PIP_INDEX_URL, PIP_TRUSTED_HOST   another package index; not kept in the images
set -euo pipefail
cd "$(dirname "$0")/.."

target=${TARGET:-cpu}
repository=${REPOSITORY:-augstudy-python}
ca_bundle=${CA_BUNDLE:-${PIP_CERT:-}}

fail() {
  echo "$1" >&2
  exit "$2"
}

case $target in
  cpu | gpu) targets=("$target") ;;
  both) targets=(cpu gpu) ;;
  *) fail "TARGET is '$target': it must be cpu, gpu or both." 2 ;;
esac
command -v docker >/dev/null ||
  fail 'There is no docker: install it, on Debian and Ubuntu as root: apt-get install docker.io.' 3
docker info >/dev/null 2>&1 ||
  fail 'The Docker daemon does not answer: start it (as root: dockerd &), or join the group docker.' 3
[[ -z $ca_bundle || -r $ca_bundle ]] ||
  fail "The certificates $ca_bundle cannot be read: name another file in CA_BUNDLE." 2

# The very files that the tag is a hash of, so that nothing else can get into the images.
content() { PYTHONPATH=src python3 -m augstudy.cluster.image --root "$PWD" "$@"; }
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
content --files | tar --create --files-from - | tar --extract --directory "$context"
[[ -z $ca_bundle ]] || cp "$ca_bundle" "$context/ca.crt"

version=$(PYTHONPATH=src python3 -c 'import augstudy; print(augstudy.__version__)')
options=(--file "$context/images/Dockerfile" --build-arg "VERSION=$version")
for name in BASE_IMAGE PIP_INDEX_URL PIP_TRUSTED_HOST; do
  [[ -z ${!name:-} ]] || options+=(--build-arg "$name")
done
[[ -z ${NETWORK:-} ]] || options+=(--network "$NETWORK")
export BASE_IMAGE PIP_INDEX_URL PIP_TRUSTED_HOST

for target in "${targets[@]}"; do
  image=$(content --repository "$repository")
  tag=${image##*:}
  [[ $target == cpu ]] || image+=-gpu
  docker build "${options[@]}" --target "$target" --build-arg "CONTENT=$tag" --tag "$image" "$context"
  [[ ${PUSH:-} != 1 ]] || docker push "$image"
  bytes=$(docker image inspect --format '{{.Size}}' "$image")
  awk -v image="$image" -v bytes="$bytes" 'BEGIN { printf "%s  %.2f GB\n", image, bytes / 1e9 }'
done
