#!/usr/bin/env bash
# Makes the dashboard and the object store reachable on this machine.
#
#   scripts/kind/port_forward.sh [start|stop]
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly STATE=.tools/port-forward/$CONTEXT
ui=${UI_PORT:-8080}
store=${STORE_PORT:-9000}

# The process of a forward, if it still runs and is ours.
running() {
  local file=$STATE-$1.pid pid
  [[ -e $file ]] || return 1
  pid=$(<"$file")
  # A number alone may by now be another program's.
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "port-forward svc/$1" ||
    ps -o command= -p "$pid" 2>/dev/null | grep -qF "port-forward svc/$1" || return 1
  echo "$pid"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start() {
  local service=$1 port=$2 target=$3
  if running "$service" >/dev/null; then
    echo "$service: already at localhost:$port"
    return
  fi
  ! answers "$port" || fail "Port $port is taken by another program: set UI_PORT or STORE_PORT."
  nohup kubectl --context "$CONTEXT" --namespace "$NAMESPACE" port-forward "svc/$service" "$port:$target" \
    >"$STATE-$service.log" 2>&1 </dev/null &
  local pid=$!
  echo "$pid" >"$STATE-$service.pid"
  for _ in {1..50}; do
    answers "$port" && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  if ! answers "$port"; then
    stop "$service" >/dev/null
    fail "The port of $service is not forwarded: see $STATE-$service.log."
  fi
  echo "$service: localhost:$port"
}

stop() {
  local pid
  if pid=$(running "$1"); then
    kill "$pid"
    echo "$1: stopped"
  fi
  rm -f "$STATE-$1.pid"
}

mkdir -p "${STATE%/*}"
case ${1:-start} in
  start)
    step 'Ports'
    start ml-pipeline-ui "$ui" 80
    start seaweedfs "$store" 9000
    ;;
  stop)
    stop ml-pipeline-ui
    stop seaweedfs
    ;;
  *) fail "Unknown: $1. Use start or stop." ;;
esac
