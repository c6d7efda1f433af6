#!/usr/bin/env bash
# Installs the tools that check and install the chart into .tools/bin, in pinned versions.
#
#   scripts/install_tools.sh            helm, kubecheck and shellcheck: what 'make test-chart' needs
#   scripts/install_tools.sh kind helm  only these
#
# Tools written in Go are built from their source, which takes some minutes, once. TOOLS names
# another folder.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly HELM=helm.sh/helm/v3/cmd/helm@v3.22.0
readonly KIND=sigs.k8s.io/kind@v0.33.0
TOOLS=${TOOLS:-$PWD/.tools}
mkdir -p "$TOOLS/bin"

fail() {
  echo "$*" >&2
  exit 3
}

need_go() {
  command -v go >/dev/null || fail "Go is missing, and $1 is built with it: install Go 1.26 or newer (apt-get, brew or the Go project's packages) and put it on PATH."
}

# Builds a program unless this very version is there; the stamp is named by it.
go_install() {
  local name=$1 package=$2 stamp
  stamp=$TOOLS/.$name-${package##*@}
  [[ -x $TOOLS/bin/$name && -e $stamp ]] && return
  need_go "$name"
  echo "Building $name (${package##*@})"
  GOBIN=$TOOLS/bin GOFLAGS=-buildvcs=false go install "$package"
  touch "$stamp"
}

install_helm() { go_install helm "$HELM"; }

install_kind() { go_install kind "$KIND"; }

install_kubecheck() {
  local source=scripts/kubecheck program=$TOOLS/bin/kubecheck
  [[ -x $program && -z $(find "$source" -newer "$program" -print -quit) ]] && return
  need_go kubecheck
  echo 'Building kubecheck'
  GOFLAGS=-buildvcs=false go build -C "$source" -o "$program" .
  touch "$program"
}

install_shellcheck() {
  command -v shellcheck >/dev/null && return
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    fail 'shellcheck is missing: install it, on Debian and Ubuntu: sudo apt-get install shellcheck.'
  fi
  echo 'Installing shellcheck'
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends shellcheck >/dev/null
}

[[ $# -gt 0 ]] || set -- helm kubecheck shellcheck
for tool in "$@"; do
  [[ $(type -t "install_$tool") == function ]] || fail "Unknown tool $tool: it is one of helm, kind, kubecheck, shellcheck."
  "install_$tool"
done
