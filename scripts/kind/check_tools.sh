#!/usr/bin/env bash
# Says which tools are missing, one sentence each.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

missing=0
need() {
  command -v "$1" >/dev/null && return
  printf '%s is missing: %s\n' "$1" "$2" >&2
  missing=1
}

step 'Tools'
need kubectl 'install it as https://kubernetes.io/docs/tasks/tools/ says, or on Debian: apt-get install kubernetes-client.'
need helm 'run scripts/install_tools.sh helm.'
need python3 'install Python 3.10 to 3.13.'
if [[ -n $OWN ]]; then
  need kind 'run scripts/install_tools.sh kind.'
fi
if is_kind; then
  need docker 'install Docker, on Debian and Ubuntu: apt-get install docker.io.'
  if command -v docker >/dev/null && ! docker info >/dev/null 2>&1; then
    echo 'docker does not answer: start it (systemctl start docker), and join its group.' >&2
    missing=1
  fi
fi
[[ $missing == 0 ]] || exit 3
