"""Submits a pipeline: compiles it, uploads what KFP does not have yet, starts one run per level."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from augstudy.cluster import ir, steps
from augstudy.cluster.compile import compile_pipeline
from augstudy.cluster.kfp_api import Server, Version
from augstudy.cluster.steps import Steps
from augstudy.settings.arms import Arm
from augstudy.settings.base import parse
from augstudy.settings.sets import of_study

_HASH = 12
_NAMED = 4  # arms in the name of a run


@dataclass(frozen=True)
class Compiled:
    """A compiled pipeline and the name of its version, which changes with its content."""

    name: str
    description: str
    version: str
    file: Path
    steps: Steps


@dataclass(frozen=True)
class Submitted:
    """A run that was started."""

    run_id: str
    name: str
    link: str


Say = Callable[[str], None]


def compiled(pipeline: Any, folder: Path, caching: bool = True) -> Compiled:
    """Compile a loaded pipeline into `folder`.

    Args:
        pipeline: What :func:`augstudy.local.catalog.load` gives.
        folder: Where the YAML file goes.
        caching: Whether KFP may take over the outputs of equal steps of earlier runs.
    """
    file = folder / "pipeline.yaml"
    compile_pipeline(pipeline, file, caching=caching)
    spec, platform = ir.load(file)
    info = spec["pipelineInfo"]
    return Compiled(
        name=info["name"],
        description=info.get("description", ""),
        version=f"{info['name']}-{_content(spec, platform)}",
        file=file,
        steps=steps.read(spec, platform),
    )


def upload(server: Server, made: Compiled, say: Say) -> Version:
    """The version of `made` on the server, uploaded unless an equal one is there."""
    pipeline_id = server.find_pipeline(made.name)
    known = server.find_version(pipeline_id, made.version) if pipeline_id else None
    if known:
        say(f"Version {made.version} is there already: nothing to upload.")
        return known
    pipeline_id = pipeline_id or server.create_pipeline(made.name, made.description)
    uploaded = server.upload_version(pipeline_id, made.version, made.file)
    say(f"Uploaded version {made.version}.")
    return uploaded


def experiment(server: Server, name: str, say: Say) -> str:
    """The id of the experiment `name`, created if there is none."""
    found = server.find_experiment(name)
    if found:
        return found
    made = server.create_experiment(name)
    say(f"Created experiment {name}.")
    return made


def prepare(
    server: Server, pipeline: Any, experiment_name: str, caching: bool, say: Say
) -> tuple[Compiled, Version, str]:
    """Compile and upload `pipeline`, and see to its experiment; what a run or a schedule needs.

    Args:
        server: Where.
        pipeline: A loaded pipeline.
        experiment_name: The experiment; its default is the name of the pipeline.
        caching: See :func:`compiled`.
        say: Is told what happens, a sentence at a time.

    Returns:
        The compiled pipeline, its version on the server, and the id of the experiment.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = compiled(pipeline, Path(folder), caching)
        version = upload(server, made, say)
    return made, version, experiment(server, experiment_name or made.name, say)


def submit(
    server: Server,
    pipeline: Any,
    runs: Sequence[Mapping[str, Any]],
    *,
    label: str,
    experiment_name: str,
    caching: bool,
    say: Say,
) -> tuple[list[Submitted], Steps]:
    """Start one run for each of the parameter sets `runs`.

    Args:
        server: Where.
        pipeline: A loaded pipeline.
        runs: All parameters of each run, already checked.
        label: First words of the runs' names, such as the preset.
        experiment_name: The experiment; its default is the name of the pipeline.
        caching: See :func:`compiled`.
        say: Is told what happens, a sentence at a time.

    Returns:
        The runs, and the pipeline's steps, for following them.
    """
    made, version, parent = prepare(server, pipeline, experiment_name, caching, say)
    moment = datetime.now().strftime("%Y-%m-%d %H:%M")
    started = []
    for parameters in runs:
        name = " ".join(filter(None, (label or made.name, about(parameters), moment)))
        run_id = server.create_run(name, parent, version, parameters)
        link = server.run_link(run_id)
        say(f"Started {name}: {link}")
        started.append(Submitted(run_id, name, link))
    return started, made.steps


def about(parameters: Mapping[str, Any]) -> str:
    """What tells a run from others of its pipeline: its level, its round, and what it compares.

    Such as ``level 50 (add:1 + replace:0.3 from compact)``; of many arms the first and a count.
    """
    level = parameters.get("level") or parameters.get("train_per_class")
    arms = [parse(Arm, item, "an arm") for item in parameters.get("arms", ())]
    labels = [arm.label for arm in arms if arm.label != "real"]
    if len(labels) > _NAMED:
        labels = [*labels[:_NAMED], f"{len(labels) - _NAMED} more"]
    compared = " + ".join(labels)
    if any(arm.kind.synthetic for arm in arms):
        sets = of_study(parameters.get("sets", ()), str(parameters.get("gan", "")))
        compared += f" from {', '.join(item['set'] for item in sets)}"
    axes = parameters.get("sweep", {}).get("axes", ())
    compared = compared or " x ".join(str(axis["name"]) for axis in axes)
    told = [f"level {level}"] if level else []
    if parameters.get("looks"):
        told.append(f"{len(parameters['seeds'])} seeds")
    return " ".join([*told, f"({compared})"] if compared else told)


def _content(spec: Mapping[str, Any], platform: Mapping[str, Any]) -> str:
    """A hash of what runs; the file has a comment that differs each time it is written."""
    text = json.dumps([spec, platform], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH]
