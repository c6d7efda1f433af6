"""A server on loopback that speaks the REST API v2beta1 of Kubeflow Pipelines, and keeps state.

It refuses what the real one refuses: runs of versions or in experiments that do not exist,
parameters that the pipeline lacks or of a wrong type, names that are taken, bad cron expressions,
filters it cannot read, wrong tokens. A run goes one state further each time somebody looks at it.
"""

import datetime
import email
import itertools
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from kfp_rules import RefusedError, belongs, check_parameters, page
from kfp_runs import Ending, Workflow
from servers import _Server

Record = dict[str, Any]
GOOD = ("PENDING", "RUNNING", "SUCCEEDED")
BAD = ("PENDING", "RUNNING", "FAILED")
_LOG = re.compile("/apis/v1alpha1/runs/([^/]+)/nodes/([^/]+)/log")
_GRPC = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 500: 13, 503: 14}


@dataclass(frozen=True)
class Reply:
    """An answer that KFP would not give, such as a login proxy's."""

    status: int
    body: bytes
    kind: str = "application/json"
    location: str = ""


class KfpServer(_Server):
    """Kinds of request are ``METHOD resource``, such as ``POST runs``.

    Attributes:
        token: What callers must send; None lets everybody in.
        multi_user: Whether listings need a namespace.
        states: What the runs created next go through, in turn; the last one goes on for ever.
        endings: How the runs created next go that fail, or wait.
        fires: Whether schedules start runs.
        started: Told of every run that is created.
        is_dashboard: Whether this is the dashboard's server, which does not pass on all of the API.
        instead: Replies to kinds of request, in place of KFP's own; ``*`` is all but the health.
        callers: What was sent as authorization, request by request.
    """

    def __init__(self, token: str | None = None, multi_user: bool = False) -> None:
        super().__init__()
        self.token, self.multi_user = token, multi_user
        self.api = "v2beta1"
        self.experiments: dict[str, Record] = {}
        self.pipelines: dict[str, Record] = {}
        self.versions: dict[str, Record] = {}
        self.runs: dict[str, Record] = {}
        self.schedules: dict[str, Record] = {}
        self.states: list[tuple[str, ...]] = [GOOD]
        self.endings: list[Ending] = []
        self.fires = False
        self.started: Callable[[Record], None] = lambda run: None
        self.is_dashboard = False
        self.failures: dict[str, list[int]] = {}
        self.instead: dict[str, Reply] = {}
        self.callers: list[str | None] = []
        self._left: dict[str, list[str]] = {}
        self._workflows: dict[str, tuple[Ending, Workflow]] = {}
        self._clock = itertools.count()

    def fail(self, kind: str, *statuses: int) -> None:
        """Answer the next requests of a kind with `statuses`."""
        self.failures[kind] = list(statuses)[::-1]

    def named(self, records: dict[str, Record], name: str) -> list[Record]:
        """The records of a display name."""
        return [item for item in records.values() if item["display_name"] == name]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        path = url.path.removeprefix(f"/apis/{self.api}/")
        kind = f"{request.command} {'log' if _LOG.fullmatch(path) else path.split('/')[0]}"
        reply = self.instead.get(kind) or (kind != "GET healthz" and self.instead.get("*"))
        with self._lock:
            self.requests[kind] += 1
            self.callers.append(request.headers.get("Authorization"))
            if not reply:
                reply = self._own(request, path, query, body)
        headers = {"Location": reply.location} if reply.location else {}
        self._send(request, kind, reply.status, reply.body, reply.kind, headers=headers)

    def _own(
        self, request: BaseHTTPRequestHandler, path: str, query: dict[str, str], body: bytes
    ) -> Reply:
        try:
            log = _LOG.fullmatch(path)
            if log and not self.is_dashboard:
                self._admit(request, "GET log")
                return Reply(200, self._log(log[1], log[2]).encode(), "text/plain")
            if self.is_dashboard and path == "/k8s/pod/logs":
                self._admit(request, "GET log")
                text = self._log(query["runid"], query["podname"])
                return Reply(200, text.encode(), "text/plain")
            if path.startswith("/"):
                raise RefusedError(404, "Not Found")
            self._admit(request, f"{request.command} {path.split('/')[0]}")
            return Reply(200, json.dumps(self._route(request, path, query, body)).encode())
        except RefusedError as refused:
            code = _GRPC.get(refused.status, 2)
            said = {"error": refused.message, "code": code, "message": refused.message}
            return Reply(refused.status, json.dumps(said).encode())

    def _admit(self, request: BaseHTTPRequestHandler, kind: str) -> None:
        sent = request.headers.get("Authorization")
        if self.token is not None and sent is None:
            raise RefusedError(401, "Request header error: there is no user identity header.")
        if self.token is not None and sent != f"Bearer {self.token}":
            raise RefusedError(401, f"Failed to authenticate {sent}")
        if self.failures.get(kind):
            status = self.failures[kind].pop()
            raise RefusedError(status, f"ordered by the test; {sent} may not do this")

    def _route(
        self, request: BaseHTTPRequestHandler, path: str, query: dict[str, str], body: bytes
    ) -> Any:
        if path.startswith("pipelines/upload"):
            text = _uploaded(request, body)
            return self._upload(text, query, new=path == "pipelines/upload")
        content = json.loads(body) if body else {}
        for method, pattern, handler in self._routes():
            match = re.fullmatch(pattern, path)
            if match and method == request.command:
                return handler(*match.groups(), query if method == "GET" else content)
        raise RefusedError(404, f"Not Found: {request.command} {path}")

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        one = "([^/:]+)"
        return [
            ("GET", "healthz", lambda query: {"multi_user": self.multi_user}),
            ("GET", "experiments", self._lister("experiments", self.experiments)),
            ("POST", "experiments", self._create_experiment),
            ("GET", f"experiments/{one}", self._getter("experiment", self.experiments)),
            ("GET", "pipelines", self._lister("pipelines", self.pipelines)),
            ("POST", "pipelines", self._create_pipeline),
            ("GET", f"pipelines/{one}", self._getter("pipeline", self.pipelines)),
            ("GET", f"pipelines/{one}/versions", self._list_versions),
            ("GET", f"pipelines/{one}/versions/{one}", self._get_version),
            ("GET", "runs", self._list_runs),
            ("POST", "runs", self._create_run),
            ("GET", f"runs/{one}", self._look_at_run),
            ("DELETE", f"runs/{one}", lambda key, body: self.runs.pop(key) and {}),
            ("POST", f"runs/{one}:terminate", self._terminate),
            ("DELETE", f"experiments/{one}", lambda key, body: self.experiments.pop(key) and {}),
            ("GET", "recurringruns", self._lister("recurringRuns", self.schedules)),
            ("POST", "recurringruns", self._create_schedule),
            ("GET", f"recurringruns/{one}", self._getter("recurring run", self.schedules)),
            ("DELETE", f"recurringruns/{one}", self._delete_schedule),
            ("POST", f"recurringruns/{one}:disable", self._disable_schedule),
        ]

    def _keep(self, records: dict[str, Record], key: str, record: Record) -> Record:
        tick = next(self._clock)
        moment = f"2026-11-02T{tick // 3600:02}:{tick // 60 % 60:02}:{tick % 60:02}Z"
        kept = {key: str(uuid.uuid4()), "created_at": moment, **record}
        records[kept[key]] = kept
        return kept

    def _getter(self, what: str, records: dict[str, Record]) -> Callable[..., Record]:
        def get(key: str, query: dict[str, str]) -> Record:
            if key not in records:
                raise RefusedError(404, f"{what} {key} not found")
            return records[key]

        return get

    def _lister(self, what: str, records: dict[str, Record]) -> Callable[..., Record]:
        def get(query: dict[str, str]) -> Record:
            namespace = query.get("namespace")
            parent = query.get("experiment_id")
            if self.multi_user and not namespace and not parent and what != "pipelines":
                raise RefusedError(400, "Invalid list request: a namespace is needed.")
            found = [item for item in records.values() if belongs(item, namespace, parent)]
            return page(what, found, query)

        return get

    def _list_versions(self, pipeline_id: str, query: dict[str, str]) -> Record:
        found = [item for item in self.versions.values() if item["pipeline_id"] == pipeline_id]
        return page("pipeline_versions", found, query)

    def _get_version(self, pipeline_id: str, version_id: str, query: dict[str, str]) -> Record:
        self._getter("pipeline", self.pipelines)(pipeline_id, query)
        return self._getter("pipeline version", self.versions)(version_id, query)

    def _create_experiment(self, body: Record) -> Record:
        name = body.get("display_name")
        if not name:
            raise RefusedError(400, "Experiment name is empty.")
        if any(
            item["display_name"] == name and item.get("namespace") == body.get("namespace")
            for item in self.experiments.values()
        ):
            raise RefusedError(409, f"experiment {name} already exists")
        return self._keep(self.experiments, "experiment_id", {"storage_state": "AVAILABLE", **body})

    def _create_pipeline(self, body: Record) -> Record:
        name = body.get("name") or body.get("display_name")
        if not name:
            raise RefusedError(400, "pipeline name is empty")
        if self.named(self.pipelines, name):
            raise RefusedError(409, f"The name {name} already exists.")
        return self._keep(self.pipelines, "pipeline_id", {"display_name": name, **body})

    def _upload(self, text: str, query: dict[str, str], new: bool) -> Record:
        documents = [item for item in yaml.safe_load_all(text) if item]
        if not documents or documents[0].get("schemaVersion") != "2.1.0":
            raise RefusedError(400, "Invalid input error: invalid v2 pipeline spec")
        if new:
            parent = self._create_pipeline({"display_name": query["name"]})
        elif query.get("pipelineid") in self.pipelines:
            parent = self.pipelines[query["pipelineid"]]
        else:
            raise RefusedError(400, "Failed to create a pipeline version")
        siblings = [v for v in self.versions.values() if v["pipeline_id"] == parent["pipeline_id"]]
        if any(item["display_name"] == query["name"] for item in siblings):
            raise RefusedError(409, "Failed to create a pipeline version")
        spec = documents[0]
        if len(documents) > 1:
            spec = {"pipeline_spec": documents[0], "platform_spec": documents[1]}
        record = {"display_name": query["name"], "name": query["name"], "pipeline_spec": spec}
        record["pipeline_id"] = parent["pipeline_id"]
        version = self._keep(self.versions, "pipeline_version_id", record)
        return parent if new else version

    def _create_run(self, body: Record) -> Record:
        spec = self._check(body, "run")
        body = {"storage_state": "AVAILABLE", "state": "PENDING", **body}
        run = self._keep(self.runs, "run_id", body)
        states = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        self._left[run["run_id"]] = list(states)
        self.started(run)
        ending = self.endings.pop(0) if self.endings else Ending()
        name, began = f"{spec['pipelineInfo']['name']}-x7k2p", _moment(run["created_at"])
        self._workflows[run["run_id"]] = ending, Workflow(name, spec, ending, began)
        return run

    def _list_runs(self, query: dict[str, str]) -> Record:
        """Schedules fire whenever somebody looks, where they do at all."""
        enabled = [item for item in self.schedules.values() if item["status"] == "ENABLED"]
        for item in enabled if self.fires else ():
            what = ("pipeline_version_reference", "runtime_config", "experiment_id")
            self._create_run(
                {key: item[key] for key in ("display_name", "recurring_run_id", *what)}
            )
        return dict(self._lister("runs", self.runs)(query))

    def _terminate(self, run_id: str, body: Record) -> Record:
        self._left[run_id] = ["FAILED"]
        self._getter("run", self.runs)(run_id, {})["state"] = "FAILED"
        return {}

    def _look_at_run(self, run_id: str, query: dict[str, str]) -> Record:
        run = self._getter("run", self.runs)(run_id, query)
        left = self._left.get(run_id)
        if left:
            run["state"] = left.pop(0) if len(left) > 1 else left[0]
        ending, workflow = self._workflows[run_id]
        over = run["state"] in ("SUCCEEDED", "FAILED")
        if over:
            finished = _moment(run["created_at"]) + datetime.timedelta(seconds=ending.took_s)
            run.setdefault("finished_at", finished.strftime("%Y-%m-%dT%H:%M:%SZ"))
        if over or (ending.waits and run["state"] == "RUNNING"):
            tasks = workflow.tasks(not over, run["state"] == "SUCCEEDED")
            run["run_details"] = {"task_details": tasks}
        return run

    def _log(self, run_id: str, pod: str) -> str:
        """A pod's log; KFP says 200 before it knows whether there is one."""
        found = self._workflows[run_id][1].logs.get(pod) if run_id in self._workflows else None
        message = f"Failed to read logs for run {run_id}"
        return json.dumps({"error_message": message}) if found is None else found

    def _create_schedule(self, body: Record) -> Record:
        self._check(body, "recurring run")
        if self.multi_user and not body.get("namespace"):
            raise RefusedError(400, "Recurring run has no namespace.")
        if not 1 <= int(body.get("max_concurrency", 0)) <= 10:
            raise RefusedError(400, "The max concurrency of the recurring run is out of range.")
        cron = body.get("trigger", {}).get("cron_schedule", {}).get("cron", "")
        # Like robfig/cron: the sixth field may be missing, which shifts what the others mean.
        if len(cron.split()) not in (5, 6) and not cron.startswith("@"):
            raise RefusedError(400, f"Schedule cron is not a supported format. Error: {cron!r}")
        status = {"ENABLE": "ENABLED", "DISABLE": "DISABLED"}.get(body.get("mode", ""))
        if status is None:
            raise RefusedError(400, "The mode of the recurring run is unspecified.")
        return self._keep(self.schedules, "recurring_run_id", {**body, "status": status})

    def _disable_schedule(self, key: str, body: Record) -> Record:
        self._getter("recurring run", self.schedules)(key, {})["status"] = "DISABLED"
        return {}

    def _delete_schedule(self, key: str, body: Record) -> Record:
        self._getter("recurring run", self.schedules)(key, {})
        del self.schedules[key]
        return {}

    def _check(self, body: Record, what: str) -> Record:
        """Refuse a run or schedule that names what does not exist, or wrong parameters."""
        if not body.get("display_name"):
            raise RefusedError(400, f"The {what} name is empty. Please specify a valid name")
        self._getter("experiment", self.experiments)(body.get("experiment_id", ""), {})
        reference = body.get("pipeline_version_reference") or {}
        spec = body.get("pipeline_spec")
        if not spec:
            of = [
                v
                for v in self.versions.values()
                if v["pipeline_id"] == reference.get("pipeline_id")
            ]
            wanted = reference.get("pipeline_version_id") or (
                of[-1]["pipeline_version_id"] if of else ""
            )
            if wanted not in [item["pipeline_version_id"] for item in of]:
                raise RefusedError(404, f"Failed to create a new {what}: no such pipeline version")
            spec = self.versions[wanted]["pipeline_spec"]
        spec = spec.get("pipeline_spec", spec)
        known = spec["root"].get("inputDefinitions", {}).get("parameters", {})
        check_parameters(known, body.get("runtime_config", {}).get("parameters", {}))
        return dict(spec)


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def _uploaded(request: BaseHTTPRequestHandler, body: bytes) -> str:
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    for part in email.message_from_bytes(head + body).walk():
        if part.get_param("name", header="Content-Disposition") == "uploadfile":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            return payload.decode()
    raise RefusedError(400, "Failed to read pipeline from file")
