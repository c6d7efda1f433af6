"""Check what a finished study left behind: ``python scripts/check_run.py runs/0001``."""

import csv
import json
import re
import sys
from pathlib import Path

from augstudy.core.errors import DataError
from augstudy.results import files

REPORT_LIMIT = 2 * 10**6
NEEDED = ("report.html", "summary.json", "verdict.md", "timings.csv", "settings.yaml", "run.log")


def main(folder: Path) -> list[str]:
    """Every complaint about the run in `folder`."""
    complaints = [f"{name} is missing" for name in NEEDED if not (folder / name).is_file()]
    if complaints:
        return complaints
    state = json.loads((folder / "run.json").read_text())["state"]
    page = (folder / "report.html").read_bytes()
    if state != "done":
        complaints.append(f"the run is {state}")
    if len(page) > REPORT_LIMIT:
        complaints.append(f"the report has {len(page):,} bytes")
    if re.search(rb"""(?:src|href)=["']?https?://""", page):
        complaints.append("the report loads something from the network")
    complaints += unreadable(folder)
    with (folder / "timings.csv").open() as stream:
        if not list(csv.DictReader(stream)):
            complaints.append("no step was timed")
    return complaints


def unreadable(folder: Path) -> list[str]:
    """What is wrong with the results, if anything is."""
    try:
        return [] if files.read_summary(folder) else ["there are no results"]
    except DataError as error:
        return [str(error)]


if __name__ == "__main__":
    found = main(Path(sys.argv[1]))
    print("\n".join(found) or f"{sys.argv[1]} is complete.")
    sys.exit(bool(found))
