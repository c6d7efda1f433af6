"""What the driver of KFP 2.17.0 makes of a compiled pipeline, restated from its source in Go.

No cluster is needed, and nothing is trained: a step "runs" by leaving outputs of the names and
types that it declares. Line numbers are those of kubeflow/pipelines at tag 2.17.0; the rules that
surprise are told in docs/decisions.md.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Node = dict[str, Any]
# backend/src/v2/driver/util.go:41: not anchored, so text around the placeholder is dropped.
_CHANNEL = re.compile(r"\$.inputs.parameters\['(.+?)'\]")
_OUTPUTS: Node = {
    "STRING": "text",
    "NUMBER_INTEGER": 1.0,
    "NUMBER_DOUBLE": 0.5,
    "BOOLEAN": True,
    "LIST": ["item"],
    "STRUCT": {"key": "value"},
}
_TYPES = {
    "STRING": str,
    "NUMBER_INTEGER": float,
    "NUMBER_DOUBLE": float,
    "BOOLEAN": bool,
    "LIST": list,
    "STRUCT": dict,
}
# manifests/kustomize/third-party/argo/base/workflow-controller-configmap-patch.yaml:50-60, which
# Argo merges into every workflow that does not say otherwise.
WORKFLOW_DEFAULTS: Node = {
    "ttlStrategy": dict.fromkeys(
        ("secondsAfterCompletion", "secondsAfterSuccess", "secondsAfterFailure"), 3600
    ),
    "retryPolicy": "OnError",
}


class DriverError(Exception):
    """A driver pod fails, and with it the run."""


class RefusedError(Exception):
    """The API server refuses to start the run."""


@dataclass(frozen=True)
class Pod:
    """The pod of a step: its task, and what the driver's patch and Kubernetes make it ask for."""

    task: str
    image: str
    limits: Mapping[str, str]
    requests: Mapping[str, str]


@dataclass
class _Dag:
    """A graph that runs: its inputs, and its tasks so far by name."""

    parameters: Node
    artifacts: Node
    tasks: dict[str, "_Ended"] = field(default_factory=dict)


@dataclass(frozen=True)
class _Ended:
    parameters: Node
    artifacts: Node


def run(spec: Node, parameters: Mapping[str, Any]) -> list[Pod]:
    """The pods of all steps of a run, in the order of their start.

    Raises:
        RefusedError: a parameter is missing, unknown or of another type.
        DriverError: a driver fails; with the driver's own words.
    """
    root = spec["root"]
    given = _root_parameters(root, json.loads(json.dumps(parameters), parse_int=float))
    pods: list[Pod] = []
    _graph(spec, root, _Dag(given, {}), pods)
    return pods


def ttl_s(platform: Node, outcome: str) -> int:
    """Seconds after which Argo removes a workflow that ended as `outcome`, such as ``Failed``.

    backend/src/v2/compiler/argocompiler/argo.go, buildTTLStrategy: only positive values are set.
    Argo (workflow/gccontroller) asks the field of the outcome first; ``Error`` has none.
    """
    config = platform["platforms"]["kubernetes"].get("pipelineConfig", {})
    names = {
        "secondsAfterCompletion": "resourceTtlOnCompletion",
        "secondsAfterSuccess": "resourceTtlOnSuccess",
        "secondsAfterFailure": "resourceTtlOnFailure",
    }
    said = {name: int(config.get(key, 0)) for name, key in names.items()}
    merged = WORKFLOW_DEFAULTS["ttlStrategy"] | {k: v for k, v in said.items() if v > 0}
    owns = {"Succeeded": "secondsAfterSuccess", "Failed": "secondsAfterFailure"}
    own = owns.get(outcome, "secondsAfterCompletion")
    return int(merged.get(own, merged["secondsAfterCompletion"]))


def _root_parameters(root: Node, given: Node) -> Node:
    """backend/src/apiserver/template/v2_template.go:440-530 and argocompiler/argo.go:85-97."""
    declared = root.get("inputDefinitions", {}).get("parameters", {})
    if unknown := set(given) - set(declared):
        raise RefusedError(
            f"parameter(s) provided are not required by pipeline: {', '.join(sorted(unknown))}"
        )
    for name, item in declared.items():
        if name in given:
            if not isinstance(given[name], _TYPES[item["parameterType"]]):
                raise RefusedError(
                    f"input parameter {name} requires type {item['parameterType']}, but the "
                    f"parameter value is {given[name]!r}"
                )
        elif "defaultValue" in item:
            given[name] = item["defaultValue"]
        elif item.get("isOptional"):
            given[name] = None
        else:
            raise RefusedError(f"parameter {name} is not optional, yet has no default value")
    return given


