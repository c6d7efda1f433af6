"""The Kubernetes API, as plain JSON: of the cluster that a kubeconfig means, or from inside a pod.

The only client of it. Reading a kubeconfig (certificates, plug-ins that get tokens) is left to the
package ``kubernetes``, which the image of the steps does not have; there a pod's own account is
enough.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

from augstudy.core.errors import InputError, ServiceError
from augstudy.objects.exchange import Answer, exchange, pool, private

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_ANSWER_S = 20.0
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class ForbiddenError(ServiceError):
    """We may not do that."""


@dataclass(frozen=True)
class _Access:
    """Where the API is, and as whom we ask."""

    host: str
    connections: urllib3.PoolManager
    authorization: Callable[[], str | None]
    namespace: str
    advice: str  # what to check where nothing answers
    refusal: str = ""  # what to check where we are refused


class Cluster:
    """Read requests and reviews; every one ends within seconds.

    Args:
        context: The context of the kubeconfig; empty means the current one.
        in_pod: Ask as the service account of the pod that this runs in, and of its namespace.

    Raises:
        InputError: there is no kubeconfig, or not such a context.
        ServiceError: this is no pod, or its account's token is not mounted.
    """

    def __init__(self, context: str = "", *, in_pod: bool = False) -> None:
        self._access = _of_pod() if in_pod else _of_kubeconfig(context)
        self.host, self.namespace = self._access.host, self._access.namespace

    def get(self, path: str, **query: str) -> dict[str, Any] | None:
        """An object, or a list of them; None if there is none.

        Raises:
            ForbiddenError: we may not read it.
            ServiceError: the API does not answer, or something else does.
        """
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path)

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """The objects of a list."""
        found = (self.get(path, **query) or {}).get("items") or []
        return [item for item in found if isinstance(item, dict)]

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the API answers to a new object, such as a review."""
        return self._call("POST", path, body) or {}

    def may(self, attributes: Mapping[str, str]) -> bool:
        """Whether we may make the request that `attributes` describe."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": dict(attributes)},
        }
        return bool(self.create(_REVIEWS, review).get("status", {}).get("allowed"))

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        headers = {"Accept": "application/json"}
        authorization = self._access.authorization()
        if authorization:
            if not private(self.host):
                raise InputError(
                    f"The token of the kubeconfig would travel to {self.host} unencrypted: give "
                    "the cluster an https:// address there."
                )
            headers["Authorization"] = authorization
        try:
            answer = exchange(
                self._access.connections,
                method,
                self.host + path,
                headers=headers,
                answer_s=_ANSWER_S,
                body=body,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ServiceError(
                f"The Kubernetes API at {self.host} does not answer: {self._access.advice}."
            ) from error
        return self._read(method, path.partition("?")[0], answer)

    def _read(self, method: str, path: str, answer: Answer) -> dict[str, Any] | None:
        if answer.status == 404 and not answer.is_page:
            return None
        refusal = self._access.refusal and f": {self._access.refusal}"
        if answer.status == 403:
            raise ForbiddenError(f"We may not {method.lower()} {path}{refusal}.")
        if answer.is_redirect or answer.is_page:
            raise ServiceError(
                f"What answers at {self.host} is not the Kubernetes API but wants a login: "
                "log in to the cluster again, or check the address."
            )
        if not 200 <= answer.status < 300:
            raise ServiceError(
                f"The Kubernetes API at {self.host} refuses {path} (HTTP {answer.status}){refusal}."
            )
        try:
            return answer.content()
        except ValueError as error:
            raise ServiceError(
                f"What answers at {self.host} is not the Kubernetes API: {self._access.advice}."
            ) from error


def _of_pod() -> _Access:
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{part}") for part in ("HOST", "PORT"))
    token = ACCOUNT / "token"
    if not host or not token.is_file():
        raise ServiceError("This must run in a pod whose service account's token is mounted.")
    shown = f"[{host}]" if ":" in host else host
    return _Access(
        f"https://{shown}:{port or 443}",
        pool(str(ACCOUNT / "ca.crt")),
        lambda: f"Bearer {token.read_bytes().decode().strip()}",  # the kubelet renews it
        (ACCOUNT / "namespace").read_text(encoding="utf-8").strip(),
        "see the chart's networkPolicy.kubernetesApi",
        "the service account needs the chart's Role",
    )


def _of_kubeconfig(context: str) -> _Access:
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    settings = client.Configuration()
    # The client library reads KUBECONFIG once, when it is imported.
    path = os.environ.get("KUBECONFIG")
    try:
        config.load_kube_config(path, context or None, client_configuration=settings)
        contexts, chosen = config.list_kube_config_contexts(path)
        chosen = next(item for item in contexts if item["name"] == (context or chosen["name"]))
    except ConfigException as error:
        where = f"no context {context!r} in the kubeconfig" if context else "no kubeconfig"
        raise InputError(
            f"There is {where}: see 'kubectl config get-contexts', or set KUBECONFIG."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"The kubeconfig cannot be used: {error}.") from error
    # Certificates, keys and proxies as the package would use them.
    connections = client.ApiClient(settings).rest_client.pool_manager
    if not settings.verify_ssl:  # as the kubeconfig has it; said once is more than enough
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return _Access(
        str(settings.host).rstrip("/"),
        connections,
        lambda: settings.get_api_key_with_prefix("authorization"),
        str((chosen.get("context") or {}).get("namespace") or ""),
        "check that the cluster runs and that the kubeconfig is its own",
    )
