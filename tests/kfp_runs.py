"""What Argo makes of a run, as KFP's API shows it: tasks without their own ids, errors or pods.

A step is a graph of its own around the node ``executor``; a node with a retry strategy, which KFP's
default gives to every template, holds its tries. Only a pod's log says why it failed.
"""

import dataclasses
import datetime
from typing import Any

Record = dict[str, Any]
RUNTIME = """\
I1102 10:00:01.000000      18 launcher_v2.go:180] input ComponentSpec:{}
{log}
E1102 10:00:05.000000      18 launcher_v2.go:449] Component failed to execute successfully: {end}
F1102 10:00:05.100000      18 main.go:130] failed to execute component: {end}
time="2026-11-02T10:00:05.200Z" level=info msg="sub-process exited" argo=true error="<nil>"
Error: exit status 1
"""


def failed_step(title: str, sentence: str, code: int) -> str:
    """The log of a step's pod whose own code failed."""
    trace = f'INFO launch\nTraceback (most recent call last):\n  File "x.py"\nError: {sentence}'
    log = f"{trace}\n{title} failed: {sentence}"
    return RUNTIME.replace("{log}", log).replace("{end}", f"exit status {code}")


def failed_runtime(message: str, source: str = "main.go:127") -> str:
    """The log of a driver, or of a launcher that could not do its own part."""
    return (
        "I1102 10:00:01.000000       1 main.go:120] Setting log level to: '1'\n"
        f"F1102 10:00:02.000000       1 {source}] {message}\n"
    )


@dataclasses.dataclass
class Ending:
    """How a run goes that does not succeed.

    Attributes:
        fails: Key of the task that fails: a step, or a driver such as ``ingest-driver``; the last
            one of that key.
        log: Of its pod; None if there is no pod, or none any more.
        waits: Key of a step whose pod, or of a driver that, is pending.
        took_s: From the beginning of the run to its end.
        step_took_s: From the beginning of the failing task to its end.
        tries: How many pods the failing task had.
        retries: Whether every template has a retry strategy, as by KFP's default.
    """

    fails: str = "ingest"
    log: str | None = failed_step("ingest", "the drawings are damaged: fetch them again.", 4)
    waits: str = ""
    took_s: float = 5
    step_took_s: float = 1
    tries: int = 1
    retries: bool = True


