"""``python -m augstudy.cli``."""

from augstudy.cli import main

main()
