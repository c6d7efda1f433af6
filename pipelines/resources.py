"""What each kind of step asks of the cluster: processor, memory, time, retries, and who it runs as.

All values come from :mod:`augstudy.cluster.settings`. Runs on one machine skip them (the runner
sets ``AUGSTUDY_LOCAL``): KFP ignores resources there, and a retry would only train for minutes to
fail the same way again.

KFP's own compiler adds the rest of the security context to every step: no privilege escalation,
all capabilities dropped, the runtime's seccomp profile.
"""

import inspect
import json
import os
from typing import Any

from augstudy.dags.components.image import GPU_IMAGE
from kfp import dsl, kubernetes
from kfp.dsl import PipelineTask

from augstudy.cluster.settings import Resources, Toleration, load
from augstudy.steps.patience import VARIABLE as RETRY_VARIABLE

SETTINGS = load()
LIGHT, INFERENCE, TRAINING = SETTINGS.light, SETTINGS.inference, SETTINGS.training
# A text: KFP's driver takes what a pod asks for from no other parameter.
GPUS, GPU_TYPE = str(SETTINGS.gpus), SETTINGS.gpu_type
PARALLEL_CELLS = SETTINGS.parallel_cells or None
CONFIG = dsl.PipelineConfig(
    # All three: Argo's defaults in KFP's manifests set the latter two to an hour, and Argo takes
    # them before the first.
    ttl_seconds_after_finished=SETTINGS.ttl_s,
    ttl_seconds_after_success=SETTINGS.ttl_s,
    ttl_seconds_after_failure=SETTINGS.ttl_s,
    active_deadline_seconds=SETTINGS.deadline_s,
)


def apply(task: PipelineTask, needs: Resources) -> PipelineTask:
    """Set resources, nodes, timeout, retries, environment and the user of a task."""
    if os.environ.get("AUGSTUDY_LOCAL"):
        return task
    task.set_cpu_request(needs.cpu).set_cpu_limit(needs.cpu_limit)
    task.set_memory_request(needs.memory).set_memory_limit(needs.memory_limit)
    _set_retry(task)
    kubernetes.set_timeout(task, needs.timeout_s)
    user = SETTINGS.run_as_user
    kubernetes.set_security_context(task, run_as_user=user, run_as_group=user, run_as_non_root=True)
    _set_environment(task, needs)
    _choose_nodes(task, SETTINGS.node_selector, SETTINGS.tolerations)
    for affinity in SETTINGS.node_affinity:
        rules = [rule.model_dump(mode="json") for rule in affinity.rules]
        kubernetes.add_node_affinity(task, rules, weight=affinity.weight)
    for name, value in SETTINGS.pod_labels.items():
        kubernetes.add_pod_label(task, name, value)
    for name, value in SETTINGS.annotations.items():
        kubernetes.add_pod_annotation(task, name, value)
    kubernetes.set_image_pull_policy(task, SETTINGS.image_pull_policy)
    if SETTINGS.image_pull_secrets:
        kubernetes.set_image_pull_secrets(task, list(SETTINGS.image_pull_secrets))
    return task


def use_gpus(task: PipelineTask, gpus: Any, gpu_type: Any) -> PipelineTask:
    """Ask for accelerators, and for shared memory, which loading data needs beside them.

    `gpus` and `gpu_type` may be pipeline parameters of type str, but then the task must sit
    directly in a pipeline that has them as inputs: inside a loop KFP compiles a reference to
    nothing. With 0 the
    step runs on any node. Image and node selector are fixed when the pipeline is compiled, by
    whether the settings ask for GPUs.
    """
    if os.environ.get("AUGSTUDY_LOCAL"):
        return task
    task.set_accelerator_type(gpu_type).set_accelerator_limit(gpus)
    kubernetes.empty_dir_mount(
        task,
        volume_name="shm",
        mount_path="/dev/shm",  # noqa: S108
        medium="Memory",
        size_limit=SETTINGS.shm_size,
    )
    if SETTINGS.gpus:
        task.set_container_image(GPU_IMAGE)
        _choose_nodes(task, SETTINGS.gpu_node_selector, ())
    _choose_nodes(task, {}, SETTINGS.gpu_tolerations)
    return task


def _set_retry(task: PipelineTask) -> None:
    """Let Argo start a lost pod again, and the step itself wait for a service that is away.

    An SDK that knows the policy says it on the template of the step; with an older one it is what
    the cluster's workflow defaults say: in KFP's manifests OnError, which is lost pods.
    """
    retry = SETTINGS.retry
    if not retry.times:
        return
    waits = retry.model_dump(include={"times", "wait_s", "factor", "longest_wait_s"})
    task.set_env_variable(RETRY_VARIABLE, json.dumps(waits))
    can_say = "policy" in inspect.signature(task.set_retry).parameters
    task.set_retry(
        num_retries=retry.times,
        backoff_duration=f"{retry.wait_s}s",
        backoff_factor=retry.factor,
        backoff_max_duration=f"{retry.longest_wait_s}s",
        **({"policy": retry.policy} if can_say else {}),
    )


def _set_environment(task: PipelineTask, needs: Resources) -> None:
    task.set_env_variable("AUGSTUDY_THREADS", str(needs.threads))
    if SETTINGS.checkpoints:  # not only for trainings: later steps remove what those leave
        task.set_env_variable("AUGSTUDY_CHECKPOINTS", SETTINGS.checkpoints)
    for name, value in SETTINGS.environment.items():
        task.set_env_variable(name, value)
    for secret, keys in SETTINGS.secret_environment.items():
        kubernetes.use_secret_as_env(task, secret, keys)


def _choose_nodes(
    task: PipelineTask, selector: dict[str, str], tolerations: tuple[Toleration, ...]
) -> None:
    for key, value in selector.items():
        kubernetes.add_node_selector(task, key, value)
    for item in tolerations:
        kubernetes.add_toleration(
            task, item.key, item.operator, item.value, item.effect, item.toleration_seconds
        )
