"""Sets up the virtual environment of the Makefile: ``python3 scripts/set_up.py VENV run|dev``.

An environment counts as finished only if its last line of work was done: what it was made of is
written into it then. Two who set up at once take turns, and one that was broken off is made again.
Nothing but the standard library is needed.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys

STAMP = ".augstudy.json"  # in the environment: by kind, a hash of what it was made of
PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
SAYS = {
    "run": "Setting up {}; this takes a few minutes, once.",
    "dev": "Setting up {} with the tools of development; this takes a few minutes, once.",
}


def main(venv: str, kind: str) -> int:
    """Set up the environment unless it is; 2 if that is not possible here, else pip's exit code."""
    if _is_finished(venv, kind):
        return 0
    lock = f"{venv.rstrip('/')}.lock"
    os.makedirs(os.path.dirname(os.path.abspath(lock)), exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    _take(descriptor, venv)
    if _is_finished(venv, kind):  # by who was first
        return 0
    # As long as the lock's file holds something, the environment is being changed.
    broken_off = os.fstat(descriptor).st_size > 0
    os.pwrite(descriptor, b"being set up\n", 0)
    _say(SAYS[kind].format(venv))
    try:
        _make(venv, kind, descriptor, broken_off)
    except subprocess.CalledProcessError as error:
        return error.returncode if error.returncode > 0 else 1
    except OSError as error:
        _say(f"{venv} cannot be set up: {error.strerror or error}.")
        return 3
    os.ftruncate(descriptor, 0)
    return 0


def _take(descriptor: int, venv: str) -> None:
    """Wait for the lock, which the system takes from who dies."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say(f"{venv} is being set up by another make: waiting for it.")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _make(venv: str, kind: str, lock: int, broken_off: bool) -> None:
    """Make the environment, or bring it up to date, and say so in it at the end."""
    python = os.path.join(venv, "bin", "python")

    def call(*words: str) -> None:
        # With the lock's descriptor: it is held until the last of them has ended.
        subprocess.run(words, check=True, pass_fds=[lock])  # noqa: S603

    made_of = {"run": made("run"), **({"dev": made("dev")} if kind == "dev" else {})}
    if not broken_off and kind == "run" and "dev" in _stamp(venv):
        made_of["dev"] = _stamp(venv)["dev"]
    stamp = os.path.join(venv, STAMP)
    if broken_off or not _works(python):
        call(sys.executable, "-m", "venv", "--clear", venv)
    elif os.path.exists(stamp):
        os.unlink(stamp)
    call(python, *PIP, "--use-pep517", "--require-hashes", "-r", f"requirements/{kind}.txt")
    call(python, *PIP, "--no-deps", "--no-build-isolation", "-e", ".")
    draft = f"{stamp}.{os.getpid()}"
    with open(draft, "w") as stream:
        json.dump(made_of, stream)
    os.replace(draft, stamp)


def made(kind: str) -> str:
    """A hash of what an environment is made of: the locked packages, the project and its place."""
    digest = hashlib.sha256(os.getcwd().encode())
    for name in (f"requirements/{kind}.txt", "pyproject.toml"):
        with open(name, "rb") as stream:
            digest.update(stream.read())
    return digest.hexdigest()


def _is_finished(venv: str, kind: str) -> bool:
    there = os.path.exists(os.path.join(venv, "bin", "python"))
    return there and _stamp(venv).get(kind) == made(kind)


def _stamp(venv: str) -> "dict[str, str]":
    try:
        with open(os.path.join(venv, STAMP)) as stream:
            content = json.load(stream)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _works(python: str) -> bool:
    """Whether there is an environment with a pip in it."""
    if not os.path.exists(python):
        return False
    found = subprocess.run(  # noqa: S603
        [python, "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return found.returncode == 0


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
