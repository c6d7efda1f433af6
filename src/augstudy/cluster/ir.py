"""Reads compiled pipelines: finds references to nothing, and counts steps.

KFP's compiler accepts a GPU count from a pipeline parameter inside a loop and writes a reference
that no enclosing graph provides; the run then fails on the cluster. :func:`problems` finds these
before anything is submitted. It works on the parsed YAML, without importing KFP.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from augstudy.core.errors import InputError

Node = dict[str, Any]
_PLACEHOLDER = re.compile(r"\{\{\$\.inputs\.parameters\['([^']+)'\]\}\}")
_KINDS = (("parameters", "Parameter"), ("artifacts", "Artifact"))


def load(path: Path) -> tuple[Node, Node]:
    """The pipeline specification and the platform specification (may be empty) of a YAML file.

    Raises:
        InputError: the file is missing or is no compiled pipeline.
    """
    try:
        documents = list(yaml.safe_load_all(path.read_text()))
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read as a compiled pipeline: {error}.") from error
    if not documents or not isinstance(documents[0], dict) or "root" not in documents[0]:
        raise InputError(f"{path} is not a compiled pipeline: make one with 'augstudy compile'.")
    return documents[0], documents[1] if len(documents) > 1 else {}


def problems(spec: Node, platform: Node | None = None) -> list[str]:
    """Every reference in a compiled pipeline that leads nowhere, one sentence each."""
    found: list[str] = []
    settings = _executor_settings(spec, platform or {})
    for name, component in _graphs(spec):
        for task_name, task in component["dag"].get("tasks", {}).items():
            where = f"task {task_name!r} of {name}"
            found += [f"{where} {text}" for text in _task_problems(spec, component, task)]
            wanted = settings.get(task["componentRef"]["name"], set())
            given = set(task.get("inputs", {}).get("parameters", {}))
            found += [
                f"{where} has a setting that reads parameter {item!r}, which it does not receive."
                for item in sorted(wanted - given)
            ]
    return found


def inner(spec: Any) -> Node:
    """A compiled pipeline without its platform; empty if it is none."""
    found = spec.get("pipeline_spec", spec) if isinstance(spec, dict) else {}
    return found if isinstance(found, dict) else {}


def name_of(spec: Any) -> str:
    """The name of a compiled pipeline, with or without its platform; empty if it has none."""
    return str(inner(spec).get("pipelineInfo", {}).get("name", ""))


def defaults(spec: Any) -> dict[str, Any]:
    """The defaults of a pipeline's parameters, with or without its platform."""
    return _defaults(inner(spec)) if "root" in inner(spec) else {}


def executors(spec: Node) -> Iterator[tuple[str, str]]:
    """The name that KFP shows of each step, and the label of its executor."""
    for _, component in _graphs(spec) if "root" in spec else ():
        for name, task in component["dag"].get("tasks", {}).items():
            label = spec["components"][task["componentRef"]["name"]].get("executorLabel")
            if label:
                yield task.get("taskInfo", {}).get("name", name), label


def step_names(spec: Node) -> set[str]:
    """Names of the tasks that are steps (containers), as KFP shows them."""
    return {
        task.get("taskInfo", {}).get("name", name)
        for _, component in _graphs(spec)
        for name, task in component["dag"].get("tasks", {}).items()
        if "dag" not in spec["components"][task["componentRef"]["name"]]
    }


def disable_caching(spec: Node) -> None:
    """Let no step of a compiled pipeline take over the outputs of an earlier run."""
    for _, component in _graphs(spec):
        for task in component["dag"].get("tasks", {}).values():
            task["cachingOptions"] = {}


def count_steps(spec: Node, parameters: Mapping[str, Any]) -> int:
    """How many steps (containers) a run will have, given the pipeline's parameters.

    Branches of conditions count as taken; loops over the output of a step count once.
    """
    return _count(spec, spec["root"], {**_defaults(spec), **parameters}, step=1, graph=0)


def count_pods(spec: Node, parameters: Mapping[str, Any]) -> int:
    """How many pods a run will start on a cluster, given the pipeline's parameters.

    Two a step (driver and executor), and a driver for the run itself, every nested pipeline, every
    loop and every round of a loop, as KFP 2.17 has it (backend/src/v2/compiler/argocompiler).
    """
    return 1 + _count(spec, spec["root"], {**_defaults(spec), **parameters}, step=2, graph=1)


def _defaults(spec: Node) -> dict[str, Any]:
    definitions = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    return {name: item.get("defaultValue") for name, item in definitions.items()}


def _graphs(spec: Node) -> Iterator[tuple[str, Node]]:
    yield "the pipeline", spec["root"]
    for name, component in spec.get("components", {}).items():
        if "dag" in component:
            yield f"{name!r}", component


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
        names = set(_PLACEHOLDER.findall(text)) | set(_component_inputs(extra.get(label, {})))
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


def _count(spec: Node, dag: Node, values: Mapping[str, Any], *, step: int, graph: int) -> int:
    """What the tasks of a graph cost: `step` each, `graph` for every graph inside it."""
    total = 0
    for task in dag["dag"].get("tasks", {}).values():
        component = spec["components"][task["componentRef"]["name"]]
        if "dag" not in component:
            total += step
            continue
        inner = {
            name: _value(source, values)
            for name, source in task.get("inputs", {}).get("parameters", {}).items()
        }
        rounds = _rounds(task, inner)
        content = _count(spec, component, inner, step=step, graph=graph)
        total += graph + content if rounds is None else graph + rounds * (graph + content)
    return total


def _value(source: Node, values: Mapping[str, Any]) -> Any:
    if "runtimeValue" in source:
        return source["runtimeValue"].get("constant")
    return values.get(source.get("componentInputParameter", ""))


def _rounds(task: Node, values: Mapping[str, Any]) -> int | None:
    """Rounds of a loop, 1 if they are not known; None if the task is no loop."""
    items = task.get("parameterIterator", {}).get("items")
    if items is None:
        return None
    raw = items["raw"] if "raw" in items else values.get(items.get("inputParameter", ""))
    content = json.loads(raw) if isinstance(raw, str) else raw
    return len(content) if isinstance(content, list) else 1
