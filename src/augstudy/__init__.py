"""augstudy: would synthetic images help my classifier, how much, and how sure are we?

``augstudy.study(real="photos/")`` runs a study; :mod:`augstudy.api` describes it and its result.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augstudy.api import load, study

__version__ = "0.1.0"
__all__ = ["load", "study"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'augstudy' has no attribute {name!r}")
    from augstudy import api  # here, so that a step of a pipeline does not load it

    return getattr(api, name)
