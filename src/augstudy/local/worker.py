"""The process that runs a pipeline with ``kfp.local``; started by :mod:`augstudy.local.runner`.

KFP prints to standard output, replaces ``print`` from two threads at once, changes the logging
level and leaves temporary folders. In a process of its own, whose output goes to ``run.log`` and
whose temporary folder is removed with it, none of that reaches the caller.
"""

import contextlib
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augstudy.core import outlets
from augstudy.core.stopping import end_with_parent


def main(request: str) -> None:
    """Run the pipeline that the JSON text `request` describes."""
    asked: dict[str, Any] = json.loads(request)
    from google.protobuf import json_format
    from kfp import local

    from augstudy.cluster.ir import count_steps
    from augstudy.core.telemetry import Stage
    from augstudy.local import catalog

    pipeline = catalog.load(asked["pipeline"])
    spec = json_format.MessageToDict(pipeline.pipeline_spec)
    Stage("plan", "").event("plan", steps=count_steps(spec, asked["parameters"]))
    Path(asked["root"]).mkdir(parents=True, exist_ok=True)
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=asked["root"])
    with _warm_steps() if _is_ours(asked["pipeline"]) else contextlib.nullcontext():
        pipeline(**asked["parameters"])


def _is_ours(pipeline: str) -> bool:
    """Whether it is a pipeline of this project: those of others may need none of our libraries."""
    return not pipeline.endswith(".py") and sys.platform == "linux"


@contextlib.contextmanager
def _warm_steps() -> Iterator[None]:
    """Let KFP start its steps from a process that has imported their libraries already."""
    from kfp.local import subprocess_task_handler as kfp

    from augstudy.local.warm import Nursery, can_run

    usual = kfp.run_local_subprocess
    with Nursery() as nursery:

        def start(full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
            begin = nursery.run if can_run(full_command) else usual
            return int(begin(full_command, env_vars))

        kfp.run_local_subprocess = start
        yield


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    line = sys.stdin.readline()
    end_with_parent()
    with outlets.guarded():
        try:
            main(line)
        except Exception:
            # Python itself would write it past the guard.
            traceback.print_exc()
            sys.exit(1)
