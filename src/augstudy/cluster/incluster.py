"""The Kubernetes API as a pod sees it, without a client library (the images have none)."""

import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from augstudy.core.errors import ServiceError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT_S = 10


class InCluster:
    """Requests as the pod's service account.

    Raises:
        ServiceError: this is no pod, or its account's token is not mounted.
    """

    def __init__(self, account: Path | None = None) -> None:
        account = account or ACCOUNT
        host, port = (os.environ.get(f"KUBERNETES_SERVICE_{part}") for part in ("HOST", "PORT"))
        if not host or not (account / "token").is_file():
            raise ServiceError("This must run in a pod whose service account's token is mounted.")
        shown = f"[{host}]" if ":" in host else host
        self._url = f"https://{shown}:{port or 443}"
        self._token = (account / "token").read_text().strip()
        self._context = ssl.create_default_context(cafile=str(account / "ca.crt"))
        self.namespace = (account / "namespace").read_text().strip()

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """An object of the core group in the pod's namespace; None if there is none."""
        return self._request(f"/api/v1/namespaces/{self.namespace}/{kind}/{name}")

    def may(self, attributes: dict[str, str]) -> bool:
        """Whether the account may make the request that `attributes` describe."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = self._request(path, review) or {}
        return bool(answer.get("status", {}).get("allowed"))

    def _request(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        request = urllib.request.Request(  # noqa: S310
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(  # noqa: S310
                request, timeout=_TIMEOUT_S, context=self._context
            ) as answer:
                content = json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise ServiceError(
                f"The Kubernetes API refuses {path} (HTTP {error.code}): the service account "
                "needs the chart's Role."
            ) from error
        except (OSError, ValueError) as error:
            raise ServiceError(
                f"The Kubernetes API at {self._url} does not answer: see the chart's "
                "networkPolicy.kubernetesApi."
            ) from error
        return dict(content)
