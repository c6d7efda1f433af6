"""What is missing before a submit: every check a line, and the command that mends it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from augstudy.cluster import image as image_names
from augstudy.cluster import launcher
from augstudy.cluster.checks import Place, access, argo, capacity, image, kfp, network, store
from augstudy.cluster.connection import Connection
from augstudy.cluster.findings import Finding, guarded, ok, warning, wrong
from augstudy.cluster.settings import ClusterSettings
from augstudy.cluster.stores import Stores
from augstudy.core.errors import AugstudyError, InputError

_CHECKOUT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Patient:
    """What is examined: a place for runs, and how they would be submitted."""

    place: Place
    settings: ClusterSettings
    connection: Connection
    stores: Stores
    images: tuple[str, ...]
    content_tag: str = ""
    root_origin: str = ""  # who named the connection's pipeline root


def examine(patient: Patient) -> Iterator[Finding]:
    """All findings, in the order in which they would stop a run.

    Nothing is changed but for a small object, which the store is given and which is deleted again.
    """
    place, settings = patient.place, patient.settings
    yield from guarded(lambda: kfp.reachable(place, patient.connection))
    try:
        place.cluster.get("/version")
    except AugstudyError as error:  # then nothing below can be known
        yield wrong(str(error), "kubectl cluster-info")
        return
    checks: list[Callable[[], Iterator[Finding]]] = [
        lambda: access.namespace(place),
        lambda: kfp.servers(place),
        lambda: access.service_account(place),
        lambda: _store(patient),
        lambda: argo.defaults(place, settings),
        lambda: network.policies(place, _scheme(patient)),
        lambda: capacity.room(place, settings),
        lambda: capacity.gpus(place, settings),
        lambda: _checkpoints(settings),
        *(lambda name=name: _image(patient, name) for name in patient.images),
    ]
    for check in checks:
        yield from guarded(check)


def _store(patient: Patient) -> Iterator[Finding]:
    """The store of the runs, and whether their account may read what leads to it."""
    place, stores, root = patient.place, patient.stores, patient.connection.pipeline_root
    mend = f"{place.kubectl} edit configmap {launcher.CONFIG_MAP}"

    def tried() -> Iterator[Finding]:
        secret = launcher.access(stores.configuration or {}, root).secret
        yield from store.store(place, stores, root, patient.root_origin)
        yield from access.rights_of_account(place, secret)

    yield from guarded(tried, mend)


def _checkpoints(settings: ClusterSettings) -> Iterator[Finding]:
    """Whether a training whose pod is lost goes on where it was."""
    if settings.checkpoints:
        yield ok(f"trainings keep checkpoints in {settings.checkpoints}")
    else:
        yield warning(
            "a training whose pod is lost starts anew",
            "name a folder of a store as checkpoints in cluster.yaml, such as gs://bucket/folder",
        )


def _image(patient: Patient, name: str) -> Iterator[Finding]:
    yield from image.named(name, patient.content_tag)
    yield from image.available(patient.place, name, patient.settings.image_pull_secrets)


def _scheme(patient: Patient) -> str:
    try:
        data = patient.stores.configuration or {}
        return launcher.access(data, patient.connection.pipeline_root).scheme
    except AugstudyError:  # told by the check of the store
        return "minio"


def images(settings: ClusterSettings) -> tuple[str, ...]:
    """Names of the images that a pipeline compiled now would refer to.

    Raises:
        InputError: the settings name none, and this is no checkout that could be named.
    """
    name = settings.image or image_names.name(_CHECKOUT)
    if not settings.gpus:
        return (name,)
    return (name, settings.gpu_image or f"{name}{image_names.GPU_SUFFIX}")


def content_tag() -> str:
    """The tag that this checkout's images have; empty outside of a checkout."""
    try:
        return image_names.content_tag(_CHECKOUT)
    except InputError:
        return ""
