"""Markdown that pages are made of."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def listed(items: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``; empty for none."""
    *first, last = list(items) or [""]
    return f"{', '.join(first)} and {last}" if first else last
