"""Numbers as people read them, wherever they do: terminal, pages, notes."""


def duration(seconds: float) -> str:
    """``8.1 s``, ``1 min 05 s`` or ``2 h 07 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def points(share: float) -> str:
    """A difference in percentage points with its sign: 0.012 is ``+1.2``, no difference ``0.0``."""
    text = f"{100 * share:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text
