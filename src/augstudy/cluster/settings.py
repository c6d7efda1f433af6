"""How steps run on a cluster: images, resources, nodes, retries. Read when a pipeline is compiled.

From the YAML file that ``AUGSTUDY_CLUSTER`` names, else ``~/.config/augstudy/cluster.yaml``, else
the defaults below, which fit a small node. ``AUGSTUDY_IMAGE``, ``AUGSTUDY_GPU_IMAGE`` and
``AUGSTUDY_GPUS`` come before the file.
"""

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from augstudy.core.errors import InputError
from augstudy.core.files import settings_file
from augstudy.settings.base import Settings, parse
from augstudy.settings.retrying import Retry

FILE_VARIABLE = "AUGSTUDY_CLUSTER"
_OVERRIDES = {
    "AUGSTUDY_IMAGE": "image",
    "AUGSTUDY_GPU_IMAGE": "gpu_image",
    "AUGSTUDY_GPUS": "gpus",
}
_QUEUE = "kueue.x-k8s.io/queue-name"
_OTHERS = ("pipeline/", "pipelines.kubeflow.org/", "workflows.argoproj.io/")
_HOUR = 3600
_DAY = 24 * _HOUR


class Resources(Settings):
    """What one kind of step asks of its node; quantities as Kubernetes writes them."""

    cpu: str = Field(description="CPU request")
    cpu_limit: str = Field(description="CPU limit; whole cores, since it fixes the thread count")
    memory: str = Field(description="memory request")
    memory_limit: str = Field(description="memory limit")
    timeout_s: int = Field(_HOUR, ge=1, description="end a step after this many seconds")

    @property
    def threads(self) -> int:
        """TensorFlow's threads: the order of a sum, and so its last bits, depends on how many."""
        return max(1, int(self.cpu_limit))

    @field_validator("cpu_limit")
    @classmethod
    def _whole(cls, value: str) -> str:
        if not value.isdigit() or value == "0":
            raise ValueError("a whole number of cores is needed, such as '2'")
        return value


class Toleration(Settings):
    """A taint that steps tolerate."""

    key: str | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoExecute", "NoSchedule", "PreferNoSchedule"] | None = None
    toleration_seconds: int | None = Field(None, ge=0)


class NodeRule(Settings):
    """One condition on the labels of a node."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = "In"
    values: tuple[str, ...] = ()


class Affinity(Settings):
    """Nodes that steps must run on, or with a weight would rather run on."""

    rules: tuple[NodeRule, ...] = Field(min_length=1, description="all of them have to hold")
    weight: int | None = Field(None, ge=1, le=100, description="a wish; without it a condition")


class ClusterSettings(Settings):
    """Everything that a compiled pipeline says about the cluster."""

    image: str | None = Field(None, description="of CPU steps; default: that of make images")
    gpu_image: str | None = Field(None, description="of GPU steps if gpus > 0; default: image-gpu")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    gpus: int = Field(0, ge=0, description="default of pipelines; also picks the images")
    gpu_type: str = Field("nvidia.com/gpu", description="the resource that GPU nodes advertise")
    light: Resources = Resources(cpu="250m", cpu_limit="1", memory="1Gi", memory_limit="4Gi")
    inference: Resources = Resources(cpu="500m", cpu_limit="2", memory="1Gi", memory_limit="4Gi")
    training: Resources = Resources(
        cpu="1", cpu_limit="2", memory="2Gi", memory_limit="8Gi", timeout_s=_DAY
    )
    shm_size: str = Field("1Gi", description="of /dev/shm in training steps, from their memory")
    node_selector: dict[str, str] = Field({}, description="labels that nodes must have")
    tolerations: tuple[Toleration, ...] = ()
    node_affinity: tuple[Affinity, ...] = Field((), description="of every step")
    queue: str = Field("", description="of Kueue: the label kueue.x-k8s.io/queue-name")
    labels: dict[str, str] = Field({}, description="of the pod of every step")
    annotations: dict[str, str] = Field({}, description="of the pod of every step")
    gpu_node_selector: dict[str, str] = Field({}, description="of GPU steps, only where gpus > 0")
    gpu_tolerations: tuple[Toleration, ...] = (
        Toleration(key="nvidia.com/gpu", operator="Exists", effect="NoSchedule"),
    )
    retry: Retry = Retry()
    run_as_user: int = Field(10001, ge=1, description="user and group of the steps; never root")
    environment: dict[str, str] = Field({}, description="variables of every step; no secrets")
    secret_environment: dict[str, dict[str, str]] = Field(
        {}, description="name of a Secret: {its key: the variable to set}"
    )
    checkpoints: str | None = Field(
        None, description="gs:// or s3:// folder from which a retried training continues"
    )
    ttl_s: int = Field(7 * _DAY, ge=1, description="keep a finished run's pods this many seconds")
    deadline_s: int = Field(2 * _DAY, ge=1, description="end a run after this many seconds")
    parallel_cells: int = Field(0, ge=0, description="arms that run at the same time; 0 means all")

    @property
    def pod_labels(self) -> dict[str, str]:
        """All labels that pods get, that of the queue among them."""
        return {**self.labels, **({_QUEUE: self.queue} if self.queue else {})}

    @field_validator("labels", "annotations")
    @classmethod
    def _not_kfps(cls, values: dict[str, str]) -> dict[str, str]:
        for name in values:
            if name.startswith(_OTHERS):
                raise ValueError(f"{name} belongs to KFP or Argo: choose another name")
        return values

    @field_validator("image", "gpu_image")
    @classmethod
    def _pinned(cls, value: str | None) -> str | None:
        if value is None or "@sha256:" in value:
            return value
        tag = value.rpartition("/")[2].partition(":")[2]
        if not tag or tag == "latest":
            raise ValueError("name a digest, or a tag that changes with the content; not latest")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in self.environment:
            if any(word in name.upper() for word in ("SECRET", "PASSWORD", "TOKEN", "ACCESS_KEY")):
                raise ValueError(f"{name} looks like a secret: use secret_environment")
        if self.gpus and not self.gpu_image and "@" in (self.image or ""):
            raise ValueError("gpus needs gpu_image, too, because image is named by digest")
        return self


def load() -> ClusterSettings:
    """The settings in force.

    Raises:
        InputError: the named file is missing, is not a mapping, or holds a wrong setting.
    """
    path = _file()
    values = _read(path) if path else {}
    values |= {key: os.environ[name] for name, key in _OVERRIDES.items() if os.environ.get(name)}
    return parse(ClusterSettings, values, str(path or "the cluster settings"))


def _file() -> Path | None:
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    return settings_file("cluster.yaml")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_bytes()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"The cluster settings {path} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise InputError(f"The cluster settings {path} must be a mapping of names to values.")
    return content
