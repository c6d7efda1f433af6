#!/usr/bin/env bash
# Builds the cpu image on a base made here and runs the whole study in containers of it. For
# machines without an image registry; needs root, Debian's packages and a package index.
# Usage: scripts/ci_containers.sh [PYTHON]   (a Python with the development environment)
set -euo pipefail
cd "$(dirname "$0")/.."

python=${1:-.venv/bin/python}
limit=2000000000 # bytes of the cpu image, uncompressed
daemon=

finish() {
  if [[ -n $daemon ]]; then
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
  fi
}
trap finish EXIT

packages=()
command -v dockerd >/dev/null || packages+=(docker.io)
command -v mmdebstrap >/dev/null || packages+=(mmdebstrap)
if ((${#packages[@]})); then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
fi

if ! docker info >/dev/null 2>&1; then
  log=$(mktemp)
  dockerd >"$log" 2>&1 &
  daemon=$!
  for _ in {1..60}; do
    docker info >/dev/null 2>&1 && break
    kill -0 "$daemon" 2>/dev/null || break
    sleep 1
  done
  docker info >/dev/null 2>&1 || {
    echo 'The Docker daemon did not start; the end of its log:' >&2
    tail -n 20 "$log" >&2
    exit 3
  }
fi

base=$(scripts/container_base.sh)
built=$(mktemp)
TARGET=cpu BASE_IMAGE=$base NETWORK=${NETWORK:-host} scripts/build_images.sh >"$built" 2>&1 || {
  tail -n 40 "$built" >&2
  exit 1
}
tail -n 1 "$built"
image=$(PYTHONPATH=src python3 -m augstudy.cluster.image --root "$PWD")
size=$(docker image inspect --format '{{.Size}}' "$image")
((size < limit)) || {
  echo "The cpu image has $size bytes; at most $limit are allowed." >&2
  exit 1
}
"$python" scripts/container_study.py --image "$image"
