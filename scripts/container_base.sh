#!/usr/bin/env bash
# Makes a base image of Debian with Python 3.11 where no image can be pulled, and prints its name.
set -euo pipefail

name=${1:-augstudy-local/python-base:bookworm}

for program in docker mmdebstrap; do
  command -v "$program" >/dev/null || {
    echo "There is no $program: install it, on Debian and Ubuntu as root: apt-get install docker.io mmdebstrap." >&2
    exit 3
  }
done
docker info >/dev/null 2>&1 || {
  echo 'The Docker daemon does not answer: start it (as root: dockerd &).' >&2
  exit 3
}
if docker image inspect "$name" >/dev/null 2>&1; then
  echo "$name"
  exit
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --aptopt='Acquire::Languages "none"' \
  bookworm "$folder/base.tar" >&2
docker import --change 'ENV LANG=C.UTF-8' "$folder/base.tar" "$name" >/dev/null
echo "$name"
