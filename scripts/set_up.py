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
from pathlib import Path

STAMP = ".augstudy.json"  # in the environment: by kind, a hash of what it was made of
PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
SAYS = {
    "run": "Setting up {}; this takes a few minutes, once.",
    "dev": "Setting up {} with the tools of development; this takes a few minutes, once.",
}


def main(venv: Path, kind: str) -> int:
    """Set up the environment unless it is; 3 if it cannot be written, else pip's exit code."""
    if _is_finished(venv, kind):
        return 0
    lock = venv.absolute().with_name(f"{venv.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    _take(descriptor, venv)
    if _is_finished(venv, kind):  # by who was first
        return 0
    # As long as the lock's file holds something, the environment is being changed.
    broken_off = os.fstat(descriptor).st_size > 0
    if not broken_off and _is_something_else(venv):  # whatever is in it would be removed
        _say(f"The folder {venv} is no virtual environment: name another one in VENV.")
        return 2
    os.pwrite(descriptor, b"being set up\n", 0)
    _say(SAYS[kind].format(venv))
    try:
        _make(venv, kind, descriptor, broken_off)
    except subprocess.CalledProcessError as error:
        return error.returncode if error.returncode > 0 else 1
    os.ftruncate(descriptor, 0)
    return 0


def _take(descriptor: int, venv: Path) -> None:
    """Wait for the lock, which the system takes from who dies."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say(f"{venv} is being set up by another make: waiting for it.")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _make(venv: Path, kind: str, lock: int, broken_off: bool) -> None:
    """Make the environment, or bring it up to date, and say so in it at the end."""
    python, stamp = venv / "bin" / "python", venv / STAMP

    def call(*words: "str | Path") -> None:
        # With the lock's descriptor: it is held until the last of them has ended.
        subprocess.run(words, check=True, pass_fds=[lock])  # noqa: S603

    made_of = {"run": made("run"), **({"dev": made("dev")} if kind == "dev" else {})}
    if not broken_off and kind == "run" and "dev" in _stamp(venv):
        made_of["dev"] = _stamp(venv)["dev"]
    if broken_off or not _works(python):
        call(sys.executable, "-m", "venv", "--clear", venv.absolute())
    else:
        stamp.unlink(missing_ok=True)
    call(python, *PIP, "--use-pep517", "--require-hashes", "-r", f"requirements/{kind}.txt")
    call(python, *PIP, "--no-deps", "--no-build-isolation", "-e", ".")
    draft = stamp.with_suffix(".draft")
    draft.write_text(json.dumps(made_of))
    draft.replace(stamp)


def made(kind: str) -> str:
    """A hash of what an environment is made of: the locked packages, the project and its place."""
    digest = hashlib.sha256(os.fsencode(Path.cwd()))
    for name in (f"requirements/{kind}.txt", "pyproject.toml"):
        digest.update(Path(name).read_bytes())
    return digest.hexdigest()


def _is_finished(venv: Path, kind: str) -> bool:
    return (venv / "bin" / "python").exists() and _stamp(venv).get(kind) == made(kind)


def _stamp(venv: Path) -> "dict[str, str]":
    try:
        content = json.loads((venv / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _is_something_else(venv: Path) -> bool:
    """Whether a folder holds something that is no environment."""
    return venv.exists() and any(venv.iterdir()) and not (venv / "pyvenv.cfg").exists()


def _works(python: Path) -> bool:
    """Whether there is an environment with a pip in it."""
    if not python.exists():
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
        sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        _say(f"{sys.argv[1]} cannot be set up: {error}.")
        sys.exit(3)
