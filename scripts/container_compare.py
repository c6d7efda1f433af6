"""Compare the artifacts of two runs of a pipeline, file by file."""

import hashlib
import json
import re
from pathlib import Path

# The one thing that may differ: the versions of Python and of packages that no step uses.
_SOFTWARE = re.compile(rb"<details><summary>Software</summary>.*?</details>", re.DOTALL)
_REPORT = "report.html"

Files = dict[str, str]


def compare(first: Path, second: Path) -> list[str]:
    """Every difference between the artifacts under two pipeline roots, a sentence each.

    Each file is compared with what its manifest says, and with its fellow of the other run.
    """
    mine, other = artifacts(first), artifacts(second)
    complaints = [
        f"{name} is missing in {second if name in mine else first}"
        for name in sorted(set(mine) ^ set(other))
    ]
    for name in sorted(set(mine) & set(other)):
        names = set(mine[name]) | set(other[name])
        complaints += [
            f"{name}/{file} differs"
            for file in sorted(names)
            if mine[name].get(file) != other[name].get(file)
        ]
    return complaints or ([] if mine else [f"There is no artifact in {first}"])


def artifacts(root: Path) -> dict[str, Files]:
    """The hashes of the files of every artifact under the root of one run of a pipeline."""
    found: dict[str, Files] = {}
    for manifest in sorted(root.rglob("manifest.json")):
        folder = manifest.parent
        name = "/".join(folder.relative_to(root).parts[1:])  # the first part is the run's name
        recorded = json.loads(manifest.read_text())["files"]
        found[name] = {file: _hash(folder / file, item) for file, item in recorded.items()}
    return found


def _hash(path: Path, recorded: dict[str, str]) -> str:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != recorded["sha256"]:
        return f"altered: {digest}"
    if path.name == _REPORT:
        return hashlib.sha256(_SOFTWARE.sub(b"", content)).hexdigest()
    return digest
