"""Ask a training step in a container to end, as Docker and as Kubernetes would."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augstudy.cluster import ir
from augstudy.core import artifacts

LIMIT_S = 10.0
_PATIENCE_S = 240.0
# On a cluster Argo's executor is the first process. Like it, this runs the step in a process group
# of its own and hands signals to the whole group.
_AS_ARGO = """
import os, signal, subprocess, sys
step = subprocess.Popen(sys.argv[1:], process_group=0)
signal.signal(signal.SIGTERM, lambda number, frame: os.killpg(step.pid, number))
code = step.wait()
sys.exit(128 - code if code < 0 else code)
"""


def check_stop(
    client: Any, image: str, compiled: Path, folder: Path, sandbox: Mapping[str, Any]
) -> list[str]:
    """Start the training step of a finished run again, end it, and say what went wrong.

    Args:
        client: Of Docker.
        image: Of the step.
        compiled: The pipeline's YAML file, for the step's own command.
        folder: With the finished run in ``containers``.
        sandbox: Arguments of ``docker run``.
    """
    complaints = []
    starts: dict[str, dict[str, Any]] = {
        "Docker": {},
        "Argo": {"entrypoint": ["python3", "-c", _AS_ARGO]},
    }
    for who, options in starts.items():
        out = folder / f"stopped-by-{who.lower()}"
        out.mkdir()
        out.chmod(0o777)
        container = client.containers.run(
            image,
            _command(compiled, folder, out),
            detach=True,
            network_mode="none",
            environment={"AUGSTUDY_EVENTS": str(out / "events"), "AUGSTUDY_THREADS": "1"},
            volumes={str(folder): {"bind": str(folder), "mode": "rw"}},
            **options,
            **sandbox,
        )
        try:
            found = _end(container, out)
            # Argo's processes end at once and take the step with them: there only the checkpoints
            # that a training writes as it goes can be counted on.
            if not options and not _checkpoints(out):
                found.append("the step left no checkpoint to go on from")
            complaints += [f"Ended by {who}: {text}" for text in found]
        finally:
            container.remove(force=True)
    return complaints


def _end(container: Any, out: Path) -> list[str]:
    deadline = time.monotonic() + _PATIENCE_S
    while not (out / "events").exists() or '"progress"' not in (out / "events").read_text():
        container.reload()
        if container.status == "exited" or time.monotonic() > deadline:
            return [f"the step did not train: {container.logs().decode()[-3000:]}"]
        time.sleep(0.2)
    began = time.monotonic()
    container.kill("SIGTERM")
    code = container.wait(timeout=_PATIENCE_S)["StatusCode"]
    took = time.monotonic() - began
    complaints = []
    if took > LIMIT_S:
        complaints.append(f"the step took {took:.1f} s to end")
    if code != 143:
        complaints.append(f"the step ended with {code} instead of 143")
    if list((out / "classifier").glob("manifest.json")):
        complaints.append("the step left something that looks like a finished artifact")
    print(f"A training step ended {took:.1f} s after SIGTERM, with {code}.")
    return complaints


def _checkpoints(out: Path) -> list[artifacts.Artifact]:
    """The checkpoints of the training, each verified."""
    kept = (out / ".classifier-checkpoints").rglob(artifacts.MANIFEST)
    return [artifacts.read(manifest.parent, "checkpoint") for manifest in kept]


def _command(compiled: Path, folder: Path, out: Path) -> list[str]:
    """The command of the step as KFP starts it, with inputs from the finished run."""
    spec, _ = ir.load(compiled)
    container = spec["deploymentSpec"]["executors"]["exec-train-cnn"]["container"]
    (run,) = (folder / "containers").iterdir()
    inputs = {
        "dataset": run / "ingest" / "dataset",
        "gathered": run / "curate" / "gathered",
    }
    message = {
        "inputs": {
            "artifacts": {name: _artifact(name, "Dataset", path) for name, path in inputs.items()},
            "parameterValues": {
                "arm": {"arm": "real"},
                "seeds": [0],
                "classifier_recipe": "modern",
                "classifier_settings": {"epochs": 100_000, "early_stopping": "none"},
            },
        },
        "outputs": {
            "artifacts": {"classifier": _artifact("classifier", "Model", out / "classifier")},
            "outputFile": str(out / "executor_output.json"),
        },
    }
    text = json.dumps(message)
    return [part.replace("{{$}}", text) for part in (*container["command"], *container["args"])]


def _artifact(name: str, kind: str, path: Path) -> dict[str, Any]:
    schema = {"schemaTitle": f"system.{kind}", "schemaVersion": "0.0.1"}
    return {"artifacts": [{"name": name, "type": schema, "uri": str(path), "metadata": {}}]}
