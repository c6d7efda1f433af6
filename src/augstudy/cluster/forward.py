"""Ports of a cluster's Services on this machine, through ``kubectl port-forward``."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass

from augstudy.core.errors import ServiceError

_WAIT_S = 20.0
_POLL_S = 0.05
_MOST = 1 << 14  # bytes of what kubectl says
_AT = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Service:
    """A Service of a cluster, and one of its ports."""

    name: str
    namespace: str
    port: int


class Forward(AbstractContextManager["Forward"]):
    """A forwarded port, open until the block ends; ``url`` says where it is.

    Raises:
        ServiceError: there is no kubectl, or it does not forward the port.
    """

    def __init__(self, service: Service, context: str = "") -> None:
        kubectl = shutil.which("kubectl")
        if kubectl is None:
            raise ServiceError(
                f"{service.name} answers inside the cluster only, and there is no kubectl to "
                "forward its port: install kubectl, or set AWS_ENDPOINT_URL."
            )
        chosen = ["--context", context] if context else []
        where = ["--namespace", service.namespace]
        # A file, since a pipe that nobody reads fills up: kubectl writes a line a connection.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        what = ["port-forward", f"svc/{service.name}", f":{service.port}"]
        self._process = subprocess.Popen(  # noqa: S603
            [kubectl, *chosen, *where, *what],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )
        found = self._address()
        if not found:
            why = self._text().strip().splitlines()[-1:] or ["it says nothing"]
            self.__exit__()
            raise ServiceError(
                f"kubectl does not forward the port of {service.name} in namespace "
                f"{service.namespace} ({why[0]}): check the Service and its pods."
            )
        self.url = f"http://127.0.0.1:{found[1]}"

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._said.close()

    def _address(self) -> re.Match[str] | None:
        late = time.monotonic() + _WAIT_S
        while time.monotonic() < late:
            found = _AT.search(self._text())
            if found or self._process.poll() is not None:
                return found
            time.sleep(_POLL_S)
        return None

    def _text(self) -> str:
        # Reading must not move the place at which kubectl writes.
        return os.pread(self._said.fileno(), _MOST, 0).decode(errors="replace")
