"""What a run reserved on a cluster: the time of each step, times its processors and GPUs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from augstudy.cluster import ir, steps

_PARAMETER = re.compile(r"\{\{\$\.inputs\.parameters\['(?:pipelinechannel--)?([^']+)'\]\}\}")


def reserved(run: Any, spec: Any, parameters: Mapping[str, Any]) -> dict[str, float]:
    """Processor and GPU seconds, ``cpu_s`` and ``gpu_s``; nothing where KFP told no times.

    Args:
        run: A run as KFP's API describes it.
        spec: The compiled pipeline, with or without its platform.
        parameters: Those of the run; the number of GPUs may be one of them.
    """
    needs = dict(_needs(ir.inner(spec)))
    values = {**ir.defaults(spec), **parameters}
    found = {"cpu_s": 0.0, "gpu_s": 0.0}
    told = False
    for task in getattr(run.run_details, "task_details", None) or []:
        if task.display_name in needs and task.start_time and task.end_time:
            told = True
            seconds = max(0.0, (task.end_time - task.start_time).total_seconds())
            asked = needs[task.display_name]
            found["cpu_s"] += seconds * _number(asked.get("cpuLimit"), values, default=1)
            accelerator = asked.get("accelerator", {})
            count = accelerator.get("resourceCount", accelerator.get("count"))
            found["gpu_s"] += seconds * _number(count, values, default=0)
    return {name: round(value, 1) for name, value in found.items()} if told else {}


def _needs(spec: ir.Node) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The resources of each step, by the key of its task, which is what KFP's API calls it."""
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    for key, step in steps.read(spec).steps.items():
        yield key, executors.get(step.executor, {}).get("container", {}).get("resources", {})


def _number(value: Any, parameters: Mapping[str, Any], default: float) -> float:
    """A number that the pipeline fixed, or that is a parameter of the run."""
    if isinstance(value, str) and (named := _PARAMETER.fullmatch(value)):
        value = parameters.get(named.group(1))
    try:
        return float(value)
    except (TypeError, ValueError):
        return default
