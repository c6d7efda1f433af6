"""Names of the arrays that most of the library is about."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""Drawings (N, 28, 28), 0 is paper and 255 ink; a few functions say that they take other shapes."""

Labels = NDArray[np.integer[Any]]
"""A class an image (N,), from 0."""

Probabilities = NDArray[np.float32]
"""Of classes, as networks predict them."""

Floats = NDArray[np.float64]
"""What is computed with them."""
