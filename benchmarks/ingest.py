"""Ingest from gs://: ranged reads against downloading whole files, and a second, cached run.

    python benchmarks/ingest.py --repeats 5 --delay 0.02
    python benchmarks/ingest.py --small 20000 --delay 0.02

A Cloud Storage server on loopback holds files as long as Google's (120,000 drawings per class, made
by shifting real ones) and answers each request after `delay` seconds, as a far server would. Its
bandwidth is that of loopback, so the bytes tell more than the seconds. ``ranged`` and ``cached``
are whole ingests, ``whole_files`` is the download alone. With ``--small`` the server, in a process
of its own, holds that many JPEG files of about 1 KB instead.
"""

import argparse
import io
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).parent)]

import common  # noqa: E402
from drawings import drawings_folder  # noqa: E402
from google.cloud import storage  # noqa: E402
from servers import GcsServer  # noqa: E402

from augstudy.settings.data import DataSettings  # noqa: E402
from augstudy.steps import ingest  # noqa: E402

CLASSES = ("bird", "cat", "dog", "fish")
SOURCE = "gs://art/full/numpy_bitmap"


def long_file(path: Path, rows: int) -> bytes:
    """An .npy file of `rows` different drawings: the real ones, shifted."""
    real = np.load(path).reshape(-1, 28, 28)
    shifts = [(down, right) for down in range(-3, 4) for right in range(-3, 4)]
    needed = -(-rows // len(real))
    drawings = np.concatenate([np.roll(real, shift, (1, 2)) for shift in shifts[:needed]])[:rows]
    with tempfile.TemporaryFile() as stream:
        np.save(stream, drawings.reshape(len(drawings), 784))
        stream.seek(0)
        return stream.read()


def measure(server: GcsServer, action: Callable[[], Any]) -> dict[str, float]:
    """Seconds, requests and bytes of one run."""
    server.reset_counts()
    began = time.perf_counter()
    action()
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "requests": sum(server.requests.values()),
        "mib": sum(server.sent.values()) / 2**20,
    }


def download_whole() -> None:
    client = storage.Client.create_anonymous_client()
    bucket = client.bucket("art")
    names = [f"full/numpy_bitmap/{name}.npy" for name in CLASSES]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: bucket.blob(name).download_as_bytes(raw_download=True), names))


def run(repeats: int, rows: int, delay: float, per_class: int) -> dict[str, Any]:
    settings = DataSettings(
        source=SOURCE,
        classes=CLASSES,
        train_per_class=per_class * 3 // 5,
        val_per_class=per_class // 5,
        test_per_class=per_class // 5,
    )
    runs: dict[str, list[dict[str, float]]] = {"ranged": [], "cached": [], "whole_files": []}
    with GcsServer() as server, tempfile.TemporaryDirectory() as scratch:
        os.environ["STORAGE_EMULATOR_HOST"] = server.url
        for name in CLASSES:
            content = long_file(drawings_folder() / f"{name}.npy", rows)
            server.put("art", f"full/numpy_bitmap/{name}.npy", content)
        server.delay = delay
        for repeat in range(repeats):
            folder = Path(scratch) / str(repeat)
            for kind in ("ranged", "cached"):
                runs[kind].append(
                    measure(
                        server,
                        lambda: ingest.run(folder / kind, settings, folder / "cache"),  # noqa: B023
                    )
                )
            runs["whole_files"].append(measure(server, download_whole))
    needed = len(CLASSES) * per_class * 784 / 2**20
    return {
        "classes": len(CLASSES),
        "drawings_per_class_in_source": rows,
        "drawings_per_class_needed": per_class,
        "server_delay_s": delay,
        "needed_mib": round(needed, 2),
        "received_over_needed": round(runs["ranged"][0]["mib"] / needed, 4),
        **{
            kind: {key: common.summary([item[key] for item in items]) for key in items[0]}
            for kind, items in runs.items()
        },
    }


def serve_small(objects: int, delay: float, pipe: Any) -> None:
    """A server with `objects` small JPEG files in two classes; says its address and serves on."""
    random = np.random.default_rng(0)
    with GcsServer() as server:
        for number in range(objects):
            coarse = random.integers(0, 256, (8, 8, 3), np.uint8)
            image = Image.fromarray(coarse).resize((32, 32), Image.Resampling.BICUBIC)
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=80)
            server.put("art", f"small/{'ab'[number % 2]}/{number:06}.jpg", buffer.getvalue())
        server.delay = delay
        pipe.send(server.url)
        while pipe.recv():
            pipe.send((sum(server.requests.values()), sum(server.sent.values()) / 2**20))
            server.reset_counts()


def run_small(objects: int, delay: float) -> dict[str, Any]:
    """Seconds, requests and MiB of an ingest of many small objects, and of a second, cached one."""
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=serve_small, args=(objects, delay, there), daemon=True)
    server.start()
    os.environ["STORAGE_EMULATOR_HOST"] = here.recv()
    settings = DataSettings.model_validate(
        {"source": "gs://art/small", "image_settings": {"near_copies": False}}
    )
    found: dict[str, Any] = {"objects": objects, "server_delay_s": delay}
    with tempfile.TemporaryDirectory() as scratch:
        for kind in ("small", "small_cached"):
            began, worked = time.perf_counter(), time.process_time()
            ingest.run(Path(scratch) / kind, settings, Path(scratch) / "cache")
            seconds, cpu = time.perf_counter() - began, time.process_time() - worked
            here.send(True)
            requests, mib = here.recv()
            found[kind] = {
                "seconds": round(seconds, 1),
                "cpu_seconds": round(cpu, 1),
                "requests": requests,
                "mib": round(mib, 1),
            }
    here.send(False)
    server.join()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=120_000, help="images per class in the source")
    parser.add_argument("--per-class", type=int, default=6_000, help="images per class wanted")
    parser.add_argument("--delay", type=float, default=0.02, help="seconds before each answer")
    parser.add_argument("--small", type=int, default=0, help="small objects, instead of all else")
    options = parser.parse_args()
    if options.small:
        common.write("ingest_small", run_small(options.small, options.delay))
        return
    common.write("ingest", run(options.repeats, options.rows, options.delay, options.per_class))


if __name__ == "__main__":
    main()
