"""What each kind of step asks of the cluster: processor, memory, time, retries, and who it runs as.

Runs on one machine skip all of it (the runner sets ``AUGSTUDY_LOCAL``): KFP ignores resources
there, and a retry would only train for minutes to fail the same way again.
"""

import os
from dataclasses import dataclass

from kfp import kubernetes
from kfp.dsl import PipelineTask

USER = 65532  # the unprivileged user of the images


@dataclass(frozen=True)
class Needs:
    """Requests of a step; memory is request and limit alike, so a node is never overcommitted."""

    cpu: str
    memory: str
    timeout_s: int


LIGHT = Needs(cpu="500m", memory="2Gi", timeout_s=3600)
INFERENCE = Needs(cpu="1", memory="4Gi", timeout_s=3600)
TRAINING = Needs(cpu="2", memory="8Gi", timeout_s=24 * 3600)


def apply(task: PipelineTask, needs: Needs) -> PipelineTask:
    """Set requests, timeout, retries and the security context of a task."""
    if os.environ.get("AUGSTUDY_LOCAL"):
        return task
    task.set_cpu_request(needs.cpu)
    task.set_memory_request(needs.memory).set_memory_limit(needs.memory)
    task.set_retry(
        num_retries=2,
        backoff_duration="30s",
        backoff_factor=2.0,
        backoff_max_duration="300s",
    )
    kubernetes.set_timeout(task, needs.timeout_s)
    kubernetes.set_security_context(task, run_as_user=USER, run_as_group=USER, run_as_non_root=True)
    return task


def use_gpus(task: PipelineTask, gpus: int, gpu_type: str) -> PipelineTask:
    """Ask for accelerators.

    Both may be pipeline parameters, but then the task must sit directly in a pipeline that has
    them as inputs: inside a loop KFP compiles a reference to nothing.
    """
    if os.environ.get("AUGSTUDY_LOCAL"):
        return task
    return task.set_accelerator_type(gpu_type).set_accelerator_limit(gpus)
