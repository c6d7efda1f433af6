"""The stores of runs: which root they have, where it answers, and with which keys.

KFP says of a run where its artifacts are only if the run was told so itself. For all others the
root is that of the ConfigMap ``kfp-launcher`` in the namespace of the run, or KFP's own default,
and the store may answer inside the cluster only.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from augstudy.cluster import launcher
from augstudy.cluster.connection import Connection
from augstudy.cluster.forward import Forward, Service
from augstudy.cluster.kube import Cluster, ForbiddenError
from augstudy.cluster.launcher import Access
from augstudy.core.errors import AugstudyError, DataError, InputError, ServiceError
from augstudy.core.redaction import conceal
from augstudy.objects import SignIn, Store, open_store
from augstudy.objects.address import S3_SCHEMES, Address

KFP_NAMESPACE = "kubeflow"
_CONTENT = b"augstudy"


class Stores(AbstractContextManager["Stores"]):
    """Opens the stores of runs for somebody outside of the cluster; forwards end with the block.

    Args:
        connection: To KFP. Its ``pipeline_root`` comes before what the cluster says.
        context: Of the kubeconfig; empty means the current one. It is read only when it is needed.
        say: Is told, once, which root was found where.
        kfp_namespace: Where runs are if the connection names no namespace.
    """

    def __init__(
        self,
        connection: Connection,
        context: str = "",
        say: Callable[[str], object] = str,
        kfp_namespace: str = KFP_NAMESPACE,
    ) -> None:
        self._connection, self._context, self._say = connection, context, say
        self._namespace = connection.namespace or kfp_namespace
        self._lock = Lock()
        self._opened: dict[str, Store] = {}
        self._forwards: dict[Service, Forward] = {}
        self._open_until_the_end = ExitStack()

    def __exit__(self, *_: object) -> None:
        self._open_until_the_end.close()

    @cached_property
    def cluster(self) -> Cluster:
        """The cluster that the kubeconfig means.

        Raises:
            InputError: there is no kubeconfig, or not such a context.
        """
        return Cluster(self._context)

    @cached_property
    def configuration(self) -> Mapping[str, str] | None:
        """What ``kfp-launcher`` holds; None if the cluster has none.

        Raises:
            InputError: there is no kubeconfig.
            ServiceError: the cluster does not answer, or we may not read it.
        """
        path = f"/api/v1/namespaces/{self._namespace}/configmaps/{launcher.CONFIG_MAP}"
        found = self.cluster.get(path)
        return None if found is None else found.get("data") or {}

    @cached_property
    def default_root(self) -> str:
        """Where the artifacts are of runs that do not say so themselves.

        Raises:
            InputError: nothing says it.
        """
        if self._connection.pipeline_root:
            return self._connection.pipeline_root
        try:
            data = self.configuration
        except AugstudyError as error:
            return self._guessed(error)
        root = launcher.default_root(data or {})
        named = bool(data and data.get("defaultPipelineRoot"))
        source = launcher.CONFIG_MAP if named else "KFP's default"
        self._say(f"Artifacts: {root} ({source}, namespace {self._namespace}).")
        return root

    def open(self, root: str = "") -> Store:
        """The store of a pipeline root, the default one if it is empty.

        An address and keys in the environment come first. Without them a ``minio://`` store is
        reached where ``kfp-launcher`` says, with the keys of the secret that it names.

        Raises:
            InputError: nothing says where artifacts are, or how to reach them.
            ServiceError: the cluster does not answer.
        """
        with self._lock:
            root = root or self.default_root
            if root not in self._opened:
                uri = root.partition("?")[0].rstrip("/")
                self._opened[root] = open_store(uri, self._as_we_do(root, uri))
            return self._opened[root]

    def as_runs_do(self, access: Access) -> Store:
        """The store with the endpoint and keys that runs use, whatever the environment says.

        Where runs take their keys from their own environment, which is not to be had, ours are
        used instead.

        Raises:
            InputError: there is no such secret, or not such a key in it.
            ForbiddenError: we may not read it.
            ServiceError: the store answers inside the cluster only, and no port is forwarded.
        """
        keys = credentials(self.cluster, self._namespace, access)
        endpoint = self._outside(access)
        uri = access.root.partition("?")[0].rstrip("/")
        return open_store(uri, SignIn(endpoint=endpoint, region=access.region, **keys))

    def _guessed(self, error: AugstudyError) -> str:
        """KFP's own default, if the environment has the address of a store."""
        root = launcher.DEFAULT_ROOT
        if not Address.parse(root).endpoint:
            raise InputError(
                "The runs do not say where their artifacts are, and the cluster cannot be asked "
                f"({str(error).rstrip('.')}): give --pipeline-root, the defaultPipelineRoot of the "
                "ConfigMap kfp-launcher."
            ) from error
        self._say(f"Artifacts: {root} (KFP's default, since the cluster cannot be asked: {error})")
        return root

    def _as_we_do(self, root: str, uri: str) -> SignIn | None:
        if uri.partition("://")[0] not in S3_SCHEMES:
            return None
        address = Address.parse(uri)
        from augstudy.objects.s3 import own_access

        endpoint, has_keys = own_access(address)
        # Keys for Amazon are usual to have, and mean nothing to a store in the cluster.
        if has_keys and (endpoint or address.scheme == "s3"):
            return None
        try:
            access = launcher.access(self.configuration or {}, root)
            keys = credentials(self.cluster, self._namespace, access)
        except AugstudyError as error:
            if endpoint or address.scheme == "s3":  # then the environment has to do
                return None
            raise InputError(
                f"The cluster, which knows the address and the keys of {address.uri}, cannot be "
                f"asked ({str(error).rstrip('.')}): set AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            ) from error
        endpoint = endpoint or self._outside(access)
        return SignIn(endpoint=endpoint, region=access.region, **keys)

    def _outside(self, access: Access) -> str:
        """The endpoint of a store as it is reached from here."""
        service = self._service(access)
        if service is None:
            # Said in full, or an endpoint in our environment would take Amazon's place.
            amazons = access.scheme == "s3" and access.secret and not access.url
            region = f"{access.region}." if access.region else ""
            return f"https://s3.{region}amazonaws.com" if amazons else access.url
        from augstudy.objects.s3 import own_access

        given, _ = own_access(Address.parse(access.root.partition("?")[0]))
        if given:
            return given
        if access.tls:
            raise ServiceError(
                f"{access.url} answers inside the cluster only, over TLS: forward its port, and "
                "set AWS_ENDPOINT_URL."
            )
        if service not in self._forwards:
            forward = Forward(service, self._context)
            self._forwards[service] = self._open_until_the_end.enter_context(forward)
        return self._forwards[service].url

    def _service(self, access: Access) -> Service | None:
        """The Service that an endpoint such as ``seaweedfs.kubeflow:9000`` names."""
        parts = urlsplit(access.url)
        name, *rest = (parts.hostname or "").split(".")
        if not name or rest[1:2] not in ([], ["svc"]):
            return None
        if parts.hostname == "localhost":
            return None
        space = rest[0] if rest else self._namespace
        path = f"/api/v1/namespaces/{space}"
        try:
            if self.cluster.get(f"{path}/services/{name}") is None:
                if rest and self.cluster.get(path) is None:  # as in example.com
                    return None
                raise InputError(
                    f"There is no Service {name} in namespace {space}, which {access.url} means: "
                    f"correct the endpoint in {launcher.CONFIG_MAP}."
                )
        except ForbiddenError:
            return None
        return Service(name, space, parts.port or (443 if access.tls else 80))


def credentials(cluster: Cluster, namespace: str, access: Access) -> dict[str, Any]:
    """Fields of a :class:`SignIn` from the secret that ``kfp-launcher`` names.

    Empty if runs take their keys from the environment.

    Raises:
        InputError: there is no such secret, or it does not hold what is needed.
        ServiceError: the cluster does not answer, or we may not read it.
    """
    if not access.secret:
        return {}
    where = f"secret {access.secret} in namespace {namespace}"
    found = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/{access.secret}")
    if found is None:
        raise InputError(f"There is no {where}: create it, or change {launcher.CONFIG_MAP}.")
    data = found.get("data") or {}
    try:
        values = [base64.b64decode(data.get(key) or "") for key in access.keys]
        missing = [key for key, value in zip(access.keys, values, strict=True) if not value]
        if missing:
            raise InputError(f"The {where} lacks {' and '.join(missing)}: add what is missing.")
        if access.scheme == "gs":
            return {"token": values[0]}
        spaced = [k for k, v in zip(access.keys, values, strict=True) if v != v.strip()]
        if spaced:
            raise InputError(f"The {where} has a blank or a line end around {spaced[0]}.")
        secret = values[1].decode()
        conceal(secret)
        return {"key": values[0].decode(), "secret": secret}
    except (binascii.Error, UnicodeDecodeError):
        raise InputError(f"The {where} holds no text: create it again.") from None


def round_trip(opened: Store) -> str:
    """Write, read and delete a small object; its address if it could not be deleted.

    Raises:
        DataError: it came back as something else.
        AugstudyError: it could not be written or read.
    """
    name, left = f"augstudy-check-{secrets.token_hex(4)}.txt", ""
    opened.write(name, _CONTENT)
    returned = opened.read(name)
    try:
        opened.delete(name)
    except AugstudyError:
        left = f"{opened.uri}/{name}"
    if returned != _CONTENT:
        raise DataError(f"{opened.uri} returned something else than what was stored")
    return left
