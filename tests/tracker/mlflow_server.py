"""A small MLflow server on loopback: the calls that we make, as strict as MLflow's own is.

``test_mlflow.py`` runs against a real server as well (see ``scripts/ci_mlflow.sh``), so that what
is here cannot drift from it.
"""

import json
import re
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from servers import _Server

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
MOST = {"metrics": 1000, "params": 100, "tags": 100}
NAME = re.compile(r"[/\w.\- ]+")  # on Windows; elsewhere colons are allowed
LOGIN_PAGE = b"<!DOCTYPE html><html><body>Log in</body></html>"


class Refusal(Exception):  # noqa: N818 (an answer, no error of ours)
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class MlflowServer(_Server):
    """Experiments, runs and files; and what to do wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.experiments: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.runs: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.artifacts = "mlflow-artifacts:"
        self.status = 0  # with which all is refused
        self.page = False  # what a proxy that wants a login answers to all
        self.authorization = ""  # that is wanted
        self.broken: dict[str, int] = {}  # how many answers to a call are lost after it is done
        self.busy = 0  # how many requests are told to come back

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        size = int(request.headers.get("Content-Length") or 0)
        body, url = request.rfile.read(size), urlsplit(request.path)
        call = url.path.removeprefix(API)
        kind = FILES if call.startswith(FILES) else call
        if self.page:
            return self._send(request, kind, 200, LOGIN_PAGE, "text/html")
        if self.authorization and request.headers["Authorization"] != self.authorization:
            return self._send(request, kind, 401, b"You are not authenticated", "text/plain")
        query = {key: value[0] for key, value in parse_qs(url.query).items()}
        with self._lock:
            self.requests[kind] += 1
            try:
                self._refuse()
                given = query if request.command == "GET" else body
                status, found = 200, self._done(request.command, call, given)
            except Refusal as refused:
                status, found = (
                    refused.status,
                    {"error_code": refused.code, "message": f"{refused}"},
                )
            lost = self.broken.get(kind, 0)
            self.broken[kind] = max(0, lost - 1)
        return self._send(request, kind, status, json.dumps(found).encode(), cut=lost > 0)

    def _refuse(self) -> None:
        busy, self.busy = self.busy, max(0, self.busy - 1)
        if self.status or busy:
            raise Refusal(self.status or 503, "PERMISSION_DENIED", "Not yours, token=abcdef12")

    def _done(self, method: str, call: str, given: Any) -> dict[str, Any]:
        if call.startswith(FILES):
            return self._file(method, unquote(call.removeprefix(FILES)).strip("/"), given)
        asked = given if method == "GET" else json.loads(given)
        known = {
            "experiments/get-by-name": self._by_name,
            "experiments/create": self._experiment,
            "runs/create": self._create,
            "runs/search": self._search,
            "runs/log-batch": self._log,
            "runs/update": self._update,
            "metrics/get-history": self._history,
        }
        if call not in known:
            raise Refusal(404, "ENDPOINT_NOT_FOUND", f"no {call}")
        return known[call](asked)

    def _file(self, method: str, name: str, given: Any) -> dict[str, Any]:
        if method == "PUT":
            self.files[name] = given
            return {}
        folder = f"{given['path']}/"
        below = [key.removeprefix(folder) for key in self.files if key.startswith(folder)]
        return {"files": [{"path": name} for name in below]}

    def _by_name(self, asked: dict[str, str]) -> dict[str, Any]:
        name = asked["experiment_name"]
        if name not in self.experiments:
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"No experiment {name}")
        stage = "deleted" if name in self.deleted else "active"
        return {"experiment": {"experiment_id": self.experiments[name], "lifecycle_stage": stage}}

    def _experiment(self, asked: dict[str, str]) -> dict[str, Any]:
        if asked["name"] in self.experiments:
            raise Refusal(400, "RESOURCE_ALREADY_EXISTS", "It is there")
        number = self.experiments[asked["name"]] = str(len(self.experiments) + 1)
        return {"experiment_id": number}

    def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = f"{len(self.runs):032x}"
        place = f"{self.artifacts}/{asked['experiment_id']}/{number}/artifacts"
        info = {"run_id": number, "artifact_uri": place, "status": "RUNNING"}
        info |= {key: asked[key] for key in ("experiment_id", "run_name", "start_time")}
        self.runs.append({"info": info, "tags": {}, "params": {}, "metrics": {}})
        self._log({"run_id": number, "tags": asked["tags"]})
        return {"run": self._shown(self.runs[-1])}

    def _search(self, asked: dict[str, Any]) -> dict[str, Any]:
        wanted = re.fullmatch(r"tags\.`([\w.]+)` = '([^']*)'", asked.get("filter", ""))
        found = [it for it in self.runs if it["info"]["experiment_id"] in asked["experiment_ids"]]
        if wanted:
            found = [it for it in found if it["tags"].get(wanted[1]) == wanted[2]]
        shown = [self._shown(it) for it in found[: asked.get("max_results", 1000)]]
        return {"runs": shown} if shown else {}

    def _log(self, asked: dict[str, Any]) -> dict[str, Any]:
        run = self._of(asked["run_id"])
        for kind, most in MOST.items():
            items = asked.get(kind, [])
            if len(items) > most or not all(NAME.fullmatch(item["key"]) for item in items):
                raise Refusal(400, "INVALID_PARAMETER_VALUE", f"Wrong {kind}")
            for item in items:
                key, value = item["key"], item["value"]
                if kind == "metrics":
                    point = (item["step"], item["timestamp"], value)
                    run[kind].setdefault(key, set()).add(point)
                elif kind == "params" and run[kind].get(key, value) != value:
                    raise Refusal(400, "INVALID_PARAMETER_VALUE", "Changing param values")
                else:
                    run[kind][key] = value
        return {}

    def _update(self, asked: dict[str, Any]) -> dict[str, Any]:
        info = self._of(asked["run_id"])["info"]
        info.update(asked)
        return {"run_info": info}

    def _history(self, asked: dict[str, str]) -> dict[str, Any]:
        points = sorted(self._of(asked["run_id"])["metrics"][asked["metric_key"]])
        return {"metrics": [{"step": step, "value": value} for step, _, value in points]}

    def _of(self, number: str) -> dict[str, Any]:
        return next(it for it in self.runs if it["info"]["run_id"] == number)

    def _shown(self, run: dict[str, Any]) -> dict[str, Any]:
        last = {key: max(points) for key, points in run["metrics"].items()}
        data: dict[str, Any] = {
            kind: [{"key": key, "value": value} for key, value in run[kind].items()]
            for kind in ("tags", "params")
        }
        data["tags"].append({"key": "mlflow.runName", "value": run["info"]["run_name"]})
        data["metrics"] = [
            {"key": key, "value": value, "step": step, "timestamp": at}
            for key, (step, at, value) in last.items()
        ]
        return {"info": run["info"], "data": {key: item for key, item in data.items() if item}}