class Workflow:
    """The nodes of a run.

    Attributes:
        logs: What pods wrote, by their names.
    """

    def __init__(self, name: str, spec: Record, ending: Ending, began: datetime.datetime) -> None:
        self._name, self._spec, self._ending, self._began = name, spec, ending, began
        self._nodes: dict[str, Record] = {}
        self._last_pod = ""
        self.logs: dict[str, str] = {}
        top = self._graph_node(name, name)
        self._driver(top, "root")
        self._tasks(self._graph_node(f"{top}.root", top), spec["root"])

    def tasks(self, running: bool, succeeded: bool) -> list[Record]:
        """The tasks as the API gives them, in no order that means something."""
        found = [self._task(name, node, running, succeeded) for name, node in self._nodes.items()]
        return sorted(found, key=lambda task: str(task["task_id"]))

    def _task(self, name: str, node: Record, running: bool, succeeded: bool) -> Record:
        """One node; KFP gives all the time when the run was created."""
        bad = not succeeded and not running and name in self._failing()
        waits = running and name in self._waiting()
        state = "FAILED" if bad else "PENDING" if waits else "SUCCEEDED"
        if running and not waits and any(_within(other, name) for other in self._waiting()):
            state = "RUNNING"
        begun = self._began + datetime.timedelta(seconds=node["number"])
        last = begun + datetime.timedelta(seconds=self._ending.step_took_s)
        return {
            "run_id": "",
            "task_id": f"{_hash(name[::-1]):08x}",
            "display_name": name.rpartition(".")[2],
            "create_time": _text(self._began),
            "start_time": _text(begun),
            "end_time": "1970-01-01T00:00:00Z" if state in ("PENDING", "RUNNING") else _text(last),
            "state": state,
            "error": None,
            "child_tasks": [{"pod_name": self._id(child)} for child in node["children"]],
        }

    def _id(self, name: str) -> str:
        return name if name == self._name else f"{self._name}-{_hash(name)}"

    def _failing(self) -> set[str]:
        """The node that fails, what is in it, and what it is in."""
        found = self._own(self._ending.fails)
        around = {name for name in self._nodes if _within(found, name)}
        inside = {name for name in self._nodes if _within(name, found)}
        return {found, *around, *inside} if found else set()

    def _waiting(self) -> set[str]:
        found = self._own(self._ending.waits)
        if not found:
            return set()
        return {name for name in self._pods if name == found or _within(name, found)}

    def _own(self, key: str) -> str:
        """The last node with that display name."""
        return next((n for n in reversed(self._nodes) if n.rpartition(".")[2] == key), "")

    @property
    def _pods(self) -> list[str]:
        return [name for name, node in self._nodes.items() if node["pod"]]

    def _add(self, name: str, parent: str, pod: bool = False) -> str:
        number = len(self._nodes)
        self._nodes[name] = {"children": [], "pod": pod, "number": number}
        if parent != name:
            self._nodes[parent]["children"].append(name)
        return name

    def _graph_node(self, name: str, parent: str) -> str:
        """A node that holds others; the name that these begin with."""
        self._add(name, parent)
        return self._add(f"{name}(0)", name) if self._ending.retries else name

    def _pod(self, name: str, parent: str, key: str, template: str) -> None:
        """A pod, or its tries; only those of the task that fails leave a log."""
        tries = self._ending.tries if key == self._ending.fails else 1
        names = [f"{name}({number})" for number in range(tries)] if self._ending.retries else [name]
        if self._ending.retries:
            self._add(name, parent)
            parent = name
        for number, own in enumerate(names):
            self._add(own, parent, pod=True)
            self._last_pod = own
            if key == self._ending.fails and self._ending.log is not None:
                # A pod that was lost before its code failed.
                lost = number < len(names) - 1
                pod = f"{self._name}-{template}-{_hash(own)}"
                self.logs[pod] = "INFO launch\n" if lost else self._ending.log

    def _driver(self, scope: str, key: str, parent: str = "") -> None:
        template = "system-container-driver" if key in self._containers() else "system-dag-driver"
        self._pod(f"{scope}.{key}-driver", parent or scope, f"{key}-driver", template)

    def _containers(self) -> set[str]:
        found = set()
        for component in [self._spec["root"], *self._spec["components"].values()]:
            for key, task in component.get("dag", {}).get("tasks", {}).items():
                inner = self._spec["components"][task["componentRef"]["name"]]
                if "dag" not in inner:
                    found.add(key)
        return found

    def _tasks(self, scope: str, component: Record) -> None:
        """Everything in a graph; what waits for another hangs on that one's last pod."""
        pending, done = dict(component["dag"]["tasks"]), dict[str, str]()
        while pending:
            key = next(k for k, t in pending.items() if set(t.get("dependentTasks", [])) <= {*done})
            task = pending.pop(key)
            parent = next((done[name] for name in task.get("dependentTasks", [])), "")
            if "parameterIterator" in task:  # its driver is inside
                self._one(f"{scope}.{key}", parent or scope, key, task)
            else:
                self._driver(scope, key, parent)
                self._one(f"{scope}.{key}", self._last_pod, key, task)
            done[key] = self._last_pod

    def _one(self, name: str, parent: str, key: str, task: Record) -> None:
        component = self._spec["components"][task["componentRef"]["name"]]
        own = self._graph_node(name, parent)
        if "dag" not in component:
            impl = "system-container-impl"
            template = f"retry-{impl}" if "retryPolicy" in task else impl
            return self._pod(f"{own}.executor", own, key, template)
        if "parameterIterator" not in task:
            return self._tasks(own, component)
        self._driver(own, "iteration")
        group = self._add(f"{own}.iteration-iterations", self._last_pod)
        for number in range(2):
            item = self._graph_node(f"{group}({number}:{number})", group)
            self._driver(item, "iteration-item")
            self._tasks(self._graph_node(f"{item}.iteration-item", self._last_pod), component)
        return None


def _within(name: str, other: str) -> bool:
    """Whether a node is in another one, or one of its tries."""
    return name.startswith((f"{other}.", f"{other}("))


def _text(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _hash(text: str) -> int:
    """FNV-1a, as Argo's NodeID has it."""
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) % 2**32
    return value
