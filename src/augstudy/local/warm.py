"""Starts the steps of a local run from a process that has imported their libraries already.

Importing TensorFlow and the rest takes seconds, and a study is dozens of steps. So a *nursery*, a
process without threads, imports them once and forks for each step; a fork has its own memory, exit
code and clock, as a fresh process has. Nothing is computed before the fork: TensorFlow starts its
threads with the first operation, and a fork would lose them.

The worker sends the nursery a file with the request and two descriptors: where the step's output
goes, and where its exit code does. The nursery ends when the worker does.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from augstudy.core import fingerprint, outlets
from augstudy.core.stopping import KILLED

_EXECUTOR = "kfp.dsl.executor_main"
# What the steps import; the backend first: it spares Keras libraries that it does not need.
LIBRARIES = (
    "augstudy.models.backend",
    "augstudy.steps.train_gan",
    "augstudy.steps.train_cnn",
    "augstudy.steps.evaluate",
    "augstudy.steps.cam",
    "augstudy.steps.summarize",
)


class Nursery:
    """The worker's end: a context manager in which :meth:`run` starts steps.

    `libraries` are the modules to import, while the first step is at work.
    """

    def __init__(self, libraries: Sequence[str] = LIBRARIES) -> None:
        self._libraries = libraries
        self._channel, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Nursery":
        number = self._far.fileno()
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            [sys.executable, "-m", "augstudy.local.warm", str(number), *self._libraries],
            pass_fds=[number],
            env={**os.environ, "_KFP_RUNTIME": "true"},
        )
        self._far.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        if self._process:
            self._process.wait()

    def run(self, full_command: Sequence[str], env_vars: Mapping[str, str] | None = None) -> int:
        """Run a step, print what it prints, and return its exit code.

        Args:
            full_command: What KFP would start: a shell, its script, the component's source, and
                the executor's arguments.
            env_vars: Added to the environment.

        Raises:
            OSError: the nursery is gone.
        """
        request = {
            "source": full_command[3],
            "arguments": list(full_command[4:]),
            "environment": dict(env_vars or {}),
        }
        descriptor, name = tempfile.mkstemp(prefix="step-", suffix=".json")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(request, stream)
        (output, code), theirs = zip(os.pipe(), os.pipe(), strict=True)
        try:
            socket.send_fds(self._channel, [name.encode()], theirs)
        finally:
            for number in theirs:
                os.close(number)
        with os.fdopen(output, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                print(line, end="")  # noqa: T201 (as KFP does; it has replaced print)
        with os.fdopen(code, "rb") as stream:
            said = stream.read()
        return int(said) if said else KILLED


def can_run(full_command: Sequence[str]) -> bool:
    """Whether a command is the start of a Python component that installs nothing first."""
    return full_command[:2] == ["sh", "-ec"] and f"-m {_EXECUTOR}" in full_command[2]


def serve(channel: socket.socket, libraries: Sequence[str]) -> None:
    """Fork for every request until the worker is gone."""
    importlib.import_module(_EXECUTOR)
    steps: dict[int, int] = {}
    bell = _ring_when_a_child_ends()
    warm = False
    while True:
        for ready in select.select([channel.fileno(), bell], [], [])[0]:
            if ready == bell:
                os.read(bell, 4096)
                _report_ended(steps)
                continue
            message, descriptors, _, _ = socket.recv_fds(channel, 4096, 2)
            if not message:
                return
            output, code = descriptors
            child = os.fork()
            if not child:
                _detach(output, [code, bell, *steps.values()])
                _become(Path(message.decode()))
            steps[child] = code
            os.close(output)
            if not warm:  # while the first step is at work
                warm = True
                _import(libraries)


def _detach(output: int, others: Sequence[int]) -> None:
    """Leave in a fork what is the nursery's, and print to `output`."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for number in (output, *others):
        os.close(number)


def _become(request: Path) -> NoReturn:
    """Be the step: run its component, as KFP's shell script would, and end."""
    exit_code = 1
    try:
        asked: dict[str, Any] = json.loads(request.read_text(encoding="utf-8"))
        os.environ.update(asked["environment"], _KFP_RUNTIME="true")
        module = Path(tempfile.mkdtemp()) / "ephemeral_component.py"
        module.write_text(asked["source"], encoding="utf-8")
        sys.argv = [_EXECUTOR, "--component_module_path", str(module), *asked["arguments"]]
        with outlets.guarded():
            exit_code = _execute()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(exit_code)


def _execute() -> int:
    """Run the component that the command line names; its exit code."""
    try:
        sys.modules[_EXECUTOR].executor_main()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(bool(done.code))
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _report_ended(steps: dict[int, int]) -> None:
    while steps:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        code = os.waitstatus_to_exitcode(status)
        descriptor = steps.pop(child)
        with contextlib.suppress(OSError):  # nobody waits for it any more
            os.write(descriptor, str(code).encode())
        os.close(descriptor)


def _ring_when_a_child_ends() -> int:
    """A descriptor that can be read from once a child has ended."""
    bell, rope = os.pipe()
    os.set_blocking(rope, False)
    signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return bell


def _import(libraries: Sequence[str]) -> None:
    fingerprint.remember()  # of the code that is imported now, whatever becomes of it later
    for name in libraries:
        try:
            importlib.import_module(name)
        except Exception:  # the step that needs it will say so
            traceback.print_exc()
            return


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
