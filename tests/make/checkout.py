"""A checkout with the Makefile and what it calls, whose environment only takes notes."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_PARTS = ("Makefile", "pyproject.toml", "scripts/from_make.py", "scripts/set_up.py", "requirements")
_NOTES = """#!{python}
import json, os, sys
names = json.loads({names!r})
with open({notes!r}, "a") as stream:
    known = {{name: os.environ[name] for name in names if name in os.environ}}
    stream.write(json.dumps({{"words": sys.argv[1:], "environment": known}}) + "\\n")
"""


class Checkout:
    """A folder in which ``make`` works; its environment's programs note how they were called."""

    def __init__(self, path: Path) -> None:
        self.path, self.notes = path, path / "notes.jsonl"
        for name in _PARTS:
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, target)

    def finish_environment(self) -> None:
        """Make an environment that counts as finished."""
        bin_ = self.path / ".venv" / "bin"
        bin_.mkdir(parents=True)
        names = ["PUSH", "KUBECONTEXT", "NOTE"]
        program = _NOTES.format(
            python=sys.executable, names=json.dumps(names), notes=str(self.notes)
        )
        for path in (bin_ / "augstudy", bin_ / "python", bin_ / "ruff"):
            path.write_text(program)
            path.chmod(0o755)
        for name in ("kind/up.sh", "build_images.sh"):
            script = self.path / "scripts" / name
            script.parent.mkdir(exist_ok=True)
            script.write_text(program)
            script.chmod(0o755)
        set_up = runpy.run_path(str(self.path / "scripts" / "set_up.py"))
        before = Path.cwd()
        os.chdir(self.path)
        made = {kind: set_up["made"](kind) for kind in ("run", "dev")}
        os.chdir(before)
        (self.path / ".venv" / set_up["STAMP"]).write_text(json.dumps(made))

    def make(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run make."""
        return subprocess.run(
            ["make", *words],
            cwd=self.path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def called(self, *words: str, **environment: str) -> list[dict[str, Any]]:
        """How programs were called by make, which must succeed."""
        self.notes.unlink(missing_ok=True)
        done = self.make(*words, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in self.notes.read_text().splitlines()]

    def asked(self, *words: str, **environment: str) -> list[str]:
        """The words that the one program was given that make called."""
        (call,) = self.called(*words, **environment)
        return list(call["words"])
