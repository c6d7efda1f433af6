#!/usr/bin/env bash
# Runs the tests of tracking against a real MLflow server on loopback. Its packages go into an
# environment of their own, which uses those of the development environment where they fit.
# Usage: scripts/ci_mlflow.sh [PYTHON]   (a Python with the development environment)
set -euo pipefail
cd "$(dirname "$0")/.."

python=${1:-.venv/bin/python}
folder=$(mktemp -d)
server=

finish() {
  if [[ -n $server ]]; then
    kill -- "-$server" 2>/dev/null || true # it has workers
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$folder"
}
trap finish EXIT

"$python" -m venv "$folder/venv"
beside=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$beside" >"$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/beside.pth"
"$folder/venv/bin/python" -m pip --disable-pip-version-check install --quiet 'mlflow>=3,<4'

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
MLFLOW_DISABLE_TELEMETRY=true setsid "$folder/venv/bin/python" -m mlflow server --host 127.0.0.1 --port "$port" \
  --workers 1 --backend-store-uri "sqlite:///$folder/runs.db" --artifacts-destination "$folder/files" >"$folder/log" 2>&1 &
server=$!
"$python" - "$url" <<'EOF' || { tail -n 20 "$folder/log" >&2; exit 3; }
import sys, time, urllib.request

for _ in range(240):
    try:
        sys.exit(urllib.request.urlopen(f"{sys.argv[1]}/health").status != 200)
    except OSError:
        time.sleep(0.5)
sys.exit("The MLflow server did not start; the end of its log:")
EOF
AUGSTUDY_TEST_MLFLOW=$url "$python" -m pytest tests/tracker/test_mlflow.py
