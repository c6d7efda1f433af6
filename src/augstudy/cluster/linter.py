"""Finds what would fail on a cluster in a compiled pipeline, before anything is submitted.

KFP's compiler accepts a GPU count from a pipeline parameter inside a loop and writes a reference
that no enclosing graph provides. It accepts a list that is looped over inside the loop, where KFP's
driver hides it, and a count of accelerators that is a number, which the driver drops. All of these
run on one machine.
"""

import json
from collections.abc import Iterator
from typing import Any

from augstudy.cluster.ir import PLACEHOLDER, Node, graphs, pod_settings

_KINDS = (("parameters", "Parameter"), ("artifacts", "Artifact"))


def problems(spec: Node, platform: Node | None = None) -> list[str]:
    """All in a compiled pipeline that could only fail on a cluster, one sentence each.

    References that lead nowhere, and traps of the driver of KFP 2.17, see docs/decisions.md.
    """
    found: list[str] = []
    settings = _executor_settings(spec, platform or {})
    for name, component in graphs(spec):
        for task_name, task in component["dag"].get("tasks", {}).items():
            where = f"task {task_name!r} of {name}"
            found += [f"{where} {text}" for text in _task_problems(spec, component, task)]
            wanted = settings.get(task["componentRef"]["name"], set())
            given = set(task.get("inputs", {}).get("parameters", {}))
            found += [
                f"{where} has a setting that reads parameter {item!r}, which it does not receive."
                for item in sorted(wanted - given)
            ]
            found += [f"{where} {text}" for text in _pod_problems(spec, component, task)]
            found += _hidden_items(spec, task_name, task)
    return found


def _task_problems(spec: Node, graph: Node, task: Node) -> Iterator[str]:
    for kind, suffix in _KINDS:
        provided = graph.get("inputDefinitions", {}).get(kind, {})
        for name, source in task.get("inputs", {}).get(kind, {}).items():
            wanted = source.get(f"componentInput{suffix}")
            if wanted is not None and wanted not in provided:
                yield f"reads {kind[:-1]} {wanted!r} as {name!r}, which nothing provides."
            yield from _output_problems(spec, graph, source.get(f"taskOutput{suffix}"), kind)
    yield from _missing_dependencies(task)
    yield from _iterator_problems(task)


def _output_problems(spec: Node, graph: Node, source: Node | None, kind: str) -> Iterator[str]:
    if source is None:
        return
    producer = graph["dag"]["tasks"].get(source["producerTask"])
    if producer is None:
        yield f"waits for task {source['producerTask']!r}, which does not exist."
        return
    made = spec["components"][producer["componentRef"]["name"]].get("outputDefinitions", {})
    key = source.get("outputParameterKey") or source.get("outputArtifactKey")
    if key not in made.get(kind, {}):
        yield f"reads output {key!r} of {source['producerTask']!r}, which has no such output."


def _missing_dependencies(task: Node) -> Iterator[str]:
    waits = set(task.get("dependentTasks", []))
    for kind, suffix in _KINDS:
        for source in task.get("inputs", {}).get(kind, {}).values():
            producer = source.get(f"taskOutput{suffix}", {}).get("producerTask")
            if producer is not None and producer not in waits:
                yield f"reads an output of {producer!r} without waiting for it."


def _iterator_problems(task: Node) -> Iterator[str]:
    for kind in ("parameterIterator", "artifactIterator"):
        items = task.get(kind, {}).get("items", {})
        name = items.get("inputParameter") or items.get("inputArtifact")
        given = task.get("inputs", {})
        if name and name not in {**given.get("parameters", {}), **given.get("artifacts", {})}:
            yield f"loops over {name!r}, which it does not receive."


def _hidden_items(spec: Node, loop: str, task: Node) -> Iterator[str]:
    """Tasks in the body of a loop that read the very list that is looped over."""
    body = spec["components"][task["componentRef"]["name"]].get("dag", {})
    for kind, suffix in _KINDS:
        items = task.get(f"{kind[:-1]}Iterator", {}).get("items", {}).get(f"input{suffix}")
        for name, inner in body.get("tasks", {}).items() if items else ():
            for source in inner.get("inputs", {}).get(kind, {}).values():
                if source.get(f"componentInput{suffix}") == items:
                    yield (
                        f"task {name!r} in loop {loop!r} reads {kind[:-1]} {items!r}, the list "
                        "looped over, which KFP hides there: give it a second parameter, or items "
                        "that carry what it needs."
                    )


def _pod_problems(spec: Node, graph: Node, task: Node) -> Iterator[str]:
    """What a pod asks for by a parameter that is no text, which KFP takes for an empty one."""
    component = spec["components"][task["componentRef"]["name"]]
    declared = component.get("inputDefinitions", {}).get("parameters", {})
    given = task.get("inputs", {}).get("parameters", {})
    for setting, text in pod_settings(spec, component):
        for name in PLACEHOLDER.findall(text):
            kind = declared.get(name, {}).get("parameterType")
            kind = kind or _kind(spec, graph, given.get(name, {}))
            if kind not in (None, "STRING"):
                yield (
                    f"takes its {setting} from {name!r}, a {kind}: KFP's driver reads texts only, "
                    "and would ask for nothing. Make it a STRING (str)."
                )


def _kind(spec: Node, graph: Node, source: Node) -> str | None:
    """The type of what a parameter of a task comes from, None if it cannot be told."""
    if "runtimeValue" in source:
        text = isinstance(source["runtimeValue"].get("constant"), str)
        return "STRING" if text else "constant that is no text"
    if output := source.get("taskOutputParameter"):
        producer = graph["dag"]["tasks"].get(output["producerTask"])
        made = spec["components"][producer["componentRef"]["name"]] if producer else {}
        known = made.get("outputDefinitions", {}).get("parameters", {})
        found = known.get(output.get("outputParameterKey"), {})
    else:
        known = graph.get("inputDefinitions", {}).get("parameters", {})
        found = known.get(source.get("componentInputParameter"), {})
    kind: str | None = found.get("parameterType")
    return kind


def _executor_settings(spec: Node, platform: Node) -> dict[str, set[str]]:
    """Parameters that the container and platform settings of each component refer to."""
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    kubernetes = platform.get("platforms", {}).get("kubernetes", {})
    extra = kubernetes.get("deploymentSpec", {}).get("executors", {})
    wanted: dict[str, set[str]] = {}
    for name, component in spec.get("components", {}).items():
        label = component.get("executorLabel")
        container = executors.get(label, {}).get("container", {})
        text = json.dumps({key: container.get(key) for key in ("image", "resources", "env")})
        names = set(PLACEHOLDER.findall(text)) | set(_component_inputs(extra.get(label, {})))
        wanted[name] = names - set(component.get("inputDefinitions", {}).get("parameters", {}))
    return wanted


def _component_inputs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "componentInputParameter" and isinstance(item, str):
                yield item
            yield from _component_inputs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _component_inputs(item)
