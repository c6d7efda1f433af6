"""Check that a change of the code changes no result: ``python scripts/equal_results.py 29ea9d5``.

Runs the smoke study, both smoke sweeps, a retraining and, unless ``--smoke`` is given, the quick
study with the code of that commit and with this checkout, and compares what their steps left.
Arrays, models, histories and pictures must be equal byte for byte; in JSON files every number and
truth value of the old file must stand in the same place of the new one, and so must those of
summary.json and decision.json, read by this checkout. Words and costs may differ. About 25 minutes
on two cores.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augstudy.results import files

ROOT = Path(__file__).resolve().parents[1]
TINY = ("classes=[cow, giraffe, zebra]", "train_per_class=40", "val_per_class=6")
RECIPE = "batch_size: 12, early_stopping: null, reduce_on_plateau: null"
RETRAIN = (
    "--seeds=0",
    "--threads=1",
    *(f"--set={item}" for item in (*TINY, "test_per_class=40", "classifier=baseline")),
    f"--set=classifier_settings={{{RECIPE}, epochs: 6}}",
)
CASES = {
    "smoke": ("augmentation_study", "--preset", "smoke"),
    "cnn_tuning": ("cnn_tuning", "--preset", "smoke"),
    "gan_tuning": ("gan_tuning", "--preset", "smoke"),
    "retrain": ("retrain", *RETRAIN),
    "quick": ("augmentation_study", "--preset", "quick"),
}
# Written at the end for people and for KFP; what they show is compared where it was computed.
PAGES = ("report", "page", "verdict", "metrics", "executor_output.json", "manifest.json")
PAGES += ("decision",)  # compared as results
COSTS = ("cpu_s", "wall_s")
# Files of steps from before a study could have several sets of synthetic images.
MOVED = (
    (r"train-gan/gan/(?!compact/)(.+)", r"train-gan/gan/compact/gan/\1"),
    (r"synthesize/synthetic/(?!compact/)(.+)", r"synthesize/synthetic/compact/images/\1"),
    (r"(.*)cam/maps/(.+)", r"\1evaluate/maps/\2"),
    (r"(.*evaluation)/discriminator\.json", r"\1/discriminator-compact.json"),
)


def main() -> int:
    """Run both sides and say what differs; the exit code is 1 if anything does."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("commit", help="the commit whose results are to be met")
    parser.add_argument("--smoke", action="store_true", help="leave out the quick study")
    parser.add_argument("--folder", type=Path, help="keep all runs here (default: a temporary one)")
    asked = parser.parse_args()
    names = [name for name in CASES if not (asked.smoke and name == "quick")]
    with contextlib.ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        old = stack.enter_context(_checkout(asked.commit, folder.resolve()))
        complaints = []
        for name in names:
            before = _run(old, folder.resolve() / "old", name)
            after = _run(ROOT, folder.resolve() / "new", name)
            found = compare(before, after)
            print(f"{name}: {'equal' if not found else f'{len(found)} differences'}", flush=True)
            complaints += [f"{name}: {line}" for line in found]
    print("\n".join(complaints))
    return 1 if complaints else 0


@contextlib.contextmanager
def _checkout(commit: str, folder: Path) -> Iterator[Path]:
    git = ("git", "-C", str(ROOT), "worktree")
    path = folder / "checkout"
    if not path.exists():
        subprocess.run(  # noqa: S603
            [*git, "add", "--quiet", "--detach", str(path), commit], check=True
        )
    try:
        yield path
    finally:
        subprocess.run([*git, "remove", "--force", str(path)], check=True)  # noqa: S603


def _run(checkout: Path, out: Path, name: str) -> Path:
    """Run a case with the code of `checkout`, unless it was run before; the folder of the run."""
    runs = out / name
    if not (runs / "0001" / "run.json").exists():
        environment = {
            **os.environ,
            "PYTHONPATH": f"{checkout / 'src'}{os.pathsep}{checkout}",
            "XDG_CACHE_HOME": str(out / "cache"),
        }
        command = [sys.executable, "-m", "augstudy.cli", "run", *CASES[name]]
        command += ["--runs-dir", str(runs)]
        if name == "retrain":
            command.append(f"--set=champion=file://{out / 'champions'}")
        out.mkdir(parents=True, exist_ok=True)
        subprocess.run(  # noqa: S603
            command, cwd=out, env=environment, check=True, stdout=subprocess.DEVNULL
        )
    return runs / "0001"


def compare(before: Path, after: Path) -> list[str]:
    """What differs between the artifacts of two runs, a sentence for each file or number."""
    old, new = (
        {_as_now(name): path for name, path in _files(run).items()} for run in (before, after)
    )
    found = [f"{name} is missing" for name in sorted(set(old) - set(new))]
    for name in sorted(set(old) & set(new)):
        if name.endswith(".json"):
            found += [f"{name}: {line}" for line in _json_differences(old[name], new[name])]
        elif _hash(old[name]) != _hash(new[name]):
            found.append(f"{name} differs")
    found += _result_differences(before, after)
    return found or ([] if old else [f"{before} has no artifacts"])


def _result_differences(before: Path, after: Path) -> list[str]:
    """What differs between summary.json and decision.json of two runs, whatever their versions."""
    found = []
    for old, new in zip(files.load(before)[:2], files.load(after)[:2], strict=True):
        dumped = [{} if item is None else item.model_dump(mode="json") for item in (old, new)]
        numbers = [dict(_numbers(item)) for item in dumped]
        found += [f"results: {line}" for line in _gone_or_other(*numbers)]
    return found


def _files(run: Path) -> dict[str, Path]:
    """The files of a run's artifacts by step and name; the folder of the run has a date in it."""
    root = run / "artifacts"
    paths = {"/".join(path.relative_to(root).parts[1:]): path for path in root.rglob("*")}
    return {
        name: path
        for name, path in paths.items()
        if path.is_file() and not set(name.split("/")) & set(PAGES) and path.suffix != ".txt"
    }


def _as_now(name: str) -> str:
    """Where a file would be today."""
    for then, now in MOVED:
        name = re.sub(f"^{then}$", now, name)
    return name


def _json_differences(before: Path, after: Path) -> list[str]:
    old, new = (dict(_numbers(json.loads(path.read_text()))) for path in (before, after))
    return _gone_or_other(old, new)


def _gone_or_other(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [
        f"{place} was {value} and is {new.get(place, 'gone')}"
        for place, value in old.items()
        if new.get(place) != value and not place.endswith(COSTS)
    ]


def _numbers(value: Any, place: str = "") -> Iterator[tuple[str, float | bool | None]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _numbers(item, f"{place}[{index}]")
    elif isinstance(value, bool | int | float):
        yield place, value


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
