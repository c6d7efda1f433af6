"""Where Kubeflow Pipelines is and who we are there: from options, the environment or a file.

Options come first, then ``AUGSTUDY_KFP_HOST``, ``AUGSTUDY_KFP_NAMESPACE`` and the other variables
below, then ``~/.config/augstudy/kfp.yaml``. A token is kept as a secret: it is never printed.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import yaml
from pydantic import Field, SecretStr

from augstudy.cluster.faults import Faults
from augstudy.core.errors import InputError, ServiceError
from augstudy.settings.base import Settings, parse

FILE_VARIABLE = "AUGSTUDY_KFP"
_VARIABLES = {
    "host": "AUGSTUDY_KFP_HOST",
    "ui_host": "AUGSTUDY_KFP_UI_HOST",
    "namespace": "AUGSTUDY_KFP_NAMESPACE",
    "token": "AUGSTUDY_KFP_TOKEN",
    "ca_file": "AUGSTUDY_KFP_CA_FILE",
    "pipeline_root": "AUGSTUDY_PIPELINE_ROOT",
    "service_account": "AUGSTUDY_SERVICE_ACCOUNT",
}
# Kubeflow's notebooks and our schedule job get a token as a file, renewed by the kubelet.
TOKEN_FILE_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105
ADC = "adc"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_CONNECT_S = 5
_ANSWER_S = 60
_NEAR = ("localhost", "127.0.0.1", "[::1]")


class Connection(Settings):
    """How to reach Kubeflow Pipelines."""

    host: str = Field("", description="address of KFP, for example http://localhost:8080")
    ui_host: str = Field("", description="address of the dashboard, if another one")
    namespace: str = Field("", description="of the runs, where KFP has several users")
    token: SecretStr | None = Field(
        None, description="token, or adc for Google's application default credentials"
    )
    ca_file: str = Field("", description="certificate authority of the host (PEM)")
    pipeline_root: str = Field("", description="where artifacts go, for example gs://bucket/runs")
    service_account: str = Field("", description="that the runs' pods use")

    @property
    def dashboard(self) -> str:
        """Start of every link."""
        return self.ui_host or self.host


def settings(**options: str | None) -> Connection:
    """The settings in force; `options` (fields of :class:`Connection`) come first.

    Raises:
        InputError: the file or a value in it is wrong.
    """
    path, values = _file()
    values |= {key: os.environ[name] for key, name in _VARIABLES.items() if os.environ.get(name)}
    values |= {key: value for key, value in options.items() if value}
    for key in ("host", "ui_host"):
        if values.get(key):
            values[key] = _address(str(values[key]))
    return parse(Connection, values, str(path or "the connection to KFP"))


def open_api(connection: Connection) -> tuple[Any, Faults]:
    """A client of the API behind a connection that was tried, and what words its errors.

    Nothing is tried twice and every request ends: five seconds to connect, a minute to answer.

    Raises:
        InputError: there is no host, or it needs a namespace.
        ServiceError: it is unreachable, refuses us, is not KFP, or is too old.
    """
    import kfp_server_api
    import urllib3

    if not connection.host:
        raise InputError(
            "No address of Kubeflow Pipelines: give --host, set AUGSTUDY_KFP_HOST, or write "
            "'host: http://localhost:8080' to ~/.config/augstudy/kfp.yaml."
        )
    faults = Faults(connection.host, _shown_secret(connection))
    configuration = kfp_server_api.Configuration(host=connection.host)
    configuration.retries = urllib3.Retry(total=0, redirect=False)
    if connection.ca_file:
        if not Path(connection.ca_file).is_file():
            raise InputError(f"There is no certificate file {connection.ca_file}: see ca_file.")
        configuration.ssl_ca_cert = connection.ca_file
    _authenticate(configuration, connection)
    api = kfp_server_api.ApiClient(configuration)
    _bound(api)
    with faults.told("answer"):
        _check(api, connection)
    return api, faults


def _file() -> tuple[Path | None, dict[str, Any]]:
    named = os.environ.get(FILE_VARIABLE)
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    path = Path(named) if named else Path(home).expanduser() / "augstudy" / "kfp.yaml"
    if not named and not path.is_file():
        return None, {}
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError:
        # YAML's own message quotes the line, which may hold the token.
        raise InputError(f"{path} is not valid YAML: write lines such as 'host: ...'.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} must be a mapping, with lines such as 'host: ...'.")
    return path, content


def _address(text: str) -> str:
    """`text` as scheme, host and path; what people paste from a browser is cut."""
    if "://" not in text:
        text = ("http://" if text.startswith(_NEAR) else "https://") + text
    parts = urlsplit(text)
    if "@" in parts.netloc:
        raise InputError("The address of KFP must hold no password: give a token instead.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{text!r} is no address of KFP: it looks like http://localhost:8080.")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def _shown_secret(connection: Connection) -> str:
    return connection.token.get_secret_value() if connection.token else ""


def _authenticate(configuration: Any, connection: Connection) -> None:
    token = _shown_secret(connection)
    google = connection.host.endswith(".googleusercontent.com")
    token_file = os.environ.get(TOKEN_FILE_VARIABLE)
    if token == ADC or (google and not token):
        configuration.refresh_api_key_hook = _google_hook()
    elif token:
        configuration.api_key["authorization"] = token
    elif token_file and Path(token_file).is_file():
        configuration.refresh_api_key_hook = _file_hook(Path(token_file))
    else:
        return
    configuration.api_key_prefix["authorization"] = "Bearer"
    configuration.api_key.setdefault("authorization", "")


def _google_hook() -> Callable[[Any], None]:
    """Puts a valid token of Google's application default credentials before each request."""
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except GoogleAuthError as error:
        raise ServiceError(
            "There are no application default credentials: run "
            "'gcloud auth application-default login', or give --token."
        ) from error

    def hook(configuration: Any) -> None:
        if not credentials.valid:
            try:
                credentials.refresh(Request())
            except GoogleAuthError as error:
                raise ServiceError(
                    "Google gives no token for the application default credentials: run "
                    "'gcloud auth application-default login' again."
                ) from error
        configuration.api_key["authorization"] = credentials.token

    return hook


