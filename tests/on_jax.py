"""Runs a script of toys with JAX as Keras's backend, which a process can only choose once."""

import json
import os
import subprocess
import sys
from types import ModuleType
from typing import Any

# For networks so small that compiling them takes longer than training them.
UNOPTIMISED = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}


def found(script: ModuleType, *arguments: str, **environment: str) -> Any:
    """What the script finds there."""
    backend = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    run = subprocess.run(
        [sys.executable, str(script.__file__), *arguments],
        env={**os.environ, **backend, **environment},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout)
