"""The Kubernetes API of the cluster that the kubeconfig means, as plain JSON."""

import logging
import os
from collections.abc import Mapping
from typing import Any

from augstudy.core.errors import InputError, ServiceError

_TIMEOUT_S = (5, 20)  # to connect, to answer


class ForbiddenError(ServiceError):
    """We may not do that."""


class Cluster:
    """Read requests and reviews; every one ends within seconds.

    Raises:
        InputError: there is no kubeconfig, or not such a context.
    """

    def __init__(self, context: str = "") -> None:
        import urllib3
        from kubernetes import client, config
        from kubernetes.config.config_exception import ConfigException

        settings = client.Configuration()
        try:
            # The client library reads KUBECONFIG once, when it is imported.
            config.load_kube_config(
                os.environ.get("KUBECONFIG"), context or None, client_configuration=settings
            )
        except ConfigException as error:
            where = f"no context {context!r} in the kubeconfig" if context else "no kubeconfig"
            raise InputError(
                f"There is {where}: see 'kubectl config get-contexts', or set KUBECONFIG."
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"The kubeconfig cannot be used: {error}.") from error
        settings.retries = False
        if not settings.verify_ssl:  # as the kubeconfig has it; said once is more than enough
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        # It would log every retry, and the message of every failure is ours.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        self.host = str(settings.host)
        self._api = client.ApiClient(settings)

    def get(self, path: str) -> dict[str, Any] | None:
        """An object, or a list of them; None if there is none.

        Raises:
            ForbiddenError: we may not read it.
            ServiceError: the API does not answer.
        """
        return self._call("GET", path)

    def items(self, path: str) -> list[dict[str, Any]]:
        """The objects of a list."""
        return list((self.get(path) or {}).get("items") or [])

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the API answers to a new object, such as a review."""
        return self._call("POST", path, body) or {}

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        import urllib3
        from kubernetes.client.exceptions import ApiException

        try:
            answer = self._api.call_api(
                path,
                method,
                body=body,
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                response_type="object",
                auth_settings=["BearerToken"],
                _return_http_data_only=True,
                _request_timeout=_TIMEOUT_S,
            )
        except ApiException as error:
            if error.status == 404:
                return None
            if error.status == 403:
                raise ForbiddenError(f"We may not {method.lower()} {path}.") from None
            raise ServiceError(
                f"The Kubernetes API at {self.host} refuses {path} (HTTP {error.status})."
            ) from None
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ServiceError(
                f"The Kubernetes API at {self.host} does not answer: check that the cluster runs "
                "and that the kubeconfig is its own."
            ) from error
        return dict(answer)
