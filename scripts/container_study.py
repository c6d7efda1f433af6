"""Run the smoke study in real containers and on this machine, and compare every artifact.

``python scripts/container_study.py`` needs a Docker daemon and the cpu image of this checkout
(``make images``). Each step runs as it would on a cluster: the compiled pipeline's own command, as
uid 10001, on a read-only file system with no capabilities, and in the network of a store that has
no other network. Afterwards a training step is asked to end, and must do so within 10 s.
"""

import argparse
import builtins
import contextlib
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import docker
import numpy as np
import yaml
from container_compare import compare
from container_stop import check_stop
from docker.errors import DockerException, ImageNotFound

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import container_store  # noqa: E402
from servers import GcsServer  # noqa: E402

PIPELINE, PRESET = "augmentation_study", "smoke"
THREADS = 1  # equal in both runs: the order of a sum hangs on it
KERNELS = "OPENBLAS_"  # variables of this machine that choose NumPy's kernels: equal for that, too
SANDBOX: dict[str, Any] = {
    "user": "10001:10001",
    "read_only": True,
    "tmpfs": {"/tmp": "mode=1777,size=1g"},  # noqa: S108
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
}


def main() -> int:
    """Run everything; the exit code is 0 if all artifacts are equal."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--image", help="default: the cpu image of this checkout")
    parser.add_argument("--folder", type=Path, help="keep everything here (default: a temporary)")
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = asked.folder.resolve() if asked.folder else stack.enter_context(_scratch())
        try:
            client = docker.from_env()
            image = asked.image or _image_of_this_checkout()
            client.images.get(image)
        except ImageNotFound:
            return _complain(f"There is no image {image}: build it with 'make images'.")
        except DockerException as error:
            return _complain(f"The Docker daemon does not answer ({error}): start it.")
        return _check(client, image, folder)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A folder in ``build/``: containers have a /tmp of their own."""
    (ROOT / "build").mkdir(exist_ok=True)
    # What steps wrote is not ours to remove, unless we are root.
    made = tempfile.TemporaryDirectory(dir=ROOT / "build", ignore_cleanup_errors=True)
    with made as folder:
        yield Path(folder)


def _complain(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 3


def _check(client: Any, image: str, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    drawings = _write_drawings(folder / "drawings")
    with _store(client, image, drawings) as (store, address):
        compiled = _run_in_containers(image, store, address, folder)
    _run_here(drawings, folder)
    complaints = compare(folder / "containers", folder / "runs" / "0001" / "artifacts")
    complaints += check_stop(client, image, compiled, folder, SANDBOX)
    if complaints:
        print("\n".join(complaints))
        print(f"The study in containers of {image} is NOT as it is here.")
        return 1
    print(f"The study in containers of {image} equals that of this machine, file by file.")
    return 0


def _image_of_this_checkout() -> str:
    from augstudy.cluster import image

    return os.environ.get("AUGSTUDY_IMAGE") or image.name(ROOT)


def _write_drawings(folder: Path) -> Path:
    """The embedded sample as the ``.npy`` files that a bucket would hold."""
    folder.mkdir(parents=True, exist_ok=True)
    sample = ROOT / "src" / "augstudy" / "data" / "sample" / "mammals.npz"
    with np.load(sample, allow_pickle=False) as archive:
        for name in archive.files:
            np.save(folder / name, archive[name], allow_pickle=False)
    return folder


@contextlib.contextmanager
def _store(client: Any, image: str, drawings: Path) -> Iterator[tuple[Any, str]]:
    """A container with loopback as its only network, and the address of the store in it."""
    mounts = {
        drawings: "/store/drawings",
        ROOT / "tests" / "servers.py": "/store/servers.py",
        ROOT / "scripts" / "container_store.py": "/store/container_store.py",
    }
    container = client.containers.run(
        image,
        ["python3", "/store/container_store.py", "/store/drawings"],
        detach=True,
        network_mode="none",
        environment={"PYTHONPATH": "/store"},
        volumes={str(path): {"bind": at, "mode": "ro"} for path, at in mounts.items()},
        **SANDBOX,
    )
    try:
        for line in container.logs(stream=True, follow=True):
            if line.startswith(b"http"):
                yield container, line.decode().strip()
                return
        raise RuntimeError(f"the store did not start:\n{container.logs().decode()}")
    finally:
        container.remove(force=True)


def _run_in_containers(image: str, store: Any, address: str, folder: Path) -> Path:
    """Run the compiled pipeline with one container a step; returns its YAML file."""
    settings = folder / "cluster.yaml"
    kernels = {name: value for name, value in os.environ.items() if name.startswith(KERNELS)}
    needs = {"cpu": "1", "cpu_limit": str(THREADS), "memory": "1Gi", "memory_limit": "4Gi"}
    values: Mapping[str, Any] = {
        "image": image,
        "light": needs,
        "inference": needs,
        "training": needs,
        "retry": {"times": 0},
        "environment": {"STORAGE_EMULATOR_HOST": address, **kernels},
    }
    settings.write_text(yaml.safe_dump(values))
    os.environ["AUGSTUDY_CLUSTER"] = str(settings)  # read when the pipelines are imported
    from kfp import components, local

    from augstudy.cluster.compile import compile_pipeline
    from augstudy.local import catalog, parameters

    pipeline = catalog.load(PIPELINE)
    layers = [catalog.load_preset(PRESET), {"source": container_store.SOURCE}]
    chosen = parameters.resolve(PIPELINE, catalog.parameters(pipeline), layers)
    compiled = folder / "pipeline.yaml"
    compile_pipeline(pipeline, compiled)
    root, log = folder / "containers", folder / "containers.log"
    root.mkdir()
    root.chmod(0o777)  # KFP makes folders as us, steps write into them as uid 10001
    before, plain_print = os.umask(0), builtins.print
    try:
        with log.open("w") as out, contextlib.redirect_stdout(out), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # KFP tells of every setting that means nothing here
            network = f"container:{store.id}"
            local.init(local.DockerRunner(network_mode=network, **SANDBOX), pipeline_root=str(root))
            components.load_component_from_file(str(compiled))(**chosen)
    except Exception:
        sys.stderr.write(log.read_text()[-5000:])
        raise
    finally:
        os.umask(before)
        builtins.print = plain_print  # two threads of KFP replace it, and one wins
    return compiled


def _run_here(drawings: Path, folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "AUGSTUDY_CLUSTER"}
    command = [sys.executable, "-m", "augstudy.cli", "run", PIPELINE, "--preset", PRESET]
    command += ["--source", container_store.SOURCE, "--threads", str(THREADS)]
    with GcsServer() as store:
        container_store.fill(store, drawings)
        environment |= {
            "STORAGE_EMULATOR_HOST": store.url,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "AUGSTUDY_RUNS": str(folder / "runs"),
        }
        log = (folder / "here.log").open("w")
        with log:
            done = subprocess.run(  # noqa: S603 (our own interpreter and module)
                command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False
            )
    if done.returncode:
        raise RuntimeError((folder / "here.log").read_text())


if __name__ == "__main__":
    sys.exit(main())