def _graph(spec: Node, component: Node, dag: _Dag, pods: list[Pod]) -> _Ended:
    """Run the tasks of a graph as their dependencies allow; give what it leaves."""
    tasks = dict(component["dag"]["tasks"])
    while tasks:
        ready = [
            name for name in tasks if not set(tasks[name].get("dependentTasks", [])) & set(tasks)
        ]
        if not ready:
            raise DriverError(f"tasks wait for each other: {', '.join(tasks)}")
        for name in ready:
            dag.tasks[name] = _task(spec, name, tasks.pop(name), dag, pods)
    return _outputs(component["dag"].get("outputs", {}), dag)


def _task(spec: Node, name: str, task: Node, dag: _Dag, pods: list[Pod]) -> _Ended:
    component = spec["components"][task["componentRef"]["name"]]
    if "artifactIterator" in task:  # dag.go:146
        raise DriverError("ArtifactIterator is not implemented")
    parameters, artifacts = _resolve(task, component, dag)
    if "dag" not in component:
        _check_types(component, parameters)
        pods.append(_pod(spec, name, task, component, parameters))
        return _made(component, name)
    if "parameterIterator" in task:
        return _loop(spec, task, component, _Dag(parameters, artifacts), pods)
    _check_types(component, parameters)
    return _graph(spec, component, _Dag(parameters, artifacts), pods)


def _resolve(task: Node, component: Node, dag: _Dag) -> tuple[Node, Node]:
    """resolve.go:313-375: the defaults of optional inputs of a graph, then what the task says."""
    inputs, declared = task.get("inputs", {}), component.get("inputDefinitions", {})
    parameters: Node = {}
    for name, item in declared.get("parameters", {}).items() if "dag" in component else ():
        if name not in inputs.get("parameters", {}) and item.get("isOptional"):
            parameters[name] = item.get("defaultValue")
    for name, source in inputs.get("parameters", {}).items():
        value = _parameter(source, dag)
        if value is not None:
            parameters[name] = value
        elif not declared.get("parameters", {}).get(name, {}).get("isOptional"):
            raise DriverError(f"the resolved input parameter is null: {name}")
    artifacts = {
        name: _artifact(source, dag) for name, source in inputs.get("artifacts", {}).items()
    }
    return parameters, artifacts


def _parameter(source: Node, dag: _Dag) -> Any:
    """resolve.go:378-448."""
    if "componentInputParameter" in source:
        name = source["componentInputParameter"]
        if name not in dag.parameters:
            raise DriverError(f"parent DAG does not have input parameter {name}")
        value = dag.parameters[name]
    elif output := source.get("taskOutputParameter"):
        made = _producer(output["producerTask"], dag).parameters
        value = made[output["outputParameterKey"]]
    else:
        value = source["runtimeValue"]["constant"]
    if selector := source.get("parameterExpressionSelector"):
        found = re.fullmatch(r'parseJson\(string_value\)\["(.+)"\]', selector)
        assert found, f"not restated here: {selector}"
        value = (json.loads(value) if isinstance(value, str) else value)[found[1]]
    return value


def _artifact(source: Node, dag: _Dag) -> list[str]:
    """resolve.go:543-567."""
    if "componentInputArtifact" in source:
        name = source["componentInputArtifact"]
        if name not in dag.artifacts:
            raise DriverError(f"parent DAG does not have input artifact {name}")
        return list(dag.artifacts[name])
    output = source["taskOutputArtifact"]
    return list(_producer(output["producerTask"], dag).artifacts[output["outputArtifactKey"]])


def _producer(name: str, dag: _Dag) -> _Ended:
    if name not in dag.tasks:
        raise DriverError(f"cannot find producer task {name!r}")
    return dag.tasks[name]


def _loop(spec: Node, task: Node, component: Node, dag: _Dag, pods: list[Pod]) -> _Ended:
    """The driver of a loop (dag.go:150-190) and one of each round (resolve.go:268-304)."""
    iterator = task["parameterIterator"]
    _check_types(component, dag.parameters, hidden=iterator["itemInput"])
    items_input = iterator["items"].get("inputParameter", "")
    if items_input and items_input not in dag.parameters:
        raise DriverError(f"iterating on item input {iterator['itemInput']!r} failed")
    listed = dag.parameters[items_input] if items_input else iterator["items"]["raw"]
    rounds: list[_Ended] = []
    for item in json.loads(listed) if isinstance(listed, str) else listed:
        # delete(inputs.ParameterValues, itemsInput): the body does not see the list.
        kept = {name: value for name, value in dag.parameters.items() if name != items_input}
        inside = _Dag({**kept, iterator["itemInput"]: item}, dag.artifacts)
        _check_types(component, inside.parameters, hidden=items_input)
        rounds.append(_graph(spec, component, inside, pods))
    outputs = component["dag"].get("outputs", {})
    return _Ended(
        {name: [one.parameters[name] for one in rounds] for name in outputs.get("parameters", {})},
        {
            name: [uri for one in rounds for uri in one.artifacts[name]]
            for name in outputs.get("artifacts", {})
        },
    )


