"""The components and pipelines, by names that no other package has.

In a checkout they are the folders ``components/`` and ``pipelines/`` at its top; a wheel holds
them here.
"""

from pathlib import Path

_HERE, _CHECKOUT = Path(__file__).parent, Path(__file__).parents[3]
ROOT = _HERE if (_HERE / "pipelines").is_dir() else _CHECKOUT
__path__ = [str(ROOT)]