def _file_hook(path: Path) -> Callable[[Any], None]:
    def hook(configuration: Any) -> None:
        configuration.api_key["authorization"] = path.read_text().strip()

    return hook


def _bound(api: Any) -> None:
    """Let no request wait for ever; the generated client has no setting for it."""
    request = api.rest_client.request

    def bounded(*arguments: Any, _request_timeout: Any = None, **options: Any) -> Any:
        limit = _request_timeout or (_CONNECT_S, _ANSWER_S)
        return request(*arguments, _request_timeout=limit, **options)

    api.rest_client.request = bounded


def _check(api: Any, connection: Connection) -> None:
    """Tell KFP 2 from what is something else, too old, or in need of a namespace."""
    answer = _health(api, "v2beta1")
    if not isinstance(answer, dict):
        if isinstance(_health(api, "v1beta1"), dict):
            raise ServiceError(
                f"The Kubeflow Pipelines at {connection.host} is too old: version 2 is needed."
            )
        raise ServiceError(
            f"What answers at {connection.host} is not Kubeflow Pipelines: check the address and "
            "its path (a full Kubeflow has it under /pipeline)."
        )
    if answer.get("multi_user") and not connection.namespace:
        raise InputError(
            f"The Kubeflow Pipelines at {connection.host} has several users: give --namespace."
        )


def _health(api: Any, version: str) -> Any:
    import kfp_server_api

    try:
        return api.call_api(
            f"/apis/{version}/healthz",
            "GET",
            response_type="object",
            auth_settings=["Bearer"],
            _return_http_data_only=True,
            _request_timeout=(_CONNECT_S, 2 * _CONNECT_S),
        )
    except kfp_server_api.ApiException as error:
        if error.status in (400, 404, 405, 501):
            return None
        raise
