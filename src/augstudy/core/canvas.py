"""What every figure is drawn on: Matplotlib as it comes, whatever a user's matplotlibrc says.

A picture may be part of an artifact, so what decides its bytes would decide the artifact's hash.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import matplotlib as mpl

# A matplotlibrc also decides how many greys Matplotlib's own "gray" has.
GREYS = mpl.colors.LinearSegmentedColormap.from_list("greys", ["black", "white"], N=256)


@contextlib.contextmanager
def settings(changes: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Draw and save with Matplotlib's default settings but for `changes`.

    Texts are drawn as they are: two dollar signs in the name of a class are no formula.
    """
    own = {name: value for name, value in mpl.rcParamsDefault.items() if "backend" not in name}
    with mpl.rc_context({**own, "text.parse_math": False, **(changes or {})}):
        yield
