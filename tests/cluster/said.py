"""What the command line said, for tests."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SMALL = str(Path(__file__).parent / "small.py")


@dataclass
class Said:
    """How the command line ended; white space is single blanks."""

    code: int
    out: str
    err: str


Program = Callable[..., Said]
