"""Where Kubeflow Pipelines is and who we are there: from options, the environment or a file.

Options come first, then ``AUGSTUDY_KFP_HOST``, ``AUGSTUDY_KFP_NAMESPACE`` and the other variables
below, then ``~/.config/augstudy/kfp.yaml``. A token is kept as a secret: it is never printed.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import yaml
from pydantic import Field, SecretStr

from augstudy.core.errors import InputError
from augstudy.core.files import settings_file
from augstudy.objects.address import refuse_credentials
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
_NO_ADDRESS = "{!r} is no address of KFP: it looks like http://localhost:8080."
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
        InputError: the file or a value in it is wrong, or an address carries credentials.
    """
    path, values = _file()
    values |= {key: os.environ[name] for key, name in _VARIABLES.items() if os.environ.get(name)}
    values |= {key: value for key, value in options.items() if value}
    for key in ("host", "ui_host"):
        if values.get(key):
            values[key] = address(str(values[key]))
    refuse_credentials(str(values.get("pipeline_root", "")), "pipeline root")
    return parse(Connection, values, str(path or "the connection to KFP"))


def _file() -> tuple[Path | None, dict[str, Any]]:
    named = os.environ.get(FILE_VARIABLE)
    path = Path(named) if named else settings_file("kfp.yaml")
    if path is None:
        return None, {}
    try:
        content = yaml.safe_load(path.read_bytes()) or {}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError:
        # YAML's own message quotes the line, which may hold the token.
        raise InputError(f"{path} is not valid YAML: write lines such as 'host: ...'.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} must be a mapping, with lines such as 'host: ...'.")
    return path, content


def address(text: str) -> str:
    """`text` as scheme, host and path; what people paste from a browser is cut.

    Raises:
        InputError: it is no address, or carries credentials.
    """
    refuse_credentials(text, "address of KFP")
    if "://" not in text:
        text = ("http://" if text.startswith(_NEAR) else "https://") + text
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # of the port, or of an IPv6 address
        raise InputError(_NO_ADDRESS.format(text)) from None
    if not known:
        raise InputError(_NO_ADDRESS.format(text))
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
