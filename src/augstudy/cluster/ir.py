"""Reads compiled pipelines: their steps, what those ask for, and how many there are.

It works on the parsed YAML, without importing KFP.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from augstudy.core.errors import InputError

Node = dict[str, Any]
PLACEHOLDER = re.compile(r"\{\{\$\.inputs\.parameters\['([^']+)'\]\}\}")


def load(path: Path) -> tuple[Node, Node]:
    """The pipeline specification and the platform specification (may be empty) of a YAML file.

    Raises:
        InputError: the file is missing or is no compiled pipeline.
    """
    try:
        documents = list(yaml.safe_load_all(path.read_bytes()))
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read as a compiled pipeline: {error}.") from error
    if not documents or not isinstance(documents[0], dict) or "root" not in documents[0]:
        raise InputError(f"{path} is not a compiled pipeline: make one with 'augstudy compile'.")
    return documents[0], documents[1] if len(documents) > 1 else {}


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


def as_declared(spec: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters`, with numbers written as text where the pipeline declares text.

    YAML and command lines make a number of ``1``, which KFP's API refuses for a text.
    """
    declared = inner(spec).get("root", {}).get("inputDefinitions", {}).get("parameters", {})

    def value(name: str, given: Any) -> Any:
        number = isinstance(given, int | float) and not isinstance(given, bool)
        text = declared.get(name, {}).get("parameterType") == "STRING"
        return json.dumps(given) if number and text else given

    return {name: value(name, given) for name, given in parameters.items()}


def disable_caching(spec: Node) -> None:
    """Let no step of a compiled pipeline take over the outputs of an earlier run."""
    for _, component in graphs(spec):
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


def steps(spec: Node, parameters: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Every step, the rounds of a loop once, with what its pod asks for: image, cpu, memory ...

    Names are those of the compiled pipeline, such as ``resourceCpuLimit`` or ``resourceCount``. A
    parameter stands with its value, or with ``?`` where only a run can tell it.
    """
    yield from _steps(spec, spec["root"], {**_defaults(spec), **parameters})


def _steps(
    spec: Node, dag: Node, values: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, str]]]:
    for name, task in dag["dag"].get("tasks", {}).items():
        component = spec["components"][task["componentRef"]["name"]]
        given = {
            item: _value(source, values)
            for item, source in task.get("inputs", {}).get("parameters", {}).items()
        }
        if "dag" in component:
            yield from _steps(spec, component, given)
        elif "executorLabel" in component:
            shown = task.get("taskInfo", {}).get("name", name)
            asked = pod_settings(spec, component)
            yield shown, {setting: _filled_in(text, given) for setting, text in asked}


def _filled_in(text: str, values: Mapping[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        known = values.get(found[1])
        return "?" if known is None else str(known)

    return PLACEHOLDER.sub(value, text)


def _defaults(spec: Node) -> dict[str, Any]:
    definitions = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    return {name: item.get("defaultValue") for name, item in definitions.items()}


def graphs(spec: Node) -> Iterator[tuple[str, Node]]:
    """The pipeline and the graphs inside it, each with words for where it is."""
    yield "the pipeline", spec["root"]
    for name, component in spec.get("components", {}).items():
        if "dag" in component:
            yield f"{name!r}", component


def pod_settings(spec: Node, component: Node) -> Iterator[tuple[str, str]]:
    """What a step asks of its node, as KFP's names and texts; parameters are placeholders."""
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    container = executors.get(component.get("executorLabel"), {}).get("container", {})
    asked = {"image": container.get("image", ""), **container.get("resources", {})}
    asked |= asked.pop("accelerator", {})
    yield from ((name, str(value)) for name, value in asked.items())


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