def _check_types(component: Node, parameters: Node, hidden: str = "") -> None:
    """resolve.go:169-255: what is declared must be there, and of its type; texts are made."""
    for name, item in component.get("inputDefinitions", {}).get("parameters", {}).items():
        if name == hidden:
            continue
        if name not in parameters:
            if not item.get("isOptional") and "defaultValue" not in item:
                raise DriverError(
                    f"neither value nor default value provided for non-optional parameter {name!r}"
                )
            continue
        kind, value = item["parameterType"], parameters[name]
        if kind == "STRING" and not isinstance(value, str) and value is not None:
            parameters[name] = _text(value)
        elif value is not None and not isinstance(value, _TYPES[kind]):
            raise DriverError(
                f"input parameter {name!r} type mismatch: expect {kind}, got {type(value).__name__}"
            )


def _text(value: Any) -> str:
    """metadata.PbValueToText."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return json.dumps(value)


def _made(component: Node, name: str) -> _Ended:
    declared = component.get("outputDefinitions", {})
    return _Ended(
        {
            key: _OUTPUTS[item["parameterType"]]
            for key, item in declared.get("parameters", {}).items()
        },
        {key: [f"{name}/{key}"] for key in declared.get("artifacts", {})},
    )


def _outputs(outputs: Node, dag: _Dag) -> _Ended:
    parameters = {}
    for name, item in outputs.get("parameters", {}).items():
        source = item["valueFromParameter"]
        made = _producer(source["producerSubtask"], dag).parameters
        parameters[name] = made[source["outputParameterKey"]]
    artifacts = {
        name: [
            uri
            for selector in item["artifactSelectors"]
            for uri in _producer(selector["producerSubtask"], dag).artifacts[
                selector["outputArtifactKey"]
            ]
        ]
        for name, item in outputs.get("artifacts", {}).items()
    }
    return _Ended(parameters, artifacts)


def _pod(spec: Node, name: str, task: Node, component: Node, parameters: Node) -> Pod:
    """driver.go:252-450 (initPodSpecPatch), and the API server's defaults for what it asks for."""
    executor = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
    asked = executor.get("resources", {})
    limits, requests = dict(_resources(asked, parameters, "Limit")), {}
    requests |= dict(_resources(asked, parameters, "Request"))
    if accelerator := asked.get("accelerator"):  # driver.go:407-443
        kind = _text_of(accelerator.get("resourceType") or accelerator.get("type", ""), parameters)
        count = _text_of(accelerator.get("resourceCount", ""), parameters)
        if not accelerator.get("resourceCount") and int(accelerator.get("count", 0)) > 0:
            count = str(int(accelerator["count"]))
        if kind and count:  # otherwise it is left out without a word
            limits[kind] = _quantity(count)
    # Kubernetes, pkg/apis/core/v1/defaults.go, SetDefaults_Pod: a limit without a request is one.
    return Pod(name, _text_of(executor["image"], parameters), limits, {**limits, **requests})


def _resources(asked: Node, parameters: Node, what: str) -> Iterator[tuple[str, str]]:
    for name in ("cpu", "memory"):
        text = asked.get(f"resource{name.capitalize()}{what}", "")
        if text:  # driver.go:170-197, getPodResource
            yield name, _quantity(_text_of(text, parameters))


def _text_of(text: str, parameters: Node) -> str:
    """resolve.go:818-831, resolvePodSpecInputRuntimeParameter.

    ``GetStringValue()`` of a value that is no text is the empty text.
    """
    found = _CHANNEL.search(text)
    if not found:
        return text
    if found[1] not in parameters:
        raise DriverError("executorInput did not contain container Image input parameter")
    value = parameters[found[1]]
    return value if isinstance(value, str) else ""


def _quantity(text: str) -> str:
    """apimachinery's resource.ParseQuantity, as far as it is needed."""
    if not re.fullmatch(r"[+-]?\d+(\.\d*)?([mkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?", text):
        raise DriverError(
            f"quantities must match the regular expression '^([+-]?[0-9.]+)...': {text!r}"
        )
    return text
