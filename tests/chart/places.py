"""Where the chart is, and the type of what runs a program."""

import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "augstudy"
Run = Callable[..., "subprocess.CompletedProcess[str]"]
