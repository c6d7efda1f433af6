"""Compiles pipelines for a cluster and refuses those that could only fail there."""

import warnings
from pathlib import Path
from typing import Any

import yaml

from augstudy.cluster import ir, linter
from augstudy.core.cache import draft_beside
from augstudy.core.errors import AugstudyError
from augstudy.core.files import check_place

_RANGES = (
    ("resourceCpuRequest", "resourceCpuLimit", "CPU"),
    ("resourceMemoryRequest", "resourceMemoryLimit", "of memory"),
)


def compile_pipeline(pipeline: Any, target: Path, caching: bool = True) -> None:
    """Compile a loaded pipeline to `target` (YAML); nothing is written if it has a defect.

    Args:
        pipeline: What :func:`augstudy.local.catalog.load` gives.
        target: The file.
        caching: False compiles steps that never take over the outputs of an earlier run.

    Raises:
        AugstudyError: the compiled pipeline refers to something that does not exist.
    """
    from kfp import compiler

    check_place(target, "file")
    target.parent.mkdir(parents=True, exist_ok=True)
    with draft_beside(target) as folder:
        draft = folder / "pipeline.yaml"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiler.Compiler().compile(pipeline, str(draft))
        spec, platform = ir.load(draft)
        found = linter.problems(spec, platform)
        if found:
            raise AugstudyError(f"Pipeline {pipeline.name} would fail on a cluster: {found[0]}")
        if not caching:
            ir.disable_caching(spec)
            documents = [spec, platform] if platform else [spec]
            draft.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")
        text = draft.read_text(encoding="utf-8")
        draft.write_text(_what_steps_ask_for(spec) + text, encoding="utf-8")
        draft.replace(target)


def _what_steps_ask_for(spec: ir.Node) -> str:
    """Comments for who reads the file: below, a count of GPUs is only the name of a parameter."""
    lines = ["What each step asks of its node, where parameters have their defaults:"]
    for name, asked in ir.steps(spec, {}):
        parts = [
            f"{asked[low]} to {asked[high]} {unit}"
            for low, high, unit in _RANGES
            if asked.get(low) and asked.get(high)
        ]
        if "resourceCount" in asked:
            parts.append(f"{asked['resourceCount']} {asked.get('resourceType', 'accelerators')}")
        lines.append(f"  {name}: {', '.join(parts) or 'nothing'}")
    return "".join(f"# {line}\n" for line in lines)
