"""Compiles pipelines for a cluster and refuses those that could only fail there."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

from augstudy.cluster import ir
from augstudy.errors import AugstudyError


def compile_pipeline(pipeline: Any, target: Path) -> None:
    """Compile a loaded pipeline to `target` (YAML); nothing is written if it has a defect.

    Raises:
        AugstudyError: the compiled pipeline refers to something that does not exist.
    """
    from kfp import compiler

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".compile-") as folder:
        draft = Path(folder) / "pipeline.yaml"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiler.Compiler().compile(pipeline, str(draft))
        found = ir.problems(*ir.load(draft))
        if found:
            raise AugstudyError(f"Pipeline {pipeline.name} would fail on a cluster: {found[0]}")
        draft.replace(target)
