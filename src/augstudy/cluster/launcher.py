"""The ConfigMap ``kfp-launcher``: where KFP's driver and launcher keep artifacts, and as whom.

Reads it the way they do (KFP 2.17), so that a mistake shows before a run stumbles over it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from augstudy.core.errors import InputError
from augstudy.objects.address import refuse_credentials

CONFIG_MAP = "kfp-launcher"
DEFAULT_ROOT = "minio://mlpipeline/v2/artifacts"
SCHEMES = ("gs", "minio", "s3")
_KFPS_STORE: dict[str, Any] = {
    "endpoint": "seaweedfs.kubeflow:9000",
    "region": "minio",
    "disableSSL": True,
    "credentials": {
        "secretRef": {
            "secretName": "mlpipeline-minio-artifact",
            "accessKeyKey": "accesskey",
            "secretKeyKey": "secretkey",
        }
    },
}


@dataclass(frozen=True)
class Access:
    """How the launcher reaches the store of one pipeline root."""

    root: str
    endpoint: str = ""
    region: str = ""
    tls: bool = True
    secret: str = ""  # empty: credentials come from the environment
    keys: tuple[str, ...] = ()  # of the secret: access key and secret key, or the token

    @property
    def scheme(self) -> str:
        """``gs``, ``s3`` or ``minio``."""
        return self.root.partition("://")[0]

    @property
    def url(self) -> str:
        """The endpoint with its scheme; empty if the provider's own is meant."""
        if not self.endpoint or "://" in self.endpoint:
            return self.endpoint
        return f"{'https' if self.tls else 'http'}://{self.endpoint}"


def default_root(data: Mapping[str, str]) -> str:
    """Where runs go that name no root; `data` is the ConfigMap's, empty if there is none."""
    return data.get("defaultPipelineRoot") or DEFAULT_ROOT


def access(data: Mapping[str, str], root: str = "") -> Access:
    """What the launcher makes of the ConfigMap's `data` for `root` (default: the one in it).

    Raises:
        InputError: the scheme is not supported, or the configuration does not parse.
    """
    root = root or default_root(data)
    refuse_credentials(root, "pipeline root")
    scheme, separator, path = root.partition("://")
    if not separator or scheme not in SCHEMES:
        raise InputError(
            f"KFP cannot keep artifacts under {root!r}: use gs://, s3:// or minio://, and a bucket."
        )
    path, _, query = path.partition("?")
    bucket, _, prefix = path.partition("/")
    if not bucket:
        raise InputError(f"The pipeline root {root!r} names no bucket: write {scheme}://bucket/...")
    provider = _providers(data).get(scheme)
    if provider is None:
        store = _KFPS_STORE if scheme == "minio" and not query else None
    else:
        store = None if query and scheme != "gs" else _chosen(provider, scheme, bucket, prefix)
    return Access(root) if store is None else _described(root, store)


def _providers(data: Mapping[str, str]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(data.get("providers") or "{}")
    except yaml.YAMLError as error:
        raise InputError(f"'providers' in {CONFIG_MAP} is not valid YAML: correct it.") from error
    if not isinstance(content, dict):
        raise InputError(f"'providers' in {CONFIG_MAP} must be a mapping of gs, s3 and minio.")
    return content


def _chosen(provider: Any, scheme: str, bucket: str, prefix: str) -> dict[str, Any]:
    """The provider's default, changed by its first override for this bucket and prefix."""
    # Go reads keys in any case.
    known = _lowered(provider, scheme)
    store = known.get("default")
    if not isinstance(store, dict) or not isinstance(store.get("credentials"), dict):
        raise InputError(
            f"'providers' in {CONFIG_MAP} has {scheme} without default.credentials: add them."
        )
    for item in known.get("overrides") or []:
        if item.get("bucketName") == bucket and prefix.startswith(item.get("keyPrefix") or ""):
            if not isinstance(item.get("credentials"), dict):
                raise InputError(
                    f"An override for {scheme}://{bucket} in {CONFIG_MAP} has no credentials."
                )
            given = {key: value for key, value in item.items() if value not in ("", None)}
            return {**store, **given}
    return store


def _lowered(provider: Any, scheme: str) -> dict[str, Any]:
    if not isinstance(provider, dict):
        raise InputError(f"'providers' in {CONFIG_MAP} has {scheme} without 'default': add it.")
    return {str(key).lower(): value for key, value in provider.items()}


def _described(root: str, store: Mapping[str, Any]) -> Access:
    credentials = store["credentials"]
    secret = ""
    keys: tuple[str, ...] = ()
    if not credentials.get("fromEnv"):
        reference = credentials.get("secretRef") or {}
        secret = str(reference.get("secretName") or "")
        names = ("tokenKey",) if root.startswith("gs://") else ("accessKeyKey", "secretKeyKey")
        keys = tuple(str(reference.get(name) or "") for name in names)
        if not secret or not all(keys):
            raise InputError(
                f"The credentials for {root} in {CONFIG_MAP} need fromEnv: true, or a secretRef "
                f"with secretName, {' and '.join(names)}."
            )
    return Access(
        root,
        endpoint=str(store.get("endpoint") or ""),
        region=str(store.get("region") or ""),
        tls=not store.get("disableSSL"),
        secret=secret,
        keys=keys,
    )
